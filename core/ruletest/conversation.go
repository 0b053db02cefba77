package ruletest

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// Verdict is what became of a message, in the word that the policy has for it.
type Verdict string

// The verdicts. Refuse is loka's own: no rule was asked, or none has a say in it.
const (
	Forward Verdict = "forward"
	Deny    Verdict = "deny"
	Reply   Verdict = "reply"
	Drop    Verdict = "drop"
	Refuse  Verdict = "refuse"
)

var verdicts = map[rules.Verdict]Verdict{rules.Forward: Forward, rules.Denied: Deny, rules.Replied: Reply, rules.Dropped: Drop}

// Outcome is what came of one message.
type Outcome struct {
	Kind    rules.Kind
	Method  string
	Verdict Verdict
	// By is the number of the rule that denied, replied or dropped, or -1.
	By int
	// Code and Text are the error of a denial.
	Code int
	Text string
	// Result and Error are those of a reply in the pool's place.
	Result, Error any
	// Walked says that rules looked at the message; Matched, Failed and Trace tell how.
	Walked  bool
	Matched []int
	Failed  []rules.Failure
	Trace   []rules.Step
	// In is the message, and Pool and Miner are the lines that it gave rise to, all with
	// their ends.
	In, Pool, Miner []byte
	// Held counts the bytes at the end of Miner that waited for the reply to subscribe, and
	// Again those at the beginning of Pool that another pool was told before.
	Held, Again int
	// OK, Latency and Params are those of a response: whether it says yes, and the request
	// that it answers.
	OK      bool
	Latency time.Duration
	Params  []byte
	// At is the pool that the miner is with afterwards.
	At string
	// User is the miner's name and PoolUser the one that the pool sees, where the
	// message concerns one.
	User, PoolUser string
	// Reason says why loka refuses a message, or ends the session.
	Reason string
	Closed bool
	// Shares are the facts about a share, in order.
	Shares []exchange.What

	hidden []string
}

// Redact takes out of a text what the policy calls sensitive, and what its rules have made
// of that in this conversation so far.
func (o *Outcome) Redact(p *policy.Policy, text string) string {
	for _, secret := range o.hidden {
		text = strings.ReplaceAll(text, secret, "(sensitive)")
	}
	return p.Redact(text)
}

// Miner is the other end of a conversation.
type Miner struct {
	policy.Client
	// Session names the session.
	Session string
	// Listener is the address that it connects to; empty means the first of the proxy.
	Listener string
}

// Conversation is a session without its sockets.
type Conversation struct {
	policy *policy.Policy
	proxy  *policy.Proxy
	pool   *policy.Pool
	talk   *exchange.Exchange
	miner  Miner
	opened time.Time
	now    time.Time
	spoken bool // something was sent to the pool
	over   bool // the session has ended
	hidden []string
	next   int // id of the next message that has none
	sent   []sent
	asked  map[string]bool // methods that the miner has called
	at     *policy.Listener
	out    Outcome
	watch  func(exchange.Walk)
	known  figures
}

// sent is a request that the pool knows and has not answered.
type sent struct {
	method string
	id     []byte
}

// NewConversation begins a conversation at a time. Watch, when not nil, sees every walk
// over rules.
func NewConversation(p *policy.Policy, proxy *policy.Proxy, m Miner, at time.Time, watch func(exchange.Walk)) *Conversation {
	c := &Conversation{policy: p, proxy: proxy, pool: proxy.Pool, miner: m, opened: at, now: at, watch: watch, asked: map[string]bool{}}
	c.at = listenerOf(proxy, m.Listener)
	c.talk = exchange.New(exchange.Config{
		Program: proxy.Program, Proxy: proxy.Address, Listener: c.at.Address, Pool: c.pool.Address,
		ClientIP: m.IP, ClientPort: m.Port, Session: m.Session, Agent: m.Agent, Opened: at,
		MaxRequestBytes: c.pool.MaxRequestBytes, Replays: len(proxy.Routes) > 0, Tracer: c, Figures: &c.known,
	}, c)
	return c
}

// listenerOf gives the listener of a proxy with an address, or its first.
func listenerOf(proxy *policy.Proxy, address string) *policy.Listener {
	for _, l := range proxy.Listeners {
		if l.Address == address {
			return l
		}
	}
	return proxy.Listeners[0] // a proxy without one does not load
}

// Wait lets time pass.
func (c *Conversation) Wait(d time.Duration) { c.now = c.now.Add(d) }

// Walked keeps what a walk over the rules came to.
func (c *Conversation) Walked(w exchange.Walk) {
	d := w.Decision
	c.out.Walked = true
	c.out.Matched = append(c.out.Matched, d.Matched...)
	c.out.Failed = append(c.out.Failed, d.Failed...)
	c.hide(d.Secrets)
	for _, step := range d.Steps {
		step.Set = slices.Clone(step.Set)
		c.out.Trace = append(c.out.Trace, step)
	}
	if d.Verdict == rules.Replied {
		c.out.Result, c.out.Error = d.Result, d.Error
	}
	if c.watch != nil {
		c.watch(w)
	}
}

// shortSecret is the length below which a text is not looked for in others: it would be
// found in every second word.
const shortSecret = 4

// hide notes what rules have made of sensitive values.
func (c *Conversation) hide(values []any) {
	for _, v := range values {
		text, ok := v.(string)
		if !ok {
			text = string(encode(v))
		}
		if len(text) >= shortSecret && !slices.Contains(c.hidden, text) {
			c.hidden = append(c.hidden, text)
		}
	}
}

// Record keeps what was judged of a message.
func (c *Conversation) Record(r *exchange.Record) {
	switch r.What {
	case exchange.Message:
		c.out.Kind, c.out.Method = r.Kind, r.Method
		c.out.Verdict, c.out.By = verdicts[r.Verdict], r.Rule
		c.out.Code, c.out.Text = r.Code, strings.Clone(r.Text)
		c.out.User, c.out.PoolUser = strings.Clone(r.User()), strings.Clone(r.PoolUser())
		c.out.OK, c.out.Latency, c.out.Params = r.OK, r.Latency, bytes.Clone(r.Params)
	case exchange.Refused:
		c.out.Verdict, c.out.Reason = Refuse, r.Reason
	default:
		if r.What >= exchange.ShareSubmitted && r.What <= exchange.ShareLost {
			c.out.Shares = append(c.out.Shares, r.What)
		}
	}
}

func (c *Conversation) begin(kind rules.Kind, method string, line []byte) {
	c.out = Outcome{Kind: kind, Method: method, Verdict: Forward, By: -1, In: line, At: c.pool.Address}
}

// Connect runs the rules for a new connection.
func (c *Conversation) Connect() Outcome {
	c.begin(rules.Connect, "", nil)
	var out exchange.Out
	if !c.talk.Connect(c.now, &out) {
		c.out.Verdict, c.out.By = Deny, c.lastMatched()
		if n := len(c.out.Failed); n > 0 && c.out.By < 0 {
			c.out.By = c.out.Failed[n-1].Rule
		}
	}
	c.route(&out)
	return c.end(&out)
}

func (c *Conversation) lastMatched() int {
	if n := len(c.out.Matched); n > 0 {
		return c.out.Matched[n-1]
	}
	return -1
}

// FromMiner gives the conversation a line of the miner, with its end.
func (c *Conversation) FromMiner(line []byte) Outcome {
	c.settle()
	c.begin(rules.Request, "", line)
	var out exchange.Out
	if c.tooLong(line, c.at.MaxLineBytes, &out) {
		return c.end(&out)
	}
	c.talk.FromMiner(line, c.now, &out)
	c.asked[c.out.Method] = true
	if c.out.Method != stratum.MethodAuthorize { // that is settled below, subscribed or not
		c.route(&out)
	}
	c.spoken = c.spoken || len(out.Pool) > 0
	c.remember(out.Pool)
	if c.out.Method == stratum.MethodAuthorize {
		c.settle()
	}
	return c.end(&out)
}

// tooLong ends the session with a line that its connection does not take.
func (c *Conversation) tooLong(line []byte, most int, out *exchange.Out) bool {
	if len(bytes.TrimSuffix(line, []byte("\n"))) <= most {
		return false
	}
	c.out.Verdict, out.Close = Refuse, "the line is longer than max_line_bytes"
	return true
}

// FromPool gives the conversation a line of the pool, with its end.
func (c *Conversation) FromPool(line []byte) Outcome {
	c.settle()
	c.begin(rules.Notification, "", line)
	var out exchange.Out
	if c.tooLong(line, c.pool.MaxLineBytes, &out) {
		return c.end(&out)
	}
	c.talk.FromPool(line, c.now, &out)
	if out.Answered {
		direct := len(out.Miner)
		c.talk.Written(&out)
		c.out.Held = len(out.Miner) - direct
	}
	return c.end(&out)
}

// route follows a rule to another pool, as a session does.
func (c *Conversation) route(out *exchange.Out) {
	to := c.proxy.Routes[out.Route]
	if to == nil || to == c.pool {
		return
	}
	if err := c.talk.Movable(); err != nil {
		out.Close = err.Error()
		return
	}
	c.pool = to
	if !c.spoken {
		c.talk.SetPool(to.Address, to.MaxRequestBytes)
		return
	}
	line := bytes.Clone(out.Pool)
	out.Pool = out.Pool[:0] // what came before is said again
	c.talk.Rerouted(to.Address, to.MaxRequestBytes, out)
	c.out.Again = len(out.Pool)
	out.Pool = append(out.Pool, line...)
}

// settle takes a miner that has spoken to a pool where it belongs by now, as a session does
// once its user is known, and once a second where routes depend on the time or on figures.
func (c *Conversation) settle() {
	program := c.proxy.Program
	if c.over || !c.spoken || !program.Drifts() && !program.RoutesUsers() {
		return
	}
	to := c.proxy.Pool
	if place := c.talk.Place(to.Address, c.now); place != to.Address {
		to = c.proxy.Routes[place]
	}
	if to != c.pool {
		c.pool = to
		c.talk.SetPool(to.Address, to.MaxRequestBytes)
	}
}

func (c *Conversation) end(out *exchange.Out) Outcome {
	c.out.Pool, c.out.Miner, c.out.hidden = out.Pool, out.Miner, c.hidden
	c.out.At = c.pool.Address
	c.over = c.over || out.Close != "" || c.out.Kind == rules.Connect && c.out.Verdict != Forward
	if out.Close != "" {
		c.out.Closed = true
		if c.out.Reason == "" {
			c.out.Reason = out.Close
		}
	}
	return c.out
}

// remember notes the requests that went up.
func (c *Conversation) remember(lines []byte) {
	for line := range bytes.Lines(lines) {
		text := bytes.TrimRight(line, "\r\n")
		var m stratum.Message
		if stratum.Scan(text, &m) != nil {
			continue
		}
		if method, err := stratum.MethodOf(text, &m); err == nil && m.ID.Present() {
			c.sent = append(c.sent, sent{method: method, id: bytes.Clone(m.ID.Of(text))})
		}
	}
}

// answers gives the id under which the pool answers the oldest request of a method. Where
// the miner has never called it one is supposed; where it has, and all are answered or
// none went up, there is nothing to answer.
func (c *Conversation) answers(method string, params []byte) (id []byte, ok bool) {
	for i, s := range c.sent {
		if s.method == method {
			c.sent = slices.Delete(c.sent, i, i+1)
			return s.id, true
		}
	}
	if c.asked[method] {
		return nil, false
	}
	return c.talk.Suppose(method, params, c.now), true
}

// newID gives an id for a request.
func (c *Conversation) newID() int {
	c.next++
	return c.next
}

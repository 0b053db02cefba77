package exchange

import (
	"sync"
	"time"

	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// Config is what a conversation is held under.
type Config struct {
	Program *rules.Program
	// Proxy, Listener and Pool are the names that rules see; Pool is where the miner
	// goes unless a rule routes it elsewhere.
	Proxy, Listener, Pool string
	// ClientIP and ClientPort are the miner's; Session names the session.
	ClientIP   string
	ClientPort int
	Session    string
	// Agent is the miner's user agent, where it is known before it subscribes.
	Agent string
	// Tracer, when not nil, is shown every walk over the rules of a message.
	Tracer Tracer
	// MaxRequestBytes bounds the lines that rules make for the pool, without their end.
	MaxRequestBytes int
	// Extranonce1 is the miner's own through all pools, in hex digits, and Extranonce2Size
	// how many bytes it rolls (extranonce = "stable"). Empty gives it the pool's.
	Extranonce1     string
	Extranonce2Size int
	// Replays keeps what the miner said before subscribe, for a rule that routes it
	// elsewhere at subscribe.
	Replays bool
	// Opened is when the miner connected.
	Opened time.Time
	// Figures, when not nil, is asked for what rules want to know of pools and of the
	// session. Without it all figures are zero.
	Figures Figures
}

// Out collects what one or more calls want done. Its slices grow by appending and
// belong to the caller.
type Out struct {
	// Pool and Miner are whole lines for each side. Turns says where in Pool those for
	// another leg begin, in order; the first begins at 0. Without any, all are for the leg
	// in use.
	Pool, Miner []byte
	Turns       []Turn
	// Line is the number of the last line that was handed over, from either side, in the
	// order in which the conversation took them. The first is 1.
	Line int
	// Route is the pool that a rule sent the miner to, at subscribe.
	Route string
	// Close, when not empty, says why the session must end once the lines are written.
	// Blame says that it is the pool's fault.
	Close string
	Blame bool
	// Place says that the miner has given the name that decides where it belongs, and that
	// it belongs elsewhere: Place is to be asked, and the pool that it is with was not.
	Place bool
	// Redirect is where the pool sends the miner, for the caller to go there in its place.
	Redirect *Redirect
	// Ready says that a leg that is being prepared may be switched to; Unfit, why it never
	// may.
	Ready bool
	Unfit error
	// Answered says that Miner holds the reply to subscribe: Written must be called when
	// it has been written.
	Answered bool
}

// Redirect is what a pool says in client.reconnect. Host and Port are empty where it names
// none: the miner is to connect anew to where it is.
type Redirect struct {
	Host, Port string
	Wait       time.Duration
}

// Recorder is told what happens. Record is called with the conversation locked: it must
// not block and not call back. The Record is the caller's again when it returns.
type Recorder interface {
	Record(*Record)
}

// Walk is one walk over the rules of a message, with its trace. All of it is the
// conversation's, and changes with the next message.
type Walk struct {
	Kind     rules.Kind
	Method   string
	Chain    *rules.Chain
	Message  *rules.Message
	Facts    rules.Facts
	Decision *rules.Decision
}

// Tracer is shown walks. Like a Recorder it must not block and not call back.
type Tracer interface {
	Walked(Walk)
}

// Exchange is one conversation. Its methods may be called from any goroutine.
type Exchange struct {
	mu  sync.Mutex
	cfg Config
	rec Recorder

	now     time.Time // of the line at hand
	lines   int       // that were handed over
	scratch *scratch  // borrowed while a line is handled

	agent   any // the user agent of the last subscribe, a string
	boxed   boxed
	current *worker // whose message is at hand; nil where the message names nobody

	leg    *Leg   // in use
	late   []*Leg // that were left, the last one first
	facing *Leg   // that the line at hand is for, or comes from
	// subscribing counts subscribe requests that the pool has not answered. Until it
	// has, held keeps answers of our own: cpuminer takes the first line it gets for
	// the reply to subscribe.
	subscribing int
	subscribed  bool
	writing     bool // its reply is with the caller, not yet with the miner
	held        []byte
	// subscribeSent says that one has gone up, whatever became of it: the miner has, or
	// gets, work of its pool.
	subscribeSent bool
	asked         []byte    // the params of the last one, as the miner wrote them
	askedAt       time.Time // when
	replays       []replay
	// unreplayable says that more was said before subscribe than replays holds.
	unreplayable bool
	malformed    int // lines of the miner that were refused

	told told // what the miner said of itself, for another pool
}

// New begins a conversation. The pool is asked nothing by itself.
func New(cfg Config, rec Recorder) *Exchange {
	x := &Exchange{cfg: cfg, rec: rec, agent: cfg.Agent}
	x.boxed = box(cfg)
	x.leg = &Leg{x: x, pool: cfg.Pool, maxRequestBytes: cfg.MaxRequestBytes}
	x.told.layout = newLayout(cfg)
	return x
}

// Connect runs the rules for a new connection. It reports whether the miner may
// stay, and in out.Route where it belongs.
func (x *Exchange) Connect(at time.Time, out *Out) bool {
	x.begin()
	defer x.end()
	x.now = at
	chain := x.cfg.Program.Chain(rules.Connect, nil)
	if chain == nil {
		return true
	}
	d := x.walk(chain, rules.Connect, "", &x.scratch.shown)
	out.Route = d.Route
	return d.Verdict == rules.Forward
}

// SetPool names the pool that the miner talks to from now on.
func (x *Exchange) SetPool(pool string, maxRequestBytes int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.leg.pool, x.leg.maxRequestBytes = pool, maxRequestBytes
}

// Outstanding is the number of requests that are worth waiting for: shares and names, and
// before the miner has subscribed all that pools are known to answer.
func (x *Exchange) Outstanding() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for _, l := range x.legs() {
		n += l.outstanding()
	}
	return n
}

// Close ends the conversation: shares that no pool ever answered are lost, for the given
// reason.
func (x *Exchange) Close(reason string) {
	x.begin()
	defer x.end()
	for _, l := range x.legs() {
		x.facing = l
		for i := range l.pending.list {
			x.lose(&l.pending.list[i], reason)
		}
		l.pending = pending{}
	}
}

// legs are those on which the miner may have shares: the one in use, and those left.
func (x *Exchange) legs() []*Leg { return append([]*Leg{x.leg}, x.late...) }

// lose records the share of a request that gets no answer.
func (x *Exchange) lose(r *request, reason string) {
	if r.method == stratum.MethodSubmit {
		x.record(Record{What: ShareLost, Method: r.method, Rule: -1, worker: r.worker, Reason: reason})
	}
}

// Agent is the user agent that the miner gave last.
func (x *Exchange) Agent() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	agent, _ := x.agent.(string)
	return agent
}

package exchange

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// preparation is what comes from a pool before the miner is told of it.
type preparation struct {
	subscribed bool
	// notify is the last job, difficulty the line that set its difficulty, and after one
	// that came behind it.
	difficulty, notify, after []byte
	// refused are the names that the pool does not take, and no pool has taken.
	refused []string
	unfit   error
	blame   bool           // it would suit no miner of this kind
	program *rules.Program // whose rules have judged what was said
}

// Way is how a miner is told that its work comes from another pool.
type Way string

// The ways, the best first.
const (
	ByJob        Way = "job"        // a new job is enough: the miner's extranonce is its own
	ByExtranonce Way = "extranonce" // mining.set_extranonce, which the miner asked for
	ByReconnect  Way = "reconnect"  // it has to connect again
)

// Way is how this miner can be told.
func (x *Exchange) Way() Way {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.way()
}

func (x *Exchange) way() Way {
	switch {
	case !x.subscribed || x.writing || x.asked == nil:
		return ByReconnect
	case x.told.layout != nil:
		return ByJob
	case x.told.asksExtranonce:
		return ByExtranonce
	}
	return ByReconnect
}

// ErrByReconnect says that a miner cannot be moved while it is connected.
var ErrByReconnect = errors.New("the miner has to connect again")

// Prepare begins a leg to another pool, or to the same one anew. All that the miner has
// said of itself is said there under the rules, as it would be if the miner had connected
// to that pool: first what is in out.Pool, then what FromPool of the leg gives. The miner
// notices nothing until Switch. Owner is the leg's.
func (x *Exchange) Prepare(pool string, maxRequestBytes int, owner any, at time.Time, out *Out) (*Leg, error) {
	x.begin()
	defer x.end()
	if x.way() == ByReconnect {
		return nil, ErrByReconnect
	}
	l := &Leg{x: x, Owner: owner, pool: pool, maxRequestBytes: maxRequestBytes, stage: preparing, heardAt: at, prep: &preparation{program: x.cfg.Program}}
	x.facing = l
	x.now = at
	var err error
	if s := x.told.saying(stratum.MethodSuggestTarget); s != nil { // bfgminer's comes before subscribe
		err = x.say(s.method, s.params, s.at, out)
	}
	if params := x.told.configure(); params != nil && err == nil {
		err = x.say(stratum.MethodConfigure, params, x.told.saying(stratum.MethodConfigure).at, out)
	}
	if err == nil {
		err = x.say(stratum.MethodSubscribe, x.asked, x.askedAt, out)
	}
	return l, err
}

// say says a request to the leg at hand in the miner's name, as the rules have it. A rule
// that answers or drops the request is obeyed; one that denies it is an error.
func (x *Exchange) say(method string, params []byte, at time.Time, out *Out) error {
	l := x.facing
	now := x.now
	defer func() { x.now = now }()
	x.lookBack(now)
	id := l.pending.nextID()
	if len(params) == 0 {
		params = []byte("[]")
	}
	line := fmt.Appendf(nil, "{\"id\":%s,\"method\":%q,\"params\":%s}\n", id, method, params)
	x.scratch.edits = x.scratch.edits[:0]
	if err := x.scan(line); err != nil {
		return err
	}
	listed := x.elements(x.scratch.text, x.scratch.msg.Params)
	x.current = nil
	x.now = at // rules judge it as of when the miner said it
	var d *rules.Decision
	if chain := x.cfg.Program.Chain(rules.Request, []byte(method)); chain != nil {
		shown, err := x.show(chain.Uses(), x.scratch.text)
		if listed != nil || err != nil {
			return fmt.Errorf("%s cannot be shown to the rules", method)
		}
		x.scratch.shown = rules.Message{Method: method, Params: shown}
		d = &x.scratch.decision
		d.Trace = false
		chain.Decide(&x.scratch.shown, facts{x}, d)
		switch d.Verdict {
		case rules.Denied:
			return fmt.Errorf("a rule denies %s at that pool", method)
		case rules.Replied, rules.Dropped:
			return nil
		}
	}
	if no, _ := x.change(method, d); no != nil {
		return fmt.Errorf("%s: %s", method, strings.ToLower(no.text))
	}
	if method == stratum.MethodSubscribe && x.told.layout == nil {
		x.flatten()
		x.forgetSession()
	}
	return x.said(method, id, now, out)
}

// said sends what say made.
func (x *Exchange) said(method string, id []byte, now time.Time, out *Out) error {
	l, start := x.facing, len(out.Pool)
	out.Pool = x.apply(out.Pool, x.scratch.line)
	if size := len(trim(out.Pool[start:])); l.maxRequestBytes > 0 && size > l.maxRequestBytes {
		out.Pool = out.Pool[:start]
		return fmt.Errorf("%s would be too long for the pool", method)
	}
	out.turn(start, l)
	if method == stratum.MethodAuthorize && x.current != nil {
		l.names.put(x.current)
	}
	l.pending.add(request{id: stratum.IDOf(id), method: method, worker: x.current, at: now, own: true})
	return nil
}

package exchange

import (
	"time"

	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// Terms are those of a policy that comes into force while a conversation is under way.
type Terms struct {
	Program *rules.Program
	// Proxy, Listener and Pool are as in Config.
	Proxy, Listener, Pool string
	Replays               bool
	// MaxRequestBytes is as in Config, for the pool that the miner is with.
	MaxRequestBytes func(pool string) int
	// Swap is called between the last message under the old terms and the first under
	// the new, with the conversation locked.
	Swap func()
}

// Standing is how a conversation stands under new terms.
type Standing struct {
	// Pool is the pool that the rules for connect, for subscribe and for the first name that
	// it authorized send the miner to.
	Pool string
	// Refused says that the miner would not be let in, or a name of it would not.
	Refused bool
	// Renamed says that a name of it would be another at the pool.
	Renamed bool
}

// Adopt puts a conversation under new terms, from the next message on. What was decided
// before is held against them: what the miner said at connect, at subscribe and at
// authorize is judged again, and nothing of that is recorded.
func (x *Exchange) Adopt(t Terms, at time.Time) Standing {
	x.begin()
	defer x.end()
	x.come(t)
	s := x.stands(t.Pool, at)
	t.Swap()
	return s
}

// Weigh tells how the conversation would stand under other terms, and changes nothing.
func (x *Exchange) Weigh(t Terms, at time.Time) Standing {
	x.begin()
	defer x.end()
	cfg, boxed, most := x.cfg, x.boxed, x.leg.maxRequestBytes
	defer func() { x.cfg, x.boxed, x.leg.maxRequestBytes = cfg, boxed, most }()
	x.come(t)
	return x.stands(t.Pool, at)
}

// come puts the conversation under terms.
func (x *Exchange) come(t Terms) {
	x.cfg.Program, x.cfg.Proxy, x.cfg.Listener, x.cfg.Replays = t.Program, t.Proxy, t.Listener, t.Replays
	x.boxed.proxy, x.boxed.listener = t.Proxy, t.Listener
	if t.MaxRequestBytes != nil {
		x.leg.maxRequestBytes = t.MaxRequestBytes(x.leg.Pool())
	}
}

// stands judges all again that was decided before. Pool is that of those no rule routes.
func (x *Exchange) stands(pool string, at time.Time) Standing {
	defer func() { x.now = at }()
	x.now = at
	x.lookBack(at)
	s := x.placed(pool)
	there := *x.leg
	there.pool, x.facing = s.Pool, &there // its names are those at the pool where it belongs
	defer func() { x.facing = x.leg }()
	for _, n := range x.leg.names.list {
		if w := n.worker(); !s.Refused {
			s.Refused, s.Renamed = x.mapped(w, s.Renamed)
		}
	}
	return s
}

// Place judges again which pool the miner belongs to, for a program whose routes drift:
// what the miner said is as it was, the time and the figures are those of now. Home is
// the pool of those that no rule routes. A miner that would not be let in now stays
// where it is: it was let in.
func (x *Exchange) Place(home string, at time.Time) (pool string) {
	x.begin()
	defer x.end()
	defer func() { x.now = at }()
	x.lookBack(at)
	s := x.placed(home)
	if s.Refused {
		s.Pool = x.leg.Pool()
	}
	return s.Pool
}

// lookBack shows rules the present while messages of before are judged again.
func (x *Exchange) lookBack(at time.Time) {
	x.scratch.present, x.scratch.with = at, x.leg.pool
}

// deciding gives the params of the authorize that may route the miner, and when it came:
// those of the first of its names. They are nil where there is none.
func (x *Exchange) deciding() (params []byte, at time.Time) {
	if len(x.leg.names.list) == 0 || !x.cfg.Program.RoutesUsers() {
		return nil, at
	}
	w := x.leg.names.list[0].worker()
	return w.params, w.at
}

// placed judges again what decides where the miner belongs.
func (x *Exchange) placed(pool string) Standing {
	s := Standing{Pool: pool}
	agent, there := x.agent, *x.leg
	there.pool, x.facing = pool, &there
	defer func() { x.facing, x.agent = x.leg, agent }()
	named, namedAt := x.deciding()
	steps := []struct {
		kind   rules.Kind
		method string
		params []byte
		at     time.Time
		agent  any
		skip   bool
	}{
		{rules.Connect, "", nil, x.cfg.Opened, x.cfg.Agent, false},
		{rules.Request, stratum.MethodSubscribe, x.asked, x.askedAt, agent, x.asked == nil},
		{rules.Request, stratum.MethodAuthorize, named, namedAt, agent, named == nil},
	}
	for _, step := range steps {
		if step.skip {
			continue
		}
		x.now, x.agent = step.at, step.agent
		d := x.again(step.kind, step.method, step.params)
		switch {
		case d == nil:
		case d.Verdict == rules.Denied:
			s.Refused = true
		case d.Route != "" && d.Verdict == rules.Forward:
			s.Pool = d.Route
			there.pool = d.Route
		}
	}
	return s
}

// mapped judges the authorize of a worker again.
func (x *Exchange) mapped(w *worker, before bool) (refused, renamed bool) {
	if w.params == nil {
		return false, before
	}
	x.now = w.at
	d := x.again(rules.Request, stratum.MethodAuthorize, w.params)
	if d == nil {
		return false, before || w.pool != w.name
	}
	if d.Verdict != rules.Forward {
		return true, before
	}
	pool := w.name
	if d.UserSet {
		pool, _ = firstText(d.Params)
	}
	return false, before || pool != w.pool
}

// again judges a request of before by its params. It gives nil where no rule looks at it.
func (x *Exchange) again(kind rules.Kind, method string, params []byte) *rules.Decision {
	chain := x.cfg.Program.Chain(kind, []byte(method))
	if chain == nil {
		return nil
	}
	s := x.scratch
	s.shown = rules.Message{Method: method}
	if kind != rules.Connect {
		err := x.elements(params, stratum.Span{To: int32(len(params))})
		if err == nil {
			s.shown.Params, err = x.show(chain.Uses(), params)
		}
		if err != nil { // it was denied, or no rule looked at it
			return nil
		}
	}
	s.decision.Trace = false
	chain.Decide(&s.shown, facts{x}, &s.decision)
	return &s.decision
}

// maxAsked bounds the params of a subscribe that are kept.
const maxAsked = 1 << 10

// keepSubscribe keeps what the miner says at subscribe, for other terms.
func (x *Exchange) keepSubscribe() {
	if params := x.scratch.msg.Params; params.Len() <= maxAsked {
		x.asked, x.askedAt = append([]byte{}, params.Of(x.scratch.text)...), x.now
	}
}

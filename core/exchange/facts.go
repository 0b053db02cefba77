package exchange

import (
	"time"

	"github.com/loka-proxy/loka/rules"
)

// Figures is what is known of pools and of the session besides what was said. Its methods
// are called with the conversation locked, and only where a rule looks at a figure: they
// do not block and do not call back.
type Figures interface {
	// Upstream gives the figures of a pool by its address. They are zero for a pool of
	// which nothing is known.
	Upstream(pool string) Upstream
	// Stats gives those of the session.
	Stats() Stats
}

// Upstream is the figures of one pool, over all sessions.
type Upstream struct {
	// Down says that no server of it can be reached, as far as is known.
	Down bool
	// RejectRate is the part of the shares judged lately that the pool rejected, from 0
	// to 1. That of a pool which nobody sends shares fades to 0.
	RejectRate float64
	// LatencyMS is how long its answers to shares took lately.
	LatencyMS float64
	// Sessions is how many miners are with it.
	Sessions int
	// Hashrate is the hashes a second by the shares that it accepted lately.
	Hashrate float64
}

// Stats is the figures of one session, over all pools that it was with.
type Stats struct {
	// Submitted, Accepted and Rejected count its shares.
	Submitted, Accepted, Rejected int
	// RejectRate and Hashrate are as those of a pool.
	RejectRate, Hashrate float64
}

// boxed are the facts that rules may ask for, boxed once for the whole conversation.
type boxed struct {
	clientIP, clientPort, session, listener, proxy any
}

func box(cfg Config) boxed {
	return boxed{
		clientIP: cfg.ClientIP, clientPort: cfg.ClientPort, session: cfg.Session,
		listener: cfg.Listener, proxy: cfg.Proxy,
	}
}

var noText any = ""

// facts shows a conversation to its rules. It is a type of its own so that Fact is no
// method of Exchange: it may only be called with the lock held.
type facts struct{ x *Exchange }

func (f facts) Fact(n rules.Name) any {
	x := f.x
	switch n {
	case rules.ClientIP:
		return x.boxed.clientIP
	case rules.ClientPort:
		return x.boxed.clientPort
	case rules.ClientAgent:
		return x.agent
	case rules.SessionID:
		return x.boxed.session
	case rules.SessionAge:
		return x.now.Sub(x.cfg.Opened).Seconds()
	case rules.ListenerName:
		return x.boxed.listener
	case rules.ProxyName:
		return x.boxed.proxy
	case rules.PoolName:
		return x.facing.pool
	case rules.UserName:
		if w := x.whose(); w != nil {
			return w.boxedName
		}
	case rules.PoolUserName:
		if w := x.whose(); w != nil {
			return w.boxedPool
		}
	}
	return x.figure(n)
}

// Figure gives a figure of a pool that a rule names.
func (f facts) Figure(pool string, n rules.Name) any { return f.x.upstream(pool, n) }

// figure gives the facts that change by themselves. Values are boxed as they are asked
// for: few rules do, and small numbers take no memory.
func (x *Exchange) figure(n rules.Name) any {
	switch {
	case n == rules.SessionPool:
		return x.with()
	case n >= rules.UpstreamUp:
		pool := x.facing.Pool()
		return x.upstream(pool, n)
	case n >= rules.StatsSubmitted:
		return x.stats(n)
	case n >= rules.ClockMinute:
		return OfClock(x.clock(), n)
	}
	return noText
}

func (x *Exchange) upstream(pool string, n rules.Name) any {
	var u Upstream
	if x.cfg.Figures != nil {
		u = x.cfg.Figures.Upstream(pool)
	}
	return u.Fact(n)
}

func (x *Exchange) stats(n rules.Name) any {
	var s Stats
	if x.cfg.Figures != nil {
		s = x.cfg.Figures.Stats()
	}
	return s.Fact(n)
}

// OfClock gives the names that begin with clock, of a time in its own zone.
func OfClock(t time.Time, n rules.Name) any {
	switch n {
	case rules.ClockMinute:
		return t.Minute()
	case rules.ClockHour:
		return t.Hour()
	case rules.ClockWeekday:
		return (int(t.Weekday())+6)%7 + 1 // Go's week begins with Sunday, which is 0
	case rules.ClockDay:
		return t.Day()
	default:
		return int(t.Month())
	}
}

// Fact gives the names that begin with stats.
func (s Stats) Fact(n rules.Name) any {
	switch n {
	case rules.StatsSubmitted:
		return s.Submitted
	case rules.StatsAccepted:
		return s.Accepted
	case rules.StatsRejected:
		return s.Rejected
	case rules.StatsRejectRate:
		return s.RejectRate
	default:
		return s.Hashrate
	}
}

// Fact gives the names that begin with upstream.
func (u Upstream) Fact(n rules.Name) any {
	switch n {
	case rules.UpstreamUp:
		return !u.Down
	case rules.UpstreamRejectRate:
		return u.RejectRate
	case rules.UpstreamLatency:
		return u.LatencyMS
	case rules.UpstreamSessions:
		return u.Sessions
	default:
		return u.Hashrate
	}
}

// clock is the time that rules see: where a message of before is judged again, the time
// now and not the one when the message came.
func (x *Exchange) clock() time.Time {
	if s := x.scratch; !s.present.IsZero() {
		return s.present
	}
	return x.now
}

// with is the pool that the miner is with, which is not the one that it is bound for
// where a message of before is judged again.
func (x *Exchange) with() any {
	if s := x.scratch; s.with != nil {
		return s.with
	}
	return x.leg.pool
}

// whose is the worker that the message at hand concerns: the one it names, else the
// one that was authorised last.
func (x *Exchange) whose() *worker {
	if x.current != nil {
		return x.current
	}
	return x.facing.names.latest
}

package core

import (
	"math"
	"slices"
	"time"

	"github.com/loka-proxy/loka/core/policy"
)

// class is how much speaks for an endpoint, whatever the strategy. The lowest comes first.
type class uint8

const (
	well   class = iota // up, or nothing is known against it
	unsure              // up, and was down not long ago
	down                // the time to try it has come
	rests               // it failed a moment ago
)

// sight is what the choice of an endpoint depends on, as it is at one moment.
type sight struct {
	endpoint *endpoint
	weight   float64
	aside    bool
	class    class
	up       bool
	since    time.Time // when it came up
	deaf     bool
	load     load
}

// look gives the pool's endpoints as they are now, in their order.
func (p *pool) look(now time.Time) []sight {
	list := make([]sight, len(p.endpoints))
	for i, e := range p.endpoints {
		list[i] = e.look(now)
		list[i].weight = float64(max(1, p.policy.Servers[i].Weight))
	}
	return list
}

func (e *endpoint) look(now time.Time) sight {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.load.fade(now, e.fresh.take())
	s := sight{endpoint: e, aside: e.aside.Load(), up: e.state == isUp, since: e.since, deaf: e.deaf, load: e.load}
	switch {
	case e.state == isDown && now.Before(e.rest):
		s.class = rests
	case e.state == isDown:
		s.class = down
	case e.broken:
		s.class = unsure
	}
	return s
}

// choose gives a seat at the server that the next miner goes to, of those in service that
// were not tried; nil when there is none. Whoever chooses next sees the seat taken.
func (p *pool) choose(tried []*endpoint) *seat {
	p.mu.Lock()
	defer p.mu.Unlock()
	sights := p.look(p.now())
	best, first := -1, rank{class: math.MaxUint8}
	each := perLeg(sights)
	for i := range sights {
		s := &sights[i]
		if s.aside || slices.Contains(tried, s.endpoint) {
			continue
		}
		if r := (rank{s.class, p.place(s, i, each)}); r.before(first) {
			best, first = i, r
		}
	}
	if best < 0 {
		return nil
	}
	p.turn = best + 1
	return sights[best].endpoint.take()
}

// rank orders the endpoints for one choice.
type rank struct {
	class class
	place float64
}

func (r rank) before(o rank) bool {
	return r.class < o.class || r.class == o.class && r.place < o.place
}

// place gives what the strategy says of an endpoint; the least comes first.
func (p *pool) place(s *sight, i int, perLeg float64) float64 {
	switch n := len(p.endpoints); p.policy.Strategy {
	case policy.RoundRobin:
		return float64((i + n - p.turn%n) % n)
	case policy.LeastSessions:
		return float64(s.load.legs)
	case policy.Weighted:
		return (s.load.work(perLeg) + perLeg) / s.weight
	}
	return float64(i)
}

// perLeg estimates what one leg of the pool does on average. Where nothing was credited
// yet, all count the same.
func perLeg(sights []sight) float64 {
	var credit, seen float64
	for i := range sights {
		credit += sights[i].load.credit
		seen += float64(sights[i].load.legs) - sights[i].load.unseen
	}
	if credit <= 0 || seen < 1e-9 {
		return 1
	}
	return credit / seen
}

// everyone, as the number of miners that are to leave an endpoint, is all of them.
const everyone = -1

// better reports whether a session at an endpoint should go to another one of the pool
// now. With the strategy weighted only some should, and each yes is for one of them: who
// gets it and stays holds up another.
func (p *pool) better(e *endpoint) bool {
	if e.emptied.Load() {
		return slices.ContainsFunc(p.endpoints, func(o *endpoint) bool { return o != e && o.usable() })
	}
	for {
		n := e.leaving.Load()
		if n <= 0 {
			return n == everyone
		}
		if e.leaving.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// noBetter gives the servers that a miner at one of them gains nothing by: those that are
// down, its own, and with failover those behind it.
func (p *pool) noBetter(e *endpoint) (list []*endpoint) {
	behind := false
	for _, o := range p.endpoints {
		behind = behind || o == e && e.usable() && p.policy.Strategy == policy.Failover
		if o == e || behind || !o.usable() {
			list = append(list, o)
		}
	}
	return list
}

// tick decides who is to leave which endpoint. It is called once a second for the pools
// of the policy in force, so that asking each session costs next to nothing.
func (p *pool) tick(now time.Time) {
	for _, e := range p.endpoints {
		e.settle(now, p.policy.FailbackAfter)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	sights := p.look(now)
	if p.policy.Strategy == policy.Weighted {
		p.balance(now, sights)
	} else {
		p.failback(now, sights)
	}
	for i := range sights {
		if s := &sights[i]; s.deaf && anyWell(sights, i) {
			s.endpoint.leaving.Store(everyone)
		}
	}
}

// anyWell reports whether there is a server that is up besides one.
func anyWell(sights []sight, but int) bool {
	for i := range sights {
		if s := &sights[i]; i != but && s.up && !s.aside {
			return true
		}
	}
	return false
}

// failback has miners go to the first server that stands, if the strategy is failover.
func (p *pool) failback(now time.Time, sights []sight) {
	first := len(sights)
	if p.policy.Strategy == policy.Failover {
		first = slices.IndexFunc(sights, func(s sight) bool { return !s.aside && s.stands(now, p.policy.FailbackAfter) })
	}
	for i := range sights {
		leaving := int64(0)
		if first >= 0 && i > first {
			leaving = everyone
		}
		sights[i].endpoint.leaving.Store(leaving)
	}
}

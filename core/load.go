package core

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// halfLife is how long it takes until half of what is known of the work of an endpoint's
// miners is forgotten. Some hundred shares of one miner come in that time.
const halfLife = 10 * time.Minute

// load is the work that the miners of an endpoint do, by the difficulty of their accepted
// shares. The difficulty fades, and with it fades the ignorance about a miner that has
// just come: a miner of steady work has credit*(1-f) after the time in which a
// fraction f of the ignorance is left, so together they tell the work from the first
// moment on, if only it is known what a miner does on average.
type load struct {
	legs   int     // open, or being dialled
	credit float64 // accepted difficulty, fading
	unseen float64 // legs whose work has not shown yet, fading
	at     time.Time
}

// fade brings the load to a moment, with what was credited since.
func (l *load) fade(now time.Time, fresh float64) {
	left := fadedTo(now.Sub(l.at))
	l.credit, l.unseen, l.at = l.credit*left+fresh, l.unseen*left, now
}

// fadedTo is what is left after some time.
func fadedTo(passed time.Duration) float64 {
	return math.Exp2(-max(passed, 0).Seconds() / halfLife.Seconds())
}

// leave takes a leg out that was there for some time. What it did itself is not known: it
// is taken for an average leg of the endpoint.
func (l *load) leave(after time.Duration) {
	unseen := fadedTo(after)
	if seen := float64(l.legs) - l.unseen; seen > 0 {
		l.credit -= l.credit * min(1, (1-unseen)/seen)
	}
	l.unseen = max(0, l.unseen-unseen)
	if l.legs--; l.legs == 0 {
		l.credit, l.unseen = 0, 0
	}
}

// work gives the load in difficulty, where an average leg does so much.
func (l *load) work(perLeg float64) float64 { return l.credit + l.unseen*perLeg }

// credit adds up the difficulty of accepted shares, without a lock. It holds the bits of
// a float64.
type credit struct{ bits atomic.Uint64 }

// maxCredit is more than a share can be worth; what is beyond is a pool's slip.
const maxCredit = 1 << 64

func (c *credit) add(difficulty float64) {
	if !(difficulty > 0) { // NaN is not
		return
	}
	difficulty = min(difficulty, maxCredit)
	for {
		old := c.bits.Load()
		if c.bits.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+difficulty)) {
			return
		}
	}
}

func (c *credit) take() float64 { return math.Float64frombits(c.bits.Swap(0)) }

// credit notes the difficulty of a share that the endpoint has accepted.
func (e *endpoint) credit(difficulty float64) { e.fresh.add(difficulty) }

// seat is the place of one leg among those of an endpoint, from before the dial until its
// connection is closed.
type seat struct {
	endpoint *endpoint
	taken    time.Time
	left     sync.Once
}

// take counts one leg more.
func (e *endpoint) take() *seat {
	now := e.now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.load.fade(now, e.fresh.take())
	e.load.legs++
	e.load.unseen++
	return &seat{endpoint: e, taken: now}
}

// leave counts one leg less. It may be called again, which does nothing.
func (s *seat) leave() { s.left.Do(s.gone) }

func (s *seat) gone() {
	e := s.endpoint
	now := e.now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.load.fade(now, e.fresh.take())
	e.load.leave(now.Sub(s.taken))
	e.asked = now
}

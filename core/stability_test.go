package core

import (
	"testing"
	"time"

	"github.com/loka-proxy/loka/core/policy"
)

// TestFailbackWaits has the first server go down and come back.
func TestFailbackWaits(t *testing.T) {
	c := newClock()
	p := poolOf(c, policy.Failover, 1, 1)
	a, b := p.endpoints[0], p.endpoints[1]
	wellness(p)
	a.down(errTest)
	for range 30 {
		c.pass(time.Second)
		p.tick(c.now())
		if p.better(b) || names(p, 1) != "b" {
			t.Fatal("miners go back to a server that is down")
		}
	}
	a.heard()
	for range 59 {
		c.pass(time.Second)
		p.tick(c.now())
		if p.better(b) || names(p, 1) != "b" {
			t.Fatal("miners go back before failback_after has passed")
		}
	}
	c.pass(time.Second)
	p.tick(c.now())
	for range 2 { // all of them
		if !p.better(b) || names(p, 1) != "a" {
			t.Error("miners do not go back")
		}
	}
	if p.better(a) {
		t.Error("miners leave the first server")
	}
	a.aside.Store(true)
	a.emptied.Store(true)
	p.tick(c.now())
	if p.better(b) || !p.better(a) {
		t.Error("miners go back to a server that is set aside, or stay there")
	}
}

// TestANewServerStandsFirst is added in front of the one in use: miners go there once it
// has been up for as long as one that comes back.
func TestANewServerStandsFirst(t *testing.T) {
	c := newClock()
	p := poolOf(c, policy.Failover, 1, 1)
	a, b := p.endpoints[0], p.endpoints[1]
	b.heard()
	c.pass(time.Hour)
	p.tick(c.now())
	if p.better(b) {
		t.Error("miners go to a server that nobody has heard")
	}
	a.heard()
	c.pass(59 * time.Second)
	p.tick(c.now())
	if p.better(b) {
		t.Error("miners go there too soon")
	}
	c.pass(time.Second)
	p.tick(c.now())
	if !p.better(b) {
		t.Error("miners do not go there")
	}
}

// TestRelapsesTakeLonger has a server that lasts no longer than it takes to settle.
func TestRelapsesTakeLonger(t *testing.T) {
	c := newClock()
	p := poolOf(c, policy.Failover, 1, 1)
	a, b := p.endpoints[0], p.endpoints[1]
	b.heard()
	settles := func() (took time.Duration) {
		a.down(errTest)
		c.pass(time.Minute)
		a.heard()
		a.forget()
		for p.tick(c.now()); !p.better(b); p.tick(c.now()) {
			c.pass(time.Second)
			took += time.Second
		}
		return took
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 16} {
		if got := settles(); got != want*time.Minute {
			t.Errorf("it took %s, not %d minutes", got, want)
		}
	}
	for range 4 * 3600 { // then it is up for hours
		c.pass(time.Second)
		p.tick(c.now())
	}
	if got := settles(); got != time.Minute {
		t.Errorf("what was long ago counts: it took %s", got)
	}
}

// flapping is a pool whose first server is up every other second, and miners that mine
// there.
type flapping struct {
	clock  *clock
	pool   *pool
	flaps  func(second int) (up bool)
	takes  bool // it takes connections while it ends all others
	miners []*flappingMiner
	// legs are those that were begun, and probes how often it was probed.
	legs, probes int
}

type flappingMiner struct{ seat *seat }

// reach gives the miner a leg, as a session would.
func (f *flapping) reach(m *flappingMiner, second int) {
	var tried []*endpoint
	for {
		s := f.pool.choose(tried)
		if s == nil {
			return
		}
		f.legs++
		if s.endpoint != f.pool.endpoints[0] || f.flaps(second) || f.takes {
			s.endpoint.heard()
			m.seat = s
			return
		}
		s.leave()
		s.endpoint.fail(errTest)
		tried = append(tried, s.endpoint)
	}
}

func (f *flapping) leave(m *flappingMiner) {
	m.seat.leave()
	m.seat.endpoint.forget()
}

// second lets a second pass.
func (f *flapping) second(n int) {
	f.clock.pass(time.Second)
	first := f.pool.endpoints[0]
	for _, m := range f.miners {
		if !f.flaps(n) && m.seat.endpoint == first {
			first.dropped(errTest)
			f.leave(m)
			f.reach(m, n)
		}
	}
	f.pool.tick(f.clock.now())
	for _, e := range f.pool.due(f.clock.now()) {
		f.probes++
		if e != first || f.flaps(n) {
			e.mu.Lock()
			e.comeUp()
			e.mu.Unlock()
		} else {
			e.miss(errTest, f.pool.policy.Health.Failures)
		}
		e.probed()
	}
	for _, m := range f.miners {
		if f.pool.better(m.seat.endpoint) {
			f.leave(m)
			f.reach(m, n)
		}
	}
}

// TestFlappingMakesNoStorm has a hundred miners at a server that comes and goes every
// second, for three hours: none of them changes its server more than a few times.
func TestFlappingMakesNoStorm(t *testing.T) {
	for name, takes := range map[string]bool{"refuses meanwhile": false, "takes connections again at once": true} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			f := &flapping{clock: c, pool: poolOf(c, policy.Failover, 1, 1), takes: takes, flaps: func(n int) bool { return n%2 == 0 }}
			const miners, hours = 100, 3
			for range miners {
				m := &flappingMiner{}
				f.reach(m, 0)
				f.miners = append(f.miners, m)
			}
			for n := range hours * 3600 {
				f.second(n + 1)
			}
			t.Logf("%d legs, %d probes", f.legs, f.probes)
			if f.legs > miners*(8+4*hours) {
				t.Errorf("%d miners began %d legs", miners, f.legs)
			}
			if f.probes > hours*3600/5 {
				t.Errorf("%d probes", f.probes)
			}
		})
	}
}

// TestFailbackIsOneMove has the first server away for ten minutes.
func TestFailbackIsOneMove(t *testing.T) {
	c := newClock()
	f := &flapping{clock: c, pool: poolOf(c, policy.Failover, 1, 1), flaps: func(n int) bool { return n < 100 || n > 700 }}
	const miners = 50
	for range miners {
		m := &flappingMiner{}
		f.reach(m, 0)
		f.miners = append(f.miners, m)
	}
	for n := range 3600 {
		f.second(n + 1)
	}
	for _, m := range f.miners {
		if m.seat.endpoint != f.pool.endpoints[0] {
			t.Fatal("a miner did not come back")
		}
	}
	if f.legs > 3*miners+doubts {
		t.Errorf("%d miners began %d legs", miners, f.legs)
	}
}

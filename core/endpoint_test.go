package core

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/loka-proxy/loka/core/policy"
)

// TestRestsAreSpread holds the rest after a failure between its bounds.
func TestRestsAreSpread(t *testing.T) {
	for failures := range 40 {
		most := min(longestRest, shortestRest<<min(failures, 10))
		seen := map[time.Duration]bool{}
		for range 200 {
			rest := restAfter(failures)
			if rest < most/2 || rest > most {
				t.Fatalf("after %d failures it rests for %s", failures, rest)
			}
			seen[rest] = true
		}
		if len(seen) < 100 {
			t.Errorf("after %d failures there are %d rests", failures, len(seen))
		}
	}
}

// TestManyFailuresAtOnceAreOne has a thousand miners fail in the same moment.
func TestManyFailuresAtOnceAreOne(t *testing.T) {
	c := newClock()
	e := poolOf(c, policy.Failover, 1).endpoints[0]
	for range 1000 {
		e.down(errTest)
	}
	if rest := e.rest.Sub(c.now()); rest > shortestRest {
		t.Errorf("it rests for %s", rest)
	}
}

// TestDroppedLegs has an endpoint end some legs, and most of them.
func TestDroppedLegs(t *testing.T) {
	c := newClock()
	e := poolOf(c, policy.Failover, 1).endpoints[0]
	for range 10 {
		e.heard()
	}
	drop := func() {
		e.dropped(errTest)
		e.forget()
	}
	for range 9 {
		drop() // a miner that is sent away, and comes back
		if !e.usable() {
			t.Fatal("one miner took it down for all")
		}
		e.heard()
	}
	c.pass(time.Minute)
	for range 10 {
		drop()
	}
	if e.usable() {
		t.Error("it ended every leg, and is up")
	}
	c.pass(time.Minute)
	e.heard()
	for range 2 { // a lone miner, twice
		drop()
		e.heard()
	}
	if !e.usable() {
		t.Error("it is down after two legs")
	}
	drop()
	if e.usable() {
		t.Error("a lone miner may be dropped for ever")
	}
}

// TestUnansweredLegs has an endpoint leave miners without answers: all leave it once that
// is sure, if there is a better one.
func TestUnansweredLegs(t *testing.T) {
	c := newClock()
	p := poolOf(c, policy.LeastSessions, 1, 1)
	wellness(p)
	a, b := p.endpoints[0], p.endpoints[1]
	for range 10 {
		a.heard()
	}
	p.tick(c.now())
	a.unanswered(errTest)
	a.unanswered(errTest)
	p.tick(c.now())
	if p.better(a) || !a.usable() {
		t.Error("two miners took it down for all")
	}
	a.unanswered(errTest)
	p.tick(c.now())
	if !p.better(a) || p.better(b) {
		t.Error("its miners do not leave")
	}
	b.down(errTest)
	p.tick(c.now())
	if p.better(a) {
		t.Error("its miners leave for a server that is down")
	}
	a.heard()
	b.heard()
	p.tick(c.now())
	if p.better(a) {
		t.Error("it is up, and its miners leave")
	}
	b.unanswered(errTest)
	if b.usable() {
		t.Error("a lone miner waits for ever")
	}
}

// TestARefusedDialDoesNotMoveMiners: a server may be full, and serve those that it has.
func TestARefusedDialDoesNotMoveMiners(t *testing.T) {
	c := newClock()
	p := poolOf(c, policy.RoundRobin, 1, 1)
	wellness(p)
	a := p.endpoints[0]
	a.heard()
	for range doubts {
		a.fail(errTest)
	}
	p.tick(c.now())
	if a.usable() || p.better(a) {
		t.Error("it is up, or its miners leave")
	}
}

// TestCreditIsExact adds from many goroutines, and leaves out what is no difficulty.
func TestCreditIsExact(t *testing.T) {
	e := poolOf(newClock(), policy.Weighted, 1).endpoints[0]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				e.credit(0.5)
			}
		})
	}
	wg.Wait()
	for _, odd := range []float64{math.NaN(), -1, 0, math.Inf(-1)} {
		e.credit(odd)
	}
	if got := e.fresh.take(); got != 4000 {
		t.Errorf("the credit is %v", got)
	}
	e.credit(math.Inf(1))
	if got := e.fresh.take(); got != maxCredit {
		t.Errorf("the credit of an endless difficulty is %v", got)
	}
}

// TestCreditAllocatesNothing, nor does asking whether a session is to move.
func TestCreditAllocatesNothing(t *testing.T) {
	p := poolOf(newClock(), policy.Weighted, 1, 1)
	if n := testing.AllocsPerRun(100, func() { p.endpoints[0].credit(1024); p.better(p.endpoints[0]) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

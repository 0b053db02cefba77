package core

import (
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/loka-proxy/loka/core/meter"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/transport"
)

// clock is a time that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func (c *clock) options() Options {
	return Options{Log: hclog.NewNullLogger(), Meter: meter.New(), Now: c.now}
}

var errTest = errors.New("it failed in a test")

// poolOf gives a pool whose servers, named a, b and so on, have these weights.
func poolOf(c *clock, by policy.Strategy, weights ...int) *pool {
	return newPool(policyOf(by, weights...), nil, c.options())
}

func policyOf(by policy.Strategy, weights ...int) *policy.Pool {
	pp := &policy.Pool{
		Address: "pool.p", Strategy: by, FailbackAfter: time.Minute, DialTimeout: 5 * time.Second, ReplyTimeout: 5 * time.Second,
		Health: policy.Health{Interval: 10 * time.Second, Timeout: 5 * time.Second, Failures: 3},
	}
	for i, w := range weights {
		target := transport.Target{HostPort: net.JoinHostPort("127.0.0.1", strconv.Itoa(i+1))}
		pp.Servers = append(pp.Servers, &policy.Server{Name: string(rune('a' + i)), Weight: w, Target: target})
	}
	return pp
}

// names gives the servers that the next miners go to, one letter each.
func names(p *pool, n int) (list string) {
	for range n {
		list += p.choose(nil).endpoint.server.Name
	}
	return list
}

// wellness makes all endpoints of a pool up.
func wellness(p *pool) {
	for _, e := range p.endpoints {
		e.heard()
		e.forget()
	}
}

// TestOfSeveralServers has miners choose, while all is well and while the first is down.
func TestOfSeveralServers(t *testing.T) {
	for by, want := range map[policy.Strategy][2]string{
		policy.Failover:      {"aaaaaa", "bbbbbb"},
		policy.RoundRobin:    {"abcabc", "bcbcbc"},
		policy.LeastSessions: {"abcabc", "bcbcbc"},
		policy.Weighted:      {"abcabc", "bcbcbc"},
	} {
		c := newClock()
		p := poolOf(c, by, 1, 1, 1)
		if got := names(p, 6); got != want[0] {
			t.Errorf("%s: %s", by, got)
		}
		p = poolOf(c, by, 1, 1, 1)
		p.endpoints[0].down(errTest)
		if got := names(p, 6); got != want[1] {
			t.Errorf("%s while the first is down: %s", by, got)
		}
		c.pass(time.Hour) // its rest is over, but nobody knows that it is up
		if got := names(p, 2); got == "aa" {
			t.Errorf("%s goes to one that was down an hour ago: %s", by, got)
		}
	}
}

// TestTheLeastBadServerIsTried has all servers down, and those that failed a moment ago
// last.
func TestTheLeastBadServerIsTried(t *testing.T) {
	c := newClock()
	p := poolOf(c, policy.Failover, 1, 1, 1)
	p.endpoints[1].down(errTest)
	c.pass(time.Minute)
	p.endpoints[0].down(errTest)
	p.endpoints[2].down(errTest)
	var order string
	var tried []*endpoint
	for s := p.choose(nil); s != nil; s = p.choose(tried) {
		order += s.endpoint.server.Name
		tried = append(tried, s.endpoint)
		s.leave()
	}
	if order != "bac" {
		t.Errorf("they are tried in the order %s", order)
	}
	if p.up() {
		t.Error("the pool counts as up")
	}
	wellness(p)
	if !p.up() {
		t.Error("the pool counts as down")
	}
}

// TestLeastSessions goes where miners left.
func TestLeastSessions(t *testing.T) {
	p := poolOf(newClock(), policy.LeastSessions, 1, 1)
	var seats []*seat
	for range 100 {
		seats = append(seats, p.choose(nil))
	}
	for _, s := range seats {
		if s.endpoint == p.endpoints[1] {
			s.leave()
			s.leave() // counts once
		}
	}
	if got := names(p, 60); got[:50] != "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" || got[50:] != "ababababab" {
		t.Errorf("the next go to %s", got)
	}
}

// TestSeatsEndWithTheConnection dials a server that is there.
func TestSeatsEndWithTheConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := newClock()
	pp := policyOf(policy.Failover, 1, 1)
	pp.Servers[1].Target.HostPort = l.Addr().String()
	p := newPool(pp, nil, c.options())
	conn, e, err := p.dial(t.Context())
	if err != nil || e != p.endpoints[1] {
		t.Fatal(e, err)
	}
	legs := func() (list [2]int) {
		for i, s := range p.look(c.now()) {
			list[i] = s.load.legs
		}
		return list
	}
	if legs() != [2]int{0, 1} {
		t.Errorf("legs are %v", legs())
	}
	_ = conn.Close()
	_ = conn.Close()
	if legs() != [2]int{} {
		t.Errorf("legs are %v", legs())
	}
}

// TestReloadKeepsEndpoints has another policy for the same servers.
func TestReloadKeepsEndpoints(t *testing.T) {
	c := newClock()
	before := poolOf(c, policy.Weighted, 1, 1)
	before.endpoints[0].down(errTest)
	before.endpoints[1].aside.Store(true)
	s := before.endpoints[1].take()
	next := policyOf(policy.Weighted, 5, 7, 1)
	p := newPool(next, []*pool{before}, c.options())
	if p.endpoints[0] != before.endpoints[0] || p.endpoints[1] != before.endpoints[1] {
		t.Fatal("the endpoints are others")
	}
	sights := p.look(c.now())
	if sights[0].class != rests || !sights[1].aside || sights[1].load.legs != 1 || sights[1].weight != 7 {
		t.Errorf("they are %+v", sights)
	}
	s.leave()
	next.Servers[0].Target.HostPort = "127.0.0.1:9"
	if p := newPool(next, []*pool{before}, c.options()); p.endpoints[0] == before.endpoints[0] {
		t.Error("another server is taken for the same")
	}
}

// TestSetAside takes a server out of service.
func TestSetAside(t *testing.T) {
	p := poolOf(newClock(), policy.Failover, 1, 1)
	a, b := p.endpoints[0], p.endpoints[1]
	a.aside.Store(true)
	a.emptied.Store(true)
	if got := names(p, 3); got != "bbb" {
		t.Errorf("miners go to %s", got)
	}
	if !p.better(a) || p.better(b) {
		t.Error("its miners stay, or others leave")
	}
	b.down(errTest)
	if p.better(a) || p.up() {
		t.Error("its miners have nowhere to go")
	}
	b.aside.Store(true)
	if _, _, err := p.dial(t.Context()); err == nil || err.Error() != "no server of the pool is in service" {
		t.Error(err)
	}
	a.aside.Store(false)
	if got := names(p, 1); got != "a" {
		t.Errorf("back in service, miners go to %s", got)
	}
}

// TestAvoidedServersComeLast has miners leave a server that counts as well.
func TestAvoidedServersComeLast(t *testing.T) {
	l, heard := server(t, "")
	c := newClock()
	_, p := probing(t, c, policy.Failover, l, l)
	for _, want := range []*endpoint{p.endpoints[1], p.endpoints[0]} {
		conn, e, err := p.dial(t.Context(), p.endpoints[0])
		if err != nil || e != want {
			t.Fatal(e, err)
		}
		_ = conn.Close()
		<-heard
		p.endpoints[1].aside.Store(true) // there is no other
	}
}

// TestManyAtOnce has miners come, mine, be asked and leave while the pool is looked after,
// its policy changes and its servers go up and down.
func TestManyAtOnce(t *testing.T) {
	for _, by := range []policy.Strategy{policy.Failover, policy.RoundRobin, policy.Weighted, policy.LeastSessions} {
		c := newClock()
		first := poolOf(c, by, 3, 2, 1)
		var current atomic.Pointer[pool]
		current.Store(first)
		var wg sync.WaitGroup
		for n := range 8 {
			wg.Go(func() {
				for i := range 200 {
					p := current.Load()
					s := p.choose(nil)
					s.endpoint.heard()
					s.endpoint.credit(float64(n))
					p.better(s.endpoint)
					if i%20 == n {
						s.endpoint.dropped(errTest)
						s.endpoint.down(errTest)
					}
					s.endpoint.forget()
					s.leave()
				}
			})
		}
		for range 200 {
			c.pass(time.Second)
			p := current.Load()
			p.tick(c.now())
			for _, e := range p.due(c.now()) {
				e.probed()
			}
			current.Store(newPool(policyOf(by, 1, 2, 3), []*pool{p}, c.options()))
		}
		wg.Wait()
		for _, s := range first.look(c.now()) {
			if s.load.legs != 0 || s.endpoint.speaking != 0 {
				t.Errorf("%s: %+v", by, s.load)
			}
		}
	}
}

func BenchmarkBetter(b *testing.B) {
	p := poolOf(newClock(), policy.Failover, 1, 1)
	b.ReportAllocs()
	for b.Loop() {
		p.better(p.endpoints[1])
	}
}

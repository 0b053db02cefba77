package core

import (
	"bufio"
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/transport"
)

const wellAnswer = `{"id":1,"result":[[["mining.notify","s"]],"f0000001",4],"error":null}`

// server is a pool's server that a test plays: it says something to each connection, and
// tells all that it has heard when the other side has hung up.
func server(t *testing.T, says string) (l net.Listener, heard chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	heard = make(chan string, 100)
	served := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-served })
	go func() {
		defer close(served)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(nc)
			first, _ := r.ReadString('\n')
			_, _ = io.WriteString(nc, says)
			if says == "" {
				_ = nc.Close()
			}
			rest, _ := io.ReadAll(r)
			_ = nc.Close()
			heard <- first + string(rest)
		}
	}()
	return l, heard
}

// probing is a daemon whose one pool has the given servers, and a clock that the test sets.
// No goroutine watches: the test looks after the pools itself.
func probing(t *testing.T, c *clock, by policy.Strategy, servers ...net.Listener) (*Daemon, *pool) {
	t.Helper()
	pp := policyOf(by, make([]int, len(servers))...)
	for i, l := range servers {
		pp.Servers[i].Target = transport.Target{URL: "stratum+tcp://" + l.Addr().String(), HostPort: l.Addr().String()}
	}
	pp.MaxLineBytes = 4096
	d := New(&policy.Policy{Pools: []*policy.Pool{pp}}, c.options())
	t.Cleanup(func() { d.cancel(); d.watching.Wait() })
	return d, d.current.Load().pools["pool.p"]
}

// look looks after the pools and waits for the probes that came of it.
func look(d *Daemon, c *clock) {
	d.lookAfter(c.now())
	d.watching.Wait()
}

// TestProbeNeverAuthorizes: it subscribes, and leaves.
func TestProbeNeverAuthorizes(t *testing.T) {
	l, heard := server(t, `{"id":null,"method":"mining.set_difficulty","params":[8192]}`+"\n"+wellAnswer+"\n")
	c := newClock()
	d, p := probing(t, c, policy.Failover, l)
	p.endpoints[0].down(errTest)
	c.pass(time.Second)
	look(d, c)
	if got := <-heard; got != `{"id":1,"method":"mining.subscribe","params":["loka"]}`+"\n" {
		t.Errorf("the server hears %q", got)
	}
	if !p.up() {
		t.Error("a probe was answered, and the server is down")
	}
}

// TestWhatAProbeMakesOfAnswers plays servers that are not well.
func TestWhatAProbeMakesOfAnswers(t *testing.T) {
	for says, want := range map[string]string{
		"": "silent",
		`{"id":1,"result":null,"error":[20,"maintenance",null]}`:                      "denied",
		"HTTP/1.1 400 Bad Request\r\n\r\n":                                            "foreign",
		`{"id":1,"result":"` + strings.Repeat("x", 5000) + `"}`:                       "foreign",
		`{"id":7,"result":[],"error":null}` + "\n\n" + wellAnswer + "\n":              "ok",
		`{"id":1,"method":"mining.ping","params":[]}` + "\n" + wellAnswer + "\n":      "ok",
		`{"id":1,"result":true,"error":null}`:                                         "denied",
		wellAnswer + "\n" + `{"id":null,"method":"mining.notify","params":[]}` + "\n": "ok",
	} {
		l, _ := server(t, says+"\n"[:min(1, len(says))])
		c := newClock()
		_, p := probing(t, c, policy.Failover, l)
		if got := probeResult(p.endpoints[0].subscribe(t.Context(), p.policy)); got != want {
			t.Errorf("a server that says %.60q is %s, not %s", says, got, want)
		}
	}
}

// TestProbeIsBounded has a server that talks, and never answers.
func TestProbeIsBounded(t *testing.T) {
	l, _ := server(t, `{"id":null,"method":"mining.notify","params":[]}`+"\n")
	_, p := probing(t, newClock(), policy.Failover, l)
	p.policy.Health.Timeout = 100 * time.Millisecond
	if got := probeResult(p.endpoints[0].subscribe(t.Context(), p.policy)); got != "silent" {
		t.Errorf("it is %s", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.endpoints[0].probe(ctx, p.policy)
	if p.endpoints[0].missed > 0 {
		t.Error("a probe that was given up counts")
	}
}

// probedOver gives how many probes are due in some seconds, all of which fail or succeed.
func probedOver(c *clock, p *pool, seconds int, err error) (list []int) {
	list = make([]int, len(p.endpoints))
	for range seconds {
		c.pass(time.Second)
		p.tick(c.now())
		for _, e := range p.due(c.now()) {
			for i := range p.endpoints {
				if p.endpoints[i] == e {
					list[i]++
				}
			}
			if err != nil {
				e.miss(err, p.policy.Health.Failures)
			} else {
				e.mu.Lock()
				e.comeUp()
				e.mu.Unlock()
			}
			e.probed()
		}
	}
	return list
}

// TestProbesOnlyWhereNobodyCanTell counts probes of servers that are in use, that stand
// by, that nobody needs, and that are down.
func TestProbesOnlyWhereNobodyCanTell(t *testing.T) {
	c := newClock()
	p := poolOf(c, policy.Failover, 1, 1)
	if got := probedOver(c, p, 600, nil); got[0]+got[1] > 0 {
		t.Errorf("%v probes of a pool without miners", got)
	}
	s := p.choose(nil)
	s.endpoint.heard()
	if got := probedOver(c, p, 600, nil); got[0] > 0 || got[1] < 50 || got[1] > 60 {
		t.Errorf("%v probes while miners are at the first", got)
	}
	s.endpoint.forget()
	s.leave()
	p.endpoints[0].down(errTest)
	if got := probedOver(c, p, 600, errTest); got[0] < 600/32 || got[0] > 600/14 || got[1] > 0 {
		t.Errorf("%v probes while the first is down", got)
	}
	if got := probedOver(c, p, 600, nil); got[0] < 5 || got[0] > 9 || got[1] > 0 {
		t.Errorf("%v probes until the first has settled", got)
	}
	for _, by := range []policy.Strategy{policy.RoundRobin, policy.LeastSessions} {
		p := poolOf(c, by, 1, 1)
		p.choose(nil)
		if got := probedOver(c, p, 600, nil); got[0]+got[1] > 0 {
			t.Errorf("%v probes with %s, where miners come to all", got, by)
		}
	}
}

// TestFailedProbes take down a server that was well when there are enough of them in a row,
// and one that was down not long ago at once.
func TestFailedProbes(t *testing.T) {
	e := poolOf(newClock(), policy.Failover, 1).endpoints[0]
	e.heard()
	e.forget()
	e.miss(errTest, 3)
	e.miss(errTest, 3)
	e.heard()
	e.forget()
	e.miss(errTest, 3)
	e.miss(errTest, 3)
	if !e.usable() {
		t.Error("it is down after two failures in a row")
	}
	e.miss(errTest, 3)
	if e.usable() {
		t.Error("it is up after three failures in a row")
	}
	e.heard()
	e.forget()
	e.miss(errTest, 3)
	if e.usable() {
		t.Error("it had yet to settle, and a failed probe is nothing")
	}
}

// TestProbesAtOnce has more servers down than may be probed at once: the others come next.
func TestProbesAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and nobody answers yet
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := newClock()
	const servers = 3 * maxProbes
	d, p := probing(t, c, policy.RoundRobin, slices.Repeat([]net.Listener{l}, servers)...)
	for _, e := range p.endpoints {
		e.down(errTest)
	}
	c.pass(time.Minute)
	d.lookAfter(c.now())
	d.lookAfter(c.now())
	if n := len(d.probes); n != maxProbes {
		t.Errorf("%d probes are under way", n)
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		for range servers {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(nc, wellAnswer+"\n")
			_, _ = io.ReadAll(nc) // until the probe has left
			_ = nc.Close()
		}
	}()
	for range servers / maxProbes {
		look(d, c)
	}
	look(d, c)
	_ = l.Close()
	<-answered
	for _, e := range p.endpoints {
		if !e.usable() {
			t.Error("a server was forgotten")
		}
	}
}

// TestSoughtServersAreProbed has miners without a pool look for one: its servers do not rest.
func TestSoughtServersAreProbed(t *testing.T) {
	c := newClock()
	p := poolOf(c, policy.Failover, 1)
	e := p.endpoints[0]
	for range 10 { // until it rests for half a minute
		e.down(errTest)
		c.pass(time.Minute)
	}
	e.down(errTest)
	if len(p.due(c.now())) > 0 {
		t.Error("it is probed while it rests")
	}
	p.sought.Store(true)
	if len(p.due(c.now())) == 0 {
		t.Error("it is not probed though miners wait for it")
	}
	e.probed()
	if len(p.due(c.now())) > 0 {
		t.Error("it is probed once more though nobody has asked")
	}
}

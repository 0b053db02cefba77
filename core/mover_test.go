package core

import (
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/transport"
)

// pageOf is a policy with more settings of its one proxy.
func pageOf(t *testing.T, settings string) *policy.Policy {
	t.Helper()
	file := filepath.Join(t.TempDir(), "loka.hcl")
	text := `
pool "p" {
  server "a" { address = "stratum+tcp://127.0.0.1:1" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = "127.0.0.1:0" }
  ` + settings + `
}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, diags := policy.Load(file, policy.Options{})
	if diags.HasErrors() {
		t.Fatal(diags.Errors())
	}
	return p
}

func daemonOf(t *testing.T, settings string) (*Daemon, *mover, *clock) {
	t.Helper()
	c := newClock()
	d := New(pageOf(t, settings), c.options())
	t.Cleanup(d.cancel)
	return d, d.current.Load().proxies[0].mover, c
}

// TestReloadsAmongMoves puts policies in force while moves begin and end: neither may wait
// for what the other holds.
func TestReloadsAmongMoves(t *testing.T) {
	d, m, _ := daemonOf(t, "")
	p := pageOf(t, "")
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				m.vacant()
				m.done()
			}
		}
	}()
	applied := make(chan error)
	go func() {
		defer close(applied)
		for range 1000 {
			if err := d.Apply(t.Context(), p); err != nil {
				applied <- err
				return
			}
		}
	}()
	select {
	case err := <-applied:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a reload and a move wait for each other")
	}
	close(stop)
	<-done
}

// TestDescriptorsComeFree has a mover wait for descriptors that nothing of its own proxy
// gives free.
func TestDescriptorsComeFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, m, c := daemonOf(t, "")
		d.extra.Store(math.MaxInt32)
		begins := make(chan bool)
		go func() { begins <- m.vacant() }()
		synctest.Wait()
		d.extra.Store(0) // the late legs of another proxy have ended
		m.look(c.now())
		if !<-begins {
			t.Error("no move begins")
		}
	})
}

// TestLimitsOfWhatIsInForce holds the limits of a policy that is refused, and of one that is
// tried, against those of the policy in force.
func TestLimitsOfWhatIsInForce(t *testing.T) {
	d, m, _ := daemonOf(t, "max_moves_per_second = 7\n  max_concurrent_moves = 8")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	refused := pageOf(t, "max_moves_per_second = 500\n  max_concurrent_moves = 600\n  listener \"tcp\" { address = \""+taken.Addr().String()+"\" }")
	if err := d.Apply(t.Context(), refused); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Fatalf("it is not refused: %v", err)
	}
	tried := pageOf(t, "max_moves_per_second = 500\n  max_concurrent_moves = 600")
	tried.Rollout = &policy.Rollout{Percent: 50, For: time.Hour}
	if err := d.Try(tried); err != nil {
		t.Fatal(err)
	}
	if m.limit.Limit() != 7 || m.most != 8 {
		t.Errorf("%v moves begin in a second, and %d are under way at once", m.limit.Limit(), m.most)
	}
	if err := d.Apply(t.Context(), tried); err != nil {
		t.Fatal(err)
	}
	if m.limit.Limit() != rate.Limit(500) || m.most != 600 {
		t.Errorf("%v moves begin in a second, and %d are under way at once", m.limit.Limit(), m.most)
	}
}

// TestCampaignWithoutMoves begins with a miner that loses its pool and is not moved yet.
func TestCampaignWithoutMoves(t *testing.T) {
	_, m, c := daemonOf(t, "")
	m.last = c.now()
	c.pass(time.Hour)
	m.campaign()
	m.look(c.now())
	if got := m.reports(); len(got) != 1 || got[0].Ended != nil {
		t.Errorf("it is over at once: %+v", got)
	}
	c.pass(calm)
	m.look(c.now())
	if got := m.reports(); len(got) != 1 || got[0].Ended == nil || got[0].Ended.Before(got[0].Began) {
		t.Errorf("it ends before it began: %+v", got)
	}
}

// TestTriedServersAreKept has what is known of the servers of a policy that was tried last
// when it comes into force for all: miners are there.
func TestTriedServersAreKept(t *testing.T) {
	d, _, _ := daemonOf(t, "")
	tried := pageOf(t, "")
	tried.Pools[0].Servers[0].Target.HostPort = "127.0.0.1:2"
	tried.Rollout = &policy.Rollout{Percent: 50, For: time.Hour}
	if err := d.Try(tried); err != nil {
		t.Fatal(err)
	}
	there := d.trial.Load().generation.pools["pool.p"].endpoints[0]
	if err := d.Apply(t.Context(), tried); err != nil {
		t.Fatal(err)
	}
	if d.current.Load().pools["pool.p"].endpoints[0] != there {
		t.Error("nothing is known of the server")
	}
}

// TestLookPanics has the watch stumble over one session, which ends alone.
func TestLookPanics(t *testing.T) {
	d, _, c := daemonOf(t, "")
	near, far := net.Pipe()
	defer far.Close()
	s := &session{d: d, opened: true, miner: transport.NewConn(near, transport.Options{})}
	s.under.Store(d.current.Load().proxies[0])
	s.leg = &leg{conn: s.miner} // without a conversation
	s.look(c.now())
	if s.closed != closePanic {
		t.Errorf("it is closed for %q", s.closed)
	}
}

// TestJudgedWhileItGetsItsPool has a session judged again, by a reload or an order, while it
// gets its first leg. It is for the race detector.
func TestJudgedWhileItGetsItsPool(t *testing.T) {
	d, _, c := daemonOf(t, "")
	near, far := net.Pipe()
	defer far.Close()
	s := newSession(d, d.fronts[0], d.fronts[0].at.Load(), transport.NewConn(near, transport.Options{}))
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				s.talk.Place("pool.p", c.now())
			}
		}
	}()
	for range 1000 {
		s.install(new(leg))
	}
	close(stop)
	<-done
	if l := s.inUse(); l == nil || l.talk.Owner != l {
		t.Error("it has no leg of its own")
	}
}

// TestUrgentMovesNeedNoSpareDescriptor has another proxy hold all descriptors that are to
// spare: a session that has lost its pool has the one of that.
func TestUrgentMovesNeedNoSpareDescriptor(t *testing.T) {
	d, m, _ := daemonOf(t, "")
	d.extra.Store(math.MaxInt32)
	m.urgent = append(m.urgent, nil)
	began := make(chan bool, 1)
	go func() { began <- m.vacant() }()
	select {
	case <-began:
	case <-time.After(10 * time.Second):
		t.Error("a miner without a pool waits for a descriptor")
	}
}

// TestSentOnAtOnce has the new server send a miner on before the move that brought it there
// is over: that is not forgotten.
func TestSentOnAtOnce(t *testing.T) {
	d, _, c := daemonOf(t, "")
	near, far := net.Pipe()
	defer far.Close()
	s := newSession(d, d.fronts[0], d.fronts[0].at.Load(), transport.NewConn(near, transport.Options{}))
	l := &leg{pool: s.pool, endpoint: s.pool.endpoints[0]}
	s.opened, s.move.state, s.move.sentOn = true, underway, true
	s.turned(l, c.now())
	if s.move.sentOn {
		t.Error("it would leave the server that it was to go to")
	}
	s.move.sentOn = true
	s.endMove(s.pool, nil)
	if !s.move.sentOn {
		t.Error("it is forgotten")
	}
}

// TestStatusWaitsForNobody asks how a rollout does while a policy is being put in force,
// which may have to wait for the name of a listener.
func TestStatusWaitsForNobody(t *testing.T) {
	d, _, _ := daemonOf(t, "")
	p := pageOf(t, "")
	p.Rollout = &policy.Rollout{Percent: 50, For: time.Hour}
	if err := d.Try(p); err != nil {
		t.Fatal(err)
	}
	d.applying.Lock()
	defer d.applying.Unlock()
	told := make(chan *Rollout, 1)
	go func() { told <- d.Rollout() }()
	select {
	case r := <-told:
		if r == nil || r.Percent != 50 {
			t.Errorf("it is %+v", r)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits")
	}
}

package core_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loka-proxy/loka/cmd/loka-lab/miner"
	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
	"github.com/loka-proxy/loka/core"
)

// twoPools is a policy whose miners belong to pool.p, beside which there is pool.q.
func twoPools(p, q net.Listener, x string) string {
	return under(p, anyPort+"reconnect_grace = \"50ms\"\n"+x, `pool "q" {
  server "a" { address = "stratum+tcp://`+q.Addr().String()+`" }
}`)
}

// twoServers is a policy of one pool with the servers a and b.
func twoServers(a, b net.Listener) string {
	server := "  server \"b\" { address = \"stratum+tcp://" + b.Addr().String() + "\" }\n}\nproxy"
	return strings.Replace(under(a, anyPort+"reconnect_grace = \"50ms\"\n"), "}\nproxy", server, 1)
}

// wantObjection fails unless an order was not followed for a reason.
func wantObjection(t *testing.T, err error, unknown bool, words string) {
	t.Helper()
	var o *core.Objection
	if !errors.As(err, &o) || o.Unknown != unknown || !strings.Contains(o.Reason, words) {
		t.Errorf("%v is not %q", err, words)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at has the next miners come to a pool.
func (s *stage) at(l net.Listener) *stage { s.pool = l; return s }

// TestSwitchPool switches a pool to another one and back. The switch holds across a
// policy that has both pools, and ends with one that does not.
func TestSwitchPool(t *testing.T) {
	p, q := listen(t), listen(t)
	s := performPolicy(t, twoPools(p, q, "")).at(p)
	first, _ := s.pair()
	ok(t, s.daemon.SwitchPool("pool.p", "pool.q"))
	first.want(reconnect)
	first.wantClosed()
	s.wantCount(1, "loka_sessions_closed_total", "reason", "moved")
	second, _ := s.at(q).pair()

	s.apply(twoPools(p, q, "\n  notification \"client.show_message\" \"quiet\" {\n    drop {}\n  }"))
	third, _ := s.pair()
	if got := s.daemon.Pools(); got[0].SwitchedTo != "pool.q" || got[0].Sessions != 0 || got[1].Sessions != 2 {
		t.Errorf("the pools are %+v", got)
	}
	ok(t, s.daemon.SwitchPool("pool.p", "pool.p"))
	second.want(reconnect)
	second.wantClosed()
	third.want(reconnect)
	third.wantClosed()
	fourth, _ := s.at(p).pair()

	ok(t, s.daemon.SwitchPool("pool.p", "pool.q"))
	fourth.want(reconnect)
	fourth.wantClosed()
	s.at(q).pair()
	s.apply(under(p, anyPort))
	s.apply(twoPools(p, q, ""))
	s.at(p).pair()
	if got := s.daemon.Switches(); len(got) > 0 {
		t.Errorf("switched are %v", got)
	}
	s.conserved()
}

// TestSwitchPoolObjections gives orders that make no sense.
func TestSwitchPoolObjections(t *testing.T) {
	p, q := listen(t), listen(t)
	s := performPolicy(t, twoPools(p, q, "")+`
pool "r" {
  server "a" { address = "stratum+tcp://`+q.Addr().String()+`" }
}`)
	ok(t, s.daemon.SwitchPool("pool.p", "pool.q"))
	ok(t, s.daemon.SwitchPool("pool.q", "pool.r"))
	wantObjection(t, s.daemon.SwitchPool("pool.r", "pool.p"), false, "round in a circle")
	wantObjection(t, s.daemon.SwitchPool("pool.p", "pool.x"), true, `the policy in force has no pool "pool.x"`)
	wantObjection(t, s.daemon.SwitchPool("pool.x", "pool.p"), true, `no pool "pool.x"`)
	want := map[string]string{"pool.p": "pool.q", "pool.q": "pool.r"}
	if diff := cmp.Diff(s.daemon.Switches(), want); diff != "" {
		t.Error(diff)
	}
	ok(t, s.daemon.DisablePool("pool.p", ""))
	wantObjection(t, s.daemon.SwitchPool("pool.p", "pool.p"), false, "pool.p has no server in service")
	ok(t, s.daemon.EnablePool("pool.p", "a"))
	ok(t, s.daemon.SwitchPool("pool.p", "pool.p"))
}

// TestSwitchPoolOfARoute switches the pool that a rule routes to at subscribe, when the
// miner has said something before.
func TestSwitchPoolOfARoute(t *testing.T) {
	s, _ := routed(t, routeByAgent)
	ok(t, s.daemon.SwitchPool("pool.second", "pool.first"))
	miner := s.miner()
	miner.send(configure)
	first := s.accept()
	first.want(configure)
	miner.send(bitaxe)
	first.want(bitaxe)
}

// TestDrainAndDisable takes the servers of a pool out of service, one after the other.
func TestDrainAndDisable(t *testing.T) {
	a, b := listen(t), listen(t)
	s := performPolicy(t, twoServers(a, b)).at(a)
	first, atA := s.pair()
	ok(t, s.daemon.DrainPool("pool.p", "a"))
	s.at(b).pair()
	first.send(submit) // who is there may stay
	atA.want(submit)
	wantObjection(t, s.daemon.DrainPool("pool.p", "b"), false, "pool.p would have no server in service")
	wantObjection(t, s.daemon.DrainPool("pool.p", ""), false, "pool.p would have no server in service")
	wantObjection(t, s.daemon.DisablePool("pool.p", "c"), true, `pool.p has no server "c"`)
	wantObjection(t, s.daemon.EnablePool("pool.x", ""), true, `no pool "pool.x"`)

	s.apply("drain_timeout = \"1m\"\n" + twoServers(a, b)) // what was said holds
	ok(t, s.daemon.DisablePool("pool.p", "a"))
	services := func(want ...string) {
		t.Helper()
		var got []string
		for _, e := range s.daemon.Pools()[0].Endpoints {
			got = append(got, fmt.Sprint(e.Endpoint, " ", e.State, " ", e.Service, " ", e.Sessions))
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Error(diff)
		}
	}
	services("a up disabled 1", "b up enabled 1")
	first.want(reconnect)
	atA.send(accepted)
	first.want(accepted)
	first.wantClosed()
	s.wantCount(1, "loka_sessions_closed_total", "reason", "moved")
	s.wantCount(0, "loka_shares_lost_total")
	s.wantCount(1, "loka_sessions")
	services("a up disabled 0", "b up enabled 1")
	s.pair()
	ok(t, s.daemon.EnablePool("pool.p", "a"))
	s.at(a).pair()
}

// TestNobodyIsStranded removes the only server of a pool that is in service by a policy:
// those that an operator set aside serve again.
func TestNobodyIsStranded(t *testing.T) {
	a, b := listen(t), listen(t)
	s := performPolicy(t, twoServers(a, b)).at(b)
	ok(t, s.daemon.DisablePool("pool.p", "a"))
	s.pair()
	s.apply(under(a, anyPort))
	s.at(a).pair()
	if log := s.log.String(); !strings.Contains(log, "the servers that an operator set aside serve again") {
		t.Error("nobody is told")
	}
}

// TestMoveSession moves a session that has not said anything yet, which goes to the pool
// at once, and one that mines.
func TestMoveSession(t *testing.T) {
	p, q := listen(t), listen(t)
	s := performPolicy(t, twoPools(p, q, "")).at(q)
	early := s.miner()
	s.wantCount(1, "loka_sessions")
	id := s.only().Session
	ok(t, s.daemon.MoveSession(id, "pool.q"))
	early.send(subscribe)
	pool := s.accept()
	pool.want(subscribe)
	pool.send(subscribed)
	early.want(subscribed)
	if got := s.only(); got.Chosen != "pool.q" || got.Pool != "pool.q" || got.State != "open" {
		t.Errorf("it is %+v", got)
	}
	s.apply(twoPools(p, q, "\n  notification \"client.show_message\" \"quiet\" {\n    drop {}\n  }"))
	early.send(submit) // the choice outranks the policy
	pool.want(submit)
	s.wantCount(1, "loka_shares_submitted_total", "pool", "pool.q")

	wantObjection(t, s.daemon.MoveSession(id, "pool.x"), true, "no pool")
	wantObjection(t, s.daemon.MoveSession("nobody", "pool.p"), true, "there is no session nobody")
	ok(t, s.daemon.SwitchPool("pool.p", "pool.q"))
	wantObjection(t, s.daemon.MoveSession(id, "pool.p"), false, "pool.p is switched to pool.q")
	ok(t, s.daemon.SwitchPool("pool.p", "pool.p"))
	ok(t, s.daemon.MoveSession(id, "pool.p"))
	if got := s.only(); got.Reason != "moved" {
		t.Errorf("it is %+v", got)
	}
	early.want(reconnect)
	pool.send(accepted)
	early.want(accepted)
	early.wantClosed()
	s.wantCount(1, "loka_sessions_closed_total", "reason", "moved")
	s.conserved()
}

// TestMovedUntilThePoolIsGone takes the pool away that an operator chose for a session.
func TestMovedUntilThePoolIsGone(t *testing.T) {
	p, q := listen(t), listen(t)
	s := performPolicy(t, twoPools(p, q, "")).at(p)
	miner := s.miner()
	s.wantCount(1, "loka_sessions")
	ok(t, s.daemon.MoveSession(s.only().Session, "pool.q"))
	s.apply(under(p, anyPort))
	s.apply(twoPools(p, q, ""))
	miner.send(subscribe)
	s.accept().want(subscribe)
}

// only gives the one session that there is.
func (s *stage) only() core.SessionInfo {
	s.t.Helper()
	list, more := s.daemon.Sessions(core.SessionFilter{})
	if len(list) != 1 || more {
		s.t.Fatalf("there are %+v", list)
	}
	return list[0]
}

// TestCloseSession closes a session, which gets the answer that it waits for first.
func TestCloseSession(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	miner.send(submit)
	pool.want(submit)
	id := s.only().Session
	ok(t, s.daemon.CloseSession(id))
	ok(t, s.daemon.CloseSession(id))
	if got := s.only(); got.State != "leaving" || got.Reason != "operator" {
		t.Errorf("it is %+v", got)
	}
	wantObjection(t, s.daemon.MoveSession(id, "pool.p"), false, "leaving already")
	pool.send(accepted)
	miner.want(accepted)
	miner.wantClosed()
	s.wantCount(1, "loka_sessions_closed_total", "reason", "operator")
	s.wantCount(0, "loka_sessions")
	wantObjection(t, s.daemon.CloseSession(id), true, "there is no session "+id)
}

// TestSessions asks for sessions by everything that they can be asked for by.
func TestSessions(t *testing.T) {
	s := perform(t, `
  request "mining.authorize" "map" {
    set { user = "'W.' + replace(user, '.', '_')" }
  }`)
	began := time.Now()
	for _, name := range []string{"john.test", "mary"} {
		miner, pool := s.pair()
		miner.send(`{"id":2,"method":"mining.authorize","params":["` + name + `","hunter2"]}`)
		pool.line()
		pool.send(authorized)
		miner.want(authorized)
	}
	john, _ := s.daemon.Sessions(core.SessionFilter{User: "john"})
	if len(john) != 1 {
		t.Fatalf("they are %+v", john)
	}
	got := john[0]
	if got.Since.Before(began) || got.Since.After(time.Now()) || !strings.HasPrefix(got.Remote, "127.0.0.1:") {
		t.Errorf("it is %+v", got)
	}
	want := core.SessionInfo{
		Session: got.Session, Proxy: "proxy.x", Listener: "127.0.0.1:0", Remote: got.Remote, Since: got.Since, Agent: "cpuminer/2.5.1",
		Users: []core.UserInfo{{User: "john.test", PoolUser: "W.john_test"}}, Pool: "pool.p", Endpoint: "a", State: "open",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
	if one, err := s.daemon.Session(got.Session); err != nil || !cmp.Equal(one, want) {
		t.Errorf("alone it is %+v, %v", one, err)
	}
	for _, test := range []struct {
		filter core.SessionFilter
		want   int
		more   bool
	}{
		{core.SessionFilter{Proxy: "proxy.x"}, 2, false},
		{core.SessionFilter{Proxy: "proxy.y"}, 0, false},
		{core.SessionFilter{Pool: "pool.p"}, 2, false},
		{core.SessionFilter{Pool: "pool.q"}, 0, false},
		{core.SessionFilter{User: "W.mary"}, 1, false},
		{core.SessionFilter{User: "W"}, 2, false},
		{core.SessionFilter{User: "jo"}, 0, false},
		{core.SessionFilter{Limit: 1}, 1, true},
		{core.SessionFilter{Limit: 2}, 2, false},
	} {
		if list, more := s.daemon.Sessions(test.filter); len(list) != test.want || more != test.more {
			t.Errorf("%+v gives %d and %v", test.filter, len(list), more)
		}
	}
	first, _ := s.daemon.Sessions(core.SessionFilter{Limit: 1})
	rest, more := s.daemon.Sessions(core.SessionFilter{Limit: 1, After: first[0].Session})
	if more || len(rest) != 1 || rest[0].Session <= first[0].Session {
		t.Errorf("after %s come %+v, %v", first[0].Session, rest, more)
	}
}

// TestSwitchUnderLoad switches pools to and fro while miners mine, and looks on. Every
// share is accounted for.
func TestSwitchUnderLoad(t *testing.T) {
	const miners, switches = 20, 20
	config := pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, Branches: 3, ShortNonce: true}
	_, p := labPool(t, config)
	atQ, q := labPool(t, config)
	s := performPolicy(t, twoPools(p, q, ""))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for i := range miners {
		m := miner.New(miner.Config{Address: s.addr(0), User: fmt.Sprint("rig", i), Kind: miner.Kinds[i%len(miner.Kinds)], Interval: time.Millisecond})
		wg.Go(func() { _ = m.Run(ctx) })
	}
	s.wantCount(miners, "loka_sessions")
	for i := range switches {
		ok(t, s.daemon.SwitchPool("pool.p", []string{"pool.q", "pool.p"}[i%2]))
		list, _ := s.daemon.Sessions(core.SessionFilter{})
		for _, one := range list[:min(3, len(list))] {
			_ = s.daemon.CloseSession(one.Session) // it may have gone
		}
	}
	ok(t, s.daemon.SwitchPool("pool.p", "pool.q"))
	ok(t, atQ.Wait(ctx, func(st pool.Stats) bool { return st.Accepted > miners }))
	cancel()
	wg.Wait()
	s.wantCount(0, "loka_sessions")
	s.conserved()
}

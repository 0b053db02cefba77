package core_test

import (
	"net"
	"testing"
	"time"
)

const hold = "on_all_down = \"hold\"\n"

// again listens where a listener that was closed did.
func again(t *testing.T, l net.Listener) net.Listener {
	t.Helper()
	back, err := net.Listen("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = back.Close() })
	return back
}

// TestHold keeps a miner while no server is up: it gets an answer to what can be answered,
// and what it knows so that it does not leave. The next pool answers the rest.
func TestHold(t *testing.T) {
	for name, settings := range map[string]string{"pool": hold, "stable": hold + stable} {
		t.Run(name, func(t *testing.T) {
			l := listen(t)
			s := performPolicy(t, under(l, anyPort+settings))
			s.pool = l
			miner, a := s.hire(able)
			a.send(difficulty("1024.0"))
			miner.want(difficulty("1024.0"))
			miner.send(share(4, "1", "000000"+map[string]string{"pool": "00"}[name]))
			a.hears("mining.submit")
			_ = l.Close()
			a.reset()
			miner.want(`{"id":4,"result":null,"error":[21,"Job not found",null]}`)
			s.wantCount(0, "loka_endpoint_up")
			miner.send(share(5, "1", "00000000"), `{"id":"m","method":"mining.authorize","params":["mary","x"]}`, `{"id":6,"method":"mining.extranonce.subscribe","params":[]}`,
				`{"id":7,"method":"mining.suggest_difficulty","params":[4]}`, `{"id":8,"method":"mining.foo"}`)
			miner.want(`{"id":5,"result":null,"error":[21,"Job not found",null]}`, `{"id":6,"result":true,"error":null}`, `{"id":8,"result":null,"error":[20,"No pool at the moment",null]}`)
			for range 2 {
				s.pass(46 * time.Second)
				miner.want(difficulty("1024.0"))
			}
			s.pool = again(t, l)
			b := s.worker()
			b.admit("1fffe000", "aa01", "4")
			b.answers(b.hears("mary"), good)
			b.send(difficulty("8"), job("5", true))
			miner.want(`{"id":"m","result":true,"error":null}`)
			if name == "pool" {
				miner.hears("mining.set_extranonce")
			}
			miner.want(difficulty("8"))
			miner.hears("mining.notify")
			s.wantCount(1, "loka_sessions")
			s.wantCount(1, "loka_shares_lost_total")
			s.wantCount(1, "loka_shares_denied_total")
			s.conserved()
		})
	}
}

// worker takes the connection of a miner, and not that of a probe.
func (s *stage) worker() *wire {
	s.t.Helper()
	const probe = `{"id":1,"method":"mining.subscribe","params":["loka"]}`
	for {
		w := s.accept()
		if first, err := w.r.Peek(len(probe)); err != nil || string(first) != probe {
			return w
		}
		w.send(subscribed)
	}
}

// TestDrainWhileHeld ends a miner that has no pool.
func TestDrainWhileHeld(t *testing.T) {
	l := listen(t)
	s := performPolicy(t, under(l, anyPort+hold+stable))
	s.pool = l
	miner, a := s.hire(able)
	_ = l.Close()
	a.reset()
	s.wantCount(0, "loka_endpoint_up")
	s.daemon.Drain(t.Context())
	miner.wantClosed()
}

// TestRouteWhileHeld has a rule send a miner elsewhere while its pool is down.
func TestRouteWhileHeld(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+hold+stable+`
  connect "elsewhere" {
    when = "not upstream.up"
    route { pool = pool.q }
  }`, `pool "q" {
  server "a" { address = "stratum+tcp://`+other.Addr().String()+`" }
}`))
	s.pool = l
	miner, a := s.hire(able)
	_ = l.Close()
	a.reset()
	b := s.at(other).worker()
	b.admit("1fffe000", "aa01", "4")
	b.send(difficulty("8"), job("5", true))
	miner.want(difficulty("8"))
	miner.hears("mining.notify")
	s.wantCount(1, "loka_sessions")
}

package core_test

import (
	"testing"
	"time"
)

// awaitCount waits until a counter is at least so much.
func (s *stage) awaitCount(least float64, family string, labels ...string) {
	s.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for until := time.Now().Add(time.Minute); s.count(family, labels...) < least; <-tick.C {
		if time.Now().After(until) {
			s.t.Fatalf("%s%v is %v, and not yet %v", family, labels, s.count(family, labels...), least)
		}
	}
}

// refusals adds up the shares that the miners were told are stale.
func (h *herd) refusals() (n int) {
	for _, m := range h.miners {
		n += m.Stats().Rejected[21]
	}
	return n
}

// TestAllServersDownHolds takes away both servers for some seconds: miners keep their
// connection, are told that shares are stale, and mine soon after one is back.
func TestAllServersDownHolds(t *testing.T) {
	eachWay(t, func(t *testing.T, way string) {
		o := breakable(t, way, "", `on_all_down = "hold"`)
		o.a.down()
		o.b.down()
		o.awaitCount(4, "loka_probes_total", "result", "refused")
		o.wantCount(outageMiners, "loka_sessions")
		if n := o.herd.refusals(); n < outageMiners {
			t.Errorf("%d shares were refused while there was no pool", n)
		}
		o.b.up()
		took := o.everyoneMines(o.atB, 1, 2*time.Second+turn+patient)
		t.Logf("everyone mines at b %s after it is back", took)
		o.wantCount(outageMiners, "loka_sessions_opened_total")
		o.accounted()
	})
}

// TestServersGoAgainAndAgainHolds takes them away again as soon as everyone mines. That is
// the servers' fault, and no miner is closed for it.
func TestServersGoAgainAndAgainHolds(t *testing.T) {
	eachWay(t, func(t *testing.T, way string) {
		o := breakable(t, way, "", `on_all_down = "hold"`)
		o.b.down()
		for range 6 {
			o.a.down()
			o.wantCount(0, "loka_endpoint_up")
			o.a.up()
			o.everyoneMines(o.atA, 1, 10*time.Second)
		}
		o.wantCount(outageMiners, "loka_sessions_opened_total")
		o.accounted()
	})
}

// TestAllServersDownCloses does so where miners are not held: they are closed, and mine
// again when they come back and find a server.
func TestAllServersDownCloses(t *testing.T) {
	eachWay(t, func(t *testing.T, way string) {
		o := breakable(t, way, "", "")
		o.a.down()
		o.b.down()
		o.awaitCount(2*outageMiners, "loka_sessions_closed_total", "reason", "no_pool")
		o.a.up()
		o.everyoneMines(o.atA, 1, 10*time.Second)
		if dials := o.count("loka_dials_total"); dials > 15*outageMiners {
			t.Errorf("%v dials", dials)
		}
		o.herd.leave()
		o.wantCount(0, "loka_sessions")
		o.conserved()
		for _, m := range o.herd.miners {
			if st := m.Stats(); st.Unexpected > 0 {
				t.Errorf("a miner says %+v", st)
			}
		}
	})
}

package core_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/miner"
	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
)

// herd is miners of the bench that mine until the test ends.
type herd struct {
	miners []*miner.Miner
	stop   func() // at once
	done   sync.WaitGroup
}

// leave has all miners get their answers and go.
func (h *herd) leave() {
	for _, m := range h.miners {
		m.Leave()
	}
	h.done.Wait()
}

// mine sets miners of some kinds to work, each on its own; of all kinds where none is given.
func mine(t *testing.T, n int, config miner.Config, kinds ...miner.Kind) *herd {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	h := &herd{}
	if len(kinds) == 0 {
		kinds = miner.Kinds
	}
	for i := range n {
		c := config
		c.User, c.Kind = fmt.Sprintf("rig-%d", i), kinds[i%len(kinds)]
		m := miner.New(c)
		h.miners = append(h.miners, m)
		h.done.Go(func() { _ = m.Run(ctx) })
	}
	h.stop = func() { cancel(); h.done.Wait() }
	t.Cleanup(h.stop)
	return h
}

// wait waits until a pool has counted something.
func wait(t *testing.T, p *pool.Pool, ok func(pool.Stats) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := p.Wait(ctx, ok); err != nil {
		t.Fatal(err)
	}
}

// swapped gives a policy whose only pool is one of two, under one name.
func swapped(to net.Listener, settings string) string {
	return under(to, anyPort+"max_moves_per_second = 1000\n"+settings)
}

// TestSwapStable moves mixed miners, all really hashing, from one pool to the other and
// back again. None loses its connection, and no share is lost, stale or found twice.
func TestSwapStable(t *testing.T) {
	const miners, swaps = 120, 6
	config := pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, Branches: 2, ShortNonce: true, NotifyInterval: time.Second}
	a, atA := labPool(t, config)
	config.Quirks.SmallJobIDs = true
	b, atB := labPool(t, config)
	stable := "extranonce = \"stable\"\n"
	s := performPolicy(t, swapped(atA, stable))
	h := mine(t, miners, miner.Config{Address: s.addr(0), Interval: 20 * time.Millisecond, LoginTimeout: time.Minute, ReplyTimeout: time.Minute})
	wait(t, a, func(st pool.Stats) bool { return len(st.Workers) == miners && st.Accepted > 5*miners })
	pools, sockets := []*pool.Pool{a, b}, []net.Listener{atA, atB}
	for i := 1; i <= swaps; i++ {
		to := pools[i%2]
		before := to.Stats()
		s.apply(swapped(sockets[i%2], stable))
		wait(t, to, func(st pool.Stats) bool {
			return st.Subscribed == before.Subscribed+miners && st.Accepted > before.Accepted+3*miners
		})
		s.wantCount(float64(i*miners), "loka_moves_total", "way", "job")
	}
	s.wantCount(miners, "loka_sessions_opened_total")
	s.settled(h, a, b)
}

// TestSwapPool does the same where miners get the pool's own extranonce: those that asked
// to be told of another keep their connection, and the others come back within the time
// that they are given.
func TestSwapPool(t *testing.T) {
	const miners, swaps = 60, 4
	config := pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, ShortNonce: true, NotifyInterval: time.Second}
	a, atA := labPool(t, config)
	config.Extranonce2Size, config.Quirks.SmallJobIDs = 4, true
	b, atB := labPool(t, config)
	const grace = "reconnect_grace = \"200ms\"\n"
	s := performPolicy(t, swapped(atA, grace))
	h := mine(t, miners, miner.Config{
		Address: s.addr(0), Extranonce: true, Interval: 20 * time.Millisecond,
		LoginTimeout: time.Minute, ReplyTimeout: time.Minute, Backoff: time.Millisecond,
	})
	wait(t, a, func(st pool.Stats) bool { return len(st.Workers) == miners && st.Accepted > 5*miners })
	pools, sockets := []*pool.Pool{a, b}, []net.Listener{atA, atB}
	for i := 1; i <= swaps; i++ {
		to := pools[i%2]
		before := to.Stats()
		s.apply(swapped(sockets[i%2], grace))
		wait(t, to, func(st pool.Stats) bool {
			return st.Authorized >= before.Authorized+miners && st.Accepted > before.Accepted+3*miners
		})
	}
	h.leave()
	s.wantCount(0, "loka_sessions")
	s.conserved()
	told := 0
	for i, m := range h.miners {
		st := m.Stats()
		kind := miner.Kinds[i%len(miner.Kinds)]
		if keepsItsConnection(kind) {
			told++
			if st.Connects != 1 || st.RejectedTotal()+st.Unexpected+st.Unanswered > 0 {
				t.Errorf("%s: %+v", kind, st)
			}
		} else if st.Connects != 1+swaps {
			t.Errorf("%s connected %d times: %+v", kind, st.Connects, st)
		}
	}
	s.wantCount(float64(told*swaps), "loka_moves_total", "way", "extranonce")
	s.wantCount(float64((miners-told)*swaps), "loka_moves_total", "way", "reconnect")
	for _, p := range pools {
		if st := p.Stats(); st.RejectedTotal() > 0 {
			t.Errorf("a pool rejected %v", st.Rejected)
		}
	}
}

// settled stops the miners and compares what they, loka and the pools have counted: every
// share was answered once, by the pool that gave its job, which took it.
func (s *stage) settled(h *herd, pools ...*pool.Pool) {
	s.t.Helper()
	s.wantCount(0, "loka_moves_failed_total")
	h.leave()
	s.wantCount(0, "loka_sessions")
	s.conserved()
	var seen pool.Stats
	for _, p := range pools {
		st := p.Stats()
		seen.Submitted, seen.Accepted = seen.Submitted+st.Submitted, seen.Accepted+st.Accepted
		if st.RejectedTotal() > 0 {
			s.t.Errorf("a pool rejected %v", st.Rejected)
		}
	}
	accepted := 0
	for i, m := range h.miners {
		st := m.Stats()
		accepted += st.Accepted
		if st.Connects != 1 || st.Failures+st.RejectedTotal()+st.Unexpected+st.Unanswered > 0 {
			s.t.Errorf("%s: %+v", miner.Kinds[i%len(miner.Kinds)], st)
		}
	}
	if seen.Accepted != accepted || s.count("loka_shares_lost_total") != 0 {
		s.t.Errorf("the miners count %d accepted shares, the pools %d; loka has lost %v", accepted, seen.Accepted, s.count("loka_shares_lost_total"))
	}
}

//go:build unix

package core_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/miner"
	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
)

// crowded is miners that mine at the first of two pools.
func crowded(t *testing.T, miners int, settings string) (s *stage, h *herd, pools [2]*pool.Pool, at [2]net.Listener) {
	t.Helper()
	for i := range pools {
		pools[i], at[i] = labPool(t, pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, ShortNonce: true, Quirks: pool.Quirks{SmallJobIDs: i == 1}})
	}
	s = performPolicy(t, under(at[0], anyPort+"extranonce = \"stable\"\n"+settings))
	h = mine(t, miners, miner.Config{
		Address: s.addr(0), Interval: time.Duration(miners) * 2 * time.Millisecond, LoginTimeout: time.Minute, ReplyTimeout: time.Minute,
	})
	s.reached(pools[0], func(st pool.Stats) bool { return len(st.Workers) == miners && st.Accepted > 2*miners })
	return s, h, pools, at
}

// reached waits until a pool has seen something.
func (s *stage) reached(p *pool.Pool, ok func(pool.Stats) bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	if err := p.Wait(ctx, ok); err != nil {
		s.t.Fatal(err)
	}
}

// TestMovesPerSecond moves miners at five a second, and measures it by what the pool sees.
func TestMovesPerSecond(t *testing.T) {
	const miners, rate = 30, 5
	settings := fmt.Sprintf("max_moves_per_second = %d\n", rate)
	s, h, pools, at := crowded(t, miners, settings)
	s.apply(under(at[1], anyPort+"extranonce = \"stable\"\n"+settings))
	s.reached(pools[1], func(st pool.Stats) bool { return len(st.Workers) == miners })
	s.settled(h, pools[:]...)
	var came []time.Time
	for _, m := range pools[1].Messages() {
		if m.Method == "mining.subscribe" {
			came = append(came, m.Time)
		}
	}
	t.Logf("%d miners came within %s", len(came), came[len(came)-1].Sub(came[0]))
	for i := rate; i < len(came); i++ {
		if took := came[i].Sub(came[i-rate]); took < 700*time.Millisecond {
			t.Errorf("%d miners came within %s", rate+1, took)
		}
	}
	if took := came[len(came)-1].Sub(came[0]); took > 2*miners*time.Second/rate {
		t.Errorf("it took %s", took)
	}
}

// TestMovesWaitForDescriptors leaves descriptors for ten moves: the others wait until
// there are more, and nobody is dropped.
func TestMovesWaitForDescriptors(t *testing.T) {
	const miners, spare = 20, 10
	s, h, pools, at := crowded(t, miners, "")
	var before syscall.Rlimit
	ok(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before))
	ok(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 2*miners + spare + 128, Max: before.Max}))
	defer func() { ok(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)) }()

	s.apply(under(at[1], anyPort+"extranonce = \"stable\"\n"))
	s.awaitCount(spare, "loka_moves_total")
	mined := pools[0].Stats().Accepted
	s.reached(pools[0], func(st pool.Stats) bool { return st.Accepted > mined+5*miners })
	if moves := s.count("loka_moves_total"); moves < spare || moves > spare+2 {
		t.Errorf("%v miners have moved with descriptors for %d", moves, spare)
	}
	s.wantCount(miners, "loka_sessions")
	pools[0].Disconnect(0)
	s.reached(pools[1], func(st pool.Stats) bool { return len(st.Workers) == miners })
	s.wantCount(0, "loka_moves_failed_total")
	s.wantCount(1, "loka_endpoint_up", "pool", "pool.p")
	h.leave()
	s.wantCount(0, "loka_sessions")
	s.wantCount(miners, "loka_sessions_opened_total")
	s.conserved()
}

// TestCrowdFollowsThePolicy has 300 miners mine while a server is added in front, servers
// change places, the strategy changes, and a pool is taken away: nobody notices more than
// a new job.
func TestCrowdFollowsThePolicy(t *testing.T) {
	const miners = 300
	const fast = "max_moves_per_second = 1000\n"
	s, h, pools, at := crowded(t, miners, fast)
	two := func(first, second net.Listener, strategy string) string {
		servers := "\n  strategy = \"" + strategy + "\"\n  server \"b\" { address = \"stratum+tcp://" + second.Addr().String() + "\" }\n}\nproxy"
		return strings.Replace(under(first, anyPort+"extranonce = \"stable\"\n"+fast), "\n}\nproxy", servers, 1)
	}
	goOn := func(p *pool.Pool) {
		t.Helper()
		before := p.Stats().Accepted
		s.reached(p, func(st pool.Stats) bool { return st.Accepted > before+2*miners })
	}
	for _, text := range []string{
		two(at[0], at[1], "failover"), two(at[1], at[0], "failover"), two(at[0], at[1], "round_robin"), two(at[0], at[1], "least_sessions"),
	} {
		s.apply(text)
		goOn(pools[0])
	}
	s.wantCount(0, "loka_moves_total") // they are well where they are
	s.apply(under(at[1], anyPort+"extranonce = \"stable\"\n"+fast))
	s.wantCount(miners, "loka_moves_total")
	goOn(pools[1])
	s.wantCount(miners, "loka_sessions_opened_total")
	s.settled(h, pools[:]...)
}

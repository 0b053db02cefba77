package core_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/miner"
	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
	"github.com/loka-proxy/loka/core"
)

// TestAllAtOnce gives orders, reloads, rollouts and plans from many sides while miners of all
// kinds are moved by each of them, and ends loka in the middle of it. Every share is accounted
// for, and nothing hangs or stays behind.
func TestAllAtOnce(t *testing.T) {
	config := pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, Branches: 2, ShortNonce: true}
	_, p := labPool(t, config)
	_, q := labPool(t, config)
	const often = "max_moves_per_second = 1000\non_all_down = \"hold\"\nextranonce = \"stable\"\n"
	texts := []string{
		twoPools(p, q, often), twoPools(q, p, often),
		twoPools(p, q, often+"\n  request \"mining.subscribe\" \"odd\" {\n    when = \"stats.submitted % 2 == 1\"\n    route { pool = pool.q }\n  }"),
		twoPools(q, p, often) + "\nrollout {\n  percent = 50\n  for = \"1s\"\n  abort_if = \"candidate.accepted > 20\"\n}\n",
	}
	r := performReloads(t, texts[0])
	h := mine(t, 24, miner.Config{Address: r.addr(0), Interval: 5 * time.Millisecond, LoginTimeout: time.Minute, ReplyTimeout: time.Minute})
	r.wantCount(24, "loka_sessions")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var sides sync.WaitGroup
	side := func(pace time.Duration, do func(i int)) {
		sides.Go(func() {
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for i := 0; ctx.Err() == nil; i++ {
				do(i)
				<-tick.C
			}
		})
	}
	follow := func(err error) {
		var no *core.Objection
		var refused *core.Refusal
		if err != nil && !errors.As(err, &no) && !errors.As(err, &refused) {
			t.Error(err)
		}
	}
	side(70*time.Millisecond, func(i int) {
		r.text = texts[i%len(texts)]
		follow(r.Reload(t.Context()))
		if i%5 == 4 {
			follow(r.Rollback(t.Context()))
		}
	})
	side(time.Millisecond, func(int) { r.JudgeRollout(t.Context()); _ = r.Status() })
	side(30*time.Millisecond, func(i int) {
		follow(r.daemon.SwitchPool("pool.p", []string{"pool.q", "pool.p"}[i/10%2]))
		follow(r.daemon.DisablePool("pool.q", "a"))
		follow(r.daemon.EnablePool("pool.q", "a"))
	})
	plan := load(t, texts[1])
	side(50*time.Millisecond, func(i int) {
		_, _, _ = r.daemon.Pools(), r.daemon.Moves(), r.daemon.Plan(plan)
		list, _ := r.daemon.Sessions(core.SessionFilter{})
		for j, one := range list {
			switch (i + j) % 100 {
			case 0:
				follow(r.daemon.CloseSession(one.Session))
			case 1, 2:
				follow(r.daemon.MoveSession(one.Session, []string{"pool.q", "pool.p"}[j%2]))
			}
		}
	})
	<-ctx.Done()
	end, over := context.WithTimeout(t.Context(), 2*time.Second)
	defer over()
	r.daemon.Drain(end)
	sides.Wait()
	h.stop()
	if n := r.count("loka_moves_total"); n == 0 {
		t.Error("nobody was moved")
	}
	r.wantCount(0, "loka_sessions")
	r.conserved()
}

package core_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/miner"
	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
)

// labPool runs a pool of the bench, which checks every share by its hash.
func labPool(t *testing.T, config pool.Config) (*pool.Pool, net.Listener) {
	t.Helper()
	l := listen(t)
	p := pool.New(config)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Serve(ctx, l) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return p, l
}

// mineAll runs miners until each has done what its config says.
func mineAll(t *testing.T, patience time.Duration, configs []miner.Config) []miner.Stats {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	miners := make([]*miner.Miner, len(configs))
	for i, config := range configs {
		miners[i] = miner.New(config)
		wg.Go(func() { _ = miners[i].Run(ctx) })
	}
	wg.Wait()
	stats := make([]miner.Stats, len(miners))
	for i, m := range miners {
		stats[i] = m.Stats()
	}
	return stats
}

// TestThousandMiners has 1,000 miners of all kinds mine through loka at once under
// mapped names. The pool, the miners and the counters must agree on every share.
func TestThousandMiners(t *testing.T) {
	const miners, shares = 1000, 3
	p, l := labPool(t, pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, Branches: 3, ShortNonce: true, NotifyInterval: 2 * time.Second})
	s := performPolicy(t, `
pool "p" {
  server "a" { address = "stratum+tcp://`+l.Addr().String()+`" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = "127.0.0.1:0" }
`+toWallet+`
}`)
	configs := make([]miner.Config, miners)
	for i := range configs {
		configs[i] = miner.Config{
			Address: s.addr(0), User: fmt.Sprintf("farm.rig-%d", i), Kind: miner.Kinds[i%len(miner.Kinds)],
			MaxSubmitted: shares, ReplyTimeout: time.Minute, LoginTimeout: time.Minute,
		}
	}
	stats := mineAll(t, 5*time.Minute, configs)
	s.wantCount(0, "loka_sessions")
	seen := p.Stats()
	for i, m := range stats {
		name := fmt.Sprintf("%s.farm_rig-%d", wallet, i)
		worker := seen.Workers[name]
		if m.Submitted != shares || m.Accepted != shares || m.Unanswered+m.Unexpected > 0 || worker.Accepted != shares {
			t.Errorf("%s (%s): the miner says %+v, the pool %+v", name, configs[i].Kind, m, worker)
		}
	}
	if seen.Submitted != miners*shares || seen.Accepted != miners*shares || len(seen.Workers) != miners {
		t.Errorf("the pool has seen %d shares of %d workers, and accepted %d", seen.Submitted, len(seen.Workers), seen.Accepted)
	}
	s.wantCount(miners*shares, "loka_shares_submitted_total")
	s.wantCount(miners*shares, "loka_shares_accepted_total")
	s.conserved()
}

// TestLabQuirks mines with every kind of miner through loka to pools with the habits of
// real ones, without rules; shares that are wrong on purpose come back
// with the reasons that the pool gives.
func TestLabQuirks(t *testing.T) {
	quirks := map[string]pool.Quirks{
		"plain":             {},
		"ckpool":            {EarlyNotify: true, SilentExtranonce: true, SilentSuggest: true, RejectReason: true, LineLimit: 1024, Ping: true},
		"p2pool":            {NullAuthorize: true, FlatSubscriptions: true, NotifyIDs: true},
		"btcpool":           {SmallJobIDs: true, MaskNotice: true},
		"eloipool":          {AskVersion: true, NotifyIDs: true},
		"slow":              {ReplyDelay: 2 * time.Millisecond},
		"silent on unknown": {SilentUnknown: true, SilentExtranonce: true},
	}
	for name, quirk := range quirks {
		t.Run(name, func(t *testing.T) {
			p, l := labPool(t, pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, ShortNonce: true, Quirks: quirk})
			s := performPolicy(t, `
pool "p" {
  server "a" { address = "stratum+tcp://`+l.Addr().String()+`" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = "127.0.0.1:0" }
}`)
			var configs []miner.Config
			for _, kind := range miner.Kinds {
				configs = append(configs, miner.Config{
					Address: s.addr(0), User: "a." + strings.ReplaceAll(string(kind), " ", "-"), Kind: kind, Suggest: 1e-7,
					Extranonce: true, MaxSubmitted: 12, SpoilEvery: 3, ReplyTimeout: 30 * time.Second,
				})
			}
			var submitted, ok, rejected int
			for i, m := range mineAll(t, time.Minute, configs) {
				submitted, ok, rejected = submitted+m.Submitted, ok+m.Accepted, rejected+m.RejectedTotal()
				if m.Submitted != 12 || m.Unanswered+m.Unexpected+m.WronglyAccepted > 0 {
					t.Errorf("%s: %+v", configs[i].Kind, m)
				}
			}
			s.wantCount(0, "loka_sessions")
			seen := p.Stats()
			s.wantCount(float64(seen.Accepted), "loka_shares_accepted_total")
			s.wantCount(float64(seen.RejectedTotal()), "loka_shares_rejected_total")
			if seen.Submitted != submitted || seen.Accepted != ok || seen.RejectedTotal() != rejected {
				t.Errorf("the pool: %d, %d, %d; the miners: %d, %d, %d", seen.Submitted, seen.Accepted, seen.RejectedTotal(), submitted, ok, rejected)
			}
			for code, reason := range map[int]string{21: "stale", 22: "duplicate", 23: "low_difficulty", 24: "unauthorized"} {
				s.wantCount(float64(seen.Rejected[code]), "loka_shares_rejected_total", "reason", reason)
			}
			s.conserved()
		})
	}
}

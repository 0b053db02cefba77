package core_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/miner"
	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
)

// keepsItsConnection tells the clients that can be told of another extranonce, and ask for
// it when they are told to.
func keepsItsConnection(kind miner.Kind) bool {
	switch kind {
	case miner.CPUMiner, miner.CGMiner, miner.CGMinerRolling, miner.NerdMiner:
		return false
	}
	return true
}

// comesBack tells those that follow client.reconnect without a host; the others have to be
// parted with.
func comesBack(kind miner.Kind) bool {
	return kind != miner.CPUMiner && kind != miner.NerdMiner && kind != miner.NerdQAxe
}

// TestEveryClientMoves moves one client of each kind between two pools, there and back, in
// both modes, asked for extranonces or not. All its shares are good ones.
func TestEveryClientMoves(t *testing.T) {
	for _, kind := range miner.Kinds {
		for _, mode := range []struct {
			name, settings string
			asks           bool
		}{{"pool", fast, true}, {"pool without asking", fast, false}, {"stable", stable, true}} {
			t.Run(string(kind)+" "+mode.name, func(t *testing.T) {
				t.Parallel()
				asks := mode.asks || kind == miner.CPUMinerOpt // which always does
				settings := mode.settings
				if settings == fast && comesBack(kind) { // of itself, with time enough
					settings = "reconnect_grace = \"10s\"\n"
				}
				moveThereAndBack(t, kind, mode.asks, settings, mode.settings == stable || asks && keepsItsConnection(kind))
			})
		}
	}
}

func moveThereAndBack(t *testing.T, kind miner.Kind, asks bool, settings string, keeps bool) {
	config := pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, Branches: 2, ShortNonce: true, NotifyInterval: 500 * time.Millisecond}
	a, atA := labPool(t, config)
	config.Extranonce2Size, config.VersionMask, config.Quirks.SmallJobIDs = 4, 0x00ffe000, true
	b, atB := labPool(t, config)
	s := performPolicy(t, swapped(atA, settings))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m := miner.New(miner.Config{
		Address: s.addr(0), User: "rig", Kind: kind, Extranonce: asks, Suggest: 1e-7,
		Interval: 5 * time.Millisecond, Backoff: time.Millisecond, LoginTimeout: time.Minute, ReplyTimeout: time.Minute,
	})
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	works := func(p *pool.Pool, before int) {
		t.Helper()
		if err := p.Wait(ctx, func(st pool.Stats) bool { return st.Accepted >= before+10 }); err != nil {
			t.Fatal(err)
		}
	}
	works(a, 0)
	const swaps = 4
	for i := range swaps {
		to, at := b, atB
		if i%2 == 1 {
			to, at = a, atA
		}
		before := to.Stats().Accepted
		s.apply(swapped(at, settings))
		works(to, before)
	}
	m.Leave()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	s.wantCount(0, "loka_sessions")
	s.conserved()
	st := m.Stats()
	want := 1
	if !keeps {
		want += swaps
	}
	if st.Connects != want || keeps && st.RejectedTotal()+st.Unexpected+st.Unanswered > 0 {
		t.Errorf("it should connect %d times: %+v", want, st)
	}
	way := map[bool]string{true: "extranonce", false: "reconnect"}[keeps]
	if settings == stable {
		way = "job"
	}
	s.wantCount(swaps, "loka_moves_total", "way", way)
	s.wantCount(swaps, "loka_moves_total")
	parted := s.count("loka_sessions_closed_total", "reason", "moved")
	if want := map[bool]float64{true: 0, false: swaps}[keeps || comesBack(kind)]; parted != want {
		t.Errorf("loka parted with it %v times, not %v", parted, want)
	}
	for name, p := range map[string]*pool.Pool{"a": a, "b": b} {
		if st := p.Stats(); st.RejectedTotal() > 0 {
			t.Errorf("%s rejected %v", name, fmt.Sprint(st.Rejected))
		}
	}
}

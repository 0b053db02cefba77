package miner

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
)

func TestEveryKindMines(t *testing.T) {
	for _, kind := range Kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			p, address := startPool(t, pool.Config{VersionMask: 0x1fffe000, Branches: 3, ShortNonce: kind == NerdMiner})
			m := New(Config{Address: address, User: "u.1", Kind: kind, MaxAccepted: 20, Suggest: 1, Extranonce: true})
			if err := m.Run(patient(t)); err != nil {
				t.Fatal(err, m.Stats())
			}
			s := m.Stats()
			if s.Accepted != 20 || s.Submitted != 20 || s.RejectedTotal() != 0 || s.Unanswered != 0 || s.Unexpected != 0 || s.Retries != 0 {
				t.Errorf("%+v", s)
			}
			if got := p.Stats(); got.Accepted != 20 || got.Workers["u.1"].Accepted != 20 {
				t.Errorf("%+v", got)
			}
			if rolls := p.Shares()[0].Bits != ""; rolls != (kind == CGMinerRolling || kind == ESPMiner || kind == NerdQAxe) {
				t.Errorf("version bits %q", p.Shares()[0].Bits)
			}
		})
	}
}

func TestSpoiledSharesAreRejected(t *testing.T) {
	p, address := startPool(t, pool.Config{VersionMask: 0x1fffe000})
	m := New(Config{Address: address, User: "u", Kind: ESPMiner, MaxSubmitted: 24, SpoilEvery: 3})
	if err := m.Run(patient(t)); err != nil {
		t.Fatal(err)
	}
	want := map[int]int{21: 2, 22: 2, 23: 2, 24: 2}
	s := m.Stats()
	if diff := cmp.Diff(want, s.Rejected); diff != "" || s.Accepted != 16 || s.Spoiled != 8 || s.WronglyAccepted != 0 {
		t.Errorf("%+v\n%s", s, diff)
	}
	if diff := cmp.Diff(want, p.Stats().Rejected); diff != "" {
		t.Error(diff)
	}
}

// TestRejectReasons is the same with a pool that gives no codes.
func TestRejectReasons(t *testing.T) {
	_, address := startPool(t, pool.Config{Quirks: pool.Quirks{RejectReason: true}})
	m := New(Config{Address: address, User: "u", MaxSubmitted: 8, SpoilEvery: 2})
	if err := m.Run(patient(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[int]int{21: 1, 22: 1, 23: 1, 24: 1}, m.Stats().Rejected); diff != "" {
		t.Error(diff)
	}
}

// TestQuirkyPools mines at pools of every sort with every client.
func TestQuirkyPools(t *testing.T) {
	for name, config := range map[string]pool.Config{
		"ckpool": {Quirks: pool.Quirks{
			EarlyNotify: true, SilentExtranonce: true, SilentSuggest: true, SilentUnknown: true, RejectReason: true, LineLimit: 1024,
			Ping: true,
		}},
		"p2pool":   {Extranonce1Size: -1, Quirks: pool.Quirks{NullAuthorize: true, FlatSubscriptions: true, NotifyIDs: true}},
		"btcpool":  {Extranonce2Size: 4, Quirks: pool.Quirks{SmallJobIDs: true, MaskNotice: true}},
		"eloipool": {Quirks: pool.Quirks{AskVersion: true, NotifyIDs: true}},
		"slow":     {Quirks: pool.Quirks{ReplyDelay: 10 * time.Millisecond}},
	} {
		for _, kind := range Kinds {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				t.Parallel()
				config := config
				config.VersionMask, config.ShortNonce, config.Branches = 0x1fffe000, true, 12
				_, address := startPool(t, config)
				m := New(Config{Address: address, User: "u", Kind: kind, MaxAccepted: 3, Suggest: 1, Extranonce: true, Once: true})
				if err := m.Run(patient(t)); err != nil {
					t.Fatal(err)
				}
				if s := m.Stats(); s.Accepted != 3 || s.RejectedTotal() != 0 || s.Unexpected != 0 || s.Unanswered != 0 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

func TestChangesOfWork(t *testing.T) {
	for _, kind := range []Kind{CPUMinerOpt, CGMinerRolling, BMMiner, BFGMiner, ESPMiner, NerdQAxe, NerdMiner} {
		t.Run(string(kind), func(t *testing.T) {
			p, address := startPool(t, pool.Config{VersionMask: 0x1fffe000, ShortNonce: true})
			m := running(t, Config{Address: address, User: "u", Kind: kind, Extranonce: true, Interval: time.Millisecond})
			ctx := patient(t)
			moreShares := func() {
				t.Helper()
				accepted := p.Stats().Accepted
				if err := p.Wait(ctx, func(s pool.Stats) bool { return s.Accepted >= accepted+5 }); err != nil {
					t.Fatal(err)
				}
			}
			for _, change := range []func(){
				func() { p.SetDifficulty(2e-7) },
				func() { p.SetVersionMask(0x00ffe000); p.Notify(false) },
				func() { p.Notify(true) },
				func() { p.SetExtranonce() },
				func() { p.SetDifficulty(1e-8) },
			} {
				moreShares()
				change()
			}
			if err := m.Wait(ctx, func(s Stats) bool { return s.Jobs == 6 && s.Difficulty == 1e-8 }); err != nil {
				t.Fatal(err)
			}
			moreShares()
			for code, n := range p.Stats().Rejected {
				if code != 21 { // a clean job may cross a share on its way
					t.Errorf("%d shares rejected with %d", n, code)
				}
			}
			told := strings.Count(strings.Join(p.Lines(1, true), "\n"), "set_extranonce")
			if asks := kind != CGMinerRolling && kind != NerdMiner; asks != (told == 1) {
				t.Errorf("%d new extranonces", told)
			}
		})
	}
}

func TestComesBack(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close() // so nobody listens there for now
	m := running(t, Config{Address: address, User: "u", Kind: CGMiner, Backoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond})
	ctx := patient(t)
	if err := m.Wait(ctx, func(s Stats) bool { return s.Failures >= 3 }); err != nil {
		t.Fatal(err)
	}
	if listener, err = net.Listen("tcp", address); err != nil {
		t.Fatal("somebody took the port: ", err)
	}
	p := pool.New(pool.Config{Difficulty: 1e-7})
	serving, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(serving, listener) }()
	defer func() { stop(); <-done }()
	for round := 1; round <= 3; round++ {
		if err := p.Wait(ctx, func(s pool.Stats) bool { return s.Authorized == round }); err != nil {
			t.Fatal(err)
		}
		p.Disconnect(0)
	}
	if got := p.Lines(2, false)[0]; got != `{"id": 0, "method": "mining.subscribe", "params": ["cgminer/4.11.1", "00000001"]}` {
		t.Errorf("it comes back with %s", got)
	}
}

// TestWitness counts replies that are missing, double, or strange.
func TestWitness(t *testing.T) {
	const yes = `{"id":7,"result":true,"error":null}`
	login := []string{"<", `{"id":0,"result":[[],"f0",4],"error":null}`, "<", `{"id":1,"result":true,"error":null}`, "<", easyNotice}
	for name, c := range map[string]struct {
		script                           []string
		accepted, unanswered, unexpected int
	}{
		"double reply":      {[]string{fakeJob, "<", `{"id":3,"result":true}`, `{"id":3,"result":true}`, "<", `{"id":4,"result":true}`}, 2, 0, 1},
		"no reply":          {[]string{fakeJob, "<", `{"id":3,"result":true}`, "<"}, 1, 1, 0},
		"another id":        {[]string{fakeJob, "<", yes, "<", `{"id":3,"result":true}`}, 1, 1, 1},
		"a string as id":    {[]string{fakeJob, "<", `{"id":"3","result":true}`, "<", `{"id":4,"result":true}`}, 1, 1, 1},
		"in another order":  {[]string{fakeJob, "<", "<", `{"id":4,"result":true}`, `{"id":3,"result":true}`}, 2, 0, 0},
		"rejected as false": {[]string{fakeJob, "<", `{"id":3,"result":false}`, "<", `{"id":4,"result":null,"error":"no"}`}, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := fakePool(t, append(append([]string{}, login...), c.script...)...)
			m := New(Config{Address: address, User: "u", Kind: CGMiner, Suggest: 1, MaxSubmitted: 2, ReplyTimeout: 500 * time.Millisecond})
			if err := m.Run(patient(t)); err != nil {
				t.Fatal(err)
			}
			s := m.Stats()
			if s.Submitted != 2 || s.Accepted != c.accepted || s.Unanswered != c.unanswered || s.Unexpected != c.unexpected {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestHopelessPools(t *testing.T) {
	for name, quirks := range map[string]pool.Quirks{"black hole": {BlackHole: true}, "hangs up": {HangUp: true}, "garbage": {Garbage: true}} {
		_, address := startPool(t, pool.Config{Quirks: quirks})
		m := New(Config{Address: address, User: "u", Once: true, LoginTimeout: 50 * time.Millisecond})
		if err := m.Run(patient(t)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, address := startPool(t, pool.Config{Quirks: pool.Quirks{HangUp: true}})
	m := New(Config{Address: address, User: "u", Backoff: time.Millisecond, MaxBackoff: time.Millisecond})
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	if err := m.Wait(patient(t), func(s Stats) bool { return s.Failures >= 2 }); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_, address = startPool(t, pool.Config{Difficulty: 1e9})
	m = New(Config{Address: address, User: "u"})
	ctx, cancel = context.WithCancel(t.Context())
	go func() { done <- m.Run(ctx) }()
	if err := m.Wait(patient(t), func(s Stats) bool { return s.Jobs == 1 }); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || m.Stats().Failures != 0 {
		t.Errorf("%v; leaving on purpose counts as a failure: %+v", err, m.Stats())
	}
}

func TestThousandMiners(t *testing.T) {
	const count, each = 1000, 3
	p, address := startPool(t, pool.Config{Difficulty: 1e-8, VersionMask: 0x1fffe000, ShortNonce: true, Branches: 2})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var wait sync.WaitGroup
	miners := make([]*Miner, count)
	for i := range miners {
		kind := Kinds[i%len(Kinds)]
		miners[i] = New(Config{
			Address: address, User: "farm." + string(kind), Kind: kind,
			MaxAccepted: each, Interval: 10 * time.Millisecond, ReplyTimeout: time.Minute,
		})
		wait.Go(func() {
			if err := miners[i].Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if s := p.Stats(); s.Accepted != count*each || s.RejectedTotal() != 0 {
		t.Errorf("%+v", s)
	}
	for _, m := range miners {
		if s := m.Stats(); s.Accepted != each || s.Unanswered != 0 || s.Unexpected != 0 {
			t.Fatalf("%+v", s)
		}
	}
}

package core_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/meter"
)

// drains fails unless the daemon ends within a bound after its limit.
func (s *stage) drains(limit, bound time.Duration) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	done := make(chan struct{})
	start := time.Now()
	go func() { s.daemon.Drain(ctx); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		s.t.Fatal("the daemon does not end")
	}
	if took := time.Since(start); took > limit+bound {
		s.t.Errorf("the daemon took %s to end", took)
	}
}

// TestFailedRerouteEndsTheSession says too much before a subscribe that is routed.
func TestFailedRerouteEndsTheSession(t *testing.T) {
	for name, lines := range map[string][]string{
		"many":      strings.Split(strings.Repeat(`{"id":7,"method":"mining.configure","params":[]};`, 9), ";")[:9],
		"authorize": {`{"id":7,"method":"mining.authorize","params":["a","x"]}`},
		"share":     {`{"id":7,"method":"mining.submit","params":["a","1","2","3","4"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			s, second := routed(t, routeByAgent)
			go serve(second, func(nc net.Conn) { _, _ = nc.Read(make([]byte, 1)) })
			miner := s.miner()
			miner.send(lines...)
			first := s.accept()
			first.line()
			miner.send(bitaxe)
			miner.wantClosed()
			s.wantCount(0, "loka_sessions")
			s.wantCount(0, "loka_shares_pending")
			s.conserved()
			s.drains(0, 2*time.Second)
		})
	}
}

// TestSecondSubscribeIsNotRouted has a miner with work of one pool subscribe again,
// as one that a rule would send elsewhere.
func TestSecondSubscribeIsNotRouted(t *testing.T) {
	s, _ := routed(t, routeByAgent)
	miner, pool := s.pair()
	again := strings.Replace(bitaxe, `"id":2`, `"id":9`, 1)
	miner.send(authorize, submit, again)
	pool.want(authorize, submit, again)
	pool.send(accepted)
	miner.want(accepted)
	if n := s.count("loka_dials_total", "pool", "pool.second"); n != 0 {
		t.Errorf("%v dials of the second pool", n)
	}
}

// TestDeniedSubscribeIsNotRouted: nothing goes to a pool for it.
func TestDeniedSubscribeIsNotRouted(t *testing.T) {
	s, _ := routed(t, routeByAgent+`
  request "mining.subscribe" "no" {
    deny { message = "no" }
  }`)
	miner := s.miner()
	miner.send(bitaxe)
	miner.want(`{"id":2,"result":null,"error":[20,"no",null]}`)
	if n := s.count("loka_dials_total"); n != 0 {
		t.Errorf("%v dials", n)
	}
}

// TestOneMinerDoesNotTakeAServerDown: a pool that serves others hangs up on a miner
// that says what it does not like.
func TestOneMinerDoesNotTakeAServerDown(t *testing.T) {
	s := perform(t, "")
	other, otherPool := s.pair()
	for _, line := range []string{`{"id":1,"method":"mining.suggest_difficulty","params":[1]}`, subscribe} {
		miner := s.miner()
		miner.send(line)
		pool := s.accept()
		pool.want(line)
		_ = pool.nc.Close()
		miner.wantClosed()
	}
	s.wantCount(1, "loka_sessions")
	if strings.Contains(s.log.String(), "server is down") {
		t.Error("the server counts as down")
	}
	otherPool.send(notify(60, 1))
	other.want(notify(60, 1))
}

// TestReadyLooksAtAllPools has a black hole before a pool that is well.
func TestReadyLooksAtAllPools(t *testing.T) {
	hole, well := listen(t), listen(t)
	fill(t, hole)
	s := performPolicy(t, `
pool "a" {
  server "hole" { address = "stratum+tcp://`+hole.Addr().String()+`" }
}
pool "b" {
  server "well" { address = "stratum+tcp://`+well.Addr().String()+`" }
}
proxy "x" {
  pool = pool.a
  listener "tcp" { address = "127.0.0.1:0" }
}`)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := s.daemon.Ready(ctx); err != nil {
		t.Error(err)
	}
	if strings.Contains(s.log.String(), "server is down") {
		t.Errorf("a probe that was given up counts against a server:\n%s", s.log.String())
	}
}

// fill connects to a listener that nobody accepts from until the kernel takes no more.
func fill(t *testing.T, l net.Listener) {
	t.Helper()
	for range 100_000 {
		nc, err := net.DialTimeout("tcp", l.Addr().String(), 20*time.Millisecond)
		if err != nil {
			return
		}
		t.Cleanup(func() { _ = nc.Close() })
	}
}

// TestDrainCutsAMinerThatDoesNotRead: its pool goes on sending.
func TestDrainCutsAMinerThatDoesNotRead(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	miner.send(submit)
	pool.want(submit)
	stuck := make(chan struct{})
	go func() {
		defer close(stuck)
		for {
			_ = pool.nc.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
			if _, err := pool.nc.Write([]byte(notify(10_000, 2) + "\n")); err != nil {
				return
			}
		}
	}()
	<-stuck // all buffers are full
	s.drains(100*time.Millisecond, 2*time.Second)
}

// TestPanicEndsOneSession has a clock that panics once, while a line is handled.
func TestPanicEndsOneSession(t *testing.T) {
	pool := listen(t)
	p := load(t, `
pool "p" {
  server "a" { address = "stratum+tcp://`+pool.Addr().String()+`" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = "127.0.0.1:0" }
}`)
	var mu sync.Mutex
	armed := false
	s := &stage{t: t, meter: meter.New(), log: &logBuffer{}, pool: pool}
	s.daemon = core.New(p, core.Options{Log: hclog.New(&hclog.LoggerOptions{Output: s.log}), Meter: s.meter, Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		if armed {
			armed = false
			panic("the clock stands still")
		}
		return time.Now()
	}})
	if err := s.daemon.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.daemon.Serve()
	t.Cleanup(s.stop)
	other, otherPool := s.pair()
	miner, minerPool := s.pair()
	mu.Lock()
	armed = true
	mu.Unlock()
	miner.send(authorize)
	minerPool.want(authorize)
	minerPool.wantClosed()
	s.wantCount(1, "loka_sessions_closed_total", "reason", "panic")
	if !strings.Contains(s.log.String(), "the clock stands still") {
		t.Error("the log does not say so")
	}
	other.send(authorize)
	otherPool.want(authorize)
}

// TestNothingOvertakesTheSubscribeReply has a rule deny what a miner sends while the
// pool's reply to subscribe, with much behind it, is on its way to it.
func TestNothingOvertakesTheSubscribeReply(t *testing.T) {
	s := perform(t, `
  request "mining.authorize" "no" {
    deny { message = "no" }
  }`)
	burst := subscribed + "\n" + strings.Repeat(`{"id":null,"method":"mining.foo","params":["some work"]}`+"\n", 250)
	var wg sync.WaitGroup
	for range 100 {
		miner := s.miner()
		miner.send(subscribe)
		pool := s.accept()
		pool.want(subscribe)
		wg.Go(func() { _, _ = pool.nc.Write([]byte(burst)) })
		wg.Go(func() {
			for range 20 {
				_, _ = miner.nc.Write([]byte(authorize + "\n"))
			}
		})
		miner.want(subscribed)
		wg.Wait()
		miner.reset()
		_ = pool.nc.Close()
	}
}

// TestFirstBytesAreCounted counts what came before the pool was dialled.
func TestFirstBytesAreCounted(t *testing.T) {
	s := perform(t, "")
	s.pair()
	s.wantCount(float64(len(subscribe)+1), "loka_received_bytes_total", "from", "miner")
	s.wantCount(float64(len(subscribed)+1), "loka_received_bytes_total", "from", "pool")
}

// TestComeAndGo has many miners connect, be routed before and after an answer, and
// leave, in random ways and at random moments, while the daemon is told to stop.
func TestComeAndGo(t *testing.T) {
	for round := range uint64(5) {
		comeAndGo(t, round)
	}
}

func comeAndGo(t *testing.T, seed uint64) {
	t.Helper()
	s, second := routed(t, routeByAgent)
	answer := func(nc net.Conn) { comeAndGoPool(nc, rand.New(rand.NewPCG(seed, 7))) }
	go serve(s.pool, answer)
	go serve(second, answer)
	var wg sync.WaitGroup
	for i := range uint64(40) {
		nc, err := net.Dial("tcp", s.addr(0))
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { comeAndGoMiner(nc, rand.New(rand.NewPCG(seed, i))) })
	}
	if seed%2 == 0 {
		wg.Wait()
	}
	s.drains(50*time.Millisecond, 5*time.Second)
	wg.Wait()
	s.wantCount(0, "loka_sessions")
	for _, pool := range []string{"pool.first", "pool.second"} {
		s.wantCount(0, "loka_shares_pending", "pool", pool)
	}
	s.conserved()
}

// comeAndGoPool answers lines, or does not, and hangs up now and then.
func comeAndGoPool(nc net.Conn, r *rand.Rand) {
	_ = nc.SetDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 4096)
	for {
		n, err := nc.Read(buf)
		if err != nil || r.IntN(12) == 0 {
			return
		}
		for line := range strings.Lines(string(buf[:n])) {
			_, rest, _ := strings.Cut(line, `"id":`)
			var id int
			_, _ = fmt.Sscan(strings.TrimLeft(rest, " "), &id)
			if r.IntN(4) > 0 {
				_, _ = fmt.Fprintf(nc, `{"id":%d,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"},"error":null}`+"\n", id)
			}
		}
	}
}

// comeAndGoMiner sends a few lines and leaves in one of three ways.
func comeAndGoMiner(nc net.Conn, r *rand.Rand) {
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(5 * time.Second))
	lines := []string{configure, configure, bitaxe, subscribe, authorize, submit, submit}
	for range 1 + r.IntN(6) {
		if _, err := nc.Write([]byte(lines[r.IntN(len(lines))] + "\n")); err != nil {
			return
		}
		if r.IntN(2) == 0 {
			_ = nc.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			_, _ = nc.Read(make([]byte, 4096))
		}
	}
	switch r.IntN(3) {
	case 0:
		_ = nc.(*net.TCPConn).SetLinger(0)
	case 1:
		_ = nc.(*net.TCPConn).CloseWrite()
		_, _ = nc.Read(make([]byte, 4096))
	}
}

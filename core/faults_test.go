package core_test

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/loka-proxy/loka/core/policy"
)

// faulty has two pools: one that the test breaks, and one that is well. Miners of the
// first listener go to the broken one, those of the second to the other.
func faulty(t *testing.T, broken string) (s *stage, well net.Listener) {
	t.Helper()
	well = listen(t)
	s = performPolicy(t, `
pool "broken" {
  server "a" { address = "stratum+tcp://`+broken+`" }
  dial_timeout  = "300ms"
  reply_timeout = "300ms"
}
pool "well" {
  server "a" { address = "stratum+tcp://`+well.Addr().String()+`" }
}
proxy "one" {
  pool = pool.broken
  listener "tcp" { address = "127.0.0.1:0" }
}
proxy "two" {
  pool = pool.well
  listener "tcp" { address = "127.0.0.1:0" }
}`)
	return s, well
}

// tryBroken connects miners to the broken pool, each of which must be closed in time,
// while a miner of the other pool works without delay; the log says why, once.
func tryBroken(t *testing.T, s *stage, well net.Listener) {
	t.Helper()
	const tries = 5
	for range tries {
		nc, err := net.Dial("tcp", s.addr(0))
		if err != nil {
			t.Fatal(err)
		}
		miner := newWire(t, nc)
		start := time.Now()
		miner.send(subscribe)

		nc, err = net.Dial("tcp", s.addr(1))
		if err != nil {
			t.Fatal(err)
		}
		other := newWire(t, nc)
		other.send(subscribe)
		pool := accept(t, well)
		pool.want(subscribe)
		pool.send(subscribed)
		other.want(subscribed)
		delayed := time.Since(start)
		if delayed > 200*time.Millisecond {
			t.Errorf("another session waited %s", delayed)
		}
		_ = other.nc.Close()

		miner.wantClosed()
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("the miner was closed after %s", took)
		}
	}
	s.wantCount(0, "loka_sessions", "proxy", "proxy.one")
	if n := strings.Count(s.log.String(), "server is down:"); n != 1 {
		t.Errorf("the log says %d times that the server is down:\n%s", n, s.log.String())
	}
	lines := 0
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, "proxy=proxy.one") && !strings.Contains(line, "[DEBUG]") && !strings.Contains(line, "listening") {
			lines++
		}
	}
	if lines > 1 {
		t.Errorf("%d lines in the log for %d tries", lines, tries)
	}
}

func TestPoolRefuses(t *testing.T) {
	l := listen(t)
	_ = l.Close()
	s, well := faulty(t, l.Addr().String())
	tryBroken(t, s, well)
	s.wantCount(5, "loka_dials_total", "pool", "pool.broken", "result", "refused")
}

func TestPoolHasNoName(t *testing.T) {
	s, well := faulty(t, "pool.invalid:3333")
	tryBroken(t, s, well)
}

// TestPoolBlackHole takes connections (as the kernel does for a listener that nobody
// accepts from) and answers nothing.
func TestPoolBlackHole(t *testing.T) {
	s, well := faulty(t, listen(t).Addr().String())
	tryBroken(t, s, well)
	if !strings.Contains(s.log.String(), "said nothing for 300ms") {
		t.Error("the log does not say why")
	}
}

// serve answers every connection to a listener by a function.
func serve(l net.Listener, answer func(net.Conn)) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		go func() { defer nc.Close(); answer(nc) }()
	}
}

func TestPoolHangsUp(t *testing.T) {
	l := listen(t)
	go serve(l, func(net.Conn) {})
	s, well := faulty(t, l.Addr().String())
	tryBroken(t, s, well)
}

func TestPoolSpeaksGarbage(t *testing.T) {
	l := listen(t)
	go serve(l, func(nc net.Conn) {
		_, _ = nc.Write([]byte("220 mail.example ESMTP\r\n"))
		_, _ = nc.Read(make([]byte, 1))
	})
	s, well := faulty(t, l.Addr().String())
	tryBroken(t, s, well)
	if !strings.Contains(s.log.String(), "does not speak Stratum") {
		t.Error("the log does not say why")
	}
}

func TestPoolSpeaksEndlessGarbage(t *testing.T) {
	l := listen(t)
	go serve(l, func(nc net.Conn) {
		for {
			if _, err := nc.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	s, well := faulty(t, l.Addr().String())
	tryBroken(t, s, well)
}

// TestLostShares has both sides leave while shares are unanswered.
func TestLostShares(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	miner.send(submit, submit)
	pool.want(submit)
	pool.line()
	s.wantCount(2, "loka_shares_pending")
	_ = pool.nc.Close()
	miner.wantClosed()
	s.wantCount(2, "loka_shares_lost_total", "reason", "pool_gone")
	miner, pool = s.pair()
	miner.send(submit)
	pool.want(submit)
	_ = miner.nc.Close()
	pool.wantClosed()
	s.wantCount(1, "loka_shares_lost_total", "reason", "miner_gone")
	s.wantCount(0, "loka_shares_pending")
	s.conserved()
}

func TestServersAreTriedInOrder(t *testing.T) {
	dead, alive := listen(t), listen(t)
	_ = dead.Close()
	s := performPolicy(t, `
pool "p" {
  server "first" { address = "stratum+tcp://`+dead.Addr().String()+`" }
  server "second" { address = "stratum+tcp://`+alive.Addr().String()+`" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = "127.0.0.1:0" }
}`)
	s.pool = alive
	for range 3 {
		s.pair()
	}
	s.wantCount(3, "loka_dials_total", "endpoint", "second", "result", "ok")
	if n := s.count("loka_dials_total", "endpoint", "first"); n != 1 {
		t.Errorf("the dead server was tried %v times within its rest", n)
	}
}

// TestServerComesBack has the log say when a server is up again.
func TestServerComesBack(t *testing.T) {
	l := listen(t)
	address := l.Addr().String()
	_ = l.Close()
	s := performPolicy(t, `
pool "p" {
  server "a" { address = "stratum+tcp://`+address+`" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = "127.0.0.1:0" }
}`)
	miner := s.miner()
	miner.send(subscribe)
	miner.wantClosed()
	if err := s.daemon.Ready(t.Context()); err == nil {
		t.Error("ready without a pool")
	}
	var err error
	if s.pool, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	defer s.pool.Close()
	go serve(s.pool, answerSubscribe) // to a probe as well, whichever comes first
	miner = s.miner()
	miner.send(subscribe)
	miner.want(subscribed)
	s.wantCount(1, "loka_endpoint_up")
	if !strings.Contains(s.log.String(), "server is up again") {
		t.Error("the log does not say so")
	}
	if err := s.daemon.Ready(t.Context()); err != nil {
		t.Error("not ready:", err)
	}
}

// TestMinerThatDoesNotRead floods a miner that reads nothing: it is closed, and nobody
// else notices.
func TestMinerThatDoesNotRead(t *testing.T) {
	pool := listen(t)
	s := performPolicy(t, `
pool "p" {
  server "a" { address = "stratum+tcp://`+pool.Addr().String()+`" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" {
    address       = "127.0.0.1:0"
    write_timeout = "200ms"
  }
}`)
	s.pool = pool
	_, floodEnd := s.pair()
	other, otherEnd := s.pair()
	flooded := make(chan struct{})
	go func() {
		defer close(flooded)
		for {
			if _, err := floodEnd.nc.Write([]byte(notify(10_000, 2) + "\n")); err != nil {
				return
			}
		}
	}()
	for flooding := true; flooding; {
		select {
		case <-flooded:
			flooding = false
		default:
		}
		start := time.Now()
		otherEnd.send(notify(60, 2))
		other.want(notify(60, 2))
		if d := time.Since(start); d > time.Second {
			t.Fatalf("another miner waited %s", d)
		}
	}
	s.wantCount(1, "loka_sessions_closed_total", "reason", "miner_slow")
}

func TestTooManyConnections(t *testing.T) {
	pool := listen(t)
	s := performPolicy(t, `
pool "p" {
  server "a" { address = "stratum+tcp://`+pool.Addr().String()+`" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" {
    address         = "127.0.0.1:0"
    max_connections = 2
  }
}`)
	s.pool = pool
	first, _ := s.pair()
	s.pair()
	s.miner().wantClosed()
	s.miner().wantClosed()
	if n := strings.Count(s.log.String(), "too many connections"); n != 1 {
		t.Errorf("the log says so %d times", n)
	}
	_ = first.nc.Close()
	s.wantCount(1, "loka_sessions")
	s.pair()
}

func TestSilentMiner(t *testing.T) {
	pool := listen(t)
	s := performPolicy(t, `
pool "p" {
  server "a" { address = "stratum+tcp://`+pool.Addr().String()+`" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" {
    address           = "127.0.0.1:0"
    handshake_timeout = "100ms"
  }
}`)
	s.miner().wantClosed()
	half := s.miner()
	half.raw(`{"id":1,"method":"mining.subs`)
	half.wantClosed()
	spaces := s.miner()
	go func() {
		for {
			if _, err := spaces.nc.Write(bytes.Repeat([]byte("\n"), 1<<10)); err != nil {
				return
			}
		}
	}()
	spaces.wantClosed()
	s.wantCount(2, "loka_sessions_closed_total", "reason", "handshake")
	s.wantCount(1, "loka_sessions_closed_total", "reason", "miner_line")
	if n := s.count("loka_dials_total"); n != 0 {
		t.Errorf("%v dials", n)
	}
}

func TestListenFails(t *testing.T) {
	taken := listen(t)
	p := load(t, `
pool "p" {
  server "a" { address = "stratum+tcp://127.0.0.1:1" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = "127.0.0.1:0" }
  listener "tcp" { address = "`+taken.Addr().String()+`" }
}`)
	err := listenOnly(t, p)
	if err == nil || !strings.Contains(err.Error(), "proxy.x: listen on "+taken.Addr().String()+": the port is in use") {
		t.Errorf("got %v", err)
	}
}

// listenOnly binds a policy's listeners and lets them go again.
func listenOnly(t *testing.T, p *policy.Policy) error {
	t.Helper()
	s := &stage{t: t}
	s.prepare(p)
	err := s.daemon.Listen(t.Context())
	s.stop()
	return err
}

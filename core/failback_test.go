package core_test

import (
	"net"
	"strings"
	"testing"
)

// admits plays a server that answers probes until a miner comes, and is gone then: it stands,
// as far as probes can tell.
func admits(t *testing.T, l net.Listener, gone chan<- struct{}) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		w := newWire(t, nc)
		hello, err := w.r.ReadString('\n')
		if err == nil && strings.Contains(hello, `"loka"`) {
			_, _ = nc.Write([]byte(subscribed + "\n"))
			continue
		}
		_ = l.Close()
		_ = nc.Close()
		close(gone)
		return
	}
}

// TestFailbackToNobody has a better server be gone when miners come back to it: they stay
// where they are, and are not moved to a server that is worse, nor anew to their own.
func TestFailbackToNobody(t *testing.T) {
	first, own, last := listen(t), listen(t), listen(t)
	address := first.Addr().String()
	_ = first.Close()
	s := performPolicy(t, `
pool "p" {
  failback_after = "1s"
  server "first" { address = "stratum+tcp://`+address+`" }
  server "own" { address = "stratum+tcp://`+own.Addr().String()+`" }
  server "last" { address = "stratum+tcp://`+last.Addr().String()+`" }
}
proxy "x" {
  pool       = pool.p
  extranonce = "stable"
  listener "tcp" { address = "127.0.0.1:0" }
}`)
	s.pool = own
	go serve(last, answerSubscribe) // to probes
	miner, pool := s.working("f0000001", "4")
	back, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	gone := make(chan struct{})
	go admits(t, back, gone)
	<-gone
	before := s.count("loka_probes_total", "endpoint", "first", "result", "refused")
	s.wantCount(before+2, "loka_probes_total", "endpoint", "first", "result", "refused") // there is time to try again
	miner.send(share(4, "1", "000000"))
	pool.line()
	pool.send(yes(4))
	miner.want(yes(4))
	for _, server := range []string{"own", "last"} {
		if n, want := s.count("loka_dials_total", "endpoint", server), map[string]float64{"own": 1, "last": 0}[server]; n != want {
			t.Errorf("%s was dialled %v times by miners, not %v", server, n, want)
		}
	}
	s.wantCount(0, "loka_moves_total")
	s.wantCount(1, "loka_sessions")
}

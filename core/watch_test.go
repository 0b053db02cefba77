package core_test

import (
	"net"
	"strings"
	"testing"
)

// TestServerComesBackWithoutMiners has a server be down, and found to be up again though
// no miner asks for it.
func TestServerComesBackWithoutMiners(t *testing.T) {
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
	s.wantCount(0, "loka_endpoint_up")
	var err error
	if s.pool, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	defer s.pool.Close()
	probe := s.accept()
	probe.want(`{"id":1,"method":"mining.subscribe","params":["loka"]}`)
	probe.send(subscribed)
	probe.wantClosed()
	s.wantCount(1, "loka_endpoint_up")
	s.wantCount(1, "loka_probes_total", "result", "ok")
	if !strings.Contains(s.log.String(), "server is up again") {
		t.Error("the log does not say so")
	}
}

// TestStrategiesAreActedOn has miners come to a pool of two servers.
func TestStrategiesAreActedOn(t *testing.T) {
	for strategy, want := range map[string][2]float64{"failover": {4, 0}, "round_robin": {2, 2}, "least_sessions": {2, 2}, "weighted": {3, 1}} {
		t.Run(strategy, func(t *testing.T) {
			first, second := listen(t), listen(t)
			go serve(first, answerSubscribe)
			go serve(second, answerSubscribe)
			weight := map[bool]string{true: "\n    weight = 3"}[strategy == "weighted"]
			s := performPolicy(t, `
pool "p" {
  strategy = "`+strategy+`"
  server "first" {
    address = "stratum+tcp://`+first.Addr().String()+`"`+weight+`
  }
  server "second" { address = "stratum+tcp://`+second.Addr().String()+`" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = "127.0.0.1:0" }
}`)
			for range 4 {
				miner := s.miner()
				miner.send(subscribe)
				miner.want(subscribed)
			}
			s.wantCount(want[0], "loka_dials_total", "endpoint", "first")
			s.wantCount(want[1], "loka_dials_total", "endpoint", "second")
		})
	}
}

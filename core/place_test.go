package core_test

import (
	"strings"
	"testing"
)

// TestRouteByFigures has what a miner does decide where it belongs: it is moved while it
// mines, and back, without a word of its own.
func TestRouteByFigures(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+`extranonce = "stable"
  request "mining.subscribe" "busy" {
    when = "stats.submitted in [2, 3]"
    route { pool = pool.q }
  }`, `pool "q" {
  server "a" { address = "stratum+tcp://`+other.Addr().String()+`" }
}`))
	s.pool = l
	miner, a := s.working("f0000001", "4")
	own := func(job, coinb1 string) string { return strings.Replace(job, `"01"`, `"01`+coinb1+`"`, 1) }
	for i := range 2 {
		miner.send(share(10+i, "1", "00000"+string(rune('0'+i))))
		a.line()
		a.send(yes(10 + i))
		miner.want(yes(10 + i))
	}
	b := prepared(t, other, "aa01", "4", false)
	miner.want(difficulty("1024.0"), own(job("1_1", true), "aa01"))
	for i := range 2 {
		miner.send(share(20+i, "1_1", "00000"+string(rune('0'+i))))
		b.line()
		b.send(yes(20 + i))
		miner.want(yes(20 + i))
	}
	back := prepared(t, l, "f0000002", "4", false)
	miner.want(difficulty("1024.0"), own(job("2_1", true), "f0000002"))
	miner.send(share(30, "2_1", "000000"))
	back.line()
	s.wantCount(2, "loka_moves_total", "way", "job")
	s.wantCount(1, "loka_sessions_opened_total")
	s.conserved()
}

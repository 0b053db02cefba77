package core_test

import (
	"net"
	"strings"
	"testing"
	"time"
)

// moved moves a miner that can do everything to B, and gives the pools.
func (s *stage) moved(miner *wire, other net.Listener, settings, extranonce1 string) (b *wire) {
	s.t.Helper()
	s.apply(under(other, anyPort+settings))
	b = accept(s.t, other)
	b.admit("1fffe000", extranonce1, "4")
	b.send(difficulty("8"), job("5", true))
	if settings == "" {
		miner.hears("mining.set_extranonce", extranonce1)
	}
	miner.want(difficulty("8"))
	miner.hears("mining.notify")
	return b
}

// TestC52SubmitAnsweredLate switches while a share waits; its answer comes at the end.
func TestC52SubmitAnsweredLate(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort))
	s.pool = l
	miner, a := s.hire(able)
	miner.send(share(4, "1", "00000000"))
	a.want(share(4, "1", "00000000"))
	b := s.moved(miner, other, "", "aa01")
	miner.send(share(4, "1_5", "00000000")) // the same id, at the other pool
	b.want(share(4, "5", "00000000"))
	b.send(`{"id":4,"result":false,"error":[23,"Low",null]}`)
	miner.want(`{"id":4,"result":false,"error":[23,"Low",null]}`)
	a.send(difficulty("3"), job("2", true), mask("00000000"), setExtranonce("ff", 4), ping, reconnect, yes(99), "", "nonsense", yes(4), yes(4))
	miner.want(yes(4))
	still(miner, b)
	s.wantCount(1, "loka_shares_accepted_total")
	s.wantCount(1, "loka_shares_rejected_total")
	s.conserved()
}

// TestC52SubmitNeverAnswered bounds the wait: the miner gets its one answer, and the share
// is lost.
func TestC52SubmitNeverAnswered(t *testing.T) {
	for name, settings := range map[string]string{"pool": "", "stable": stable} {
		t.Run(name, func(t *testing.T) {
			l, other := listen(t), listen(t)
			s := performPolicy(t, under(l, anyPort+settings))
			s.pool = l
			miner, a := s.hire(able)
			nonce := map[string]string{"": "00000000", stable: "000000"}[settings]
			miner.send(share(`"s"`, "1", nonce))
			a.hears("mining.submit")
			b := s.moved(miner, other, settings, "aa01")
			still(miner, b)
			s.pass(29 * time.Second)
			miner.send(share(6, "1", nonce))
			a.hears("mining.submit")
			s.pass(2 * time.Second)
			a.wantClosed()
			miner.want(`{"id":"s","result":null,"error":[21,"Job not found",null]}`, `{"id":6,"result":null,"error":[21,"Job not found",null]}`)
			s.wantCount(2, "loka_shares_lost_total", "reason", "late")
			s.wantCount(0, "loka_shares_pending")
			miner.send(share(7, "1", nonce))
			miner.want(`{"id":7,"result":null,"error":[21,"Job not found",null]}`)
			still(miner, b)
			s.conserved()
		})
	}
}

// TestC52DuringAuthorize switches while the miner waits for a name: the answer is that of
// the pool that it mines at then, and it comes once.
func TestC52DuringAuthorize(t *testing.T) {
	for name, c := range map[string]struct {
		verdict, want string
		late          string // what A says after all; empty for nothing
	}{
		"taken":           {good, `{"id":"m","result":true,"error":null}`, ""},
		"refused":         {`"result":false,"error":null`, `{"id":"m","result":null,"error":[24,"Unauthorized worker",null]}`, ""},
		"A takes it late": {`"result":false,"error":null`, `{"id":"m","result":null,"error":[24,"Unauthorized worker",null]}`, good},
		"A refuses it":    {good, `{"id":"m","result":true,"error":null}`, `"result":null,"error":[24,"no",null]`},
	} {
		t.Run(name, func(t *testing.T) {
			l, other := listen(t), listen(t)
			s := performPolicy(t, under(l, anyPort+stable))
			s.pool = l
			miner, a := s.hire(rig{agent: "cpuminer/2.5.1", size: "4"})
			login := `{"id":"m","method":"mining.authorize","params":["mary","x"]}`
			miner.send(login)
			a.want(login)
			s.apply(under(other, anyPort+stable))
			b := accept(t, other)
			b.answers(b.hears("mining.subscribe"), subscription("aa01", "4"))
			b.answers(b.hears(`["john","x"]`), good)
			b.send(difficulty("8"), job("5", true))
			mary := b.hears(`["mary","x"]`)
			b.done()
			still(miner, a)
			b.answers(mary, c.verdict)
			miner.want(c.want, difficulty("8"))
			miner.hears("1_5")
			if c.late != "" {
				a.answers(login, c.late)
			}
			a.send(ping)
			still(miner, b)
			_ = a.nc.Close()
			still(miner, b)
		})
	}
}

// TestC52NameRefusedByB keeps a miner where its names are taken, also where A has taken one
// only after B has refused it.
func TestC52NameRefusedByB(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+stable))
	s.pool = l
	miner, a := s.hire(rig{agent: "cpuminer/2.5.1", size: "4"})
	login := `{"id":3,"method":"mining.authorize","params":["mary","x"]}`
	miner.send(login)
	a.want(login)
	s.apply(under(other, anyPort+stable))
	b := accept(t, other)
	b.answers(b.hears("mining.subscribe"), subscription("aa01", "4"))
	john, mary := b.hears(`["john","x"]`), b.hears(`["mary","x"]`)
	b.answers(mary, `"result":false,"error":null`)
	b.done()
	a.answers(login, good)
	miner.want(yes(3))
	b.answers(john, good)
	b.send(difficulty("8"), job("5", true))
	b.wantClosed()
	again := accept(t, other)
	again.answers(again.hears("mining.subscribe"), subscription("aa02", "4"))
	again.hears(`["john","x"]`)
	again.answers(again.hears(`["mary","x"]`), `"result":false,"error":null`)
	again.wantClosed()
	still(miner, a)
	s.wantCount(0, "loka_moves_total")
}

// TestC52BDies at every stage of its preparation. The miner stays where it is and loses
// nothing, and moves when B is well.
func TestC52BDies(t *testing.T) {
	stages := []struct {
		name string
		play func(b *wire)
	}{
		{"after the dial", func(*wire) {}},
		{"after configure", func(b *wire) { b.answers(b.hears("mining.configure"), granted("1fffe000")) }},
		{"after subscribe", func(b *wire) {
			b.answers(b.hears("mining.configure"), granted("1fffe000"))
			b.answers(b.hears("mining.subscribe"), subscription("aa01", "4"))
		}},
		{"after authorize", func(b *wire) { b.admit("1fffe000", "aa01", "4") }},
		{"after the difficulty", func(b *wire) {
			b.admit("1fffe000", "aa01", "4")
			b.send(difficulty("8"))
		}},
	}
	for _, stage := range stages {
		for name, settings := range map[string]string{"pool": "", "stable": stable} {
			t.Run(stage.name+" "+name, func(t *testing.T) {
				l, other := listen(t), listen(t)
				s := performPolicy(t, under(l, anyPort+settings))
				s.pool = l
				miner, a := s.hire(able)
				nonce := map[string]string{"": "00000000", stable: "000000"}[settings]
				miner.send(share(4, "1", nonce))
				a.hears("mining.submit")
				s.apply(under(other, anyPort+settings))
				b := accept(t, other)
				stage.play(b)
				_ = b.nc.Close()
				s.wantCount(1, "loka_moves_failed_total")
				a.send(yes(4))
				miner.want(yes(4))
				still(miner, a)
				b = accept(t, other)
				b.admit("1fffe000", "aa02", "4")
				b.send(difficulty("8"), job("5", true))
				if settings == "" {
					miner.hears("mining.set_extranonce", "aa02")
				}
				miner.want(difficulty("8"))
				miner.hears(`"1_5"`)
				s.wantCount(1, "loka_shares_accepted_total")
				s.conserved()
			})
		}
	}
}

// TestC52ADiesWhileBIsPrepared has the miner mine nothing for a moment, and get an answer to
// all that it asked.
func TestC52ADiesWhileBIsPrepared(t *testing.T) {
	for name, settings := range map[string]string{"pool": "", "stable": stable} {
		t.Run(name, func(t *testing.T) {
			l, other := listen(t), listen(t)
			s := performPolicy(t, under(l, anyPort+settings))
			s.pool = l
			miner, a := s.hire(able)
			nonce := map[string]string{"": "00000000", stable: "000000"}[settings]
			s.apply(under(other, anyPort+settings))
			b := accept(t, other)
			configure := b.hears("mining.configure")
			miner.send(share(4, "1", nonce), `{"id":5,"method":"mining.get_transactions","params":["1"]}`,
				`{"id":6,"method":"mining.suggest_difficulty","params":[4]}`, `{"id":"m","method":"mining.authorize","params":["mary","x"]}`)
			for range 4 {
				a.line()
			}
			a.reset()
			miner.want(`{"id":4,"result":null,"error":[21,"Job not found",null]}`, `{"id":5,"result":null,"error":[20,"No answer from the pool",null]}`)
			miner.send(share(7, "1", nonce), `{"id":8,"method":"mining.extranonce.subscribe","params":[]}`, `{"id":9,"method":"mining.get_transactions","params":["1"]}`)
			miner.want(`{"id":7,"result":null,"error":[21,"Job not found",null]}`, `{"id":8,"result":true,"error":null}`, `{"id":9,"result":null,"error":[20,"No pool at the moment",null]}`)
			b.answers(configure, granted("1fffe000"))
			b.admit("1fffe000", "aa01", "4")
			b.answers(b.hears("mary"), good)
			b.hears("mining.suggest_difficulty", "[4]")
			b.send(difficulty("8"), job("5", true))
			miner.want(`{"id":"m","result":true,"error":null}`)
			if settings == "" {
				miner.hears("mining.set_extranonce")
			}
			miner.want(difficulty("8"))
			miner.hears(`"1_5"`)
			s.conserved()
		})
	}
}

// TestC52TwoNames has shares go under the name that each has at the pool of its job.
func TestC52TwoNames(t *testing.T) {
	l, other := listen(t), listen(t)
	settings := stable + `
  request "mining.authorize" "map" {
    set { user = "(pool == 'pool.p' ? 'P.' : 'Q.') + user" }
  }`
	two := func(home string) string {
		return strings.Replace(under(l, anyPort+settings, `pool "q" {
  server "a" { address = "stratum+tcp://`+other.Addr().String()+`" }
}`), "pool = pool.p", "pool = pool."+home, 1)
	}
	s := performPolicy(t, two("p"))
	s.pool = l
	miner, a := s.hire(rig{agent: "cpuminer/2.5.1", size: "4"})
	miner.send(`{"id":3,"method":"mining.authorize","params":["mary","x"]}`)
	a.hears("P.mary")
	a.send(yes(3))
	miner.want(yes(3))
	s.apply(two("q"))
	b := accept(t, other)
	b.answers(b.hears("mining.subscribe"), subscription("aa01", "4"))
	b.answers(b.hears("Q.john"), good)
	b.answers(b.hears("Q.mary"), good)
	b.send(difficulty("8"), job("5", true))
	miner.want(difficulty("8"))
	miner.hears("1_5")
	for i, c := range []struct {
		name, job, want string
		to              *wire
	}{{"john", "1", "P.john", a}, {"mary", "1", "P.mary", a}, {"john", "1_5", "Q.john", b}, {"mary", "1_5", "Q.mary", b}} {
		miner.send(strings.Replace(share(10+i, c.job, "000000"), "john", c.name, 1))
		c.to.hears(`["` + c.want + `","`)
		c.to.send(yes(10 + i))
		miner.want(yes(10 + i))
	}
	miner.send(strings.Replace(share(20, "1_5", "000000"), "john", "eve", 1))
	miner.want(`{"id":20,"result":null,"error":[24,"Unauthorized worker",null]}`)
	s.wantCount(2, "loka_shares_accepted_total", "pool", "pool.p")
	s.wantCount(2, "loka_shares_accepted_total", "pool", "pool.q")
	s.conserved()
}

// TestSharesUnderAKeptName: a name that only the next pool is asked for is nobody at this one.
func TestSharesUnderAKeptName(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+`extranonce = "stable"
  request "mining.authorize" "guest" {
    when = "user startsWith 'guest'"
    set { user = "'G.' + user" }
    route { pool = pool.q }
  }`, `pool "q" {
  server "a" { address = "stratum+tcp://`+other.Addr().String()+`" }
}`))
	s.pool = l
	miner, a := s.ownPair()
	a.send(difficulty("1"), job("1", true)) // to whoever subscribes
	miner.want(difficulty("1"))
	miner.line()
	miner.send(`{"id":2,"method":"mining.authorize","params":["guest.1","x"]}`, strings.Replace(share(3, "1", "000000"), "john", "guest.1", 1))
	miner.want(`{"id":3,"result":null,"error":[24,"Unauthorized worker",null]}`)
	still(miner, a)
	b := accept(t, other)
	b.answers(b.hears("mining.subscribe"), subscription("aa01", "4"))
	b.answers(b.hears("G.guest.1"), good)
	b.send(job("5", true))
	miner.want(yes(2))
	s.wantCount(1, "loka_shares_denied_total")
	s.conserved()
}

// ownPair gives a miner whose extranonce is its own, subscribed.
func (s *stage) ownPair() (miner, pool *wire) {
	s.t.Helper()
	miner = s.miner()
	miner.send(subscribe)
	pool = s.accept()
	pool.answers(pool.line(), subscription("f0000001", "4"))
	miner.line()
	return miner, pool
}

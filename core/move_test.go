package core_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// The lines of a miner that wants to be told of another extranonce, and its pool's.
const (
	xnsub   = `{"id":3,"method":"mining.extranonce.subscribe","params":[]}`
	xnsubOK = `{"id":3,"result":true,"error":null}`
)

// job is a notify with an id.
func job(id string, clean bool) string {
	return fmt.Sprintf(`{"id":null,"method":"mining.notify","params":["%s","00","01","02",[],"20000000","1d00ffff","66a0b1c2",%t]}`, id, clean)
}

func difficulty(d string) string {
	return `{"id":null,"method":"mining.set_difficulty","params":[` + d + `]}`
}

// share is a submit of the miner for a job.
func share(id any, job, extranonce2 string) string {
	return fmt.Sprintf(`{"id":%v,"method":"mining.submit","params":["john","%s","%s","66a0b1c2","deadbeef"]}`, id, job, extranonce2)
}

func yes(id int) string { return fmt.Sprintf(`{"id":%d,"result":true,"error":null}`, id) }

// working gives a miner that has a name and a job, and asked for what is in asks.
func (s *stage) working(extranonce1, size string, asks ...string) (miner, pool *wire) {
	s.t.Helper()
	miner = s.miner()
	miner.send(subscribe)
	pool = s.accept()
	pool.line()
	pool.send(`{"id":1,"result":[[["mining.notify","s1"]],"` + extranonce1 + `",` + size + `],"error":null}`)
	miner.line()
	for _, ask := range asks {
		miner.send(ask)
		pool.want(ask)
		pool.send(xnsubOK)
		miner.want(xnsubOK)
	}
	miner.send(`{"id":2,"method":"mining.authorize","params":["john","x"]}`)
	pool.line()
	pool.send(yes(2), difficulty("512"), job("1", true))
	miner.want(yes(2), difficulty("512"))
	miner.line()
	return miner, pool
}

// field takes a value out of a line by its key.
func field(line, key string) string {
	_, rest, _ := strings.Cut(line, `"`+key+`":`)
	rest, _, _ = strings.Cut(rest, ",")
	return rest
}

// prepared plays the pool that a miner is moved to: it is told all that the first was, but
// no session id, and gives work.
func prepared(t *testing.T, l net.Listener, extranonce1, size string, asked bool) *wire {
	t.Helper()
	pool := accept(t, l)
	hello := pool.line()
	if !strings.Contains(hello, `"method":"mining.subscribe","params":["cpuminer/2.5.1"]`) {
		t.Fatalf("the new pool hears %s", hello)
	}
	pool.send(`{"id":` + field(hello, "id") + `,"result":[[["mining.notify","s2"]],"` + extranonce1 + `",` + size + `],"error":null}`)
	if asked {
		if ask := pool.line(); !strings.Contains(ask, "mining.extranonce.subscribe") {
			t.Fatalf("the new pool hears %s", ask)
		}
	}
	login := pool.line()
	if !strings.Contains(login, `"method":"mining.authorize","params":["john","x"]`) {
		t.Fatalf("the new pool hears %s", login)
	}
	pool.send(`{"id":`+field(login, "id")+`,"result":true,"error":null}`, difficulty("1024.0"), job("1", false))
	return pool
}

// TestC44C45MoveByExtranonce edits the pool of a miner that wants to be told: it gets all
// of the new pool's state at once, when that is complete, and keeps its connection.
func TestC44C45MoveByExtranonce(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort))
	s.pool = l
	miner, a := s.working("f0000001", "4", xnsub)
	s.apply(under(other, anyPort))
	b := prepared(t, other, "aa0002", "6", true)
	miner.want(`{"id":null,"method":"mining.set_extranonce","params":["aa0002",6]}`, difficulty("1024.0"), job("1_1", true))

	t.Run("C46C47 shares go to the owners of their jobs", func(t *testing.T) {
		miner.send(share(4, "1", "00000000"), share(4, "1_1", "000000000000"))
		a.want(share(4, "1", "00000000"))
		b.want(share(4, "1", "000000000000"))
		b.send(`{"id":4,"result":false,"error":[23,"Low difficulty share",null]}`)
		miner.want(`{"id":4,"result":false,"error":[23,"Low difficulty share",null]}`)
		a.send(job("2", true), yes(4))
		miner.want(yes(4))
	})
	s.wantCount(1, "loka_shares_accepted_total", "pool", "pool.p")
	_ = a.nc.Close()
	s.wantCount(1, "loka_sessions")
	s.conserved()
}

// TestMoveByJob moves a miner whose extranonce is its own: any client understands a job.
func TestMoveByJob(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+"extranonce = \"stable\"\n"))
	s.pool = l
	miner := s.miner()
	miner.send(`{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1", "old session"]}`)
	a := s.accept()
	a.want(`{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1"]}`)
	a.send(`{"id":1,"result":[[["mining.notify","s1"]],"f0000001",8],"error":null}`)
	hello := miner.line()
	own := strings.Split(hello, `"`)[9]
	if !strings.HasSuffix(hello, `"`+own+`",3],"error":null}`) || len(own) != 2 || strings.Contains(hello, "s1") {
		t.Fatalf("the miner gets %s", hello)
	}
	miner.send(`{"id":2,"method":"mining.authorize","params":["john","x"]}`)
	a.line()
	a.send(yes(2), difficulty("512"), job("1", true))
	miner.want(yes(2), difficulty("512"), strings.Replace(job("1", true), `"01"`, `"01f000000100000000"`, 1))
	miner.send(share(4, "1", "abcdef"))
	a.want(share(4, "1", "00000000"+own+"abcdef"))
	miner.send(share(5, "1", "abcd"))
	miner.want(`{"id":5,"result":null,"error":[20,"Incorrect size of extranonce2",null]}`)
	a.send(`{"id":null,"method":"mining.set_extranonce","params":["f1",5]}`, job("2", false))
	miner.want(strings.Replace(job("2", false), `"01"`, `"01f100"`, 1))
	miner.send(share(6, "2", "abcdef"), share(7, "1", "000001"))
	a.want(share(6, "2", "00"+own+"abcdef"), share(7, "1", "00000000"+own+"000001"))
	a.send(yes(4), yes(6), yes(7))
	miner.want(yes(4), yes(6), yes(7))

	s.apply(under(other, anyPort+"extranonce = \"stable\"\n"))
	b := prepared(t, other, "aa0002", "4", false)
	miner.want(difficulty("1024.0"), strings.Replace(job("1_1", true), `"01"`, `"01aa0002"`, 1))
	miner.send(share(8, "1_1", "000002"), share(9, "2", "000003"))
	b.want(share(8, "1", own+"000002"))
	a.want(share(9, "2", "00"+own+"000003"))
	a.send(`{"id":9,"result":null,"error":[21,"Stale",null]}`)
	miner.want(`{"id":9,"result":null,"error":[21,"Stale",null]}`)
	b.send(yes(8))
	miner.want(yes(8))

	t.Run("a pool that goes is left for the next connection", func(t *testing.T) {
		miner.send(share(10, "1_1", "000004"))
		b.line()
		_ = b.nc.Close()
		miner.want(`{"id":10,"result":null,"error":[21,"Job not found",null]}`)
		again := prepared(t, other, "aa0003", "4", false)
		miner.want(difficulty("1024.0"), strings.Replace(job("2_1", true), `"01"`, `"01aa0003"`, 1))
		miner.send(share(11, "1_1", "000005"))
		miner.want(`{"id":11,"result":null,"error":[21,"Job not found",null]}`)
		miner.send(share(12, "2_1", "000006"))
		again.want(share(12, "1", own+"000006"))
		again.send(yes(12))
		miner.want(yes(12))
	})
	s.wantCount(1, "loka_sessions")
	s.wantCount(1, "loka_shares_lost_total")
	s.wantCount(2, "loka_moves_total", "way", "job")
	s.conserved()
}

// TestRouteByUser has the name decide where a miner belongs: the pool that it subscribed
// to is not asked for the name, and the answer is that of the pool that is.
func TestRouteByUser(t *testing.T) {
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
	for _, pipelined := range []bool{false, true} {
		login := `{"id":"auth","method":"mining.authorize","params":["guest.1","x"]}`
		miner := s.miner()
		miner.send(subscribe)
		if pipelined {
			miner.send(login)
		}
		a := s.accept()
		a.line()
		a.send(subscribed)
		miner.line()
		if !pipelined {
			miner.send(login)
		}
		b := accept(t, other)
		hello := b.line()
		b.send(`{"id":` + field(hello, "id") + `,"result":[[],"aa01",4],"error":null}`)
		asked := b.line()
		if !strings.Contains(asked, `["G.guest.1","x"]`) {
			t.Fatalf("the pool hears %s", asked)
		}
		b.send(`{"id":`+field(asked, "id")+`,"result":true,"error":null}`, difficulty("8"), job("7", true))
		miner.want(`{"id":"auth","result":true,"error":null}`, difficulty("8"), strings.Replace(job("1_7", true), `"01"`, `"01aa01"`, 1))
		miner.send(strings.Replace(share(9, "1_7", "abcdef"), "john", "guest.1", 1))
		if got := b.line(); !strings.Contains(got, `["G.guest.1","7",`) {
			t.Errorf("the share is %s", got)
		}
		miner.send(`{"id":10,"method":"mining.authorize","params":["john","x"]}`) // the first name has decided
		b.want(`{"id":10,"method":"mining.authorize","params":["john","x"]}`)
		_ = miner.nc.Close()
		a.wantClosed()
	}
}

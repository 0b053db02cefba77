package core_test

import (
	"net"
	"strings"
	"testing"
	"time"
)

// TestPolicyChangesUnderway changes the pool again and again while the miner is on its way
// to the one before: it goes to the next at once, however often that happens.
func TestPolicyChangesUnderway(t *testing.T) {
	l, x, y := listen(t), listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort))
	s.pool = l
	s.working("f0000001", "4", xnsub)
	began := time.Now()
	s.apply(under(x, anyPort))
	at, next := x, y
	for range 6 {
		changed(t, at, func() { s.apply(under(next, anyPort)) })
		at, next = next, at
	}
	prepared(t, at, "aa0002", "6", true)
	s.wantCount(1, "loka_moves_total")
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %s", took)
	}
}

// changed plays a pool that a miner is moved to, while the policy changes.
func changed(t *testing.T, l net.Listener, change func()) {
	t.Helper()
	pool := accept(t, l)
	hello := pool.line()
	change()
	pool.send(`{"id":` + field(hello, "id") + `,"result":[[["mining.notify","s2"]],"aa0003",6],"error":null}`)
	for login := ""; !strings.Contains(login, "mining.authorize"); {
		login = pool.line()
		if strings.Contains(login, "mining.authorize") {
			pool.send(`{"id":`+field(login, "id")+`,"result":true,"error":null}`, difficulty("1024.0"), job("1", false))
		}
	}
	pool.wantClosed()
}

package core_test

import (
	"net"
	"strings"
	"testing"
	"time"
)

func reconnectTo(params string) string {
	return `{"id":null,"method":"client.reconnect","params":[` + params + `]}`
}

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// TestC54PoolSendsTheMinerAway: loka goes in its place, if it is in the same domain, and
// the miner gets none of it.
func TestC54PoolSendsTheMinerAway(t *testing.T) {
	for _, c := range []struct {
		params string // PORT is the other server's
		to     string // "home", "other", or empty where loka does not go
	}{
		{``, "home"},
		{`"127.0.0.1"`, "home"},
		{`"127.0.0.1",PORT`, "other"},
		{`"127.0.0.1","PORT",0`, "other"},
		{`"127.0.0.1",PORT,"0.1"`, "other"},
		{`null,null,null`, "home"},
		{`"127.0.0.2",PORT`, ""},
		{`"localhost",PORT`, ""},
		{`"pool.example.com",3333`, ""},
	} {
		t.Run(c.params, func(t *testing.T) {
			t.Parallel()
			l, other := listen(t), listen(t)
			s := performPolicy(t, under(l, anyPort+stable))
			s.pool = l
			miner, a := s.hire(rig{agent: "cgminer/4.11.1", size: "4"})
			a.send(reconnectTo(strings.ReplaceAll(c.params, "PORT", portOf(other))))
			still(miner, a)
			still(miner, a) // what came with the first one is seen to by now
			s.wantCount(1, "loka_lines_refused_total", "reason", "reconnect")
			if c.to == "" {
				if !strings.Contains(s.log.String(), "to another domain, where loka does not go") {
					t.Error("the log does not say so")
				}
				s.wantCount(0, "loka_moves_total")
				return
			}
			b := accept(t, map[string]net.Listener{"home": l, "other": other}[c.to])
			b.admit("", "aa01", "4")
			b.send(difficulty("8"), job("1", true))
			miner.want(difficulty("8"))
			miner.hears(`"1_1"`)
			s.wantCount(1, "loka_sessions")
		})
	}
}

// TestC54RulesHaveTheirWay with a pool's client.reconnect.
func TestC54RulesHaveTheirWay(t *testing.T) {
	for name, c := range map[string]struct{ rule, want string }{
		"drop": {`drop {}`, ""},
		"set": {`set {
      host = "'proxy.example.com'"
      port = "3333"
    }`, reconnectTo(`"proxy.example.com",3333,0`)},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t)
			s := performPolicy(t, under(l, anyPort+`
  notification "client.reconnect" "ours" {
    `+c.rule+`
  }`))
			s.pool = l
			miner, a := s.hire(able)
			a.send(reconnectTo(`"127.0.0.1",1,0`))
			if c.want != "" {
				miner.want(c.want)
			}
			still(miner, a)
			s.wantCount(0, "loka_lines_refused_total", "reason", "reconnect")
			s.wantCount(0, "loka_moves_total")
		})
	}
}

// TestC54RoundAndRound has two servers send the miner to each other for ever: each time it
// takes longer.
func TestC54RoundAndRound(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+stable))
	s.pool = l
	miner, a := s.hire(rig{agent: "cgminer/4.11.1", size: "4"})
	for i := range 3 {
		to := []net.Listener{other, l}[i%2]
		sent := time.Now()
		a.send(reconnectTo(`"127.0.0.1",` + portOf(to)))
		a = accept(t, to)
		if took := time.Since(sent); took < time.Second<<i/2 {
			t.Errorf("it takes %s the %d. time", took, i+1)
		}
		a.admit("", "aa01", "4")
		a.send(job("1", true))
		miner.want(difficulty("1"))
		miner.hears("mining.notify")
	}
}

// TestC54WhileItIsPrepared follows a pool that sends those who come to another server, and
// hears no more of one that sends them to another domain.
func TestC54WhileItIsPrepared(t *testing.T) {
	l, front, node := listen(t), listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+stable))
	s.pool = l
	miner, a := s.hire(rig{agent: "cgminer/4.11.1", size: "4"})
	s.apply(under(front, anyPort+stable))
	b := accept(t, front)
	b.hears("mining.subscribe")
	b.send(reconnectTo(`"127.0.0.1",` + portOf(node)))
	b.wantClosed()
	still(miner, a)
	c := accept(t, node)
	c.send(reconnectTo(`"example.com",3333`))
	c.admit("", "aa01", "4")
	c.send(job("1", true))
	miner.want(difficulty("1"))
	miner.hears("mining.notify")
	s.wantCount(1, "loka_endpoint_up")
}

// TestToldOnceToConnectAgain has a miner that does not know client.reconnect be moved again
// and again by the hour: it is told once, and parted with when its time is over.
func TestToldOnceToConnectAgain(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+`
  reconnect_grace = "3s"
  request "mining.subscribe" "drift" {
    when = "stats.submitted > 0"
    route { pool = pool.q }
  }`, `pool "q" {
  server "a" { address = "stratum+tcp://`+other.Addr().String()+`" }
}`))
	s.pool = l
	miner, a := s.hire(rig{agent: "NerdMinerV2/V1.7.0", size: "4"})
	began := time.Now()
	miner.send(share(4, "1", "00000000"))
	a.hears("mining.submit")
	a.send(yes(4))
	miner.want(yes(4), reconnect)
	miner.wantClosed()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it stayed for %s", took)
	}
	s.wantCount(1, "loka_moves_total", "way", "reconnect")
}

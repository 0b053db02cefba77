package core_test

import (
	"net"
	"strings"
	"testing"
)

// routed has two pools; a rule at connect or subscribe sends some miners to the second.
func routed(t *testing.T, rule string) (s *stage, second net.Listener) {
	t.Helper()
	first, second := listen(t), listen(t)
	s = performPolicy(t, `
pool "first" {
  server "a" { address = "stratum+tcp://`+first.Addr().String()+`" }
}
pool "second" {
  server "a" { address = "stratum+tcp://`+second.Addr().String()+`" }
}
proxy "x" {
  pool = pool.first
  listener "tcp" { address = "127.0.0.1:0" }
`+rule+`
  response "mining.subscribe" "who" {
    when = "pool == 'nowhere'"
    drop {}
  }
}`)
	s.pool = first
	return s, second
}

const routeByAgent = `
  request "mining.subscribe" "by_agent" {
    when = "agent startsWith 'bitaxe'"
    route { pool = pool.second }
  }`

const (
	configure = `{"id":1,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"ffffffff"}]}`
	bitaxe    = `{"id":2,"method":"mining.subscribe","params":["bitaxe/BM1370/v2.x"]}`
	bitaxed   = `{"id":2,"result":[[["mining.notify","1"]],"f0000001",8],"error":null}`
)

func configured(id, mask string) string {
	return `{"id":` + id + `,"result":{"version-rolling":true,"version-rolling.mask":"` + mask + `"},"error":null}`
}

func TestRouteAtConnect(t *testing.T) {
	s, second := routed(t, `
  connect "local" {
    when = "inCIDR(client.ip, ['127.0.0.0/8'])"
    route { pool = pool.second }
  }`)
	miner := s.miner()
	miner.send(subscribe)
	pool := accept(t, second)
	pool.want(subscribe)
	pool.send(subscribed)
	miner.want(subscribed)
}

func TestDenyAtConnect(t *testing.T) {
	s, _ := routed(t, `
  connect "never" {
    deny {}
  }`)
	miner := s.miner()
	miner.wantClosed()
	s.wantCount(1, "loka_sessions_closed_total", "reason", "denied")
}

func TestRouteAtSubscribe(t *testing.T) {
	s, second := routed(t, routeByAgent)
	miner := s.miner()
	miner.send(configure, bitaxe) // in one burst: the first pool hears of nothing
	pool := accept(t, second)
	pool.want(configure, bitaxe)
	pool.send(configured("1", "1fffe000"), bitaxed)
	miner.want(configured("1", "1fffe000"), bitaxed)
	if n := s.count("loka_dials_total", "pool", "pool.first"); n != 0 {
		t.Errorf("%v dials of the first pool", n)
	}
	miner.send(submit)
	pool.want(submit)
	s.wantCount(1, "loka_shares_submitted_total", "pool", "pool.second")

	other := s.miner()
	other.send(subscribe)
	s.accept().want(subscribe)
}

// TestRouteAfterConfigure has a miner that waits for the answer to mining.configure
// before it subscribes, as cgminer does. The pool it is routed to then is told the
// same, and its answer is compared, not passed on.
func TestRouteAfterConfigure(t *testing.T) {
	s, second := routed(t, routeByAgent)
	miner := s.miner()
	miner.send(configure)
	first := s.accept()
	first.want(configure)
	first.send(configured("1", "1fffe000"))
	miner.want(configured("1", "1fffe000"))
	miner.send(bitaxe)
	pool := accept(t, second)
	line := pool.line()
	id := strings.TrimSuffix(strings.TrimPrefix(line, `{"id":`), configure[len(`{"id":1`):])
	if line != strings.Replace(configure, `"id":1`, `"id":`+id, 1) || id == "1" {
		t.Fatalf("got %s", line)
	}
	pool.want(bitaxe)
	first.wantClosed()
	pool.send(configured(id, "1fffe000"), bitaxed)
	miner.want(bitaxed)
	miner.send(submit)
	pool.want(submit)
	pool.send(accepted)
	miner.want(accepted)
}

// TestRouteBeforeTheConfigureAnswer: nobody has answered yet, so the second pool does.
func TestRouteBeforeTheConfigureAnswer(t *testing.T) {
	s, second := routed(t, routeByAgent)
	miner := s.miner()
	miner.send(configure)
	first := s.accept()
	first.want(configure)
	miner.send(bitaxe)
	pool := accept(t, second)
	pool.want(configure, bitaxe)
	pool.send(configured("1", "1fffe000"), bitaxed)
	miner.want(configured("1", "1fffe000"), bitaxed)
	first.wantClosed()
}

// TestRouteWhereConfigureIsRefused: both pools refuse it, in words of their own.
func TestRouteWhereConfigureIsRefused(t *testing.T) {
	s, second := routed(t, routeByAgent)
	miner := s.miner()
	miner.send(configure)
	first := s.accept()
	first.want(configure)
	refusal := `{"id":1,"result":null,"error":[-3,"Method not found",null]}`
	first.send(refusal)
	miner.want(refusal)
	miner.send(bitaxe)
	pool := accept(t, second)
	line := pool.line()
	pool.want(bitaxe)
	id := strings.TrimSuffix(strings.TrimPrefix(line, `{"id":`), configure[len(`{"id":1`):])
	pool.send(`{"id":`+id+`,"result":false}`, bitaxed)
	miner.want(bitaxed)
}

// TestRouteToAnotherMask: the miner was told a mask that the second pool does not grant.
func TestRouteToAnotherMask(t *testing.T) {
	s, second := routed(t, routeByAgent)
	miner := s.miner()
	miner.send(configure)
	first := s.accept()
	first.want(configure)
	first.send(configured("1", "1fffe000"))
	miner.want(configured("1", "1fffe000"))
	miner.send(bitaxe)
	pool := accept(t, second)
	line := pool.line()
	pool.want(bitaxe)
	id := strings.TrimSuffix(strings.TrimPrefix(line, `{"id":`), configure[len(`{"id":1`):])
	pool.send(configured(id, "00ffe000"))
	miner.wantClosed()
	pool.wantClosed()
}

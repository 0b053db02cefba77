package policy

import (
	"testing"
	"time"
)

// loadWell loads a policy that must be in order.
func loadWell(t *testing.T, text string) *Policy {
	t.Helper()
	t.Chdir(t.TempDir())
	write(t, "loka.hcl", text)
	p, ds := Load(".", Options{})
	if ds.Len() > 0 {
		t.Fatalf("said of the policy:\n%s", show(t, ds))
	}
	return p
}

// TestSettingsOfPoolsAndProxies reads what a pool says of its servers, and a proxy of
// moving miners.
func TestSettingsOfPoolsAndProxies(t *testing.T) {
	p := loadWell(t, `
pool "given" {
  strategy         = "weighted"
  failback_after   = "2m"
  response_timeout = "20s"
  extranonce2_size = 8
  server "a" {
    address = "stratum+tcp://a.example:3333"
    weight  = 3
  }
  server "b" { address = "stratum+tcp://b.example:3333" }
  health_check {
    interval = "1m"
    failures = 5
  }
}
pool "bare" {
  server "a" { address = "stratum+tcp://a.example:3333" }
}
proxy "given" {
  pool                 = pool.given
  extranonce           = "stable"
  on_all_down          = "hold"
  max_moves_per_second = 7
  max_concurrent_moves = 8
  reconnect_grace      = "9s"
  listener "tcp" { address = ":3333" }
}
proxy "bare" {
  pool = pool.bare
  listener "tcp" { address = ":3334" }
}`)
	given, bare := p.Pools[0], p.Pools[1]
	if given.Strategy != Weighted || given.FailbackAfter != 2*time.Minute || given.ResponseTimeout != 20*time.Second || given.Extranonce2Size != 8 ||
		given.Health != (Health{time.Minute, 5 * time.Second, 5}) || given.Servers[0].Weight != 3 || given.Servers[1].Weight != 1 {
		t.Errorf("the pool is %+v", given)
	}
	if bare.Strategy != Failover || bare.FailbackAfter != time.Minute || bare.ResponseTimeout != 30*time.Second || bare.Extranonce2Size != 4 ||
		bare.Health != (Health{10 * time.Second, 5 * time.Second, 3}) {
		t.Errorf("a pool without settings is %+v", bare)
	}
	if px := p.Proxies[0]; !px.Stable || px.Layout != (Layout{4, 4}) || !px.HoldWhenDown || px.MaxMovesPerSecond != 7 || px.MaxConcurrentMoves != 8 || px.ReconnectGrace != 9*time.Second {
		t.Errorf("the proxy is %+v", px)
	}
	if px := p.Proxies[1]; px.Stable || px.Layout != (Layout{}) || px.HoldWhenDown || px.MaxMovesPerSecond != 100 || px.MaxConcurrentMoves != 100 || px.ReconnectGrace != time.Minute {
		t.Errorf("a proxy without settings is %+v", px)
	}
}

// TestStableLayout is as wide as the narrowest pool that a miner may be sent to.
func TestStableLayout(t *testing.T) {
	for sizes, want := range map[[2]string]Layout{
		{"extranonce2_size = 8", "extranonce2_size = 12"}: {4, 4},
		{"extranonce2_size = 8", "extranonce2_size = 7"}:  {1, 3},
		{"extranonce2_size = 8", ""}:                      {1, 3},
		{"extranonce2_size = 4", "extranonce2_size = 8"}:  {1, 3},
	} {
		p := loadWell(t, `
pool "home" {
  `+sizes[0]+`
  server "a" { address = "stratum+tcp://a.example:3333" }
}
pool "routed" {
  `+sizes[1]+`
  server "a" { address = "stratum+tcp://b.example:3333" }
}
proxy "x" {
  pool       = pool.home
  extranonce = "stable"
  listener "tcp" { address = ":3333" }
  request "mining.subscribe" "away" {
    when = "client.ip == '192.0.2.1'"
    route { pool = pool.routed }
  }
}`)
		if got := p.Proxies[0].Layout; got != want {
			t.Errorf("%v gives %v, not %v", sizes, got, want)
		}
	}
}

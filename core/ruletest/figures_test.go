package ruletest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/rules"
)

const figured = `
pool "a" {
  server "x" { address = "stratum+tcp://127.0.0.1:1" }
}
pool "b" {
  server "x" { address = "stratum+tcp://127.0.0.1:2" }
}
proxy "p" {
  pool = pool.a
  listener "tcp" { address = "127.0.0.1:3333" }
  request "mining.subscribe" "leave" {
    when = "upstream('pool.a').latency_ms > 500 or stats.hashrate > 1e15"
    route { pool = pool.b }
  }
}
`

const figuredTests = `
test "figures hold from where they are given" {
  clock = "2026-03-02T23:30:00+01:00"
  upstream {
    latency_ms  = 80.5
    sessions    = 7
    reject_rate = 0.25
    hashrate    = 5e18
  }
  upstream {
    pool = pool.b
    up   = false
  }
  stats {
    submitted   = 9
    accepted    = 7
    rejected    = 2
    reject_rate = 0.125
  }
  request "mining.subscribe" {
    params = ["x"]
    expect { pool = pool.a }
    assert {
      condition     = "upstream.latency_ms == 80.5 and upstream.sessions == 7 and upstream.reject_rate == 0.25 and upstream.hashrate == 5e18"
      error_message = "upstream"
    }
    assert {
      condition     = "upstream.up and upstream('pool.a').up and not upstream('pool.b').up"
      error_message = "up"
    }
    assert {
      condition     = "stats.submitted == 9 and stats.accepted == 7 and stats.rejected == 2 and stats.reject_rate == 0.125 and stats.hashrate == 0"
      error_message = "stats"
    }
    assert {
      condition     = "clock.weekday == 1 and clock.day == 2 and clock.month == 3 and clock.hour == 23 and clock.minute == 30"
      error_message = "clock"
    }
  }
  notification "mining.set_difficulty" {
    after  = "31m"
    params = [1]
    stats { hashrate = 2e15 }
    expect { pool = pool.b }
    assert {
      condition     = "stats.hashrate == 2e15 and stats.accepted == 7 and clock.day == 3 and clock.hour == 0 and session.pool == 'pool.b' and not upstream.up"
      error_message = "later"
    }
  }
  request "mining.extranonce.subscribe" {
    stats { hashrate = 0 }
    expect { pool = pool.a }
  }
  notification "mining.set_difficulty" {
    params = [1]
    upstream { latency_ms = 501 }
    expect { pool = pool.b }
  }
  notification "mining.set_difficulty" {
    params = [1]
    upstream { latency_ms = 500 }
    expect { pool = pool.a }
  }
}
test "a user before subscribe" {
  request "mining.authorize" {
    params = ["b.rig", "x"]
    expect { pool = pool.b }
  }
  request "mining.subscribe" {
    params = ["x"]
    expect { pool = pool.b }
  }
}
test "users" {
  request "mining.subscribe" {
    params = ["x"]
    expect { pool = pool.a }
  }
  request "mining.authorize" {
    params = ["b.rig", "x"]
    expect { pool = pool.b }
  }
  request "mining.authorize" {
    params = ["a.rig", "x"]
    expect { pool = pool.b }
  }
}
`

// loadText loads a policy and its tests.
func loadText(t *testing.T, policies, tests string) []*policy.Test {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"loka.hcl": policies, "x.test.hcl": tests} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	suites, ds := policy.LoadTests(dir, policy.Options{})
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	return suites[0].Files[0].Tests
}

// TestFigures runs tests that say what is known of pools and of the session.
func TestFigures(t *testing.T) {
	test := loadText(t, figured, figuredTests)[0]
	for _, s := range Run(test, Options{}).Steps {
		if !s.Passed() {
			t.Errorf("%s: %v %v %s", s.Step.Title, s.Diffs, s.Broken, s.Problem)
		}
	}
	test.Steps[4].Figures = nil
	if Run(test, Options{}).Passed() {
		t.Error("it passes without its last figure")
	}
}

// TestRouteByUser authorizes users before and behind subscribe; of two the first decides.
func TestRouteByUser(t *testing.T) {
	tests := loadText(t, figured, figuredTests)
	program, errs := rules.Compile([]rules.Rule{{
		Address: "x", Kind: rules.Request, Method: "mining.authorize", When: &rules.Source{Text: "user startsWith 'b.'"}, Route: "pool.b",
	}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, test := range tests[1:] {
		test.Proxy.Program = program
		for _, s := range Run(test, Options{}).Steps {
			if !s.Passed() {
				t.Errorf("%s, %s: %v %s", test.Name, s.Step.Title, s.Diffs, s.Problem)
			}
		}
	}
}

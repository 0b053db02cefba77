package ruletest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/rules"
)

const benched = `
pool "a" {
  server "x" { address = "stratum+tcp://127.0.0.1:1" }
}
proxy "p" {
  pool = pool.a
  listener "tcp" { address = "127.0.0.1:3333" }
  request "mining.authorize" "first" {
    set { user = "'W.' + user" }
  }
  request "mining.authorize" "second" {
    when = "user startsWith 'W.'"
    set { password = "'p'" }
  }
  request "mining.authorize" "third" {
    when = "password == 'p' and user == 'W.john'"
    drop {}
  }
  response "mining.authorize" "fourth" {
    set { error = "[20, 'first', nil]" }
  }
  response "mining.authorize" "fifth" {
    when = "error != nil and error[1] == 'first'"
    set { result = "'second'" }
  }
  response "mining.authorize" "sixth" {
    when = "result == 'second'"
    drop {}
  }
}
`

// TestBenchShowsWhatRulesSee measures rules that match only behind others.
func TestBenchShowsWhatRulesSee(t *testing.T) {
	dir := t.TempDir()
	tests := `
test "t" {
  request "mining.authorize" {
    params = ["john", "x"]
    expect { verdict = "drop" }
  }
}
test "the answer to one that was not dropped" {
  response "mining.authorize" {
    params = ["john", "x"]
    result = true
  }
}
`
	for name, text := range map[string]string{"loka.hcl": benched, "loka.test.hcl": tests} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	suites, diags := policy.LoadTests(dir, policy.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	b := NewBench()
	for _, test := range suites[0].Files[0].Tests {
		Run(test, Options{Watch: func(t *policy.Test, w exchange.Walk) { b.Watch(t, w) }})
	}
	if len(b.order) != 8 {
		t.Errorf("there are %d things to measure, not 6 rules and 2 methods: %q", len(b.order), b.order)
	}
	for _, name := range b.order {
		for _, m := range b.cases[name] {
			var d rules.Decision
			m.chain.Decide(m.msg, m.facts, &d)
			if len(d.Matched) == 0 {
				t.Errorf("%s does not match what it is measured on: %v", name, m.msg)
			}
		}
	}
}

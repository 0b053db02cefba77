package ruletest_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/ruletest"
)

// vault is a policy with secrets that are hard to hide: one with characters that are
// escaped, a number, and a word of every report.
const vault = `
variable "token" {
  default   = "my#to\"ken-Q"
  sensitive = true
}
variable "pin" {
  type      = number
  default   = 1234
  sensitive = true
}
variable "name" {
  default   = "secret-name"
  sensitive = true
}
variable "word" {
  default   = "pass"
  sensitive = true
}
pool "a" {
  server "x" { address = "stratum+tcp://127.0.0.1:1" }
}
proxy "p" {
  pool = pool.a
  listener "tcp" { address = "127.0.0.1:3333" }
`

// run runs the tests of a policy.
func run(t *testing.T, rules, tests string) (list []*ruletest.Result) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"loka.hcl": vault + rules + "}\n", "loka.test.hcl": tests} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	suites, diags := policy.LoadTests(".", policy.Options{})
	if diags.HasErrors() {
		var b bytes.Buffer
		_ = diags.Write(&b)
		t.Fatalf("the tests do not load:\n%s", b.String())
	}
	for _, file := range suites[0].Files {
		for _, test := range file.Tests {
			list = append(list, ruletest.Run(test, ruletest.Options{}))
		}
	}
	return list
}

// reports gives every report of some results by its name.
func reports(t *testing.T, list []*ruletest.Result) map[string]string {
	t.Helper()
	var text, lines, tap, xml bytes.Buffer
	told := ruletest.NewText(&text)
	told.Verbose = true
	all := []interface{ Result(*ruletest.Result) }{told, ruletest.NewJSON(&lines), ruletest.NewTAP(&tap), &ruletest.JUnit{}}
	for _, report := range all {
		for _, r := range list {
			report.Result(r)
		}
	}
	if err := all[3].(*ruletest.JUnit).Write(&xml); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"text": text.String(), "json": lines.String(), "tap": tap.String(), "junit": xml.String()}
}

// TestSecretsInReports shows messages with secrets that are escaped once or twice, and
// with what rules made of secrets, as texts, in lists and as numbers.
func TestSecretsInReports(t *testing.T) {
	list := run(t, `
  request "mining.authorize" "all" {
    set { params = "[var.token, 'a', upper(var.token) + user]" }
  }
  request "mining.submit" "secret-name" {
    set { user = "'W.' + replace(upper(var.token), '#', '-')" }
  }
  request "mining.ping" "number" {
    set { params = "[var.pin, {a: var.pin * 10}]" }
  }
`, `
test "quoted" {
  for_each = toset(["my#to\"ken-Q"])
  request "mining.authorize" {
    params = ["john"]
    expect { line = "{}" }
  }
  request "mining.submit" {
    params = ["my#to\"ken-Q", "1", "2", "3", "4"]
    expect {
      user      = "nobody"
      pool_user = "nobody"
      rules     = ["proxy.p.request.secret-name"]
      params    = [{ "my#to\"ken-Q" = "W.MY-TO\"KEN-Q" }]
    }
    assert {
      condition     = "false"
      error_message = "not my#to\"ken-Q"
    }
  }
  request "mining.ping" {
    params = []
    expect { params = [1234] }
  }
}
`)
	for name, text := range reports(t, list) {
		for _, part := range []string{"ken-Q", "KEN-Q", "1234", "my#", `my\#`, "MY", "secret-name"} {
			if strings.Contains(text, part) {
				t.Errorf("%s tells %s:\n%s", name, part, text)
			}
		}
		if !strings.Contains(text, "(sensitive)") {
			t.Errorf("%s tells nothing:\n%s", name, text)
		}
	}
}

// TestReportsStayWhole has secrets that are words and numbers of the reports themselves.
func TestReportsStayWhole(t *testing.T) {
	list := run(t, `
  request "mining.ping" "number" {
    set { params = "[var.pin, var.word, 1.5]" }
  }
`, `
test "passed" {
  request "mining.ping" {
    params = []
    expect { user = "" }
  }
}
test "failed" {
  request "mining.ping" {
    params = [1234]
    expect {
      params = [{ x = "pass", pass = 1234 }]
      line   = "none"
    }
  }
}
`)
	all := reports(t, list)
	var status []string
	dec := json.NewDecoder(strings.NewReader(all["json"]))
	for dec.More() {
		var r struct {
			Status string
			Steps  []struct {
				Status string
				Diff   []struct{ Want, Got any }
			}
		}
		if err := dec.Decode(&r); err != nil {
			t.Fatalf("%v:\n%s", err, all["json"])
		}
		status = append(status, r.Status, r.Steps[0].Status)
		for _, d := range r.Steps[0].Diff {
			if line, ok := d.Got.(string); ok && !json.Valid([]byte(line)) {
				t.Errorf("the line is no JSON any more: %s", line)
			}
		}
	}
	if got := strings.Join(status, " "); got != "pass pass fail fail" {
		t.Errorf("the tests are told as %q", got)
	}
	if !strings.Contains(all["json"], `"got":["(sensitive)","(sensitive)",1.5]`) {
		t.Errorf("the numbers are told as\n%s", all["json"])
	}
	if err := xml.Unmarshal([]byte(all["junit"]), new(struct{})); err != nil {
		t.Error(err)
	}
}

// TestControlCharacters has a miner and an assert that would paint the terminal.
func TestControlCharacters(t *testing.T) {
	list := run(t, "", `
test "clear" {
  request "mining.ping" {
    line = "\u001b[2J\u009b2J\u202e"
    expect { verdict = "drop" }
    assert {
      condition     = "false"
      error_message = "\u001b[2J\nok 8"
    }
  }
}
`)
	for name, text := range reports(t, list) {
		if strings.ContainsAny(text, "\x1b\u009b\u202e\r") || strings.Contains(text, "\nok ") {
			t.Errorf("%s obeys:\n%q", name, text)
		}
	}
	traced := ruletest.Traced{Kind: "request", In: "\x1b[2J\n", ToPool: []string{"\u009b2J"}, Rules: []ruletest.RuleTrace{{Failed: "\a"}}}
	var b bytes.Buffer
	traced.Write(&b)
	if strings.ContainsAny(b.String(), "\x1b\u009b\a") || !strings.Contains(b.String(), `│ in   \u001b[2J\u000a`) {
		t.Errorf("the trace obeys:\n%q", b.String())
	}
}

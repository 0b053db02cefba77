package policy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loka-proxy/loka/rules"
)

// TestPoolReferences names pools in all the ways there are.
func TestPoolReferences(t *testing.T) {
	files(t, "loka.hcl", `
locals {
  sites = { b = ":4441", a = ":4442" }
  where = {
    x = { pool = pool.main, port = 4443 }
    y = { pool = pool.site["a"], port = 4444 }
  }
}
pool "main" {
  server "a" { address = "stratum+tcp://a.example:3333" }
}
pool "site" {
  for_each = local.sites
  server "a" { address = "stratum+tcp://${each.key}.example:3333" }
}
proxy "site" {
  for_each = local.sites
  pool     = pool.site[each.key]
  listener "tcp" { address = each.value }
  use "r" { backup = pool.main }
}
proxy "where" {
  for_each = local.where
  pool     = each.value.pool
  dynamic "listener" {
    for_each = [each.value.port, each.value.port + 10]
    labels   = ["tcp"]
    content { address = ":${listener.value}" }
  }
}
proxy "set" {
  for_each = toset(["b"])
  pool     = each.key == "b" ? pool.site.b : pool.main
  listener "tcp" { address = ":4460" }
}
ruleset "r" {
  variable "backup" { type = any }
  connect "away" {
    route { pool = var.backup }
  }
  request "mining.subscribe" "away" {
    route { pool = pool.site["b"] }
  }
}
`)
	p := load(t, ".", Options{})
	var got []string
	for _, proxy := range p.Proxies {
		line := fmt.Sprint(proxy.Address, " ", proxy.Pool.Address, " ", sortedNames(proxy.Routes))
		for _, l := range proxy.Listeners {
			line += " " + l.Address
		}
		got = append(got, line)
	}
	want := []string{
		`proxy.site["a"] pool.site["a"] [pool.main pool.site["b"]] :4442`,
		`proxy.site["b"] pool.site["b"] [pool.main pool.site["b"]] :4441`,
		`proxy.where["x"] pool.main [] :4443 :4453`,
		`proxy.where["y"] pool.site["a"] [] :4444 :4454`,
		`proxy.set["b"] pool.site["b"] [] :4460`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("proxies (-want +got):\n%s", diff)
	}
}

// TestUnusedRuleset checks rules that nobody uses, and those whose use fails.
func TestUnusedRuleset(t *testing.T) {
	const ruleset = `
ruleset "r" {
  variable "net" { type = list(string) }
  variable "name" { type = string }
  variable "any" { type = any }
  connect "c" {
    when = "not inCIDR(client.ip, var.net)"
    deny { message = "not ${var.name}" }
  }
  request "mining.authorize" "x" {
    when = "user == var.nme"
    drop {}
  }
}
`
	said := func(policy string) string {
		files(t, "loka.hcl", policy)
		_, ds := Load(".", Options{})
		var list []string
		for _, d := range ds {
			list = append(list, d.Summary)
		}
		return strings.Join(list, ", ")
	}
	typed := strings.Replace(ruleset, `  variable "any" { type = any }`, "", 1)
	for name, test := range map[string]struct{ policy, want string }{
		"unused":              {base + typed, "Unknown name in expression"},
		"unused and sound":    {base + strings.Replace(typed, "var.nme", "var.name", 1), "Ruleset never used"},
		"of any type":         {base + ruleset, "Unknown name in expression"},
		"use without a value": {strings.Replace(base, "pool.main\n", "pool.main\n use \"r\" {}\n", 1) + typed, "Missing ruleset argument, Missing ruleset argument, Unknown name in expression"},
	} {
		// The two missing arguments are at one place, and are one diagnostic.
		want := strings.Replace(test.want, "Missing ruleset argument, Missing", "Missing", 1)
		if got := said(test.policy); got != want {
			t.Errorf("%s: said %q, not %q", name, got, want)
		}
	}
}

// TestLocate finds an expression that failed on a message.
// TestDiagnoseRedacts: what fails at run time is told without what is sensitive, be it
// in the quoted line or in the words.
func TestDiagnoseRedacts(t *testing.T) {
	text := "variable \"secret\" {\n  default   = \"hunter22\"\n  sensitive = true\n}\n" +
		policyWith("    when = \"user == 'hunter22' + params[5]\"\n")
	p, ds := loadText(t, text)
	if ds.HasErrors() {
		t.Fatalf("said:\n%s", show(t, ds))
	}
	when := p.Proxies[0].Program.Rules()[0].When
	got := show(t, Diagnostics{p.Diagnose(&rules.Error{Origin: when.Origin, From: -1, To: -1, Summary: "Expression failed", Detail: "There is no key hunter22."})})
	if strings.Contains(got, "hunter22") || !strings.Contains(got, "'********' + params[5]") {
		t.Errorf("said:\n%s", got)
	}
}

func TestLocate(t *testing.T) {
	text := policyWith("    when = \"params[5] == 'x'\"\n")
	p, ds := loadText(t, text)
	if ds.Len() > 0 {
		t.Fatalf("said:\n%s", show(t, ds))
	}
	when := p.Proxies[0].Program.Rules()[0].When
	err := &rules.Error{Origin: when.Origin, From: 0, To: 9, Summary: "Expression failed", Detail: "Index out of range: 5 (array length is 2)."}
	if got := p.Locate(err); got != "loka.hcl:10:13" {
		t.Errorf("located at %q", got)
	}
	want := `Error: Expression failed

  on loka.hcl:10:13, in proxy "main", request "mining.authorize" "rule":

  10 │     when = "params[5] == 'x'"
     │             ^^^^^^^^^

  Index out of range: 5 (array length is 2).
`
	if diff := cmp.Diff(want, show(t, Diagnostics{p.Diagnose(err)})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := p.Locate(&rules.Error{}); got != "" {
		t.Errorf("an error from nowhere is at %q", got)
	}
}

func TestJSON(t *testing.T) {
	_, ds := loadText(t, policyWith("    when = \"usr == 'x'\"\n"))
	var got []map[string]any
	if err := json.Unmarshal(ds.JSON(), &got); err != nil {
		t.Fatal(err)
	}
	delete(got[0], "detail")
	want := []map[string]any{{
		"severity": "error",
		"summary":  "Unknown name in expression",
		"range": map[string]any{
			"filename": "loka.hcl",
			"start":    map[string]any{"line": 10.0, "column": 13.0, "byte": 199.0},
			"end":      map[string]any{"line": 10.0, "column": 16.0, "byte": 202.0},
		},
		"snippet": map[string]any{
			"context":                `proxy "main", request "mining.authorize" "rule"`,
			"code":                   `    when = "usr == 'x'"`,
			"start_line":             10.0,
			"highlight_start_offset": 12.0,
			"highlight_end_offset":   15.0,
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	if got := string(Diagnostics(nil).JSON()); got != "[]" {
		t.Errorf("nothing is %s", got)
	}
	if got := ds.Error(); got != `loka.hcl:10:13: Unknown name in expression: There is no "usr" here. Did you mean "user"?` {
		t.Errorf("on one line: %s", got)
	}
}

// TestTabs makes sure that carets stand under their words behind tabs too.
func TestTabs(t *testing.T) {
	_, ds := loadText(t, policyWith("\t\twhen = \"usr == 'x'\"\n"))
	if got := show(t, ds); !strings.Contains(got, "\n  10 │ \t\twhen = \"usr == 'x'\"\n     │ \t\t        ^^^\n") {
		t.Errorf("said:\n%s", got)
	}
}

// TestCarriageReturn makes sure that a line's end is not quoted with it.
func TestCarriageReturn(t *testing.T) {
	_, ds := loadText(t, strings.ReplaceAll(policyWith("    when = \"usr == 'x'\"\n"), "\n", "\r\n"))
	if got := ds[0].Snippet.Code; got != "    when = \"usr == 'x'\"" {
		t.Errorf("quoted as %q", got)
	}
}

// FuzzLoad makes sure that no policy whatsoever brings the loader down.
func FuzzLoad(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, policy string) {
		_, ds := loadText(t, policy)
		show(t, ds)
		ds.JSON()
	})
}

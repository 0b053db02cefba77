package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// constants loads a policy that has a rule, and gives what its expressions can name.
func constants(t *testing.T, opts Options, named ...string) (vars, locals map[string]any, sensitive map[string]bool) {
	t.Helper()
	files(t, append(named, "zz.hcl", `
pool "main" {
  server "a" { address = "stratum+tcp://a.example:3333" }
}
pool "site" {
  for_each = { a = 1 }
  server "a" { address = "stratum+tcp://a.example:3333" }
}
proxy "main" {
  pool = pool.main
  listener "tcp" { address = ":3333" }
  request "mining.submit" "x" {
    drop {}
  }
}
`)...)
	scope := load(t, ".", opts).Proxies[0].Program.Rules()[0].Scope
	return scope.Var, scope.Local, scope.Sensitive
}

func TestPrecedence(t *testing.T) {
	all := []string{"a.hcl", `
variable "v" {
  type    = string
  default = "default"
}`, "b.vars.hcl", `v = "b"`, "c.vars.hcl", `v = "c"`}
	auto := append(all[:len(all):len(all)], "m.auto.vars.hcl", `v = "m"`, "n.auto.vars.hcl", `v = "n"`)
	env := environ("LOKA_VAR_v", "env", "LOKA_VAR_other", "ignored")
	for _, test := range []struct {
		want  string
		files []string
		opts  Options
	}{
		{"default", all, Options{}},
		{"env", all, Options{Environ: env}},
		{"n", auto, Options{Environ: env}},
		{"c", auto, Options{Environ: env, Settings: values("v=x", "@b.vars.hcl", "@c.vars.hcl").Settings}},
		{"x", auto, Options{Environ: env, Settings: values("@c.vars.hcl", "v=x").Settings}},
		{"a=b=c ", auto, Options{Settings: values("v=a=b=c ").Settings}},
		{"", auto, Options{Settings: values("v=").Settings}},
	} {
		t.Run(test.want, func(t *testing.T) {
			vars, _, _ := constants(t, test.opts, test.files...)
			if vars["v"] != test.want {
				t.Errorf("var.v is %q, not %q", vars["v"], test.want)
			}
		})
	}
}

// TestTypes looks at how values reach the rules.
func TestTypes(t *testing.T) {
	vars, locals, _ := constants(t, values("list=[1, 2]", "flag=true", "number=007", `any={ a = null }`, "text=[1]"), "a.hcl", `
variable "list" { type = list(number) }
variable "flag" { type = bool }
variable "number" { type = number }
variable "any" { type = any }
variable "text" { type = string }
variable "object" {
  type    = map(object({ port = number, on = optional(bool, true) }))
  default = { x = { port = "5" } }
}
variable "home" {
  default = env("HOME")
}
variable "untyped" { default = "x" }
locals {
  float   = 0.5
  big     = 1e30
  whole   = 4.0
  minus   = -3
  set     = toset(["b", "a"])
  pool    = pool.main
  pools   = [pool.site["a"], local.pool]
  nothing = null
  rows    = csvdecode(file("rows.csv"))
  later   = local.whole + 1
  names   = { for r in local.rows : r.worker => r.name }
}
`, "rows.csv", "worker,name\na,b\n")
	wantVars := map[string]any{
		"list": []any{1, 2}, "flag": true, "number": 7, "any": map[string]any{"a": nil}, "text": "[1]",
		"object": map[string]any{"x": map[string]any{"port": 5, "on": true}}, "home": "", "untyped": "x",
	}
	wantLocals := map[string]any{
		"float": 0.5, "big": 1e30, "whole": 4, "minus": -3, "set": []any{"a", "b"}, "pool": "pool.main",
		"pools": []any{`pool.site["a"]`, "pool.main"}, "nothing": nil, "later": 5,
		"rows": []any{map[string]any{"worker": "a", "name": "b"}}, "names": map[string]any{"a": "b"},
	}
	if diff := cmp.Diff(wantVars, vars); diff != "" {
		t.Errorf("var (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantLocals, locals); diff != "" {
		t.Errorf("local (-want +got):\n%s", diff)
	}
}

func TestEnvInDefault(t *testing.T) {
	vars, _, _ := constants(t, Options{Environ: environ("HOME", "/root")}, "a.hcl", `variable "home" { default = env("HOME") }`)
	if vars["home"] != "/root" {
		t.Errorf("var.home is %q", vars["home"])
	}
}

// TestSensitive follows a secret through locals and arguments.
func TestSensitive(t *testing.T) {
	_, _, sensitive := constants(t, values("key=hunter22"), "a.hcl", `
variable "key" {
  type      = string
  sensitive = true
}
variable "open" { default = "x" }
locals {
  derived = "${var.key}!"
  deep    = { a = [var.key] }
  open    = "x"
}
`)
	want := map[string]bool{"var.key": true, "local.derived": true, "local.deep": true}
	if diff := cmp.Diff(want, sensitive); diff != "" {
		t.Errorf("sensitive (-want +got):\n%s", diff)
	}
}

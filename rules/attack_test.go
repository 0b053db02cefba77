package rules

import (
	"fmt"
	"strings"
	"testing"
)

// refused compiles one rule and gives the summary of its first error, or an empty string.
func refused(when string, assigned ...Assignment) string {
	_, errs := Compile([]Rule{{Kind: Request, Method: "mining.authorize", When: src(when), Set: assigned}})
	if len(errs) == 0 {
		return ""
	}
	return errs[0].Summary
}

func TestAttackDoublings(t *testing.T) {
	text := "let a0 = user + user; "
	for i := range 20 {
		text += fmt.Sprintf("let a%d = a%d + a%d; ", i+1, i, i)
	}
	if got := refused(text + "a20 == ''"); got != "Expression can grow too large" {
		t.Errorf("twenty doublings: %q", got)
	}
}

func TestAttackReplaceEverywhere(t *testing.T) {
	if got := refused("true", set("user", "replace(user, '', user) + 'x'")); got != "Expression can grow too large" {
		t.Errorf("with something behind it: %q", got)
	}
	p := mustCompile(t, Rule{Kind: Request, Method: "mining.authorize", Set: []Assignment{set("user", "replace(user, '', user)")}})
	d := decide(t, p, Request, "mining.authorize", strings.Repeat("a", 1000), "x")
	if len(d.Failed) != 1 || d.Verdict != Denied || !strings.Contains(d.Failed[0].Err.Detail, "65536 bytes") {
		t.Errorf("was not stopped: %+v", d)
	}
}

func TestAttackJoinMapSplit(t *testing.T) {
	if got := refused("true", set("user", "join(map(split(user, ''), user), '')")); got != "Expression can grow too large" {
		t.Errorf("%q", got)
	}
	p := mustCompile(t, Rule{Kind: Request, Method: "mining.authorize", Set: []Assignment{set("user", "join(split(user, '', 200), user)")}})
	d := decide(t, p, Request, "mining.authorize", strings.Repeat("a", 1000), "x")
	if len(d.Failed) != 1 || !strings.Contains(d.Failed[0].Err.Detail, "65536 bytes") {
		t.Errorf("was not stopped: %+v", d.Failed)
	}
}

func TestAttackNestedConditions(t *testing.T) {
	for _, text := range []string{
		"any(params, any(params, # == 'y'))",
		"any(params, {let x = #; all(params, # == x)})",
		"len(map(params, filter(params, true))) == 1",
		"any(params, sum(params) == 1)",
		"any(params, count(params) == 1)",
	} {
		if got := refused(text); got != "Condition in a condition" {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestAttackPatternOfTheMiner(t *testing.T) {
	for _, text := range []string{"user matches password", "user matches string(params[0])", "user matches ('a' + user)", "let p = 'a'; user matches p"} {
		if got := refused(text); got != "Pattern not constant" {
			t.Errorf("%s: %q", text, got)
		}
	}
	if got := refused("user matches ('^a' + 'b$')"); got != "" {
		t.Errorf("a constant pattern: %q", got)
	}
}

func TestAttackUnboundedFunctions(t *testing.T) {
	tests := []struct{ text, want string }{
		{"reduce(params, #acc + #, '') == ''", "Function left out"},
		{"::reduce(params, #acc + #, '') == ''", "Function left out"},
		{"params | reduce(#acc + #, '') == ''", "Function left out"},
		{"len(1..1000000000) == 1", "Invalid expression"},
		{"::repeat(user, 1000) == ''", "Unknown function"},
		{"::replace(user, '', user) == ''", "Unknown function"},
		{"repeat(user, 65) == ''", ""},
		{"repeat(user, 65) + user == ''", "Expression can grow too large"},
		{"$env['user'] == ''", "Unknown name in expression"},
		{"len(map(params, params)) == 0", "Expression can grow too large"},
		{"len(map(params, user)) == 0", "Expression can grow too large"},
		{"len([params, params, params, params, params]) == 0", "Expression can grow too large"},
	}
	for _, test := range tests {
		if got := refused(test.text); got != test.want {
			t.Errorf("%s: %q, want %q", test.text, got, test.want)
		}
	}
	p := mustCompile(t, Rule{Kind: Request, Method: "mining.authorize", Set: []Assignment{set("user", "repeat(user, 1000000000)")}})
	if d := decide(t, p, Request, "mining.authorize", "abc", "x"); len(d.Failed) != 1 {
		t.Errorf("repeat: %+v", d)
	}
}

func TestAttackManyLists(t *testing.T) {
	for _, name := range []string{"median", "mean", "max", "min", "concat"} {
		text := name + "(params" + strings.Repeat(", params", 400) + ") == 1"
		if name == "concat" {
			text = "len(" + strings.Replace(text, ") == 1", ")) == 1", 1)
		}
		got := refused(text)
		if got != "Rules too expensive" && got != "Expression can grow too large" {
			t.Errorf("%s of 401 lists: %q", name, got)
		}
	}
}

func TestAttackManyRules(t *testing.T) {
	var list []Rule
	for i := range 10 {
		list = append(list, Rule{Address: fmt.Sprintf("rule%d", i), Origin: i, Kind: Request, Method: "mining.*", When: src("user matches '(a|b|ab)*(c|d){1,20}x'")})
	}
	_, errs := Compile(list)
	if len(errs) != 1 || errs[0].Summary != "Rules too expensive" || !strings.Contains(errs[0].Detail, "rule0") || errs[0].Origin != 0 {
		t.Errorf("%v", errs)
	}
}

func TestAttackDeepSource(t *testing.T) {
	tests := []struct{ text, want string }{
		{strings.Repeat("(", 8000) + "true" + strings.Repeat(")", 8000), ""},
		{strings.Repeat("not ", 4000) + "true", "Expression too large"},
		{strings.Repeat("[", 8000), "Invalid expression"},
		{strings.Repeat("{a:", 4000), "Expression too large"},
		{strings.Repeat("true ? ", 2000), "Expression too large"},
		{strings.Repeat("if true { ", 1500), "Expression too large"},
		{strings.Repeat("user.", 3000) + "x", "Expression too large"},
		{strings.Repeat("x", 1<<20), "Expression too large"},
	}
	for _, test := range tests {
		_, errs := Compile([]Rule{{Kind: Request, Method: "mining.submit", When: src(test.text)}})
		got := ""
		for _, e := range errs {
			checkError(t, e, len(test.text))
			got = e.Summary
		}
		if got != test.want {
			t.Errorf("%.10s…: %q, want %q", test.text, got, test.want)
		}
	}
}

func TestFiftyOrdinaryRulesFit(t *testing.T) {
	scope := &Scope{Var: map[string]any{"wallet": wallet, "aliases": map[string]any{"a": "b"}, "lan": []any{"10.0.0.0/8"}}}
	ordinary := []Rule{
		{When: src("not (user matches '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$')"), Deny: &Deny{}},
		{When: src("not (user startsWith var.wallet)"), Set: []Assignment{set("user", "var.wallet + '.' + replace(lookup(var.aliases, user, user), '.', '_')"), set("password", "'x'")}},
		{When: src("client.agent contains 'cgminer' and not inCIDR(client.ip, var.lan)"), Deny: &Deny{}},
		{When: src("option(password, 'd') == ''"), Set: []Assignment{set("password", "withOption(password, 'd', '1024')")}},
		{When: src("worker(user) in ['a', 'b', 'c']"), Set: []Assignment{set("user", "account(user) + '.' + lower(worker(user))")}},
	}
	var list []Rule
	for i := range 50 {
		r := ordinary[i%len(ordinary)]
		r.Kind, r.Method, r.Scope = Request, "mining.authorize", scope
		list = append(list, r)
	}
	p := mustCompile(t, list...)
	total := weight{}
	for i, r := range p.Chain(Request, []byte("mining.authorize")).rules {
		total = total.plus(r.weight())
		if i < len(ordinary) {
			t.Logf("%+v", r.weight())
		}
	}
	t.Logf("%.0f ns, %.0f bytes", total.nanoseconds, total.bytes)
}

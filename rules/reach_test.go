package rules

import (
	"fmt"
	"slices"
	"testing"
)

func TestHidden(t *testing.T) {
	deny := func(method, when string) Rule {
		r := Rule{Kind: Request, Method: method, Deny: &Deny{}, Scope: &Scope{Var: map[string]any{"closed": true, "open": false}}}
		if when != "" {
			r.When = src(when)
		}
		return r
	}
	skips := deny("*", "")
	skips.Deny, skips.Stop, skips.OnError, skips.Set = nil, true, OnErrorSkip, []Assignment{set("params", "params[1:]")}
	denies := skips
	denies.OnError = OnErrorDefault
	replies := deny("mining.submit", "")
	replies.Deny, replies.OnError, replies.Reply = nil, OnErrorSkip, &Reply{Result: src("true")}
	fails := replies
	fails.Reply = &Reply{Result: src("params[7]")}
	drop := Rule{Kind: Notification, Method: "client.reconnect", Drop: true}
	for name, test := range map[string]struct {
		list []Rule
		want string
	}{
		"same method":           {[]Rule{deny("mining.submit", ""), deny("mining.submit", "user == 'x'")}, "[{1 0}]"},
		"every method":          {[]Rule{deny("*", ""), deny("mining.submit", ""), deny("mining.*", "")}, "[{1 0} {2 0}]"},
		"a longer prefix":       {[]Rule{deny("mining.*", ""), deny("mining.sub*", ""), deny("client.x", ""), deny("*", "")}, "[{1 0}]"},
		"a prefix is larger":    {[]Rule{deny("mining.submit", ""), deny("mining.*", "")}, "[]"},
		"under a condition":     {[]Rule{deny("*", "user == 'x'"), deny("mining.submit", "")}, "[]"},
		"constant conditions":   {[]Rule{deny("*", "var.open"), deny("*", "var.open or user == 'x'"), deny("*", "var.closed"), deny("*", "")}, "[{3 2}]"},
		"goes on when it fails": {[]Rule{skips, deny("mining.submit", "")}, "[]"},
		"ends when it fails":    {[]Rule{denies, deny("mining.submit", "")}, "[{1 0}]"},
		"a reply cannot fail":   {[]Rule{replies, deny("mining.submit", "")}, "[{1 0}]"},
		"a reply may fail":      {[]Rule{fails, deny("mining.submit", "")}, "[]"},
		"another kind":          {[]Rule{deny("*", ""), drop, drop}, "[{2 1}]"},
		"connect":               {[]Rule{{Kind: Connect, Route: "p"}, {Kind: Connect, Deny: &Deny{}}, {Kind: Connect, Route: "p"}}, "[{2 1}]"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fmt.Sprint(mustCompile(t, test.list...).Hidden()); got != test.want {
				t.Errorf("hidden: %s, not %s", got, test.want)
			}
		})
	}
}

func TestExposures(t *testing.T) {
	scope := &Scope{
		Var:       map[string]any{"pin": "s3cret", "keys": map[string]any{"a": "b"}, "plain": "x", "n": 5},
		Local:     map[string]any{"derived": "S3CRET"},
		Sensitive: map[string]bool{"var.pin": true, "var.keys": true, "local.derived": true},
	}
	for text, want := range map[string]bool{
		"var.plain":                            false,
		"var.pin":                              true,
		"local.derived":                        true,
		"user + '.' + var.pin":                 true,
		"'x' + (var.pin + 'y')":                true,
		"var.keys.a":                           true,
		"lookup(var.keys, user, 'x')":          true,
		"upper(var.pin)":                       true,
		"replace(user, 'x', var.pin)":          true,
		"var.pin[:2]":                          true,
		"let p = var.pin; user + p":            true,
		"let p = var.plain; user + p":          false,
		"user == 'x' ? var.pin : user":         true,
		"user == var.pin ? 'in' : 'out'":       false,
		"json([user, var.pin])":                true,
		"json({a: var.pin})":                   true,
		"json(map([user], # + var.pin))":       true,
		"json(filter([user], # == var.pin))":   false,
		"join([user, var.pin])":                true,
		"sha256(user + var.pin)":               false,
		"string(len(var.pin) + var.n)":         false,
		"user in [var.pin] ? 'in' : 'out'":     false,
		"let p = user == var.pin; p ? '1':'0'": false,
	} {
		t.Run(text, func(t *testing.T) {
			rule := Rule{Kind: Request, Method: "mining.authorize", Scope: scope, Set: []Assignment{set("user", text), set("password", text)}}
			got := mustCompile(t, rule).Exposures()
			if exposed := len(got) == 1 && got[0].Field == "user"; exposed != want || len(got) > 1 {
				t.Errorf("exposures: %v", got)
			}
		})
	}
	reply := Rule{Kind: Request, Method: "mining.submit", Scope: scope, Reply: &Reply{Result: src("var.pin"), Error: src("[20, var.pin, nil]")}}
	if got := mustCompile(t, reply).Exposures(); len(got) != 2 || got[0].Field != "result" || got[1].Field != "error" || got[1].Origin != "[20, var.pin, nil]" {
		t.Errorf("exposures of a reply: %v", got)
	}
}

func TestReads(t *testing.T) {
	scope := &Scope{
		Var: map[string]any{"a": 1, "b": "x", "c": map[string]any{"d": 1}, "e": 1}, Local: map[string]any{"a": "x"},
		Typed: map[string]bool{"var.e": true},
	}
	rule := Rule{Kind: Request, Method: "mining.authorize", Scope: scope, When: src("var.a == 1 and var['e'] > 2 and 'var.x' != user"), Set: []Assignment{set("user", "local.a + var.b"), set("password", "string(var.c.d)")}}
	got := mustCompile(t, rule).Reads(0)
	slices.Sort(got)
	if want := "[local.a var.a var.b var.c var.e]"; fmt.Sprint(got) != want {
		t.Errorf("reads %v, not %v", got, want)
	}
}

package rules

import "testing"

// examples is a scope whose values are zero, as nobody has given the true ones.
func examples() *Scope {
	return &Scope{
		Var: map[string]any{
			"factor": 0, "floor": 0, "pattern": "", "nets": []any{}, "names": []any{""}, "limits": map[string]any{},
			"table": map[string]any{"x": ""}, "anything": nil, "on": false, "known": 2, "open": "(",
		},
		Local: map[string]any{"deep": map[string]any{"a": []any{1}}},
		Typed: map[string]bool{
			"var.factor": true, "var.floor": true, "var.pattern": true, "var.nets": true, "var.names": true, "var.limits": true,
			"var.table": true, "var.anything": true, "var.on": true, "local.deep": true,
		},
	}
}

func TestExamplesAreTypesOnly(t *testing.T) {
	floor := func(when, value string) Rule {
		r := Rule{Kind: Notification, Method: setDifficulty, Set: []Assignment{set("difficulty", value)}}
		if when != "" {
			r.When = src(when)
		}
		return r
	}
	rename := func(when, value string) Rule {
		return Rule{Kind: Request, Method: "mining.authorize", When: src(when), Set: []Assignment{set("user", value)}}
	}
	for _, r := range []Rule{
		floor("", "difficulty * var.factor"),
		floor("", "var.floor"),
		floor("difficulty < var.floor", "1024"),
		floor("difficulty < var.limits.low", "var.limits.low"),
		rename("var.on", "var.names[0]"),
		rename("inCIDR(client.ip, var.nets[0])", "var.limits.high"),
		rename("inCIDR(client.ip, var.nets)", "var.table.other"),
		rename("user matches var.pattern", "var.table[user]"),
		rename("user matches ('^' + var.pattern)", "lookup(var.limits, user, user)"),
		rename("100 / var.factor > 3", "account(user, var.pattern)"),
		rename("any(var.names, # == user)", "var.anything"),
		rename("local.deep.a[5] == 1", "string(local.deep.b.c)"),
	} {
		r.Scope = examples()
		if _, errs := Compile([]Rule{r}); len(errs) > 0 {
			t.Errorf("%+v: %v", r.Set, errs)
		}
	}
}

func TestExamplesAreCheckedForTypes(t *testing.T) {
	tests := []struct{ value, want string }{
		{"var.factor", "Wrong type of expression"},
		{"var.names", "Wrong type of expression"},
		{"user + var.factor", wrongTypes},
		{"var.facto", "Unknown name in expression"},
		{"var.names + 'x'", wrongTypes},
		{"lower(var.on)", wrongTypes},
		{"user matches var.open ? 'a' : 'b'", "Invalid pattern"}, // not an example
		{"params[0]", "Wrong type of expression"},
	}
	for _, test := range tests {
		_, errs := Compile([]Rule{{Kind: Request, Method: "mining.authorize", Scope: examples(), Set: []Assignment{set("user", test.value)}}})
		if len(errs) != 1 || errs[0].Summary != test.want {
			t.Errorf("%s: %v, want %q", test.value, errs, test.want)
		}
	}
}

// TestExamplesKeepToTheirScope compiles rules of one method, of which one knows its
// values.
func TestExamplesKeepToTheirScope(t *testing.T) {
	r := Rule{Kind: Notification, Method: setDifficulty, Set: []Assignment{set("difficulty", "difficulty * var.factor")}}
	known, unknown := r, r
	known.Scope, unknown.Scope = &Scope{Var: map[string]any{"factor": 0}}, examples()
	known.Origin, unknown.Origin = "known", "unknown"
	for _, list := range [][]Rule{{known, unknown}, {unknown, known}} {
		_, errs := Compile(list)
		if len(errs) != 1 || errs[0].Summary != "Difficulty could fall below the pool's" {
			t.Errorf("%v", errs)
		}
	}
	known.Scope.Var["factor"] = 2
	mustCompile(t, known, unknown)
}

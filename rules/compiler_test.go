package rules

import (
	"fmt"
	"strings"
	"testing"
)

// mapsTo compiles a rule that sets the user, and gives what becomes of john.
func mapsTo(t *testing.T, c *Compiler, text string, scope *Scope) string {
	t.Helper()
	p, mistakes := c.Compile([]Rule{{Kind: Request, Method: "mining.authorize", Scope: scope, Set: []Assignment{set("user", text)}}})
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return fmt.Sprint(decide(t, p, Request, "mining.authorize", "john", "x").Params[0])
}

// TestCompilerShares compiles one text with different constants: what is shared must be
// what those very constants give.
func TestCompilerShares(t *testing.T) {
	c := NewCompiler()
	scope := func(v any) *Scope { return &Scope{Var: map[string]any{"x": v}} }
	for range 2 {
		for _, test := range []struct {
			value any
			want  string
		}{
			{"a", "john.a"},
			{"b", "john.b"},
			{1, "john.1"},
			{"1", "john.1"},
			{true, "john.true"},
			{"true", "john.true"},
			{1.5, "john.1.5"},
		} {
			if got := mapsTo(t, c, "user + '.' + string(var.x)", scope(test.value)); got != test.want {
				t.Errorf("%#v gives %s", test.value, got)
			}
		}
		for value, want := range map[string]any{"bool": true, "string": "true", "number": 1, "list": []any{1}, "map": map[string]any{"a": 1}, "nil": nil} {
			if got := mapsTo(t, c, "type(var.x)", scope(want)); got != value {
				t.Errorf("%#v is a %s", want, got)
			}
		}
		for _, list := range [][]any{{"a", "b"}, {"a b"}, {"a", []any{"b"}}, {"a"}} {
			if got, want := mapsTo(t, c, "json(var.x)", scope(list)), strings.ReplaceAll(fmt.Sprintf("%q", list), " ", ","); strings.ReplaceAll(got, " ", ",") != want {
				t.Errorf("%q gives %s, not %s", list, got, want)
			}
		}
	}
	known := c.known[keyOf(Source{Text: "type(var.x)"}, c.configs[vocabularyKey{kind: Request, label: "mining.authorize"}], scope(1), textValue)]
	if known == nil || len(known.compiled) != 6 {
		t.Errorf("nothing was shared: %+v", known)
	}
}

// TestCompilerTellsScopesApart compiles one text where it is a mistake and where not.
func TestCompilerTellsScopesApart(t *testing.T) {
	rule := Rule{Kind: Request, Method: "mining.submit", When: src("let local = user; local == 'x'"), Deny: &Deny{}, Scope: &Scope{Var: map[string]any{}}}
	c := NewCompiler()
	if _, mistakes := c.Compile([]Rule{rule}); len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	rule.Scope = &Scope{Var: map[string]any{}, Local: map[string]any{"x": 1}}
	if _, mistakes := c.Compile([]Rule{rule}); len(mistakes) != 1 || mistakes[0].Summary != "Name already taken" {
		t.Errorf("mistakes: %v", mistakes)
	}
}

// TestCompilerKeepsOriginsAndSecrets shares an expression that fails, and one whose
// constant is sensitive in one scope only.
func TestCompilerKeepsOriginsAndSecrets(t *testing.T) {
	c := NewCompiler()
	for _, origin := range []string{"here", "there"} {
		p, _ := c.Compile([]Rule{{Kind: Request, Method: "mining.submit", When: &Source{Text: "params[5] == 1", Origin: origin}, Deny: &Deny{}}})
		d := decide(t, p, Request, "mining.submit", "john")
		if len(d.Failed) != 1 || d.Failed[0].Err.Origin != origin {
			t.Errorf("failures: %v", d.Failed)
		}
	}
	for _, sensitive := range []bool{false, true, false} {
		scope := &Scope{Var: map[string]any{"x": "s3cret"}, Sensitive: map[string]bool{"var.x": sensitive}}
		p, _ := c.Compile([]Rule{{Kind: Request, Method: "mining.authorize", Scope: scope, Set: []Assignment{set("user", "var.x")}}})
		if got := len(p.Exposures()) == 1; got != sensitive {
			t.Errorf("exposed: %v, sensitive: %v", got, sensitive)
		}
	}
}

// TestCompilerKeepsNoExamples compiles rules of which the types alone are known: there is
// one set of names for each scope, and to keep them would be to keep them for ever.
func TestCompilerKeepsNoExamples(t *testing.T) {
	c := NewCompiler()
	for range 3 {
		scope := &Scope{Var: map[string]any{"x": 1}, Typed: map[string]bool{"var.x": true}}
		if _, mistakes := c.Compile([]Rule{{Kind: Request, Method: "mining.submit", When: src("var.x > 2"), Deny: &Deny{}, Scope: scope}}); len(mistakes) > 0 {
			t.Fatal(mistakes)
		}
	}
	if len(c.configs) > 0 || len(c.known) > 0 {
		t.Errorf("%d vocabularies and %d expressions are kept", len(c.configs), len(c.known))
	}
}

// TestPoolsOfAProgram compiles one rule for policies with other pools.
func TestPoolsOfAProgram(t *testing.T) {
	c := NewCompiler()
	list := []Rule{{Kind: Connect, When: src("upstream('pool.b').up"), Deny: &Deny{}}}
	for _, test := range []struct {
		pools []string
		good  bool
	}{{[]string{"pool.a"}, false}, {[]string{"pool.a", "pool.b"}, true}, {[]string{"pool.c"}, false}, {[]string{}, false}, {nil, true}} {
		c.Pools = test.pools
		if p, errs := c.Compile(list); (p != nil) != test.good {
			t.Errorf("with %q: %v", test.pools, errs)
		}
	}
}

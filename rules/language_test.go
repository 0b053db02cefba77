package rules

import (
	"encoding/json"
	"math"
	"testing"
)

// evaluate gives the value of an expression for a mining.authorize request, as JSON, or
// what is wrong with it.
func evaluate(t *testing.T, scope *Scope, text string, params ...any) string {
	t.Helper()
	lang := newCompilation().configure(Request, "mining.authorize", scope)
	x, mistakes := compileExpression(*src(text), lang, scope, anyValue)
	if x == nil {
		checkError(t, mistakes[0], len(text))
		return mistakes[0].Detail
	}
	d, msg := &Decision{}, &Message{Method: "mining.authorize", Params: params}
	d.reset(msg)
	m := machines.Get().(*machine)
	m.chain, m.msg, m.facts, m.d = &Chain{kind: Request, userAt: 0}, msg, facts{}, d
	v, err := m.eval(x)
	if err != nil {
		return err.Detail
	}
	out, failed := json.Marshal(v)
	if failed != nil {
		t.Errorf("%s: %v", text, failed)
	}
	return string(out)
}

var languageScope = &Scope{Var: map[string]any{
	"map": map[string]any{"a": "x"}, "none": map[string]any{}, "list": []any{"a", "b"}, "numbers": []any{1, 2}, "nothing": []any{},
	"counts": map[string]any{"a": 1, "b": 2.5},
}}

type params []any

// languageTests is what expressions give for values that a stranger chose.
var languageTests = []struct {
	text   string
	params params
	want   string
}{
	{"params[0] in ['a', 'b']", params{"b"}, "true"},
	{"params[0] in ['a', 'b']", params{5}, "false"},
	{"params[0] in ['a', 'b']", params{nil}, "false"},
	{"params[0] in ['', 'b']", params{nil}, "false"},
	{"params[0] in ['a', 'b']", params{[]any{1}}, "false"},
	{"params[0] not in ['a', 'b']", params{map[string]any{}}, "true"},
	{"params[0] in ['a', 5]", params{5.0}, "true"},
	{"params[0] in ['a', nil]", params{nil}, "true"},
	{"params[0] in []", params{nil}, "false"},
	{"params[0] in [[1, 2]]", params{[]any{1, 2}}, "true"},
	{"findIndex(params, # == 'x') in [0, 1]", params{"a"}, "false"},
	{"first(params) in [0, 1]", params{}, "false"},
	{"len(params) in [1, 2]", params{"a"}, "true"},
	{"len(params) in [1.0, 2.0]", params{"a"}, "true"},
	{"any(params, # in ['a', 'b'])", params{5, nil, []any{}, "b"}, "true"},
	{"filter(params, # in ['a', 'b'])", params{5, nil, []any{}, "b"}, `["b"]`},
	{"params[0] in {'a': 1}", params{5}, "false"},
	{"params[0] in {'a': 1}", params{"a"}, "true"},
	{"params[0] in {'a': user}", params{[]any{}}, "user is a list here, not a string."},
	{"params[0] in {a: method}", params{nil}, "false"},
	{"params[0] in params[1]", params{"a", map[string]any{"a": nil}}, "true"},
	{"params[0] in params[1]", params{5, map[string]any{"a": nil}}, "false"},
	{"params[0] in params[1]", params{5, []any{"5", 5}}, "true"},
	{"params[0] in params[1]", params{5, nil}, "false"},
	{"params[0] in params[1]", params{5, "5"}, "in does not work on a string."},
	{"params[0] in var.map", params{"a"}, "true"},
	{"params[0] in var.map", params{7}, "false"},
	{"params[0] in var.none", params{7}, "false"},
	{"params[0] in var.list", params{7}, "false"},
	{"params[0] in var.numbers", params{2.0}, "true"},
	{"user in params", params{"a"}, "true"},

	{"var.none == {}", nil, "true"},
	{"params[0] == var.none", params{map[string]any{}}, "true"},
	{"params[0] == var.map", params{map[string]any{"a": "x"}}, "true"},
	{"params[0] != var.map", params{map[string]any{"a": "y"}}, "true"},
	{"params[0] in [var.map]", params{map[string]any{"a": "x"}}, "true"},
	{"any(params, # == var.counts)", params{map[string]any{"a": 1, "b": 2.5}}, "true"},
	{"var.map == {a: 'x'}", nil, "true"},
	{"{a: 'y'} == var.map", nil, "false"},
	{"var.map == var.none", nil, "false"},
	{"params == var.list", params{"a", "b"}, "true"},
	{"var.list == ['a', 'b']", nil, "true"},
	{"[var.map] == params", params{map[string]any{"a": "x"}}, "true"},
	{"var.counts.a + 1", nil, "2"},
	{"var.counts[user] * 2", params{"b"}, "5"},
	{"var.map[user] + 'y'", params{"a"}, `"xy"`},
	{"var.map[user] + 'y'", params{"b"}, `"y"`},
	{"lookup(var.map, user, 'z') + 'y'", params{"a"}, `"xy"`},
	{"lookup(var.none, user, 'z') + 'y'", params{"a"}, `"zy"`},
	{"lookup(var.counts, user, 0.5)", params{"c"}, "0.5"},
	{"let m = var.map; m[user]", params{"a"}, `"x"`},
	{"json(var.counts)", nil, `"{\"a\":1,\"b\":2.5}"`},
	{"var.list[1] + 'x'", nil, `"bx"`},

	{"type(var.none)", nil, `"map"`},
	{"map(params, type(#))", params{"a", 1, 1.5, true, []any{}, map[string]any{}, nil}, `["string","number","number","bool","list","map","nil"]`},
	{"type(var.list) + type(split(user, 'a'))", params{"x"}, `"listlist"`},

	{"int(params[0])", params{"12"}, "12"},
	{"int(params[0])", params{-2.9}, "-2"},
	{"int(params[0])", params{1e300}, "This number does not fit in 64 bits."},
	{"int(params[0])", params{math.Pow(2, 63)}, "This number does not fit in 64 bits."},
	{"int(params[0])", params{"0x10"}, "This text is not a whole number that fits in 64 bits."},
	{"int(params[0])", params{"9223372036854775808"}, "This text is not a whole number that fits in 64 bits."},
	{"int(params[0])", params{nil}, "A number is needed here, but the value is null."},
	{"int(params[0] / 0)", params{0}, "This number does not fit in 64 bits."},
	{"int('5') + 1", nil, "6"},
	{"float(params[0])", params{"1.5"}, "1.5"},
	{"float(params[0]) / 2", params{3}, "1.5"},
	{"float(params[0])", params{"Inf"}, "This text is not a number."},
	{"float(params[0])", params{[]any{}}, "A number is needed here, but the value is a list."},

	{"filter(params, # == 9)[0]", params{1}, "Index out of range: the list is empty."},
	{"filter(params, # == 9)[-1]", params{1}, "Index out of range: -1 (array length is 0)."},
	{"user == findLast(params, # != 1)", params{"a", 1, 2, "a", 1}, "true"},
	{"10 - findLastIndex(params, # == 1)", params{"a", 1, 2, 1, 2}, "7"},
	{"10 - last(filter(params, # != 'a'))", params{"a", 1, 2, 1}, "9"},
	{"findLast(params, # == 9) == nil", params{1}, "true"},
	{"findLastIndex(params, # == 9)", params{1}, "null"},
	{"last(map(filter(params, # != 'a'), string(#))) + 'x'", params{3, "a"}, `"3x"`},
	{"filter(params, # == 1)[0]", params{1}, "1"},
	{"params[3]", params{1}, "Index out of range: 3 (array length is 1)."},
	{"get(user, 0)", params{"abc"}, "A string has no elements; a part of it is cut as in user[:5]."},
	{"get(5, 0)", nil, "A number has no elements."},
	{"get(params, 3)", params{"abc"}, "null"},
	{"get(params[0], 0)", params{5}, "null"},
	{"get(params[0], 'x')", params{nil}, "null"},

	// The optimizer joins two conditions over one list, and must not stumble over what
	// is in them.
	{"any(split(replace(user, 'a', 'b'), '.'), # == 'x') or any(split(replace(user, 'a', 'b'), '.'), # == 'y')", params{"a.y"}, "true"},
	{"any([worker(user), 'k'], # == 'q') or any([account(user), 'k'], # == 'a')", params{"a.y"}, "true"},
	{"any([worker(user), 'k'], # == 'q') or any([worker(user), 'k'], # == 'y')", params{"a.y"}, "true"},
	{"all([worker(user)], # == 'y') and all([worker(user)], # in ['x', 'y'])", params{"a.y"}, "true"},
	{"none(params, account(string(#)) == 'q') and none(params, # in ['z'])", params{"a.y"}, "true"},
	{"none(params, account(string(#)) == 'q') and none(params, inCIDR(string(#), '10.0.0.0/8'))", params{"10.1.1.1"}, "false"},
}

func TestLanguage(t *testing.T) {
	for _, test := range languageTests {
		if got := evaluate(t, languageScope, test.text, test.params...); got != test.want {
			t.Errorf("%s of %v: %s, want %s", test.text, test.params, got, test.want)
		}
	}
}

// TestListOfNamesLetsOthersPass is how a condition on one method's parameters looks that
// sees those of all methods.
func TestListOfNamesLetsOthersPass(t *testing.T) {
	p := mustCompile(t, Rule{Kind: Request, Method: "*", When: src("len(params) > 0 and params[0] in ['evil', 'bad']"), Deny: &Deny{}})
	for method, params := range map[string][]any{"mining.configure": {[]any{"version-rolling"}, map[string]any{}}, "mining.suggest_difficulty": {1024}} {
		if d := decide(t, p, Request, method, params...); d.Verdict != Forward {
			t.Errorf("%s: %+v", method, d.Failed)
		}
	}
	if d := decide(t, p, Request, "mining.authorize", "evil"); d.Verdict != Denied {
		t.Error("evil passed")
	}
}

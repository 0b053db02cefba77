package rules

import (
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
)

// TestOptimizedIsTheSame makes random expressions and gives them random parameters: what
// the optimizer made of one gives the same, and fails only where the expression as it was
// written fails.
func TestOptimizedIsTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	optimized := newCompilation().configure(Request, "mining.authorize", nil)
	written := newCompilation().configure(Request, "mining.authorize", nil)
	written.config.Optimize = false
	compared := 0
	for range 3000 {
		text := randomCondition(random, 3)
		if random.IntN(3) == 0 {
			text = randomNumber(random, 3)
		}
		x, mistakes := compileExpression(*src(text), optimized, nil, anyValue)
		y, others := compileExpression(*src(text), written, nil, anyValue)
		for _, e := range append(mistakes, others...) {
			checkError(t, e, len(text))
		}
		if x == nil || y == nil {
			continue
		}
		for range 4 {
			params := randomParams(random)
			got, failed := evaluated(x, params)
			want, wantFailed := evaluated(y, params)
			if wantFailed != nil {
				continue // the optimizer may get by without the part that fails
			}
			compared++
			if failed != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s of %v: optimized %v %v, as written %v", text, params, got, failed, want)
			}
		}
	}
	if compared < 4000 {
		t.Errorf("only %d compared", compared)
	}
}

func evaluated(x *expression, params []any) (any, *Error) {
	d, msg := &Decision{}, &Message{Method: "mining.authorize", Params: params}
	d.reset(msg)
	m := machines.Get().(*machine)
	defer machines.Put(m)
	m.chain, m.msg, m.facts, m.d, m.measured = &Chain{kind: Request, userAt: 0}, msg, facts{}, d, 0
	v, err := m.eval(x)
	if err != nil {
		return nil, err
	}
	clean, _ := anyValue.write(v)
	return clean, nil
}

func randomParams(r *rand.Rand) []any {
	params := []any{"a.b"}
	for range r.IntN(5) {
		params = append(params, []any{"a", "b", 1, 2, 3, 1.5, nil, true}[r.IntN(8)])
	}
	return params
}

// randomElement is a condition on an element.
func randomElement(r *rand.Rand) string {
	forms := []string{
		"# == 'a'", "# != 1", "# in ['a', 'b']", "# in ['a', 2]", "# in [1, 2]", "type(#) == 'number'", "# == user", "account(string(#)) == 'a'", "# != nil",
		"type(#) == 'number' and # > 1", "true", "not (# == nil)", "string(#) startsWith 'a'", "string(#) matches '^[ab]$'",
	}
	return forms[r.IntN(len(forms))]
}

func randomItems(r *rand.Rand) string {
	return []string{"params", "params", "params[1:]", "split(user, '.')", "[user, 'a', 1]", "[account(user), worker(user)]", "['a', 'b']", "[1, 2, 3]"}[r.IntN(8)]
}

func randomCondition(r *rand.Rand, depth int) string {
	items := randomItems(r)
	if depth == 0 || r.IntN(6) == 0 {
		name := []string{"any", "all", "none", "one"}[r.IntN(4)]
		one, other := name+"("+items+", "+randomElement(r)+")", name+"("+items+", "+randomElement(r)+")"
		return "(" + one + []string{" and ", " or ", " && ", " || "}[r.IntN(4)] + other + ")"
	}
	forms := []string{
		"(" + randomCondition(r, depth-1) + " and " + randomCondition(r, depth-1) + ")", "(" + randomCondition(r, depth-1) + " or " + randomCondition(r, depth-1) + ")",
		"not " + randomCondition(r, depth-1), "(" + randomNumber(r, depth-1) + " > " + strconv.Itoa(r.IntN(3)) + ")", "(" + randomNumber(r, depth-1) + " == " + randomNumber(r, depth-1) + ")",
		"(" + randomNumber(r, depth-1) + " in [0, 1, 2])", "(count(" + items + ", " + randomElement(r) + ")" + []string{" > 0", " >= 1", " > 1", " >= 2", " < 2", " <= 1", " == 0"}[r.IntN(7)] + ")",
		"(user in " + items + ")", "(user not in ['a.b', 'c'])", "(first(filter(" + items + ", " + randomElement(r) + ")) == 'a')", "(last(filter(" + items + ", " + randomElement(r) + ")) in ['a', 'b'])",
		"(filter(" + items + ", " + randomElement(r) + ")[0] == 1)", "(filter(" + items + ", " + randomElement(r) + ")[-1] in [1, 'b'])", "(true and " + randomCondition(r, depth-1) + ")", "(false or " + randomCondition(r, depth-1) + ")",
		"(map(filter(" + items + ", " + randomElement(r) + "), string(#)) == ['a'])", "('a' + 'b' == 'ab' and " + randomCondition(r, depth-1) + ")", "(['a', 'b'] == params[1:])", "('1' in map(" + items + ", string(#)))",
	}
	return forms[r.IntN(len(forms))]
}

func randomNumber(r *rand.Rand, depth int) string {
	items := randomItems(r)
	if depth == 0 {
		return []string{"1", "2.5", "len(params)", "0", "-3", "7"}[r.IntN(6)]
	}
	a, b := randomNumber(r, depth-1), randomNumber(r, depth-1)
	forms := []string{
		"(" + a + " + " + b + ")", "(" + a + " - " + b + ")", "(" + a + " * " + b + ")", "len(filter(" + items + ", " + randomElement(r) + "))", "count(" + items + ", " + randomElement(r) + ")",
		"sum([" + a + ", " + b + "])", "sum(map([" + a + ", " + b + ", 3], # * 2))", "sum([1, 2, " + a + "], # + 1)", "(" + a + " / 2)", "max(" + a + ", " + b + ")", "int(" + a + ")",
		"(" + randomCondition(r, depth-1) + " ? " + a + " : " + b + ")", "len(map(filter(" + items + ", " + randomElement(r) + "), #))", "(2 ** 3 - " + a + ")", "(7 % 4 + " + a + ")",
	}
	return forms[r.IntN(len(forms))]
}

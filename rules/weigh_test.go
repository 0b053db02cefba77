package rules

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// TestBoundsHold makes random expressions, gives those that compile a message at its
// limits, and measures what comes out: it is never more than was foreseen.
func TestBoundsHold(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	lang := newCompilation().configure(Request, "mining.submit", nil)
	chain := &Chain{kind: Request, userAt: 0}
	msg, d := worst(), &Decision{}
	msg.Params[1] = strings.Repeat("ä", 500)
	d.reset(msg)
	m := machines.Get().(*machine)
	m.chain, m.msg, m.facts, m.d = chain, msg, facts{}, d
	ran, refused := 0, 0
	for range 20000 {
		text := randomText(random, 3)
		if random.IntN(4) == 0 {
			text = randomList(random, 3)
		}
		x, mistakes := compileExpression(*src(text), lang, nil, anyValue)
		if x == nil {
			for _, e := range mistakes {
				checkError(t, e, len(text))
				if e.Summary == "Expression can grow too large" {
					refused++
				} else {
					t.Fatalf("%s: %v", text, e)
				}
			}
			continue
		}
		v, err := m.eval(x)
		if err != nil {
			plainWords(t, err)
			continue
		}
		ran++
		size := extentOf(v)
		if float64(size.bytes) > x.bound.bytes.fixed || float64(size.elements) > x.bound.elements.fixed {
			t.Errorf("%s: %d bytes and %d elements, foreseen %v", text, size.bytes, size.elements, x.bound)
		}
	}
	t.Logf("%d ran, %d were refused", ran, refused)
	if ran < 5000 || refused < 500 {
		t.Errorf("%d ran, %d were refused", ran, refused)
	}
}

// extentOf measures a value of any size, in the shape that a message holds.
func extentOf(v any) extent {
	clean, why := sanitize(v, 0)
	if why != "" {
		if s, ok := v.(string); ok {
			return extent{bytes: len(s)}
		}
		return extent{}
	}
	var total extent
	switch x := clean.(type) {
	case string:
		total.bytes = len(x)
	case []any:
		total.elements = len(x)
		for _, item := range x {
			e := extentOf(item)
			total.bytes, total.elements = total.bytes+e.bytes, total.elements+e.elements
		}
	case map[string]any:
		total.elements = len(x)
		for k, item := range x {
			e := extentOf(item)
			total.bytes, total.elements = total.bytes+e.bytes+len(k), total.elements+e.elements
		}
	}
	return total
}

// randomText makes an expression that gives a text.
func randomText(r *rand.Rand, depth int) string {
	leaf := []string{"user", "job_id", "'x'", "'ab.c'", "''", "method", "'Ü'"}
	if depth == 0 {
		return leaf[r.IntN(len(leaf))]
	}
	a, b := randomText(r, depth-1), randomText(r, depth-1)
	forms := []string{
		a, "(" + a + " + " + b + ")", "replace(" + a + ", " + b + ", 'xyz')", "replace(" + a + ", 'a', " + b + ")", "upper(" + a + ")", "lower(" + a + ")",
		"join(" + randomList(r, depth-1) + ", " + b + ")", "join(" + randomList(r, depth-1) + ")", a + "[:" + strconv.Itoa(r.IntN(2000)) + "]",
		"repeat(" + a + ", " + strconv.Itoa(r.IntN(9)) + ")", "withOption(" + a + ", 'd', 'v')", "withOption(replace(" + a + ", 'a', 'd=,'), 'd', " + b + "[:9])", "withoutOption(" + a + ", 'd')", "worker(" + a + ", 'a')",
		"json(" + randomList(r, depth-1) + ")", "json(" + a + ")", "(" + a + " == " + b + " ? " + a + " : " + b + ")", "toBase64(" + a + ")", "sha256(" + a + ")",
		"trim(" + a + ", " + b + ")", "lookup({a: " + a + "}, 'a', " + b + ")", "string(get(" + randomList(r, depth-1) + ", 1))", "string(params[1])",
		"(let v = " + a + "; v + v)", "string(lookup({x: 'y'}, " + a + ", " + b + "))",
	}
	return forms[r.IntN(len(forms))]
}

// randomList makes an expression that gives a list of texts.
func randomList(r *rand.Rand, depth int) string {
	if depth == 0 {
		return []string{"split(user, 'a', 20)", "['x', 'y']", "[user, job_id]", "map(params, string(type(#)))"}[r.IntN(4)]
	}
	a := randomText(r, depth-1)
	forms := []string{
		"split(" + a + ", 'a')", "split(" + a + ", '', 9)", "[" + a + ", " + a + "]", "keys({a: " + a + "})", "reverse(" + randomList(r, depth-1) + ")",
		"concat(" + randomList(r, depth-1) + ", " + randomList(r, depth-1) + ")", "sort(" + randomList(r, depth-1) + ")", "uniq(" + randomList(r, depth-1) + ")",
		"filter(" + plainList(r) + ", # != 'a')", "map(" + plainList(r) + ", # + 'xy')", "map(" + plainList(r) + ", upper(#))", "map(" + plainList(r) + ", replace(#, 'a', 'bbb'))",
		"map(" + plainList(r) + ", # + method)", "map(" + plainList(r) + ", join([#, #], '-'))", "take(" + randomList(r, depth-1) + ", 3)", "values({a: " + a + ", b: 'x'})",
		"map(" + plainList(r) + ", repeat(#, 3))", "map(" + plainList(r) + ", json(#))", "map(" + plainList(r) + ", #[:3])", "sortBy(" + plainList(r) + ", len(#))",
	}
	return forms[r.IntN(len(forms))]
}

func plainList(r *rand.Rand) string {
	return []string{"split(user, 'a')", "split(user, '')", "[user, job_id]", "split(method + user, 'n')", "['a', 'bb', 'c']"}[r.IntN(5)]
}

func TestPatternCost(t *testing.T) {
	cost := func(p string) float64 { c, _ := patternCost(p); return c }
	if once, many := cost("^[a-z]{1,40}$"), cost("[a-z]{1,40}"); many < 5*once {
		t.Errorf("anchored %v, anywhere %v", once, many)
	}
	if _, longest := patternCost("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"); longest != 65 {
		t.Errorf("longest %d", longest)
	}
	for _, p := range []string{"abc", "^abc*", "a|^b", "(?m)^a"} {
		if _, longest := patternCost(p); longest != 0 {
			t.Errorf("%s: longest %d", p, longest)
		}
	}
	if cost(`[\pL\pN]{1,40}x`) < 100 {
		t.Error("a pattern of many characters is cheap")
	}
}

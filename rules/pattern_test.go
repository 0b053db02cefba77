package rules

import (
	"strings"
	"testing"
	"time"
)

// TestPatternsAreWeighedSoon has patterns with many sets of many states.
func TestPatternsAreWeighedSoon(t *testing.T) {
	limit := time.Second // the race detector and other work take their share
	if underRace {
		limit *= 5
	}
	for _, p := range []string{
		"^(((a?){10}){10}){10}", "(((a?){10}){10}){10}", "(a{0,30}b{0,30}){0,16}", "^" + strings.Repeat("(a|b|ab)?", 900),
		"^" + strings.Repeat("[a-z]{0,9}[^a-f]?", 300), strings.Repeat("(?i)[a-k]?", 1500), "^" + strings.Repeat("(a|aa)?", 2300),
		"^(.*a.{15})$", "^" + strings.Repeat("([a-c]|d)?", 1600),
	} {
		start := time.Now()
		perByte, _ := patternCost(p)
		if took := time.Since(start); took > limit {
			t.Errorf("%.30s took %v", p, took)
		} else {
			t.Logf("%.30s %v %v", p, took, perByte)
		}
	}
}

func TestPatternOfManyWaysIsDear(t *testing.T) {
	for _, p := range []string{"^(((a?){10}){10}){10}", "^" + strings.Repeat("(a|aa)?", 2300)} {
		if perByte, _ := patternCost(p); perByte < 1000*stateCost {
			t.Errorf("%.30s: %v", p, perByte)
		}
	}
	if perByte, _ := patternCost("^[a-z]{1,40}$"); perByte > byteCost+10*stateCost {
		t.Errorf("an ordinary pattern: %v", perByte)
	}
}

// TestPatternsAreWeighedOnce marks a pattern as known.
func TestPatternsAreWeighedOnce(t *testing.T) {
	c := newCompilation()
	lang := c.configure(Request, "mining.submit", nil)
	c.patterns["^a$"] = patternWeight{perByte: 1e6}
	x, mistakes := compileExpression(*src("user matches '^a$'"), lang, nil, boolValue)
	if len(mistakes) > 0 || x.weight.nanoseconds < 1e6 {
		t.Errorf("%v %v", mistakes, x)
	}
	if _, mistakes = compileExpression(*src("user matches '^b$'"), lang, nil, boolValue); len(mistakes) > 0 || len(c.patterns) != 2 {
		t.Errorf("%v %v", mistakes, c.patterns)
	}
}

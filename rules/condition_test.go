package rules_test

import (
	"strings"
	"testing"

	"github.com/loka-proxy/loka/rules"
)

func TestCondition(t *testing.T) {
	bad := rules.Group{Sessions: 5, Submitted: 100, Accepted: 80, Rejected: 20, RejectRate: 0.2, Hashrate: 1e12}
	good := rules.Group{Sessions: 95, Submitted: 1000, Accepted: 990, Rejected: 10, RejectRate: 0.01, Hashrate: 2e13}
	scope := &rules.Scope{Var: map[string]any{"factor": 2}}
	for text, want := range map[string]bool{
		"candidate.reject_rate > 2 * stable.reject_rate":                 true,
		"candidate.reject_rate > var.factor * stable.reject_rate":        true,
		"candidate.submitted > 500 and candidate.reject_rate > 0.1":      false,
		"stable.hashrate / stable.sessions < 1e11":                       false,
		"candidate.accepted + candidate.rejected < candidate.submitted":  false,
		"candidate.sessions == 5 and stable.sessions == 95":              true,
		"stable.rejected == 10 and stable.accepted / 10 == 99":           true,
		"candidate.hashrate > stable.hashrate or candidate.rejected > 1": true,
	} {
		c, errs := rules.CompileCondition(rules.Source{Text: text}, scope)
		if len(errs) > 0 {
			t.Fatal(text, errs)
		}
		if got, err := c.Holds(bad, good); err != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
}

func TestConditionMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"candidate.reject_rat > 1": "reject_rate",
		"candidate.reject_rate":    "a bool is needed",
		"user == 'x'":              "user",
		"upstream('pool.b').up":    "upstream",
		"":                         "Empty",
		"candidate.reject_rate >":  "",
	} {
		_, errs := rules.CompileCondition(rules.Source{Text: text}, &rules.Scope{})
		if len(errs) == 0 {
			t.Errorf("%q compiles", text)
			continue
		}
		if said := errs[0].Summary + " " + errs[0].Detail; !strings.Contains(said, want) {
			t.Errorf("%q: %s", text, said)
		}
	}
}

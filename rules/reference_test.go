package rules

import (
	"fmt"
	"testing"
)

// TestExamples runs the example of every function.
func TestExamples(t *testing.T) {
	for _, f := range Functions() {
		t.Run(f.Name, func(t *testing.T) {
			p := mustCompile(t, Rule{Kind: Request, Method: "mining.submit", When: src(f.Example), Deny: &Deny{}})
			if d := decide(t, p, Request, "mining.submit", "john"); d.Verdict != Denied || len(d.Failed) > 0 {
				t.Errorf("%s is not true: %v", f.Example, d.Failed)
			}
		})
	}
	for name := range functionExamples {
		if functions[name] == nil {
			t.Errorf("there is no function %s", name)
		}
	}
}

func TestOutcomes(t *testing.T) {
	want := "[[deny route] [set deny reply drop route] [set drop] [set drop]]"
	if got := fmt.Sprint([][]string{Outcomes(Connect), Outcomes(Request), Outcomes(Response), Outcomes(Notification)}); got != want {
		t.Errorf("outcomes are %s, not %s", got, want)
	}
}

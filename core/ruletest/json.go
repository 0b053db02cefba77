package ruletest

import (
	"io"

	"github.com/loka-proxy/loka/core/policy"
)

// JSON tells programs what came of tests, one object on each line: a test, then the
// summary, then the coverage of each policy.
type JSON struct{ w io.Writer }

// NewJSON writes to w.
func NewJSON(w io.Writer) *JSON { return &JSON{w} }

type testJSON struct {
	Version int        `json:"v"`
	Type    string     `json:"type"`
	File    string     `json:"file"`
	Test    string     `json:"test"`
	Line    int        `json:"line"`
	Status  string     `json:"status"`
	MS      float64    `json:"ms"`
	Error   string     `json:"error,omitempty"`
	Golden  string     `json:"golden,omitempty"`
	Steps   []stepJSON `json:"steps,omitempty"`
}

type stepJSON struct {
	Line    int                 `json:"line"`
	Col     int                 `json:"col"`
	Kind    string              `json:"kind"`
	Method  string              `json:"method,omitempty"`
	Status  string              `json:"status"`
	Verdict Verdict             `json:"verdict"`
	Diff    []diffJSON          `json:"diff,omitempty"`
	Asserts []assertJSON        `json:"asserts,omitempty"`
	Trace   []RuleTrace         `json:"trace"`
	Failed  []policy.Diagnostic `json:"failed,omitempty"`
	// Problem says why the message could not be sent, or that the session ends with it.
	Problem string `json:"problem,omitempty"`
}

type diffJSON struct {
	Field   string `json:"field"`
	Want    any    `json:"want"`
	Got     any    `json:"got"`
	Nothing string `json:"nothing,omitempty"`
}

type assertJSON struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
	Problem string `json:"problem,omitempty"`
}

func status(passed bool) string {
	if passed {
		return "pass"
	}
	return "fail"
}

// Result tells what came of one test.
func (j *JSON) Result(r *Result) {
	v := r.veil()
	out := testJSON{
		Version: 1, Type: "test", File: r.Test.File, Test: v.text(r.Test.Name), Line: r.Test.Range.Start.Line,
		Status: status(r.Passed()), MS: float64(r.Elapsed.Microseconds()) / 1000, Golden: v.golden(r.Golden),
	}
	if r.Err != nil {
		out.Error = v.plain(r.Err.Error())
	}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, v.step(r.Test.Proxy, s))
	}
	j.object(out)
}

// step tells what came of one step.
func (v *veil) step(proxy *policy.Proxy, s *StepResult) stepJSON {
	traced := v.traced(proxy, &s.Outcome)
	out := stepJSON{
		Line: s.Step.Range.Start.Line, Col: s.Step.Range.Start.Column, Kind: traced.Kind, Method: v.plain(s.Step.Method),
		Status: status(s.Passed()), Verdict: traced.Verdict, Trace: traced.Rules, Problem: v.plain(s.Problem),
	}
	for _, d := range s.Failed {
		out.Failed = append(out.Failed, v.diagnostic(d))
	}
	for _, d := range s.Diffs {
		out.Diff = append(out.Diff, diffJSON(v.diff(d)))
	}
	for _, b := range s.Broken {
		out.Asserts = append(out.Asserts, assertJSON{b.Assert.Range.Start.Line, v.text(b.Assert.Message), v.plain(b.Problem)})
	}
	return out
}

// object writes an object on a line of its own.
func (j *JSON) object(v any) { _, _ = j.w.Write(append(encode(v), '\n')) }

// Summary tells the sum.
func (j *JSON) Summary(s Summary) {
	j.object(struct {
		Version int    `json:"v"`
		Type    string `json:"type"`
		Passed  int    `json:"passed"`
		Failed  int    `json:"failed"`
	}{1, "summary", s.Passed, s.Failed})
}

type coverageJSON struct {
	Version int                `json:"v"`
	Type    string             `json:"type"`
	Policy  string             `json:"policy"`
	Rules   []ruleCoverageJSON `json:"rules"`
	Matched float64            `json:"matched_percent"`
	Covered float64            `json:"covered_percent"`
}

type ruleCoverageJSON struct {
	Rule       string `json:"rule"`
	Place      string `json:"place"`
	Matched    int    `json:"matched"`
	NotMatched int    `json:"not_matched"`
	Guarded    bool   `json:"guarded"`
	Covered    bool   `json:"covered"`
}

// Coverage tells what the rules of one policy saw.
func (j *JSON) Coverage(path string, c *Coverage) {
	out := coverageJSON{
		Version: 1, Type: "coverage", Policy: path, Rules: []ruleCoverageJSON{},
		Matched: c.Percent(c.Matched()), Covered: c.Percent(c.Covered()),
	}
	for _, r := range c.Rules() {
		out.Rules = append(out.Rules, ruleCoverageJSON{r.Address, r.Place, r.Matched, r.NotMatched, r.Guarded, r.Covered()})
	}
	j.object(out)
}

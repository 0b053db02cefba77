package ruletest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/rules"
)

// Text tells people what came of tests. Nothing sensitive is in it.
type Text struct {
	w io.Writer
	// Verbose asks for the trace of every step, not only of those that failed.
	Verbose bool
	file    string
}

// NewText writes to w.
func NewText(w io.Writer) *Text { return &Text{w: w} }

// Result tells what came of one test, under the name of its file.
func (t *Text) Result(r *Result) {
	if t.file != r.Test.File {
		t.file = r.Test.File
		fmt.Fprintln(t.w, visible(t.file))
	}
	word := "PASS"
	if !r.Passed() {
		word = "FAIL"
	}
	p := paper{veil: r.veil(), w: t.w}
	p.line("  %s  %s", word, p.text(r.Test.Name))
	if r.Err != nil {
		p.line("        on %s: %s", place(r.Test.Range), p.plain(r.Err.Error()))
	}
	if r.Note != "" {
		p.line("        note: %s", r.Note)
	}
	if r.Updated {
		p.line("        wrote %s", goldenOf(r.Test))
	}
	if r.Golden != "" {
		p.line("        on %s: what the policy makes of %s differs from %s", place(r.Test.Range), r.Test.Capture, goldenOf(r.Test))
		p.line("")
		p.block("          ", p.golden(r.Golden))
	}
	for _, s := range r.Steps {
		if !s.Passed() || t.Verbose {
			p.step(r.Test, s)
		}
	}
}

// place gives a range as file:line:column.
func place(r policy.Range) string {
	return fmt.Sprintf("%s:%d:%d", r.Filename, r.Start.Line, r.Start.Column)
}

// paper is where text without secrets goes. What is written on it was cleaned before.
type paper struct {
	*veil
	w io.Writer
}

func (p paper) line(format string, args ...any) {
	fmt.Fprintln(p.w, visible(fmt.Sprintf(format, args...)))
}

// block writes some lines, each behind a margin.
func (p paper) block(margin, text string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); line != "" {
			line = margin + line
		}
		p.line("%s", line)
	}
}

// step tells what came of one step: what is not as expected, then the trace, then the
// expressions that failed.
func (p paper) step(t *policy.Test, s *StepResult) {
	p.line("        on %s, in %s:", place(s.Step.Range), p.plain(s.Step.Title))
	if s.Passed() {
		p.trace(t, &s.Outcome)
		return
	}
	p.line("")
	if s.Problem != "" {
		p.line("          %s", p.plain(s.Problem))
		p.line("")
	}
	if len(s.Outcome.In) == 0 && s.Problem != "" { // nothing was sent
		return
	}
	for _, d := range s.Diffs {
		p.differs(p.diff(d))
	}
	p.because(t.Proxy, s)
	if s.Unexpected {
		p.line("          an expression fails, and the step does not say so (failed = [%q])", p.plain(shortName(t.Proxy.Program.Rules()[s.Outcome.Failed[0].Rule].Address)))
	}
	for _, b := range s.Broken {
		p.line("          assert at %s does not hold: %s", place(b.Assert.Range), p.text(b.Assert.Message))
		if b.Problem != "" {
			p.line("            %s", p.plain(b.Problem))
		}
	}
	p.line("")
	p.trace(t, &s.Outcome)
	for _, d := range s.Failed {
		var b bytes.Buffer
		_ = policy.Diagnostics{p.diagnostic(d)}.Write(&b)
		p.block("        ", b.String())
		p.line("")
	}
}

// differs tells one thing that is not as expected.
func (p paper) differs(d Diff) {
	p.line("          - %s = %s", d.Field, encode(d.Want))
	if d.Nothing != "" {
		p.line("          + %s: %s", d.Field, d.Nothing)
		return
	}
	p.line("          + %s = %s", d.Field, encode(d.Got))
}

// because says who gave a verdict that was not expected.
func (p paper) because(proxy *policy.Proxy, s *StepResult) {
	o := &s.Outcome
	for _, d := range s.Diffs {
		if d.Field != "verdict" {
			continue
		}
		by := "by loka itself"
		if o.By >= 0 {
			by = "by " + p.plain(proxy.Program.Rules()[o.By].Address)
		}
		switch {
		case o.Verdict == Deny && o.Kind == rules.Connect: // it is closed without a word
			p.line("            denied %s", by)
		case o.Verdict == Deny:
			p.line("            denied %s: %d %s", by, o.Code, encode(p.text(o.Text)))
		case o.Verdict == Refuse:
			p.line("            refused by loka itself: %s", reasonOf(o.Reason))
		case o.Verdict != Forward:
			p.line("            %s", by)
		}
	}
	if o.Closed && o.Reason != "" && s.Problem == "" {
		p.line("          the session ends: %s", reasonOf(o.Reason))
	}
}

// refusals say why loka refuses a line, whatever the rules.
var refusals = map[string]string{
	exchange.RefusedBlank:     "the line is blank",
	exchange.RefusedMalformed: "this is not one JSON object, or no request",
	exchange.RefusedAmbiguous: "others may read this otherwise than loka does",
	exchange.RefusedNotJSON:   "this is not JSON",
	exchange.RefusedReconnect: "a pool's client.reconnect is not passed on",
	exchange.RefusedTooLong:   "rules made it longer than the pool takes",
	exchange.RefusedLateReply: "its request was given up long ago",
}

// reasonOf gives a reason in words.
func reasonOf(reason string) string {
	if text, ok := refusals[reason]; ok {
		return text
	}
	return reason
}

// traceWidth is where the second column of a trace begins.
const traceWidth = 58

// trace tells what each rule did with the message.
func (p paper) trace(t *policy.Test, o *Outcome) {
	p.line("        trace")
	if len(o.Trace) == 0 {
		p.line("          no rule looks at this message")
	}
	for _, step := range o.Trace {
		rule := &t.Proxy.Program.Rules()[step.Rule]
		for _, what := range p.did(rule, step) {
			p.line("          %s %s", pad(p.plain(rule.Address), traceWidth), what)
		}
	}
	p.line("")
}

// did says what one rule did.
func (p paper) did(rule *rules.Rule, step rules.Step) (lines []string) {
	switch {
	case step.Failed != nil:
		return []string{"failed at " + p.policy.Locate(step.Failed)}
	case !step.When:
		return []string{"when = false"}
	}
	for _, set := range step.Set {
		lines = append(lines, set.Field+" = "+shownValue(p.value(set.Value), set.Secret))
	}
	if what := p.plain(effect(rule)); what != "" {
		lines = append(lines, what)
	}
	if len(lines) == 0 {
		lines = []string{"when = true"}
	}
	return lines
}

// shownValue is the value of an assignment, unless it is sensitive.
func shownValue(value any, secret bool) string {
	if secret {
		return sensitive
	}
	return string(encode(value))
}

// effect says what a rule that matched does besides setting.
func effect(r *rules.Rule) string {
	var parts []string
	if r.Route != "" {
		parts = append(parts, "route to "+r.Route)
	}
	switch {
	case r.Deny != nil:
		parts = append(parts, "deny")
	case r.Reply != nil:
		parts = append(parts, "reply")
	case r.Drop:
		parts = append(parts, "drop")
	case r.Stop:
		parts = append(parts, "stop")
	}
	return strings.Join(parts, ", ")
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// Summary tells the sum.
func (t *Text) Summary(s Summary) {
	word := "Success!"
	switch {
	case s.Failed > 0:
		word = "Failure!"
	case s.Passed == 0:
		word = "Nothing ran:"
	}
	fmt.Fprintf(t.w, "%s %d passed, %d failed.\n", word, s.Passed, s.Failed)
}

// Coverage tells what the rules of one policy saw.
func (t *Text) Coverage(path string, c *Coverage) {
	fmt.Fprintf(t.w, "\nCoverage of %s\n", path)
	width := 0
	for _, r := range c.Rules() {
		width = max(width, utf8.RuneCountInString(r.Address))
	}
	for _, r := range c.Rules() {
		fmt.Fprintf(t.w, "  %s %s   matched %3d   %s\n", mark(r), pad(r.Address, width), r.Matched, notMatched(r))
	}
	n := len(c.Rules())
	fmt.Fprintf(t.w, "  %d of %d rules matched at least once (%.1f%%)\n", c.Matched(), n, c.Percent(c.Matched()))
	fmt.Fprintf(t.w, "  %d of %d rules seen both ways, matched and not matched (%.1f%%)\n", c.Covered(), n, c.Percent(c.Covered()))
}

func mark(r *RuleCoverage) string {
	switch {
	case r.Dead():
		return "✗"
	case !r.Covered():
		return "~"
	}
	return " "
}

func notMatched(r *RuleCoverage) string {
	if !r.Guarded {
		return "always matches"
	}
	return fmt.Sprintf("not matched %3d", r.NotMatched)
}

// Summary counts what came of tests.
type Summary struct{ Passed, Failed int }

// Add counts one result.
func (s *Summary) Add(r *Result) {
	if r.Passed() {
		s.Passed++
	} else {
		s.Failed++
	}
}

func goldenOf(t *policy.Test) string {
	if t.Golden == "" {
		return t.Capture
	}
	return t.Golden
}

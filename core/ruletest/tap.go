package ruletest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// TAP tells what came of tests in the Test Anything Protocol, version 14.
type TAP struct {
	w io.Writer
	n int
}

// NewTAP writes to w.
func NewTAP(w io.Writer) *TAP {
	fmt.Fprintln(w, "TAP version 14")
	return &TAP{w: w}
}

// Result tells what came of one test.
func (t *TAP) Result(r *Result) {
	t.n++
	word := "ok"
	if !r.Passed() {
		word = "not ok"
	}
	name := strings.ReplaceAll(r.Test.File+": "+r.veil().text(r.Test.Name), "\n", " ")
	fmt.Fprintf(t.w, "%s %d - %s\n", word, t.n, strings.NewReplacer("\\", "\\\\", "#", "\\#").Replace(visible(name)))
	if r.Passed() {
		return
	}
	for line := range strings.Lines(Told(r)) {
		fmt.Fprintf(t.w, "# %s", line)
	}
}

// Summary tells how many tests there were.
func (t *TAP) Summary(Summary) { fmt.Fprintf(t.w, "1..%d\n", t.n) }

// Coverage is a comment for people.
func (t *TAP) Coverage(path string, c *Coverage) {
	fmt.Fprintf(t.w, "# %s: %d of %d rules seen both ways (%.1f%%)\n", path, c.Covered(), len(c.Rules()), c.Percent(c.Covered()))
}

// Told is what people are told of a test, without the name of its file.
func Told(r *Result) string {
	var b bytes.Buffer
	text := NewText(&b)
	text.file = r.Test.File
	text.Result(r)
	return b.String()
}

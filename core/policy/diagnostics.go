package policy

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Severity says whether a diagnostic keeps a policy from being used.
type Severity string

// The severities: a policy with a Warning is used, one with an Error is not.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Pos is a place in a file. Lines and columns count from 1, columns in characters as
// a reader sees them; Byte counts from 0.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// Range is a piece of a file. End is the place after its last character.
type Range struct {
	Filename string `json:"filename"`
	Start    Pos    `json:"start"`
	End      Pos    `json:"end"`
}

// Snippet quotes the line that a diagnostic is about.
type Snippet struct {
	// Context is the chain of blocks around the place, as in
	// ruleset "house", request "mining.authorize" "house_wallet".
	Context string `json:"context,omitempty"`
	// Code is the line, without its end.
	Code      string `json:"code"`
	StartLine int    `json:"start_line"`
	// The highlight is in characters of Code.
	HighlightStart int `json:"highlight_start_offset"`
	HighlightEnd   int `json:"highlight_end_offset"`
}

// Diagnostic is one mistake in a policy, or one thing to know about it, told to its
// operator: the fact in one line, the place, and what to do about it.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Summary  string   `json:"summary"`
	// Detail is paragraphs parted by blank lines. Indented lines are to be shown as
	// they are.
	Detail string `json:"detail,omitempty"`
	// Range is nil when the diagnostic is about no place in a file.
	Range   *Range   `json:"range,omitempty"`
	Snippet *Snippet `json:"snippet,omitempty"`
}

// Position gives the place as file:line:column, or nothing when there is none.
func (d Diagnostic) Position() string {
	if d.Range == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", d.Range.Filename, d.Range.Start.Line, d.Range.Start.Column)
}

// Diagnostics is all that there is to say about a policy: the errors in the order of
// their places, then the warnings.
type Diagnostics []Diagnostic

// HasErrors reports whether any of them is an error.
func (ds Diagnostics) HasErrors() bool { return ds.Errors().Len() > 0 }

// Len gives their number.
func (ds Diagnostics) Len() int { return len(ds) }

// Errors gives the errors alone.
func (ds Diagnostics) Errors() Diagnostics { return ds.of(Error) }

// Warnings gives the warnings alone.
func (ds Diagnostics) Warnings() Diagnostics { return ds.of(Warning) }

func (ds Diagnostics) of(severity Severity) Diagnostics {
	var out Diagnostics
	for _, d := range ds {
		if d.Severity == severity {
			out = append(out, d)
		}
	}
	return out
}

// Error gives them on one line each, for places that have room for no more.
func (ds Diagnostics) Error() string {
	lines := make([]string, 0, len(ds))
	for _, d := range ds {
		line := d.Summary
		if first, _, _ := strings.Cut(d.Detail, "\n"); first != "" {
			line += ": " + first
		}
		if at := d.Position(); at != "" {
			line = at + ": " + line
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// JSON gives them as an array, in the shape that other tools of this kind use:
// severity, summary, detail, range, snippet.
func (ds Diagnostics) JSON() []byte {
	if ds == nil {
		ds = Diagnostics{}
	}
	out, err := json.Marshal(ds)
	if err != nil {
		panic("policy: diagnostics are plain data: " + err.Error())
	}
	return out
}

// Write writes them for people, with the source quoted and the place underlined.
func (ds Diagnostics) Write(w io.Writer) error {
	for i, d := range ds {
		text := d.text()
		if i > 0 {
			text = "\n" + text
		}
		if _, err := io.WriteString(w, text); err != nil {
			return fmt.Errorf("write diagnostics: %w", err)
		}
	}
	return nil
}

func (d Diagnostic) text() string {
	var b strings.Builder
	title := map[Severity]string{Error: "Error", Warning: "Warning"}[d.Severity]
	fmt.Fprintf(&b, "%s: %s\n", title, d.Summary)
	d.writePlace(&b)
	if d.Detail != "" {
		b.WriteByte('\n')
	}
	for line := range strings.Lines(d.Detail) {
		if line != "\n" {
			b.WriteString("  ")
		}
		b.WriteString(strings.TrimSuffix(line, "\n"))
		b.WriteByte('\n')
	}
	return b.String()
}

func (d Diagnostic) writePlace(b *strings.Builder) {
	if d.Range == nil {
		return
	}
	fmt.Fprintf(b, "\n  on %s", d.Position())
	if d.Snippet == nil {
		b.WriteByte('\n')
		return
	}
	if d.Snippet.Context != "" {
		fmt.Fprintf(b, ", in %s", d.Snippet.Context)
	}
	number := fmt.Sprintf("%4d", d.Snippet.StartLine)
	fmt.Fprintf(b, ":\n\n%s │ %s\n", number, d.Snippet.Code)
	fmt.Fprintf(b, "%*s │ %s\n", len(number), "", d.Snippet.underline())
}

// underline draws the carets under the highlighted characters. Tabs are repeated
// rather than replaced, so that it lines up whatever the width of a tab is.
func (s *Snippet) underline() string {
	var b strings.Builder
	n := 0
	for _, r := range s.Code {
		if n == s.HighlightStart {
			break
		}
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
		n++
	}
	b.WriteString(strings.Repeat("^", max(1, s.HighlightEnd-s.HighlightStart)))
	return b.String()
}

package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// report collects what is said during a load. Everything is said as HCL's
// diagnostics, so that its own and ours are one list, and translated at the end.
type report struct {
	diags   hcl.Diagnostics
	sources map[string]*source
	// order is the order in which the sources were read.
	order map[string]int
	secrets
}

func newReport() *report {
	return &report{sources: map[string]*source{}, order: map[string]int{}}
}

func (r *report) knows(src *source) {
	if _, again := r.sources[src.name]; !again {
		r.order[src.name] = len(r.order)
	}
	r.sources[src.name] = src
}

// fail reports a mistake at a place.
func (r *report) fail(rng hcl.Range, summary, detail string, args ...any) {
	r.say(hcl.DiagError, rng, summary, fmt.Sprintf(detail, args...))
}

// warn reports something to know at a place.
func (r *report) warn(rng hcl.Range, summary, detail string, args ...any) {
	r.say(hcl.DiagWarning, rng, summary, fmt.Sprintf(detail, args...))
}

// failNowhere reports a mistake that has no place in a file.
func (r *report) failNowhere(summary, detail string, args ...any) {
	r.diags = append(r.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...),
	})
}

func (r *report) say(severity hcl.DiagnosticSeverity, rng hcl.Range, summary, detail string) {
	r.diags = append(r.diags, &hcl.Diagnostic{
		Severity: severity, Summary: summary, Detail: detail, Subject: &rng,
	})
}

// add takes over what HCL itself has to say, and reports whether that was free of errors.
func (r *report) add(diags hcl.Diagnostics) bool {
	for _, d := range diags {
		r.diags = append(r.diags, r.polish(d))
	}
	return !diags.HasErrors()
}

// diagnostics gives what was said: errors first, in the order of their places, each
// once. A ruleset that a hundred proxies use reports its typo once.
func (r *report) diagnostics() Diagnostics {
	r.compact()
	slices.SortStableFunc(r.diags, r.compare)
	var out Diagnostics
	for _, d := range r.diags {
		out = append(out, r.public(d))
	}
	return out
}

// compact drops what was said before. A place has each summary once, whatever it is
// about: the same line of a ruleset may be wrong for different reasons in two uses of it.
func (r *report) compact() {
	seen := map[string]*hcl.Diagnostic{}
	r.diags = slices.DeleteFunc(r.diags, func(d *hcl.Diagnostic) bool {
		key := fmt.Sprint(d.Severity, strings.TrimSuffix(d.Summary, "."), " ")
		if d.Subject == nil {
			key += d.Detail
		} else {
			key += fmt.Sprint(*d.Subject)
		}
		first, again := seen[key]
		if again {
			shareBlame(first, d)
		} else {
			seen[key] = d
		}
		return again
	})
	r.secrets.compact()
}

func (r *report) compare(a, b *hcl.Diagnostic) int {
	if c := cmp.Compare(a.Severity, b.Severity); c != 0 {
		return c
	}
	if a.Subject == nil || b.Subject == nil {
		return cmp.Compare(boolInt(a.Subject != nil), boolInt(b.Subject != nil))
	}
	return cmp.Or(
		cmp.Compare(r.order[a.Subject.Filename], r.order[b.Subject.Filename]),
		cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte),
	)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *report) public(d *hcl.Diagnostic) Diagnostic {
	out := Diagnostic{
		Severity: Error,
		Summary:  r.redact(strings.TrimSuffix(d.Summary, ".")),
		Detail:   r.redact(strings.TrimSpace(d.Detail) + blamed(d)),
	}
	if d.Severity == hcl.DiagWarning {
		out.Severity = Warning
	}
	if d.Subject == nil {
		return out
	}
	out.Range = publicRange(*d.Subject)
	if src := r.sources[d.Subject.Filename]; src != nil {
		out.Snippet = src.snippet(*d.Subject)
		r.censor(&out, *d.Subject)
	}
	return out
}

func publicRange(rng hcl.Range) *Range {
	return &Range{
		Filename: rng.Filename,
		Start:    Pos{Line: rng.Start.Line, Column: rng.Start.Column, Byte: rng.Start.Byte},
		End:      Pos{Line: rng.End.Line, Column: rng.End.Column, Byte: rng.End.Byte},
	}
}

// internal gives a range as HCL has them.
func (r Range) internal() hcl.Range {
	return hcl.Range{
		Filename: r.Filename,
		Start:    hcl.Pos{Line: r.Start.Line, Column: r.Start.Column, Byte: r.Start.Byte},
		End:      hcl.Pos{Line: r.End.Line, Column: r.End.Column, Byte: r.End.Byte},
	}
}

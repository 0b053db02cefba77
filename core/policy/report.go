package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// report collects what is said during a load. Everything is said as HCL's
// diagnostics, so that its own and ours are one list, and translated at the end.
type report struct {
	diags   hcl.Diagnostics
	sources map[string]*source
	// order is the order in which the sources were read.
	order map[string]int
	// secrets are texts that no diagnostic may show; hidden are the places whose
	// source is not quoted.
	secrets []string
	hidden  []hcl.Range
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

// polish puts HCL's words into those of this house: it calls a list a tuple, does not
// look for the nearest name among functions of an outer context, and has no remedy for
// a double quote within a text.
func (r *report) polish(d *hcl.Diagnostic) *hcl.Diagnostic {
	better := *d
	better.Detail = strings.NewReplacer("tuple", "list", "dynamic value", "value").Replace(d.Detail)
	if d.Subject == nil || r.sources[d.Subject.Filename] == nil {
		return &better
	}
	src := r.sources[d.Subject.Filename]
	switch d.Summary {
	case "Call to unknown function":
		better.Detail += didYouMean(src.quote(*d.Subject), sortedNames(functions.Functions))
	case "Missing newline after argument":
		if code, _ := src.line(d.Subject.Start.Byte); strings.HasPrefix(code[len(argument.FindString(code)):], `"`) {
			better.Detail += "\n\nIf a double quote is meant to be part of the text, write \\\" in its place."
		}
	}
	return &better
}

// hide keeps the source of a place out of all diagnostics.
func (r *report) hide(rng hcl.Range) { r.hidden = append(r.hidden, rng) }

// shortSecret is the length below which a secret is not looked for in texts: it would
// be found in every second word.
const shortSecret = 4

func (r *report) keepSecret(value string) {
	if utf8.RuneCountInString(value) >= shortSecret {
		r.secrets = append(r.secrets, value)
	}
}

// diagnostics gives what was said: errors first, in the order of their places, each
// once. A ruleset that a hundred proxies use reports its typo once.
func (r *report) diagnostics() Diagnostics {
	slices.SortStableFunc(r.diags, r.compare)
	slices.SortFunc(r.secrets, func(a, b string) int { return len(b) - len(a) })
	seen := map[string]bool{}
	var out Diagnostics
	for _, d := range r.diags {
		public := r.public(d)
		key := fmt.Sprint(public.Severity, public.Position(), public.Summary)
		if public.Range == nil {
			key += public.Detail
		} else {
			key += fmt.Sprint(*public.Range)
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, public)
		}
	}
	return out
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
		Detail:   r.redact(strings.TrimSpace(d.Detail)),
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
		out.Snippet.Code = r.redactCode(out.Snippet.Code)
		if r.isHidden(*d.Subject) {
			out.Snippet.Code = "(not shown: the value is sensitive)"
			out.Snippet.HighlightStart, out.Snippet.HighlightEnd = 0, utf8.RuneCountInString(out.Snippet.Code)
		}
	}
	return out
}

func (r *report) isHidden(rng hcl.Range) bool {
	for _, h := range r.hidden {
		if h.Filename == rng.Filename && h.Start.Line <= rng.End.Line && rng.Start.Line <= h.End.Line {
			return true
		}
	}
	return false
}

func (r *report) redact(text string) string {
	for _, secret := range r.secrets {
		text = strings.ReplaceAll(text, secret, "(sensitive)")
	}
	return text
}

// redactCode replaces secrets in a quoted line by as many asterisks, so that the
// carets under it stay where they are.
func (r *report) redactCode(code string) string {
	for _, secret := range r.secrets {
		code = strings.ReplaceAll(code, secret, strings.Repeat("*", utf8.RuneCountInString(secret)))
	}
	return code
}

func publicRange(rng hcl.Range) *Range {
	return &Range{
		Filename: rng.Filename,
		Start:    Pos{Line: rng.Start.Line, Column: rng.Start.Column, Byte: rng.Start.Byte},
		End:      Pos{Line: rng.End.Line, Column: rng.End.Column, Byte: rng.End.Byte},
	}
}

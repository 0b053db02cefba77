package policy

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

const (
	notShown = "(not shown: the value is sensitive)"
	// unsaid takes the place of HCL's own words on a value that is sensitive, or made
	// from one: they quote what they are about.
	unsaid = "What is wrong is not told in detail, since that might quote a sensitive value."
	// unparsed is the same for a piece of a file that does not parse.
	unparsed = "What is wrong is not told in detail, since that might quote a sensitive value. A text goes in double quotes, " +
		"and in it \\\" stands for a double quote, \\\\ for a backslash and $${ for ${."
)

// secrets is what no diagnostic may show.
type secrets struct {
	// texts are looked for in what is said and in what is quoted.
	texts []string
	// hidden are the places whose source is not quoted.
	hidden []hiding
}

// hiding is a place whose source is not quoted.
type hiding struct {
	hcl.Range
	// raw says that the place was found by its lines, in a file that does not parse:
	// the words and the chain of blocks are made from its pieces, and not shown either.
	raw bool
}

// hide keeps the source of a place out of all diagnostics.
func (s *secrets) hide(rng hcl.Range) { s.hidden = append(s.hidden, hiding{Range: rng}) }

// shortSecret is the length below which a secret is not looked for in texts: it would
// be found in every second word.
const shortSecret = 4

func (s *secrets) keepSecret(value string) {
	if utf8.RuneCountInString(value) >= shortSecret {
		s.texts = append(s.texts, value)
	}
}

// compact drops what is there twice, and puts the longest texts first: a secret may be a
// part of another.
func (s *secrets) compact() {
	slices.SortFunc(s.texts, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	s.texts = slices.Compact(s.texts)
	seen := map[hiding]bool{}
	s.hidden = slices.DeleteFunc(s.hidden, func(h hiding) bool {
		again := seen[h]
		seen[h] = true
		return again
	})
}

// keepSecrets keeps every text of a value, and the keys of its maps. The names of an
// object's attributes are not kept: they are words such as "user".
func (s *secrets) keepSecrets(value cty.Value) {
	_ = cty.Walk(value, func(path cty.Path, part cty.Value) (bool, error) {
		if len(path) > 0 {
			if step, ok := path[len(path)-1].(cty.IndexStep); ok && step.Key.Type() == cty.String {
				s.keepSecret(step.Key.AsString())
			}
		}
		switch {
		case part.IsNull() || !part.IsKnown():
		case part.Type() == cty.String:
			s.keepSecret(part.AsString())
		case part.Type() == cty.Number:
			s.keepSecret(part.AsBigFloat().Text('f', -1))
		}
		return true, nil
	})
}

// quoted gives the secrets as they also are within JSON, where a quote has a backslash
// before it.
func (s *secrets) quoted() secrets {
	out := secrets{hidden: s.hidden, texts: slices.Clone(s.texts)}
	for _, text := range s.texts {
		if inner := withinJSON(text); inner != text {
			out.texts = append(out.texts, inner)
		}
	}
	slices.SortFunc(out.texts, func(a, b string) int { return len(b) - len(a) })
	return out
}

func withinJSON(text string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return text
	}
	return strings.TrimSuffix(b.String(), "\"\n")[1:]
}

// hiding gives the hiding that covers a line of a place, or nil.
func (s *secrets) hiding(rng hcl.Range) *hiding {
	var found *hiding
	for i, h := range s.hidden {
		if h.Filename == rng.Filename && h.Start.Line <= rng.End.Line && rng.Start.Line <= h.End.Line && (found == nil || h.raw) {
			found = &s.hidden[i]
		}
	}
	return found
}

// censor takes what is sensitive out of a diagnostic that is about a place.
func (s *secrets) censor(d *Diagnostic, at hcl.Range) {
	d.Snippet.Code = s.redactCode(d.Snippet.Code)
	d.Snippet.Context = s.redact(d.Snippet.Context)
	h := s.hiding(at)
	if h == nil {
		return
	}
	d.Snippet.Code = notShown
	d.Snippet.HighlightStart, d.Snippet.HighlightEnd = 0, utf8.RuneCountInString(notShown)
	if h.raw {
		d.Detail, d.Snippet.Context = unparsed, ""
	}
}

func (s *secrets) redact(text string) string {
	for _, secret := range s.texts {
		text = strings.ReplaceAll(text, secret, "(sensitive)")
	}
	return text
}

// redactCode replaces secrets in a quoted line by as many asterisks, so that the
// carets under it stay where they are.
func (s *secrets) redactCode(code string) string {
	for _, secret := range s.texts {
		code = strings.ReplaceAll(code, secret, strings.Repeat("*", utf8.RuneCountInString(secret)))
	}
	return code
}

// evalSecret is eval for an argument that holds a secret itself, so that not even a
// name that does not exist is told: it may be a secret without its quotes.
func (l *loader) evalSecret(expr hcl.Expression, s *scope) cty.Value {
	before := len(l.diags)
	value := l.eval(expr, s)
	for _, d := range l.diags[before:] {
		d.Detail = unparsed
	}
	return value
}

// namesSecret reports whether an expression has a sensitive value among the values
// that it names, whether directly or through a local.
func namesSecret(expr hcl.Expression, ctx *hcl.EvalContext) bool {
	if expr == nil || ctx == nil {
		return false
	}
	for _, traversal := range expr.Variables() {
		if isSecret(traversal, ctx) {
			return true
		}
	}
	return false
}

// isSecret follows a traversal as far as there are values. Marks may sit at any of its
// steps, and a step that does not exist is what the mistake is about.
func isSecret(traversal hcl.Traversal, ctx *hcl.EvalContext) bool {
	for n := len(traversal); n > 0; n-- {
		if value, diags := traversal[:n].TraverseAbs(ctx); !diags.HasErrors() {
			return value.ContainsMarked()
		}
	}
	return false
}

// unsaidAll takes the details out of what HCL has to say.
func unsaidAll(diags hcl.Diagnostics) (censored hcl.Diagnostics) {
	for _, d := range diags {
		bare := *d
		bare.Detail = unsaid
		censored = append(censored, &bare)
	}
	return censored
}

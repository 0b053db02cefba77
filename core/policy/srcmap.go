package policy

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/loka-proxy/loka/rules"
)

// place is where something that rules are told about stands in its file. It travels
// through package rules as the Origin of a source, an assignment or a rule.
type place struct {
	src *source
	rng hcl.Range
	// expression says that the range holds an expression in quotes or a heredoc, so
	// that runes of its text can be found in it.
	expression bool
	// parts are what a rule has in it: its method, on_error, and its blocks by their
	// types.
	parts map[string]hcl.Range
}

// of gives the range that a mistake at this place is about: what the rules say of a rule
// as a whole is about one of its parts.
func (p *place) of(m *rules.Error) hcl.Range {
	found := p.find(m.From, m.To)
	switch m.Summary {
	case "Invalid method":
		found = cmp.Or(p.parts["method"], found)
	case "Invalid on_error":
		found = cmp.Or(p.parts["on_error"], found)
	case "Outcome not possible here", "More than one outcome":
		for _, kind := range []string{"deny", "reply", "drop", "route"} {
			part, ok := p.parts[kind]
			if ok && strings.Contains(m.Detail, kind) && part.Start.Byte > found.Start.Byte {
				found = part
			}
		}
	}
	return found
}

// find gives the range of the runes from..to of the expression at this place, or of
// all of it when they are not known.
func (p *place) find(from, to int) hcl.Range {
	if !p.expression {
		return p.rng
	}
	spans := decode(p.src, p.rng)
	if len(spans) == 0 {
		return p.rng
	}
	if from < 0 {
		from, to = 0, len(spans)
	}
	from = min(from, len(spans))
	to = min(max(to, from), len(spans))
	start := spans[len(spans)-1].end
	if from < len(spans) {
		start = spans[from].start
	}
	end := start
	if to > from {
		end = spans[to-1].end
	}
	return p.src.between(start, end)
}

// runeSpan is one character of an expression's text and the bytes of the file that
// stand for it: more than its own where it is escaped.
type runeSpan struct {
	char       rune
	start, end int
}

// textOf joins the characters.
func textOf(spans []runeSpan) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteRune(s.char)
	}
	return b.String()
}

// decode reads a quoted string or a heredoc from the bytes of its file.
//
// The value that HCL computes is of no use for this: it joins pieces, strips
// indentation and normalises characters, so that an offset into it says nothing about
// the file. So the tokens are read again, and each decoded character keeps its place.
// White space at the end is dropped, since an error at the end of an expression
// belongs behind its last word and not before a heredoc's marker.
func decode(src *source, rng hcl.Range) []runeSpan {
	if !rng.CanSliceBytes(src.bytes) {
		return nil
	}
	// The range of a heredoc ends with its marker, and a marker is one only if its line
	// ends behind it.
	raw := append(bytes.Clone(rng.SliceBytes(src.bytes)), '\n')
	tokens, _ := hclsyntax.LexExpression(raw, src.name, rng.Start)
	var lines [][]runeSpan
	flush := false
	for _, tok := range tokens {
		switch tok.Type {
		case hclsyntax.TokenOHeredoc:
			flush = strings.HasPrefix(string(tok.Bytes), "<<-")
		case hclsyntax.TokenQuotedLit:
			lines = append(lines, decodeLiteral(tok, true))
		case hclsyntax.TokenStringLit:
			lines = append(lines, decodeLiteral(tok, false))
		}
	}
	if flush {
		stripIndent(lines)
	}
	var all []runeSpan
	for _, line := range lines {
		all = append(all, line...)
	}
	for len(all) > 0 && unicode.IsSpace(all[len(all)-1].char) {
		all = all[:len(all)-1]
	}
	return all
}

// decodeLiteral decodes one token. Escapes with a backslash are known in quotes only;
// $${ and %%{ everywhere.
func decodeLiteral(tok hclsyntax.Token, quoted bool) []runeSpan {
	rest, at := tok.Bytes, tok.Range.Start.Byte
	spans := make([]runeSpan, 0, len(rest))
	for len(rest) > 0 {
		char, size := decodeChar(rest, quoted)
		spans = append(spans, runeSpan{char, at, at + size})
		at, rest = at+size, rest[size:]
	}
	return spans
}

func decodeChar(b []byte, quoted bool) (char rune, size int) {
	switch {
	case quoted && b[0] == '\\':
		return decodeEscape(b)
	case len(b) >= 3 && (b[0] == '$' || b[0] == '%') && b[1] == b[0] && b[2] == '{':
		return rune(b[0]), 2
	}
	return utf8.DecodeRune(b)
}

// decodeEscape decodes the escape at the beginning of b. One that HCL does not know
// was refused before, so what it gives here matters to nobody.
func decodeEscape(b []byte) (char rune, size int) {
	if len(b) < 2 {
		return '\\', 1
	}
	switch b[1] {
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case '"', '\\':
		return rune(b[1]), 2
	case 'u':
		return decodeHex(b, 4)
	case 'U':
		return decodeHex(b, 8)
	}
	return '\\', 1
}

func decodeHex(b []byte, digits int) (char rune, size int) {
	if len(b) < 2+digits {
		return '\\', 1
	}
	n, err := strconv.ParseUint(string(b[2:2+digits]), 16, 32)
	if err != nil || !utf8.ValidRune(rune(n)) {
		return '\\', 1
	}
	return rune(n), 2 + digits
}

// stripIndent takes the indentation that all lines have in common off each of them,
// as <<- asks. Lines of white space only neither count nor change.
func stripIndent(tokens [][]runeSpan) {
	var starts []int
	least, fresh := -1, true
	for i, tok := range tokens {
		if fresh && !isBlank(tok) {
			starts = append(starts, i)
			if n := indent(tok); least < 0 || n < least {
				least = n
			}
		}
		fresh = len(tok) > 0 && tok[len(tok)-1].char == '\n'
	}
	for _, i := range starts {
		tokens[i] = tokens[i][least:]
	}
}

func indent(line []runeSpan) int {
	n := 0
	for n < len(line) && unicode.IsSpace(line[n].char) {
		n++
	}
	return n
}

func isBlank(line []runeSpan) bool {
	return indent(line) == len(line) && len(line) > 0 && line[len(line)-1].char == '\n'
}

// Locate gives the place of an error of an expression as file:line:column, for logs.
// It gives nothing for an error that does not stem from a policy of this package.
func (p *Policy) Locate(err *rules.Error) string {
	at, ok := err.Origin.(*place)
	if !ok {
		return ""
	}
	return position(at.find(err.From, err.To))
}

// Diagnose gives an error of an expression, found when it ran, in full: with the
// source quoted and underlined, and nothing sensitive in it.
func (p *Policy) Diagnose(err *rules.Error) Diagnostic {
	d := Diagnostic{Severity: Error, Summary: err.Summary, Detail: p.Redact(err.Detail)}
	if at, ok := err.Origin.(*place); ok {
		rng := at.find(err.From, err.To)
		d.Range, d.Snippet = publicRange(rng), at.src.snippet(rng)
		p.secrets.censor(&d, rng)
	}
	return d
}

// Redact takes the sensitive values of the policy out of a text. Those under four
// characters are left: they would be found in every second word.
func (p *Policy) Redact(text string) string { return p.secrets.redact(text) }

// Place gives the place of a rule as file:line:column.
func (p *Policy) Place(r *rules.Rule) string {
	at, ok := r.Origin.(*place)
	if !ok {
		return ""
	}
	return position(at.rng)
}

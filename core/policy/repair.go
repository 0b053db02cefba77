package policy

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// kinds are the types of blocks that are rules.
var kinds = []string{"connect", "request", "response", "notification"}

// argument matches the beginning of an argument on its line, which may begin with the
// head of the block around it.
var argument = regexp.MustCompile(`^(?:[^"#=]*(?:"[^"]*"[^"#=]*)*\{)?\s*([\pL_][\pL\pN_-]*)\s*=\s*`)

// repair looks at a file that does not parse. The first mistake that is in an
// expression of a rule is reported by what was probably meant, and the file is given
// back with that value emptied, byte for byte as long as before.
//
// HCL's own word for a double quote too many is "Missing newline after argument",
// which is true and helps nobody.
func (l *loader) repair(src *source, work []byte, diags hcl.Diagnostics) ([]byte, bool) {
	for _, d := range placed(diags) {
		value, name, ok := src.argumentOn(d.Subject.Start.Byte)
		if ok && !src.wasReported(value) && l.explain(src, d, value, name) {
			src.reported = append(src.reported, value)
			return emptied(work, value), true
		}
	}
	return nil, false
}

// placed gives the errors that have a place, in the order of their places.
func placed(diags hcl.Diagnostics) hcl.Diagnostics {
	list := slices.DeleteFunc(slices.Clone(diags), func(d *hcl.Diagnostic) bool {
		return d.Severity != hcl.DiagError || d.Subject == nil
	})
	slices.SortStableFunc(list, func(a, b *hcl.Diagnostic) int { return a.Subject.Start.Byte - b.Subject.Start.Byte })
	return list
}

// skipLine reports what HCL says of the line with the first mistake, and gives the
// file back without that line. It gives up on a line that is more than one argument,
// since the rest would make no sense without it.
func (l *loader) skipLine(src *source, work []byte, diags hcl.Diagnostics) ([]byte, bool) {
	mistakes := placed(diags)
	if len(mistakes) == 0 {
		return nil, false
	}
	whole := source{bytes: work}
	code, start := whole.line(mistakes[0].Subject.Start.Byte)
	if m := argument.FindString(code); m == "" || strings.Contains(m, "{") || strings.Contains(code, "<<") || !balanced(code) {
		return nil, false
	}
	for _, d := range mistakes {
		if d.Subject.Start.Byte <= start+len(code) {
			l.add(hcl.Diagnostics{d})
		}
	}
	fixed := bytes.Clone(work)
	copy(fixed[start:], bytes.Repeat([]byte(" "), len(code)))
	return fixed, true
}

// balanced reports whether a line closes all brackets that it opens, and no other.
func balanced(code string) bool {
	return strings.Count(code, "{") == strings.Count(code, "}") &&
		strings.Count(code, "[") == strings.Count(code, "]") &&
		strings.Count(code, "(") == strings.Count(code, ")")
}

// explain says what is wrong with the value of an expression, judged by its line
// alone. It gives up on what it does not know.
func (l *loader) explain(src *source, d *hcl.Diagnostic, value hcl.Range, name string) bool {
	raw := src.quote(value)
	switch {
	case !strings.HasPrefix(raw, `"`):
		l.failUnquoted(src, value)
	case d.Summary == "Invalid escape sequence":
		l.failEscape(*d.Subject, src)
	case len(raw) < 2 || !strings.HasSuffix(raw, `"`):
		l.fail(value, "Quote not closed", "The text that begins here has no closing double quote on its line. An expression over several lines goes in a heredoc (<<-EXPR).")
	default:
		return l.failDoubleQuote(src, value, name)
	}
	return true
}

// emptied replaces a value by a text of spaces.
func emptied(work []byte, value hcl.Range) []byte {
	fixed := bytes.Clone(work)
	blank := fixed[value.Start.Byte:value.End.Byte]
	for i := range blank {
		blank[i] = ' '
	}
	blank[0], blank[len(blank)-1] = '"', '"'
	return fixed
}

// argumentOn finds the expression of a rule on the line that holds a byte: the range
// of its value, and its name.
func (s *source) argumentOn(at int) (value hcl.Range, name string, ok bool) {
	code, start := s.line(at)
	m := argument.FindStringSubmatchIndex(code)
	if m == nil || !s.isExpression(start+m[2], code[m[2]:m[3]]) {
		return value, "", false
	}
	end := valueEnd(code, m[1])
	if end < m[1]+2 || strings.HasPrefix(code[m[1]:], "<<") {
		return value, "", false
	}
	return s.between(start+m[1], start+end), code[m[2]:m[3]], true
}

// valueEnd gives the end of a value that begins at from. One that begins with a quote
// ends at the last quote of the line, any other before the comment or the brace.
func valueEnd(code string, from int) int {
	rest := code[from:]
	if last := strings.LastIndexByte(rest, '"'); last > 0 && rest[0] == '"' {
		return from + last + 1
	}
	for _, mark := range []string{" #", " //"} {
		if i := strings.Index(rest, mark); i >= 0 {
			rest = rest[:i]
		}
	}
	rest = strings.TrimRight(rest, " \t")
	if strings.Contains(code[:from], "{") {
		rest = strings.TrimRight(strings.TrimSuffix(rest, "}"), " \t")
	}
	return from + len(rest)
}

// isExpression reports whether an argument at a place is one of those that are
// expressions: when in a rule, all of set and reply, and the condition of an assert.
func (s *source) isExpression(at int, name string) bool {
	chain := s.around(at)
	if len(chain) < 2 {
		return false
	}
	inner, outer := chain[len(chain)-1], chain[len(chain)-2]
	if slices.Contains(kinds, inner.kind) {
		return name == "when"
	}
	if inner.kind == "assert" {
		return name == "condition"
	}
	return (inner.kind == "set" || inner.kind == "reply") && slices.Contains(kinds, outer.kind)
}

// failDoubleQuote reports a double quote inside an expression in double quotes, at
// what follows the string that it ended.
func (l *loader) failDoubleQuote(src *source, value hcl.Range, name string) bool {
	raw := value.SliceBytes(src.bytes)
	after, ok := afterString(raw, value.Start)
	if !ok {
		return false
	}
	detail := "The string ended at the second double quote. "
	inner := string(raw[1 : len(raw)-1])
	if strings.Contains(inner, "'") || strings.Contains(inner, `\`) {
		detail += "Write the strings inside an expression with single quotes, or use a heredoc (<<-EXPR), where both kinds of quote are free."
	} else {
		detail += "Write the strings inside an expression with single quotes:\n\n" +
			"    " + name + ` = "` + strings.ReplaceAll(inner, `"`, "'") + "\"\n\n" +
			"or use a heredoc (<<-EXPR), where both kinds of quote are free."
	}
	l.fail(src.between(after.Start.Byte, after.End.Byte), "Double quote inside a quoted expression", "%s", detail)
	return true
}

// afterString gives the token behind the quoted string at the beginning of raw.
func afterString(raw []byte, start hcl.Pos) (hcl.Range, bool) {
	tokens, _ := hclsyntax.LexExpression(raw, "", start)
	for i, tok := range tokens {
		if tok.Type == hclsyntax.TokenCQuote && i+1 < len(tokens) {
			next := tokens[i+1]
			return next.Range, next.Type != hclsyntax.TokenEOF
		}
	}
	return hcl.Range{}, false
}

// failUnquoted reports an expression that is written as HCL.
func (l *loader) failUnquoted(src *source, value hcl.Range) {
	raw := string(value.SliceBytes(src.bytes))
	if strings.Contains(raw, "\n") {
		l.fail(value, "Expression not quoted", "This argument is an expression and goes in quotes or, over several lines, in a heredoc (<<-EXPR).")
		return
	}
	l.fail(value, "Expression not quoted", "This argument is an expression and goes in quotes:\n\n    %s", inQuotes(raw))
}

// failEscape reports a backslash that HCL does not know in quotes. It is nearly always
// part of a pattern.
func (l *loader) failEscape(at hcl.Range, src *source) {
	escape := src.quote(at)
	hint := ""
	if class, ok := map[string]string{`\d`: "[0-9]", `\w`: "[0-9A-Za-z_]", `\s`: "[ ]", `\.`: "[.]"}[escape]; ok {
		hint = "\n\nIn place of " + escape + " you can also write " + class + "."
	}
	l.fail(at, "Backslash in a quoted expression",
		"In quotes, HCL itself reads the backslash, and %s means nothing to it. Write a pattern with backslashes in a heredoc and between backquotes:\n\n"+
			"    when = <<-EXPR\n      user matches `^\\d+$`\n    EXPR%s", escape, hint)
}

// inQuotes writes an expression as a quoted argument.
func inQuotes(expression string) string {
	return `"` + strings.ReplaceAll(expression, `"`, "'") + `"`
}

package policy

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/loka-proxy/loka/rules"
)

// expression reads an argument that is an expression in a string: its text goes to
// the rules as it stands, never through HCL's evaluation, which would paste values
// into code.
func (l *loader) expression(src *source, attr *hcl.Attribute) (rules.Source, bool) {
	expr := attr.Expr
	for {
		inner, ok := expr.(*hclsyntax.ParenthesesExpr)
		if !ok {
			break
		}
		expr = inner.Expression
	}
	rng := expr.Range()
	if src.wasReported(rng) {
		return rules.Source{}, false
	}
	if !l.isString(src, attr.Name, expr) {
		return rules.Source{}, false
	}
	content := textOf(decode(src, rng))
	if strings.TrimSpace(content) == "" {
		l.fail(rng, "Empty expression", "This argument is an expression; there is nothing in it.")
		return rules.Source{}, false
	}
	return rules.Source{Text: content, Origin: &place{src: src, rng: rng, expression: true}}, true
}

// isString makes sure that an expression is a string without interpolation.
func (l *loader) isString(src *source, name string, expr hcl.Expression) bool {
	switch e := expr.(type) {
	case *hclsyntax.TemplateWrapExpr:
		l.failInterpolation(src, e.Range(), name, []hclsyntax.Expression{e.Wrapped})
		return false
	case *hclsyntax.TemplateExpr:
		for _, part := range e.Parts {
			if _, literal := part.(*hclsyntax.LiteralValueExpr); literal {
				continue
			}
			at := e.Range()
			if strings.HasPrefix(src.quote(at), "<<") {
				at = part.Range()
			}
			l.failInterpolation(src, at, name, e.Parts)
			return false
		}
		return true
	}
	rng := expr.Range()
	raw := src.quote(rng)
	if strings.HasPrefix(raw, `"`) && strings.HasSuffix(raw, `"`) && l.failDoubleQuote(src, rng, name) {
		return false
	}
	l.failUnquoted(src, rng)
	return false
}

const interpolation = "Interpolation in an expression"

func (l *loader) failInterpolation(src *source, rng hcl.Range, name string, parts []hclsyntax.Expression) {
	detail := "This argument is an expression: it is compiled once and run for every message, so HCL's ${…} has no meaning in it. Names are used directly"
	if better, ok := withoutInterpolation(src, name, parts); ok {
		detail += ":\n\n    " + inQuotes(better)
	} else {
		detail += "."
	}
	l.fail(rng, interpolation, "%s", detail)
}

// withoutInterpolation writes the parts of a template as the expression that was
// probably meant: a condition is one already, and a new value is texts to be joined. It
// gives up where the result would not be one.
func withoutInterpolation(src *source, name string, parts []hclsyntax.Expression) (string, bool) {
	var out []string
	for i, part := range parts {
		raw := src.quote(part.Range())
		if strings.Contains(raw, "%{") || strings.Contains(raw, "//") {
			return "", false
		}
		literal, ok := part.(*hclsyntax.LiteralValueExpr)
		if ok && literal.Val.Type() == cty.String && name != "when" {
			raw = withoutMargin(raw, i == 0, i == len(parts)-1)
			if strings.ContainsAny(raw, "'\"(\\\n") {
				return "", false
			}
			if raw == "" {
				continue
			}
			raw = "'" + raw + "'"
		}
		if !ok && name == "when" {
			raw = "\x00" + raw + "\x00"
		}
		out = append(out, raw)
	}
	if name == "when" {
		return withoutQuotes(lineBreak.ReplaceAllString(strings.TrimSpace(strings.Join(out, "")), " "))
	}
	return strings.Join(out, " + "), true
}

// quotedName matches a name between NULs that has quotes around it.
var quotedName = regexp.MustCompile(`(?:'\x00([^\x00]*)\x00'|"\x00([^\x00]*)\x00"|\x00([^\x00]*)\x00)`)

// withoutQuotes takes the quotes off names that stand between NULs, which were a text
// while they were interpolated. It gives up on one that is only a part of a text.
func withoutQuotes(condition string) (string, bool) {
	for _, found := range quotedName.FindAllStringIndex(condition, -1) {
		before := condition[:found[0]]
		if strings.Count(before, "'")%2 == 1 || strings.Count(before, `"`)%2 == 1 {
			return "", false
		}
	}
	return quotedName.ReplaceAllString(condition, "$1$2$3"), true
}

// lineBreak matches the end of a line of a heredoc with the margin of the next one.
var lineBreak = regexp.MustCompile(`[ \t\r]*\n\s*`)

// withoutMargin takes what a heredoc has around its text off its first and last part.
func withoutMargin(raw string, first, last bool) string {
	if first && strings.TrimSpace(raw) == "" {
		return ""
	}
	if last {
		raw = strings.TrimRight(raw, "\r\n")
	}
	return raw
}

package policy

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// forms are the ways to write an expression in a policy. %s is the expression as
// that form writes it.
var forms = map[string]struct {
	text  string
	write func(expression string) string
}{
	"quoted":           {"    when = %s\n", quotedForm},
	"heredoc":          {"    when = <<EXPR\n%s\nEXPR\n", heredocForm("")},
	"indented heredoc": {"    when = <<-EXPR\n%s\n    EXPR\n", heredocForm("  ")},
	"deep heredoc":     {"    when = <<-EXPR\n%s\n        EXPR\n", heredocForm("        ")},
}

var templates = strings.NewReplacer("${", "$${", "%{", "%%{")

func quotedForm(expression string) string {
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(expression)
	return `"` + templates.Replace(escaped) + `"`
}

func heredocForm(indent string) func(string) string {
	return func(expression string) string {
		return indent + strings.ReplaceAll(templates.Replace(expression), "\n", "\n"+indent)
	}
}

// expressions are of all the kinds in which places are easily lost. NAME is where an
// unknown name is planted.
var expressions = []string{
	`NAME == user`,
	`user == "x" and NAME == "y"`,
	"user == 'a\tb' and NAME == 'x'",
	`user == '😀😀' and NAME == 'x'`,
	"user == 'e\u0301\u00e9' and NAME == 'x'",
	`user == '${x}' and NAME == 'x'`,
	`user == '%{x}' and NAME == 'x'`,
	`user == 'x' /* a comment */ and NAME == 'x'`,
	"user matches `^\\d+$` and NAME == 'x'",
	"let a = user;\n  a == 'x' and\n    NAME == 'x'",
	`user == "\"quoted\"" and NAME == 'x'`,
	"user == '👩‍👩‍👧' or // to the end\nNAME == 'x'",
}

// TestPlaces plants an unknown name in every kind of expression, in every form, and
// wants to be pointed at it, to the byte.
func TestPlaces(t *testing.T) {
	for name, form := range forms {
		for i, expression := range append(expressions, expressions...) {
			t.Run(fmt.Sprint(name, i), func(t *testing.T) {
				policy := policyWith(fmt.Sprintf(form.text, form.write(expression)))
				if i >= len(expressions) { // the same from an editor that ends lines with CRLF
					policy = strings.ReplaceAll(policy, "\n", "\r\n")
				}
				t.Chdir(t.TempDir())
				write(t, "loka.hcl", strings.Replace(policy, "NAME", "zonk", 1))
				_, ds := Load("loka.hcl", Options{})
				if ds.Len() != 1 || ds[0].Summary != "Unknown name in expression" {
					t.Fatalf("said:\n%s\nof:\n%s", show(t, ds), policy)
				}
				at := strings.Index(policy, "NAME")
				want := (&source{name: "loka.hcl", bytes: []byte(policy)}).pos(at)
				got := ds[0].Range
				if got.Start != (Pos{want.Line, want.Column, at}) || got.End.Byte != at+4 {
					t.Errorf("points at %+v, not at %+v:\n%s", *got, want, show(t, ds))
				}
			})
		}
	}
}

// policyWith gives a policy with a rule that has some arguments.
func policyWith(arguments string) string {
	return "pool \"main\" {\n  server \"a\" { address = \"stratum+tcp://a.example:3333\" }\n}\n\n" +
		"proxy \"main\" {\n  pool = pool.main\n  listener \"tcp\" { address = \":3333\" }\n\n" +
		"  request \"mining.authorize\" \"rule\" {\n" + arguments + "    drop {}\n  }\n}\n"
}

// TestColumns holds the columns of pos against those of HCL's own tokens.
func TestColumns(t *testing.T) {
	src := &source{name: "x", bytes: []byte("a = \"e\u0301 👩‍👩‍👧 é\"\r\n\tb = [1,\t2] # é\n\nc = <<E\n é x\nE\n")}
	tokens, _ := hclsyntax.LexConfig(src.bytes, "x", hcl.InitialPos)
	for _, tok := range tokens {
		if got := src.pos(tok.Range.Start.Byte); got != tok.Range.Start {
			t.Errorf("%q is at %v, and HCL says %v", tok.Bytes, got, tok.Range.Start)
		}
	}
}

// decodes reports whether our decoding of an argument's value agrees with HCL's.
func decodes(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		return
	}
	src := &source{name: "x", bytes: []byte(text)}
	file, diags := hclsyntax.ParseConfig(src.bytes, "x", hcl.InitialPos)
	if diags.HasErrors() {
		return
	}
	attr := file.Body.(*hclsyntax.Body).Attributes["a"]
	if attr == nil {
		return
	}
	template, ok := attr.Expr.(*hclsyntax.TemplateExpr)
	if !ok || !template.IsStringLiteral() && len(template.Parts) != 1 {
		return
	}
	value, diags := template.Value(nil)
	if diags.HasErrors() || value.Type() != cty.String {
		return
	}
	spans := decode(src, template.Range())
	// HCL normalises the characters of its values, so ours are put through the same.
	want := cty.StringVal(strings.TrimSpace(value.AsString())).AsString()
	got := cty.StringVal(strings.TrimSpace(textOf(spans))).AsString()
	if got != want {
		t.Errorf("%q decodes to %q, and to HCL it is %q", text, got, want)
	}
	for i, s := range spans {
		if s.start >= s.end || s.end > len(text) || i > 0 && s.start < spans[i-1].end {
			t.Fatalf("the characters of %q are at %v", text, spans)
		}
	}
}

func TestDecode(t *testing.T) {
	for _, text := range []string{
		`a = ""`, `a = "x"`, `a = "\n\r\t\"\\"`, `a = "\u00e9\U0001F600"`, `a = "$${x} %%{y} $$ $ % $$$${"`, `a = "$$"`, `a = "a$"`,
		"a = <<E\nx\n  y\nE\n", "a = <<-E\n    x\n  y\n\n      z\n  E\n", "a = <<-E\n\tx\n\t\ty\n\tE\n",
		"a = <<-E\n  $${x}\n   %%{y}\n  E\n", "a = <<-E\n  x\\n\\d\n  E\n", "a = <<E\nE\n", "a = <<-E\r\n  x\r\n  y\r\n  E\r\n",
	} {
		decodes(t, text)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`"\u00e9 $${ \\ "`, "<<-E\n  x\n   y\n  E", "<<E\n\\d %%{\nE", "\"e\u0301\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) { decodes(t, "a = "+value+"\n") })
}

// FuzzPlaces makes sure that an error of an expression is never placed outside of
// the argument that it is about.
func FuzzPlaces(f *testing.F) {
	for _, expression := range expressions {
		f.Add(expression, 2)
	}
	names := []string{"quoted", "heredoc", "indented heredoc", "deep heredoc"}
	f.Fuzz(func(t *testing.T, expression string, form int) {
		if !utf8.ValidString(expression) || strings.ContainsAny(expression, "\r\x00") || len(expression) > 1000 {
			return
		}
		chosen := forms[names[uint(form)%4]]
		argument := fmt.Sprintf(chosen.text, chosen.write(expression))
		policy := policyWith(argument)
		_, ds := loadText(t, policy)
		from := strings.Index(policy, argument)
		for _, d := range ds {
			if d.Range == nil || d.Range.Start.Byte < from || d.Range.End.Byte > from+len(argument) {
				t.Fatalf("outside of the argument:\n%s\n%s", policy, show(t, ds))
			}
		}
	})
}

// loadText loads a policy of one file.
func loadText(t *testing.T, policy string) (*Policy, Diagnostics) {
	t.Helper()
	t.Chdir(t.TempDir())
	write(t, "loka.hcl", policy)
	return Load("loka.hcl", Options{})
}

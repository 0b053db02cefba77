package policy

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// maxDuration bounds every duration of a policy: what is longer is a slip.
const maxDuration = 24 * time.Hour

// arguments reads the arguments of one block. A reading gives the default when the
// argument is not there, null, or wrong, which is reported.
type arguments struct {
	l     *loader
	block *blockType
	scope *scope
	attrs hcl.Attributes
}

// value gives an argument, converted to a type and without marks. It is not ok when
// there is none.
func (a arguments) value(name string, want cty.Type) (value cty.Value, ok bool) {
	attr := a.attrs[name]
	if attr == nil {
		return value, false
	}
	value = a.l.eval(attr.Expr, a.scope)
	value, _ = value.UnmarkDeep()
	if value.Type() == cty.DynamicPseudoType && !value.IsKnown() {
		return value, false
	}
	converted, err := convert.Convert(value, want)
	if err != nil || simpler(value.Type(), want) {
		a.l.fail(attr.Expr.Range(), "Wrong type of argument", "%s must be %s, and this is %s.",
			name, withArticle(want.FriendlyName()), withArticle(value.Type().FriendlyName()))
		return value, false
	}
	return converted, converted.IsWhollyKnown() && !converted.IsNull()
}

// simpler reports whether a conversion to text would hide a slip: strategy = true.
func simpler(have, want cty.Type) bool {
	return want == cty.String && (have == cty.Bool || have == cty.Number) ||
		have == cty.String && want == cty.Bool
}

// at is the place of an argument's value.
func (a arguments) at(name string) hcl.Range { return a.attrs[name].Expr.Range() }

func (a arguments) text(name string) string {
	value, ok := a.value(name, cty.String)
	if !ok {
		return a.block.arg(name).text()
	}
	return value.AsString()
}

// choice reads a text that must be one of a few.
func (a arguments) choice(name string) string {
	got, arg := a.text(name), a.block.arg(name)
	if got == arg.text() || slices.Contains(arg.choices, got) {
		return got
	}
	a.l.fail(a.at(name), "Wrong value", "%s is %s.%s", name, oneOf(arg.choices), didYouMean(got, arg.choices))
	return arg.text()
}

func (a arguments) flag(name string) bool {
	value, ok := a.value(name, cty.Bool)
	return ok && value.True()
}

// number reads a whole number between bounds.
func (a arguments) number(name string) int {
	arg := a.block.arg(name)
	value, ok := a.value(name, cty.Number)
	if !ok {
		return arg.number()
	}
	n, accuracy := value.AsBigFloat().Int64()
	if accuracy != big.Exact || n < int64(arg.least) || n > int64(arg.most) {
		a.l.fail(a.at(name), "Wrong value", "%s is a whole number from %d to %d.", name, arg.least, arg.most)
		return arg.number()
	}
	return int(n)
}

// duration reads a text such as "5s".
func (a arguments) duration(name string) time.Duration {
	otherwise := a.block.arg(name).duration()
	attr := a.attrs[name]
	if attr == nil {
		return otherwise
	}
	value := a.l.eval(attr.Expr, a.scope)
	if !value.IsKnown() || value.IsNull() {
		return otherwise
	}
	value, _ = value.UnmarkDeep()
	const form = `A duration is a text such as "500ms", "5s", "10m" or "1h30m"`
	if value.Type() != cty.String {
		a.l.fail(attr.Expr.Range(), "Wrong duration", form+", and this is %s.", withArticle(value.Type().FriendlyName()))
		return otherwise
	}
	d, err := time.ParseDuration(value.AsString())
	switch {
	case err != nil:
		a.l.fail(attr.Expr.Range(), "Wrong duration", form+".")
	case d <= 0:
		a.l.fail(attr.Expr.Range(), "Wrong duration", "%s must be longer than nothing.", name)
	case d < time.Millisecond || d > maxDuration:
		a.l.fail(attr.Expr.Range(), "Wrong duration", "%s is at least 1ms and at most 24h.", name)
	default:
		return d
	}
	return otherwise
}

// plainText reads a text that ends up in a line of the protocol or of a log. It is
// empty when there is none.
func (a arguments) plainText(name string, most int) string {
	value, ok := a.value(name, cty.String)
	if !ok {
		return ""
	}
	got := value.AsString()
	switch {
	case strings.TrimSpace(got) == "":
		a.l.fail(a.at(name), "Wrong value", "%s is empty. Leave it out for the text that is sent otherwise.", name)
	case len(got) > most:
		a.l.fail(a.at(name), "Wrong value", "%s has %d bytes; %d are allowed.", name, len(got), most)
	case strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029 }):
		a.l.fail(a.at(name), "Wrong value", "%s is one line of text without control characters.", name)
	default:
		return got
	}
	return ""
}

// withArticle gives "a string", "an object".
func withArticle(noun string) string {
	switch noun {
	case "bool":
		noun = "bool (true or false)"
	case "dynamic":
		return "null"
	case "tuple":
		noun = "list"
	}
	if strings.ContainsRune("aeio", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// isGiven reports whether an argument is there and has a value other than null.
func (a arguments) isGiven(name string) bool {
	attr := a.attrs[name]
	if attr == nil {
		return false
	}
	value, diags := attr.Expr.Value(a.scope.EvalContext)
	return !diags.HasErrors() && value.IsKnown() && !value.IsNull()
}

package policy

import (
	"fmt"
	"math"
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// What a policy may ask for in a few words is bounded, since it would otherwise take
// the memory of the machine, and loka with it: a local that doubles another, a for in
// a for in a for, a product of lists.
const (
	// maxValueBytes bounds the value of a variable or a local, and all that the loops of
	// one argument make.
	maxValueBytes = 16 << 20
	// elementBytes is what an element of a list, or a turn of a loop, counts for.
	elementBytes = 32
	// maxProduct bounds the elements that setproduct makes.
	maxProduct = 100_000
)

// sizeOf gives the size of a value in bytes, or something above most when it is
// larger than that.
func sizeOf(value cty.Value, most int) int {
	value, _ = value.Unmark()
	size := elementBytes
	if value.IsNull() || !value.IsKnown() {
		return size
	}
	switch kind := value.Type(); {
	case kind == cty.String:
		return size + len(value.AsString())
	case kind == cty.Number:
		number := value.AsBigFloat()
		if number.IsInf() {
			return most + 1
		}
		return size + int(number.MinPrec()/8) + abs(number.MantExp(nil))/8
	case value.CanIterateElements():
		for it := value.ElementIterator(); it.Next() && size <= most; {
			key, element := it.Element()
			if kind.IsMapType() || kind.IsObjectType() {
				size += len(key.AsString())
			}
			size += sizeOf(element, most-size)
		}
	}
	return size
}

func abs(n int) int { return max(n, -n) }

// bounded gives a value back unless it is too large, which is reported. at is nil when
// the value has no place.
func (l *loader) bounded(what string, value cty.Value, at *hcl.Range) cty.Value {
	if sizeOf(value, maxValueBytes) <= maxValueBytes {
		return value
	}
	const summary = "Value too large"
	detail := "The value of %s is larger than 16 MiB."
	if isInfinite(value) {
		detail = "The value of %s has no end: something in it is divided by zero, or is a number beyond all bounds. Write the number that is meant."
	}
	if at == nil {
		l.failNowhere(summary, detail, what)
	} else {
		l.fail(*at, summary, detail, what)
	}
	return unknown
}

// isInfinite reports whether a number in a value is infinite.
func isInfinite(value cty.Value) (found bool) {
	value, _ = value.UnmarkDeep()
	_ = cty.Walk(value, func(_ cty.Path, part cty.Value) (bool, error) {
		found = found || part.Type() == cty.Number && part.IsKnown() && !part.IsNull() && part.AsBigFloat().IsInf()
		return !found, nil
	})
	return found
}

// meter bounds the work of one argument, and keeps count of that of all.
type meter struct {
	left  int
	told  bool
	spent int
}

func (m *meter) reset() {
	m.spent += maxValueBytes - m.left
	m.left, m.told = maxValueBytes, false
}

// metered is an expression that a loop evaluates once for each element.
type metered struct {
	hclsyntax.Expression
	meter *meter
}

// Value evaluates the expression unless too much was made already. That is told once:
// the loops that are under way come to their ends without doing more.
func (e *metered) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if e.meter.left <= 0 {
		return cty.DynamicVal, e.exhausted()
	}
	value, diags := e.Expression.Value(ctx)
	e.meter.left -= elementBytes + sizeOf(value, e.meter.left)
	return value, diags
}

func (e *metered) exhausted() hcl.Diagnostics {
	if e.meter.told {
		return nil
	}
	e.meter.told = true
	at := e.Expression.Range()
	return hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Loop too large", Subject: &at,
		Detail: "What the loops of one argument make is bounded to 16 MiB, and this makes more.",
	}}
}

// measure puts a meter into the loops of a parsed file or expression.
func (l *loader) measure(root hclsyntax.Node) {
	_ = hclsyntax.VisitAll(root, func(node hclsyntax.Node) hcl.Diagnostics {
		if inner, ok := node.(*metered); ok {
			node = inner.Expression
		}
		loop, ok := node.(*hclsyntax.ForExpr)
		if !ok {
			return nil
		}
		for _, part := range []*hclsyntax.Expression{&loop.KeyExpr, &loop.ValExpr, &loop.CondExpr} {
			if *part != nil {
				*part = &metered{*part, l.meter}
			}
		}
		return nil
	})
}

// guarded makes a function refuse arguments with which its result would be too large.
// check is given arguments that are known, and says what is wrong or nothing.
func guarded(f function.Function, check func(args []cty.Value) error) function.Function {
	return function.New(&function.Spec{
		Description: f.Description(), Params: f.Params(), VarParam: f.VarParam(),
		Type: f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if err := check(args); err != nil {
				return cty.DynamicVal, err
			}
			return f.Call(args)
		},
	})
}

// checkProduct bounds setproduct.
func checkProduct(args []cty.Value) error {
	product := 1
	for _, list := range args {
		list, _ = list.Unmark()
		if list.IsNull() || !list.IsKnown() {
			return nil
		}
		product *= min(list.LengthInt(), maxProduct+1)
		if product > maxProduct {
			return fmt.Errorf("the result would have more than %d elements", maxProduct)
		}
	}
	return nil
}

// checkReplace bounds replace and regex_replace, which put the last argument into the
// first as often as the second is in it.
func checkReplace(args []cty.Value) error {
	return boundBytes(len(args[0].AsString())+1, len(args[2].AsString()))
}

// checkJoin bounds join, which puts the first argument behind each element.
func checkJoin(args []cty.Value) error {
	elements := 0
	for _, list := range args[1:] {
		if list, _ = list.Unmark(); list.IsKnown() && !list.IsNull() {
			elements += list.LengthInt()
		}
	}
	return boundBytes(len(args[0].AsString()), elements)
}

func boundBytes(count, each int) error {
	if each > 0 && count > math.MaxInt32/each {
		return fmt.Errorf("the result could be far too long")
	}
	return nil
}

// width matches a verb of a format whose width or precision has five digits or more.
var width = regexp.MustCompile(`%[^a-zA-Z%]*[0-9]{5}`)

func checkFormat(args []cty.Value) error {
	if format := args[0]; format.IsKnown() && !format.IsNull() && width.MatchString(format.AsString()) {
		return fmt.Errorf("a width has four digits at most")
	}
	return nil
}

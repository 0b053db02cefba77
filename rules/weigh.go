package rules

import (
	"math"
	"reflect"

	"github.com/expr-lang/expr/ast"
)

// The language stops by itself, but has no bound on the texts it builds or the time it
// takes: twenty times let b = a + a makes megabytes of a name. So every expression is
// weighed at load: how large can each value in it be, and how long can it take, given
// that what comes out of a message is within its limits?

// amount is a quantity inside a predicate: a fixed part, and a share of whatever the
// current element has. The shares of all elements together are one whole list, which is
// why map(params, lower(#)) is no larger than params. Outside of predicates the share is 0.
type amount struct{ fixed, share float64 }

func exactly(n float64) amount { return amount{fixed: n} }

func (a amount) plus(b amount) amount { return amount{a.fixed + b.fixed, a.share + b.share} }

func (a amount) times(n float64) amount { return amount{a.fixed * n, a.share * n} }

func (a amount) or(b amount) amount {
	return amount{math.Max(a.fixed, b.fixed), math.Max(a.share, b.share)}
}

// atMost cuts an amount whose fixed part alone tells.
func (a amount) atMost(n float64) amount {
	if a.share == 0 && a.fixed > n {
		return exactly(n)
	}
	return a
}

// bound is the most that a value can hold: the bytes of all its texts and keys, and the
// elements of all its lists and maps.
type bound struct{ bytes, elements amount }

func (b bound) plus(c bound) bound {
	return bound{b.bytes.plus(c.bytes), b.elements.plus(c.elements)}
}

func (b bound) or(c bound) bound { return bound{b.bytes.or(c.bytes), b.elements.or(c.elements)} }

// scalar is the bound of numbers and bools: their bytes when they are written out.
var scalar = bound{bytes: exactly(24)}

// Costs in nanoseconds, rounded up from measurements on one core of a small server.
const (
	nodeCost    = 30  // one step of the machine
	callCost    = 250 // a function with its arguments packed
	callBytes   = 64  // what its arguments and result take
	elementCost = 60  // one turn of a loop, without what it does
	useCost     = 40  // a name made ready for an expression
	figureCost  = 250 // the time taken apart, or a figure looked up and boxed
	copyCost    = 0.3 // a byte copied into memory that must be got and given back
	scanCost    = 2   // a byte looked at
)

// analyst weighs one expression.
type analyst struct {
	names    map[string]*entry
	patterns patternCosts
	lets     []letBound
	// item is the list whose elements a predicate is at, nil outside of predicates.
	item *bound
	// time is nanoseconds, memory is bytes got from the heap.
	time, memory amount
	mistake      *Error
}

type letBound struct {
	name string
	size bound
}

// weight is what running an expression costs at worst.
type weight struct{ nanoseconds, bytes float64 }

func (w weight) plus(v weight) weight {
	return weight{w.nanoseconds + v.nanoseconds, w.bytes + v.bytes}
}

// weigh gives the weight of a checked expression and the bound of its value, or the
// first value in it that could grow too large.
func weigh(root ast.Node, lang *configured) (weight, bound, *Error) {
	a := &analyst{names: lang.vocabulary.names, patterns: lang.compiler.patterns}
	b := a.value(root)
	return weight{a.time.fixed, a.memory.fixed}, b, a.mistake
}

// spend counts time for some bytes or elements.
func (a *analyst) spend(each float64, n amount) { a.time = a.time.plus(n.times(each)) }

// build counts a new text or list.
func (a *analyst) build(b bound) bound {
	a.spend(copyCost, b.bytes)
	a.memory = a.memory.plus(b.bytes).plus(exactly(16 * a.most(b.elements))).plus(exactly(16))
	return b
}

// whole gives a number of bytes for the largest possible current element.
func (a *analyst) whole(n amount) float64 {
	if a.item == nil {
		return n.fixed
	}
	return n.fixed + n.share*a.item.bytes.fixed
}

// most gives a number of elements for the largest possible current element.
func (a *analyst) most(n amount) float64 {
	if a.item == nil {
		return n.fixed
	}
	return n.fixed + n.share*a.item.elements.fixed
}

// value weighs a node and everything in it.
func (a *analyst) value(n ast.Node) bound {
	a.time.fixed += nodeCost
	b := a.shape(n)
	if a.mistake == nil && (a.whole(b.bytes) > builtLimit || a.most(b.elements) > 4*elementLimit) {
		a.mistake = mistakeAt(n, "Expression can grow too large",
			"This can become more than 64 KiB, since a text out of a message may be as long as its limit.\n\n"+
				"Shorten what goes in, as in user[:100].")
	}
	return b
}

func (a *analyst) shape(n ast.Node) bound {
	switch n := n.(type) {
	case *ast.StringNode:
		return bound{bytes: exactly(float64(len(n.Value)))}
	case *ast.ConstantNode:
		return constantBound(n.Value)
	case *ast.IdentifierNode:
		return a.identifier(n.Value)
	case *ast.UnaryNode:
		a.value(n.Node)
	case *ast.BinaryNode:
		return a.binary(n)
	case *ast.ChainNode:
		return a.value(n.Node)
	case *ast.MemberNode:
		a.value(n.Property)
		a.time.fixed += 2 * nodeCost
		return a.value(n.Node)
	case *ast.SliceNode:
		return a.slice(n)
	case *ast.CallNode:
		return a.call(n.Callee.(*ast.IdentifierNode).Value, n.Arguments)
	case *ast.BuiltinNode:
		return a.call(n.Name, n.Arguments)
	case *ast.PredicateNode:
		return a.value(n.Node)
	case *ast.PointerNode:
		return a.pointer(n)
	case *ast.VariableDeclaratorNode:
		return a.let(n)
	case *ast.SequenceNode:
		return a.sequence(n.Nodes)
	case *ast.ConditionalNode:
		a.value(n.Cond)
		return a.value(n.Exp1).or(a.value(n.Exp2))
	case *ast.ArrayNode:
		return a.list(a.sum(n.Nodes).plus(elements(len(n.Nodes))))
	case *ast.MapNode:
		a.time.fixed += float64(len(n.Pairs)) * callCost
		a.memory.fixed += 400 + 160*float64(len(n.Pairs)) // it grows by doubling
		return a.list(a.sum(n.Pairs).plus(elements(len(n.Pairs))))
	case *ast.PairNode:
		return a.value(n.Key).plus(a.value(n.Value))
	}
	return scalar
}

func elements(n int) bound { return bound{elements: exactly(float64(n))} }

func constantBound(v any) bound {
	var b bound
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.String:
		b.bytes.fixed = float64(r.Len())
	case reflect.Slice:
		b = elements(r.Len())
		for i := range r.Len() {
			b = b.plus(constantBound(r.Index(i).Interface()))
		}
	case reflect.Map:
		b = elements(r.Len())
		for _, k := range r.MapKeys() {
			b = b.plus(constantBound(r.MapIndex(k).Interface()))
			b.bytes.fixed += float64(len(k.String()))
		}
	default:
		return scalar
	}
	return b
}

func (a *analyst) identifier(name string) bound {
	for i := len(a.lets) - 1; i >= 0; i-- {
		if a.lets[i].name == name {
			return a.lets[i].size
		}
	}
	e := a.names[name]
	if e == nil {
		return scalar
	}
	a.time.fixed += useCost
	if e.drifts() {
		a.time.fixed += figureCost
		a.memory.fixed += 16
	}
	if e.from == fromExample {
		return constantBound(e.example)
	}
	switch e.kind {
	case textValue:
		return bound{bytes: exactly(float64(e.textBytes()))}
	case listValue, mapValue, anyValue:
		a.time.fixed += useCost
		return bound{exactly(messageLimit), exactly(elementLimit)}
	}
	return scalar
}

func (a *analyst) pointer(n *ast.PointerNode) bound {
	switch {
	case n.Name != "":
		return scalar
	case n.Type() == stringType:
		return bound{bytes: amount{share: 1}}
	}
	return bound{amount{share: 1}, amount{share: 1}}
}

func (a *analyst) let(n *ast.VariableDeclaratorNode) bound {
	size := a.value(n.Value)
	a.lets = append(a.lets, letBound{n.Name, size})
	result := a.value(n.Expr)
	a.lets = a.lets[:len(a.lets)-1]
	return result
}

func (a *analyst) sequence(nodes []ast.Node) bound {
	var last bound
	for _, n := range nodes {
		last = a.value(n)
	}
	return last
}

func (a *analyst) sum(nodes []ast.Node) bound {
	var total bound
	for _, n := range nodes {
		total = total.plus(a.value(n))
	}
	return total
}

// slice knows how long a text with constant bounds is at most.
func (a *analyst) slice(n *ast.SliceNode) bound {
	b := a.value(n.Node)
	from, fixed := 0, n.From == nil
	if n.From != nil {
		a.value(n.From)
		if i, ok := n.From.(*ast.IntegerNode); ok && i.Value >= 0 {
			from, fixed = i.Value, true
		}
	}
	if n.To == nil {
		return b
	}
	a.value(n.To)
	if to, ok := n.To.(*ast.IntegerNode); ok && to.Value >= 0 && fixed && n.Node.Type() == stringType {
		length := exactly(float64(max(0, to.Value-from)))
		if b.bytes.share > 0 || b.bytes.fixed > length.fixed {
			return bound{bytes: length}
		}
	}
	return b
}

func (a *analyst) call(name string, nodes []ast.Node) bound {
	f := functions[name]
	if f == nil {
		return scalar
	}
	if f.predicate {
		return f.weigh(a, nil, nodes)
	}
	a.time.fixed += callCost
	a.memory.fixed += callBytes
	args := make([]bound, len(nodes))
	for i, n := range nodes {
		args[i] = a.value(n)
	}
	return f.weigh(a, args, nodes)
}

package rules

import (
	"math"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// The weights of functions: how large the result can be, and what the work costs beyond
// the call itself.

func weighScalar(*analyst, []bound, []ast.Node) bound { return scalar }

func weighScan(a *analyst, args []bound, _ []ast.Node) bound {
	for _, arg := range args {
		a.spend(scanCost, arg.bytes)
	}
	return scalar
}

// weighPart is for functions that give a part of their first argument.
func weighPart(a *analyst, args []bound, _ []ast.Node) bound {
	a.spend(scanCost, args[0].bytes)
	if len(args) > 1 {
		return args[0].or(bound{bytes: exactly(24)})
	}
	return args[0]
}

// weighTrim is for trim. Characters beyond ASCII are looked for
// one by one, and there are few of them.
func weighTrim(a *analyst, args []bound, nodes []ast.Node) bound {
	each := 8.0 * scanCost
	if len(nodes) > 1 {
		if s, ok := nodes[1].(*ast.StringNode); !ok || !ascii(s.Value) {
			each = elementCost
		}
	}
	a.spend(each, args[0].bytes)
	return args[0]
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

func weighCopy(a *analyst, args []bound, _ []ast.Node) bound {
	a.spend(5*scanCost, args[0].bytes)
	return a.build(args[0])
}

// weighCase knows that a letter may need more bytes in the other case, and that a
// broken one becomes three.
func weighCase(a *analyst, args []bound, _ []ast.Node) bound {
	a.spend(10*scanCost, args[0].bytes)
	return a.build(bound{bytes: args[0].bytes.times(3)})
}

func weighToBase64(a *analyst, args []bound, _ []ast.Node) bound {
	a.spend(scanCost, args[0].bytes)
	a.build(bound{bytes: args[0].bytes.times(2.4)}) // as bytes, before and after
	return a.build(bound{bytes: args[0].bytes.times(1.34).plus(exactly(4))})
}

func weighSHA256(a *analyst, args []bound, _ []ast.Node) bound {
	a.spend(2*scanCost, args[0].bytes)
	a.build(bound{bytes: args[0].bytes}) // as bytes
	a.build(bound{bytes: exactly(32)})
	return a.build(bound{bytes: exactly(64)})
}

// weighJSON has the bound that jsonOf enforces: escapes make the rest uncertain.
func weighJSON(a *analyst, args []bound, _ []ast.Node) bound {
	a.spend(6*scanCost, args[0].bytes)
	a.spend(5*elementCost, exactly(a.most(args[0].elements)))
	size := args[0].bytes.times(6).plus(exactly(32 + 32*a.most(args[0].elements)))
	return a.build(bound{bytes: size.atMost(builtLimit)})
}

// weighString counts on stringOf to refuse lists and maps.
func weighString(_ *analyst, args []bound, _ []ast.Node) bound {
	return bound{bytes: args[0].bytes.plus(scalar.bytes)}
}

func weighReplace(a *analyst, args []bound, nodes []ast.Node) bound {
	text, with := args[0].bytes, args[2].bytes
	a.spend(12, text)
	if with.share > 0 {
		return a.build(bound{bytes: exactly(builtLimit)})
	}
	// An empty old text, which one out of a message may be, is found before every
	// character and at the end.
	result := text.plus(text.times(with.fixed)).plus(with)
	if old, ok := nodes[1].(*ast.StringNode); ok && old.Value != "" {
		result = text.times(math.Max(1, with.fixed/float64(len(old.Value))))
	}
	return a.build(bound{bytes: result.atMost(builtLimit)})
}

// weighWithOption knows that an option may be in a password many times, each with an
// empty value that becomes the new one: "d=,d=,d=".
func weighWithOption(a *analyst, args []bound, nodes []ast.Node) bound {
	a.spend(5*scanCost, args[0].bytes)
	shortest := 3.0
	if key, ok := nodes[1].(*ast.StringNode); ok && key.Value != "" {
		shortest = float64(len(key.Value) + 2)
	}
	value := a.whole(args[2].bytes)
	result := args[0].bytes.times(1 + value/shortest).plus(args[1].bytes).plus(exactly(value + 2)).atMost(builtLimit)
	a.build(bound{bytes: result.times(2)}) // while it grows
	return a.build(bound{bytes: result})
}

func weighRepeat(a *analyst, args []bound, nodes []ast.Node) bound {
	size := exactly(builtLimit)
	if n, ok := nodes[1].(*ast.IntegerNode); ok && n.Value >= 0 {
		size = args[0].bytes.times(float64(n.Value)).atMost(builtLimit)
	}
	return a.build(bound{bytes: size})
}

func weighSplit(a *analyst, args []bound, nodes []ast.Node) bound {
	a.spend(3*scanCost, args[0].bytes)
	parts := math.Min(elementLimit, a.whole(args[0].bytes)+1)
	if len(nodes) == 3 {
		if n, ok := nodes[2].(*ast.IntegerNode); ok && n.Value >= 0 {
			parts = math.Min(parts, float64(n.Value))
		}
	}
	a.spend(elementCost/4, exactly(parts))
	a.memory.fixed += 16 * parts
	return bound{args[0].bytes, exactly(parts)}
}

func weighJoin(a *analyst, args []bound, _ []ast.Node) bound {
	n := a.most(args[0].elements)
	a.spend(elementCost/2, exactly(n))
	size := args[0].bytes
	if len(args) == 2 {
		size = size.plus(args[1].bytes.times(n))
	}
	return a.build(bound{bytes: size.atMost(builtLimit)})
}

func weighLookup(a *analyst, args []bound, nodes []ast.Node) bound {
	a.spend(scanCost, args[1].bytes)
	largest := args[0]
	if c, ok := nodes[0].(*ast.ConstantNode); ok {
		largest = bound{}
		m := reflect.ValueOf(c.Value)
		for _, k := range m.MapKeys() {
			largest = largest.or(constantBound(m.MapIndex(k).Interface()))
		}
	}
	return largest.or(args[2])
}

func weighCIDR(a *analyst, args []bound, nodes []ast.Node) bound {
	a.spend(scanCost, args[0].bytes.atMost(64))
	each := elementCost / 6.0
	if _, known := constant(nodes[1]); !known {
		each = 3 * elementCost
		a.memory.fixed += 64 * a.most(args[1].elements)
	}
	a.spend(each, exactly(a.most(args[1].elements)))
	return scalar
}

func weighKeys(a *analyst, args []bound, _ []ast.Node) bound {
	a.spend(10*elementCost, exactly(a.most(args[0].elements)))
	a.build(args[0])
	return a.build(args[0])
}

func weighExtreme(a *analyst, args []bound, _ []ast.Node) bound {
	for _, arg := range args {
		a.spend(2*elementCost, exactly(a.most(arg.elements)))
		a.memory.fixed += 32 * a.most(arg.elements)
	}
	return scalar
}

func weighConcat(a *analyst, args []bound, _ []ast.Node) bound {
	var total bound
	for _, arg := range args {
		total = total.plus(arg)
	}
	a.spend(elementCost, exactly(a.most(total.elements)))
	return a.grown(total)
}

func weighList(a *analyst, args []bound, _ []ast.Node) bound {
	a.spend(elementCost, exactly(a.most(args[0].elements)))
	return a.grown(args[0])
}

// grown counts a new list that was made by appending, and its elements boxed.
func (a *analyst) grown(b bound) bound {
	a.memory.fixed += 64 * a.most(b.elements)
	return a.list(b)
}

// list counts a new list of things that are there already.
func (a *analyst) list(b bound) bound {
	a.memory.fixed += 32 * a.most(b.elements)
	return b
}

func weighSort(a *analyst, args []bound, _ []ast.Node) bound {
	n := a.most(args[0].elements)
	a.spend(elementCost*math.Log2(n+2), exactly(n))
	return a.grown(args[0])
}

// weighMedian sorts a copy of everything in all of its lists. The copy grows by
// appending, once for each list that a list stands in.
func weighMedian(a *analyst, args []bound, _ []ast.Node) bound {
	n := float64(len(args))
	for _, arg := range args {
		n += a.most(arg.elements)
	}
	a.spend(elementCost/6*math.Log2(n+2), exactly(n))
	a.memory.fixed += 16 * depthLimit * n
	return scalar
}

// weighUniq compares every element with every other one.
func weighUniq(a *analyst, args []bound, _ []ast.Node) bound {
	n := a.most(args[0].elements)
	a.spend(elementCost/2, exactly(n*n))
	return a.list(args[0])
}

// loop weighs a predicate's body once for every element, and gives what the body gives.
func (a *analyst) loop(nodes []ast.Node) (list, body bound) {
	list = a.value(nodes[0])
	if len(nodes) < 2 {
		a.spend(elementCost, list.elements)
		return list, scalar
	}
	time, memory := a.time, a.memory
	a.time, a.memory, a.item = amount{}, amount{}, &list
	body = a.value(nodes[1])
	inTime, inMemory := a.time, a.memory
	a.item = nil
	a.time = time.plus(overAll(inTime.plus(exactly(elementCost)), list))
	a.memory = memory.plus(overAll(inMemory, list))
	return list, body
}

// overAll gives a quantity per element for a whole list.
func overAll(n amount, list bound) amount {
	return exactly(n.fixed*list.elements.fixed + n.share*list.bytes.fixed)
}

func weighPredicate(a *analyst, _ []bound, nodes []ast.Node) bound {
	a.loop(nodes)
	return scalar
}

// weighSum is a number: texts have no sum.
func weighSum(a *analyst, _ []bound, nodes []ast.Node) bound {
	list, _ := a.loop(nodes)
	a.memory.fixed += 16 * a.most(list.elements) // every partial sum is boxed
	return scalar
}

func weighFilter(a *analyst, _ []bound, nodes []ast.Node) bound {
	list, _ := a.loop(nodes)
	return a.list(list)
}

func weighMap(a *analyst, _ []bound, nodes []ast.Node) bound {
	list, body := a.loop(nodes)
	each := exactly(list.elements.fixed * (1 + body.elements.fixed + body.elements.share))
	return a.list(bound{overAll(body.bytes, list), each})
}

func weighSortBy(a *analyst, _ []bound, nodes []ast.Node) bound {
	list, _ := a.loop(nodes)
	if len(nodes) == 3 {
		a.value(nodes[2])
	}
	return weighSort(a, []bound{list}, nil)
}

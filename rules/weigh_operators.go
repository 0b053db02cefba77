package rules

import (
	"regexp/syntax"

	"github.com/expr-lang/expr/ast"
)

// binary weighs an operator.
func (a *analyst) binary(n *ast.BinaryNode) bound {
	left, right := a.value(n.Left), a.value(n.Right)
	switch n.Operator {
	case "+":
		if isNumber(n.Left) && isNumber(n.Right) {
			return scalar
		}
		return a.build(left.plus(right))
	case "??":
		return left.or(right)
	case "matches":
		a.matching(n.Right, left)
	case "contains":
		a.spend(scanCost, left.bytes)
	case "in":
		if _, literal := n.Right.(*ast.ArrayNode); !literal {
			a.spend(elementCost, exactly(a.whole(right.elements)))
		}
		a.comparing(left, right)
	case "==", "!=", "<", ">", "<=", ">=", "startsWith", "endsWith":
		a.comparing(left, right)
	}
	return scalar
}

// comparing counts the bytes that both sides have, and the elements of lists.
func (a *analyst) comparing(left, right bound) {
	a.spend(copyCost, left.bytes.plus(right.bytes))
	if l, r := a.whole(left.elements), a.whole(right.elements); l > 0 && r > 0 {
		a.spend(elementCost, exactly(min(l, r)))
	}
}

func isNumber(n ast.Node) bool { t := n.Type(); return t == intType || t == floatType }

// Matching takes a number of nanoseconds for each byte and each state that the pattern
// can be in. A pattern bound to the start of the text looks no further than its
// longest match, which makes the usual check of a name cheap whatever the name.
const (
	stateCost  = 4
	patternMin = 40
)

func (a *analyst) matching(pattern ast.Node, text bound) {
	s, ok := pattern.(*ast.StringNode)
	if !ok {
		return
	}
	re, err := syntax.Parse(s.Value, syntax.Perl)
	if err != nil {
		return
	}
	re = re.Simplify()
	program, err := syntax.Compile(re)
	if err != nil {
		return
	}
	bytes := text.bytes
	if longest, ok := longestMatch(re); ok && anchored(re) {
		bytes = bytes.atMost(float64(longest + 1))
	}
	a.spend(patternMin+stateCost*float64(len(program.Inst)), bytes)
}

// anchored reports whether a pattern can match at the start of the text only.
func anchored(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginText:
		return true
	case syntax.OpConcat:
		return len(re.Sub) > 0 && anchored(re.Sub[0])
	case syntax.OpCapture:
		return anchored(re.Sub[0])
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if !anchored(sub) {
				return false
			}
		}
		return len(re.Sub) > 0
	}
	return false
}

// longestMatch gives the bytes of the longest match, unless there is no such thing.
func longestMatch(re *syntax.Regexp) (int, bool) {
	switch re.Op {
	case syntax.OpStar, syntax.OpPlus:
		return 0, false
	case syntax.OpRepeat:
		n, ok := longestMatch(re.Sub[0])
		return n * re.Max, ok && re.Max >= 0
	case syntax.OpLiteral:
		return 4 * len(re.Rune), true
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 4, true
	}
	longest := 0
	for _, sub := range re.Sub {
		n, ok := longestMatch(sub)
		if !ok {
			return 0, false
		}
		if re.Op == syntax.OpConcat {
			longest += n
		} else {
			longest = max(longest, n)
		}
	}
	return longest, true
}

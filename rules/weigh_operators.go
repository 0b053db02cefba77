package rules

import "github.com/expr-lang/expr/ast"

// binary weighs an operator.
func (a *analyst) binary(n *ast.BinaryNode) bound {
	left, right := a.value(n.Left), a.value(n.Right)
	switch n.Operator {
	case "+":
		if isNumber(n.Left) && isNumber(n.Right) {
			return scalar
		}
		return a.build(bound{bytes: left.bytes.plus(right.bytes)})
	case "??":
		return left.or(right)
	case "matches":
		a.matching(n.Right, left)
	case "contains":
		a.spend(scanCost, left.bytes)
	case "in":
		a.time.fixed += callCost
		a.spend(elementCost, exactly(a.most(right.elements)))
		a.comparing(left, right)
	case "==", "!=", "<", ">", "<=", ">=", "startsWith", "endsWith":
		a.comparing(left, right)
	}
	return scalar
}

// comparing counts the bytes that both sides have, and the elements of lists.
func (a *analyst) comparing(left, right bound) {
	a.spend(copyCost, left.bytes.plus(right.bytes))
	if l, r := a.most(left.elements), a.most(right.elements); l > 0 && r > 0 {
		a.spend(elementCost, exactly(min(l, r)))
	}
}

func isNumber(n ast.Node) bool { t := n.Type(); return t == intType || t == floatType }

func (a *analyst) matching(pattern ast.Node, text bound) {
	s, ok := pattern.(*ast.StringNode)
	if !ok {
		return
	}
	cost := a.patterns.of(s.Value)
	bytes := text.bytes
	if cost.longest > 0 {
		bytes = bytes.atMost(float64(cost.longest))
	}
	a.time.fixed += callCost
	a.spend(cost.perByte, bytes)
}

package rules

import (
	"errors"
	"reflect"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// specialize puts typed Go functions in the place of calls that can have one, and of in.
// It comes last: the optimizer writes trees out as text, which a function has none of.
func specialize(root *ast.Node) {
	ast.Walk(root, &specializer{replace: true})
}

// checkConstants finds the mistakes in constants that functions are called with, before
// the optimizer takes any of them away.
func checkConstants(root *ast.Node) *Error {
	v := &specializer{}
	ast.Walk(root, v)
	return v.mistake
}

type specializer struct {
	replace bool
	mistake *Error
}

// Visit implements ast.Visitor.
func (v *specializer) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.CallNode:
		v.call(node, n)
	case *ast.BinaryNode:
		if v.replace && n.Operator == "in" {
			*node = membership(n)
		}
	case *ast.BuiltinNode:
		if v.replace && (n.Name == "findLast" || n.Name == "findLastIndex") {
			*node = lastOf(n)
		}
	}
}

// lastOf gives what stands for findLast and findLastIndex, which the optimizer makes of
// last(filter(…)) too. The language's own leave a bool on the stack for every element
// they look at, and the operator around them takes that for its operand.
func lastOf(n *ast.BuiltinNode) ast.Node {
	filter := &ast.BuiltinNode{Name: "filter", Arguments: n.Arguments, Map: n.Map}
	if n.Name == "findLastIndex" {
		filter.Map = &ast.PointerNode{Name: "index"}
	}
	filter.SetLocation(n.Location())
	filter.SetType(listType)
	var last ast.Node = &ast.BuiltinNode{Name: "last", Arguments: []ast.Node{filter}}
	if n.Throws {
		last = &ast.MemberNode{Node: filter, Property: &ast.IntegerNode{Value: -1}}
	}
	last.SetLocation(n.Location())
	last.SetType(anyType)
	return last
}

func (v *specializer) call(node *ast.Node, call *ast.CallNode) {
	name, ok := call.Callee.(*ast.IdentifierNode)
	if !ok || v.mistake != nil || functions[name.Value].bind == nil {
		return
	}
	fn, rest, err := functions[name.Value].bind(call)
	var why failure
	if errors.As(err, &why) {
		at := call.Location()
		if len(call.Arguments) > 1 {
			at = spanOf(call.Arguments[1:])
		}
		v.mistake = &Error{From: at.From, To: at.To, Summary: "Unusable value", Detail: string(why)}
		return
	}
	if v.replace && fn != nil {
		*node = boundCall(call, fn, rest, reflect.TypeOf(fn).Out(0))
	}
}

func spanOf(nodes []ast.Node) file.Location {
	first, last := nodes[0].Location(), nodes[len(nodes)-1].Location()
	return file.Location{From: first.From, To: max(first.To, last.To)}
}

// boundCall is a call of a Go function that stands in the program itself. The machine
// calls it by its type, without packing arguments; it needs no name in the environment.
func boundCall(old ast.Node, fn any, args []ast.Node, gives reflect.Type) *ast.CallNode {
	callee := &ast.ConstantNode{Value: fn}
	callee.SetLocation(old.Location())
	callee.SetType(reflect.TypeOf(fn))
	call := &ast.CallNode{Callee: callee, Arguments: args}
	call.SetLocation(old.Location())
	call.SetType(gives)
	return call
}

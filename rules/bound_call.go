package rules

import (
	"reflect"

	"github.com/expr-lang/expr/ast"
)

// boundCall is a call of a Go function that stands in the program itself. The machine
// calls it by its type, without packing arguments; it needs no name in the environment.
func boundCall(old *ast.CallNode, fn any, args []ast.Node) *ast.CallNode {
	t := reflect.TypeOf(fn)
	callee := &ast.ConstantNode{Value: fn}
	callee.SetLocation(old.Location())
	callee.SetType(t)
	call := &ast.CallNode{Callee: callee, Arguments: args}
	call.SetLocation(old.Location())
	call.SetType(t.Out(0))
	return call
}

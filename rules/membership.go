package rules

import (
	"reflect"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"
)

// The language's own in fails for a value that a map cannot have as its key, and its
// optimizer makes a map of a list of texts. A miner chooses the type of what stands in
// params, so here a value that cannot be in there is not in there, and that is all.

// setLists makes constants of the lists behind in, so that the optimizer leaves them alone.
func setLists(root *ast.Node) { ast.Walk(root, listSetter{}) }

type listSetter struct{}

// Visit implements ast.Visitor.
func (listSetter) Visit(node *ast.Node) {
	n, ok := (*node).(*ast.BinaryNode)
	if !ok || n.Operator != "in" {
		return
	}
	list, ok := n.Right.(*ast.ArrayNode)
	if !ok {
		return
	}
	if v, ok := constant(list); ok {
		c := &ast.ConstantNode{Value: v}
		c.SetLocation(list.Location())
		c.SetType(listType)
		n.Right = c
	}
}

// membership gives the call that stands for in.
func membership(n *ast.BinaryNode) ast.Node {
	if v, ok := constant(n.Right); ok {
		if holds := holder(v); holds != nil {
			return boundCall(n, holds, []ast.Node{n.Left}, boolType)
		}
	}
	if k := n.Right.Type().Kind(); k == reflect.Slice || k == reflect.Array {
		return n
	}
	return boundCall(n, within, []ast.Node{n.Left, n.Right}, anyType)
}

// holder gives the function that looks into a constant list or map.
func holder(v any) func(any) bool {
	of := reflect.ValueOf(v)
	texts := map[string]struct{}{}
	var others []any
	switch of.Kind() {
	case reflect.Map:
		for _, k := range of.MapKeys() {
			texts[k.String()] = struct{}{}
		}
	case reflect.Slice:
		for i := range of.Len() {
			switch item := of.Index(i).Interface().(type) {
			case string:
				texts[item] = struct{}{}
			default:
				others = append(others, item)
			}
		}
	default:
		return nil
	}
	return func(v any) bool {
		if s, ok := v.(string); ok {
			_, in := texts[s]
			return in
		}
		return contains(others, v)
	}
}

func contains(list []any, v any) bool {
	for _, item := range list {
		if runtime.Equal(item, v) {
			return true
		}
	}
	return false
}

// within looks for its first argument in its second.
func within(args ...any) any {
	of := reflect.ValueOf(args[1])
	switch {
	case args[1] == nil:
		return false
	case of.Kind() == reflect.Slice:
		return runtime.In(args[0], args[1])
	case of.Kind() == reflect.Map:
		key, ok := args[0].(string)
		return ok && of.MapIndex(reflect.ValueOf(key)).IsValid()
	}
	panic(failure("in does not work on " + phraseOf(args[1]) + "."))
}

package rules

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// member settles client.ip, var.wallet, and an element of anything.
func (r *resolver) member(n *ast.MemberNode) ast.Node {
	if root, ok := n.Node.(*ast.IdentifierNode); ok && !slices.Contains(r.lets, root.Value) {
		if list := r.behind(root.Value); list != nil {
			return r.named(n, root.Value, list)
		}
	}
	if call := r.upstreamCall(n.Node); call != nil {
		return r.figure(n, call)
	}
	n.Node, n.Property = r.node(n.Node), r.node(n.Property)
	if c, ok := n.Node.(*ast.ConstantNode); ok {
		from := r.plain[c]
		delete(r.plain, c) // a missing element is the zero value of the narrower type
		return r.element(n, from)
	}
	return n
}

// named settles a name of two parts.
func (r *resolver) named(n *ast.MemberNode, root string, list []string) ast.Node {
	property, ok := n.Property.(*ast.StringNode)
	if !ok {
		return r.refuse(n.Property, "Incomplete name in expression", "The name behind "+root+" is written out, as in "+root+"."+firstOf(list)+".")
	}
	name := root + "." + property.Value
	m, constant := r.constants(root)
	if constant {
		r.secret = r.secret || r.scope.Sensitive[name]
		r.reads = append(r.reads, name)
	}
	if e := r.vocabulary.names[name]; e != nil {
		r.read(e, n)
		flat := &ast.IdentifierNode{Value: name}
		flat.SetLocation(n.Location())
		return flat
	}
	if v, ok := m[property.Value]; ok {
		if v == nil && r.null == "" {
			r.null = name
		}
		return r.constant(v, n.Location(), n)
	}
	detail := "There is no " + name + " here." + didYouMean(Nearest(property.Value, list))
	if len(list) > 0 {
		detail += "\n\n" + root + " has: " + strings.Join(list, ", ") + "."
	}
	if slices.Contains(r.pools, property.Value) && root == upstreamRoot {
		detail = "The figures of a certain pool are written " + upstreamUsage(property.Value) + "."
	}
	return r.refuse(property, "Unknown name in expression", detail)
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return "name"
	}
	return list[0]
}

// constant makes a node of a value of the policy.
func (r *resolver) constant(v any, at file.Location, n ast.Node) ast.Node {
	clean, why := sanitize(v, 0)
	if why != "" {
		return r.refuse(n, "Unusable value", "Expressions cannot use this value. "+why)
	}
	var c ast.Node
	switch v := clean.(type) {
	case string:
		c = &ast.StringNode{Value: v}
	case int:
		c = &ast.IntegerNode{Value: v}
	case float64:
		c = &ast.FloatNode{Value: v}
	case bool:
		c = &ast.BoolNode{Value: v}
	case nil:
		c = &ast.NilNode{}
	default:
		narrow := &ast.ConstantNode{Value: uniform(v)}
		if r.plain == nil {
			r.plain = map[*ast.ConstantNode]any{}
		}
		r.plain[narrow], c = v, narrow
	}
	c.SetLocation(at)
	return c
}

// element folds a constant element of a constant list or map.
func (r *resolver) element(n *ast.MemberNode, from any) ast.Node {
	of := reflect.ValueOf(from)
	switch property := n.Property.(type) {
	case *ast.StringNode:
		if of.Kind() == reflect.Map {
			return r.value(n, property, of)
		}
	case *ast.IntegerNode:
		if of.Kind() != reflect.Slice {
			break
		}
		if i := property.Value; i >= 0 && i < of.Len() {
			return r.constant(of.Index(i).Interface(), n.Location(), n)
		}
		return r.refuse(n.Property, "Index out of range", "The list has "+strconv.Itoa(of.Len())+" elements; the first is 0.")
	}
	return n
}

func (r *resolver) value(n *ast.MemberNode, key *ast.StringNode, of reflect.Value) ast.Node {
	if v := of.MapIndex(reflect.ValueOf(key.Value)); v.IsValid() {
		return r.constant(v.Interface(), n.Location(), n)
	}
	if n.Optional {
		none := &ast.NilNode{}
		none.SetLocation(n.Location())
		return none
	}
	var list []string
	for _, k := range of.MapKeys() {
		list = append(list, k.String())
	}
	slices.Sort(list)
	detail := `There is no "` + key.Value + `" in this map.` + didYouMean(Nearest(key.Value, list))
	if len(list) > 0 {
		detail += "\n\nThe map has: " + strings.Join(list, ", ") + "."
	}
	return r.refuse(key, "Unknown name in expression", detail)
}

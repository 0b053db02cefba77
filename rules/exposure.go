package rules

import (
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// Exposure is an expression that puts a sensitive constant where others see it: a pool,
// a miner, or whoever reads logs and records.
type Exposure struct {
	// Rule is the rule's number, and Field what is set: a field, or result or error.
	Rule  int
	Field string
	// Origin is that of the expression.
	Origin any
}

// Exposures lists the expressions that put sensitive constants anywhere but into the
// password of mining.authorize, which is the one place that is kept from view.
func (p *Program) Exposures() []Exposure {
	var list []Exposure
	for i, r := range p.ready {
		expose := func(field string, x *expression) {
			if x != nil && x.exposes {
				list = append(list, Exposure{i, field, x.source.Origin})
			}
		}
		for _, a := range r.set {
			if !(a.entry.name == "password" && p.rules[i].Method == "mining.authorize") {
				expose(a.entry.name, a.value)
			}
		}
		if r.reply != nil {
			expose("result", r.reply.result)
			expose("error", r.reply.err)
		}
	}
	return list
}

// Reads lists the constants that a rule reads, as in var.wallet.
func (p *Program) Reads(rule int) []string {
	var list []string
	for _, x := range p.ready[rule].expressions() {
		list = append(list, x.reads...)
	}
	return list
}

// exposes reports whether a sensitive constant is in the value of an expression, which
// is one that compiles.
func exposes(s Source, lang *configured, scope *Scope) bool {
	tree, err := parser.ParseWithConfig(s.Text, lang.config)
	if err != nil {
		return false
	}
	c := carrier{scope: scope, lets: map[string]bool{}}
	return c.carries(tree.Node)
}

// carrier follows sensitive constants through an expression as it was written.
type carrier struct {
	scope *Scope
	// lets has the variables of the expression that hold one.
	lets map[string]bool
}

// silent are the functions and operators whose result does not tell what went in: that
// something is equal, or the hash of it.
var silent = []string{
	"==", "!=", "<", "<=", ">", ">=", "in", "matches", "contains", "startsWith", "endsWith", "and", "or", "&&", "||", "not", "!",
	"inCIDR", "hasPrefix", "hasSuffix", "all", "any", "one", "none", "len", "count", "type", "sha256",
}

// carries reports whether a sensitive constant is in the value of a node.
func (c *carrier) carries(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return c.lets[n.Value]
	case *ast.MemberNode:
		return c.member(n)
	case *ast.UnaryNode:
		return !slices.Contains(silent, n.Operator) && c.carries(n.Node)
	case *ast.BinaryNode:
		return !slices.Contains(silent, n.Operator) && c.any(n.Left, n.Right)
	case *ast.ConditionalNode:
		return c.any(n.Exp1, n.Exp2)
	case *ast.VariableDeclaratorNode:
		c.lets[n.Name] = c.carries(n.Value)
		return c.carries(n.Expr)
	case *ast.SequenceNode:
		return c.any(n.Nodes...)
	case *ast.CallNode:
		name, _ := n.Callee.(*ast.IdentifierNode)
		return !(name != nil && slices.Contains(silent, name.Value)) && c.any(n.Arguments...)
	case *ast.BuiltinNode:
		return !slices.Contains(silent, n.Name) && c.any(n.Arguments...)
	case *ast.PredicateNode:
		return c.carries(n.Node)
	case *ast.ChainNode:
		return c.carries(n.Node)
	case *ast.SliceNode:
		return c.carries(n.Node)
	case *ast.ArrayNode:
		return c.any(n.Nodes...)
	case *ast.MapNode:
		return c.any(n.Pairs...)
	case *ast.PairNode:
		return c.any(n.Key, n.Value)
	}
	return false
}

// member looks at var.x and local.x, and at the element of anything.
func (c *carrier) member(n *ast.MemberNode) bool {
	root, named := n.Node.(*ast.IdentifierNode)
	property, plain := n.Property.(*ast.StringNode)
	if named && plain && (root.Value == "var" || root.Value == "local") {
		return c.scope.Sensitive[root.Value+"."+property.Value]
	}
	return c.carries(n.Node)
}

func (c *carrier) any(nodes ...ast.Node) bool { return slices.ContainsFunc(nodes, c.carries) }

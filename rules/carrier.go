package rules

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// contents is what is in the value of an expression, and not only looked at by it.
type contents struct {
	// secret says that a sensitive constant is in it, and fields that fields of the
	// message are: one bit for each parameter, and one each for result and error.
	secret bool
	fields uint64
	// params has the contents of the elements, of a list whose elements are known.
	params []contents
}

// maxParamBits is how many parameters are followed. No name stands for a later one.
const (
	maxParamBits = 16
	inParams     = 1<<maxParamBits - 1
	inResult     = 1 << 63
	inError      = 1 << 62
)

func bitOfParam(at int) uint64 {
	if at >= maxParamBits {
		return 0
	}
	return 1 << at
}

// bitsOf gives the bits that stand for a name. The miner's own name is a parameter only
// where the vocabulary says so.
func bitsOf(e *entry) uint64 {
	switch {
	case e == nil:
		return 0
	case e.from == fromParam:
		return bitOfParam(e.at)
	case e.from == fromParams:
		return inParams
	case e.from == fromResult:
		return inResult
	case e.from == fromError:
		return inError
	}
	return 0
}

// and gives what is in two values together. Lists are told apart no longer.
func (c contents) and(other contents) contents {
	return contents{secret: c.secret || other.secret, fields: c.fields | other.fields}
}

// or gives what may be in a value that is one of two.
func (c contents) or(other contents) contents {
	out := c.and(other)
	if c.params != nil && other.params != nil {
		out.params = make([]contents, max(len(c.params), len(other.params)))
		for i := range out.params {
			out.params[i] = c.param(i).and(other.param(i))
		}
	}
	return out
}

// param gives what is in one element.
func (c contents) param(at int) contents {
	if at < len(c.params) {
		return c.params[at]
	}
	return contents{}
}

// carrier follows sensitive constants and fields through an expression as it was written.
type carrier struct {
	scope *Scope
	names map[string]*entry
	// lets has what the variables of the expression hold.
	lets map[string]contents
}

// silent are the functions and operators whose result does not tell what went in: that
// something is equal, or the hash of it.
var silent = []string{
	"==", "!=", "<", "<=", ">", ">=", "in", "matches", "contains", "startsWith", "endsWith", "and", "or", "&&", "||", "not", "!",
	"inCIDR", "hasPrefix", "hasSuffix", "all", "any", "one", "none", "len", "count", "type", "sha256", upstreamRoot,
}

// carried gives what is in the value of a node.
func (c *carrier) carried(n ast.Node) contents {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return c.identifier(n)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.UnaryNode:
		return c.unless(n.Operator, n.Node)
	case *ast.BinaryNode:
		return c.unless(n.Operator, n.Left, n.Right)
	case *ast.ConditionalNode:
		return c.carried(n.Exp1).or(c.carried(n.Exp2))
	case *ast.VariableDeclaratorNode:
		c.lets[n.Name] = c.carried(n.Value)
		return c.carried(n.Expr)
	case *ast.SequenceNode:
		return c.all(n.Nodes...)
	case *ast.CallNode:
		name, _ := n.Callee.(*ast.IdentifierNode)
		if name == nil {
			return c.all(n.Arguments...)
		}
		return c.unless(name.Value, n.Arguments...)
	case *ast.BuiltinNode:
		return c.unless(n.Name, n.Arguments...)
	case *ast.PredicateNode:
		return c.carried(n.Node)
	case *ast.ChainNode:
		return c.carried(n.Node)
	case *ast.SliceNode:
		return c.slice(n)
	case *ast.ArrayNode:
		return c.list(n.Nodes)
	case *ast.MapNode:
		return c.all(n.Pairs...)
	case *ast.PairNode:
		return c.all(n.Key, n.Value)
	}
	return contents{}
}

// all gives what is in some nodes together.
func (c *carrier) all(nodes ...ast.Node) (out contents) {
	for _, n := range nodes {
		out = out.and(c.carried(n))
	}
	return out
}

// unless is all for a function or operator that is not silent.
func (c *carrier) unless(name string, nodes ...ast.Node) contents {
	if slices.Contains(silent, name) {
		return contents{}
	}
	return c.all(nodes...)
}

func (c *carrier) identifier(n *ast.IdentifierNode) contents {
	if held, ok := c.lets[n.Value]; ok {
		return held
	}
	e := c.names[n.Value]
	out := contents{fields: bitsOf(e)}
	if e != nil && e.from == fromParams {
		out.params = make([]contents, maxParamBits)
		for i := range out.params {
			out.params[i] = contents{fields: bitOfParam(i)}
		}
	}
	return out
}

func (c *carrier) list(nodes []ast.Node) contents {
	out := c.all(nodes...)
	out.params = make([]contents, len(nodes))
	for i, n := range nodes {
		out.params[i] = c.carried(n)
	}
	return out
}

// member looks at var.x and local.x, and at the element of anything.
func (c *carrier) member(n *ast.MemberNode) contents {
	root, named := n.Node.(*ast.IdentifierNode)
	property, plain := n.Property.(*ast.StringNode)
	if named && plain && (root.Value == "var" || root.Value == "local") {
		return contents{secret: c.scope != nil && c.scope.Sensitive[root.Value+"."+property.Value]}
	}
	of := c.carried(n.Node)
	at, ok := n.Property.(*ast.IntegerNode)
	if ok && of.params != nil && at.Value >= 0 {
		return of.param(at.Value)
	}
	return contents{secret: of.secret, fields: of.fields}
}

// slice gives what is in a piece of a list, or of a text.
func (c *carrier) slice(n *ast.SliceNode) contents {
	of := c.carried(n.Node)
	from, known := sliceBound(n.From, 0)
	to, also := sliceBound(n.To, len(of.params))
	if of.params == nil || !known || !also {
		return contents{secret: of.secret, fields: of.fields}
	}
	to = min(to, len(of.params))
	from = min(from, to)
	var out contents
	for _, element := range of.params[from:to] {
		out = out.and(element)
	}
	out.params = of.params[from:to]
	return out
}

// sliceBound gives a bound of a slice that is written out and counts from the front.
func sliceBound(n ast.Node, otherwise int) (at int, known bool) {
	if n == nil {
		return otherwise, true
	}
	number, ok := n.(*ast.IntegerNode)
	if !ok || number.Value < 0 {
		return 0, false
	}
	return number.Value, true
}

package rules

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// upstream.x is a figure of the pool that the name pool stands for, and
// upstream('pool.b').x that of any other. It looks like a call, but no list or map is
// ever made: at load each such figure becomes a name by itself, so that it has a type, a
// pool that there is not is a mistake, and to read it costs what any other name does.

const upstreamRoot = "upstream"

func upstreamUsage(pool string) string { return upstreamRoot + "('" + pool + "').reject_rate" }

// upstreamCall gives the call that a node is if it is one of upstream, or nil.
func (r *resolver) upstreamCall(n ast.Node) *ast.CallNode {
	call, ok := n.(*ast.CallNode)
	if !ok {
		return nil
	}
	if callee, ok := call.Callee.(*ast.IdentifierNode); !ok || callee.Value != upstreamRoot {
		return nil
	}
	return call
}

// bareUpstream refuses upstream('pool.b') without a name behind it.
func (r *resolver) bareUpstream(call *ast.CallNode) ast.Node {
	return r.refuse(call, "Incomplete name in expression",
		"The figures of a pool are not a value by themselves. One of them is "+upstreamUsage(r.somePool())+".\n\n"+
			upstreamRoot+" has: "+strings.Join(r.vocabulary.members(upstreamRoot), ", ")+".")
}

// somePool is the address of a pool for an example.
func (r *resolver) somePool() string {
	if len(r.pools) == 0 {
		return "pool.main"
	}
	return r.pools[0]
}

// figure settles upstream('pool.b').reject_rate.
func (r *resolver) figure(n *ast.MemberNode, call *ast.CallNode) ast.Node {
	property, ok := n.Property.(*ast.StringNode)
	if !ok {
		return r.bareUpstream(call)
	}
	list := r.vocabulary.members(upstreamRoot)
	e := r.vocabulary.names[upstreamRoot+"."+property.Value]
	if e == nil {
		return r.refuse(property, "Unknown name in expression", "There is no "+property.Value+" of a pool."+
			didYouMean(Nearest(property.Value, list))+"\n\n"+upstreamRoot+" has: "+strings.Join(list, ", ")+".")
	}
	pool, ok := r.poolIn(call)
	if !ok {
		return n
	}
	own := *e
	own.name, own.from, own.pool = upstreamRoot+"("+strconv.Quote(pool)+")."+property.Value, fromFigure, pool
	r.read(&own, n)
	flat := &ast.IdentifierNode{Value: own.name}
	flat.SetLocation(n.Location())
	return flat
}

// poolIn gives the pool that a call of upstream names. It is not ok if that is none,
// which is noted.
func (r *resolver) poolIn(call *ast.CallNode) (pool string, ok bool) {
	const summary = "Not a pool"
	usage := "It is written out, or a variable or a local holds the pool, as in " + upstreamUsage(r.somePool()) + "."
	if len(call.Arguments) != 1 {
		r.refuse(call, "Wrong number of values", "upstream takes the address of one pool. "+usage)
		return "", false
	}
	if reference, root := referenceTo(call.Arguments[0]); reference != "" {
		r.refuse(root, summary, "In an expression the address of a pool is a text: write it in quotes, as in "+upstreamUsage(reference)+
			". Or give the pool to a variable or a local, whose value then is its address: upstream(local.other).reject_rate.")
		return "", false
	}
	before := len(r.mistakes)
	name := r.node(call.Arguments[0])
	if len(r.mistakes) > before {
		return "", false
	}
	text, ok := name.(*ast.StringNode)
	switch {
	case ok && (r.pools == nil || slices.Contains(r.pools, text.Value)):
		return text.Value, true
	case ok && r.secret:
		r.refuse(name, "No such pool", "There is no pool of this name in this policy.")
	case ok:
		r.refuse(name, "No such pool", "There is no pool with the address "+strconv.Quote(text.Value)+" in this policy."+
			didYouMean(Nearest(text.Value, r.pools))+"\n\nPools: "+someOf(r.pools)+".")
	case r.example(name):
		return "", true // the true name is not known yet
	default:
		r.refuse(name, summary, "The address of a pool is known when the policy is loaded. "+usage)
	}
	return "", false
}

// referenceTo gives pool.b, and where it begins, for an argument that names a pool as plain
// HCL does.
func referenceTo(n ast.Node) (address string, root ast.Node) {
	m, ok := n.(*ast.MemberNode)
	if !ok {
		return "", nil
	}
	property, ok := m.Property.(*ast.StringNode)
	if !ok {
		return "", nil
	}
	if id, ok := m.Node.(*ast.IdentifierNode); ok && id.Value == "pool" {
		return "pool." + property.Value, id
	}
	block, root := referenceTo(m.Node)
	if root == nil {
		return "", nil
	}
	return block + "[" + strconv.Quote(property.Value) + "]", root
}

// someOf lists a few of many names.
func someOf(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + " and " + strconv.Itoa(len(names)-most) + " more"
}

// namesPool reports whether an expression reads figures of a certain pool.
func (x *expression) namesPool() bool {
	return slices.ContainsFunc(x.uses, func(u use) bool { return u.entry.from == fromFigure })
}

// with gives the language with the figures of pools that an expression names.
func (c *configured) with(uses []use) *configured {
	names := c.vocabulary.names
	for _, u := range uses {
		if u.entry.from != fromFigure {
			continue
		}
		if len(names) == len(c.vocabulary.names) {
			names = maps.Clone(names)
		}
		names[u.entry.name] = u.entry
	}
	if len(names) == len(c.vocabulary.names) {
		return c
	}
	v := *c.vocabulary
	v.names = names
	return &configured{&v, configFor(&v), c.compiler}
}

package rules

import (
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// use is a name that an expression reads, with the place where it does so first.
type use struct {
	entry    *entry
	from, to int
}

// resolver goes through a parsed expression and settles every name in it: client.ip
// becomes one name, var.wallet becomes its value. On the way it refuses what rules may
// not do.
type resolver struct {
	vocabulary *vocabulary
	pools      []string
	scope      *Scope
	text       string
	lets       []string
	predicate  bool
	uses       []use
	secret     bool
	reads      []string
	mistakes   []*Error
	// null is the first name that stands for null.
	null string
	// plain has the values of constants that the checker sees in a narrower type.
	plain map[*ast.ConstantNode]any
}

// refuse notes a mistake.
func (r *resolver) refuse(n ast.Node, summary, detail string) ast.Node {
	r.mistakes = append(r.mistakes, mistakeAt(n, summary, detail))
	return n
}

// node settles a node and gives what stands in its place.
func (r *resolver) node(n ast.Node) ast.Node {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return r.identifier(n)
	case *ast.MemberNode:
		return r.member(n)
	case *ast.ChainNode:
		return r.chain(n)
	case *ast.UnaryNode:
		n.Node = r.node(n.Node)
	case *ast.BinaryNode:
		return r.binary(n)
	case *ast.SliceNode:
		return r.slice(n)
	case *ast.CallNode:
		return r.call(n)
	case *ast.BuiltinNode:
		return r.builtin(n)
	case *ast.PredicateNode:
		n.Node = r.node(n.Node)
	case *ast.VariableDeclaratorNode:
		return r.let(n)
	case *ast.SequenceNode:
		r.nodes(n.Nodes)
	case *ast.ConditionalNode:
		n.Cond, n.Exp1, n.Exp2 = r.node(n.Cond), r.node(n.Exp1), r.node(n.Exp2)
	case *ast.ArrayNode:
		r.nodes(n.Nodes)
	case *ast.MapNode:
		r.nodes(n.Pairs)
	case *ast.PairNode:
		n.Key, n.Value = r.node(n.Key), r.node(n.Value)
	case *ast.BytesNode:
		return r.refuse(n, "Invalid expression", "Messages hold no byte strings; leave the b before the quote away.")
	}
	return n
}

func (r *resolver) nodes(list []ast.Node) {
	for i := range list {
		list[i] = r.node(list[i])
	}
}

func (r *resolver) identifier(n *ast.IdentifierNode) ast.Node {
	if slices.Contains(r.lets, n.Value) {
		return n
	}
	if e := r.vocabulary.names[n.Value]; e != nil {
		r.read(e, n)
		return n
	}
	if list := r.behind(n.Value); list != nil {
		return r.refuse(n, "Incomplete name in expression", n.Value+" is not a value by itself. It has: "+strings.Join(list, ", ")+".")
	}
	if f := functions[n.Value]; f != nil {
		return r.refuse(n, "Function not called", n.Value+" is a function and is called with its values: "+f.usage+".")
	}
	return r.unknown(n)
}

// read notes that the expression looks at a name.
func (r *resolver) read(e *entry, n ast.Node) {
	for _, u := range r.uses {
		if u.entry.name == e.name {
			return
		}
	}
	at := n.Location()
	r.uses = append(r.uses, use{e, at.From, at.To})
}

// example reports whether something in a node is known by its type alone.
func (r *resolver) example(n ast.Node) bool {
	return ast.Find(n, func(n ast.Node) bool {
		id, ok := n.(*ast.IdentifierNode)
		if !ok {
			return false
		}
		e := r.vocabulary.names[id.Value]
		return e != nil && e.from == fromExample
	}) != nil
}

// behind gives the names behind client, session, var or local and the dot, or nil when
// root is none of those here.
func (r *resolver) behind(root string) []string {
	if m, ok := r.constants(root); ok {
		return append([]string{}, sortedKeys(m)...)
	}
	if list := r.vocabulary.members(root); len(list) > 0 {
		return list
	}
	return nil
}

// constants gives the map that var or local stands for.
func (r *resolver) constants(root string) (map[string]any, bool) {
	if r.scope == nil {
		return nil, false
	}
	switch root {
	case "var":
		return r.scope.Var, r.scope.Var != nil
	case "local":
		return r.scope.Local, r.scope.Local != nil
	}
	return nil, false
}

var bareWord = regexp.MustCompile(`^[\pL\pN_.-]+$`)

func (r *resolver) unknown(n *ast.IdentifierNode) ast.Node {
	names := r.vocabulary.roots(r.scope)
	detail := `There is no "` + n.Value + `" here.` + r.suggestion(n.Value, names)
	if bareWord.MatchString(r.text) {
		if len(r.mistakes) > 0 {
			return n // one mistake: a text without quotes reads as several names
		}
		detail += "\n\nThis argument is an expression. If " + r.text + ` is meant as a text, quote it inside: "'` + r.text + `'".`
	}
	detail += "\n\nNames in " + r.vocabulary.place() + ": " + strings.Join(names, ", ") + "."
	return r.refuse(n, "Unknown name in expression", detail)
}

func (r *resolver) suggestion(name string, names []string) string {
	for _, root := range []string{"var", "local"} {
		m, _ := r.constants(root)
		if _, ok := m[name]; ok {
			return ` Did you mean "` + root + "." + name + `"?`
		}
	}
	return didYouMean(Nearest(name, append(slices.Clone(names), r.lets...)))
}

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return ` Did you mean "` + name + `"?`
}

func (r *resolver) chain(n *ast.ChainNode) ast.Node {
	n.Node = r.node(n.Node)
	switch n.Node.(type) {
	case *ast.MemberNode, *ast.CallNode:
		return n
	}
	return n.Node
}

func (r *resolver) let(n *ast.VariableDeclaratorNode) ast.Node {
	n.Value = r.node(n.Value)
	roots := r.vocabulary.roots(r.scope)
	if slices.Contains(roots, n.Name) || slices.Contains(r.lets, n.Name) || functions[n.Name] != nil || withdrawn[n.Name] != "" {
		return r.refuse(n, "Name already taken", n.Name+" already means something here; choose another name for the variable.")
	}
	r.lets = append(r.lets, n.Name)
	n.Expr = r.node(n.Expr)
	r.lets = r.lets[:len(r.lets)-1]
	return n
}

func (r *resolver) slice(n *ast.SliceNode) ast.Node {
	n.Node = r.node(n.Node)
	if n.From != nil {
		n.From = r.node(n.From)
	}
	if n.To != nil {
		n.To = r.node(n.To)
	}
	return n
}

func (r *resolver) binary(n *ast.BinaryNode) ast.Node {
	n.Left, n.Right = r.node(n.Left), r.node(n.Right)
	switch n.Operator {
	case "..":
		return r.refuse(n, "Invalid expression", "Ranges are left out: one can be larger than any memory. Write the values as a list.")
	case "+":
		return joinTexts(n)
	case "matches":
		r.pattern(n.Right)
	case "==", "!=":
		// What a map is compared with has the plain type, and may be equal.
		r.widen(n.Left)
		r.widen(n.Right)
	}
	return n
}

// widen gives a constant back its plain type.
func (r *resolver) widen(n ast.Node) {
	if c, ok := n.(*ast.ConstantNode); ok && r.plain[c] != nil {
		c.Value = r.plain[c]
	}
}

// widenAll does so with all of them, for the program that runs: two maps with equal
// values are equal only if they have one type.
func (r *resolver) widenAll() {
	for c, v := range r.plain {
		c.Value = v
	}
}

// joinTexts folds two constant texts, so that a pattern may be put together of them.
func joinTexts(n *ast.BinaryNode) ast.Node {
	left, ok := n.Left.(*ast.StringNode)
	right, also := n.Right.(*ast.StringNode)
	if !ok || !also || len(left.Value)+len(right.Value) > builtLimit {
		return n
	}
	folded := &ast.StringNode{Value: left.Value + right.Value}
	folded.SetLocation(n.Location())
	return folded
}

// pattern refuses patterns that are not known at load: a miner could send one.
func (r *resolver) pattern(n ast.Node) {
	if r.example(n) {
		return
	}
	s, ok := n.(*ast.StringNode)
	if !ok {
		r.refuse(n, "Pattern not constant", "A pattern for matches is a text in quotes or comes from a variable of the policy; one out of a message could be anything.")
		return
	}
	if _, err := regexp.Compile(s.Value); err != nil {
		detail := "This pattern cannot be read"
		if !r.secret {
			detail += ": " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		}
		r.refuse(n, "Invalid pattern", detail+".")
	}
}

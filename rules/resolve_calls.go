package rules

import (
	"strconv"

	"github.com/expr-lang/expr/ast"
)

// call settles a call of one of our functions, or of none.
func (r *resolver) call(n *ast.CallNode) ast.Node {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return r.refuse(n, "Unknown function", "Values have no functions of their own; write lower(user), not user.lower().")
	}
	if r.upstreamCall(n) != nil {
		return r.bareUpstream(n)
	}
	f := functions[callee.Value]
	if f == nil || f.call == nil {
		r.nodes(n.Arguments)
		return r.noFunction(n, callee.Value)
	}
	r.nodes(n.Arguments)
	r.count(n, f, len(n.Arguments))
	return n
}

// builtin settles a call of one of the language's own functions.
func (r *resolver) builtin(n *ast.BuiltinNode) ast.Node {
	f := functions[n.Name]
	if f == nil || f.call != nil {
		return r.noFunction(n, n.Name)
	}
	if f.predicate && r.predicate {
		return r.refuse(n, "Condition in a condition", n.Name+" stands in the condition of another such function. Over the same list their work multiplies; a let before it, or two rules, do the same.")
	}
	r.count(n, f, len(n.Arguments))
	for i := range n.Arguments {
		inside := f.predicate && i == 1
		r.predicate = r.predicate || inside
		n.Arguments[i] = r.node(n.Arguments[i])
		if inside {
			r.predicate = false
		}
	}
	return n
}

func (r *resolver) noFunction(n ast.Node, name string) ast.Node {
	if why := withdrawn[name]; why != "" {
		return r.refuse(n, "Function left out", "There is no "+name+" in rules. "+why)
	}
	names := make([]string, 0, len(functions))
	for known := range functions {
		names = append(names, known)
	}
	detail := "There is no function " + name + "." + didYouMean(Nearest(name, names))
	if r.vocabulary.names[name] != nil {
		detail = name + " is a value, not a function."
	}
	return r.refuse(n, "Unknown function", detail)
}

// count checks the number of values in a call.
func (r *resolver) count(n ast.Node, f *function, given int) {
	if given >= f.min && (f.max == 0 || given <= f.max) {
		return
	}
	takes := strconv.Itoa(f.min)
	switch {
	case f.max == 0:
		takes = "at least " + takes
	case f.max > f.min:
		takes += " to " + strconv.Itoa(f.max)
	}
	word := " values"
	if f.min == 1 && f.max <= 1 {
		word = " value"
	}
	r.refuse(n, "Wrong number of values", f.name+" takes "+takes+word+", not "+strconv.Itoa(given)+": "+f.usage+".")
}

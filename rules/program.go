package rules

import (
	"bytes"
	"slices"
	"strings"
)

// Program is the compiled rules of one proxy, indexed by kind and method.
type Program struct {
	rules     []Rule
	ready     []*compiled
	connect   *Chain
	methods   [Notification + 1]map[string]*Chain
	globs     [Notification + 1][]globChain
	mapsNames bool
	drifts    bool
}

// globChain is the chain of methods that begin with a prefix and have none of their own.
type globChain struct {
	prefix []byte
	chain  *Chain
}

// Uses says which parts of a message a chain looks at, so that nobody decodes the rest.
type Uses struct {
	// Params has bit i set where element i is looked at or assigned by name; AllParams
	// where params itself is.
	Params    uint64
	AllParams bool
	Result    bool
	Error     bool
}

// Chain is the rules that look at messages of one kind and method, in order.
type Chain struct {
	kind  Kind
	rules []*compiled
	uses  Uses
	// method is the method, boxed, where the chain is for one; nil otherwise.
	method any
	// userAt is the position of the miner's own name among the parameters, or -1.
	userAt int
}

// Compile turns rules into a Program, or lists every mistake in them. The order of
// the rules is the order in which they run; rule numbers are indices into it.
func Compile(list []Rule) (*Program, []*Error) { return NewCompiler().Compile(list) }

func compile(c *compilation, list []Rule) (*Program, []*Error) {
	p := &Program{rules: slices.Clone(list)}
	ready := make([]*compiled, len(list))
	for i := range p.rules {
		ready[i] = c.rule(i, &p.rules[i])
	}
	if len(c.errors) > 0 {
		return nil, c.errors
	}
	p.ready = ready
	p.index(ready)
	p.drifts = p.routesDrift()
	if over := p.overBudget(); len(over) > 0 {
		return nil, over
	}
	return p, nil
}

// index makes the chains: one for every method that has a rule of its own or that the
// vocabulary knows, and one for every prefix, for the methods that nobody knows.
func (p *Program) index(ready []*compiled) {
	for k := Request; k <= Notification; k++ {
		p.methods[k] = map[string]*Chain{}
		for _, method := range p.methodsOf(k) {
			if chain := p.chain(k, method, ready); len(chain.rules) > 0 {
				chain.method = method
				p.methods[k][method] = chain
			}
		}
		p.indexGlobs(k, ready)
	}
	if chain := p.chain(Connect, "", ready); len(chain.rules) > 0 {
		p.connect = chain
	}
	for i := range p.rules {
		r := &p.rules[i]
		p.mapsNames = p.mapsNames || r.Kind == Request && matchesLabel(r.Method, "mining.authorize") && setsName(r)
	}
}

func setsName(r *Rule) bool {
	return slices.ContainsFunc(r.Set, func(a Assignment) bool { return a.Field == "user" || a.Field == "params" })
}

// methodsOf gives the methods that get a chain of their own.
func (p *Program) methodsOf(k Kind) []string {
	var list []string
	for _, m := range byMethod(k) {
		list = append(list, m.method)
	}
	for i := range p.rules {
		if r := &p.rules[i]; r.Kind == k && !strings.HasSuffix(r.Method, "*") {
			list = append(list, r.Method)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// indexGlobs sorts the prefixes by length: those that fit one name are prefixes of one
// another, so the longest has all rules of the shorter ones.
func (p *Program) indexGlobs(k Kind, ready []*compiled) {
	var prefixes []string
	for i := range p.rules {
		r := &p.rules[i]
		if prefix, ok := strings.CutSuffix(r.Method, "*"); ok && r.Kind == k {
			prefixes = append(prefixes, prefix)
		}
	}
	slices.Sort(prefixes)
	for _, prefix := range slices.Backward(slices.Compact(prefixes)) {
		p.globs[k] = append(p.globs[k], globChain{[]byte(prefix), p.globChain(k, prefix, ready)})
	}
	slices.SortStableFunc(p.globs[k], func(a, b globChain) int { return len(b.prefix) - len(a.prefix) })
}

// chain collects the rules for a method.
func (p *Program) chain(k Kind, method string, ready []*compiled) *Chain {
	chain := &Chain{kind: k, userAt: userAt(k, method)}
	for i := range p.rules {
		if r := &p.rules[i]; r.Kind == k && matchesLabel(r.Method, method) {
			chain.add(ready[i])
		}
	}
	return chain
}

// globChain collects the rules for every method with a prefix.
func (p *Program) globChain(k Kind, prefix string, ready []*compiled) *Chain {
	chain := &Chain{kind: k, userAt: -1}
	for i := range p.rules {
		shorter, ok := strings.CutSuffix(p.rules[i].Method, "*")
		if ok && p.rules[i].Kind == k && strings.HasPrefix(prefix, shorter) {
			chain.add(ready[i])
		}
	}
	return chain
}

// add puts a rule at the end, and what it looks at to the rest.
func (c *Chain) add(r *compiled) {
	c.rules = append(c.rules, r)
	for _, x := range r.expressions() {
		for i := range x.uses {
			c.use(x.uses[i].entry)
		}
	}
	for i := range r.set {
		c.use(r.set[i].entry)
	}
}

func (c *Chain) use(e *entry) {
	switch e.from {
	case fromParam:
		c.uses.Params |= 1 << e.at
	case fromUser:
		if c.userAt >= 0 {
			c.uses.Params |= 1 << c.userAt
		}
	case fromParams:
		c.uses.AllParams = true
	case fromResult:
		c.uses.Result = true
	case fromError:
		c.uses.Error = true
	}
}

// expressions gives all expressions of a rule, in the order in which they run.
func (r *compiled) expressions() []*expression {
	var list []*expression
	if r.when != nil {
		list = append(list, r.when)
	}
	for i := range r.set {
		list = append(list, r.set[i].value)
	}
	if r.reply != nil {
		for _, x := range []*expression{r.reply.result, r.reply.err} {
			if x != nil {
				list = append(list, x)
			}
		}
	}
	return list
}

// Rules gives the rules as they were compiled. The caller must not change them.
func (p *Program) Rules() []Rule { return p.rules }

// Chain gives the rules for a kind and method, or nil when no rule looks at it. It
// allocates nothing. For Connect the method is nil.
func (p *Program) Chain(kind Kind, method []byte) *Chain {
	if kind == Connect {
		return p.connect
	}
	if kind > Notification {
		return nil
	}
	if chain := p.methods[kind][string(method)]; chain != nil {
		return chain
	}
	for i := range p.globs[kind] {
		if g := &p.globs[kind][i]; bytes.HasPrefix(method, g.prefix) {
			return g.chain
		}
	}
	return nil
}

// MapsNames reports whether a rule may change the user at mining.authorize.
func (p *Program) MapsNames() bool { return p.mapsNames }

// Uses says what the chain looks at.
func (c *Chain) Uses() Uses { return c.uses }

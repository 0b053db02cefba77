package rules

import "slices"

// Where a miner belongs is decided by what it says when it comes, which stays as it is,
// and by the time and figures, which do not. A program whose routes depend on these has
// to be asked again while its miners are mining.

// authorize is the last request that can have a route.
const authorize = "mining.authorize"

// routing are the messages that decide where a miner belongs, in their order.
var routing = []struct {
	kind   Kind
	method string
}{{Connect, ""}, {Request, "mining.subscribe"}, {Request, authorize}}

// drifts reports whether the value of a name changes by itself.
func (e *entry) drifts() bool {
	return e.from == fromFigure || e.from == fromFact && e.fact.drifts()
}

// Drifts reports whether where a miner belongs may change while it says nothing: whether
// a rule with a route, or one that decides whether such a rule is asked or what it sees,
// looks at clock, stats or upstream.
func (p *Program) Drifts() bool { return p.drifts }

// RoutesUsers reports whether a rule routes at mining.authorize.
func (p *Program) RoutesUsers() bool {
	return slices.ContainsFunc(p.rules, func(r Rule) bool { return r.Route != "" && r.Method == authorize })
}

// routesDrift is Drifts for those who have not asked before.
func (p *Program) routesDrift() bool {
	for _, m := range routing {
		if chain := p.Chain(m.kind, []byte(m.method)); chain != nil && chain.routesDrift() {
			return true
		}
	}
	return false
}

// routesDrift follows what drifts through the rules of a chain, up to its last route.
func (c *Chain) routesDrift() bool {
	var fields uint64 // that hold something that drifts, as those of contents
	ends := false     // whether it drifts if the walk goes on
	for _, r := range c.rules {
		decides := r.when.looksAt(fields, c.userAt)
		switch {
		case r.route != "" && (decides || ends):
			return true
		case decides && (r.verdict != Forward || r.stop):
			ends = true
		}
		before := fields
		for i := range r.set {
			a := &r.set[i]
			if decides || a.value.looksAt(before, c.userAt) {
				fields |= bitsOf(a.entry)
			}
		}
	}
	return false
}

// looksAt reports whether an expression reads what drifts, or one of some fields. The
// name user is the parameter at userAt, if that is not -1. A nil one reads nothing.
func (x *expression) looksAt(fields uint64, userAt int) bool {
	if x == nil || x.program == nil {
		return false
	}
	return slices.ContainsFunc(x.uses, func(u use) bool {
		bits := bitsOf(u.entry)
		if u.entry.from == fromUser && userAt >= 0 {
			bits = bitOfParam(userAt)
		}
		return u.entry.drifts() || fields&bits != 0
	})
}

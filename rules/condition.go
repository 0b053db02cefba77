package rules

// Condition is an expression about two groups of sessions: the candidates, which are under
// a new policy first, and the stable ones, which are not.
type Condition struct{ x *expression }

// Group is what the shares of a group of sessions came to.
type Group struct {
	Sessions  int `json:"sessions"`
	Submitted int `json:"submitted"`
	Accepted  int `json:"accepted"`
	Rejected  int `json:"rejected"`
	// RejectRate is from 0 to 1, and Hashrate in hashes a second.
	RejectRate float64 `json:"reject_rate"`
	Hashrate   float64 `json:"hashrate"`
}

// The names that a condition has, of the candidates; those of the stable ones follow.
const (
	groupSessions Name = iota
	groupSubmitted
	groupAccepted
	groupRejected
	groupRejectRate
	groupHashrate
	groupNames
)

var groupEntries = []entry{
	{name: "sessions", kind: wholeValue, fact: groupSessions, doc: "how many sessions there are"},
	{name: "submitted", kind: wholeValue, fact: groupSubmitted, doc: "shares since the rollout began"},
	{name: "accepted", kind: wholeValue, fact: groupAccepted, doc: "of those, the accepted ones"},
	{name: "rejected", kind: wholeValue, fact: groupRejected, doc: "of those, the rejected ones"},
	{name: "reject_rate", kind: numberValue, fact: groupRejectRate, doc: "the part of the judged ones that was rejected, from 0 to 1"},
	{name: "hashrate", kind: numberValue, fact: groupHashrate, doc: "hashes a second, by the accepted shares"},
}

// conditionNames are those of both groups.
func conditionNames() map[string]*entry {
	names := map[string]*entry{}
	for i, group := range []string{"candidate", "stable"} {
		for _, e := range groupEntries {
			e.name, e.from, e.fact = group+"."+e.name, fromFact, e.fact+Name(i)*groupNames
			names[e.name] = &e
		}
	}
	return names
}

// CompileCondition compiles the condition of a rollout, which gives a bool.
func CompileCondition(s Source, scope *Scope) (*Condition, []*Error) {
	compiler := NewCompiler()
	lang := compiler.configured(&vocabulary{label: "rollout", names: conditionNames()})
	x, mistakes := compileExpression(s, lang, scope, boolValue)
	if len(mistakes) > 0 {
		for i, m := range mistakes {
			mistakes[i] = m.from(s)
		}
		return nil, mistakes
	}
	return &Condition{x}, nil
}

// Holds reports whether the condition is true of two groups. One that cannot be worked
// out gives an error.
func (c *Condition) Holds(candidate, stable Group) (bool, *Error) {
	m := machines.Get().(*machine)
	defer machines.Put(m)
	m.chain, m.msg, m.d, m.facts = &Chain{userAt: -1}, &noMessage, &Decision{}, groups{candidate, stable}
	defer func() { m.chain, m.msg, m.d, m.facts = nil, nil, nil, nil }()
	v, err := m.eval(c.x)
	if err != nil {
		return false, err
	}
	holds, _ := v.(bool)
	return holds, nil
}

// groups shows two groups to a condition.
type groups [2]Group

// Fact gives a name of the candidates or of the stable ones.
func (g groups) Fact(n Name) any {
	of := &g[n/groupNames]
	switch n % groupNames {
	case groupSessions:
		return of.Sessions
	case groupSubmitted:
		return of.Submitted
	case groupAccepted:
		return of.Accepted
	case groupRejected:
		return of.Rejected
	case groupRejectRate:
		return of.RejectRate
	default:
		return of.Hashrate
	}
}

// Figure is for rules; a condition names no pool.
func (g groups) Figure(string, Name) any { return 0.0 }

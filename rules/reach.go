package rules

import "strings"

// Hidden is a rule that never runs, since an earlier one ends the walk of every message
// that it is about. Both are numbers of rules.
type Hidden struct {
	Rule, By int
}

// Hidden lists the rules that never run, each with the first rule that is in its way.
func (p *Program) Hidden() []Hidden {
	var list []Hidden
	for i := range p.rules {
		for j := range i {
			if p.ready[j].endsAlways() && p.covers(j, i) {
				list = append(list, Hidden{Rule: i, By: j})
				break
			}
		}
	}
	return list
}

// covers reports whether one rule looks at every message that another looks at.
func (p *Program) covers(one, other int) bool {
	a, b := &p.rules[one], &p.rules[other]
	if a.Kind != b.Kind {
		return false
	}
	prefix, glob := strings.CutSuffix(a.Method, "*")
	return a.Method == b.Method || glob && strings.HasPrefix(strings.TrimSuffix(b.Method, "*"), prefix)
}

// Never lists the rules whose condition is false whatever the message is, and whatever
// the constants are.
func (p *Program) Never() []int {
	var list []int
	for i, r := range p.ready {
		if r.when != nil && r.when.constant == false && len(r.when.reads) == 0 {
			list = append(list, i)
		}
	}
	return list
}

// endsAlways reports whether the walk ends with a rule whatever the message is: it
// always matches, ends the walk when it does, and does not go on when it fails. A
// condition on a constant is one that the policy may switch.
func (r *compiled) endsAlways() bool {
	if r.verdict == Forward && !r.stop || r.when != nil && (r.when.constant != true || len(r.when.reads) > 0) {
		return false
	}
	return r.onError != OnErrorSkip || r.cannotFail()
}

// cannotFail reports whether nothing in a rule depends on the message.
func (r *compiled) cannotFail() bool {
	for _, x := range r.expressions() {
		if x.program != nil {
			return false
		}
	}
	return len(r.set) == 0 // to set a field may fail for what the message lacks
}

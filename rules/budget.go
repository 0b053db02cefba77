package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Budget of a walk over all rules of one message, at worst. A session stands still
// while its message is judged, and a stranger chooses the message.
const (
	timeBudget   = 1_000_000 // nanoseconds
	memoryBudget = 1 << 20   // bytes
	ruleCost     = 60        // nanoseconds of a rule without expressions
	changeCost   = 3000      // nanoseconds: what a rule changed is measured anew
)

func (r *compiled) weight() weight {
	total, failure := weight{nanoseconds: ruleCost}, weight{}
	for _, x := range r.expressions() {
		total = total.plus(x.weight)
		failure.nanoseconds = max(failure.nanoseconds, x.failure.nanoseconds)
		failure.bytes = max(failure.bytes, x.failure.bytes)
	}
	if len(r.set) > 0 {
		total.nanoseconds += changeCost
	}
	return total.plus(failure)
}

// overBudget lists the chains that could take too long. Chains overlap, so a rule that
// alone is too much for several methods is reported once.
func (p *Program) overBudget() []*Error {
	var errors []*Error
	reported := map[int]bool{}
	check := func(c *Chain, place string) {
		if c == nil {
			return
		}
		if e, worst := p.overweight(c, place); e != nil && !reported[worst] {
			reported[worst] = true
			errors = append(errors, e)
		}
	}
	check(p.connect, "a new connection")
	for k := Request; k <= Notification; k++ {
		for _, method := range sortedKeys(p.methods[k]) {
			check(p.methods[k][method], "a "+method+" "+k.String())
		}
		for _, g := range p.globs[k] {
			check(g.chain, "a "+string(g.prefix)+"* "+k.String())
		}
	}
	return errors
}

// overweight gives an error, and the heaviest rule, for a chain beyond the budget.
func (p *Program) overweight(c *Chain, place string) (*Error, int) {
	var total weight
	for _, r := range c.rules {
		total = total.plus(r.weight())
	}
	slow, large := total.nanoseconds/timeBudget, total.bytes/memoryBudget
	if slow <= 1 && large <= 1 {
		return nil, 0
	}
	share := func(r *compiled) float64 { return r.weight().nanoseconds }
	cost := fmt.Sprintf("%.1f ms; 1 ms is allowed", slow)
	if large > slow {
		share = func(r *compiled) float64 { return r.weight().bytes }
		cost = fmt.Sprintf("%.1f MiB of memory; 1 MiB is allowed", large)
	}
	heaviest := slices.Clone(c.rules)
	slices.SortStableFunc(heaviest, func(a, b *compiled) int { return cmp.Compare(share(b), share(a)) })
	worst := heaviest[0].number
	var names []string
	for _, r := range heaviest[:min(3, len(heaviest))] {
		names = append(names, p.rules[r.number].Address)
	}
	e := mistake("Rules too expensive", "On the worst message that can come, the rules for "+place+" could take "+cost+". "+
		"Most of it is in: "+strings.Join(names, ", ")+".\n\n"+
		"Patterns without ^ at the start, long lists and repeated replacing cost most. "+
		"Use the names of the method instead of params, and cut what may be long, as in string(params[0])[:100].")
	e.Origin = p.rules[worst].Origin
	return e, worst
}

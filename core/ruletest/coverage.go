package ruletest

import (
	"math"
	"slices"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/policy"
)

// Coverage counts, for every rule of a policy, how often it matched and how often it did
// not. Rules of a ruleset are counted together, whichever proxies use it.
type Coverage struct {
	rules []*RuleCoverage
	index map[string]*RuleCoverage
}

// RuleCoverage is what was seen of one rule.
type RuleCoverage struct {
	Address string
	// Place is file:line:col.
	Place string
	// Guarded says that the rule has a condition, so that it can also not match.
	Guarded             bool
	Matched, NotMatched int
}

// NewCoverage counts the rules of policies. More of them may be added.
func NewCoverage() *Coverage { return &Coverage{index: map[string]*RuleCoverage{}} }

// Add makes the rules of a policy known. A policy under other values has the same ones.
func (c *Coverage) Add(p *policy.Policy) {
	for _, proxy := range p.Proxies {
		for i := range proxy.Program.Rules() {
			r := &proxy.Program.Rules()[i]
			if c.index[r.Address] == nil {
				rc := &RuleCoverage{Address: r.Address, Place: p.Place(r), Guarded: r.When != nil}
				c.index[r.Address] = rc
				c.rules = append(c.rules, rc)
			}
		}
	}
}

// walked counts one walk.
func (c *Coverage) walked(proxy *policy.Proxy, w exchange.Walk) {
	for _, step := range w.Decision.Steps {
		r := c.index[proxy.Program.Rules()[step.Rule].Address]
		switch {
		case r == nil:
		case slices.Contains(w.Decision.Matched, step.Rule):
			r.Matched++
		case step.Failed == nil:
			r.NotMatched++
		}
	}
}

// Rules gives the rules in the order of the policy.
func (c *Coverage) Rules() []*RuleCoverage { return c.rules }

// Covered reports whether all was seen that a rule can do: that it matches and, where it
// has a condition, that it does not.
func (r *RuleCoverage) Covered() bool {
	return r.Matched > 0 && (r.NotMatched > 0 || !r.Guarded)
}

// Dead reports whether no test has the rule match.
func (r *RuleCoverage) Dead() bool { return r.Matched == 0 }

// Matched counts the rules that matched at least once, Covered those of which all was
// seen.
func (c *Coverage) Matched() int { return c.count(func(r *RuleCoverage) bool { return !r.Dead() }) }

// Covered counts the rules of which all was seen.
func (c *Coverage) Covered() int { return c.count((*RuleCoverage).Covered) }

func (c *Coverage) count(f func(*RuleCoverage) bool) int {
	n := 0
	for _, r := range c.rules {
		if f(r) {
			n++
		}
	}
	return n
}

// Percent is the part of n in all rules, rounded down to a tenth: 99.99 is not 100. A
// policy without rules is covered.
func (c *Coverage) Percent(n int) float64 {
	if len(c.rules) == 0 {
		return 100
	}
	return math.Floor(float64(n)*1000/float64(len(c.rules))) / 10
}

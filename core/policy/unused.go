package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/loka-proxy/loka/rules"
)

// usage is what a policy makes use of, gathered while it is built, so that the rest can
// be doubted.
type usage struct {
	// names are those of the policy, as in var.wallet; those of a ruleset are its own.
	names map[string]bool
	// owners tells which ruleset the constants of a rule belong to.
	owners map[*rules.Scope]*ruleset
	// users tells who gave a ruleset with variables the constants of a rule.
	users map[*rules.Scope]usedBy
	// idle are the proxy blocks whose for_each is empty. What they name is used, though
	// nothing came of it.
	idle []*block
}

// noteReads takes note of the constants that compiled rules read.
func (l *loader) noteReads(program *rules.Program) {
	for i, rule := range program.Rules() {
		names := l.usage.names
		if set := l.usage.owners[rule.Scope]; set != nil {
			names = set.names
		}
		for _, name := range program.Reads(i) {
			names[name] = true
		}
	}
}

// doubtUnused warns of what nothing in the policy uses. It is asked of a policy without
// mistakes: a name that is misspelled would make two warnings of one mistake.
func (l *loader) doubtUnused() {
	l.noteIdle()
	l.doubtRulesets()
	l.doubtPools()
	for _, src := range l.files {
		l.noteNames(src)
	}
	l.doubtNames()
}

// noteIdle takes note of what the blocks name that no proxy came of.
func (l *loader) noteIdle() {
	for _, b := range l.usage.idle {
		l.noteWords(b)
		for _, inner := range b.Body.(*hclsyntax.Body).Blocks {
			if inner.Type == "use" && len(inner.Labels) == 1 && l.rulesets[inner.Labels[0]] != nil {
				l.rulesets[inner.Labels[0]].named = true
			}
		}
	}
}

var word = regexp.MustCompile(`[\pL_][\pL\pN_-]*`)

// noteWords takes every word of a block for a name: its expressions were not compiled.
func (l *loader) noteWords(b *block) {
	for _, found := range word.FindAllString(b.src.quote(b.Body.(*hclsyntax.Body).Range()), -1) {
		for _, root := range []string{"var", "local"} {
			l.usage.names[address(root, found)] = true
		}
	}
}

// doubtRulesets warns of rulesets that no proxy uses. A file that is included may have
// more of them than one policy needs.
func (l *loader) doubtRulesets() {
	for _, name := range sortedNames(l.rulesets) {
		if set := l.rulesets[name]; !set.used && !set.named && !set.src.included {
			l.warn(set.DefRange, "Ruleset never used", "No proxy uses ruleset %q, so its rules never run. A proxy takes them with use %[1]q { … }; if nobody needs them, remove it.", name)
		}
	}
}

// doubtPools warns of pools that no miner ever goes to: a block that is not used at all,
// or instances of it.
func (l *loader) doubtPools() {
	used := map[*Pool]bool{}
	for _, proxy := range l.policy.Proxies {
		used[proxy.Pool] = true
		for _, pool := range proxy.Routes {
			used[pool] = true
		}
	}
	named := l.poolsOfIdle()
	for _, name := range sortedNames(l.pools.blocks) {
		b := l.pools.blocks[name]
		var idle []string
		for _, key := range sortedNames(b.made) {
			if pool := b.made[key]; !used[pool] {
				idle = append(idle, pool.Address)
			}
		}
		switch {
		case len(idle) == 0 || named[name]:
		case len(idle) == len(b.made):
			l.warn(b.DefRange, "Pool never used", "No proxy and no route of a rule goes to pool.%s, so no miner ever does unless an operator sends it there. Name it in the argument pool of a proxy or in a route, or remove it.", name)
		default:
			l.warn(b.DefRange, "Pool never used", "No proxy and no route of a rule goes to %s, though others of this block are used. Name what is missing, or take it out of the for_each.", few(idle))
		}
	}
}

// poolsOfIdle gives the pools that idle blocks name, with the rulesets that those use.
func (l *loader) poolsOfIdle() map[string]bool {
	named := map[string]bool{}
	note := func(traversal hcl.Traversal) {
		if name, ok := secondStep(traversal); ok && traversal.RootName() == "pool" {
			named[name] = true
		}
	}
	for _, b := range l.usage.idle {
		eachName(b.Body.(*hclsyntax.Body), note)
	}
	for _, set := range l.rulesets {
		if set.named {
			eachName(set.Body.(*hclsyntax.Body), note)
		}
	}
	return named
}

// few lists some names, and says how many more there are.
func few(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// noteNames takes note of the variables and locals that the plain arguments of a file
// name. The validation of a variable looks at it, but makes no use of it.
func (l *loader) noteNames(src *source) {
	for _, b := range src.body.Blocks {
		switch b.Type {
		case "ruleset":
			if set := l.rulesets[b.Labels[0]]; set != nil {
				noteIn(b.Body, set.names)
			}
		case "variable":
			noteIn(&hclsyntax.Body{Blocks: hclsyntax.Blocks{b}}, l.usage.names)
		default:
			noteIn(b.Body, l.usage.names)
		}
	}
}

// noteIn takes note of the names in a body, but for those that a variable has for itself.
func noteIn(body *hclsyntax.Body, names map[string]bool) {
	var own string
	note := func(traversal hcl.Traversal) {
		step, ok := secondStep(traversal)
		if name := address(traversal.RootName(), step); ok && name != own {
			names[name] = true
		}
	}
	rest := *body
	rest.Blocks = nil
	for _, b := range body.Blocks {
		if b.Type != "variable" {
			rest.Blocks = append(rest.Blocks, b)
			continue
		}
		own = address("var", b.Labels[0])
		eachName(b.Body, note)
	}
	own = ""
	eachName(&rest, note)
}

// eachName calls f with every name in a body.
func eachName(body *hclsyntax.Body, f func(hcl.Traversal)) {
	_ = hclsyntax.VisitAll(body, func(node hclsyntax.Node) hcl.Diagnostics {
		if inner, ok := node.(*metered); ok {
			node = inner.Expression
		}
		if name, ok := node.(*hclsyntax.ScopeTraversalExpr); ok {
			f(name.Traversal)
		}
		return nil
	})
}

// doubtNames warns of variables that nothing names, and of locals unless their file is
// included, since it may have more of them than one policy needs.
func (l *loader) doubtNames() {
	for _, name := range sortedNames(l.variables) {
		if !l.usage.names[address("var", name)] {
			l.warn(l.variables[name].DefRange, "Variable never used", "Nothing in this policy refers to var.%s, so its value changes nothing. Use it, or remove it.", name)
		}
	}
	for _, name := range sortedNames(l.locals) {
		if !l.usage.names[address("local", name)] && !l.locals[name].src.included {
			l.warn(l.locals[name].attr.NameRange, "Local never used", "Nothing in this policy refers to local.%s. Use it, or remove it.", name)
		}
	}
	for _, set := range sortedNames(l.rulesets) {
		for _, name := range slices.Sorted(slices.Values(l.rulesets[set].order)) {
			if v := l.rulesets[set].variables[name]; !l.rulesets[set].names[address("var", name)] {
				l.warn(v.DefRange, "Variable never used", "Nothing in ruleset %q refers to var.%s, so what a proxy gives it changes nothing. Use it, or remove it.", set, name)
			}
		}
	}
}

package policy

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/loka-proxy/loka/rules"
)

// ruleset is a block ruleset: rules with variables of its own, and nothing of the
// policy's, so that what it does depends on its arguments only.
type ruleset struct {
	*block
	variables map[string]*variable
	// order lists the variables as the file does.
	order   []string
	content *hcl.BodyContent
	// used says that its rules were compiled as part of a proxy, and named that a proxy
	// which came to nothing would have used it.
	used, named bool
	// names are those that its rules make use of.
	names map[string]bool
}

// buildRulesets reads the rulesets and their variables. Their rules wait for a use.
func (l *loader) buildRulesets() {
	for _, b := range l.blocks["ruleset"] {
		set := &ruleset{block: b, variables: map[string]*variable{}, names: map[string]bool{}}
		content, _ := l.contentOf(b.Body, rulesetBlock)
		set.content = content
		var blocks []*block
		for _, inner := range content.Blocks.OfType("variable") {
			blocks = append(blocks, &block{inner, b.src})
		}
		for _, inner := range l.unique("variable", blocks) {
			v := l.declareVariable(inner)
			set.variables[inner.name()] = v
			set.order = append(set.order, inner.name())
		}
		l.checkRuleNames(content.Blocks)
		l.rulesets[b.name()] = set
	}
}

// use gives the rules that a use block of a proxy stands for.
func (l *loader) use(b *hcl.Block, proxy string, s *scope) (list []rules.Rule, ok bool) {
	set := l.rulesets[b.Labels[0]]
	if set == nil {
		names := sortedNames(l.rulesets)
		l.fail(b.LabelRanges[0], "No such ruleset", "There is no ruleset %q in this policy.%s\n\n%s",
			b.Labels[0], didYouMean(b.Labels[0], names), listed("Rulesets", names))
		return nil, false
	}
	values, ok := l.useArguments(set, b, s)
	if !ok {
		return nil, false
	}
	inner := l.rulesetScope(set, values)
	constants := scopeOfValues(values)
	l.usage.owners[constants] = set
	user := usedBy{proxy: proxy, at: b.DefRange}
	if len(set.variables) > 0 {
		l.usage.users[constants] = user
	}
	before := len(l.diags)
	list, ok = l.rules(address("ruleset", set.name()), set.content.Blocks, set.src, inner, constants)
	l.blame(l.diags[before:], user)
	set.used = set.used || ok
	return list, ok
}

// useArguments gives the values of a ruleset's variables in one use of it.
func (l *loader) useArguments(set *ruleset, b *hcl.Block, s *scope) (values map[string]cty.Value, ok bool) {
	attrs, diags := b.Body.JustAttributes()
	ok = l.add(diags)
	for _, attr := range inOrder(attrs) {
		if set.variables[attr.Name] == nil {
			if meansSecret(attr.Name, set.variables) {
				l.hide(attr.Range)
			}
			l.fail(attr.NameRange, "No such argument", "ruleset %q does not have a variable %q.%s\n\n%s",
				set.name(), attr.Name, didYouMean(attr.Name, set.order), listed("Its variables", set.order))
			ok = false
		}
	}
	values = map[string]cty.Value{}
	for _, name := range set.order {
		value, good := l.argument(set, set.variables[name], attrs[name], b, s)
		values[name] = value
		ok = ok && good
	}
	if ok {
		ok = l.validateArguments(set, attrs, values)
	}
	return values, ok
}

func (l *loader) argument(set *ruleset, v *variable, attr *hcl.Attribute, b *hcl.Block, s *scope) (value cty.Value, ok bool) {
	switch {
	case attr != nil:
		value = l.evalFor(v, attr, s)
		fit, problem := v.convert(value)
		if problem != "" {
			l.fail(attr.Expr.Range(), "Wrong ruleset argument", "This does not fit the variable %q of ruleset %q: %s.", v.name(), set.name(), problem)
		}
		value = fit
	case v.fallback != cty.NilVal:
		value = v.fallback
	default:
		about := ""
		if v.description != "" {
			about = " (" + v.description + ")"
		}
		l.fail(b.DefRange, "Missing ruleset argument", "ruleset %q requires the argument %q%s, which has no default.", set.name(), v.name(), about)
		return unknown, false
	}
	return l.mark(v, value), value.IsWhollyKnown()
}

func (l *loader) validateArguments(set *ruleset, attrs hcl.Attributes, values map[string]cty.Value) bool {
	before := len(l.diags)
	s := l.rulesetScope(set, values)
	for _, name := range set.order {
		var from *given
		if attr := attrs[name]; attr != nil {
			at := attr.Expr.Range()
			from = &given{at: &at}
		}
		l.validate(set.variables[name], values[name], from, s)
	}
	return len(l.diags) == before
}

// rulesetScope is what the plain arguments in a ruleset can name: its own variables
// and, since they are the proxy's surroundings and no setting, the pools.
func (l *loader) rulesetScope(set *ruleset, values map[string]cty.Value) *scope {
	return l.scopeOf(set.src, map[string]cty.Value{"var": cty.ObjectVal(values), "pool": l.pools.object()})
}

// scopeOfValues gives the constants that the expressions of a ruleset see.
func scopeOfValues(values map[string]cty.Value) *rules.Scope {
	s := &rules.Scope{Var: map[string]any{}, Sensitive: map[string]bool{}}
	for name, value := range values {
		s.Var[name] = plain(value)
		if hasMarks(value) {
			s.Sensitive["var."+name] = true
		}
	}
	return s
}

// checkUnusedRulesets compiles the rulesets that no proxy uses, so that a mistake is
// found before somebody does. Of variables without a default the rules are told the type
// only; in plain arguments they are unknown, and not judged.
func (l *loader) checkUnusedRulesets() {
	for _, name := range slices.Sorted(maps.Keys(l.rulesets)) {
		set := l.rulesets[name]
		if set.used {
			continue
		}
		values := map[string]cty.Value{}
		for name, v := range set.variables {
			values[name] = cty.UnknownVal(v.kind.WithoutOptionalAttributesDeep())
			if v.hasDefault() {
				values[name] = l.mark(v, v.fallback)
			}
		}
		constants := scopeOfValues(values)
		constants.Typed = map[string]bool{}
		l.usage.owners[constants] = set
		for name, v := range set.variables {
			if !v.hasDefault() {
				constants.Var[name], constants.Typed["var."+name] = example(v.kind), true
			}
		}
		list, _ := l.rules(address("ruleset", name), set.content.Blocks, set.src, l.rulesetScope(set, values), constants)
		l.compile(list)
	}
}

// hasDefault reports whether a variable has a default that is in order.
func (v *variable) hasDefault() bool {
	return v.fallback != cty.NilVal && v.fallback.IsWhollyKnown()
}

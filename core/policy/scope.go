package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// scope is what an argument in plain HCL can name.
type scope struct {
	*hcl.EvalContext
	// members holds what stands behind var. and local., for diagnostics that know
	// what there is. A name that is not in it, such as each, is left to HCL.
	members map[string][]string
	// late holds the locals that do not exist yet because they refer to pools.
	late map[string]bool
}

// with gives a scope that knows one more name.
func (s *scope) with(name string, value cty.Value) *scope {
	inner := s.NewChild()
	inner.Variables = map[string]cty.Value{name: value}
	return &scope{EvalContext: inner, members: s.members, late: s.late}
}

// roots lists the names that an argument may begin with.
func (s *scope) roots() []string {
	names := map[string]bool{}
	for ctx := s.EvalContext; ctx != nil; ctx = ctx.Parent() {
		for name := range ctx.Variables {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// scopeOf gives the scope of the blocks of one file: names as given, and functions
// whose files are looked for beside it.
func (l *loader) scopeOf(src *source, names map[string]cty.Value) *scope {
	ctx := l.functionsOf(src).NewChild()
	ctx.Variables = names
	s := &scope{EvalContext: ctx, members: map[string][]string{}}
	for _, root := range []string{"var", "local"} {
		if value, ok := names[root]; ok && value.Type().IsObjectType() {
			s.members[root] = sortedNames(value.Type().AttributeTypes())
		}
	}
	return s
}

// policyScope is the scope of the blocks of one file, outside of rulesets.
func (l *loader) policyScope(src *source, when stage) *scope {
	s := l.scopeOf(src, map[string]cty.Value{"var": l.varObject(), "local": l.localObject()})
	if when == lateLocals {
		s.Variables["pool"] = l.pools.object()
		return s
	}
	s.late = map[string]bool{}
	for name, loc := range l.locals {
		s.late[name] = loc.stage == lateLocals
	}
	return s
}

// eval gives the value of an argument, or unknown when it has none, which is reported.
func (l *loader) eval(expr hcl.Expression, s *scope) cty.Value {
	ok := true
	for _, traversal := range expr.Variables() {
		ok = l.checkName(traversal, s) && ok
	}
	if !ok {
		return unknown
	}
	l.meter.reset()
	value, diags := expr.Value(s.EvalContext)
	if diags.HasErrors() && namesSecret(expr, s.EvalContext) {
		diags = unsaidAll(diags)
	}
	if !l.add(diags) {
		return unknown
	}
	return value
}

// checkName makes sure that a name exists, with a better word than HCL's where it
// does not.
func (l *loader) checkName(traversal hcl.Traversal, s *scope) bool {
	root := traversal.RootName()
	if !slices.Contains(s.roots(), root) {
		l.failName(traversal, s)
		return false
	}
	switch root {
	case "pool":
		return l.pools.check(l, traversal)
	case "proxy":
		return l.proxies.check(l, traversal)
	}
	members, ok := s.members[root]
	if !ok || len(traversal) < 2 {
		return true
	}
	step, ok := traversal[1].(hcl.TraverseAttr)
	if !ok || slices.Contains(members, step.Name) && !(root == "local" && s.late[step.Name]) {
		return true
	}
	at := hcl.RangeBetween(traversal[0].SourceRange(), step.SrcRange)
	if root == "local" && s.late[step.Name] {
		l.fail(at, "Local not known yet", "local.%s refers to pools, and this is evaluated before there are any.", step.Name)
		return false
	}
	l.fail(at, "Unknown name", "There is no %s.%s here.%s\n\n%s",
		root, step.Name, didYouMean(step.Name, members), listed(root+" has", members))
	return false
}

func (l *loader) failName(traversal hcl.Traversal, s *scope) {
	root := traversal.RootName()
	hint := didYouMean(root, s.roots())
	switch root {
	case "each":
		hint = " It exists in a block with for_each."
	case "pool":
		hint = " Pools are made after this is evaluated."
	}
	if len(s.roots()) == 0 {
		l.fail(traversal[0].SourceRange(), "Unknown name", "There is no %q here: this is a fixed value, and no name is known in it.", root)
		return
	}
	l.fail(traversal[0].SourceRange(), "Unknown name", "There is no %q here.%s\n\n%s", root, hint, listed("Names here", s.roots()))
}

// isName makes sure that a name can stand in an address.
func (l *loader) isName(kind, name string, at hcl.Range) bool {
	if hclsyntax.ValidIdentifier(name) && len(name) <= 100 {
		return true
	}
	l.fail(at, "Malformed name", "The name of a %s begins with a letter and has letters, digits, _ and - only, 100 at most.", kind)
	return false
}

// address joins the parts of an address with dots.
func address(parts ...string) string { return strings.Join(parts, ".") }

// instance is one of the blocks that a block stands for: itself or, with for_each,
// one for each element.
type instance struct {
	address string
	key     string
	scope   *scope
}

// instances gives the instances of a block, in the order of their keys. It is not ok
// if they cannot be known.
func (l *loader) instances(base string, forEach *hcl.Attribute, s *scope) (list []instance, ok bool) {
	if forEach == nil {
		return []instance{{address: base, scope: s}}, true
	}
	elements, ok := l.elements(forEach, s)
	if !ok {
		return nil, false
	}
	for _, key := range sortedNames(elements) {
		each := cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal(key), "value": elements[key]})
		list = append(list, instance{
			address: fmt.Sprintf("%s[%s]", base, quoteKey(key)),
			key:     key,
			scope:   s.with("each", each),
		})
	}
	return list, true
}

// quoteKey writes a key as HCL would.
func quoteKey(key string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(key) + `"`
}

// elements gives the value of a for_each by its keys.
func (l *loader) elements(attr *hcl.Attribute, s *scope) (map[string]cty.Value, bool) {
	value := l.eval(attr.Expr, s)
	const summary = "Wrong for_each"
	at := attr.Expr.Range()
	if value.IsMarked() {
		l.fail(at, summary, "The keys of for_each become names that logs and metrics show, so it cannot be a sensitive value.")
		return nil, false
	}
	kind := value.Type()
	if !value.IsKnown() || kind.IsSetType() && !value.IsWhollyKnown() {
		return nil, false
	}
	switch {
	case value.IsNull():
		l.fail(at, summary, "for_each is a map or a set of strings, and this is null.")
		return nil, false
	case kind.IsTupleType() || kind.IsListType():
		l.fail(at, summary, "for_each is a map or a set of strings, and this is a list. If its elements are different texts, write toset(%s).", l.short(attr.Expr.Range()))
		return nil, false
	case kind.IsSetType() && kind.ElementType() != cty.String && value.LengthInt() > 0,
		!kind.IsSetType() && !kind.IsMapType() && !kind.IsObjectType():
		l.fail(at, summary, "for_each is a map or a set of strings, and this is %s.", withArticle(kind.FriendlyName()))
		return nil, false
	}
	return l.collect(value, at)
}

func (l *loader) collect(value cty.Value, at hcl.Range) (map[string]cty.Value, bool) {
	elements := map[string]cty.Value{}
	for it := value.ElementIterator(); it.Next(); {
		key, element := it.Element()
		if key.IsNull() || !key.IsKnown() || key.IsMarked() {
			l.fail(at, "Wrong for_each", "The keys of for_each are plain texts; this has one that is null or sensitive.")
			return nil, false
		}
		elements[key.AsString()] = element
	}
	return elements, true
}

// short quotes a short piece of source for a remedy.
func (l *loader) short(rng hcl.Range) string {
	if src := l.sources[rng.Filename]; src != nil {
		if quoted := src.quote(rng); len(quoted) <= 40 && !strings.Contains(quoted, "\n") {
			return quoted
		}
	}
	return "…"
}

package policy

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// stage says when a local is evaluated. Pools may be made from locals, and locals may
// refer to pools; so those that do are evaluated after the pools.
type stage int

const (
	earlyLocals stage = iota
	lateLocals
)

// local is one argument of a block locals.
type local struct {
	name  string
	attr  *hcl.Attribute
	src   *source
	stage stage
	// needs are the locals that it names.
	needs []string
	value cty.Value
	// visited and done tell a cycle from a local that two others need; cyclic says
	// that it is in one, and has no value.
	visited, done, cyclic bool
	evaluated             bool
}

// buildLocals evaluates the locals of one stage.
func (l *loader) buildLocals(when stage) {
	if when == earlyLocals {
		l.declareLocals()
	}
	for _, name := range sortedNames(l.locals) {
		if loc := l.locals[name]; loc.stage == when {
			l.evalLocal(loc)
		}
	}
}

func (l *loader) declareLocals() {
	for _, b := range l.blocks["locals"] {
		attrs, diags := b.Body.JustAttributes()
		l.add(diags)
		for _, attr := range inOrder(attrs) {
			if first := l.locals[attr.Name]; first != nil {
				l.fail(attr.NameRange, "Name given twice", "local.%s is already declared at %s.", attr.Name, position(first.attr.NameRange))
				continue
			}
			l.locals[attr.Name] = &local{name: attr.Name, attr: attr, src: b.src, value: unknown}
		}
	}
	for _, name := range sortedNames(l.locals) {
		l.locals[name].needs = l.needsOf(l.locals[name])
	}
	l.breakCycles()
	for range l.locals {
		if !l.spreadLate() {
			break
		}
	}
}

func (l *loader) needsOf(loc *local) []string {
	var needs []string
	for _, traversal := range loc.attr.Expr.Variables() {
		switch traversal.RootName() {
		case "pool":
			loc.stage = lateLocals
		case "local":
			if step, ok := secondStep(traversal); ok && l.locals[step] != nil {
				needs = append(needs, step)
			}
		}
	}
	return needs
}

func secondStep(traversal hcl.Traversal) (string, bool) {
	if len(traversal) < 2 {
		return "", false
	}
	step, ok := traversal[1].(hcl.TraverseAttr)
	return step.Name, ok
}

// spreadLate makes late what needs a late one, and reports whether there was any.
func (l *loader) spreadLate() (changed bool) {
	for _, loc := range l.locals {
		for _, name := range loc.needs {
			if l.locals[name].stage == lateLocals && loc.stage != lateLocals {
				loc.stage, changed = lateLocals, true
			}
		}
	}
	return changed
}

// breakCycles reports locals that need themselves. They have no value.
func (l *loader) breakCycles() {
	for _, name := range sortedNames(l.locals) {
		l.visit(l.locals[name], nil)
	}
}

func (l *loader) visit(loc *local, path []string) {
	if loc.done || loc.cyclic {
		return
	}
	path = append(path, loc.name)
	if loc.visited {
		cycle := path[slices.Index(path, loc.name):]
		l.fail(loc.attr.NameRange, "Locals in a circle", "local.%s is made from itself: %s.", loc.name, strings.Join(cycle, " → "))
		for _, name := range cycle {
			l.locals[name].cyclic = true
		}
		return
	}
	loc.visited = true
	for _, name := range loc.needs {
		l.visit(l.locals[name], path)
	}
	loc.done = true
}

// evalLocal evaluates a local after those that it needs.
func (l *loader) evalLocal(loc *local) {
	if loc.evaluated || loc.cyclic {
		return
	}
	loc.evaluated = true
	for _, name := range loc.needs {
		l.evalLocal(l.locals[name])
	}
	at := loc.attr.Expr.Range()
	loc.value = l.bounded("local."+loc.name, l.eval(loc.attr.Expr, l.localScope(loc)), &at)
}

// localScope is the scope of one local. It holds the values that the local needs and
// no others, so that thousands of locals do not cost millions of copies.
func (l *loader) localScope(loc *local) *scope {
	values := map[string]cty.Value{}
	for _, name := range loc.needs {
		values[name] = l.locals[name].value
	}
	names := map[string]cty.Value{"var": l.varObject(), "local": cty.ObjectVal(values)}
	if loc.stage == lateLocals {
		names["pool"] = l.pools.object()
	}
	s := l.scopeOf(loc.src, names)
	s.members["local"] = sortedNames(l.locals)
	return s
}

// localObject is what local stands for.
func (l *loader) localObject() cty.Value {
	values := map[string]cty.Value{}
	for name, loc := range l.locals {
		values[name] = loc.value
	}
	return cty.ObjectVal(values)
}

// inOrder gives arguments in the order of their places. HCL keeps them in a map, and
// what is done in the order of a map is done differently each time.
func inOrder(attrs hcl.Attributes) []*hcl.Attribute {
	list := slices.Collect(maps.Values(attrs))
	slices.SortFunc(list, func(a, b *hcl.Attribute) int {
		return cmp.Compare(a.Range.Start.Byte, b.Range.Start.Byte)
	})
	return list
}

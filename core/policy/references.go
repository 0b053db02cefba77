package policy

import (
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// poolType is the type of a reference such as pool.rental, and proxyType that of
// proxy.main, which tests have.
var (
	poolType  = cty.Capsule("pool", reflect.TypeFor[Pool]())
	proxyType = cty.Capsule("proxy", reflect.TypeFor[Proxy]())
)

// references is what may be referred to under one name, such as pool: the blocks of
// that type, by their names.
type references[T any] struct {
	kind, plural string
	capsule      cty.Type
	address      func(*T) string
	blocks       map[string]*referable[T]
	// value is what the name stands for once everything is made.
	value cty.Value
}

// referable is a block that others refer to, with what it stands for.
type referable[T any] struct {
	*block
	// many says that it has a for_each; what it stands for is known by key then, and by
	// "" otherwise.
	many bool
	// known is false when its instances could not be made out.
	known bool
	made  map[string]*T
}

func poolReferences() *references[Pool] {
	return &references[Pool]{
		kind: "pool", plural: "Pools", capsule: poolType,
		address: func(p *Pool) string { return p.Address }, blocks: map[string]*referable[Pool]{}, value: cty.NilVal,
	}
}

func proxyReferences() *references[Proxy] {
	return &references[Proxy]{
		kind: "proxy", plural: "Proxies", capsule: proxyType,
		address: func(p *Proxy) string { return p.Address }, blocks: map[string]*referable[Proxy]{}, value: cty.NilVal,
	}
}

// declare makes a block known before what it stands for is made.
func (r *references[T]) declare(b *block) *referable[T] {
	declared := &referable[T]{block: b, made: map[string]*T{}}
	r.blocks[b.name()] = declared
	return declared
}

// object is what the name as a whole stands for. What could not be made has no value
// that anything would complain of.
func (r *references[T]) object() cty.Value {
	if r.value == cty.NilVal {
		values := map[string]cty.Value{}
		for name, b := range r.blocks {
			values[name] = r.valueOf(b)
		}
		r.value = cty.ObjectVal(values)
	}
	return r.value
}

func (r *references[T]) valueOf(b *referable[T]) cty.Value {
	if !b.known {
		return unknown
	}
	if !b.many {
		return cty.CapsuleVal(r.capsule, b.made[""])
	}
	instances := map[string]cty.Value{}
	for key, one := range b.made {
		instances[key] = cty.CapsuleVal(r.capsule, one)
	}
	return cty.ObjectVal(instances)
}

// check makes sure that pool.x, or pool.x["key"], exists.
func (r *references[T]) check(l *loader, traversal hcl.Traversal) bool {
	if len(traversal) < 2 {
		return true
	}
	step, ok := traversal[1].(hcl.TraverseAttr)
	if !ok {
		return true
	}
	b := r.blocks[step.Name]
	if b == nil {
		names := sortedNames(r.blocks)
		l.fail(step.SrcRange, "No such "+r.kind, "There is no %s %q in this policy.%s\n\n%s",
			r.kind, step.Name, didYouMean(step.Name, names), listed(r.plural, names))
		return false
	}
	if !b.many || !b.known || len(traversal) < 3 {
		return true
	}
	index, ok := traversal[2].(hcl.TraverseIndex)
	if !ok || index.Key.Type() != cty.String || b.made[index.Key.AsString()] != nil {
		return true
	}
	r.failInstance(l, b, index.SrcRange, index.Key.AsString())
	return false
}

func (r *references[T]) failInstance(l *loader, b *referable[T], at hcl.Range, key string) {
	keys := sortedNames(b.made)
	l.fail(at, "No such "+r.kind, "There is no %s.%s[%s] in this policy.%s\n\n%s",
		r.kind, b.name(), quoteKey(key), didYouMean(key, keys), listed("Keys of "+address(r.kind, b.name()), keys))
}

// named reads an argument that refers to one of them. It is nil when there is none,
// which is reported.
func (r *references[T]) named(l *loader, attr *hcl.Attribute, s *scope) *T {
	summary := "Not a " + r.kind
	at := attr.Expr.Range()
	if r.checkDynamicKey(l, attr.Expr, s) {
		return nil
	}
	value := l.eval(attr.Expr, s)
	value, _ = value.UnmarkDeep()
	switch {
	case !value.IsKnown():
	case value.IsNull():
		l.fail(at, summary, "A %s is named here, as in %s.main, and this is null.", r.kind, r.kind)
	case value.Type() == r.capsule:
		return value.EncapsulatedValue().(*T)
	case value.Type() == cty.String:
		l.fail(at, summary, "A %s is named without quotes, as in %s.", r.kind, r.example())
	case r.isInstances(attr.Expr):
		l.fail(at, summary, "This %s has a for_each, so one of its instances must be named.\n\n%s", r.kind, listed("They are", r.instanceNames(value)))
	default:
		l.fail(at, summary, "A %s is named here, as in %s, and this is %s.", r.kind, r.example(), withArticle(value.Type().FriendlyName()))
	}
	return nil
}

// checkDynamicKey looks at pool.x[key] with a key that is computed, and reports
// whether it named an instance that there is not.
func (r *references[T]) checkDynamicKey(l *loader, expr hcl.Expression, s *scope) (failed bool) {
	index, ok := expr.(*hclsyntax.IndexExpr)
	if !ok {
		return false
	}
	traversal, diags := hcl.AbsTraversalForExpr(index.Collection)
	if diags.HasErrors() || traversal.RootName() != r.kind || len(traversal) != 2 {
		return false
	}
	name, _ := secondStep(traversal)
	b := r.blocks[name]
	if b == nil || !b.many || !b.known {
		return false
	}
	key := l.eval(index.Key, s)
	if key.IsMarked() || !key.IsKnown() || key.IsNull() || key.Type() != cty.String || b.made[key.AsString()] != nil {
		return false
	}
	r.failInstance(l, b, index.BracketRange, key.AsString())
	return true
}

// isInstances reports whether an expression names a block with for_each as a whole.
func (r *references[T]) isInstances(expr hcl.Expression) bool {
	traversal, diags := hcl.AbsTraversalForExpr(expr)
	return !diags.HasErrors() && traversal.RootName() == r.kind && len(traversal) == 2
}

// instanceNames gives the addresses of the instances of a block.
func (r *references[T]) instanceNames(instances cty.Value) []string {
	var names []string
	for it := instances.ElementIterator(); it.Next(); {
		_, one := it.Element()
		if one.Type() == r.capsule {
			names = append(names, r.address(one.EncapsulatedValue().(*T)))
		}
	}
	return names
}

// example gives the address of one that there is.
func (r *references[T]) example() string {
	addresses := r.addresses()
	if len(addresses) == 0 {
		return r.kind + ".main"
	}
	return slices.MinFunc(addresses, strings.Compare)
}

// addresses gives those of all that were made.
func (r *references[T]) addresses() (list []string) {
	for _, b := range r.blocks {
		for _, one := range b.made {
			list = append(list, r.address(one))
		}
	}
	return list
}

// known gives the addresses of all, sorted. It is nil if some could not be made out.
func (r *references[T]) known() []string {
	for _, b := range r.blocks {
		if !b.known {
			return nil
		}
	}
	list := r.addresses()
	slices.Sort(list)
	return list
}

package policy

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// poolType is the type of a reference such as pool.rental.
var poolType = cty.Capsule("pool", reflect.TypeFor[Pool]())

// poolBlock is a block pool with the pools that it stands for.
type poolBlock struct {
	*block
	// many says that it has a for_each; its pools are known by key then, and by ""
	// otherwise.
	many bool
	// known is false when its instances could not be made out.
	known bool
	pools map[string]*Pool
}

var poolSchema = &hcl.BodySchema{
	Attributes: attributes("for_each", "strategy", "dial_timeout", "reply_timeout", "idle_timeout", "write_timeout",
		"max_line_bytes", "max_request_bytes", "failback_after", "extranonce2_size"),
	Blocks: []hcl.BlockHeaderSchema{
		{Type: "server", LabelNames: []string{"name"}},
		{Type: "health_check"},
		{Type: "dynamic", LabelNames: []string{"type"}},
	},
}

// buildPools makes the pools of all pool blocks.
func (l *loader) buildPools() {
	for _, b := range l.blocks["pool"] {
		l.pools[b.name()] = &poolBlock{block: b, pools: map[string]*Pool{}}
	}
	for _, b := range l.blocks["pool"] {
		l.buildPoolBlock(l.pools[b.name()])
	}
}

func (l *loader) buildPoolBlock(b *poolBlock) {
	content, _ := l.contentOf(b.Body, poolSchema)
	l.checkDynamic(content.Blocks, "server")
	forEach := content.Attributes["for_each"]
	b.many = forEach != nil
	var list []instance
	list, b.known = l.instances(address("pool", b.name()), forEach, l.policyScope(b.src, earlyLocals))
	for _, inst := range list {
		pool := l.buildPool(b, content, inst)
		b.pools[inst.key] = pool
		l.policy.Pools = append(l.policy.Pools, pool)
		l.poolAt[pool.Address] = pool
	}
}

func (l *loader) buildPool(b *poolBlock, content *hcl.BodyContent, inst instance) *Pool {
	args := arguments{l, inst.scope, content.Attributes}
	pool := &Pool{
		Address:         inst.address,
		DialTimeout:     args.duration("dial_timeout", 5*time.Second),
		ReplyTimeout:    args.duration("reply_timeout", 15*time.Second),
		IdleTimeout:     args.duration("idle_timeout", 10*time.Minute),
		WriteTimeout:    args.duration("write_timeout", 10*time.Second),
		MaxLineBytes:    args.number("max_line_bytes", 256<<10, 1<<10, 16<<20),
		MaxRequestBytes: args.number("max_request_bytes", 1023, 256, 1<<20),
	}
	l.readUnactedOfPool(args, content.Blocks)
	pool.Servers = l.buildServers(b, inst)
	return pool
}

// readUnactedOfPool checks what this version does not act on yet, and says so.
func (l *loader) readUnactedOfPool(args arguments, blocks hcl.Blocks) {
	if args.choice("strategy", "failover", "failover", "round_robin", "least_sessions", "random") != "failover" {
		l.notYet(args, "strategy", "The servers of a pool are tried in their order, as \"failover\" says.")
	}
	args.duration("failback_after", time.Minute)
	l.notYet(args, "failback_after", "A miner stays with the server it was given until its session ends.")
	args.number("extranonce2_size", 4, 1, 16)
	l.notYet(args, "extranonce2_size", "The size is read, but nothing depends on it without extranonce = \"stable\".")
	for i, b := range blocks.OfType("health_check") {
		if i > 0 {
			l.fail(b.DefRange, "Block given twice", "A pool has one health_check.")
			continue
		}
		content, _ := l.contentOf(b.Body, healthSchema)
		inner := arguments{l, args.scope, content.Attributes}
		inner.duration("interval", time.Second)
		inner.duration("timeout", time.Second)
		inner.number("failures", 3, 1, 1000)
		l.warnNotYet(b.DefRange, "Servers are not probed; a server is found to be down when a miner's session dials it.")
	}
}

var healthSchema = &hcl.BodySchema{Attributes: attributes("interval", "timeout", "failures")}

// checkDynamic refuses dynamic blocks that would make anything but the one type of
// block that makes sense in a list.
func (l *loader) checkDynamic(blocks hcl.Blocks, kind string) {
	for _, b := range blocks.OfType("dynamic") {
		if b.Labels[0] != kind {
			l.fail(b.LabelRanges[0], "Wrong dynamic block", "Here, dynamic makes blocks of type %q only.", kind)
		}
	}
}

// expand gives the blocks of one type, those that dynamic blocks make among them, in
// their order. They are not complete if something is wrong with those, which is reported.
func (l *loader) expand(body hcl.Body, s *scope, kind, label string) (blocks hcl.Blocks, complete bool) {
	schema := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: kind, LabelNames: []string{label}}}}
	l.meter.reset()
	content, _, diags := dynblock.Expand(body, s.EvalContext).PartialContent(schema)
	return content.Blocks, l.add(diags)
}

// poolObject is what pool stands for. A pool that could not be made has no value that
// anything would complain of.
func (l *loader) poolObject() cty.Value {
	if l.poolValue == cty.NilVal {
		values := map[string]cty.Value{}
		for name, b := range l.pools {
			values[name] = b.value()
		}
		l.poolValue = cty.ObjectVal(values)
	}
	return l.poolValue
}

func (b *poolBlock) value() cty.Value {
	if !b.known {
		return unknown
	}
	if !b.many {
		return cty.CapsuleVal(poolType, b.pools[""])
	}
	instances := map[string]cty.Value{}
	for key, pool := range b.pools {
		instances[key] = cty.CapsuleVal(poolType, pool)
	}
	return cty.ObjectVal(instances)
}

// checkPool makes sure that pool.x, or pool.x["key"], exists.
func (l *loader) checkPool(traversal hcl.Traversal) bool {
	if len(traversal) < 2 {
		return true
	}
	step, ok := traversal[1].(hcl.TraverseAttr)
	if !ok {
		return true
	}
	b := l.pools[step.Name]
	if b == nil {
		names := sortedNames(l.pools)
		l.fail(step.SrcRange, "No such pool", "There is no pool %q in this policy.%s\n\n%s", step.Name, didYouMean(step.Name, names), listed("Pools", names))
		return false
	}
	if !b.many || !b.known || len(traversal) < 3 {
		return true
	}
	index, ok := traversal[2].(hcl.TraverseIndex)
	if !ok || index.Key.Type() != cty.String || b.pools[index.Key.AsString()] != nil {
		return true
	}
	l.failInstance(b, index.SrcRange, index.Key.AsString())
	return false
}

func (l *loader) failInstance(b *poolBlock, at hcl.Range, key string) {
	keys := sortedNames(b.pools)
	l.fail(at, "No such pool", "There is no pool.%s[%s] in this policy.%s\n\n%s",
		b.name(), quoteKey(key), didYouMean(key, keys), listed("Keys of pool."+b.name(), keys))
}

// poolNamed reads an argument that names a pool. It is nil when there is none, which
// is reported.
func (l *loader) poolNamed(attr *hcl.Attribute, s *scope) *Pool {
	const summary = "Not a pool"
	at := attr.Expr.Range()
	if l.checkDynamicKey(attr.Expr, s) {
		return nil
	}
	value := l.eval(attr.Expr, s)
	value, _ = value.UnmarkDeep()
	switch {
	case !value.IsKnown():
	case value.IsNull():
		l.fail(at, summary, "A pool is named here, as in pool.main, and this is null.")
	case value.Type() == poolType:
		return value.EncapsulatedValue().(*Pool)
	case value.Type() == cty.String:
		l.fail(at, summary, "A pool is named without quotes, as in %s.", l.examplePool())
	case l.isInstances(attr.Expr):
		l.fail(at, summary, "This pool has a for_each, so one of its instances must be named.\n\n%s", listed("They are", instanceNames(value)))
	default:
		l.fail(at, summary, "A pool is named here, as in %s, and this is %s.", l.examplePool(), withArticle(value.Type().FriendlyName()))
	}
	return nil
}

// checkDynamicKey looks at pool.x[key] with a key that is computed, and reports
// whether it named an instance that there is not.
func (l *loader) checkDynamicKey(expr hcl.Expression, s *scope) (failed bool) {
	index, ok := expr.(*hclsyntax.IndexExpr)
	if !ok {
		return false
	}
	traversal, diags := hcl.AbsTraversalForExpr(index.Collection)
	if diags.HasErrors() || traversal.RootName() != "pool" || len(traversal) != 2 {
		return false
	}
	name, _ := secondStep(traversal)
	b := l.pools[name]
	if b == nil || !b.many || !b.known {
		return false
	}
	key := l.eval(index.Key, s)
	if key.IsMarked() || !key.IsKnown() || key.IsNull() || key.Type() != cty.String || b.pools[key.AsString()] != nil {
		return false
	}
	l.failInstance(b, index.BracketRange, key.AsString())
	return true
}

// isInstances reports whether an expression names a pool with for_each as a whole.
func (l *loader) isInstances(expr hcl.Expression) bool {
	traversal, diags := hcl.AbsTraversalForExpr(expr)
	return !diags.HasErrors() && traversal.RootName() == "pool" && len(traversal) == 2
}

// instanceNames gives the addresses of the instances of a pool.
func instanceNames(instances cty.Value) []string {
	var names []string
	for it := instances.ElementIterator(); it.Next(); {
		_, pool := it.Element()
		if pool.Type() == poolType {
			names = append(names, pool.EncapsulatedValue().(*Pool).Address)
		}
	}
	return names
}

// examplePool gives the address of a pool that there is.
func (l *loader) examplePool() string {
	addresses := make([]string, 0, len(l.policy.Pools))
	for _, pool := range l.policy.Pools {
		addresses = append(addresses, pool.Address)
	}
	if len(addresses) == 0 {
		return "pool.main"
	}
	return slices.MinFunc(addresses, strings.Compare)
}

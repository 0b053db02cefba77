package policy

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
)

// buildPools makes the pools of all pool blocks.
func (l *loader) buildPools() {
	for _, b := range l.blocks["pool"] {
		l.pools.declare(b)
	}
	for _, b := range l.blocks["pool"] {
		l.buildPoolBlock(l.pools.blocks[b.name()])
	}
	l.poolNames = l.pools.known()
}

func (l *loader) buildPoolBlock(b *referable[Pool]) {
	content, _ := l.contentOf(b.Body, poolBlock)
	l.checkDynamic(content.Blocks, "server")
	forEach := content.Attributes["for_each"]
	b.many = forEach != nil
	var list []instance
	list, b.known = l.instances(address("pool", b.name()), forEach, l.policyScope(b.src, earlyLocals))
	for _, inst := range list {
		pool := l.buildPool(b, content, inst)
		b.made[inst.key] = pool
		l.policy.Pools = append(l.policy.Pools, pool)
		l.poolAt[pool.Address] = pool
	}
}

func (l *loader) buildPool(b *referable[Pool], content *hcl.BodyContent, inst instance) *Pool {
	args := arguments{l, poolBlock, inst.scope, content.Attributes}
	pool := &Pool{
		Address:         inst.address,
		Strategy:        Strategy(args.choice("strategy")),
		FailbackAfter:   args.duration("failback_after"),
		DialTimeout:     args.duration("dial_timeout"),
		ReplyTimeout:    args.duration("reply_timeout"),
		ResponseTimeout: args.duration("response_timeout"),
		IdleTimeout:     args.duration("idle_timeout"),
		WriteTimeout:    args.duration("write_timeout"),
		MaxLineBytes:    args.number("max_line_bytes"),
		MaxRequestBytes: args.number("max_request_bytes"),
		Extranonce2Size: args.number("extranonce2_size"),
		Health:          l.buildHealth(args, content.Blocks.OfType("health_check")),
	}
	pool.Servers = l.buildServers(b, inst, pool.Strategy)
	return pool
}

// buildHealth reads the block health_check, or takes its defaults.
func (l *loader) buildHealth(args arguments, blocks hcl.Blocks) Health {
	inner := arguments{l: l, block: healthBlock, scope: args.scope}
	for i, b := range blocks {
		if i > 0 {
			l.fail(b.DefRange, "Block given twice", "A pool has one health_check.")
			continue
		}
		content, _ := l.contentOf(b.Body, healthBlock)
		inner.attrs = content.Attributes
	}
	return Health{Interval: inner.duration("interval"), Timeout: inner.duration("timeout"), Failures: inner.number("failures")}
}

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

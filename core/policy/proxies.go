package policy

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/loka-proxy/loka/rules"
)

// buildProxies makes the proxies of all proxy blocks.
func (l *loader) buildProxies() {
	constants := l.policyConstants()
	for _, b := range l.blocks["proxy"] {
		l.buildProxyBlock(b, constants)
	}
	if len(l.blocks["proxy"]) == 0 {
		l.failNoProxy()
		return
	}
	if len(l.policy.Proxies) == 0 && !l.diags.HasErrors() {
		l.fail(l.blocks["proxy"][0].DefRange, "Policy without a proxy", "The for_each of every proxy is empty, so there is nothing to run.")
	}
}

func (l *loader) failNoProxy() {
	const summary, example = "Policy without a proxy", "\n\n" +
		"    proxy \"main\" {\n      pool = pool.main\n      listener \"tcp\" { address = \":3333\" }\n    }"
	if len(l.tests) > 0 {
		l.fail(l.tests[0].head(), summary, "The policy that is tested here has no proxy for a miner to connect to. Declare one, here or in a file that is included:"+example)
		return
	}
	l.failNowhere(summary, "This policy has no proxy, so there is nothing to run. It needs at least one:"+example)
}

func (l *loader) buildProxyBlock(b *block, constants *rules.Scope) {
	content, _ := l.contentOf(b.Body, proxyBlock)
	l.checkDynamic(content.Blocks, "listener")
	l.checkRuleNames(content.Blocks)
	s := l.policyScope(b.src, lateLocals)
	declared := l.proxies.declare(b)
	declared.many = content.Attributes["for_each"] != nil
	var list []instance
	list, declared.known = l.instances(address("proxy", b.name()), content.Attributes["for_each"], s)
	if len(list) == 0 {
		l.usage.idle = append(l.usage.idle, b)
	}
	for _, inst := range list {
		proxy := l.buildProxy(b, content, inst, constants)
		declared.made[inst.key] = proxy
		l.policy.Proxies = append(l.policy.Proxies, proxy)
	}
}

func (l *loader) buildProxy(b *block, content *hcl.BodyContent, inst instance, constants *rules.Scope) *Proxy {
	args := arguments{l, proxyBlock, inst.scope, content.Attributes}
	proxy := &Proxy{
		Address:            inst.address,
		Routes:             map[string]*Pool{},
		Stable:             args.choice("extranonce") == "stable",
		HoldWhenDown:       args.choice("on_all_down") == "hold",
		MaxMovesPerSecond:  args.number("max_moves_per_second"),
		MaxConcurrentMoves: args.number("max_concurrent_moves"),
		ReconnectGrace:     args.duration("reconnect_grace"),
	}
	if attr := args.attrs["pool"]; attr != nil {
		proxy.Pool = l.pools.named(l, attr, inst.scope)
	}
	proxy.Listeners = l.buildListeners(b, inst)
	l.checkProxyAudits(content.Blocks.OfType("audit"), inst.scope)
	list := l.proxyRules(b, content, inst, constants)
	proxy.Program = l.compile(list)
	if args.text("extranonce") != "stable" {
		l.checkUserRoutes(proxy, list)
	}
	for _, rule := range list {
		if pool := l.poolAt[rule.Route]; pool != nil {
			proxy.Routes[pool.Address] = pool
		}
	}
	if proxy.Stable {
		proxy.Layout = l.layout(proxy, args.at("extranonce"))
	}
	return proxy
}

// layout shares out the bytes of a stable extranonce, as many as all pools of the proxy
// leave to a miner.
func (l *loader) layout(proxy *Proxy, at hcl.Range) Layout {
	wide, narrow := Layout{Extranonce1: 4, Extranonce2: 4}, Layout{Extranonce1: 1, Extranonce2: 3}
	layout := wide
	for _, pool := range proxy.pools() {
		switch size := pool.Extranonce2Size; {
		case size < narrow.bytes():
			l.fail(at, "Stable extranonce does not fit", "The servers of %s leave %d bytes to a miner, as its extranonce2_size says, and a stable extranonce takes %d. "+
				"Correct the size if they leave more; else give its miners a proxy of their own, with extranonce = \"pool\".", pool.Address, size, narrow.bytes())
		case size < wide.bytes():
			layout = narrow
		}
	}
	return layout
}

// pools lists the pools that miners of the proxy may be at.
func (p *Proxy) pools() (list []*Pool) {
	if p.Pool != nil {
		list = append(list, p.Pool)
	}
	for _, address := range sortedNames(p.Routes) {
		if pool := p.Routes[address]; pool != p.Pool {
			list = append(list, pool)
		}
	}
	return list
}

// proxyRules gives the rules of a proxy, in the order of the file, with those of a
// ruleset in the place of its use.
func (l *loader) proxyRules(b *block, content *hcl.BodyContent, inst instance, constants *rules.Scope) []rules.Rule {
	var list []rules.Rule
	for _, inner := range content.Blocks {
		switch {
		case inner.Type == "use":
			used, _ := l.use(inner, inst.address, inst.scope)
			list = append(list, used...)
		case isRule(inner):
			own, _ := l.rules(inst.address, hcl.Blocks{inner}, b.src, inst.scope, constants)
			list = append(list, own...)
		}
	}
	return list
}

func (l *loader) checkProxyAudits(blocks hcl.Blocks, s *scope) {
	for i, b := range blocks {
		if i > 0 {
			l.fail(b.DefRange, "Block given twice", "A proxy has one block audit, and there is one at %s.", position(blocks[0].DefRange))
			continue
		}
		l.checkProxyAudit(b, s)
	}
}

func (l *loader) buildListeners(b *block, inst instance) []*Listener {
	var list []*Listener
	blocks, complete := l.expand(b.Body, inst.scope, "listener", "type")
	for _, inner := range blocks {
		if inner.Labels[0] != "tcp" {
			l.fail(inner.LabelRanges[0], "No such listener type", "A listener is of the type \"tcp\".")
			continue
		}
		if listener := l.buildListener(inner, inst); listener != nil {
			list = append(list, listener)
		}
	}
	if len(blocks) == 0 && complete {
		l.fail(b.DefRange, "Proxy without a listener", "%s has no listener, so no miner can reach it. It needs one, as in listener \"tcp\" { address = \":3333\" }.", inst.address)
	}
	return list
}

func (l *loader) buildListener(b *hcl.Block, inst instance) *Listener {
	content, _ := l.contentOf(b.Body, listenerBlock)
	args := arguments{l, listenerBlock, inst.scope, content.Attributes}
	listener := &Listener{
		Address:          l.listenAddress(args, "address"),
		MaxConnections:   args.number("max_connections"),
		MaxLineBytes:     args.number("max_line_bytes"),
		HandshakeTimeout: args.duration("handshake_timeout"),
		WriteTimeout:     args.duration("write_timeout"),
	}
	if listener.Address == "" {
		return nil
	}
	l.checkTaken(listener.Address, args.at("address"), inst.address)
	return listener
}

// policyConstants gives the constants that a proxy's own rules see. Of a variable whose
// value could not be had they are told the type only.
func (l *loader) policyConstants() *rules.Scope {
	s := &rules.Scope{Var: map[string]any{}, Local: map[string]any{}, Sensitive: map[string]bool{}, Typed: map[string]bool{}}
	for name, v := range l.variables {
		s.Var[name] = plain(v.value)
		if !v.value.IsWhollyKnown() {
			s.Var[name], s.Typed["var."+name] = example(v.kind), true
		}
		if hasMarks(v.value) {
			s.Sensitive["var."+name] = true
		}
	}
	for name, loc := range l.locals {
		s.Local[name] = plain(loc.value)
		if hasMarks(loc.value) {
			s.Sensitive["local."+name] = true
		}
	}
	return s
}

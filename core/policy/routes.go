package policy

import "github.com/loka-proxy/loka/rules"

// checkUserRoutes refuses routes by user in a proxy that cannot move a miner once it has
// told its name: the miner would come back without one, be sent to where it was, and so
// on for ever.
func (l *loader) checkUserRoutes(proxy *Proxy, list []rules.Rule) {
	for _, rule := range list {
		if rule.Kind != rules.Request || rule.Method != "mining.authorize" || rule.Route == "" {
			continue
		}
		at := rule.Origin.(*place)
		l.fail(at.parts["route"], "Route by user without a stable extranonce", "A miner tells its user after it has subscribed to a pool, and %s hands it that pool's extranonce, so it can be routed no more. "+
			"Write extranonce = \"stable\" in the proxy; or route by what is known before, in a connect or a mining.subscribe rule.", proxy.Address)
		if user, used := l.usage.users[rule.Scope]; used {
			l.diags[len(l.diags)-1].Extra = users{user}
		}
	}
}

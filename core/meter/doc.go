// Package meter holds the counters and histograms of the proxy.
//
// A Meter is one Prometheus registry. What is counted on the hot path is reached
// through handles that are resolved once, per proxy (Proxy), per proxy and pool
// (Shares) and per server (Endpoint), so that counting costs some nanoseconds and no
// allocation. Labels are listener, proxy, pool, endpoint, kind, method, verdict, rule,
// reason and direction, all of them from small sets that the policy and the protocol
// give: never a worker, a name or an address of a miner.
//
//	m := meter.New()
//	p := m.Proxy("proxy.farm", []string{"proxy.farm.request.to_wallet"})
//	p.Message("request", "mining.submit", "forward")
package meter

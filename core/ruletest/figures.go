package ruletest

import (
	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/rules"
)

// figures are what a test says of pools and of the session. Where it says nothing, every
// pool is up and all else is zero.
type figures struct {
	pools map[string]exchange.Upstream
	stats exchange.Stats
}

// Upstream gives those of a pool.
func (f *figures) Upstream(pool string) exchange.Upstream { return f.pools[pool] }

// Stats gives those of the session.
func (f *figures) Stats() exchange.Stats { return f.stats }

// take notes what a test or a step says. The rest stays as it was.
func (f *figures) take(list []policy.Figure) {
	for _, v := range list {
		if v.Pool == "" {
			f.ofSession(v)
			continue
		}
		u := f.pools[v.Pool]
		ofPool(&u, v)
		if f.pools == nil {
			f.pools = map[string]exchange.Upstream{}
		}
		f.pools[v.Pool] = u
	}
}

func (f *figures) ofSession(v policy.Figure) {
	s := &f.stats
	switch v.Name {
	case rules.StatsSubmitted:
		s.Submitted = int(v.Value)
	case rules.StatsAccepted:
		s.Accepted = int(v.Value)
	case rules.StatsRejected:
		s.Rejected = int(v.Value)
	case rules.StatsRejectRate:
		s.RejectRate = v.Value
	case rules.StatsHashrate:
		s.Hashrate = v.Value
	}
}

func ofPool(u *exchange.Upstream, v policy.Figure) {
	switch v.Name {
	case rules.UpstreamUp:
		u.Down = v.Value == 0
	case rules.UpstreamRejectRate:
		u.RejectRate = v.Value
	case rules.UpstreamLatency:
		u.LatencyMS = v.Value
	case rules.UpstreamSessions:
		u.Sessions = int(v.Value)
	case rules.UpstreamHashrate:
		u.Hashrate = v.Value
	}
}

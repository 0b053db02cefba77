package core

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/policy"
)

// Plan says what would happen if a policy were put in force now. Nothing has happened.
type Plan struct {
	// Hash is that of the policy, and Unchanged says that it is the one in force.
	Hash      string `json:"hash"`
	Unchanged bool   `json:"unchanged,omitempty"`
	// Opened and Closed are the addresses of listeners that would be.
	Opened []string `json:"opened,omitempty"`
	Closed []string `json:"closed,omitempty"`
	// Restart names the blocks whose changes need one.
	Restart []string    `json:"restart,omitempty"`
	Proxies []PlanProxy `json:"proxies"`
	// Sessions are those that would not stay as they are; no more than the first 1000.
	Sessions []PlanSession `json:"sessions"`
}

// PlanProxy adds up what would become of the sessions of a proxy.
type PlanProxy struct {
	Proxy    string `json:"proxy"`
	Sessions int    `json:"sessions"`
	Stay     int    `json:"stay"`
	// ByJob and ByExtranonce keep their connection; ByReconnect have to connect again.
	ByJob        int `json:"by_job"`
	ByExtranonce int `json:"by_extranonce"`
	ByReconnect  int `json:"by_reconnect"`
	// Closed are not let in any more, or have no listener.
	Closed int `json:"closed"`
	// Seconds is how long the moves would take at max_moves_per_second.
	Seconds float64 `json:"seconds"`
	// Connections are those that pools would get, by pool.
	Connections map[string]int `json:"connections,omitempty"`
}

// PlanSession is a session that would not stay as it is.
type PlanSession struct {
	Session string `json:"session"`
	Proxy   string `json:"proxy"`
	Remote  string `json:"remote"`
	From    string `json:"from"`
	To      string `json:"to,omitempty"`
	// How is job, extranonce or reconnect, or closed for one that is parted with.
	How string `json:"how"`
	// Why says what is other than now: pool, server, name, listener or refused.
	Why string `json:"why"`
}

// maxPlanned is how many sessions a plan lists.
const maxPlanned = 1000

// Plan finds out what would happen if a policy were put in force now.
func (d *Daemon) Plan(p *policy.Policy) *Plan {
	now := d.current.Load()
	plan := &Plan{Hash: p.Hash, Unchanged: p.Hash == now.policy.Hash, Sessions: []PlanSession{}, Restart: restarts(now.policy, p)}
	next := postsOf(p)
	for key, post := range next {
		if now.posts[key] == nil {
			plan.Opened = append(plan.Opened, post.listener.Address)
		}
	}
	for key, post := range now.posts {
		if _, ok := next[key]; !ok {
			plan.Closed = append(plan.Closed, post.policy.Address)
		}
	}
	slices.Sort(plan.Opened)
	slices.Sort(plan.Closed)
	sums := map[string]*PlanProxy{}
	d.eachSession(func(s *session) {
		name := s.proxy().name
		if sums[name] == nil {
			sums[name] = &PlanProxy{Proxy: name, Connections: map[string]int{}}
		}
		sums[name].add(plan, s.plan(next, p))
	})
	for _, sum := range sums {
		sum.settle(p)
		plan.Proxies = append(plan.Proxies, *sum)
	}
	slices.SortFunc(plan.Proxies, func(a, b PlanProxy) int { return strings.Compare(a.Proxy, b.Proxy) })
	slices.SortFunc(plan.Sessions, func(a, b PlanSession) int { return strings.Compare(a.Session, b.Session) })
	return plan
}

// restarts names the blocks that differ and change with a restart only.
func restarts(a, b *policy.Policy) (list []string) {
	if a.Admin != b.Admin {
		list = append(list, "admin")
	}
	if a.Log != b.Log {
		list = append(list, "log")
	}
	return list
}

// planned is a post of a policy that nothing runs.
type planned struct {
	proxy    *policy.Proxy
	listener *policy.Listener
}

func postsOf(p *policy.Policy) map[string]planned {
	posts := map[string]planned{}
	for _, pp := range p.Proxies {
		for i, l := range pp.Listeners {
			posts[postKey(pp, l, i)] = planned{pp, l}
		}
	}
	return posts
}

// add counts what would become of one session.
func (sum *PlanProxy) add(plan *Plan, s PlanSession) {
	sum.Sessions++
	switch s.How {
	case "":
		sum.Stay++
		return
	case string(exchange.ByJob):
		sum.ByJob++
	case string(exchange.ByExtranonce):
		sum.ByExtranonce++
	case string(exchange.ByReconnect):
		sum.ByReconnect++
	default:
		sum.Closed++
	}
	if s.To != "" {
		sum.Connections[s.To]++
	}
	if len(plan.Sessions) < maxPlanned {
		plan.Sessions = append(plan.Sessions, s)
	}
}

// settle tells how long the moves would take.
func (sum *PlanProxy) settle(p *policy.Policy) {
	moves := sum.ByJob + sum.ByExtranonce + sum.ByReconnect
	for _, pp := range p.Proxies {
		if pp.Address == sum.Proxy && pp.MaxMovesPerSecond > 0 {
			sum.Seconds = float64(moves) / float64(pp.MaxMovesPerSecond)
		}
	}
}

// plan tells what would become of the session; it has no How if it would stay as it is.
func (s *session) plan(next map[string]planned, p *policy.Policy) PlanSession {
	l := s.inUse()
	i := PlanSession{Session: s.id, Proxy: s.proxy().name, Remote: s.remote}
	if l != nil {
		i.From = l.pool.name
	}
	post, ok := next[s.front.key]
	if !ok || post.proxy.Address != i.Proxy {
		i.How, i.Why = "closed", "listener"
		return i
	}
	st := s.talk.Weigh(exchange.Terms{
		Program: post.proxy.Program, Proxy: post.proxy.Address, Listener: post.listener.Address,
		Pool: post.proxy.Pool.Address, Replays: len(post.proxy.Routes) > 0,
	}, s.d.opt.Now())
	to := findPool(p, s.bound(st.Pool))
	if to == nil {
		to = findPool(p, st.Pool)
	}
	switch {
	case st.Refused:
		i.How, i.Why = "closed", "refused"
		return i
	case l == nil: // it goes there anyway
		return i
	case to == nil || to.Address != i.From:
		i.Why = "pool"
	case st.Renamed:
		i.Why = "name"
	case !slices.ContainsFunc(to.Servers, func(o *policy.Server) bool { return o.Target.Same(l.endpoint.server.Target) }):
		i.Why = "server"
	default:
		return i
	}
	i.How = string(s.talk.Way())
	if to != nil {
		i.To = to.Address
	}
	return i
}

// bound is the pool of those who belong to one, as operators have it.
func (s *session) bound(pool string) string {
	if chosen := s.chosen.Load(); chosen != nil {
		pool = *chosen
	}
	return instead(s.d.orders.switches(), pool)
}

func findPool(p *policy.Policy, address string) *policy.Pool {
	for _, pp := range p.Pools {
		if pp.Address == address {
			return pp
		}
	}
	return nil
}

// String says the plan in a few words.
func (p *Plan) String() string {
	var moved, reconnect, closed, all int
	for _, px := range p.Proxies {
		moved += px.ByJob + px.ByExtranonce
		reconnect += px.ByReconnect
		closed += px.Closed
		all += px.Sessions
	}
	return fmt.Sprintf("of %d sessions %d move and keep their connection, %d connect again, %d are closed", all, moved, reconnect, closed)
}

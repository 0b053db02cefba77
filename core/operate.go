package core

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/loka-proxy/loka/core/policy"
)

// orders hold what operators said of pools, beside the policy. They hold across policies
// that have these pools, and not across a restart: the file is what lasts.
type orders struct {
	// switched gives the pool in whose place another one is used. The map is never
	// changed, only replaced, since every session that opens reads it.
	switched atomic.Pointer[map[string]string]
}

func (o *orders) switches() map[string]string {
	if list := o.switched.Load(); list != nil {
		return *list
	}
	return nil
}

// instead gives the pool where those go who belong to a pool.
func instead(switches map[string]string, pool string) string {
	for range switches { // no longer than there are switches, whatever they are
		to, ok := switches[pool]
		if !ok {
			break
		}
		pool = to
	}
	return pool
}

// Objection says why an order of an operator was not followed. Nothing has changed then.
type Objection struct {
	Reason string
	// Unknown says that it names a session, a pool or an endpoint that is not there.
	Unknown bool
}

// Error gives the reason.
func (o *Objection) Error() string { return o.Reason }

func object(format string, args ...any) error {
	return &Objection{Reason: fmt.Sprintf(format, args...)}
}

// known gives a pool of the generation, or an error that says that there is none.
func (g *generation) known(name string) (*pool, error) {
	if p := g.pools[name]; p != nil {
		return p, nil
	}
	return nil, &Objection{Reason: fmt.Sprintf("the policy in force has no pool %q", name), Unknown: true}
}

// named gives the endpoints that a name stands for: all of them where it is empty.
func (p *pool) named(name string) ([]*endpoint, error) {
	if name == "" {
		return p.endpoints, nil
	}
	for _, e := range p.endpoints {
		if e.server.Name == name {
			return []*endpoint{e}, nil
		}
	}
	return nil, &Objection{Reason: fmt.Sprintf("%s has no server %q", p.name, name), Unknown: true}
}

// inService reports whether a server of the pool takes sessions, as far as operators are
// concerned.
func (p *pool) inService() bool {
	return slices.ContainsFunc(p.endpoints, func(e *endpoint) bool { return !e.aside.Load() })
}

// SwitchPool has all who belong to a pool go to another one, new miners and those that are
// connected, until it is switched to itself or a policy comes that lacks one of the two.
// It holds across policies that have both.
//
// The error is an *Objection where the policy has no such pool, where the switch would
// close a circle, and where nobody could be served.
func (d *Daemon) SwitchPool(from, to string) error {
	d.applying.Lock()
	defer d.applying.Unlock()
	g := d.current.Load()
	for _, name := range []string{from, to} {
		if _, err := g.known(name); err != nil {
			return err
		}
	}
	if t := d.trial.Load(); t != nil && t.generation.pools[from] != nil && t.generation.pools[to] == nil {
		return object("the policy under trial has no %s; end its rollout first", to)
	}
	next := maps.Clone(d.orders.switches())
	if next == nil {
		next = map[string]string{}
	}
	delete(next, from)
	switch {
	case from == to:
		if !g.pools[from].inService() {
			return object("%s has no server in service; enable one first", from)
		}
	case instead(next, to) == from:
		return object("%s is switched to %s itself, so that the miners would go round in a circle", to, next[to])
	default:
		next[from] = to
	}
	d.orders.switched.Store(&next)
	if from == to {
		d.opt.Log.Info("pool switched back by an operator", "pool", from)
	} else {
		d.opt.Log.Info("pool switched by an operator", "pool", from, "to", to)
	}
	d.rejudge()
	return nil
}

// Switches tells which pools are switched, and where to.
func (d *Daemon) Switches() map[string]string { return maps.Clone(d.orders.switches()) }

// DrainPool has a server of a pool take no new sessions. Those that it has stay until they
// end or move for another reason, so nothing is lost; DisablePool is for the rest.
//
// With an empty endpoint it is the whole pool. The error is an *Objection where there is
// no such server, and where no other one of the pool is in service: then its miners
// would have nowhere to go, unless the pool is switched to another one.
func (d *Daemon) DrainPool(pool, endpoint string) error {
	return d.setAside(pool, endpoint, false)
}

// DisablePool is DrainPool for the living sessions too: they get the answers that they
// wait for and move now, one after the other, as fast as with a new policy.
func (d *Daemon) DisablePool(pool, endpoint string) error {
	return d.setAside(pool, endpoint, true)
}

func (d *Daemon) setAside(pool, name string, empty bool) error {
	d.applying.Lock()
	defer d.applying.Unlock()
	p, err := d.current.Load().known(pool)
	if err != nil {
		return err
	}
	list, err := p.named(name)
	if err != nil {
		return err
	}
	others := func(e *endpoint) bool { return !e.aside.Load() && !slices.Contains(list, e) }
	for _, g := range d.living() {
		if p := g.pools[pool]; p != nil && d.orders.switches()[pool] == "" && !slices.ContainsFunc(p.endpoints, others) {
			return object("%s would have no server in service, and its miners nowhere to go; switch it to another pool first", pool)
		}
	}
	word := "server drained by an operator"
	if empty {
		word = "server disabled by an operator"
	}
	for _, e := range list {
		e.aside.Store(true)
		e.emptied.Store(empty)
		d.opt.Log.Info(word, "pool", pool, "endpoint", e.server.Name)
	}
	d.rejudge()
	return nil
}

// EnablePool undoes DrainPool and DisablePool. Sessions that have moved stay where they
// are. The error is an *Objection where there is no such server.
func (d *Daemon) EnablePool(pool, endpoint string) error {
	d.applying.Lock()
	defer d.applying.Unlock()
	p, err := d.current.Load().known(pool)
	if err != nil {
		return err
	}
	list, err := p.named(endpoint)
	if err != nil {
		return err
	}
	for _, e := range list {
		e.enable()
		d.opt.Log.Info("server enabled by an operator", "pool", pool, "endpoint", e.server.Name)
	}
	return nil
}

func (e *endpoint) enable() {
	e.emptied.Store(false)
	e.aside.Store(false)
}

// review holds what operators said against a generation that comes into force: a switch
// from or to a pool that is gone ends. Where a pool would have no server in service,
// because the others are gone, those that were set aside serve again: miners always have
// somewhere to go.
func (d *Daemon) review(g *generation) {
	next := map[string]string{}
	for from, to := range d.orders.switches() {
		if g.pools[from] != nil && g.pools[to] != nil {
			next[from] = to
			continue
		}
		d.opt.Log.Warn("a switch of pools ends: the policy lacks one of them", "pool", from, "to", to)
	}
	d.orders.switched.Store(&next)
	for _, pp := range g.policy.Pools {
		p := g.pools[pp.Address]
		if next[p.name] != "" || p.inService() {
			continue
		}
		d.opt.Log.Warn("the servers that an operator set aside serve again: the pool has no others", "pool", p.name)
		for _, e := range p.endpoints {
			e.enable()
		}
	}
	d.eachSession(func(s *session) {
		if chosen := s.chosen.Load(); chosen != nil && g.pools[*chosen] == nil {
			s.chosen.Store(nil)
		}
	})
}

// rejudge has every session go where it belongs, after an order.
func (d *Daemon) rejudge() {
	d.eachSession(func(s *session) { s.reconsider(d.governing(s)) })
}

// reconsider finds how the session stands under a generation that it may be under
// already, and has the miner moved if it belongs elsewhere.
func (s *session) reconsider(g *generation) {
	defer s.rescue() // it runs rules
	s.adopting.Lock()
	defer s.adopting.Unlock()
	if s.proxy().generation.number <= g.number {
		s.come(g)
		s.judge()
	}
}

// belongs gives the pool where the miner goes whom the policy has at a pool: what an
// operator said of the session comes first, then what one said of the pool.
func (s *session) belongs(pool string) string {
	if chosen := s.chosen.Load(); chosen != nil && s.proxy().pool(*chosen) != nil {
		pool = *chosen
	}
	return instead(s.d.orders.switches(), pool)
}

// pool gives a pool that the sessions of the proxy may go to: one of its own or, for an
// operator, any one of the policy.
func (px *proxy) pool(name string) *pool {
	if p := px.pools[name]; p != nil {
		return p
	}
	return px.generation.pools[name]
}

// PoolInfo is what operators see of a pool.
type PoolInfo struct {
	Pool string `json:"pool"`
	// SwitchedTo is the pool in its place, where an operator has switched it.
	SwitchedTo string         `json:"switched_to,omitempty"`
	Endpoints  []EndpointInfo `json:"endpoints"`
	// Sessions are those that are connected to it.
	Sessions int `json:"sessions"`
}

// EndpointInfo is what operators see of a server of a pool.
type EndpointInfo struct {
	Endpoint string `json:"endpoint"`
	Address  string `json:"address"`
	// State is up, down, or unknown for one that nobody has heard yet.
	State string `json:"state"`
	// Service is enabled, drained or disabled, as operators have it.
	Service  string `json:"service"`
	Sessions int    `json:"sessions"`
}

// Pools tells of the pools of the policy in force, in its order.
func (d *Daemon) Pools() []PoolInfo {
	legs := map[string][]*leg{}
	d.eachSession(func(s *session) {
		if l := s.inUse(); l != nil {
			legs[l.pool.name] = append(legs[l.pool.name], l)
		}
	})
	g := d.current.Load()
	list := make([]PoolInfo, 0, len(g.policy.Pools))
	for _, pp := range g.policy.Pools {
		list = append(list, d.describe(g.pools[pp.Address], legs[pp.Address]))
	}
	return list
}

func (d *Daemon) describe(p *pool, legs []*leg) PoolInfo {
	i := PoolInfo{Pool: p.name, SwitchedTo: d.orders.switches()[p.name], Endpoints: []EndpointInfo{}, Sessions: len(legs)}
	for _, e := range p.endpoints {
		i.Endpoints = append(i.Endpoints, EndpointInfo{
			Endpoint: e.server.Name, Address: e.server.Target.URL, State: e.word(), Service: e.service(),
		})
	}
	for _, l := range legs {
		if at := p.at(l.endpoint.server); at >= 0 {
			i.Endpoints[at].Sessions++
		}
	}
	return i
}

// at finds a server among those of the pool, as has does.
func (p *pool) at(s *policy.Server) int {
	return slices.IndexFunc(p.endpoints, func(e *endpoint) bool { return e.server.Target.Same(s.Target) })
}

func (e *endpoint) word() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch e.state {
	case isUp:
		return "up"
	case isDown:
		return "down"
	}
	return "unknown"
}

func (e *endpoint) service() string {
	switch {
	case e.emptied.Load():
		return "disabled"
	case e.aside.Load():
		return "drained"
	}
	return "enabled"
}

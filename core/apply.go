package core

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/policy"
)

// Apply puts another policy in the place of the one in force. What can fail comes first:
// if a listener cannot be bound, the error says so and nothing has changed.
//
// Living sessions come under the new rules with their next message. Those whose pool or
// server is another now, or whose names would be others at the pool, are moved. Those whose
// listener is gone, or who would not be let in, get the answers that they wait for and are
// closed. All others notice nothing.
func (d *Daemon) Apply(ctx context.Context, p *policy.Policy) error {
	d.applying.Lock()
	defer d.applying.Unlock()
	next := d.generation(p, d.living()...)
	fronts, fresh, gone := d.match(next)
	if err := bind(ctx, fresh); err != nil {
		return overlap(err, fresh, gone)
	}
	d.review(next)
	if !d.swap(next, fronts, fresh) {
		for _, f := range fresh {
			f.close()
		}
		return errors.New("loka is stopping")
	}
	for _, f := range gone {
		at := f.at.Load()
		d.opt.Log.Info("listening no more", "proxy", at.proxy.name, "address", f.socket.Addr().String())
		f.close()
	}
	d.trial.Store(nil)
	d.eachSession(func(s *session) { s.adopt(next) })
	return nil
}

// match gives the fronts of a generation: those that are there already, those that have
// to be bound, and those that are of no use any more.
func (d *Daemon) match(next *generation) (fronts, fresh, gone []*front) {
	known := map[string]*front{}
	for _, f := range d.fronts {
		known[f.key] = f
	}
	for _, key := range next.order {
		f := known[key]
		if f == nil {
			f = newFront(key, next.posts[key], d.opt.Meter)
			fresh = append(fresh, f)
		}
		fronts = append(fronts, f)
		delete(known, key)
	}
	for _, f := range d.fronts {
		if known[f.key] != nil {
			gone = append(gone, f)
		}
	}
	return fronts, fresh, gone
}

// overlap says so where an address cannot be bound because of one of loka's own, which the
// new policy has in another spelling.
func overlap(err error, fresh, gone []*front) error {
	for _, f := range fresh {
		for _, g := range gone {
			if portOf(f) == portOf(g) {
				return fmt.Errorf("%w (loka itself listens on %s: from one to the other of these addresses it comes with a restart)", err, g.at.Load().policy.Address)
			}
		}
	}
	return err
}

func portOf(f *front) string {
	_, port, _ := net.SplitHostPort(f.key)
	return port
}

// swap makes a generation the one in force, unless loka is stopping.
func (d *Daemon) swap(next *generation, fronts, fresh []*front) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draining {
		return false
	}
	d.fronts = fronts
	for _, f := range fronts {
		f.turn(next.posts[f.key], d.opt.Meter)
	}
	d.current.Load().retire(next)
	d.inForce(next)
	if d.serving {
		for _, f := range fresh {
			d.serve(f)
		}
	}
	return true
}

// retire has the endpoints that are not in the next generation tell nothing any more.
func (g *generation) retire(next *generation) {
	for name, p := range g.pools {
		for _, e := range p.endpoints {
			if n := next.pools[name]; n == nil || !slices.Contains(n.endpoints, e) {
				e.retired.Store(true)
			}
		}
	}
}

// adopt brings the session under a generation, unless it is under a later one.
func (s *session) adopt(g *generation) {
	defer s.rescue() // it runs rules
	s.adopting.Lock()
	defer s.adopting.Unlock()
	if s.proxy().generation.number < g.number {
		s.come(g)
		s.judge()
	}
}

// adopted reports whether the session has come under a generation that it did not begin
// under.
func (s *session) adopted() bool {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	return s.standing != nil
}

// come brings the session under a generation, or finds how it stands now under its own.
func (s *session) come(g *generation) {
	p := g.posts[s.front.key]
	s.removed = p == nil || p.proxy.name != s.proxy().name
	if s.removed {
		return
	}
	standing := s.talk.Adopt(exchange.Terms{
		Program: p.proxy.policy.Program, Proxy: p.proxy.name, Listener: p.policy.Address,
		Pool: p.proxy.home().name, Replays: len(p.proxy.policy.Routes) > 0,
		MaxRequestBytes: func(pool string) int { return g.pools[pool].maxRequestBytes() },
		Swap:            func() { s.under.Store(p.proxy) },
	}, s.d.opt.Now())
	s.standing = &standing
}

// settle holds a new leg against what the generation in force says: it may have been
// dialled under an earlier one, and the miner has said more since. Nothing was written to
// it yet. It gives the reason for which the session has to end, if there is one.
func (s *session) settle() closing {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	if g := s.d.governing(s); g != s.proxy().generation || s.standing != nil {
		s.come(g)
	}
	return s.misplaced()
}

// judge has a miner moved that does not belong where it is, and parts with one that does
// not belong here at all. The session is adopting.
func (s *session) judge() {
	switch why := s.misplaced(); {
	case why == "":
	case why == closePolicy || !s.isOpen() || s.lingers():
		s.part(why)
	default:
		s.wantMove()
	}
}

// isOpen reports whether both directions of the session run.
func (s *session) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// lingers reports whether a miner that was told to connect again goes on under a name that
// is another now.
func (s *session) lingers() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.move.away && s.standing != nil && s.standing.Renamed
}

// misplaced says why a miner would be elsewhere, under another name or not here at all if
// it connected now. It is empty for one that belongs where it is.
func (s *session) misplaced() closing {
	s.mu.Lock()
	leg := s.leg
	s.mu.Unlock()
	switch st := s.standing; {
	case s.removed:
		return closeMoved
	case st == nil:
	case st.Refused:
		return closePolicy
	case st.Renamed, leg != nil && !s.proxy().keeps(leg, s.belongs(st.Pool)):
		return closeMoved
	}
	return ""
}

// keeps reports whether a leg is one to the pool that the miner belongs to, with servers
// as they are now.
func (px *proxy) keeps(l *leg, pool string) bool {
	return l.pool.name == pool && px.pool(pool).has(l.endpoint.server)
}

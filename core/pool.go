package core

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/transport"
)

// pool is one pool of the policy, with the health of its servers.
type pool struct {
	name      string
	policy    *policy.Pool
	endpoints []*endpoint
	now       func() time.Time

	figures *figures // kept where the pool was there before
	// sought says that a miner without a pool has looked for one that is up here.
	sought atomic.Bool

	mu     sync.Mutex
	turn   int       // where round_robin goes on
	uneven time.Time // since when the servers are out of balance; zero if they are not
}

// newPool makes a pool. What is known of its servers is kept where the pool was there
// before, and the server is the same.
func newPool(pp *policy.Pool, before []*pool, opt Options) *pool {
	p := &pool{name: pp.Address, policy: pp, now: opt.Now}
	for _, b := range before {
		p.figures = cmp.Or(p.figures, b.figures)
	}
	p.figures = cmp.Or(p.figures, new(figures))
	for _, s := range pp.Servers {
		var e *endpoint
		for _, b := range before {
			e = cmp.Or(e, b.endpoint(s))
		}
		if e == nil {
			e = newEndpoint(pp.Address, s, opt)
		}
		p.endpoints = append(p.endpoints, e)
	}
	return p
}

// endpoint gives the endpoint of a server, or nil.
func (p *pool) endpoint(s *policy.Server) *endpoint {
	for _, e := range p.endpoints {
		if e.server.Name == s.Name && e.server.Target.Same(s.Target) {
			return e
		}
	}
	return nil
}

// has reports whether a server is among those of the pool, whatever its name, and not one
// that operators want empty.
func (p *pool) has(s *policy.Server) bool {
	return p != nil && slices.ContainsFunc(p.endpoints, func(e *endpoint) bool { return e.server.Target.Same(s.Target) && !e.emptied.Load() })
}

// maxRequestBytes is how long a line that rules make may be; 0 means any length.
func (p *pool) maxRequestBytes() int {
	if p == nil {
		return 0
	}
	return p.policy.MaxRequestBytes
}

// dial reaches the first server that answers, in the order that the strategy gives. Servers
// that are down come last: a black hole would cost every miner the whole timeout. After them
// come those to avoid, such as the one that the miner leaves.
func (p *pool) dial(ctx context.Context, avoid ...*endpoint) (*transport.Conn, *endpoint, error) {
	conn, e, failed, err := p.reach(ctx, avoid)
	if err == nil || len(avoid) == 0 {
		return conn, e, err
	}
	conn, e, _, last := p.reach(ctx, failed)
	if last != nil {
		return nil, nil, errors.Join(err, last)
	}
	return conn, e, nil
}

// dialBetter reaches a server that is better than the one that a miner is at, or none.
func (p *pool) dialBetter(ctx context.Context, than *endpoint) (*transport.Conn, *endpoint, error) {
	conn, e, _, err := p.reach(ctx, p.noBetter(than))
	return conn, e, err
}

// reach dials the servers in service but for some, in the order that the strategy gives, and
// tells which have failed.
func (p *pool) reach(ctx context.Context, but []*endpoint) (_ *transport.Conn, _ *endpoint, failed []*endpoint, _ error) {
	var errs []error
	for {
		seat := p.choose(slices.Concat(but, failed))
		if seat == nil {
			break
		}
		nc, err := seat.endpoint.dial(ctx, p.policy.DialTimeout)
		if err != nil {
			seat.leave()
			errs, failed = append(errs, err), append(failed, seat.endpoint)
			continue
		}
		return transport.NewConn(nc, transport.Options{
			MaxLine: p.policy.MaxLineBytes, IdleTimeout: p.policy.ReplyTimeout, WriteTimeout: p.policy.WriteTimeout, Closed: seat.leave,
		}), seat.endpoint, failed, nil
	}
	if len(errs) == 0 {
		return nil, nil, nil, errors.New("no server of the pool is in service")
	}
	return nil, nil, failed, errors.Join(errs...)
}

// up reports whether a miner could be served: a server is in service, and not known to be
// down.
func (p *pool) up() bool {
	return slices.ContainsFunc(p.endpoints, func(e *endpoint) bool { return e.usable() })
}

// sound reports whether there is a server that miners can rely on: one that is up comes and
// goes, perhaps, if it was down not long ago.
func (p *pool) sound() bool {
	return slices.ContainsFunc(p.look(p.now()), func(s sight) bool { return !s.aside && s.class == well })
}

// serves reports whether a server is known to answer.
func (p *pool) serves() bool {
	return slices.ContainsFunc(p.endpoints, (*endpoint).serves)
}

// reachable reports whether a server takes a connection now.
func (p *pool) reachable(ctx context.Context) bool {
	for _, e := range p.endpoints {
		if e.aside.Load() {
			continue
		}
		nc, err := e.dial(ctx, p.policy.DialTimeout)
		if err == nil {
			_ = nc.Close()
			return true
		}
	}
	return false
}

package core

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/loka-proxy/loka/core/meter"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/transport"
)

// Options is what a Daemon needs besides a policy. All of it but Record must be given.
type Options struct {
	Log   hclog.Logger
	Meter *meter.Meter
	// Now is the clock.
	Now func() time.Time
	// Record, when not nil, is asked for a Tape for every session, and may give nil.
	Record func(Visit) Tape
}

// Daemon runs the proxies of a policy, and of the policies that take its place.
type Daemon struct {
	opt     Options
	current atomic.Pointer[generation]
	trial   atomic.Pointer[trial] // nil unless a policy is tried
	issued  int                   // the number of the last generation; changes while applying
	accepts sync.WaitGroup
	// watching is the watch over pools and sessions, with its probes; probes bounds those.
	watching sync.WaitGroup
	probes   chan struct{}
	orders   orders

	// applying is held while one generation takes the place of another, and fronts
	// changes only then.
	applying sync.Mutex

	mu       sync.Mutex
	fronts   []*front // in the order of the policy
	sessions map[*session]struct{}
	movers   map[string]*mover // of the proxies, by name
	serving  bool
	draining bool
	ended    sync.WaitGroup // sessions
	extra    atomic.Int64   // connections to pools besides one for each session
	movings  sync.WaitGroup // movers

	// ctx ends dials when the daemon is closed.
	ctx    context.Context
	cancel context.CancelFunc
}

// New prepares a policy to run. Nothing is bound or dialled yet.
func New(p *policy.Policy, opt Options) *Daemon {
	d := &Daemon{opt: opt, sessions: map[*session]struct{}{}, movers: map[string]*mover{}, probes: make(chan struct{}, maxProbes)}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	g := d.generation(p)
	for _, key := range g.order {
		d.fronts = append(d.fronts, newFront(key, g.posts[key], opt.Meter))
	}
	d.inForce(g)
	return d
}

// inForce makes a generation the one in force.
func (d *Daemon) inForce(g *generation) {
	d.current.Store(g)
	d.issued = g.number
	for _, px := range g.proxies {
		px.mover.bound(px.policy)
	}
	d.opt.Meter.SetPolicy(g.policy.Hash, strconv.Itoa(g.number))
}

// Listen binds every listener, or none: the error names all that could not be bound.
func (d *Daemon) Listen(ctx context.Context) error {
	return bind(ctx, d.fronts)
}

// bind binds fronts, or none of them.
func bind(ctx context.Context, fronts []*front) error {
	var failed []error
	for _, f := range fronts {
		at := f.at.Load()
		l, err := transport.Listen(ctx, at.policy.Address)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", at.proxy.name, err))
			continue
		}
		f.socket = l
	}
	if len(failed) > 0 {
		for _, f := range fronts {
			f.close()
		}
		return errors.Join(failed...)
	}
	return nil
}

// Serve starts to accept miners and returns at once. Listen has been called.
func (d *Daemon) Serve() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.serving = true
	for _, f := range d.fronts {
		d.serve(f)
	}
	d.watching.Go(d.watch)
}

// serve starts to accept the miners of one front. The lock is held.
func (d *Daemon) serve(f *front) {
	at := f.at.Load()
	d.opt.Log.Info("listening", "proxy", at.proxy.name, "address", f.socket.Addr().String(), "pool", at.proxy.policy.Pool.Address)
	d.accepts.Go(func() { d.accept(f) })
}

// Addrs gives the bound addresses, in the order of the policy's listeners.
func (d *Daemon) Addrs() []net.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []net.Addr
	for _, f := range d.fronts {
		list = append(list, f.socket.Addr())
	}
	return list
}

// DrainTimeout is how long the policy in force gives sessions to finish.
func (d *Daemon) DrainTimeout() time.Duration { return d.current.Load().policy.DrainTimeout }

// Drain ends the daemon in peace: it stops accepting, lets every session get the
// answers it waits for, and closes them; those that are left when ctx ends are closed
// as they are. When it returns nothing of the daemon runs any more.
func (d *Daemon) Drain(ctx context.Context) {
	d.mu.Lock()
	d.draining = true
	for _, f := range d.fronts {
		f.close()
	}
	d.mu.Unlock()
	d.accepts.Wait()
	d.eachSession((*session).drain)
	done := make(chan struct{})
	go func() { d.ended.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		d.cancel()
		d.eachSession((*session).cut)
		<-done
	}
	d.cancel()
	d.movings.Wait()
	d.watching.Wait()
}

// eachSession calls do for the sessions of this moment.
func (d *Daemon) eachSession(do func(*session)) {
	d.mu.Lock()
	list := make([]*session, 0, len(d.sessions))
	for s := range d.sessions {
		list = append(list, s)
	}
	d.mu.Unlock()
	for _, s := range list {
		do(s)
	}
}

// enter takes a session into the books; it reports false when the daemon takes no more.
func (d *Daemon) enter(s *session) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draining {
		return false
	}
	d.sessions[s] = struct{}{}
	d.ended.Add(1)
	return true
}

func (d *Daemon) leave(s *session) {
	d.mu.Lock()
	delete(d.sessions, s)
	d.mu.Unlock()
	d.ended.Done()
}

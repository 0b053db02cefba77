package core

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
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

// Daemon runs the proxies of one policy.
type Daemon struct {
	opt     Options
	policy  *policy.Policy
	pools   map[string]*pool
	fronts  []*front
	accepts sync.WaitGroup

	mu       sync.Mutex
	sessions map[*session]struct{}
	draining bool
	ended    sync.WaitGroup // sessions

	// ctx ends dials when the daemon is closed.
	ctx    context.Context
	cancel context.CancelFunc
}

// New prepares a policy to run. Nothing is bound or dialled yet.
func New(p *policy.Policy, opt Options) *Daemon {
	d := &Daemon{opt: opt, policy: p, pools: map[string]*pool{}, sessions: map[*session]struct{}{}}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	for _, pp := range p.Pools {
		d.pools[pp.Address] = newPool(pp, opt)
	}
	for _, pp := range p.Proxies {
		px := d.newProxy(pp)
		for _, l := range pp.Listeners {
			d.fronts = append(d.fronts, newFront(px, l, opt.Meter))
		}
	}
	opt.Meter.SetPolicy(p.Hash, "1")
	return d
}

// Listen binds every listener, or none: the error names all that could not be bound.
func (d *Daemon) Listen(ctx context.Context) error {
	var failed []error
	for _, f := range d.fronts {
		l, err := transport.Listen(ctx, f.policy.Address)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", f.proxy.name, err))
			continue
		}
		f.socket = l
	}
	if len(failed) > 0 {
		d.closeListeners()
		return errors.Join(failed...)
	}
	return nil
}

// Serve starts to accept miners and returns at once. Listen has been called.
func (d *Daemon) Serve() {
	for _, f := range d.fronts {
		d.opt.Log.Info("listening", "proxy", f.proxy.name, "address", f.socket.Addr().String(), "pool", f.proxy.policy.Pool.Address)
		d.accepts.Go(func() { d.accept(f) })
	}
}

// Addrs gives the bound addresses, in the order of the policy's listeners.
func (d *Daemon) Addrs() []net.Addr {
	var list []net.Addr
	for _, f := range d.fronts {
		list = append(list, f.socket.Addr())
	}
	return list
}

// Drain ends the daemon in peace: it stops accepting, lets every session get the
// answers it waits for, and closes them; those that are left when ctx ends are closed
// as they are. When it returns nothing of the daemon runs any more.
func (d *Daemon) Drain(ctx context.Context) {
	d.closeListeners()
	d.accepts.Wait()
	d.mu.Lock()
	d.draining = true
	d.mu.Unlock()
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
}

func (d *Daemon) closeListeners() {
	for _, f := range d.fronts {
		if f.socket != nil {
			_ = f.socket.Close() // a second close fails, and harms nobody
		}
	}
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

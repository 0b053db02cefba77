package core

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/loka-proxy/loka/core/meter"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/transport"
)

// proxy is one proxy of the policy, with what it counts.
type proxy struct {
	name   string
	policy *policy.Proxy
	meter  *meter.Proxy
	// pools holds those that its sessions may go to, by address, and shares what they
	// count there.
	pools  map[string]*pool
	shares map[string]*meter.Shares
	// failed limits what is logged about failing rules, by rule number, and refused
	// what is logged about lines that are not forwarded, by reason.
	failed  []rate.Sometimes
	refused map[string]*rate.Sometimes
}

// quiet is the least time between two log lines about the same thing.
const quiet = time.Minute

func (d *Daemon) newProxy(pp *policy.Proxy) *proxy {
	list := pp.Program.Rules()
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].Address
	}
	px := &proxy{
		name: pp.Address, policy: pp, meter: d.opt.Meter.Proxy(pp.Address, names),
		pools: map[string]*pool{}, shares: map[string]*meter.Shares{},
		failed: make([]rate.Sometimes, len(list)), refused: map[string]*rate.Sometimes{},
	}
	for i := range px.failed {
		px.failed[i].Interval = quiet
	}
	for reason := range refusals {
		px.refused[reason] = &rate.Sometimes{Interval: quiet}
	}
	px.add(d.pools[pp.Pool.Address], d.opt.Meter)
	for _, p := range pp.Routes {
		px.add(d.pools[p.Address], d.opt.Meter)
	}
	return px
}

func (px *proxy) add(p *pool, m *meter.Meter) {
	px.pools[p.name] = p
	px.shares[p.name] = m.Shares(px.name, p.name)
}

// front is one listener of a proxy.
type front struct {
	proxy  *proxy
	policy *policy.Listener
	meter  *meter.Listener
	socket net.Listener
	count  atomic.Int64
	// full and stuck limit what is logged when no miner can be taken.
	full, stuck rate.Sometimes
}

func newFront(px *proxy, l *policy.Listener, m *meter.Meter) *front {
	return &front{
		proxy: px, policy: l, meter: m.Listener(px.name, l.Address),
		full: rate.Sometimes{Interval: quiet}, stuck: rate.Sometimes{Interval: quiet},
	}
}

// accept takes miners until the listener is closed. It never waits for a miner or a
// pool: each gets a goroutine at once.
func (d *Daemon) accept(f *front) {
	for {
		nc, err := f.socket.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // out of descriptors, or a miner that left the queue
			f.stuck.Do(func() {
				d.opt.Log.Warn("cannot accept", "proxy", f.proxy.name, "listener", f.policy.Address, "error", err)
			})
			d.pause(acceptPause)
			continue
		}
		d.admit(f, nc)
	}
}

// acceptPause is how long the accept loop leaves the kernel alone after an error.
const acceptPause = 50 * time.Millisecond

func (d *Daemon) pause(t time.Duration) {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.ctx.Done():
	}
}

// admit makes a session of a connection, unless there are too many.
func (d *Daemon) admit(f *front, nc net.Conn) {
	if limit := f.policy.MaxConnections; limit > 0 && f.count.Load() >= int64(limit) {
		f.proxy.meter.Closed(string(closeFull))
		f.full.Do(func() {
			d.opt.Log.Warn("too many connections", "proxy", f.proxy.name, "listener", f.policy.Address, "max_connections", limit)
		})
		_ = nc.Close()
		return
	}
	s := newSession(d, f, transport.NewConn(nc, transport.Options{
		MaxLine: f.policy.MaxLineBytes, WriteTimeout: f.policy.WriteTimeout,
	}))
	if !d.enter(s) {
		_ = nc.Close()
		return
	}
	f.count.Add(1)
	f.meter.Opened()
	go s.open()
}

package core

import (
	"crypto/rand"
	"encoding/hex"
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
	name       string
	policy     *policy.Proxy
	generation *generation
	meter      *meter.Proxy
	mover      *mover
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

func (d *Daemon) newProxy(pp *policy.Proxy, g *generation) *proxy {
	list := pp.Program.Rules()
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].Address
	}
	px := &proxy{
		name: pp.Address, policy: pp, generation: g, meter: d.opt.Meter.Proxy(pp.Address, names),
		pools: map[string]*pool{}, shares: map[string]*meter.Shares{},
		failed: make([]rate.Sometimes, len(list)), refused: map[string]*rate.Sometimes{},
	}
	px.mover = d.mover(px.name)
	for i := range px.failed {
		px.failed[i].Interval = quiet
	}
	for reason := range refusals {
		px.refused[reason] = &rate.Sometimes{Interval: quiet}
	}
	px.add(g.pools[pp.Pool.Address], d.opt.Meter)
	for _, p := range pp.Routes {
		px.add(g.pools[p.Address], d.opt.Meter)
	}
	return px
}

// ownExtranonce1 makes the extranonce1 of one miner, in hex digits, where loka gives one.
func (px *proxy) ownExtranonce1() string {
	if !px.policy.Stable {
		return ""
	}
	b := make([]byte, px.policy.Layout.Extranonce1)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// home is the pool of the miners that no rule sends elsewhere.
func (px *proxy) home() *pool { return px.pools[px.policy.Pool.Address] }

func (px *proxy) add(p *pool, m *meter.Meter) {
	px.pools[p.name] = p
	px.shares[p.name] = m.Shares(px.name, p.name)
}

// front is one socket that miners connect to. It outlives the generation that opened it.
type front struct {
	key    string
	at     atomic.Pointer[place]
	socket net.Listener
	count  atomic.Int64
	// full and stuck limit what is logged when no miner can be taken.
	full, stuck rate.Sometimes
}

// place is where those who connect to a front come to, in the generation in force.
type place struct {
	*post
	meter *meter.Listener
}

func newFront(key string, p *post, m *meter.Meter) *front {
	f := &front{key: key, full: rate.Sometimes{Interval: quiet}, stuck: rate.Sometimes{Interval: quiet}}
	f.turn(p, m)
	return f
}

// turn has those who connect from now on come to another place.
func (f *front) turn(p *post, m *meter.Meter) {
	f.at.Store(&place{post: p, meter: m.Listener(p.proxy.name, p.policy.Address)})
}

// close stops accepting. Those who are connected stay.
func (f *front) close() {
	if f.socket != nil {
		_ = f.socket.Close() // a second close fails, and harms nobody
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
				at := f.at.Load()
				d.opt.Log.Warn("cannot accept", "proxy", at.proxy.name, "listener", at.policy.Address, "error", err)
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
	at := f.at.Load()
	if limit := at.policy.MaxConnections; limit > 0 && f.count.Load() >= int64(limit) {
		at.proxy.meter.Closed(string(closeFull))
		f.full.Do(func() {
			d.opt.Log.Warn("too many connections", "proxy", at.proxy.name, "listener", at.policy.Address, "max_connections", limit)
		})
		_ = nc.Close()
		return
	}
	s := newSession(d, f, at, transport.NewConn(nc, transport.Options{
		MaxLine: at.policy.MaxLineBytes, WriteTimeout: at.policy.WriteTimeout,
	}))
	if !d.enter(s) {
		if s.tape != nil {
			s.tape.Close()
		}
		_ = nc.Close()
		return
	}
	if g := d.governing(s); g != at.proxy.generation { // it came meanwhile, or is tried
		s.adopt(g)
	}
	f.count.Add(1)
	at.meter.Opened()
	go s.open()
}

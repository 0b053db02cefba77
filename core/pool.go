package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/loka-proxy/loka/core/meter"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/transport"
)

// pool is one pool of the policy, with the health of its servers.
type pool struct {
	name      string
	policy    *policy.Pool
	endpoints []*endpoint
	now       func() time.Time
}

// newPool makes a pool. What is known of its servers is kept where the pool was there
// before, and the server is the same.
func newPool(pp *policy.Pool, before *pool, opt Options) *pool {
	p := &pool{name: pp.Address, policy: pp, now: opt.Now}
	for _, s := range pp.Servers {
		e := before.endpoint(s)
		if e == nil {
			e = &endpoint{pool: pp.Address, server: s, log: opt.Log, meter: opt.Meter.Endpoint(pp.Address, s.Name), now: opt.Now}
		}
		p.endpoints = append(p.endpoints, e)
	}
	return p
}

// endpoint gives the endpoint of a server, or nil.
func (p *pool) endpoint(s *policy.Server) *endpoint {
	if p == nil {
		return nil
	}
	for _, e := range p.endpoints {
		if e.server.Name == s.Name && e.server.Target.Same(s.Target) {
			return e
		}
	}
	return nil
}

// has reports whether a server is among those of the pool, whatever its name.
func (p *pool) has(s *policy.Server) bool {
	return p != nil && slices.ContainsFunc(p.endpoints, func(e *endpoint) bool { return e.server.Target.Same(s.Target) })
}

// maxRequestBytes is how long a line that rules make may be; 0 means any length.
func (p *pool) maxRequestBytes() int {
	if p == nil {
		return 0
	}
	return p.policy.MaxRequestBytes
}

// dial reaches the first server that answers, in their order. Servers that failed a
// moment ago come last: a black hole would cost every miner the whole timeout.
func (p *pool) dial(ctx context.Context) (*transport.Conn, *endpoint, error) {
	var errs []error
	for _, e := range p.order() {
		nc, err := e.dial(ctx, p.policy.DialTimeout)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		return transport.NewConn(nc, transport.Options{
			MaxLine: p.policy.MaxLineBytes, IdleTimeout: p.policy.ReplyTimeout, WriteTimeout: p.policy.WriteTimeout,
		}), e, nil
	}
	return nil, nil, errors.Join(errs...)
}

func (p *pool) order() []*endpoint {
	var well, ill []*endpoint
	for _, e := range p.endpoints {
		if e.resting() {
			ill = append(ill, e)
		} else {
			well = append(well, e)
		}
	}
	return append(well, ill...)
}

// serves reports whether a server is known to answer.
func (p *pool) serves() bool {
	return slices.ContainsFunc(p.endpoints, (*endpoint).serves)
}

// up reports whether a server is not known to be down.
func (p *pool) up() bool {
	return slices.ContainsFunc(p.endpoints, func(e *endpoint) bool { return !e.resting() })
}

// better reports whether a session would be better at another server of the pool.
func (p *pool) better(*endpoint) bool { return false }

// probe reports whether a server takes a connection now.
func (p *pool) probe(ctx context.Context) bool {
	for _, e := range p.order() {
		nc, err := e.dial(ctx, p.policy.DialTimeout)
		if err == nil {
			_ = nc.Close()
			return true
		}
	}
	return false
}

// endpoint is one server of a pool.
type endpoint struct {
	pool   string
	server *policy.Server
	log    hclog.Logger
	meter  *meter.Endpoint
	now    func() time.Time

	mu       sync.Mutex
	state    state
	failures int       // in a row
	rest     time.Time // until when others come first
	speaking int       // legs that have heard it, and are open
	doubted  int       // sessions in a row that it took, and did not serve
}

type state uint8

const (
	isUnknown state = iota
	isReached       // it took a connection, and was not heard yet
	isUp            // it speaks Stratum
	isDown
)

// serves reports whether the last thing known of the endpoint is good.
func (e *endpoint) serves() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state == isReached || e.state == isUp
}

func (e *endpoint) resting() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now().Before(e.rest)
}

// dial connects. That alone does not make the endpoint well: it may take connections
// and say nothing.
func (e *endpoint) dial(ctx context.Context, timeout time.Duration) (net.Conn, error) {
	start := e.now()
	nc, err := transport.Dial(ctx, e.server.Target, timeout)
	e.meter.Dialled(dialResult(err), e.now().Sub(start))
	if err != nil {
		if ctx.Err() == nil { // else it was given up, not tried
			e.down(err)
		}
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state == isUnknown {
		e.state = isReached
	}
	return nc, nil
}

func dialResult(err error) string {
	var unresolved *net.DNSError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &unresolved):
		return "no_such_host"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "failed"
}

// The rest after a failure doubles from the shortest to the longest.
const (
	shortestRest = time.Second
	longestRest  = 30 * time.Second
)

// doubts is how many sessions in a row an endpoint that serves others must fail.
const doubts = 3

// fail notes that the endpoint did not serve a session, though it took its connection.
// One that serves others at the same time gets the benefit of the doubt for a while:
// what it did not like may be what that one miner said.
func (e *endpoint) fail(err error) {
	e.mu.Lock()
	e.doubted++
	spared := e.speaking > 0 && e.doubted < doubts
	e.mu.Unlock()
	if spared {
		e.log.Debug("server did not serve a miner", "pool", e.pool, "endpoint", e.server.Name, "error", err)
		return
	}
	e.down(err)
}

// down notes that the endpoint is of no use for now. It is logged once, not per try.
func (e *endpoint) down(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := e.now(); !now.Before(e.rest) { // many miners may fail at once
		e.rest = now.Add(min(longestRest, shortestRest<<min(e.failures, 5)))
		e.failures++
	}
	if e.state == isDown {
		e.log.Debug("server is still down", "pool", e.pool, "endpoint", e.server.Name, "error", err)
		return
	}
	e.state = isDown
	e.meter.SetUp(false)
	e.log.Warn("server is down", "pool", e.pool, "endpoint", e.server.Name, "address", e.server.Target.URL, "error", err)
}

// heard notes that the endpoint speaks Stratum to one more leg.
func (e *endpoint) heard() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.speaking++
	e.doubted = 0
	if e.state == isUp {
		return
	}
	if e.state == isDown {
		e.log.Info("server is up again", "pool", e.pool, "endpoint", e.server.Name)
	}
	e.state, e.failures, e.rest = isUp, 0, time.Time{}
	e.meter.SetUp(true)
}

// forget notes the end of a leg that has heard the endpoint.
func (e *endpoint) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.speaking--
}

// silence says in words why a pool's connection ended before it said anything.
func silence(err error, waited time.Duration) error {
	switch {
	case errors.Is(err, transport.ErrIdle):
		return fmt.Errorf("it took the connection and said nothing for %s", waited)
	case errors.Is(err, io.EOF):
		return errors.New("it closed the connection without a word")
	}
	return err
}

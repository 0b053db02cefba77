package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"

	"github.com/loka-proxy/loka/core/meter"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/transport"
)

// endpoint is one server of a pool. What is known of it comes from the sessions that it
// serves, or fails to serve; it is probed only where none can tell.
type endpoint struct {
	pool   string
	server *policy.Server
	log    hclog.Logger
	meter  *meter.Endpoint
	now    func() time.Time
	// aside says that an operator has it take no new sessions, and emptied that those it
	// has are to go.
	aside, emptied atomic.Bool
	// retired says that it is not of the policy in force any more, though legs that were
	// left may be open: another server may have its name.
	retired atomic.Bool
	// leaving is how many of its miners are to go to another server, or everyone.
	leaving atomic.Int64
	// astray limits what is logged of miners that it sends where loka does not go.
	astray rate.Sometimes
	// sent is where the server sends its miners; nil for to itself.
	sent  atomic.Pointer[transport.Target]
	fresh credit // what came since it was last taken into the load

	mu       sync.Mutex
	state    state
	broken   bool      // it was down, and has not settled since
	failures int       // in a row, or since it last settled
	rest     time.Time // until when it is not tried without need
	since    time.Time // when it came up
	settled  time.Time // when it settled last, after it had been down
	relapses int       // how often it went down soon after it had settled
	deaf     bool      // it went down under legs that it had served
	speaking int       // legs that have heard it, and are open
	doubted  int       // sessions in a row that it took, and did not serve
	drops    drops
	load     load

	probing bool
	missed  int       // probes in a row
	asked   time.Time // when something was last known of it
}

// drops counts the legs that an endpoint ended lately.
type drops struct {
	since time.Time
	count int
}

type state uint8

const (
	isUnknown state = iota
	isReached       // it took a connection, and was not heard yet
	isUp            // it speaks Stratum
	isDown
)

func newEndpoint(pool string, s *policy.Server, opt Options) *endpoint {
	return &endpoint{pool: pool, server: s, log: opt.Log, meter: opt.Meter.Endpoint(pool, s.Name), now: opt.Now, asked: opt.Now(), astray: rate.Sometimes{Interval: quiet}}
}

// serves reports whether the last thing known of the endpoint is good.
func (e *endpoint) serves() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state == isReached || e.state == isUp
}

// usable reports whether a miner may be sent there: it is in service, and not known to
// be down.
func (e *endpoint) usable() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.aside.Load() && e.state != isDown
}

// dial connects. That alone does not make the endpoint well: it may take connections
// and say nothing.
func (e *endpoint) dial(ctx context.Context, timeout time.Duration) (net.Conn, error) {
	start := e.now()
	nc, err := e.reach(ctx, timeout)
	e.meter.Dialled(dialResult(err), e.now().Sub(start))
	if err != nil {
		if ctx.Err() == nil && !ownFault(err) { // else it was given up, not tried
			e.fail(err)
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

// ownFault tells what keeps loka itself from connecting, to this server or any other.
func ownFault(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
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

// restAfter gives the rest after so many failures, between half of it and all of it:
// endpoints that failed together, and lokas that lost the same pool, come back one by one.
func restAfter(failures int) time.Duration {
	most := min(longestRest, shortestRest<<min(failures, 5))
	return most/2 + rand.N(most/2+1)
}

// doubts is how many sessions in a row an endpoint that serves others must fail.
const doubts = 3

// fail notes that the endpoint did not serve a new leg, whether it took its connection or
// not. One that serves others at the same time gets the benefit of the doubt for a while:
// what it did not like may be what that one miner said.
func (e *endpoint) fail(err error) {
	if e.spared(0) {
		e.log.Debug("server did not serve a miner", "pool", e.pool, "endpoint", e.server.Name, "error", err)
		return
	}
	e.down(err)
}

// unanswered notes that the endpoint left a leg that it has served, and that is not
// forgotten yet, without an answer. If it is down for that, its other miners need not each
// wait as long to find out.
func (e *endpoint) unanswered(err error) {
	if e.spared(1) {
		e.log.Debug("server does not answer a miner", "pool", e.pool, "endpoint", e.server.Name, "error", err)
		return
	}
	e.down(err)
	e.mu.Lock()
	e.deaf = true
	e.mu.Unlock()
}

// spared counts a failure, and reports whether it may be due to the miner: the endpoint
// has heard legs besides those that are concerned.
func (e *endpoint) spared(concerned int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.doubted++
	return e.speaking > concerned && e.doubted < doubts
}

// Within dropsWithin, an endpoint may end some of the legs that it had served: miners are
// sent away for what they do. One that ends many more than it keeps is down, though it
// takes connections again at once.
const dropsWithin = 10 * time.Second

// dropped notes that the endpoint ended a leg that it had served, and that is not
// forgotten yet.
func (e *endpoint) dropped(err error) {
	e.mu.Lock()
	if now := e.now(); now.Sub(e.drops.since) > dropsWithin {
		e.drops = drops{since: now}
	}
	e.drops.count++
	broke := e.drops.count >= doubts && e.drops.count > 3*(e.speaking-1)
	if broke {
		e.drops = drops{}
	}
	e.mu.Unlock()
	if broke {
		e.down(fmt.Errorf("it ends the connections of its miners: %w", err))
	}
}

// down notes that the endpoint is of no use for now. It is logged once, not per try.
func (e *endpoint) down(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	if !now.Before(e.rest) { // many miners may fail at once
		e.rest = now.Add(restAfter(e.failures))
		e.failures++
	}
	if e.state == isDown {
		e.log.Debug("server is still down", "pool", e.pool, "endpoint", e.server.Name, "error", err)
		return
	}
	e.relapse(now)
	e.state, e.broken = isDown, true
	e.tell(false)
	e.log.Warn("server is down", "pool", e.pool, "endpoint", e.server.Name, "address", e.server.Target.URL, "error", err)
}

// tell makes known whether the endpoint is up.
func (e *endpoint) tell(up bool) {
	if !e.retired.Load() {
		e.meter.SetUp(up)
	}
}

// heard notes that the endpoint speaks Stratum to one more leg.
func (e *endpoint) heard() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.speaking++
	e.doubted = 0
	e.comeUp()
}

// comeUp notes that the endpoint speaks Stratum. The lock is held.
func (e *endpoint) comeUp() {
	e.missed, e.asked = 0, e.now()
	if e.state == isUp {
		return
	}
	if e.state == isDown {
		e.log.Info("server is up again", "pool", e.pool, "endpoint", e.server.Name)
	}
	e.state, e.since, e.rest, e.deaf, e.drops = isUp, e.asked, time.Time{}, false, drops{}
	e.tell(true)
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

package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/transport"
)

// maxProbes is how many probes are under way at once.
const maxProbes = 8

// lookAfter decides for every pool who is to move, and probes the servers of which no
// session can tell how they are. It does not wait for the probes.
func (d *Daemon) lookAfter(now time.Time) {
	for _, p := range d.watched() {
		p.tick(now)
		p.figures.show(now, p)
		for _, e := range p.due(now) {
			select {
			case d.probes <- struct{}{}:
			default: // the next look finds it still due
				e.probed()
				continue
			}
			d.watching.Go(func() {
				defer func() { <-d.probes }()
				e.probe(d.ctx, p.policy)
			})
		}
	}
}

// watched are the pools that sessions may be with: those of the policy in force, and what
// a policy under trial has besides.
func (d *Daemon) watched() []*pool {
	now := d.current.Load().pools
	list := slices.Collect(maps.Values(now))
	if t := d.trial.Load(); t != nil {
		for name, p := range t.generation.pools {
			if now[name] == nil {
				list = append(list, p)
			}
		}
	}
	return list
}

// due gives the endpoints that are to be probed now, which are taken to be under probe
// from then on.
func (p *pool) due(now time.Time) (list []*endpoint) {
	legs := 0
	for _, s := range p.look(now) {
		legs += s.load.legs
	}
	awaited := legs > 0 && (p.policy.Strategy == policy.Failover || p.policy.Strategy == policy.Weighted)
	sought := p.sought.Swap(false)
	for _, e := range p.endpoints {
		if e.due(now, awaited, sought, p.policy.Health.Interval) {
			list = append(list, e)
		}
	}
	return list
}

// due reports whether the endpoint is to be probed: when its rest after a failure is over,
// or at each look while miners without a pool seek one that is up, since every second of
// theirs is lost; and where it stands by for miners that are elsewhere, or has yet to settle. While
// miners are there, they tell how it is.
func (e *endpoint) due(now time.Time, awaited, sought bool, interval time.Duration) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.probing:
		return false
	case e.state == isDown:
		e.probing = sought || !now.Before(e.rest)
	default:
		spread := rand.N(interval/5+1) - interval/10 // lokas of one farm do not probe in step
		e.probing = e.load.legs == 0 && (awaited || e.broken) && now.Sub(e.asked) >= interval+spread
	}
	return e.probing
}

// probed ends a probe, or takes back that one was to be.
func (e *endpoint) probed() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.probing = false
}

// probe asks the endpoint for a subscription, as a miner would, and leaves. It never
// authorizes: a probe is nobody's worker.
func (e *endpoint) probe(ctx context.Context, p *policy.Pool) {
	defer e.probed()
	err := e.subscribe(ctx, p)
	if ctx.Err() != nil || ownFault(err) { // it was given up
		return
	}
	e.meter.Probed(probeResult(err))
	if err != nil {
		e.miss(fmt.Errorf("probe: %w", err), p.Health.Failures)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.comeUp()
}

// miss notes a probe that failed. An endpoint that was well is given some more.
func (e *endpoint) miss(err error, failures int) {
	e.mu.Lock()
	e.missed++
	e.asked = e.now()
	spared := !e.broken && e.missed < failures
	e.mu.Unlock()
	if spared {
		e.log.Debug("server failed a probe", "pool", e.pool, "endpoint", e.server.Name, "error", err)
		return
	}
	e.down(err)
}

// errAnswered ends the reading of a probe.
var errAnswered = errors.New("the probe is answered")

// What a probe is answered, beside what a dial may come to.
var (
	errSilent  = errors.New("no answer to mining.subscribe")
	errRefused = errors.New("mining.subscribe was answered with an error")
	errForeign = errors.New("what came is no Stratum")
)

func probeResult(err error) string {
	switch {
	case errors.Is(err, errSilent):
		return "silent"
	case errors.Is(err, errRefused):
		return "denied"
	case errors.Is(err, errForeign):
		return "foreign"
	}
	return dialResult(err)
}

// subscription is what a probe says.
const subscription = `{"id":1,"method":"mining.subscribe","params":["loka"]}` + "\n"

func (e *endpoint) subscribe(ctx context.Context, p *policy.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, p.Health.Timeout)
	defer cancel()
	nc, err := transport.Dial(ctx, e.server.Target, p.Health.Timeout)
	if err != nil {
		return err
	}
	conn := transport.NewConn(nc, transport.Options{MaxLine: p.MaxLineBytes, WriteTimeout: p.Health.Timeout})
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // a pool may talk and never answer
	if _, err := conn.Write([]byte(subscription)); err != nil {
		return err
	}
	answer := errSilent
	err = conn.Lines(func(chunk []byte, _ time.Time) error {
		answer = subscriptionAnswered(chunk)
		if answer == errSilent {
			return nil
		}
		return errAnswered
	})
	if errors.Is(err, transport.ErrLineTooLong) {
		return errForeign
	}
	return answer
}

// subscriptionAnswered looks for the answer to a probe among lines of the pool. A pool
// may send work before it.
func subscriptionAnswered(chunk []byte) error {
	for line := range bytes.Lines(chunk) {
		line = bytes.TrimSpace(line)
		var m stratum.Message
		switch err := stratum.Scan(line, &m); {
		case len(line) == 0:
		case err != nil:
			return errForeign
		case m.Method.Present() || string(m.ID.Of(line)) != "1":
		case m.Result.Present() && line[m.Result.From] == '[':
			return nil
		default:
			return errRefused
		}
	}
	return errSilent
}

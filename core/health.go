package core

import (
	"context"
	"errors"
	"fmt"
)

// Ready reports whether miners can be served: every listener is bound, loka is not
// stopping, and at least one pool of the policy is reachable. Otherwise it says why not.
func (d *Daemon) Ready(ctx context.Context) error {
	d.mu.Lock()
	draining := d.draining
	d.mu.Unlock()
	if draining {
		return errors.New("stopping")
	}
	for _, f := range d.fronts {
		if f.socket == nil {
			return fmt.Errorf("%s does not listen on %s", f.proxy.name, f.policy.Address)
		}
	}
	for _, p := range d.pools {
		if p.serves() {
			return nil
		}
	}
	if d.probe(ctx) {
		return nil
	}
	return errors.New("no pool is reachable")
}

// probe dials all pools at once and reports whether one took the connection.
func (d *Daemon) probe(ctx context.Context) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reached := make(chan bool, len(d.pools))
	for _, p := range d.pools {
		go func() { reached <- p.probe(ctx) }()
	}
	any := false
	for range d.pools {
		if <-reached {
			any = true
			cancel()
		}
	}
	return any
}

package core

import (
	"context"
	"errors"
)

// Ready reports whether miners can be served: every listener is bound, loka is not
// stopping, and at least one pool of the policy is reachable. Otherwise it says why not.
func (d *Daemon) Ready(ctx context.Context) error {
	d.mu.Lock()
	draining, serving := d.draining, d.serving
	d.mu.Unlock()
	switch {
	case draining:
		return errors.New("stopping")
	case !serving:
		return errors.New("starting")
	}
	pools := d.current.Load().pools
	for _, p := range pools {
		if p.serves() {
			return nil
		}
	}
	if reachable(ctx, pools) {
		return nil
	}
	return errors.New("no pool is reachable")
}

// reachable dials all pools at once and reports whether one took the connection.
func reachable(ctx context.Context, pools map[string]*pool) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reached := make(chan bool, len(pools))
	for _, p := range pools {
		go func() { reached <- p.reachable(ctx) }()
	}
	any := false
	for range pools {
		if <-reached {
			any = true
			cancel()
		}
	}
	return any
}

package core

import (
	"context"
	"fmt"
)

// Ready reports whether miners can be served: every listener is bound, loka is not
// stopping, and at least one pool of the policy is reachable. Otherwise it says why not.
func (d *Daemon) Ready(ctx context.Context) error {
	d.mu.Lock()
	draining := d.draining
	d.mu.Unlock()
	if draining {
		return fmt.Errorf("stopping")
	}
	for _, f := range d.fronts {
		if f.socket == nil {
			return fmt.Errorf("%s does not listen on %s", f.proxy.name, f.policy.Address)
		}
	}
	for _, p := range d.policy.Pools {
		if d.pools[p.Address].reachable(ctx) {
			return nil
		}
	}
	return fmt.Errorf("no pool is reachable")
}

// Package await lets a test wait for a condition instead of sleeping.
package await

import (
	"context"
	"sync"
)

// Gate wakes those who wait whenever something has changed. The zero Gate is ready; L guards what it is about.
type Gate struct {
	L       sync.Mutex
	changed chan struct{}
}

// Changed wakes everyone in Until. The caller holds L.
func (g *Gate) Changed() {
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}

// Until returns when ok, which is called with L held, says so, or with the context's error.
func (g *Gate) Until(ctx context.Context, ok func() bool) error {
	for {
		g.L.Lock()
		if ok() {
			g.L.Unlock()
			return nil
		}
		if g.changed == nil {
			g.changed = make(chan struct{})
		}
		changed := g.changed
		g.L.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

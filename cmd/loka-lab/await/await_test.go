package await

import (
	"context"
	"errors"
	"sync"
	"testing"
)

func TestUntil(t *testing.T) {
	var gate Gate
	n := 0
	var waiting sync.WaitGroup
	for range 10 {
		waiting.Go(func() {
			if err := gate.Until(t.Context(), func() bool { return n == 1000 }); err != nil {
				t.Error(err)
			}
		})
	}
	for range 1000 {
		gate.L.Lock()
		n++
		gate.Changed()
		gate.L.Unlock()
	}
	waiting.Wait()
}

func TestUntilEnds(t *testing.T) {
	var gate Gate
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := gate.Until(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := gate.Until(ctx, func() bool { return true }); err != nil {
		t.Error(err)
	}
}

package meter

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// family resolves the children of a vector by a key from a small set, each when it is
// first counted: looking one up afterwards is one read of a map.
type family[K comparable] struct {
	resolve func(K) prometheus.Counter
	known   atomic.Pointer[map[K]prometheus.Counter]
	mu      sync.Mutex
}

func newFamily[K comparable](resolve func(K) prometheus.Counter) *family[K] {
	f := &family[K]{resolve: resolve}
	f.known.Store(&map[K]prometheus.Counter{})
	return f
}

func (f *family[K]) get(key K) prometheus.Counter {
	if c, ok := (*f.known.Load())[key]; ok {
		return c
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	known := maps.Clone(*f.known.Load())
	c, ok := known[key]
	if !ok {
		c = f.resolve(key)
		known[key] = c
		f.known.Store(&known)
	}
	return c
}

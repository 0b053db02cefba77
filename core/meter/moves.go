package meter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Moves counts what became of the miners of one proxy that were to be at another pool.
type Moves struct {
	ways   *family[string]
	idle   prometheus.Observer
	Failed prometheus.Counter // attempts
}

// Moves resolves the handles of a proxy.
func (m *Meter) Moves(proxy string) *Moves {
	return &Moves{
		ways:   newFamily(func(way string) prometheus.Counter { return m.moves.WithLabelValues(proxy, way) }),
		idle:   m.idle.WithLabelValues(proxy),
		Failed: m.movesFailed.WithLabelValues(proxy),
	}
}

// Moved counts a miner that was told of another pool in one of the ways that there are,
// and for how long it had no job.
func (m *Moves) Moved(way string, idle time.Duration) {
	m.ways.get(way).Inc()
	m.idle.Observe(idle.Seconds())
}

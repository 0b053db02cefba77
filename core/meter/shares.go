package meter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Shares counts the shares of one proxy at one pool. Every submitted share is counted
// once as Submitted and once as one of the others, or is Pending.
type Shares struct {
	Submitted, Accepted      prometheus.Counter
	Denied, Replied, Dropped prometheus.Counter
	Pending                  prometheus.Gauge
	rejected, lost           *family[string]
	verdict                  prometheus.Observer
}

// Shares resolves the handles of a proxy and a pool.
func (m *Meter) Shares(proxy, pool string) *Shares {
	return &Shares{
		Submitted: m.submitted.WithLabelValues(proxy, pool),
		Accepted:  m.accepted.WithLabelValues(proxy, pool),
		Denied:    m.denied.WithLabelValues(proxy, pool),
		Replied:   m.replied.WithLabelValues(proxy, pool),
		Dropped:   m.dropped.WithLabelValues(proxy, pool),
		Pending:   m.pending.WithLabelValues(proxy, pool),
		rejected:  newFamily(func(reason string) prometheus.Counter { return m.rejected.WithLabelValues(proxy, pool, reason) }),
		lost:      newFamily(func(reason string) prometheus.Counter { return m.lost.WithLabelValues(proxy, pool, reason) }),
		verdict:   m.shareTime.WithLabelValues(proxy, pool),
	}
}

// Rejected counts a share that the pool rejected.
func (s *Shares) Rejected(reason string) { s.rejected.get(reason).Inc() }

// Lost counts a share that got no answer.
func (s *Shares) Lost(reason string) { s.lost.get(reason).Inc() }

// Judged observes the time that a pool took for its verdict.
func (s *Shares) Judged(took time.Duration) { s.verdict.Observe(took.Seconds()) }

// Endpoint counts what happens with one server of a pool.
type Endpoint struct {
	results *family[string]
	probes  *family[string]
	up      prometheus.Gauge
	took    prometheus.Observer
}

// Endpoint resolves the handles of a server.
func (m *Meter) Endpoint(pool, endpoint string) *Endpoint {
	return &Endpoint{
		results: newFamily(func(result string) prometheus.Counter { return m.dials.WithLabelValues(pool, endpoint, result) }),
		probes:  newFamily(func(result string) prometheus.Counter { return m.probes.WithLabelValues(pool, endpoint, result) }),
		up:      m.up.WithLabelValues(pool, endpoint),
		took:    m.dialTime.WithLabelValues(pool, endpoint),
	}
}

// Dialled counts an attempt: "ok", or why it failed.
func (e *Endpoint) Dialled(result string, took time.Duration) {
	e.results.get(result).Inc()
	if result == "ok" {
		e.took.Observe(took.Seconds())
	}
}

// Probed counts a probe: "ok", or why it failed.
func (e *Endpoint) Probed(result string) { e.probes.get(result).Inc() }

// SetUp says whether the server answers.
func (e *Endpoint) SetUp(up bool) {
	e.up.Set(0)
	if up {
		e.up.Set(1)
	}
}

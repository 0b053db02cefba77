package meter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Meter is the registry and its families.
type Meter struct {
	registry *prometheus.Registry

	sessions, pending              *prometheus.GaugeVec
	opened, closed                 *prometheus.CounterVec
	messages, refused, odd         *prometheus.CounterVec
	renumbered                     *prometheus.CounterVec
	bytes                          *prometheus.CounterVec
	ruleMatches, ruleErrors        *prometheus.CounterVec
	submitted, accepted, rejected  *prometheus.CounterVec
	denied, replied, dropped, lost *prometheus.CounterVec
	dials, probes                  *prometheus.CounterVec
	up                             *prometheus.GaugeVec
	relay, dialTime, shareTime     *prometheus.HistogramVec
	policy                         *prometheus.GaugeVec
	reloads                        *prometheus.CounterVec
	reloadWell, reloadTime         prometheus.Gauge
	moves, movesFailed             *prometheus.CounterVec
	idle                           *prometheus.HistogramVec
}

// New makes a registry of its own, with what Go tells of the process.
func New() *Meter {
	m := &Meter{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.sessions = m.gauge("loka_sessions", "Miners connected now.", "proxy", "listener")
	m.opened = m.counter("loka_sessions_opened_total", "Miners that connected.", "proxy", "listener")
	m.closed = m.counter("loka_sessions_closed_total", "Sessions that ended, by reason.", "proxy", "reason")
	m.messages = m.counter("loka_messages_total", "Messages by kind, method and what became of them.", "proxy", "kind", "method", "verdict")
	m.refused = m.counter("loka_lines_refused_total", "Lines that were not forwarded because they are no messages, by reason.", "proxy", "reason")
	m.odd = m.counter("loka_lines_odd_total", "Lines that were forwarded all the same: replies to nothing (unmatched), and messages of a pool that no rule could be shown (unjudged).", "proxy", "what")
	m.renumbered = m.counter("loka_requests_renumbered_total", "Requests sent up under another id, because their own was still unanswered.", "proxy")
	m.bytes = m.counter("loka_received_bytes_total", "Bytes received, by the side they came from.", "proxy", "from")
	m.ruleMatches = m.counter("loka_rule_matches_total", "Messages that a rule matched.", "proxy", "rule")
	m.ruleErrors = m.counter("loka_rule_errors_total", "Messages on which an expression of a rule failed.", "proxy", "rule")
	m.shares()
	m.dials = m.counter("loka_dials_total", "Attempts to reach a server of a pool, by result.", "pool", "endpoint", "result")
	m.probes = m.counter("loka_probes_total", "Probes of servers that are down or stand by, by result.", "pool", "endpoint", "result")
	m.up = m.gauge("loka_endpoint_up", "Whether the server answered the last time that a miner needed it, or that it was probed.", "pool", "endpoint")
	m.dialTime = m.histogram("loka_dial_seconds", "Time to reach a server: name, TCP and TLS.", prometheus.ExponentialBuckets(0.001, 2, 14), "pool", "endpoint")
	m.relay = m.histogram("loka_relay_seconds", "Time from reading lines to having written what became of them.", prometheus.ExponentialBuckets(0.00001, 2, 16), "proxy", "from")
	m.moves = m.counter("loka_moves_total", "Miners that were told of another pool: by a job, by another extranonce, or by having to reconnect.", "proxy", "way")
	m.movesFailed = m.counter("loka_moves_failed_total", "Attempts to move a miner that left it where it was.", "proxy")
	m.idle = m.histogram("loka_move_idle_seconds", "How long a miner that was moved had no job of a pool.", prometheus.ExponentialBuckets(0.01, 2, 14), "proxy")
	m.policy = m.gauge("loka_policy_info", "The policy in force.", "hash", "generation")
	m.reloads = m.counter("loka_policy_reloads_total", "Attempts to put the policy files in force, by result.", "result")
	m.reloadWell = m.gauge("loka_policy_last_reload_successful", "Whether the last attempt to reload the policy was successful.").WithLabelValues()
	m.reloadTime = m.gauge("loka_policy_last_reload_success_timestamp_seconds", "When the policy was last loaded or reloaded with success.").WithLabelValues()
	return m
}

// shares makes the families whose sum is the conservation of shares: submitted =
// accepted + rejected + denied + replied + dropped + lost + pending.
func (m *Meter) shares() {
	m.submitted = m.counter("loka_shares_submitted_total", "Shares that miners submitted.", "proxy", "pool")
	m.accepted = m.counter("loka_shares_accepted_total", "Shares that the pool accepted.", "proxy", "pool")
	m.rejected = m.counter("loka_shares_rejected_total", "Shares that the pool rejected, by reason.", "proxy", "pool", "reason")
	m.denied = m.counter("loka_shares_denied_total", "Shares that loka answered with an error.", "proxy", "pool")
	m.replied = m.counter("loka_shares_replied_total", "Shares that a rule answered in the pool's place.", "proxy", "pool")
	m.dropped = m.counter("loka_shares_dropped_total", "Shares that a rule dropped.", "proxy", "pool")
	m.lost = m.counter("loka_shares_lost_total", "Shares that went to the pool and got no answer, by reason.", "proxy", "pool", "reason")
	m.pending = m.gauge("loka_shares_pending", "Shares that the pool has yet to answer.", "proxy", "pool")
	m.shareTime = m.histogram("loka_share_seconds", "Time from reading a share to reading the pool's verdict.", prometheus.ExponentialBuckets(0.001, 2, 14), "proxy", "pool")
}

// Gatherer gives what is served at /metrics.
func (m *Meter) Gatherer() prometheus.Gatherer { return m.registry }

// SetPolicy says which policy is in force.
func (m *Meter) SetPolicy(hash, generation string) {
	m.policy.Reset()
	m.policy.WithLabelValues(hash, generation).Set(1)
}

// Reloaded counts an attempt to put the policy files in force: applied, unchanged or
// refused.
func (m *Meter) Reloaded(result string, at time.Time) {
	m.reloads.WithLabelValues(result).Inc()
	if result == "refused" {
		m.reloadWell.Set(0)
		return
	}
	m.Loaded(at)
}

// Loaded notes that the files are in force.
func (m *Meter) Loaded(at time.Time) {
	m.reloadWell.Set(1)
	m.reloadTime.Set(float64(at.UnixMilli()) / 1000)
}

func (m *Meter) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Meter) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Meter) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(v)
	return v
}

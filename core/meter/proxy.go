package meter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Proxy counts what one proxy does.
type Proxy struct {
	name        string
	messages    *family[message]
	refused     *family[string]
	odd         *family[string]
	closed      *family[string]
	renumbered  prometheus.Counter
	ruleMatches []prometheus.Counter
	ruleErrors  []prometheus.Counter

	// FromMiner and FromPool count what came from each side.
	FromMiner, FromPool Side
}

type message struct{ kind, method, verdict string }

// Side counts what came from one side of a proxy.
type Side struct {
	bytes prometheus.Counter
	relay prometheus.Observer
}

// Proxy resolves the handles of a proxy. Rules are the addresses of its rules, in the
// order of their numbers.
func (m *Meter) Proxy(name string, rules []string) *Proxy {
	p := &Proxy{
		name: name,
		messages: newFamily(func(k message) prometheus.Counter {
			return m.messages.WithLabelValues(name, k.kind, k.method, k.verdict)
		}),
		refused:    newFamily(func(reason string) prometheus.Counter { return m.refused.WithLabelValues(name, reason) }),
		odd:        newFamily(func(what string) prometheus.Counter { return m.odd.WithLabelValues(name, what) }),
		closed:     newFamily(func(reason string) prometheus.Counter { return m.closed.WithLabelValues(name, reason) }),
		renumbered: m.renumbered.WithLabelValues(name),
		FromMiner:  m.side(name, "miner"),
		FromPool:   m.side(name, "pool"),
	}
	for _, rule := range rules {
		p.ruleMatches = append(p.ruleMatches, m.ruleMatches.WithLabelValues(name, rule))
		p.ruleErrors = append(p.ruleErrors, m.ruleErrors.WithLabelValues(name, rule))
	}
	return p
}

func (m *Meter) side(proxy, from string) Side {
	return Side{m.bytes.WithLabelValues(proxy, from), m.relay.WithLabelValues(proxy, from)}
}

// Message counts one message. The method must be one of a fixed set.
func (p *Proxy) Message(kind, method, verdict string) {
	p.messages.get(message{kind, method, verdict}).Inc()
}

// Refused counts a line that was not forwarded.
func (p *Proxy) Refused(reason string) { p.refused.get(reason).Inc() }

// Odd counts a line that was forwarded all the same.
func (p *Proxy) Odd(what string) { p.odd.get(what).Inc() }

// Closed counts a session that ended.
func (p *Proxy) Closed(reason string) { p.closed.get(reason).Inc() }

// Renumbered counts a request that went up under another id.
func (p *Proxy) Renumbered() { p.renumbered.Inc() }

// RuleMatched and RuleFailed count for the rule of a number.
func (p *Proxy) RuleMatched(rule int) { p.ruleMatches[rule].Inc() }

// RuleFailed counts a message on which an expression failed.
func (p *Proxy) RuleFailed(rule int) { p.ruleErrors[rule].Inc() }

// Relayed counts a chunk of lines: its size as it came, and the time from reading it
// to having written what became of it.
func (s *Side) Relayed(bytes int, took time.Duration) {
	s.bytes.Add(float64(bytes))
	s.relay.Observe(took.Seconds())
}

// Listener counts the sessions of one listener.
type Listener struct {
	now    prometheus.Gauge
	opened prometheus.Counter
}

// Listener resolves the handles of a listener.
func (m *Meter) Listener(proxy, listener string) *Listener {
	return &Listener{m.sessions.WithLabelValues(proxy, listener), m.opened.WithLabelValues(proxy, listener)}
}

// Opened and Closed count a session's begin and end.
func (l *Listener) Opened() { l.now.Inc(); l.opened.Inc() }

// Closed counts a session's end.
func (l *Listener) Closed() { l.now.Dec() }

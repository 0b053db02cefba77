package meter_test

import (
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/loka-proxy/loka/core/meter"
)

// touch counts everything once.
func touch(m *meter.Meter) {
	p := m.Proxy(`proxy.site["one"]`, []string{"ruleset.house.request.a"})
	p.Message("request", "mining.submit", "forward")
	p.Refused("blank")
	p.Odd("unmatched")
	p.Closed("miner_gone")
	p.Renumbered()
	p.RuleMatched(0)
	p.RuleFailed(0)
	p.FromMiner.Relayed(165, 20*time.Microsecond)
	p.FromPool.Relayed(40, 20*time.Microsecond)
	l := m.Listener(`proxy.site["one"]`, ":3333")
	l.Opened()
	l.Closed()
	s := m.Shares(`proxy.site["one"]`, "pool.p")
	s.Submitted.Inc()
	s.Rejected("stale")
	s.Lost("pool_gone")
	s.Judged(time.Millisecond)
	e := m.Endpoint("pool.p", "a")
	e.Dialled("ok", time.Millisecond)
	e.Probed("ok")
	e.SetUp(true)
	m.SetPolicy("abc", "1")
}

// TestMetricsAreWellFormed holds names and help against Prometheus' own lint.
func TestMetricsAreWellFormed(t *testing.T) {
	m := meter.New()
	touch(m)
	problems, err := testutil.GatherAndLint(m.Gatherer())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestCountingAllocatesNothing counts what is counted for every message.
func TestCountingAllocatesNothing(t *testing.T) {
	p := meter.New().Proxy("proxy.x", []string{"r"})
	p.Message("request", "mining.submit", "forward")
	if n := testing.AllocsPerRun(100, func() {
		p.Message("request", "mining.submit", "forward")
		p.RuleMatched(0)
		p.FromMiner.Relayed(165, time.Microsecond)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestCountingAtOnce counts new series from many goroutines; none may be lost.
func TestCountingAtOnce(t *testing.T) {
	m := meter.New()
	p := m.Proxy("proxy.x", nil)
	reasons := []string{"a", "b", "c", "d", "e"}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 1000 {
				p.Refused(reasons[i%len(reasons)])
			}
		})
	}
	wg.Wait()
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() == "loka_lines_refused_total" {
			for _, metric := range f.GetMetric() {
				sum += metric.GetCounter().GetValue()
			}
		}
	}
	if sum != 8000 {
		t.Errorf("counted %v", sum)
	}
}

func BenchmarkMessage(b *testing.B) {
	p := meter.New().Proxy("proxy.x", nil)
	b.ReportAllocs()
	for b.Loop() {
		p.Message("request", "mining.submit", "forward")
		p.FromMiner.Relayed(165, time.Microsecond)
	}
}

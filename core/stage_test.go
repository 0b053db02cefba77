package core_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/meter"
	"github.com/loka-proxy/loka/core/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test; no test waits that long unless it fails.
const patience = 20 * time.Second

// stage is a running daemon with pools and miners that the test plays itself.
type stage struct {
	t      *testing.T
	daemon *core.Daemon
	meter  *meter.Meter
	log    *logBuffer
	pool   net.Listener
	ahead  atomic.Int64 // of the clock that the daemon has
}

// logBuffer is a log that tests read.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// listen binds a port of loopback.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// perform starts a daemon with one pool, played by the test, and one proxy with the
// given rules and other contents of its block.
func perform(t *testing.T, body string) *stage {
	t.Helper()
	pool := listen(t)
	s := performPolicy(t, `
pool "p" {
  server "a" { address = "stratum+tcp://`+pool.Addr().String()+`" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = "127.0.0.1:0" }
`+body+`
}
`)
	s.pool = pool
	return s
}

// performPolicy starts a daemon with a whole policy.
func performPolicy(t *testing.T, text string) *stage {
	t.Helper()
	return start(t, load(t, text))
}

func load(t *testing.T, text string) *policy.Policy {
	t.Helper()
	file := filepath.Join(t.TempDir(), "loka.hcl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, diags := policy.Load(file, policy.Options{})
	if diags.HasErrors() {
		var b bytes.Buffer
		_ = diags.Write(&b)
		t.Fatalf("the policy does not load:\n%s", b.String())
	}
	return p
}

func start(t *testing.T, p *policy.Policy) *stage {
	t.Helper()
	s := &stage{t: t}
	s.prepare(p)
	if err := s.daemon.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.daemon.Serve()
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("log:\n%s", s.log.String())
		}
	})
	return s
}

// prepare makes the daemon, which is not started.
func (s *stage) prepare(p *policy.Policy) {
	s.meter, s.log = meter.New(), &logBuffer{}
	log := hclog.New(&hclog.LoggerOptions{Output: s.log, Level: hclog.Debug})
	s.daemon = core.New(p, core.Options{Log: log, Meter: s.meter, Now: s.now})
}

func (s *stage) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

// pass has the daemon think that it is later.
func (s *stage) pass(d time.Duration) { s.ahead.Add(int64(d)) }

// stop ends the daemon without waiting for anybody.
func (s *stage) stop() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.daemon.Drain(ctx)
}

// addr is the address of the proxy's listener with a number.
func (s *stage) addr(i int) string { return s.daemon.Addrs()[i].String() }

// miner connects to the proxy.
func (s *stage) miner() *wire {
	s.t.Helper()
	nc, err := net.Dial("tcp", s.addr(0))
	if err != nil {
		s.t.Fatal(err)
	}
	return newWire(s.t, nc)
}

// accept takes the proxy's next connection to the pool.
func (s *stage) accept() *wire {
	s.t.Helper()
	return accept(s.t, s.pool)
}

func accept(t *testing.T, l net.Listener) *wire {
	t.Helper()
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	nc, err := l.Accept()
	if err != nil {
		t.Fatal("no connection to the pool: ", err)
	}
	return newWire(t, nc)
}

// pair gives a miner and its connection at the pool, subscribed.
func (s *stage) pair() (miner, pool *wire) {
	s.t.Helper()
	miner = s.miner()
	miner.send(subscribe)
	pool = s.accept()
	pool.want(subscribe)
	pool.send(subscribed)
	miner.want(subscribed)
	return miner, pool
}

const (
	subscribe  = `{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1"]}`
	subscribed = `{"id":1,"result":[[["mining.set_difficulty","s1"],["mining.notify","s1"]],"f0000001",4],"error":null}`
	authorize  = `{"id": 2, "method": "mining.authorize", "params": ["john.test", "x"]}`
	authorized = `{"id":2,"result":true,"error":null}`
	submit     = `{"method": "mining.submit", "params": ["john.test", "6a1f", "00000000", "66a0b1c2", "deadbeef"], "id":4}`
	accepted   = `{"id":4,"result":true,"error":null}`
)

// wire is one end of a connection that the test holds.
type wire struct {
	t  *testing.T
	nc *net.TCPConn
	r  *bufio.Reader
}

func newWire(t *testing.T, nc net.Conn) *wire {
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	return &wire{t: t, nc: nc.(*net.TCPConn), r: bufio.NewReaderSize(nc, 512<<10)}
}

// send writes a line.
func (w *wire) send(lines ...string) {
	w.t.Helper()
	w.raw(strings.Join(lines, "\n") + "\n")
}

// raw writes bytes.
func (w *wire) raw(text string) {
	w.t.Helper()
	if _, err := w.nc.Write([]byte(text)); err != nil {
		w.t.Fatal(err)
	}
}

// line reads one line, without its end.
func (w *wire) line() string {
	w.t.Helper()
	text, err := w.r.ReadString('\n')
	if err != nil {
		w.t.Fatalf("no line, but %q, %v", text, err)
	}
	return strings.TrimSuffix(text, "\n")
}

// want reads lines and compares them to the byte.
func (w *wire) want(lines ...string) {
	w.t.Helper()
	for _, want := range lines {
		if got := w.line(); got != want {
			w.t.Fatalf("\n got %s\nwant %s", got, want)
		}
	}
}

// wantClosed waits for the end of the connection, with nothing before it.
func (w *wire) wantClosed() {
	w.t.Helper()
	rest, err := io.ReadAll(w.r)
	var timeout net.Error
	if len(rest) > 0 || errors.As(err, &timeout) && timeout.Timeout() {
		w.t.Fatalf("not closed: %q, %v", rest, err)
	}
}

// reset ends the connection with a RST.
func (w *wire) reset() {
	_ = w.nc.SetLinger(0)
	_ = w.nc.Close()
}

// count adds up a counter or gauge over all series that have the labels, given as
// name, value, name, value.
func (s *stage) count(family string, labels ...string) float64 {
	s.t.Helper()
	return count(s.t, s.meter.Gatherer(), family, labels...)
}

func count(t *testing.T, g prometheus.Gatherer, family string, labels ...string) (sum float64) {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != family {
			continue
		}
		for _, m := range f.GetMetric() {
			if hasLabels(m, labels) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

func hasLabels(m *dto.Metric, labels []string) bool {
	have := map[string]string{}
	for _, l := range m.GetLabel() {
		have[l.GetName()] = l.GetValue()
	}
	for i := 0; i < len(labels); i += 2 {
		if have[labels[i]] != labels[i+1] {
			return false
		}
	}
	return true
}

// wantCount compares a counter, which may be incremented a moment after the bytes
// that a test waits for were written.
func (s *stage) wantCount(want float64, family string, labels ...string) {
	s.t.Helper()
	until := time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		got := s.count(family, labels...)
		if got == want {
			return
		}
		if time.Now().After(until) {
			s.t.Fatalf("%s%v is %v, not %v", family, labels, got, want)
		}
		<-tick.C
	}
}

// conserved checks the sum of the shares, for every pool by itself: a share that is
// counted at the wrong one must not make up for another.
func (s *stage) conserved() {
	s.t.Helper()
	families, err := s.meter.Gatherer().Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	sums := map[string]float64{}
	for _, f := range families {
		sign := map[string]float64{
			"loka_shares_submitted_total": 1, "loka_shares_accepted_total": -1, "loka_shares_rejected_total": -1, "loka_shares_denied_total": -1,
			"loka_shares_replied_total": -1, "loka_shares_dropped_total": -1, "loka_shares_lost_total": -1, "loka_shares_pending": -1,
		}[f.GetName()]
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "pool" {
					sums[l.GetValue()] += sign * (m.GetCounter().GetValue() + m.GetGauge().GetValue())
				}
			}
		}
	}
	for pool, sum := range sums {
		if sum != 0 {
			s.t.Errorf("%s: %v shares more were submitted than are accounted for", pool, sum)
		}
	}
}

package ruletest_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/meter"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/ruletest"
	"github.com/loka-proxy/loka/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	liveSeed  = flag.Uint64("live.seed", 0, "seed of TestLive, to see a failure again")
	liveCases = flag.Int("live.cases", 10_000, "conversations of TestLive")
)

// perPolicy is how many conversations are held under one policy.
const perPolicy = 50

// TestLive holds random conversations under random policies twice: as the tests of a
// policy do, and live, between two sockets. Bytes and verdicts must be the same.
func TestLive(t *testing.T) {
	seed := *liveSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	workers := runtime.GOMAXPROCS(0) * 2
	for w := range workers {
		t.Run(fmt.Sprint(w), func(t *testing.T) {
			t.Parallel()
			for i := w; i*perPolicy < *liveCases && !t.Failed(); i += workers {
				livePolicy(t, dice{rand.New(rand.NewPCG(seed, uint64(i)))}, min(perPolicy, *liveCases-i*perPolicy))
			}
		})
	}
}

// livePolicy holds conversations under one random policy.
func livePolicy(t *testing.T, d dice, n int) {
	l := &live{t: t, p: listen(t), q: listen(t), tape: make(chan taped, 1)}
	defer l.p.Close()
	defer l.q.Close()
	l.policy = l.load(d)
	m := meter.New()
	daemon := core.New(l.policy, core.Options{
		Log: hclog.NewNullLogger(), Meter: m, Now: time.Now,
		Record: func(core.Visit) core.Tape { return l },
	})
	if err := daemon.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	daemon.Serve()
	l.addr = daemon.Addrs()[0].String()
	want := map[string]int{}
	for range n {
		l.session(d, want)
		if t.Failed() {
			t.Logf("policy:\n%s", l.text)
			break
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	daemon.Drain(ctx)
	cancel()
	if !t.Failed() {
		l.verdicts(m, want)
	}
}

const patience = 20 * time.Second

func listen(t *testing.T) *net.TCPListener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l.(*net.TCPListener)
}

// live is a daemon, with a pool p and a pool q that the test plays.
type live struct {
	t      *testing.T
	p, q   *net.TCPListener
	policy *policy.Policy
	text   string
	addr   string
	tape   chan taped
}

// taped is what a session has done with one line.
type taped struct{ line, pool, miner string }

// Line hears what a session has done with one line.
func (l *live) Line(_ int, _ bool, _ time.Time, line, pool, miner []byte) {
	l.tape <- taped{string(line), string(pool), string(miner)}
}

// Close ends the recording of a session.
func (l *live) Close() {}

// load makes policies until one loads.
func (l *live) load(d dice) *policy.Policy {
	file := filepath.Join(l.t.TempDir(), "loka.hcl")
	for range 1000 {
		l.text = fmt.Sprintf("pool \"p\" {\n  server \"a\" { address = %q }\n}\npool \"q\" {\n  server \"a\" { address = %q }\n}\nproxy \"x\" {\n  pool = pool.p\n  listener \"tcp\" { address = \"127.0.0.1:0\" }\n%s}\n",
			"stratum+tcp://"+l.p.Addr().String(), "stratum+tcp://"+l.q.Addr().String(), d.rules())
		if err := os.WriteFile(file, []byte(l.text), 0o600); err != nil {
			l.t.Fatal(err)
		}
		if p, diags := policy.Load(file, policy.Options{}); !diags.HasErrors() {
			return p
		}
	}
	l.t.Fatal("no policy loads")
	return nil
}

// session holds one conversation both ways.
func (l *live) session(d dice, want map[string]int) {
	nc, err := net.Dial("tcp", l.addr)
	if err != nil {
		l.t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(patience))
	port := nc.LocalAddr().(*net.TCPAddr).Port
	test, r := d.test(l.policy, policy.Client{IP: "127.0.0.1", Port: port}, true)
	count(want, r)
	v := &visit{live: l, miner: nc, at: "pool.p"}
	defer v.hangUp()
	for i, s := range r.Steps {
		if err := v.step(s); err != nil {
			l.t.Errorf("step %d: %v", i, err)
			break
		}
	}
	if err := v.end(over(r)); err != nil && !l.t.Failed() {
		l.t.Errorf("at the end: %v", err)
	}
	if l.t.Failed() {
		for i, s := range r.Steps {
			l.t.Logf("%d %s %s by %d\n  in %q\n  pool %q\n  miner %q (%d held), at %s, closed %t %s",
				i, s.Outcome.Kind, s.Outcome.Verdict, s.Outcome.By, s.Outcome.In, s.Outcome.Pool, s.Outcome.Miner, s.Outcome.Held, s.Outcome.At, s.Outcome.Closed, s.Outcome.Reason)
		}
	}
	_ = test
}

// visit is one live session.
type visit struct {
	*live
	miner net.Conn
	pool  net.Conn
	at    string // the pool that pool is connected to
}

func (v *visit) hangUp() {
	if v.pool != nil {
		_ = v.pool.Close()
	}
}

// step says one line and holds what comes of it against what is expected.
func (v *visit) step(s *ruletest.StepResult) error {
	o := &s.Outcome
	if o.Kind == rules.Connect {
		return nil
	}
	from := v.miner
	if s.Step.Kind != rules.Request {
		from = v.pool
	}
	if _, err := from.Write(o.In); err != nil {
		return err
	}
	want := taped{string(o.In), string(o.Pool[o.Again:]), string(o.Miner[:len(o.Miner)-o.Held])}
	select {
	case got := <-v.tape:
		if o.Kind == rules.Request {
			// An answer of loka's own may have to wait until the reply to subscribe has been
			// written, though the miner has it already.
			want.miner, got.miner = "", ""
		}
		if got != want {
			return fmt.Errorf("live it was %q", got)
		}
	case <-time.After(patience):
		return errors.New("the line was not handled")
	}
	if err := v.atPool(o); err != nil {
		return fmt.Errorf("at the pool: %w", err)
	}
	if err := expect(v.miner, o.Miner); err != nil {
		return fmt.Errorf("at the miner: %w", err)
	}
	return nil
}

// atPool takes what the pool is sent, on a new connection where there must be one.
func (v *visit) atPool(o *ruletest.Outcome) error {
	if len(o.Pool) == 0 {
		return nil
	}
	if v.pool == nil || v.at != o.At {
		v.hangUp()
		l := map[string]*net.TCPListener{"pool.p": v.p, "pool.q": v.q}[o.At]
		_ = l.SetDeadline(time.Now().Add(patience))
		nc, err := l.Accept()
		if err != nil {
			return err
		}
		_ = nc.SetDeadline(time.Now().Add(patience))
		v.pool, v.at = nc, o.At
	}
	return expect(v.pool, o.Pool)
}

func expect(r io.Reader, want []byte) error {
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); err != nil {
		return fmt.Errorf("%w after %q, not %q", err, got[:n], want)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%q, not %q", got, want)
	}
	return nil
}

// end ends the session from the pool's side, if it has not ended, and makes sure that
// nothing more is said to anybody.
func (v *visit) end(over bool) error {
	switch {
	case over:
	case v.pool == nil:
		_ = v.miner.(*net.TCPConn).CloseWrite()
	default:
		// A pool that says nothing is taken for one that is down.
		const last = `{"id":null,"method":"last.words","params":[]}` + "\n"
		if _, err := io.WriteString(v.pool, last); err != nil {
			return err
		}
		if got := <-v.tape; got.miner != "" {
			if err := expect(v.miner, []byte(got.miner)); err != nil {
				return err
			}
		}
		_ = v.miner.(*net.TCPConn).CloseWrite() // a miner whose pool goes may be moved
	}
	for side, nc := range map[string]net.Conn{"miner": v.miner, "pool": v.pool} {
		if nc == nil {
			continue
		}
		rest, err := io.ReadAll(nc)
		var timeout net.Error
		if len(rest) > 0 || errors.As(err, &timeout) && timeout.Timeout() {
			return fmt.Errorf("the %s heard %q more, %w", side, rest, err)
		}
	}
	return nil
}

// count counts the verdicts that a conversation should give.
func count(want map[string]int, r *ruletest.Result) {
	for _, s := range r.Steps {
		o := &s.Outcome
		switch {
		case o.Kind == rules.Connect:
		case o.Verdict == ruletest.Refuse:
			want["refused "+o.Reason]++
		default:
			want[string(o.Verdict)]++
			if o.Verdict == ruletest.Deny && o.Reason != "" { // a request that a rule made too long
				want["refused "+o.Reason]++
			}
		}
		for _, n := range o.Matched {
			want["matched "+r.Test.Proxy.Program.Rules()[n].Address]++
		}
		for _, f := range o.Failed {
			want["failed "+r.Test.Proxy.Program.Rules()[f.Rule].Address]++
		}
	}
}

// verdicts holds the proxy's own counters against what was expected. The last words of
// pools, which no test says, are left out.
func (l *live) verdicts(m *meter.Meter, want map[string]int) {
	families, err := m.Gatherer().Gather()
	if err != nil {
		l.t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			label := map[string]string{}
			for _, pair := range metric.GetLabel() {
				label[pair.GetName()] = pair.GetValue()
			}
			key := ""
			switch f.GetName() {
			case "loka_messages_total":
				key = label["verdict"]
			case "loka_lines_refused_total":
				key = "refused " + label["reason"]
			case "loka_rule_matches_total":
				key = "matched " + label["rule"]
			case "loka_rule_errors_total":
				key = "failed " + label["rule"]
			default:
				continue
			}
			got[key] += int(metric.GetCounter().GetValue())
		}
	}
	for _, key := range []string{"deny", "reply", "drop"} {
		if got[key] != want[key] {
			l.t.Errorf("%d × %s live, %d × in tests\n%s", got[key], key, want[key], l.text)
		}
	}
	for key := range got {
		if slices.Contains([]string{"forward", "deny", "reply", "drop"}, key) {
			continue
		}
		if got[key] != want[key] {
			l.t.Errorf("%d × %s live, %d × in tests\n%s", got[key], key, want[key], l.text)
		}
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
	"github.com/loka-proxy/loka/core"
)

// TestReloadsUnderLoad puts one file after the other in the place of the policy of a
// loka with miners that mine. `make soak` does it a thousand times.
func TestReloadsUnderLoad(t *testing.T) { reloadUnderLoad(t, 50) }

// reloadUnderLoad does so many reloads, half of them with broken files. The last good
// policy is always in force, nobody loses a connection or a share, and all that loka
// took for it is given back.
func reloadUnderLoad(t *testing.T, reloads int) {
	const miners = 32
	w := newSwap(t)
	h := w.mine(miners)
	w.wait(w.pools[0], func(st pool.Stats) bool { return len(st.Workers) == miners && st.Accepted > 2*miners })
	taken := fakePool(t)
	good, broken := w.good(), w.broken(taken.Addr().String())
	generation, last := 1, w.text(0)
	reload := func(text, wrong string) {
		t.Helper()
		w.replace(text)
		answer := w.call(http.MethodPost, "/v1/policy/reload")
		if wrong == "" && text != last {
			generation, last = generation+1, text
		}
		status := w.status()
		if status.Generation != generation || (status.Refused != nil) != (wrong != "") || !strings.Contains(answer, wrong) {
			t.Fatalf("generation %d is in force, not %d; %+v\n%s", status.Generation, generation, status.Refused, answer)
		}
	}
	before := w.demand(miners, reload)
	for i := range reloads / 2 {
		reload(broken[i%len(broken)].text, broken[i%len(broken)].wrong)
		reload(good[i%len(good)], "")
	}
	t.Logf("%v moves of %d miners", w.metric("loka_moves_total"), miners)
	if moves := w.metric("loka_moves_total"); moves < miners {
		t.Errorf("only %v moves", moves)
	}
	after := w.demand(miners, reload)
	t.Logf("before %+v, after %+v", before, after)
	if after.goroutines > before.goroutines+5 || after.descriptors > before.descriptors+5 || after.heap > 1.5*before.heap+4<<20 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	accepted := h.leave(t)
	seen := 0
	for _, p := range w.pools {
		st := p.Stats()
		seen += st.Accepted
		if st.RejectedTotal() > 0 {
			t.Errorf("a pool rejected %v", st.Rejected)
		}
	}
	if seen != accepted {
		t.Errorf("the miners count %d accepted shares, the pools %d", accepted, seen)
	}
	w.toldOnce(broken)
}

// good are policies that have miners move, and open and close listeners.
func (w *swap) good() []string {
	named := "request \"mining.authorize\" \"map\" {\n    set { user = \"'farm.' + user\" }\n  }\n}\nadmin"
	more := "pool \"other\" {\n  server \"a\" { address = \"stratum+tcp://" + w.sockets[0].Addr().String() + "\" }\n}\n" +
		"proxy \"more\" {\n  pool = pool.other\n  listener \"tcp\" { address = \"127.0.0.1:0\" }\n}\n"
	routed := "request \"mining.authorize\" \"other\" {\n    when = \"user endsWith '1'\"\n    route { pool = pool.other }\n  }\n}\nadmin"
	return []string{
		w.text(1),
		strings.Replace(w.text(1), "}\nadmin", named, 1),
		w.text(0) + more,
		strings.Replace(w.text(1), "}\nadmin", routed, 1) + more,
	}
}

// brokenPolicy is one that is refused, with some words of the reason.
type brokenPolicy struct{ text, wrong string }

func (w *swap) broken(taken string) []brokenPolicy {
	text := w.text(0)
	return []brokenPolicy{
		{text[:strings.Index(text, "listener")], "error"}, // half of it
		{strings.Replace(text, "proxy \"farm\" {", "proxy \"farm\" {\n  max_moves_per_second = \"many\"", 1), "1 error"},
		{text + "proxy \"taken\" {\n  pool = pool.main\n  listener \"tcp\" { address = \"" + taken + "\" }\n}\n", "the port is in use"},
	}
}

// replace puts another file in the place of the policy, in one step.
func (w *swap) replace(text string) {
	w.t.Helper()
	next := w.file + ".next"
	write(w.t, next, text)
	if err := os.Rename(next, w.file); err != nil {
		w.t.Fatal(err)
	}
}

func (w *swap) status() (s core.Status) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.call(http.MethodGet, "/v1/policy")), &s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// metric adds up the series of a metric.
func (w *swap) metric(name string) (sum float64) {
	w.t.Helper()
	for line := range strings.Lines(w.call(http.MethodGet, "/metrics")) {
		at := strings.LastIndexByte(line, ' ')
		if family, _, _ := strings.Cut(line[:max(at, 0)], "{"); family == name {
			n, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
			if err != nil {
				w.t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}

// demand is what loka has taken of the machine.
type demand struct{ goroutines, descriptors, heap float64 }

// demand has all miners go to the second pool and back to the first, and tells what loka
// needs for them once nothing of all that was before is waited for any more.
func (w *swap) demand(miners int, reload func(text, wrong string)) demand {
	w.t.Helper()
	for i, left := range []*pool.Pool{w.pools[0], w.pools[1]} {
		to := w.pools[1-i]
		before := to.Stats().Workers
		reload(w.text(1-i), "")
		w.wait(to, func(st pool.Stats) bool {
			for i := range miners {
				if name := fmt.Sprint("rig-", i); st.Workers[name].Accepted == before[name].Accepted {
					return false
				}
			}
			return true
		})
		w.calm()
		left.Disconnect(0)
		w.wait(left, func(st pool.Stats) bool { return st.Open == 0 })
	}
	before := w.pools[0].Stats().Accepted // so many shares that garbage is collected
	w.wait(w.pools[0], func(st pool.Stats) bool { return st.Accepted > before+1000 })
	return demand{w.metric("go_goroutines"), w.metric("process_open_fds"), w.metric("go_memstats_next_gc_bytes")}
}

// calm waits until nobody is being moved.
func (w *swap) calm() {
	w.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	moving := func(c core.Campaign) bool { return c.Ended == nil }
	for until := time.Now().Add(2 * patience); slices.ContainsFunc(w.campaigns(), moving); <-tick.C {
		if time.Now().After(until) {
			w.t.Fatalf("miners are still being moved: %+v", w.campaigns())
		}
	}
}

// toldOnce ends loka and makes sure that its log tells each reason once.
func (w *swap) toldOnce(broken []brokenPolicy) {
	w.t.Helper()
	w.signal(syscall.SIGTERM)
	<-w.read
	told := 0
	for _, line := range w.seen {
		if strings.Contains(line, "policy reload refused") {
			told++
		}
	}
	if told != len(broken) {
		w.t.Errorf("%d refusals are in the log, of %d reasons", told, len(broken))
	}
}

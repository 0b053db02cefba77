package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/miner"
	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/admin"
)

// TestSwapByFile swaps pools by editing the file of a running loka, under miners of all
// kinds that really hash. `make soak` does it with more of them, and more often.
func TestSwapByFile(t *testing.T) { swapByFile(t, 60, 4) }

// swapByFile swaps the pool of some miners so many times. Every miner keeps its
// connection, and every share is accepted by the pool that gave its job.
func swapByFile(t *testing.T, miners, swaps int) {
	w := newSwap(t)
	h := w.mine(miners)
	w.wait(w.pools[0], func(st pool.Stats) bool { return len(st.Workers) == miners && st.Accepted > 2*miners })

	next := filepath.Join(t.TempDir(), "next.hcl")
	write(t, next, w.text(1))
	plan := w.ask("loka", "policy", "plan", next)
	if want := fmt.Sprintf("of %d sessions %d move and keep their connection, 0 connect again, 0 are closed", miners, miners); !strings.Contains(plan, want) {
		t.Errorf("the plan is\n%s", plan)
	}
	for i := 1; i <= swaps; i++ {
		to := w.pools[i%2]
		before := to.Stats()
		write(t, w.file, w.text(i%2))
		w.wait(to, func(st pool.Stats) bool {
			return st.Accepted > before.Accepted+2*miners
		})
		w.moved(i * miners)
	}
	accepted := h.leave(t)
	var seen pool.Stats
	for _, p := range w.pools {
		st := p.Stats()
		seen.Accepted += st.Accepted
		if st.RejectedTotal() > 0 {
			t.Errorf("a pool rejected %v", st.Rejected)
		}
	}
	if seen.Accepted != accepted {
		t.Errorf("the miners count %d accepted shares, the pools %d", accepted, seen.Accepted)
	}
	if table := w.ask("loka", "sessions", "moves"); !strings.Contains(table, "proxy.farm") {
		t.Errorf("the moves are\n%s", table)
	}
	for _, c := range w.campaigns() {
		if c.ByExtranonce+c.ByReconnect+c.Failed > 0 || c.SharesLost > 0 || c.LongestWithoutJobMS > 0 {
			t.Errorf("%+v", c)
		}
	}
}

// campaigns are the moves that the running loka tells of.
func (w *swap) campaigns() []core.Campaign {
	w.t.Helper()
	var list admin.MoveList
	if err := json.Unmarshal([]byte(w.call(http.MethodGet, "/v1/moves")), &list); err != nil {
		w.t.Fatal(err)
	}
	return list.Campaigns
}

// call asks the running loka through its socket.
func (w *swap) call(method, path string) string {
	w.t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", w.socket)
	}, DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(w.t.Context(), method, "http://loka"+path, http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(body)
}

// moved waits until so many moves have been made since the start.
func (w *swap) moved(want int) {
	w.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for until := time.Now().Add(2 * time.Minute); ; <-tick.C {
		sum := 0
		for _, c := range w.campaigns() {
			sum += c.ByJob
		}
		switch {
		case sum == want:
			return
		case sum > want || time.Now().After(until):
			w.t.Fatalf("%d moves are reported, not %d", sum, want)
		}
	}
}

// swap is a running loka, whose pool is one of two of the bench.
type swap struct {
	*process
	pools   []*pool.Pool
	sockets []net.Listener
	socket  string
	address string
	read    chan struct{} // closed when the whole log has been read
}

func newSwap(t *testing.T) *swap { return newSwapOf(t, func(w *swap) string { return w.text(0) }) }

// newSwapOf runs loka with a policy that may refer to its pools.
func newSwapOf(t *testing.T, policy func(*swap) string) *swap {
	w := &swap{socket: filepath.Join(t.TempDir(), "admin.sock")}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	for i := range 2 {
		p, l := pool.New(pool.Config{
			Difficulty: 1e-7, VersionMask: 0x1fffe000, ShortNonce: true, NotifyInterval: time.Second,
			Quirks: pool.Quirks{SmallJobIDs: i == 1},
		}), fakePool(t)
		_ = l.(*net.TCPListener).SetDeadline(time.Time{}) // it takes miners as long as the test runs
		wg.Go(func() { _ = p.Serve(ctx, l) })
		w.pools, w.sockets = append(w.pools, p), append(w.sockets, l)
	}
	file := filepath.Join(t.TempDir(), "loka.hcl")
	write(t, file, policy(w))
	w.process = relaunchFor(t, 10*time.Minute, file, t.TempDir())
	w.address = fmt.Sprint(w.await("listening")["address"])
	w.await("loka runs")
	w.read = make(chan struct{})
	go func() { // else it would wait until somebody reads its log
		defer close(w.read)
		for w.log.Scan() {
			if line := w.log.Text(); strings.Contains(line, `"warn"`) || strings.Contains(line, `"error"`) {
				w.seen = append(w.seen, line)
			}
		}
	}()
	t.Cleanup(func() { _ = w.cmd.Process.Kill(); <-w.read })
	return w
}

func (w *swap) text(i int) string {
	return `
pool "main" {
  server "a" { address = "stratum+tcp://` + w.sockets[i].Addr().String() + `" }
}
proxy "farm" {
  pool       = pool.main
  extranonce = "stable"
  listener "tcp" { address = "127.0.0.1:0" }
}
admin { socket = "` + w.socket + `" }
`
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *swap) ask(args ...string) string {
	w.t.Helper()
	return must(w.t, w.t.TempDir(), 0, "", append(args[1:], "--admin", "unix:"+w.socket)...)
}

func (w *swap) wait(p *pool.Pool, ok func(pool.Stats) bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	if err := p.Wait(ctx, ok); err != nil {
		w.t.Fatal(err)
	}
}

// crowd is miners of the bench at work.
type crowd struct {
	miners []*miner.Miner
	done   sync.WaitGroup
}

func (w *swap) mine(n int) *crowd {
	ctx, cancel := context.WithCancel(context.Background())
	c := &crowd{}
	w.t.Cleanup(func() { cancel(); c.done.Wait() })
	for i := range n {
		m := miner.New(miner.Config{
			Address: w.address, User: fmt.Sprint("rig-", i), Kind: miner.Kinds[i%len(miner.Kinds)],
			Interval: time.Duration(n) * time.Millisecond, LoginTimeout: time.Minute, ReplyTimeout: time.Minute,
		})
		c.miners = append(c.miners, m)
		c.done.Go(func() { _ = m.Run(ctx) })
	}
	return c
}

// leave has the miners get their answers and go, and gives how many shares were accepted.
func (c *crowd) leave(t *testing.T) (accepted int) {
	t.Helper()
	for _, m := range c.miners {
		m.Leave()
	}
	c.done.Wait()
	for i, m := range c.miners {
		st := m.Stats()
		accepted += st.Accepted
		if st.Connects != 1 || st.Failures+st.RejectedTotal()+st.Unexpected+st.Unanswered > 0 {
			t.Errorf("%s: %+v", miner.Kinds[i%len(miner.Kinds)], st)
		}
	}
	return accepted
}

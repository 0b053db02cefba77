package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/loka-proxy/loka/cmd/loka-lab/miner"
	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
)

// TestQuickstart runs the quickstart's own policy, on other ports, between a miner
// that says what minerd says and a pool that checks its shares.
func TestQuickstart(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l := fakePool(t)
	lab := pool.New(pool.Config{Difficulty: 1e-7})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { _ = lab.Serve(ctx, l) })

	text, err := os.ReadFile(filepath.Join(root(t), "examples", "quickstart", "loka.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	policy := strings.NewReplacer("127.0.0.1:13333", l.Addr().String(), "127.0.0.1:3333", "127.0.0.1:0").Replace(string(text))
	p := launch(t, policy)
	address := fmt.Sprint(p.await("listening")["address"])

	old := dial(t, address) // a miner that comes back with a session id
	old.send(`{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1", "1"]}`)
	if _, err := lab.WaitMessage(ctx, func(m pool.Message) bool {
		return m.Line == `{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1"]}`
	}); err != nil {
		t.Fatal(err)
	}

	m := miner.New(miner.Config{Address: address, User: "john.test", Kind: miner.CPUMiner, MaxAccepted: 5})
	if err := m.Run(ctx); err != nil {
		t.Fatal(err)
	}
	const mapped = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test"
	if w := lab.Stats().Workers[mapped]; w.Accepted != 5 || len(lab.Stats().Workers) != 1 {
		t.Errorf("the pool has seen %+v", lab.Stats().Workers)
	}
	if !slices.ContainsFunc(lab.Lines(2, false), func(line string) bool {
		return line == `{"id": 2, "method": "mining.authorize", "params": ["`+mapped+`", "x"]}`
	}) {
		t.Errorf("the pool has heard %q", lab.Lines(2, false))
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

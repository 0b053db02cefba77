package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/loka-proxy/loka/cmd/loka-lab/miner"
	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
)

// TestCapture records sessions of lab miners at a lab pool, and makes of them what
// operators do: a test without a golden file, one with, a trace, and a comparison of two
// policies.
func TestCapture(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "captures")
	policy := recordedSessions(t, dir)
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(names) != 2 {
		t.Fatal(err, names)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("my own password")) || bytes.Count(text, []byte("mining.submit")) < 6 {
			t.Errorf("recorded\n%s", text)
		}
	}

	work := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("loka.hcl", policy)
	write("new.hcl", strings.Replace(policy, "replace(user, '.', '_')", "replace(user, '.', '-')", 1))
	write("loka.test.hcl", fmt.Sprintf("test \"as it was\" {\n  capture = %q\n}\ntest \"golden\" {\n  capture = %q\n  golden  = \"golden.jsonl\"\n}\n", names[0], names[1]))

	must(t, work, 2, "there is no golden.jsonl yet", "rules", "test", "loka.hcl")
	must(t, work, 0, "wrote golden.jsonl", "rules", "test", "loka.hcl", "--update")
	must(t, work, 0, "2 passed, 0 failed", "rules", "test", "loka.hcl")
	failed := must(t, work, 2, "0 passed, 2 failed", "rules", "test", "new.hcl")
	if !strings.Contains(failed, "john-test") || !strings.Contains(failed, "+++ now") {
		t.Errorf("the failure says\n%s", failed)
	}
	must(t, work, 0, "proxy.quickstart.request.to_wallet", "rules", "trace", "-c", "loka.hcl", "--capture", names[0])
	same := must(t, work, 0, "0 of 2 sessions would change.", "rules", "diff", "loka.hcl", "loka.hcl", "--capture", dir)
	if strings.Count(same, "\n") != 1 {
		t.Errorf("a policy differs from itself:\n%s", same)
	}
	changed := must(t, work, 0, "2 of 2 sessions would change.", "rules", "diff", "loka.hcl", "new.hcl", "--capture", dir)
	if want := `
Names at the pool
  2 sessions, 2 messages, request mining.authorize
    - 37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test
    + 37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john-test
      by proxy.quickstart.request.to_wallet
`; !strings.HasSuffix(changed, want) {
		t.Errorf("the difference is\n%s", changed)
	}
	must(t, work, 1, "holds no captures", "rules", "diff", "loka.hcl", "new.hcl", "--capture", t.TempDir())
	must(t, work, 0, `"changed":2`, "rules", "diff", "loka.hcl", "new.hcl", "--capture", dir, "--json")
}

// recordedSessions lets two miners mine for a while, and gives the policy.
func recordedSessions(t *testing.T, dir string) string {
	t.Helper()
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
	p := launch(t, policy, "--capture", dir)
	address := fmt.Sprint(p.await("listening")["address"])
	for _, kind := range []miner.Kind{miner.CPUMiner, miner.CGMiner} {
		m := miner.New(miner.Config{Address: address, User: "john.test", Password: "my own password", Kind: kind, MaxAccepted: 6})
		if err := m.Run(ctx); err != nil {
			t.Fatal(err)
		}
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	return policy
}

// must runs loka and gives what it prints, which has to have some words in it.
func must(t *testing.T, dir string, code int, words string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "loka", args...)
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(string(out), words) {
		t.Fatalf("loka %s exits with %d and says\n%s", strings.Join(args, " "), got, out)
	}
	return string(out)
}

package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRulesTestWatch edits a policy, breaks it and mends it while its tests are watched.
func TestRulesTestWatch(t *testing.T) {
	dir := t.TempDir()
	if err := exec.Command("loka", "init", dir, "--pool", "pool.example:3333", "--wallet", "W").Run(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "loka", "rules", "test", dir, "--watch")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	await := func(words string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), words) {
				return
			}
		}
		t.Fatalf("ended before %q", words)
	}
	edit := func(from, to string) {
		t.Helper()
		name := filepath.Join(dir, "loka.hcl")
		text, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(text), from) {
			t.Fatal(err, from)
		}
		if err := os.WriteFile(name, []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	await("2 passed")
	await("waiting for a change")
	edit("'_'", "'-'")
	await("1 failed")
	await("waiting for a change")
	edit("replace(", "replac(")
	await(`Did you mean "replace"?`)
	await("waiting for a change")
	edit("replac(", "replace(")
	await("1 failed")
	await("waiting for a change")
	edit("'-'", "'_'")
	await("2 passed")
	await("waiting for a change")
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // to the end
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

package ruletest_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/ruletest"
)

// warnings keeps what is warned of.
type warnings struct {
	mu   sync.Mutex
	said []string
}

func (w *warnings) warn(text string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, fmt.Sprint(append([]any{text, ": "}, args...)...))
}

func tapes(t *testing.T) (*ruletest.Tapes, *warnings, string) {
	t.Helper()
	dir, w := filepath.Join(t.TempDir(), "deep", "captures"), &warnings{}
	all, err := ruletest.NewTapes(dir, w.warn)
	if err != nil {
		t.Fatal(err)
	}
	return all, w, dir
}

func under(p *policy.Policy) func() *policy.Policy { return func() *policy.Policy { return p } }

// TestTapesAreBounded records more sessions, and a longer one, than there is room for.
func TestTapesAreBounded(t *testing.T) {
	all, w, dir := tapes(t)
	p := load(t, farm)
	var open []*ruletest.Tape
	for i := range 1030 {
		if tape := all.Begin(ruletest.Head{Session: fmt.Sprint(i), Opened: opened}, under(p)); tape != nil {
			open = append(open, tape)
		}
	}
	if len(open) != 1024 || len(w.said) != 1 {
		t.Errorf("%d sessions are recorded, and it is said %q", len(open), w.said)
	}
	line := []byte(`{"id":1,"method":"mining.submit","params":["` + strings.Repeat("n", 1<<20) + `"]}` + "\n")
	for range 10 {
		open[0].Line(true, opened, line, nil, nil)
	}
	for _, tape := range open {
		tape.Close()
		tape.Line(true, opened, line, nil, nil) // is not recorded
		tape.Close()
	}
	if got := all.Begin(ruletest.Head{Session: "again", Opened: opened}, under(p)); got == nil {
		t.Error("there is no room after all have ended")
	} else {
		got.Close()
	}
	long, err := ruletest.ReadCapture(filepath.Join(dir, "0.jsonl"))
	if err != nil || len(long.Lines) != 7 {
		t.Errorf("of the long session there are %d lines, %v", len(long.Lines), err)
	}
	if !slices.ContainsFunc(w.said, func(s string) bool { return strings.Contains(s, "it is too long") }) {
		t.Errorf("it is said %q", w.said)
	}
}

// TestTapeFails records where it cannot.
func TestTapeFails(t *testing.T) {
	all, w, dir := tapes(t)
	if err := os.WriteFile(filepath.Join(dir, "x.jsonl"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if all.Begin(ruletest.Head{Session: "x"}, under(load(t, farm))) != nil || len(w.said) != 1 {
		t.Errorf("a file was overwritten, or nothing said: %q", w.said)
	}
	if _, err := ruletest.NewTapes(filepath.Join(dir, "x.jsonl"), w.warn); err == nil {
		t.Error("a file is taken for a directory")
	}
}

// TestTapeOfBothDirections writes from two goroutines, as a session does.
func TestTapeOfBothDirections(t *testing.T) {
	all, _, dir := tapes(t)
	p := load(t, farm)
	tape := all.Begin(ruletest.Head{Session: "two", Opened: opened}, under(p))
	var wg sync.WaitGroup
	for _, miner := range []bool{true, false} {
		wg.Go(func() {
			for range 200 {
				tape.Line(miner, opened, []byte("{\"id\":1,\"result\":\"\xff\"}\n"), nil, bytes.Repeat([]byte("{}\n"), 3))
			}
		})
	}
	wg.Wait()
	tape.Close()
	c, err := ruletest.ReadCapture(filepath.Join(dir, "two.jsonl"))
	if err != nil || len(c.Lines) != 400 || len(c.Lines[7].Miner) != 3 {
		t.Errorf("recorded %v, %v", c, err)
	}
}

package ruletest_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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
	return all, w, dir // the caller closes them
}

func under(p *policy.Policy) func() *policy.Policy { return func() *policy.Policy { return p } }

const submitLine = `{"id":1,"method":"mining.submit","params":["n"]}` + "\n"

// TestTapesAreBounded records more sessions, and longer ones, than there is room for.
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
	for i := range 10 {
		open[0].Line(i+1, true, opened, line, nil, nil)
	}
	open[1].Line(1, true, opened, line, line, line) // is read as one line
	open[2].Line(1, true, opened, []byte(submitLine), nil, nil)
	for _, tape := range open {
		tape.Close()
		tape.Line(1, true, opened, line, nil, nil) // is not recorded
		tape.Close()
	}
	all.Close()
	long, err := ruletest.ReadCapture(filepath.Join(dir, "0.jsonl"))
	if err != nil || len(long.Lines) != 7 {
		t.Errorf("of the long session there are %d lines, %v", len(long.Lines), err)
	}
	if !slices.ContainsFunc(w.said, func(s string) bool { return strings.Contains(s, "it is too long") }) {
		t.Errorf("it is said %q", w.said)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 2 {
		t.Errorf("sessions that said nothing that is recorded have files: %q", names)
	}
}

// TestTapesMakeRoom ends sessions, and records others in their place.
func TestTapesMakeRoom(t *testing.T) {
	all, w, _ := tapes(t)
	p := load(t, farm)
	for i := range 5000 {
		for { // the end of a tape is written a moment after it
			tape := all.Begin(ruletest.Head{Session: fmt.Sprint(i), Opened: opened}, under(p))
			if tape != nil {
				tape.Close()
				break
			}
			runtime.Gosched()
		}
	}
	all.Close()
	if len(w.said) > 1 {
		t.Errorf("it is said %q", w.said)
	}
}

// TestTapeFails records where it cannot.
func TestTapeFails(t *testing.T) {
	all, w, dir := tapes(t)
	p := load(t, farm)
	if err := os.WriteFile(filepath.Join(dir, "x.jsonl"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	tape := all.Begin(ruletest.Head{Session: "x", Opened: opened}, under(p))
	for i := range 3 {
		tape.Line(i+1, true, opened, []byte(submitLine), nil, nil)
	}
	tape.Close()
	all.Close()
	if text, _ := os.ReadFile(filepath.Join(dir, "x.jsonl")); string(text) != "mine" || len(w.said) != 1 {
		t.Errorf("a file was overwritten with %q, or it is said %q", text, w.said)
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
	for first, miner := range []bool{true, false} {
		wg.Go(func() {
			for i := range 200 {
				tape.Line(2*i+first+1, miner, opened, []byte("{\"id\":1,\"result\":\"\xff\"}\n"), nil, bytes.Repeat([]byte("{}\n"), 3))
			}
		})
	}
	wg.Wait()
	tape.Close()
	all.Close()
	c, err := ruletest.ReadCapture(filepath.Join(dir, "two.jsonl"))
	if err != nil || len(c.Lines) != 400 || len(c.Lines[7].Miner) != 3 {
		t.Fatalf("recorded %v, %v", c, err)
	}
	for i, line := range c.Lines {
		if (line.From == ruletest.FromMiner) != (i%2 == 0) {
			t.Fatalf("line %d is from the %s", i, line.From)
		}
	}
}

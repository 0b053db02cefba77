package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain is the command itself where a test says so in the environment.
func TestMain(m *testing.M) {
	if os.Getenv("LOKA_LAB_AS_COMMAND") != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// output is written by a command and read by a test, which can wait for a line.
type output struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	written chan struct{}
}

func newOutput() *output { return &output{written: make(chan struct{}, 1)} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.written <- struct{}{}:
	default:
	}
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// find waits for something that matches and returns its first group.
func (o *output) find(t *testing.T, pattern string) string {
	t.Helper()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	for {
		if found := regexp.MustCompile(pattern).FindStringSubmatch(o.String()); found != nil {
			return found[len(found)-1]
		}
		select {
		case <-o.written:
		case <-late.C:
			t.Fatalf("no %s in\n%s", pattern, o)
		}
	}
}

// start runs a command in this process; the function it returns ends it and gives its error.
func start(t *testing.T, args ...string) (*output, func() error) {
	t.Helper()
	out := newOutput()
	command := newCommand(out)
	command.SetArgs(args)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- command.ExecuteContext(ctx) }()
	end := sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = end() })
	return out, end
}

// run runs a command in this process to its own end.
func run(args ...string) (string, error) {
	out := newOutput()
	command := newCommand(out)
	command.SetArgs(args)
	err := command.ExecuteContext(context.Background())
	return out.String(), err
}

func TestPoolAndMiners(t *testing.T) {
	pool, end := start(t, "pool", "--listen", "127.0.0.1:0", "--difficulty", "1e-7", "--summary", "10ms", "--refuse", "u.rig0")
	address := pool.find(t, `pool at (\S+):`) + ":"
	address = strings.TrimSuffix(address, ":")
	out, err := run("miners", "--address", address, "--count", "7", "--user", "u.rig{n}", "--rate", "0", "--accepted", "3")
	if err != nil {
		t.Error(err)
	}
	if !strings.Contains(out, "7 miners at 127.0.0.1") || !strings.Contains(out, "ended: 21 shares: 21 accepted | 7 logins, 0 failures") {
		t.Errorf("the miners say\n%s", out)
	}
	pool.find(t, `authorized "u\.rig7" from #\d`)
	pool.find(t, `accepted a share of "u\.rig7"`)
	pool.find(t, `0 miners, 7 workers`)
	if err := end(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"7 connections, 7 authorized, 0 refused", "21 shares: 21 accepted, ", `"u.rig1"                                 3 accepted`} {
		if !strings.Contains(pool.String(), want) {
			t.Errorf("no %q in\n%s", want, pool)
		}
	}
}

func TestSpoiledShares(t *testing.T) {
	pool, _ := start(t, "pool", "--listen", "127.0.0.1:0", "--difficulty", "1e-7", "--reject-reason", "--shares")
	address := pool.find(t, `pool at (\S+):`)
	out, err := run("miners", "--address", address, "--count", "1", "--kind", "bfgminer", "--rate", "0", "--submitted", "8", "--spoil-every", "2", "--quiet")
	if want := "8 shares: 4 accepted, 1 stale, 1 duplicate, 1 low, 1 unauthorized | 1 logins, 0 failures, 4 wrong on purpose"; err != nil || !strings.Contains(out, want) {
		t.Errorf("%v, want %s in\n%s", err, want, out)
	}
}

func TestMistakes(t *testing.T) {
	for want, args := range map[string][]string{
		`--kind "antminer": want one of cpuminer, `: {"miners", "--kind", "antminer"},
		`want a count from 1`:                       {"miners", "--count", "0"},
		`--version-mask "1fffe0000"`:                {"pool", "--version-mask", "1fffe0000"},
		`unknown flag: --foo`:                       {"pool", "--foo"},
		`missing port`:                              {"pool", "--listen", "nowhere"},
		`unknown command "bar"`:                     {"bar"},
	} {
		if _, err := run(args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
}

// TestSignals is about Ctrl-C while there is nobody to talk to.
func TestSignals(t *testing.T) {
	for _, args := range [][]string{
		{"pool", "--listen", "127.0.0.1:0"},
		{"miners", "--address", "127.0.0.1:1", "--rate", "0"},
	} {
		for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
			command := exec.CommandContext(t.Context(), os.Args[0], args...)
			command.Env = append(os.Environ(), "LOKA_LAB_AS_COMMAND=1")
			out := newOutput()
			command.Stdout, command.Stderr = out, out
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			out.find(t, `(pool at|miners at)`)
			if err := command.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := command.Wait(); err != nil || !strings.Contains(out.String(), "ended") {
				t.Errorf("%v after %v: %v\n%s", args, signal, err, out)
			}
		}
	}
}

func TestHashRate(t *testing.T) {
	for want, difficulty := range map[string]float64{"4.29 GH/s": 1, "42.9 H/s": 1e-8, "4.29 kH/s": 1e-6, "4294967296 PH/s": 1e15, "1 MH/s": 999.9e3 / (1 << 32)} {
		if got := hashRate(difficulty, time.Second); got != want {
			t.Errorf("%v: %s, want %s", difficulty, got, want)
		}
	}
}

package miner

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startPool runs a pool for the time of the test.
func startPool(t *testing.T, config pool.Config) (*pool.Pool, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if config.Difficulty == 0 {
		config.Difficulty = 1e-7
	}
	p := pool.New(config)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p, listener.Addr().String()
}

// patient is a context that ends a test which hangs.
func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// running runs a miner for the time of the test.
func running(t *testing.T, config Config) *Miner {
	t.Helper()
	m := New(config)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = m.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return m
}

// trace remembers the lines that a miner sends.
type trace struct {
	mu   sync.Mutex
	sent []string
}

func (tr *trace) add(sent bool, line string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if sent {
		tr.sent = append(tr.sent, line)
	}
}

func (tr *trace) lines() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return append([]string{}, tr.sent...)
}

// fakePool answers one connection by a script: it reads a line for each "<", and sends the others.
func fakePool(t *testing.T, script ...string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		in := newVisit(New(Config{}), conn).in
		for _, step := range script {
			if step != "<" {
				_, _ = conn.Write([]byte(step + "\n"))
			} else if _, err := in.ReadString('\n'); err != nil {
				return
			}
		}
		for err == nil { // until the miner leaves
			_, err = in.ReadString('\n')
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return listener.Addr().String()
}

//go:build unix

package core

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/loka-proxy/loka/core/policy"
)

// TestOwnFaultIsNoneOfTheServer dials without a descriptor to spare, more often than a server
// may fail.
func TestOwnFaultIsNoneOfTheServer(t *testing.T) {
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	e := poolOf(newClock(), policy.Failover, 1).endpoints[0]
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 1, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	_, err := e.dial(t.Context(), time.Second)
	_, _ = e.dial(t.Context(), time.Second)
	_, _ = e.dial(t.Context(), time.Second)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EMFILE) {
		t.Fatalf("the dial ends with %v", err)
	}
	if !e.usable() {
		t.Error("the server counts as down")
	}
}

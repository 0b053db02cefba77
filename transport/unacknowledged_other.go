//go:build !linux

package transport

import "syscall"

// boundSilence leaves it to keep-alive and the timeouts of the pool.
func boundSilence(_, _ string, _ syscall.RawConn) error { return nil }

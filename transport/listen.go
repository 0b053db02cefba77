package transport

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"syscall"
)

// Listen binds a TCP address such as ":3333". Its errors are ListenErrors.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{KeepAliveConfig: keepAlive}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &ListenError{address, err}
	}
	return l, nil
}

// ListenError says why an address cannot be bound, and what to do about it.
type ListenError struct {
	Address string
	Err     error
}

// Error says it in words for an operator.
func (e *ListenError) Error() string {
	why := e.Err.Error()
	switch {
	case errors.Is(e.Err, syscall.EADDRINUSE):
		why = "the port is in use by another program, or by another loka"
	case errors.Is(e.Err, fs.ErrPermission):
		why = "ports below 1024 need root or the capability CAP_NET_BIND_SERVICE"
	case errors.Is(e.Err, syscall.EADDRNOTAVAIL):
		why = "this machine has no such address"
	}
	return "listen on " + e.Address + ": " + why
}

// Unwrap gives the error of the system.
func (e *ListenError) Unwrap() error { return e.Err }

package transport

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
)

// ListenUnix binds a Unix socket at a path, for its owner and group alone. One that
// nobody answers at any more is taken over; any other file is left.
func ListenUnix(ctx context.Context, path string) (net.Listener, error) {
	l, err := listenUnix(ctx, path)
	if errors.Is(err, syscall.EADDRINUSE) && abandoned(ctx, path) {
		if err := os.Remove(path); err != nil {
			return nil, &ListenError{path, err}
		}
		l, err = listenUnix(ctx, path)
	}
	if err != nil {
		return nil, &ListenError{path, err}
	}
	if err := os.Chmod(path, 0o660); err != nil { // which the process's mask may have narrowed
		_ = l.Close()
		return nil, &ListenError{path, err}
	}
	return l, nil
}

// listenUnix makes the file with the permissions that it keeps: there is no moment in
// which others could open it.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var chmod error
		if err := c.Control(func(fd uintptr) { chmod = syscall.Fchmod(int(fd), 0o660) }); err != nil {
			return err
		}
		return chmod
	}}
	return config.Listen(ctx, "unix", path)
}

// abandoned reports whether a path is a socket that nobody listens on.
func abandoned(ctx context.Context, path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != os.ModeSocket {
		return false
	}
	nc, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err == nil {
		_ = nc.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

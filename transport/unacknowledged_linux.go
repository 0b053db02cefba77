package transport

import (
	"syscall"
	"time"
)

// unacknowledged is how long what was written may stay without an acknowledgement of the
// peer's system. Without it Linux goes on for a quarter of an hour.
const unacknowledged = 30 * time.Second

// tcpUserTimeout is TCP_USER_TIMEOUT, which package syscall has on some machines only.
const tcpUserTimeout = 0x12

// boundSilence has the system give up a connection whose peer acknowledges nothing. A system
// that cannot is no reason not to connect.
func boundSilence(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(unacknowledged.Milliseconds()))
	})
}

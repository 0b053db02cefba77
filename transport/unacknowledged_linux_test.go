package transport

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// TestDialBoundsSilence reads back what the system was told.
func TestDialBoundsSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nc, err := Dial(t.Context(), Target{HostPort: l.Addr().String()}, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var got int
	var gerr error
	if err := raw.Control(func(fd uintptr) {
		got, gerr = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout)
	}); err != nil || gerr != nil {
		t.Fatal(err, gerr)
	}
	if got != int(unacknowledged.Milliseconds()) {
		t.Errorf("the timeout is %d ms", got)
	}
}

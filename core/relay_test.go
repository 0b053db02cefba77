package core_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// relay stands between loka and a server of a pool. It is what fails in the tests: the
// server itself goes on.
type relay struct {
	t       *testing.T
	server  string
	address string
	running sync.WaitGroup

	// swallows says that what comes is read and goes nowhere, in both directions.
	swallows atomic.Bool

	mu       sync.Mutex
	listener net.Listener // nil while it is down
	conns    []net.Conn
}

// relayTo gives a relay that is up.
func relayTo(t *testing.T, server net.Listener) *relay {
	t.Helper()
	r := &relay{t: t, server: server.Addr().String(), address: "127.0.0.1:0"}
	r.up()
	t.Cleanup(func() { r.down(); r.running.Wait() })
	return r
}

// up takes connections, at the address of the first time.
func (r *relay) up() {
	r.t.Helper()
	l, err := net.Listen("tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listener, r.address = l, l.Addr().String()
	r.running.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			r.take(l, nc)
		}
	})
}

// down refuses connections, and ends those that there are.
func (r *relay) down() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listener != nil {
		_ = r.listener.Close()
	}
	r.listener = nil
	for _, nc := range r.conns {
		_ = nc.Close()
	}
	r.conns = nil
}

// take relays a connection that was made to l.
func (r *relay) take(l net.Listener, nc net.Conn) {
	server, err := net.Dial("tcp", r.server)
	if err != nil {
		_ = nc.Close()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listener != l {
		_ = nc.Close()
		_ = server.Close()
		return
	}
	r.conns = append(r.conns, nc, server)
	r.running.Go(func() { r.pass(nc, server) })
	r.running.Go(func() { r.pass(server, nc) })
}

// pass relays one direction. The end of one side is that of the other.
func (r *relay) pass(to io.WriteCloser, from io.ReadCloser) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if r.swallows.Load() {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

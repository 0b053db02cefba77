package transport_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/loka-proxy/loka/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connect gives both ends of a TCP connection on loopback, the first of them framed.
func connect(t *testing.T, opt transport.Options) (*transport.Conn, *net.TCPConn) {
	t.Helper()
	l, err := transport.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	type accepted struct {
		nc  net.Conn
		err error
	}
	ch := make(chan accepted, 1)
	go func() { nc, err := l.Accept(); ch <- accepted{nc, err} }()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a := <-ch
	if a.err != nil {
		t.Fatal(a.err)
	}
	c := transport.NewConn(a.nc, opt)
	t.Cleanup(func() { _ = c.Close(); _ = peer.Close() })
	return c, peer.(*net.TCPConn)
}

// read collects what Lines hands over, as one text, and how Lines ended.
func read(c *transport.Conn) (string, error) {
	var all bytes.Buffer
	err := c.Lines(func(chunk []byte, _ time.Time) error {
		if len(chunk) == 0 || chunk[len(chunk)-1] != '\n' {
			return errors.New("a chunk is not whole lines")
		}
		all.Write(chunk)
		return nil
	})
	return all.String(), err
}

func TestLinesOfAnySegmentation(t *testing.T) { // C5
	text := strings.Repeat(`{"id":1}`+"\n", 50) + strings.Repeat("x", 5000) + "\n" + strings.Repeat("y", 40_000) + "\n" + "z\n"
	for _, size := range []int{1, 2, 7, 1000, 4096, 16 << 10, len(text)} {
		c, peer := connect(t, transport.Options{MaxLine: 50_000})
		go func() {
			defer peer.Close()
			for rest := []byte(text); len(rest) > 0; {
				n := min(size, len(rest))
				if _, err := peer.Write(rest[:n]); err != nil {
					return
				}
				rest = rest[n:]
			}
		}()
		got, err := read(c)
		if !errors.Is(err, io.EOF) || got != text {
			t.Errorf("in pieces of %d: %d bytes of %d came, then %v", size, len(got), len(text), err)
		}
	}
}

func TestLineTooLong(t *testing.T) {
	for name, text := range map[string]string{
		"whole":      "ok\n" + strings.Repeat("x", 101) + "\n",
		"incomplete": "ok\n" + strings.Repeat("x", 101),
		"endless":    strings.Repeat("x", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			c, peer := connect(t, transport.Options{MaxLine: 100})
			go func() { _, _ = peer.Write([]byte(text)) }()
			if _, err := read(c); !errors.Is(err, transport.ErrLineTooLong) {
				t.Errorf("got %v", err)
			}
		})
	}
	c, peer := connect(t, transport.Options{MaxLine: 100})
	line := strings.Repeat("x", 100) + "\n"
	_, _ = peer.Write([]byte(line))
	_ = peer.Close()
	if got, err := read(c); got != line || !errors.Is(err, io.EOF) {
		t.Errorf("a line of just the limit: %q, %v", got, err)
	}
}

func TestIncompleteLastLineIsDropped(t *testing.T) {
	c, peer := connect(t, transport.Options{MaxLine: 100})
	_, _ = peer.Write([]byte("one\ntwo"))
	_ = peer.Close()
	if got, err := read(c); got != "one\n" || !errors.Is(err, io.EOF) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSniffLeavesTheBytes(t *testing.T) {
	c, peer := connect(t, transport.Options{MaxLine: 100})
	_, _ = peer.Write([]byte(" \r\n\n  {\"id\":1}\n{\"i"))
	first, err := c.Sniff()
	if err != nil || !bytes.HasPrefix(first, []byte(`{"id":1}`)) {
		t.Fatalf("sniffed %q, %v", first, err)
	}
	_, _ = peer.Write([]byte("d\":2}\n"))
	_ = peer.Close()
	got, err := read(c)
	if !strings.HasSuffix(got, "{\"id\":1}\n{\"id\":2}\n") || !errors.Is(err, io.EOF) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestIdlePeer(t *testing.T) {
	c, peer := connect(t, transport.Options{MaxLine: 100, IdleTimeout: 30 * time.Millisecond})
	_, _ = peer.Write([]byte("one\n"))
	start := time.Now()
	if got, err := read(c); got != "one\n" || !errors.Is(err, transport.ErrIdle) {
		t.Errorf("got %q, %v", got, err)
	}
	if d := time.Since(start); d < 30*time.Millisecond {
		t.Errorf("gave up after %s", d)
	}
}

// TestIdleTimeIsCountedFromTheLastByte sends for longer than the idle time, in steps
// shorter than it: deadlines are armed rarely, and must not fire early.
func TestIdleTimeIsCountedFromTheLastByte(t *testing.T) {
	c, peer := connect(t, transport.Options{MaxLine: 100, IdleTimeout: 200 * time.Millisecond})
	go func() {
		defer peer.Close()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for range 25 {
			<-tick.C
			_, _ = peer.Write([]byte("x\n"))
		}
	}()
	if got, err := read(c); len(got) != 50 || !errors.Is(err, io.EOF) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestInterruptKeepsWriting(t *testing.T) {
	c, peer := connect(t, transport.Options{MaxLine: 100, IdleTimeout: time.Minute})
	ended := make(chan error, 1)
	go func() { _, err := read(c); ended <- err }()
	c.Interrupt()
	if err := <-ended; !errors.Is(err, transport.ErrInterrupted) {
		t.Fatalf("Lines ended with %v", err)
	}
	if _, err := c.Write([]byte("bye\n")); err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.Finish(time.Second) }()
	got, err := io.ReadAll(peer)
	if string(got) != "bye\n" || err != nil {
		t.Errorf("the peer got %q, %v", got, err)
	}
	_ = peer.Close()
}

// TestFinishDeliversWhatWasWritten has unread bytes in the receive buffer: a plain
// close would reset the connection and take the last line with it.
func TestFinishDeliversWhatWasWritten(t *testing.T) {
	c, peer := connect(t, transport.Options{MaxLine: 100})
	_, _ = peer.Write([]byte(strings.Repeat("unread\n", 1000)))
	if _, err := c.Sniff(); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte("answer\n"))
	var wg sync.WaitGroup
	wg.Go(func() { _ = c.Finish(5 * time.Second) })
	got, err := io.ReadAll(peer)
	if string(got) != "answer\n" || err != nil {
		t.Errorf("the peer got %q, %v", got, err)
	}
	_ = peer.Close()
	wg.Wait()
}

func TestWriteToPeerThatDoesNotRead(t *testing.T) {
	c, _ := connect(t, transport.Options{MaxLine: 100, WriteTimeout: 50 * time.Millisecond})
	line := bytes.Repeat([]byte("x"), 1<<20)
	for {
		if _, err := c.Write(line); err != nil {
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("got %v", err)
			}
			return
		}
	}
}

func TestWritesDoNotMix(t *testing.T) {
	c, peer := connect(t, transport.Options{MaxLine: 100, WriteTimeout: time.Minute})
	lines := []string{strings.Repeat("a", 5000) + "\n", strings.Repeat("b", 3000) + "\n", "c\n"}
	var wg sync.WaitGroup
	for _, line := range lines {
		wg.Go(func() {
			for range 200 {
				if _, err := c.Write([]byte(line)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	go func() { wg.Wait(); _ = c.Finish(time.Second) }()
	all, err := io.ReadAll(peer)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(all) {
		if s := string(line); s != lines[0] && s != lines[1] && s != lines[2] {
			t.Fatalf("a line of %d bytes is none that was written", len(s))
		}
	}
	_ = peer.Close()
}

// TestPipe reads a connection without a descriptor.
func TestPipe(t *testing.T) {
	a, b := net.Pipe()
	c := transport.NewConn(a, transport.Options{MaxLine: 100})
	go func() { _, _ = b.Write([]byte("one\ntwo\nth")); _, _ = b.Write([]byte("ree\n")); _ = b.Close() }()
	if got, err := read(c); got != "one\ntwo\nthree\n" || !errors.Is(err, io.EOF) {
		t.Errorf("got %q, %v", got, err)
	}
	_ = c.Close()
}

// TestNoDelay reads the socket option on both kinds of sockets (C32).
func TestNoDelay(t *testing.T) {
	l, err := transport.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ch := make(chan net.Conn, 1)
	go func() { nc, _ := l.Accept(); ch <- nc }()
	dialled, err := transport.Dial(t.Context(), transport.Target{URL: "x", HostPort: l.Addr().String()}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	accepted := <-ch
	for name, nc := range map[string]net.Conn{"dialled": dialled, "accepted": accepted} {
		for option, want := range map[string][2]int{
			"TCP_NODELAY":  {syscall.IPPROTO_TCP, syscall.TCP_NODELAY},
			"SO_KEEPALIVE": {syscall.SOL_SOCKET, syscall.SO_KEEPALIVE},
		} {
			if v := sockopt(t, nc.(*net.TCPConn), want[0], want[1]); v == 0 {
				t.Errorf("%s: %s is off", name, option)
			}
		}
		_ = nc.Close()
	}
}

func sockopt(t *testing.T, nc *net.TCPConn, level, name int) (v int) {
	t.Helper()
	raw, err := nc.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var serr error
	if err := raw.Control(func(fd uintptr) { v, serr = syscall.GetsockoptInt(int(fd), level, name) }); err != nil || serr != nil {
		t.Fatal(err, serr)
	}
	return v
}

func TestReadingALineAllocatesNothing(t *testing.T) {
	c, peer := connect(t, transport.Options{MaxLine: 1000, IdleTimeout: time.Minute})
	line := []byte(strings.Repeat("x", 160) + "\n")
	handled := make(chan struct{})
	go func() {
		_ = c.Lines(func([]byte, time.Time) error { handled <- struct{}{}; return nil })
	}()
	avg := testing.AllocsPerRun(1000, func() {
		_, _ = peer.Write(line)
		<-handled
	})
	if avg >= 1 {
		t.Errorf("%v allocations a line", avg)
	}
	_ = peer.Close()
}

// TestGoodLinesBeforeALongOne are handled, though all came at once.
func TestGoodLinesBeforeALongOne(t *testing.T) {
	c, peer := connect(t, transport.Options{MaxLine: 100})
	_, _ = peer.Write([]byte("one\ntwo\n" + strings.Repeat("x", 101) + "\nthree\n"))
	if got, err := read(c); got != "one\ntwo\n" || !errors.Is(err, transport.ErrLineTooLong) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSniffBoundsWhiteSpace(t *testing.T) {
	c, peer := connect(t, transport.Options{MaxLine: 1000})
	go func() {
		for {
			if _, err := peer.Write([]byte("   \n")); err != nil {
				return
			}
		}
	}()
	if _, err := c.Sniff(); !errors.Is(err, transport.ErrLineTooLong) {
		t.Errorf("got %v", err)
	}
	_ = c.Close()
}

// TestSlowHandlingIsNotSilence takes longer over each chunk than the peer may be silent.
func TestSlowHandlingIsNotSilence(t *testing.T) {
	c, peer := connect(t, transport.Options{MaxLine: 100, IdleTimeout: 40 * time.Millisecond})
	_, _ = peer.Write([]byte("one\n"))
	tick := time.NewTicker(60 * time.Millisecond)
	defer tick.Stop()
	lines := 0
	err := c.Lines(func(chunk []byte, _ time.Time) error {
		lines += bytes.Count(chunk, []byte("\n"))
		<-tick.C
		if lines < 4 {
			_, _ = peer.Write([]byte("more\n"))
		}
		return nil
	})
	if lines != 4 || !errors.Is(err, transport.ErrIdle) {
		t.Errorf("%d lines, then %v", lines, err)
	}
}

package transport

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Errors that end Lines, besides io.EOF and those of the socket.
var (
	// ErrLineTooLong says that the peer sent a line above the limit.
	ErrLineTooLong = errors.New("line too long")
	// ErrIdle says that the peer was silent for longer than it may be.
	ErrIdle = errors.New("nothing received for too long")
	// ErrInterrupted says that Interrupt was called.
	ErrInterrupted = errors.New("interrupted")
)

// Options bound what a peer may do. Zero means no bound.
type Options struct {
	// MaxLine is the longest line in bytes, without its end.
	MaxLine int
	// IdleTimeout bounds the silence of the peer, and WriteTimeout one write to it.
	IdleTimeout  time.Duration
	WriteTimeout time.Duration
	// Closed, when not nil, is called once, when the connection is closed from this side.
	Closed func()
}

// Conn is a connection that is read in whole lines. Lines and Sniff belong to one
// goroutine; Write, Interrupt and Close are safe from any.
type Conn struct {
	nc  net.Conn
	opt Options

	raw  syscall.RawConn // nil where readiness cannot be awaited apart from reading (TLS)
	step func(fd uintptr) bool
	in   *buffer // pooled, only while it holds bytes
	held []byte  // an incomplete line, with room to read behind it
	n    int     // what the last read gave
	rerr error

	heard       time.Time // when bytes came last
	deadline    time.Time // the read deadline that is armed
	interrupted atomic.Bool
	closed      sync.Once

	write struct {
		sync.Mutex
		deadline time.Time
	}
}

// NewConn frames nc, which it owns from now on.
func NewConn(nc net.Conn, opt Options) *Conn {
	c := &Conn{nc: nc, opt: opt}
	if tcp, ok := nc.(*net.TCPConn); ok && rawReads {
		if raw, err := tcp.SyscallConn(); err == nil {
			c.raw, c.step = raw, c.readOnce
		}
	}
	return c
}

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// SetIdleTimeout changes how long the peer may be silent, from now on. It belongs to
// the goroutine that reads, as in the function that Lines calls.
func (c *Conn) SetIdleTimeout(d time.Duration) {
	c.opt.IdleTimeout = d
	c.heard = time.Now()
	c.arm()
}

// Sniff waits for the first byte that is not white space and gives what has come
// from there on, without taking anything away from Lines. The bytes are valid until
// Lines is called. More white space than a line may have ends it with ErrLineTooLong.
func (c *Conn) Sniff() ([]byte, error) {
	for {
		if text := bytes.TrimLeft(c.held, " \t\r\n"); len(text) > 0 {
			return text, nil
		}
		if c.opt.MaxLine > 0 && len(c.held) > c.opt.MaxLine {
			return nil, ErrLineTooLong
		}
		data, _, err := c.fill()
		if err != nil {
			return nil, err
		}
		c.keep(data)
	}
}

// Lines reads until the connection ends and hands over what came, in chunks of one or
// more whole lines, each with its '\n', and the time at which they came. The chunk is
// handle's until it returns. Lines gives back io.EOF, ErrLineTooLong, ErrIdle,
// ErrInterrupted, the socket's error or that of handle. Bytes of an incomplete last
// line are dropped.
func (c *Conn) Lines(handle func(chunk []byte, at time.Time) error) error {
	c.heard = time.Now()
	c.arm()
	for {
		data, at := c.held, c.heard
		if bytes.IndexByte(data, '\n') < 0 { // else: left by Sniff or by an interruption
			var err error
			if data, at, err = c.fill(); err != nil {
				return err
			}
		}
		whole, rest := cut(data)
		good, err := c.measure(whole, rest)
		if good > 0 {
			if herr := handle(whole[:good], at); herr != nil {
				err = herr
			}
		}
		c.keep(rest)
		if err != nil {
			return err
		}
		if c.opt.IdleTimeout > 0 {
			c.heard = time.Now() // what handle took is not the peer's silence
		}
	}
}

// cut parts data behind its last line end.
func cut(data []byte) (whole, rest []byte) {
	i := bytes.LastIndexByte(data, '\n') + 1
	return data[:i], data[i:]
}

// measure holds every line, and an incomplete one, against the limit. It gives the
// number of bytes before the first that is too long.
func (c *Conn) measure(whole, rest []byte) (good int, err error) {
	limit := c.opt.MaxLine
	if limit <= 0 || len(whole)+len(rest) <= limit {
		return len(whole), nil
	}
	for good < len(whole) {
		n := bytes.IndexByte(whole[good:], '\n')
		if n > limit {
			return good, ErrLineTooLong
		}
		good += n + 1
	}
	if len(rest) > limit {
		err = ErrLineTooLong
	}
	return good, err
}

// fill waits for bytes and gives all that is at hand: the held part of a line and
// what came behind it.
func (c *Conn) fill() ([]byte, time.Time, error) {
	if c.held != nil && cap(c.held)-len(c.held) < minRead {
		c.held = append(make([]byte, 0, max(minRead*2, 2*len(c.held))), c.held...)
	}
	for {
		err := c.read()
		if err == nil {
			break
		}
		if errors.Is(err, os.ErrDeadlineExceeded) && c.stillAwaited() {
			continue
		}
		return nil, time.Time{}, c.why(err)
	}
	c.heard = time.Now()
	if c.held != nil {
		c.held = c.held[:len(c.held)+c.n]
		return c.held, c.heard, nil
	}
	return c.in[:c.n], c.heard, nil
}

// stillAwaited tells a deadline that was armed for an earlier line from real silence,
// and arms the next. Deadlines are not moved for every line: that costs a timer each.
func (c *Conn) stillAwaited() bool {
	if c.interrupted.Load() || c.opt.IdleTimeout <= 0 {
		return false
	}
	if time.Since(c.heard) >= c.opt.IdleTimeout {
		return false
	}
	c.arm()
	return true
}

func (c *Conn) arm() {
	c.deadline = time.Time{}
	if c.opt.IdleTimeout > 0 {
		c.deadline = c.heard.Add(c.opt.IdleTimeout)
	}
	_ = c.nc.SetReadDeadline(c.deadline) // fails only on a closed socket, as the read will
	if c.interrupted.Load() {            // Interrupt came between
		_ = c.nc.SetReadDeadline(past)
	}
}

func (c *Conn) why(err error) error {
	switch {
	case c.interrupted.Load():
		return ErrInterrupted
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrIdle
	}
	return err
}

// keep holds rest, an incomplete line, until more comes, and gives the pooled buffer
// back. Nothing is held when rest is empty.
func (c *Conn) keep(rest []byte) {
	switch {
	case len(rest) == 0:
		c.held = nil
	case c.in == nil && len(rest) == len(c.held): // it stands where it is
	default:
		c.held = append(make([]byte, 0, len(rest)+minRead), rest...)
	}
	c.release()
}

// room is where the next read goes: behind the held part, or a pooled buffer.
func (c *Conn) room() []byte {
	if c.held != nil {
		return c.held[len(c.held):cap(c.held)]
	}
	if c.in == nil {
		c.in = buffers.Get().(*buffer)
	}
	return c.in[:]
}

func (c *Conn) release() {
	if c.in != nil {
		buffers.Put(c.in)
		c.in = nil
	}
}

// read gets at least one byte into room.
func (c *Conn) read() error {
	if c.raw == nil {
		c.n, c.rerr = c.nc.Read(c.room())
		if c.n > 0 {
			return nil // an error that came with bytes comes again
		}
	} else if err := c.raw.Read(c.step); err != nil {
		c.rerr = err
	}
	if c.rerr != nil {
		c.release()
	}
	return c.rerr
}

// readOnce is called when the socket may be readable. It takes a buffer only then,
// and gives it back when there was nothing, so that an idle connection holds none.
func (c *Conn) readOnce(fd uintptr) bool {
	n, err := rawRead(fd, c.room())
	switch {
	case err == syscall.EAGAIN:
		c.release()
		return false
	case err != nil:
		c.n, c.rerr = 0, os.NewSyscallError("read", err)
	case n == 0:
		c.n, c.rerr = 0, io.EOF
	default:
		c.n, c.rerr = n, nil
	}
	return true
}

// Write writes all of p, whole lines, before anything that another goroutine writes.
// An error leaves the peer with part of it: the connection is of no use any more.
func (c *Conn) Write(p []byte) (int, error) {
	c.write.Lock()
	defer c.write.Unlock()
	if c.opt.WriteTimeout > 0 {
		// Half the time is always left; moving the deadline for every line costs a timer.
		now := time.Now()
		if c.write.deadline.Sub(now) < c.opt.WriteTimeout/2 {
			c.write.deadline = now.Add(c.opt.WriteTimeout)
			if err := c.nc.SetWriteDeadline(c.write.deadline); err != nil {
				return 0, err
			}
		}
	}
	return c.nc.Write(p)
}

// Interrupt makes Lines and Sniff end with ErrInterrupted once what has been read is
// handled. The connection stays open for writing.
func (c *Conn) Interrupt() {
	c.interrupted.Store(true)
	_ = c.nc.SetReadDeadline(past)
}

// Close ends the connection at once; a read and a write under way fail. TLS is not told
// goodbye, since that could wait for the peer.
func (c *Conn) Close() error {
	if c.opt.Closed != nil {
		c.closed.Do(c.opt.Closed)
	}
	if secure, ok := c.nc.(*tls.Conn); ok {
		return secure.NetConn().Close()
	}
	return c.nc.Close()
}

// Finish ends the connection so that what was written arrives: it closes the sending
// side and reads on until the peer has closed its own, for at most wait. Without that,
// bytes of the peer that were never read would make the kernel reset the connection,
// and the last lines would be lost. No other goroutine may be reading.
func (c *Conn) Finish(wait time.Duration) error {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = c.nc.SetReadDeadline(time.Now().Add(wait))
		_, _ = io.CopyN(io.Discard, c.nc, 1<<20)
	}
	return c.Close()
}

var past = time.Unix(1, 0)

// minRead is the least room a read is given.
const minRead = 2 << 10

// buffer holds what one read gives; 16 KiB take a burst of some 100 submits.
type buffer [16 << 10]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

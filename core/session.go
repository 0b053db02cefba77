package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/meter"
	"github.com/loka-proxy/loka/transport"
)

// session is one miner's visit. It is opened on a goroutine of its own; once a pool is
// reached it runs on two others, fromMiner and fromPool, and the last of them ends it.
type session struct {
	d      *Daemon
	front  *front
	id     string
	remote string
	miner  *transport.Conn
	talk   *exchange.Exchange
	shares *meter.Shares // at the pool in use
	began  time.Time

	mu         sync.Mutex
	leg        *leg               // in use; nil before the dial and between two pools
	closed     closing            // why, empty while open
	cancelDial context.CancelFunc // nil unless a dial is under way

	// pool is where the miner goes. It belongs to the goroutine that hears the miner; a
	// leg's goroutine reads it too, since it is started after a change and ends before the next.
	pool     *pool
	live     atomic.Int32 // goroutines, once the session is open
	draining atomic.Bool
	served   bool // a pool has been heard; belongs to the legs
	tally    tally
}

// tally is what is said of a session when it ends. Its fields change under the lock of
// the conversation.
type tally struct{ submitted, accepted, rejected, logins int }

// leg is a session's connection to a pool.
type leg struct {
	conn     *transport.Conn
	endpoint *endpoint
	pool     *pool
	heard    bool          // belongs to fromPool
	done     chan struct{} // closed when fromPool has ended
}

func newSession(d *Daemon, f *front, conn *transport.Conn) *session {
	s := &session{d: d, front: f, id: newID(), remote: conn.RemoteAddr().String(), miner: conn, began: d.opt.Now()}
	s.use(d.pools[f.proxy.policy.Pool.Address])
	host, port, _ := net.SplitHostPort(s.remote)
	number, _ := strconv.Atoi(port)
	s.talk = exchange.New(exchange.Config{
		Program: f.proxy.policy.Program, Proxy: f.proxy.name, Listener: f.policy.Address, Pool: s.pool.name,
		ClientIP: host, ClientPort: number, Session: s.id, Opened: s.began,
		MaxRequestBytes: s.pool.policy.MaxRequestBytes, Replays: len(f.proxy.policy.Routes) > 0,
	}, s)
	return s
}

// use turns to a pool, which is not dialled yet.
func (s *session) use(p *pool) {
	s.pool, s.shares = p, s.front.proxy.shares[p.name]
}

// errOpen ends the reading of the first lines: the pool is reached.
var errOpen = errors.New("the session is open")

// open hears the miner's first lines and reaches the pool. A miner that says nothing,
// or nothing that a pool should hear, never costs the pool a connection.
func (s *session) open() {
	timer := time.AfterFunc(s.front.policy.HandshakeTimeout, func() { s.close(closeHandshake) })
	err := s.greetSafely(timer)
	timer.Stop()
	if errors.Is(err, errOpen) {
		s.start()
		return
	}
	s.close(minerEnded(err))
	s.end()
}

func (s *session) greetSafely(timer *time.Timer) (err error) {
	err = closePanic
	defer s.rescue()
	return s.greet(timer)
}

func (s *session) greet(timer *time.Timer) error {
	var out exchange.Out
	if !s.talk.Connect(s.began, &out) {
		return closeDenied
	}
	s.route(out.Route)
	first, err := s.miner.Sniff()
	if err != nil {
		return err
	}
	if what := transport.Foreign(first); what != "" {
		s.front.proxy.meter.Refused(what)
		s.d.opt.Log.Debug("not a miner", "proxy", s.front.proxy.name, "remote", s.remote, "speaks", what)
		return closeForeign
	}
	return s.miner.Lines(func(chunk []byte, at time.Time) error {
		w := takeWork()
		defer w.give()
		if err := s.hear(chunk, at, w); err != nil || len(w.out.Pool) == 0 {
			return errors.Join(err, s.writeMiner(w.out.Miner))
		}
		timer.Stop()
		if err := s.reach(w); err != nil {
			return err
		}
		s.front.proxy.meter.FromMiner.Relayed(len(chunk), s.d.opt.Now().Sub(at))
		return errOpen
	})
}

// route turns to the pool that a rule named, before anything was sent to another.
func (s *session) route(to string) {
	if p := s.front.proxy.pools[to]; p != nil && p != s.pool {
		s.use(p)
		s.talk.SetPool(p.name, p.policy.MaxRequestBytes)
	}
}

// reach dials the pool and writes what the miner has said so far.
func (s *session) reach(w *work) error {
	l, err := s.dial(s.pool)
	if err != nil {
		return closeNoPool
	}
	if !s.install(l) {
		return closeShutdown
	}
	if _, err := l.conn.Write(w.out.Pool); err != nil {
		return closePoolGone
	}
	return s.writeMiner(w.out.Miner)
}

func (s *session) dial(p *pool) (*leg, error) {
	ctx, cancel := context.WithCancel(s.d.ctx)
	defer cancel()
	s.mu.Lock()
	s.cancelDial = cancel
	if s.closed != "" {
		cancel()
	}
	s.mu.Unlock()
	conn, e, err := p.dial(ctx)
	if err != nil {
		return nil, err
	}
	return &leg{conn: conn, endpoint: e, pool: p, done: make(chan struct{})}, nil
}

// install makes l the leg in use, unless the session was closed meanwhile.
func (s *session) install(l *leg) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != "" {
		_ = l.conn.Close()
		return false
	}
	s.leg, s.cancelDial = l, nil
	return true
}

// leave gives up the leg in use and waits until nothing more comes from it.
func (s *session) leave() {
	s.mu.Lock()
	old := s.leg
	s.leg = nil
	s.mu.Unlock()
	_ = old.conn.Close()
	<-old.done
}

// start runs both directions, each on a goroutine that is new: the one that dialled
// has grown a stack that a session of weeks would keep.
func (s *session) start() {
	l := s.leg // before fromMiner may change it
	s.live.Store(2)
	go s.fromPool(l)
	go s.fromMiner()
}

func (s *session) fromMiner() {
	defer s.done()
	defer s.rescue()
	err := s.miner.Lines(s.minerChunk)
	s.close(minerEnded(err))
}

// rescue ends the session alone where handling its lines panicked: the others go on.
func (s *session) rescue() {
	if r := recover(); r != nil {
		s.d.opt.Log.Error("a line could not be handled; this is a mistake in loka", "proxy", s.front.proxy.name,
			"session", s.id, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		s.close(closePanic)
	}
}

// minerChunk handles whole lines of the miner: one write for all that the pool gets.
func (s *session) minerChunk(chunk []byte, at time.Time) error {
	w := takeWork()
	defer w.give()
	heard := s.hear(chunk, at, w)
	if len(w.out.Pool) > 0 {
		if _, err := s.leg.conn.Write(w.out.Pool); err != nil {
			return closePoolGone
		}
	}
	if err := s.writeMiner(w.out.Miner); err != nil {
		return err
	}
	s.front.proxy.meter.FromMiner.Relayed(len(chunk), s.d.opt.Now().Sub(at))
	return heard
}

// hear hands the lines of a chunk to the conversation. What it wants written is in w,
// even when an error ends the session.
func (s *session) hear(chunk []byte, at time.Time, w *work) error {
	for line := range bytes.Lines(chunk) {
		mark := len(w.out.Pool)
		s.talk.FromMiner(line, at, &w.out)
		if err := s.follow(w, mark); err != nil {
			return err
		}
		if w.out.Close != "" {
			s.note(w.out.Close)
			return closeRefused
		}
	}
	return nil
}

// follow goes where a rule routed the miner with its last line, which stands in w from
// mark on.
func (s *session) follow(w *work, mark int) error {
	to := s.front.proxy.pools[w.out.Route]
	w.out.Route = ""
	if to == nil || to == s.pool {
		return nil
	}
	if err := s.talk.Movable(); err != nil {
		s.note(err.Error())
		return closeRefused
	}
	if s.leg == nil { // nothing was sent yet
		s.route(to.name)
		return nil
	}
	line := bytes.Clone(w.out.Pool[mark:])
	w.out.Pool = w.out.Pool[:0] // what came before is said again, as Rerouted gives it
	if err := s.change(to, w); err != nil {
		w.out.Pool = w.out.Pool[:0] // there is nobody to say it to
		return err
	}
	w.out.Pool = append(w.out.Pool, line...)
	return nil
}

// change leaves the pool in use for another before the miner's subscribe has gone to
// any. The old pool is read to the end, so that what it answered is known.
func (s *session) change(to *pool, w *work) error {
	next, err := s.dial(to)
	if err != nil {
		return closeNoPool
	}
	s.leave()
	s.use(to)
	s.talk.Rerouted(to.name, to.policy.MaxRequestBytes, &w.out)
	if !s.install(next) {
		return closeShutdown
	}
	s.live.Add(1)
	go s.fromPool(next)
	return nil
}

func (s *session) writeMiner(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if _, err := s.miner.Write(p); err != nil {
		return minerEnded(err)
	}
	return nil
}

func (s *session) fromPool(l *leg) {
	defer s.done()
	defer close(l.done)
	defer s.rescue()
	err := l.conn.Lines(func(chunk []byte, at time.Time) error { return s.poolChunk(l, chunk, at) })
	if l.heard {
		l.endpoint.forget()
	}
	if !s.closeLeg(l, poolEnded(err)) {
		return
	}
	if !l.heard && !errors.As(err, new(closing)) && s.talk.Awaiting() {
		l.endpoint.fail(silence(err, l.pool.policy.ReplyTimeout))
	}
}

// poolChunk handles whole lines of the pool: one write for all that the miner gets.
func (s *session) poolChunk(l *leg, chunk []byte, at time.Time) error {
	w := takeWork()
	defer w.give()
	for line := range bytes.Lines(chunk) {
		s.talk.FromPool(line, at, &w.out)
		if w.out.Close != "" {
			break
		}
	}
	if err := s.writeMiner(w.out.Miner); err != nil {
		return err
	}
	s.front.proxy.meter.FromPool.Relayed(len(chunk), s.d.opt.Now().Sub(at))
	switch {
	case w.out.Close != "":
		if w.out.Blame {
			l.endpoint.fail(errors.New(w.out.Close))
		}
		s.note(w.out.Close)
		return closePoolGone
	case !l.heard:
		l.heard, s.served = true, true
		l.endpoint.heard()
		l.conn.SetIdleTimeout(l.pool.policy.IdleTimeout)
	}
	if s.draining.Load() && s.talk.Outstanding() == 0 {
		return closeShutdown
	}
	return nil
}

// drain closes the session as soon as the miner waits for no answer.
func (s *session) drain() {
	s.draining.Store(true)
	if s.talk.Outstanding() == 0 {
		s.close(closeShutdown)
	}
}

// close ends the session for a reason; only the first counts. Its goroutines end soon
// after. The pool's socket is closed; the miner's is where the miner is at fault, and
// otherwise stays until all that was written to it has arrived.
func (s *session) close(why closing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeLocked(why)
}

// closeLeg is close for what comes from a leg; it does nothing, and reports false,
// where the session has closed already or has left that leg.
func (s *session) closeLeg(l *leg, why closing) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != "" || s.leg != l {
		return false
	}
	s.closeLocked(why)
	return true
}

func (s *session) closeLocked(why closing) {
	if s.closed != "" {
		return
	}
	s.closed = why
	if s.cancelDial != nil {
		s.cancelDial()
	}
	if s.leg != nil {
		_ = s.leg.conn.Close()
	}
	if why.gentle() {
		s.miner.Interrupt()
	} else {
		_ = s.miner.Close()
	}
}

// cut ends the session at once, whatever it is doing.
func (s *session) cut() {
	s.close(closeShutdown)
	_ = s.miner.Close()
}

// done is the end of one goroutine. The last one ends the session.
func (s *session) done() {
	if s.live.Add(-1) == 0 {
		s.end()
	}
}

// farewell is how long a miner may take to close its end after loka has.
const farewell = 500 * time.Millisecond

// end takes the session out of the books. Nothing of it runs any more.
func (s *session) end() {
	if s.closed.gentle() {
		_ = s.miner.Finish(farewell)
	}
	s.talk.Close(string(s.closed))
	s.front.proxy.meter.Closed(string(s.closed))
	s.front.meter.Closed()
	s.front.count.Add(-1)
	s.logEnd()
	s.d.leave(s)
}

// work is what handling one chunk needs; it is borrowed.
type work struct{ out exchange.Out }

var works = sync.Pool{New: func() any { return new(work) }}

func takeWork() *work { return works.Get().(*work) }

// maxKept is the largest slice that is kept for the next chunk.
const maxKept = 64 << 10

func (w *work) give() {
	pool, miner := w.out.Pool[:0], w.out.Miner[:0]
	w.out = exchange.Out{}
	if cap(pool) <= maxKept && cap(miner) <= maxKept {
		w.out.Pool, w.out.Miner = pool, miner
	}
	works.Put(w)
}

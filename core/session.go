package core

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/meter"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/transport"
)

// session is one miner's visit. It is opened on a goroutine of its own; once a pool is
// reached it runs on two others, fromMiner and fromPool, and the last of them ends it.
type session struct {
	d     *Daemon
	front *front
	// listener and door are what held for the listener when the miner connected.
	listener *policy.Listener
	door     *meter.Listener
	// under is the proxy as the generation in force has it. It changes with the
	// conversation locked.
	under atomic.Pointer[proxy]
	// adopting is held while the session comes under another generation. Removed says that
	// its listener is not there, or another proxy's, and standing how it stands there
	// otherwise; nil under its first.
	adopting sync.Mutex
	removed  bool
	standing *exchange.Standing
	// chosen is the pool that an operator moved it to, nil if none did.
	chosen atomic.Pointer[string]

	id     string
	remote string
	miner  *transport.Conn
	talk   *exchange.Exchange
	began  time.Time
	// down is held while lines of a pool are handled and what becomes of them is written
	// to the miner, so that nothing of a pool that is left follows what tells of another.
	down sync.Mutex

	mu         sync.Mutex
	leg        *leg               // in use; nil before the dial and while there is no pool
	next       *leg               // that is being prepared
	late       []*leg             // that were left, and may still answer
	closed     closing            // why, empty while open
	later      *time.Timer        // does something to the session later
	parting    bool               // which is to close it
	cancelDial context.CancelFunc // nil unless a dial is under way
	opened     bool               // both directions run
	move       move

	// pool is where the miner goes at first. It belongs to the goroutine that hears the
	// miner, and does not change once the session is open.
	pool    *pool
	shares  *meter.Shares           // there
	live    atomic.Int32            // goroutines, once the session is open
	leaving atomic.Pointer[closing] // why it closes once the miner waits for no answer
	served  bool                    // a pool has been heard; belongs to the legs
	tape    Tape                    // nil unless the session is recorded
	taping  atomic.Bool             // until the session is moved
	tally   tally
	recent  recent // belongs to the conversation
}

// tally is what is said of a session when it ends. Its fields change under the lock of
// the conversation.
type tally struct{ submitted, accepted, rejected, logins int }

// leg is a session's connection to a pool.
type leg struct {
	conn     *transport.Conn
	endpoint *endpoint
	pool     *pool
	shares   *meter.Shares
	talk     *exchange.Leg // the conversation's end of it
	heard    bool          // belongs to fromPool
	done     chan struct{} // closed when fromPool has ended
	ready    chan error    // says once what came of preparing it
	began    time.Time     // when it was first in use
	left     time.Time     // when another took its place
	// campaign is that in which it was left or lost; nil before.
	campaign atomic.Pointer[campaign]
	// given says why loka has given it up, if it has.
	given atomic.Pointer[closing]
}

// giveUp ends the connection for a reason.
func (l *leg) giveUp(why closing) {
	l.given.CompareAndSwap(nil, &why)
	_ = l.conn.Close()
}

func newSession(d *Daemon, f *front, at *place, conn *transport.Conn) *session {
	s := &session{d: d, front: f, listener: at.policy, door: at.meter, id: newID(), remote: conn.RemoteAddr().String(), miner: conn, began: d.opt.Now()}
	s.under.Store(at.proxy)
	s.use(at.proxy.home())
	host, port := clientAddress(s.remote)
	s.record(host, port)
	s.talk = exchange.New(exchange.Config{
		Program: at.proxy.policy.Program, Proxy: at.proxy.name, Listener: at.policy.Address, Pool: s.pool.name,
		ClientIP: host, ClientPort: port, Session: s.id, Opened: s.began,
		MaxRequestBytes: s.pool.policy.MaxRequestBytes, Replays: len(at.proxy.policy.Routes) > 0,
		Figures: s, Extranonce1: at.proxy.ownExtranonce1(), Extranonce2Size: at.proxy.policy.Layout.Extranonce2,
	}, s)
	return s
}

// proxy is the proxy that the session is under.
func (s *session) proxy() *proxy { return s.under.Load() }

// use turns to a pool, which is not dialled yet.
func (s *session) use(p *pool) {
	s.pool, s.shares = p, s.sharesAt(p)
}

// sharesAt counts the session's shares at a pool.
func (s *session) sharesAt(p *pool) *meter.Shares {
	if shares := s.proxy().shares[p.name]; shares != nil {
		return shares
	}
	return s.d.opt.Meter.Shares(s.proxy().name, p.name) // the pool is another generation's
}

// start runs both directions, each on a goroutine that is new: the one that dialled
// has grown a stack that a session of weeks would keep.
func (s *session) start() {
	s.mu.Lock()
	l := s.leg
	l.began = s.d.opt.Now()
	s.opened = true
	s.live.Store(2)
	s.mu.Unlock()
	go s.fromPool(l)
	go s.fromMiner()
}

func (s *session) fromMiner() {
	defer s.done()
	defer s.rescue()
	err := s.miner.Lines(s.minerChunk)
	why := s.leaving.Load()
	switch {
	case why == nil:
		s.close(minerEnded(err))
	case s.talk.Outstanding() == 0: // else the answers are still to come
		s.close(*why)
	}
}

// minerChunk handles whole lines of the miner: one write for all that the pool gets.
func (s *session) minerChunk(chunk []byte, at time.Time) error {
	w := takeWork()
	defer w.give()
	heard := s.hear(chunk, at, w)
	writePools(&w.out)
	if w.out.Place {
		s.place()
	}
	if err := s.writeMiner(w.out.Miner); err != nil {
		return err
	}
	s.proxy().meter.FromMiner.Relayed(len(chunk), s.d.opt.Now().Sub(at))
	return heard
}

// writePools writes to each pool what is for it. One that cannot be written to is given up,
// and what reads from it finds out.
func writePools(out *exchange.Out) {
	for i, t := range out.Turns {
		end := len(out.Pool)
		if i+1 < len(out.Turns) {
			end = out.Turns[i+1].From
		}
		if l, ok := t.Leg.Owner.(*leg); ok && end > t.From {
			if _, err := l.conn.Write(out.Pool[t.From:end]); err != nil {
				l.giveUp(closePoolGone)
			}
		}
	}
}

// hear hands the lines of a chunk to the conversation. What it wants written is in w,
// even when an error ends the session.
func (s *session) hear(chunk []byte, at time.Time, w *work) error {
	for line := range bytes.Lines(chunk) {
		mark, answers := len(w.out.Pool), len(w.out.Miner)
		s.talk.FromMiner(line, at, &w.out)
		mark, err := s.follow(w, mark)
		if s.taping.Load() {
			s.tape.Line(w.out.Line, true, at, line, w.out.Pool[mark:], w.out.Miner[answers:])
		}
		if err != nil {
			return err
		}
		if w.out.Close != "" {
			s.note(w.out.Close)
			return closeRefused
		}
	}
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
	defer l.over()
	defer func() {
		if l.heard {
			l.endpoint.forget()
		}
	}()
	defer s.rescue()
	s.ended(l, l.conn.Lines(func(chunk []byte, at time.Time) error { return s.poolChunk(l, chunk, at) }))
}

// over tells who waits for the leg to be ready, if anybody still does.
func (l *leg) over() {
	select {
	case l.ready <- errClosing:
	default:
	}
}

// poolChunk handles whole lines of a pool: one write for all that the miner gets.
func (s *session) poolChunk(l *leg, chunk []byte, at time.Time) error {
	w := takeWork()
	defer w.give()
	s.down.Lock()
	defer s.down.Unlock()
	if err := s.hearPool(l, chunk, at, w); err != nil {
		return err
	}
	writePools(&w.out)
	if err := s.writeMiner(w.out.Miner); err != nil {
		return err
	}
	if w.out.Answered {
		w.out.Miner = w.out.Miner[:0]
		s.talk.Written(&w.out)
		if err := s.writeMiner(w.out.Miner); err != nil {
			return err
		}
		if w.out.Place {
			s.place()
		}
	}
	s.proxy().meter.FromPool.Relayed(len(chunk), s.d.opt.Now().Sub(at))
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
	if w.out.Redirect != nil {
		s.redirect(l, w.out.Redirect)
	}
	if why := s.leaving.Load(); why != nil && s.talk.Outstanding() == 0 {
		return *why
	}
	return nil
}

// hearPool hands the lines of a chunk to the conversation, and turns to the leg once it
// is ready. What is to be written is in w.
func (s *session) hearPool(l *leg, chunk []byte, at time.Time, w *work) error {
	for line := range bytes.Lines(chunk) {
		mark := len(w.out.Miner)
		l.talk.FromPool(line, at, &w.out)
		if w.out.Line > 0 && s.taping.Load() {
			s.tape.Line(w.out.Line, false, at, line, nil, w.out.Miner[mark:])
		}
		if err := s.prepared(l, at, w); err != nil {
			return err
		}
		if w.out.Close != "" {
			break
		}
	}
	return nil
}

// work is what handling one chunk needs; it is borrowed.
type work struct{ out exchange.Out }

var works = sync.Pool{New: func() any { return new(work) }}

func takeWork() *work { return works.Get().(*work) }

// maxKept and maxTurns are the largest slices that are kept for the next chunk.
const (
	maxKept  = 64 << 10
	maxTurns = 16
)

func (w *work) give() {
	pool, miner, turns := w.out.Pool[:0], w.out.Miner[:0], w.out.Turns[:0]
	clear(turns[:cap(turns)]) // lets go of the legs
	w.out = exchange.Out{}
	if cap(pool) <= maxKept && cap(miner) <= maxKept && cap(turns) <= maxTurns {
		w.out.Pool, w.out.Miner, w.out.Turns = pool, miner, turns
	}
	works.Put(w)
}

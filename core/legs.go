package core

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
)

// ended is the end of a leg: its connection, or that to the miner, has failed.
func (s *session) ended(l *leg, err error) {
	_ = l.conn.Close()
	s.down.Lock()
	defer s.down.Unlock()
	s.mu.Lock()
	inUse, next, closed := s.leg == l, s.next == l, s.closed != ""
	late := slices.Contains(s.late, l)
	s.mu.Unlock()
	next = next || errors.Is(err, closeUnfit) // another one may be prepared by now
	why := poolEnded(err)
	if given := l.given.Load(); given != nil {
		why = *given
	}
	if next || late {
		s.d.extra.Add(-1)
		s.proxy().mover.wake()
	}
	switch {
	case next:
		s.giveUpNext(l, err, closed)
	case closed:
	case !why.ofPool():
		s.close(why)
	case late:
		s.forget(l, why)
	case inUse && s.leaving.Load() == nil && s.talk.Way() != exchange.ByReconnect:
		s.bereave(l, why)
	case inUse:
		s.closeLeg(l, why)
	}
	if inUse && !closed {
		l.blame(err)
	}
}

// blame tells the server's health of a leg that it ended.
func (l *leg) blame(err error) {
	switch {
	case errors.As(err, new(closing)) || l.given.Load() != nil: // it was ended from here
	case l.heard:
		l.endpoint.dropped(err)
	case l.talk.Awaiting():
		l.endpoint.fail(silence(err, l.pool.policy.ReplyTimeout))
	}
}

// giveUpNext notes that a leg that was being prepared has ended, perhaps with the session.
func (s *session) giveUpNext(l *leg, err error, closed bool) {
	s.mu.Lock()
	if s.next == l {
		s.next = nil
	}
	s.mu.Unlock()
	s.talk.Gone(l.talk, "", &exchange.Out{})
	if !l.heard && !closed && !errors.As(err, new(closing)) {
		l.endpoint.fail(silence(err, l.pool.policy.ReplyTimeout))
	}
	if l.given.Load() != nil {
		err = errNotReady
	}
	select {
	case l.ready <- fmt.Errorf("the pool's connection has ended: %w", err):
	default: // it is known already
	}
}

// forget lets go of a leg that was left. What it never answered is answered here.
func (s *session) forget(l *leg, why closing) {
	s.mu.Lock()
	s.late = slices.DeleteFunc(s.late, func(o *leg) bool { return o == l })
	s.mu.Unlock()
	s.settleAll(l, why)
}

// bereave leaves the session without a pool, and has it moved to one.
func (s *session) bereave(l *leg, why closing) {
	l.campaign.Store(s.proxy().mover.campaign())
	s.settleAll(l, why)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leg != l {
		return
	}
	s.leg = nil
	if why == closePoolQuiet {
		s.move.silent = l.endpoint
	}
	s.move.lost = s.d.opt.Now()
	s.move.fed = s.move.lost
	if s.move.lost.Sub(l.began) >= lasting {
		s.move.kicks = 0
	}
	held := s.proxy().policy.HoldWhenDown && !l.pool.sound()
	switch s.move.kicks++; { // perhaps it is the miner that no pool keeps
	case s.move.kicks > patience && !held:
		s.closeLocked(why)
	case s.move.kicks > 1:
		s.laterLocked(retryAfter(s.move.kicks-1), s.wantMove)
	default:
		s.wantMoveLocked()
	}
}

// lasting is how long a leg must have been in use for its end to be nothing odd.
const lasting = 10 * time.Second

// settleAll answers what a leg never will.
func (s *session) settleAll(l *leg, why closing) {
	var out exchange.Out
	s.talk.Gone(l.talk, string(why), &out)
	if err := s.writeMiner(out.Miner); err != nil {
		s.close(minerEnded(err))
	}
	if leaving := s.leaving.Load(); leaving != nil && s.talk.Outstanding() == 0 { // it waited for these
		s.close(*leaving)
	}
}

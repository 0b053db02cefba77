package core

import (
	"fmt"
	"runtime/debug"
	"time"
)

// drain closes the session as soon as the miner waits for no answer, because loka stops.
func (s *session) drain() { s.leaveFor(closeShutdown) }

// part does so because of a policy or an operator, and within a time.
func (s *session) part(why closing) {
	if s.leaving.Load() != nil { // and is bounded already
		return
	}
	s.mu.Lock()
	s.laterLocked(s.d.DrainTimeout(), func() { s.close(why) })
	s.parting = true
	s.mu.Unlock()
	s.leaveFor(why)
}

// after does something later, in the place of what was to be done later so far; nothing
// once the session has closed, or has a time by which it does.
func (s *session) after(wait time.Duration, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.laterLocked(wait, do)
}

func (s *session) laterLocked(wait time.Duration, do func()) {
	if s.parting {
		return
	}
	if s.later != nil {
		s.later.Stop()
	}
	if s.closed == "" {
		s.later = time.AfterFunc(wait, do)
	}
}

// leaveFor takes no more from the miner, and closes the session once it has its answers.
func (s *session) leaveFor(why closing) {
	s.leaving.CompareAndSwap(nil, &why)
	if s.talk.Outstanding() == 0 {
		s.close(why)
		return
	}
	s.miner.Interrupt()
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
	if s.later != nil {
		s.later.Stop()
	}
	if s.cancelDial != nil {
		s.cancelDial()
	}
	for _, l := range append([]*leg{s.leg, s.next}, s.late...) {
		if l != nil {
			_ = l.conn.Close()
		}
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
	if s.tape != nil {
		s.tape.Close()
	}
	s.proxy().meter.Closed(string(s.closed))
	s.door.Closed()
	s.front.count.Add(-1)
	s.logEnd()
	s.d.leave(s)
}

// rescue ends the session alone where handling its lines panicked: the others go on.
func (s *session) rescue() {
	if r := recover(); r != nil {
		s.d.opt.Log.Error("a line could not be handled; this is a mistake in loka", "proxy", s.proxy().name,
			"session", s.id, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		s.close(closePanic)
	}
}

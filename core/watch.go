package core

import (
	"errors"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
)

// watchEvery is how often pools and sessions are looked at.
const watchEvery = time.Second

// watch looks at every pool and session now and then, for what no message tells: a server
// that is well again, a pool that has fallen silent, one that has been left long enough.
func (d *Daemon) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-d.ctx.Done():
			return
		case <-tick.C:
			now := d.opt.Now()
			d.lookAfter(now)
			d.eachSession(func(s *session) { s.look(now) })
			for _, m := range d.allMovers() {
				m.look(now)
			}
		}
	}
}

// look does what the moment asks for. Rules may be asked, so a mistake ends the session alone.
func (s *session) look(now time.Time) {
	defer s.rescue()
	s.mu.Lock()
	skip, l := s.closed != "" || !s.opened, s.leg
	for _, old := range s.late {
		if now.Sub(old.left) >= lateWindow {
			old.giveUp(closeLate) // what reads from it does the rest
		}
	}
	s.mu.Unlock()
	switch {
	case skip:
	case l == nil:
		s.holdOn(now)
	case silentFor(l, now) > l.pool.policy.ResponseTimeout:
		l.endpoint.unanswered(errBlackHole)
		l.giveUp(closePoolQuiet)
	case l.pool.better(l.endpoint):
		s.mu.Lock()
		s.move.better = true
		s.wantMoveLocked()
		s.mu.Unlock()
	case s.proxy().policy.Program.Drifts():
		s.place()
	}
}

// errBlackHole is what is wrong with a server that takes requests and says nothing.
var errBlackHole = errors.New("it leaves requests unanswered, and says nothing else")

// place judges again where the miner belongs, and has it moved if that is elsewhere.
func (s *session) place() {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	s.locate()
	s.judge()
}

// locate finds anew which pool the miner belongs to. The session is adopting.
func (s *session) locate() {
	if s.standing == nil {
		s.standing = &exchange.Standing{}
	}
	s.standing.Pool = s.talk.Place(s.proxy().home().name, s.d.opt.Now())
}

// silentFor is how long a pool has owed an answer and said nothing. A pool that merely has
// nothing to say is well.
func silentFor(l *leg, now time.Time) time.Duration {
	since := l.talk.Unanswered()
	if since.IsZero() {
		return 0
	}
	return now.Sub(since)
}

// feedAfter is how long a miner without a pool may hear nothing: cgminer leaves after 90 s.
const feedAfter = 45 * time.Second

// holdOn keeps a miner that has no pool, and has it moved once there is one.
func (s *session) holdOn(now time.Time) {
	if s.proxy().policy.Program.Drifts() { // it may belong to a pool that is up by now
		s.adopting.Lock()
		s.locate()
		s.adopting.Unlock()
	}
	switch to, _ := s.destination(); {
	case to == nil:
	case to.up():
		s.wantMove()
	default:
		to.sought.Store(true)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != "" || s.leg != nil || now.Sub(s.move.fed) < feedAfter {
		return
	}
	s.move.fed = now
	s.live.Add(1)
	go s.feed()
}

// feed tells a miner what it knows, so that it does not leave.
func (s *session) feed() {
	defer s.done()
	defer s.rescue()
	var out exchange.Out
	s.talk.Feed(&out)
	if err := s.writeMiner(out.Miner); err != nil {
		s.close(minerEnded(err))
	}
}

package core

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/loka-proxy/loka/core/exchange"
)

// move is what a session knows of being moved. Its lock is the session's.
type move struct {
	state  moveState
	urgent bool      // it is queued among those without a pool
	better bool      // another server of the pool is better
	sentOn bool      // the server has the miner connect anew, to itself or to where it says
	silent *endpoint // that left the last leg without an answer; nil once there is another leg
	again  bool      // something changed since it is under way
	tries  int       // that failed in a row
	kicks  int       // legs in a row that ended, or sent the miner on, soon after they began
	lost   time.Time // since when the session has no pool; zero while it has one
	fed    time.Time // when the miner last got something in place of a pool's lines
	done   int       // how often the session has moved
	away   bool      // the miner was told to connect again, and has its time for that
}

type moveState uint8

const (
	settled  moveState = iota
	queued             // a mover has it
	underway           // a goroutine is at it
)

// lateWindow is how long a pool that was left may still answer. Miners send what they
// find for an earlier job within a second or two; cgminer tries for two minutes, but only
// if its extranonce is still the same.
const lateWindow = 30 * time.Second

// maxLate bounds the pools that a session has left and that may still answer. One that is
// moved over and over, as by a policy that is edited every second, would else hold dozens of
// connections.
const maxLate = 8

// Reasons for which a session cannot be moved now.
var (
	errNotReady      = errors.New("the pool did not give work in time")
	errNotSubscribed = errors.New("the miner has not subscribed yet")
	errClosing       = errors.New("the session ends")
	errSentOn        = errors.New("the pool sends its miners to another server")
)

// wantMove has the session moved to where it belongs, in its turn. One without a pool is
// urgent.
func (s *session) wantMove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wantMoveLocked()
}

func (s *session) wantMoveLocked() {
	switch {
	case s.closed != "" || !s.opened || s.leaving.Load() != nil || s.move.away:
	case s.move.state == underway:
		s.move.again = true
	case s.move.state == settled, s.leg == nil && !s.move.urgent: // it may have become urgent
		s.move.state, s.move.urgent = queued, s.leg == nil
		s.proxy().mover.add(s, s.move.urgent)
	}
}

// beginMove takes the session out of the queue. It reports false where there is nothing to
// do for a mover any more.
func (s *session) beginMove() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != "" || s.move.state != queued || s.leaving.Load() != nil {
		return false
	}
	s.move.state, s.move.urgent, s.move.again = underway, false, false
	s.live.Add(1)
	return true
}

// carry moves the session to where it belongs, on a goroutine of its own.
func (s *session) carry() {
	defer s.done()
	defer s.rescue()
	to, why := s.destination()
	var err error
	switch {
	case why == "":
	case to == nil:
		s.part(why)
	case !s.talk.Subscribed(): // it would take what we say for the reply
		err = errNotSubscribed
	case s.talk.Way() == exchange.ByReconnect:
		s.sendAway(to)
	default:
		err = s.carryTo(to)
	}
	s.endMove(to, err)
}

// endMove settles what comes after an attempt.
func (s *session) endMove(to *pool, err error) {
	if errors.Is(err, exchange.ErrByReconnect) {
		s.sendAway(to)
		err = nil
	}
	renamed := s.renamed()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.move.state = settled
	switch {
	case s.closed != "":
	case s.move.away:
	case s.leg != nil && s.move.again && errors.Is(err, exchange.ErrPolicyChanged):
		s.wantMoveLocked() // to where it belongs now: nothing has failed there
	case err == nil:
		s.move.tries = 0
		if s.move.again {
			s.wantMoveLocked()
		}
	default:
		s.failedLocked(to, err, renamed)
	}
}

// renamed reports whether a name of the session would be another at the pool.
func (s *session) renamed() bool {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	return s.standing != nil && s.standing.Renamed
}

// patience is how many attempts a miner is left as it is for, where that is not well: it
// has no pool, though there is one, or it mines under a name that is not its own any more.
const patience = 5

// failedLocked decides what becomes of a miner that could not be moved. One that has a
// pool stays there and is tried again, less and less often.
func (s *session) failedLocked(to *pool, err error, renamed bool) {
	s.move.tries++
	px := s.proxy()
	if errors.Is(err, errNotSubscribed) && s.move.tries < patience {
		s.laterLocked(time.Second, s.wantMove)
		return
	}
	px.mover.failed()
	level := hclog.Debug // a whole farm may be stuck for one reason
	px.mover.stuck.Do(func() { level = hclog.Warn })
	s.d.opt.Log.Log(level, "a miner could not be moved", "proxy", px.name, "session", s.id, "pool", to.name, "error", err)
	switch {
	case s.leg == nil && !to.up() && px.policy.HoldWhenDown:
		return // the watch sees when a server is back
	case s.leg == nil && px.policy.HoldWhenDown && !to.sound(): // it comes and goes; that is not the miner's fault
	case s.leg == nil && (!to.up() || s.move.tries >= patience):
		s.closeLocked(closeNoPool)
		return
	case (renamed || errors.Is(err, errNotSubscribed)) && s.move.tries >= patience:
		s.closeLocked(closeMoved)
		return
	}
	wait := retryAfter(s.move.tries)
	switch {
	case s.leg != nil:
	case s.move.tries <= 2: // a server that ends takes a connection at its last moment
		wait = 0
	default:
		wait = min(wait, time.Second)
	}
	s.laterLocked(wait, s.wantMove)
}

// retryAfter is half a second to two minutes, and not the same for all.
func retryAfter(tries int) time.Duration {
	longest := time.Second << min(tries-1, 7)
	return longest/2 + rand.N(longest/2)
}

// carryTo moves the session to a pool: the new one is made ready in every way before the
// miner is told of it, and before the one in use is left.
func (s *session) carryTo(to *pool) error {
	began := s.d.opt.Now()
	l, err := s.reachNext(to)
	if l == nil {
		return err
	}
	var out exchange.Out
	end, err := s.talk.Prepare(to.name, to.policy.MaxRequestBytes, l, began, &out)
	if err != nil {
		_ = l.conn.Close()
		return err
	}
	l.talk = end
	if !s.setNext(l) {
		_ = l.conn.Close()
		return errClosing
	}
	go s.fromPool(l)
	writePools(&out)
	if err := s.await(l); err != nil {
		return err
	}
	return s.confirm()
}

// setNext makes l the leg that is being prepared, with a goroutine that is about to start.
func (s *session) setNext(l *leg) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancelDial = nil
	if s.closed != "" {
		return false
	}
	s.next = l
	s.live.Add(1)
	s.d.extra.Add(1)
	return true
}

// await waits until the leg that is being prepared is in use, or is not going to be.
func (s *session) await(l *leg) error {
	ctx, cancel := context.WithTimeout(s.d.ctx, l.pool.policy.ReplyTimeout)
	defer cancel()
	select {
	case err := <-l.ready:
		return err
	case <-ctx.Done():
		l.giveUp(closePoolQuiet)
		return <-l.ready // it may be in use all the same, at the last moment
	}
}

// prepared does what a line of a leg that is being prepared asks for. The session's down is
// held.
func (s *session) prepared(l *leg, at time.Time, w *work) error {
	switch to := w.out.Redirect; {
	case to != nil && s.prepares(l):
		w.out.Redirect = nil
		if s.follows(l, to) {
			return l.unfit(errSentOn, false)
		}
	case w.out.Unfit != nil || w.out.Ready:
		return s.turn(l, at, w)
	}
	return nil
}

// prepares reports whether a leg is the one that is being prepared.
func (s *session) prepares(l *leg) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next == l
}

// turn makes a leg that has all it needs the one in use. The session's down is held.
func (s *session) turn(l *leg, at time.Time, w *work) error {
	unfit, blame := w.out.Unfit, w.out.Blame
	w.out.Ready, w.out.Unfit, w.out.Blame = false, nil, false
	if unfit != nil {
		return l.unfit(unfit, blame)
	}
	done, err := s.talk.Switch(l.talk, at, &w.out)
	switch {
	case err != nil:
		return l.unfit(err, false)
	case !done:
		return nil
	}
	s.turned(l, at)
	l.ready <- nil
	return nil
}

// unfit gives up a leg that is being prepared. Its server is well, unless the pool is to
// blame: others may find it fit.
func (l *leg) unfit(err error, blame bool) error {
	switch {
	case blame:
		l.endpoint.fail(err)
	case !l.heard:
		l.heard = true
		l.endpoint.heard()
	}
	l.ready <- err
	return closeUnfit
}

// turned notes that another leg is in use.
func (s *session) turned(l *leg, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.leg
	s.leg, s.next = l, nil
	s.taping.Store(false)
	s.move.done++
	s.move.better, s.move.sentOn, s.move.silent = false, false, nil // the new leg may send it on at once
	idle := time.Duration(0)
	l.began = at
	campaign := s.proxy().mover.campaign()
	if old == nil {
		idle = at.Sub(s.move.lost)
		s.move.lost = time.Time{}
		s.d.extra.Add(-1)
	} else {
		if at.Sub(old.began) >= lasting {
			s.move.tries = 0
		}
		old.left = at
		old.campaign.Store(campaign)
		s.late = append(s.late, old)
		if len(s.late) > maxLate {
			s.late[0].giveUp(closeLate)
		}
	}
	s.proxy().mover.moved(s.talk.Way(), idle)
	from := ""
	if old != nil {
		from = old.pool.name
	}
	s.d.opt.Log.Debug("miner moved", "proxy", s.proxy().name, "session", s.id, "from", from, "pool", l.pool.name, "endpoint", l.endpoint.server.Name)
	if s.closed != "" { // its connections were closed a moment ago, this one not among them
		_ = l.conn.Close()
	}
}

// confirm judges a session that has moved anew: its names are those of the new leg now.
func (s *session) confirm() error {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	s.come(s.d.governing(s))
	if s.misplaced() != "" {
		return exchange.ErrPolicyChanged
	}
	return nil
}

// destination gives the pool that the session belongs to and, if it is not well where it is,
// why. There is no pool for one that does not belong here at all.
func (s *session) destination() (*pool, closing) {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	why := s.misplaced()
	if s.removed || s.standing != nil && s.standing.Refused {
		return nil, why
	}
	p := s.rightPool()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case why != "":
	case s.leg == nil, s.move.better, s.move.sentOn:
		why = closeMoved
	}
	return p, why
}

// rightPool is the pool that the miner belongs to under the rules. The session is adopting.
func (s *session) rightPool() *pool {
	name := s.pool.name
	if s.standing != nil {
		name = s.standing.Pool
	}
	px := s.proxy()
	if p := px.pool(s.belongs(name)); p != nil {
		return p
	}
	return px.home()
}

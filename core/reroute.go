package core

import (
	"bytes"

	"github.com/loka-proxy/loka/core/exchange"
)

// follow goes where a rule routed the miner with its last line, which stands in w from
// mark on, and gives where it stands then, behind what the new pool has to be told first.
func (s *session) follow(w *work, mark int) (now int, err error) {
	rule := w.out.Route
	to := s.routed(rule)
	w.out.Route = ""
	if to == nil || to.name == s.pool.name {
		return mark, nil
	}
	if err := s.talk.Movable(); err != nil {
		s.note(err.Error())
		return mark, closeRefused
	}
	if s.leg == nil { // nothing was sent yet
		s.route(rule) // what operators want is seen to when it is dialled
		return mark, nil
	}
	line := bytes.Clone(w.out.Pool[mark:])
	w.out.Pool, w.out.Turns = w.out.Pool[:0], w.out.Turns[:0] // what came before is said again, as Rerouted gives it
	if err := s.change(to, w); err != nil {
		w.out.Pool, w.out.Turns = w.out.Pool[:0], w.out.Turns[:0] // there is nobody to say it to
		return 0, err
	}
	now = len(w.out.Pool)
	w.out.Pool = append(w.out.Pool, line...)
	w.out.Turns = append(w.out.Turns[:0], exchange.Turn{Leg: s.talk.Leg()})
	return now, nil
}

// routed gives the pool of the miners that a rule sends to one, nil if none does.
func (s *session) routed(to string) *pool {
	if to == "" {
		return nil
	}
	return s.proxy().pool(s.belongs(to))
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
	if why := s.settle(); why != "" {
		return why
	}
	s.live.Add(1)
	go s.fromPool(next)
	return nil
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

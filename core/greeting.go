package core

import (
	"errors"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/transport"
)

// errOpen ends the reading of the first lines: the pool is reached.
var errOpen = errors.New("the session is open")

// open hears the miner's first lines and reaches the pool. A miner that says nothing,
// or nothing that a pool should hear, never costs the pool a connection.
func (s *session) open() {
	timer := time.AfterFunc(s.listener.HandshakeTimeout, func() { s.close(closeHandshake) })
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
		s.proxy().meter.Refused(what)
		s.d.opt.Log.Debug("not a miner", "proxy", s.proxy().name, "remote", s.remote, "speaks", what)
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
		s.proxy().meter.FromMiner.Relayed(len(chunk), s.d.opt.Now().Sub(at))
		return errOpen
	})
}

// route turns to the pool that a rule named, before anything was sent to another.
func (s *session) route(to string) {
	if p := s.proxy().pool(to); p != nil && p.name != s.pool.name {
		s.use(p)
		s.talk.SetPool(p.name, p.policy.MaxRequestBytes)
	}
}

// renew turns to the pool as the generation in force has it, and as operators want it: the
// miner may have taken its time since it connected.
func (s *session) renew() {
	px := s.proxy()
	if s.adopted() { // its rules may have another home for it
		s.route(s.talk.Place(px.home().name, s.d.opt.Now()))
	}
	if px.pools[s.pool.name] == nil {
		s.route(px.home().name)
	}
	s.route(s.belongs(s.pool.name))
	switch p := px.pool(s.pool.name); {
	case p == nil: // no longer than it takes to adopt what is in force
	case p != s.pool:
		s.use(p)
	}
}

// reach dials the pool and writes what the miner has said so far.
func (s *session) reach(w *work) error {
	s.renew()
	l, err := s.dial(s.pool)
	if err != nil {
		return closeNoPool
	}
	if !s.install(l) {
		return closeShutdown
	}
	if why := s.settle(); why != "" {
		return why
	}
	if _, err := l.conn.Write(w.out.Pool); err != nil {
		return closePoolGone
	}
	return s.writeMiner(w.out.Miner)
}

// install makes l the first leg, or that of a pool to which a rule has sent the miner, unless the session was closed meanwhile.
func (s *session) install(l *leg) bool {
	l.talk = s.talk.Own(l)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != "" {
		_ = l.conn.Close()
		return false
	}
	s.leg, s.cancelDial = l, nil
	return true
}

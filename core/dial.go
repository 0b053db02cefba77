package core

import (
	"context"

	"github.com/loka-proxy/loka/transport"
)

// dial makes a leg to the pool's server that the strategy gives, those to avoid last.
func (s *session) dial(p *pool, avoid ...*endpoint) (*leg, error) {
	return s.legBy(p, func(ctx context.Context) (*transport.Conn, *endpoint, error) { return p.dial(ctx, avoid...) })
}

// legBy makes a leg to a pool by a dial, which ends with the session.
func (s *session) legBy(p *pool, dial func(context.Context) (*transport.Conn, *endpoint, error)) (*leg, error) {
	ctx, cancel := context.WithCancel(s.d.ctx)
	defer cancel()
	s.mu.Lock()
	s.cancelDial = cancel
	if s.closed != "" {
		cancel()
	}
	s.mu.Unlock()
	conn, e, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	return &leg{conn: conn, endpoint: e, pool: p, shares: s.sharesAt(p), done: make(chan struct{}), ready: make(chan error, 1)}, nil
}

// reachNext makes a leg to the pool that the session belongs to. It gives none where the
// session is well, but for another server that was better and is not there.
func (s *session) reachNext(to *pool) (*leg, error) {
	than := s.content()
	if than == nil {
		return s.dial(to, s.shunned()...)
	}
	l, err := s.legBy(to, func(ctx context.Context) (*transport.Conn, *endpoint, error) { return to.dialBetter(ctx, than) })
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.move.better = false // the watch sees if it is so again
		return nil, nil
	}
	return l, nil
}

// content gives the server of a session that is well where it is, but for another server that
// is better; nil for one that is not.
func (s *session) content() *endpoint {
	s.adopting.Lock()
	defer s.adopting.Unlock()
	why := s.misplaced()
	s.mu.Lock()
	defer s.mu.Unlock()
	if why != "" || s.leg == nil || !s.move.better || s.move.sentOn {
		return nil
	}
	return s.leg.endpoint
}

// shunned is the server that the session is at, where it is to go to another one, or that
// has fallen silent: it may serve others, or count as up until more miners have found out,
// and would cost this one another timeout.
func (s *session) shunned() []*endpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leg == nil && s.move.silent != nil {
		return []*endpoint{s.move.silent}
	}
	if s.leg != nil && s.move.better && !s.move.sentOn {
		return []*endpoint{s.leg.endpoint}
	}
	return nil
}

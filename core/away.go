package core

import (
	"math/rand/v2"

	"github.com/loka-proxy/loka/core/exchange"
)

// sendAway has a miner connect again that cannot be told of another pool otherwise. It
// may go on where it is until it does, for a while.
func (s *session) sendAway(to *pool) {
	s.mu.Lock()
	leg := s.leg
	s.mu.Unlock()
	switch {
	case leg == nil:
		s.close(closePoolGone)
		return
	case !to.up(): // it would find nobody
		s.after(retryAfter(4), s.wantMove)
		return
	}
	if err := s.writeMiner([]byte(reconnect)); err != nil {
		return // it is gone, as its reader finds
	}
	s.proxy().mover.moved(exchange.ByReconnect, 0)
	if s.renamed() { // what it finds meanwhile would go to the old name
		s.part(closeMoved)
		return
	}
	grace := s.proxy().policy.ReconnectGrace
	s.mu.Lock()
	defer s.mu.Unlock()
	s.move.away = true
	s.laterLocked(grace-rand.N(grace/4+1), s.stayed)
}

// stayed is the end of the time that a miner had to connect again: it has not.
func (s *session) stayed() {
	s.mu.Lock()
	s.move.away = false
	s.mu.Unlock()
	if _, why := s.destination(); why != "" { // another policy may have come meanwhile
		s.part(closeMoved)
	}
}

// reconnect tells a miner to connect again to the address that it has. A host would be
// looked at by cgminer and others, which go to their own domain only.
const reconnect = `{"id":null,"method":"client.reconnect","params":[]}` + "\n"

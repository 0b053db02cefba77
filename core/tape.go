package core

import (
	"net"
	"strconv"
	"time"

	"github.com/loka-proxy/loka/core/policy"
)

// Visit says whose session a Tape is to record.
type Visit struct {
	Proxy, Listener, Session string
	ClientIP                 string
	ClientPort               int
	Opened                   time.Time
	// Policy gives the policy that the session is under, which may change.
	Policy func() *policy.Policy
}

// Tape records one session: every line that comes in, and what it gives rise to. It is
// called while the session waits, from any of its goroutines.
type Tape interface {
	// Line is told of a line, from the miner or from its pool, and of the lines that
	// it gave rise to for the pool and for the miner, all with their ends. The bytes are the
	// session's again when it returns. Lines are numbered from 1 in the order in which
	// the conversation took them; one may be told of a moment before the one ahead of it.
	Line(number int, fromMiner bool, at time.Time, line, pool, miner []byte)
	// Close ends the recording; the session has ended.
	Close()
}

// record begins the recording of the session, where sessions are recorded.
func (s *session) record(host string, port int) {
	if s.d.opt.Record != nil {
		s.tape = s.d.opt.Record(Visit{
			Proxy: s.proxy().name, Listener: s.listener.Address, Session: s.id,
			ClientIP: host, ClientPort: port, Opened: s.began,
			Policy: func() *policy.Policy { return s.proxy().generation.policy },
		})
		s.taping.Store(s.tape != nil)
	}
}

// clientAddress parts the miner's address.
func clientAddress(remote string) (host string, port int) {
	host, text, _ := net.SplitHostPort(remote)
	port, _ = strconv.Atoi(text)
	return host, port
}

package core

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
)

// figuresFade is how long it takes until half of what was counted no longer counts.
const figuresFade = 5 * time.Minute

// doubt is how many shares that were accepted are added to those counted for a reject
// rate: a first share that is rejected is not a rate of one, and where no shares come the
// rate fades to nothing.
const doubt = 10

// hashesPerShare is how many hashes a share of difficulty 1 takes on average.
const hashesPerShare = 1 << 32

// recent is what shares came to lately.
type recent struct {
	accepted, rejected float64
	difficulty         float64 // of those accepted
	waited             float64 // for the verdicts, in seconds
	at                 time.Time
}

// fade brings the counts to a moment.
func (r *recent) fade(now time.Time) {
	if r.at.IsZero() {
		r.at = now
	}
	left := math.Exp2(-max(0, now.Sub(r.at)).Seconds() / figuresFade.Seconds())
	r.accepted, r.rejected = r.accepted*left, r.rejected*left
	r.difficulty, r.waited = r.difficulty*left, r.waited*left
	r.at = now
}

func (r *recent) rejectRate() float64 { return r.rejected / (r.accepted + r.rejected + doubt) }

func (r *recent) hashrate() float64 {
	return r.difficulty * hashesPerShare * math.Ln2 / figuresFade.Seconds()
}

func (r *recent) latency() float64 {
	if n := r.accepted + r.rejected; n > 0 {
		return 1000 * r.waited / n
	}
	return 0
}

// figures are those of one pool over all sessions. Shares are added without a lock, and
// what rules see changes once a second.
type figures struct {
	accepted, rejected atomic.Int64
	waited             atomic.Int64 // nanoseconds
	difficulty         credit
	recent             recent // belongs to the watch
	shown              atomic.Pointer[exchange.Upstream]
}

// note adds a share that the pool has judged.
func (f *figures) note(r *exchange.Record) {
	f.waited.Add(int64(r.Latency))
	if r.What == exchange.ShareAccepted {
		f.accepted.Add(1)
		f.difficulty.add(r.Difficulty)
		return
	}
	f.rejected.Add(1)
}

// show makes known what came since the last time.
func (f *figures) show(now time.Time, p *pool) {
	r := &f.recent
	r.fade(now)
	r.accepted += float64(f.accepted.Swap(0))
	r.rejected += float64(f.rejected.Swap(0))
	r.waited += time.Duration(f.waited.Swap(0)).Seconds()
	r.difficulty += f.difficulty.take()
	f.shown.Store(&exchange.Upstream{
		Down: !p.up(), RejectRate: r.rejectRate(), LatencyMS: r.latency(), Sessions: p.legs(), Hashrate: r.hashrate(),
	})
}

// legs is how many miners are with the pool.
func (p *pool) legs() (n int) {
	for _, e := range p.endpoints {
		e.mu.Lock()
		n += e.load.legs
		e.mu.Unlock()
	}
	return n
}

// Upstream gives the figures of a pool of the session's generation.
func (s *session) Upstream(name string) exchange.Upstream {
	p := s.proxy().generation.pools[name]
	if p == nil {
		return exchange.Upstream{}
	}
	if shown := p.figures.shown.Load(); shown != nil {
		return *shown
	}
	return exchange.Upstream{Down: !p.up()}
}

// Stats gives the figures of the session. The conversation is locked.
func (s *session) Stats() exchange.Stats {
	s.recent.fade(s.d.opt.Now())
	return exchange.Stats{
		Submitted: s.tally.submitted, Accepted: s.tally.accepted, Rejected: s.tally.rejected,
		RejectRate: s.recent.rejectRate(), Hashrate: s.recent.hashrate(),
	}
}

// judged adds a share that a pool has judged to the figures of the session and of the
// pool. The conversation is locked.
func (s *session) judged(l *leg, r *exchange.Record) {
	s.recent.fade(s.d.opt.Now())
	if r.What == exchange.ShareAccepted {
		s.recent.accepted++
		s.recent.difficulty += r.Difficulty
	} else {
		s.recent.rejected++
	}
	if l != nil {
		l.pool.figures.note(r)
	}
}

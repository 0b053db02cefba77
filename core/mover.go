package core

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/meter"
	"github.com/loka-proxy/loka/core/policy"
)

// mover moves the sessions of one proxy, so many a second and so many at once: a thousand
// logins in one moment would be a storm for a pool. Sessions without a pool come first. It
// outlives generations, and has a goroutine only while sessions wait.
type mover struct {
	d     *Daemon
	name  string // of the proxy
	meter *meter.Moves
	limit *rate.Limiter
	stuck rate.Sometimes // limits what is logged of miners that could not be moved

	mu      sync.Mutex
	urgent  []*session
	planned []*session
	running bool
	most    int // moves at once
	under   int // that are under way
	freed   chan struct{}
	current *campaign
	last    time.Time   // when a move ended
	past    []*campaign // the last ones, the oldest first
}

// campaign adds up the moves from the first until there were none for a while.
type campaign struct {
	began, ended time.Time
	ways         map[exchange.Way]int
	idle         time.Duration // the longest that a miner had no job
	failed       int           // attempts
	// saved is how many shares for jobs of the pool that was left were accepted all the
	// same, and lost how many got no answer. They go on after the last move.
	saved, lost atomic.Int64
}

// maxPast is how many campaigns are remembered.
const maxPast = 20

// mover gives that of a proxy.
func (d *Daemon) mover(proxy string) *mover {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.movers[proxy]
	if m == nil {
		m = &mover{d: d, name: proxy, meter: d.opt.Meter.Moves(proxy), limit: rate.NewLimiter(1, 1), stuck: rate.Sometimes{Interval: quiet}, freed: make(chan struct{}, 1)}
		d.movers[proxy] = m
	}
	return m
}

// bound has the limits of a policy that comes into force hold.
func (m *mover) bound(p *policy.Proxy) {
	m.limit.SetLimit(rate.Limit(p.MaxMovesPerSecond))
	m.limit.SetBurst(max(1, p.MaxMovesPerSecond/10)) // a tenth of a second's
	m.mu.Lock()
	defer m.mu.Unlock()
	m.most = p.MaxConcurrentMoves
}

// add queues a session.
func (m *mover) add(s *session, urgent bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if urgent {
		m.urgent = append(m.urgent, s)
		m.wake() // it needs no descriptor that is not there
	} else {
		m.planned = append(m.planned, s)
	}
	if !m.running {
		m.running = true
		m.d.movings.Go(m.run)
	}
}

// run starts the moves that wait, each in its turn, until none does.
func (m *mover) run() {
	for {
		if m.d.ctx.Err() != nil || !m.vacant() {
			m.stop()
			return
		}
		s := m.take()
		if s == nil {
			return
		}
		if !s.beginMove() {
			m.done()
			continue
		}
		if err := m.limit.Wait(m.d.ctx); err != nil { // loka stops
			s.endMove(nil, nil)
			s.done()
			m.done()
			continue
		}
		go func() {
			defer m.done()
			s.carry()
		}()
	}
}

// vacant waits until another move may begin: there are not too many under way, and there
// are descriptors for it. A session without a pool needs no more than it had. It reports
// false when loka stops.
func (m *mover) vacant() bool {
	for {
		m.mu.Lock()
		under := m.under
		m.mu.Unlock()
		affords := m.d.affords(under) // not under the lock: who has the daemon's may wait for it
		m.mu.Lock()
		if m.under < m.most && (affords || len(m.urgent) > 0) {
			m.under++
			m.mu.Unlock()
			return true
		}
		m.mu.Unlock()
		select {
		case <-m.freed:
		case <-m.d.ctx.Done():
			return false
		}
	}
}

// wake has the mover look again whether another move may begin.
func (m *mover) wake() {
	select {
	case m.freed <- struct{}{}:
	default:
	}
}

// spareDescriptors is how many are left to listeners, files and new miners.
const spareDescriptors = 128

// affords reports whether there is a descriptor for one more connection to a pool. A
// session that moves has three, and keeps them while the pool that it left may answer. Moves
// under way count from the start: they may not have dialled yet.
func (d *Daemon) affords(under int) bool {
	d.mu.Lock()
	sessions := len(d.sessions)
	d.mu.Unlock()
	extra := int(d.extra.Load()) + under
	return extra == 0 || 2*sessions+extra+spareDescriptors < descriptorLimit()
}

// take gives the next session. When there is none the mover rests.
func (m *mover) take() *session {
	m.mu.Lock()
	for _, queue := range []*[]*session{&m.urgent, &m.planned} {
		if len(*queue) > 0 {
			s := (*queue)[0]
			(*queue)[0] = nil
			*queue = (*queue)[1:]
			m.mu.Unlock()
			return s
		}
	}
	m.under--
	m.running = false
	m.mu.Unlock()
	return nil
}

func (m *mover) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running, m.urgent, m.planned = false, nil, nil
}

// done gives a move's place free.
func (m *mover) done() {
	m.mu.Lock()
	m.under--
	m.last = m.d.opt.Now()
	m.mu.Unlock()
	m.wake()
}

// campaign is the one that is under way, or begins now.
func (m *mover) campaign() *campaign {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.campaignLocked()
}

func (m *mover) campaignLocked() *campaign {
	if m.current == nil {
		m.current = &campaign{began: m.d.opt.Now(), ways: map[exchange.Way]int{}}
	}
	return m.current
}

// moved counts a miner that was told of another pool, and how long it had no job.
func (m *mover) moved(way exchange.Way, idle time.Duration) {
	m.meter.Moved(string(way), idle)
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.campaignLocked()
	c.ways[way]++
	c.idle = max(c.idle, idle)
}

// failed counts an attempt that left a miner where it was.
func (m *mover) failed() {
	m.meter.Failed.Inc()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.campaignLocked().failed++
}

// latest is when the last move of the campaign ended, if that of the mover did then. One
// that began with a miner that lost its pool may have none yet.
func (c *campaign) latest(last time.Time) time.Time {
	if last.Before(c.began) {
		return c.began
	}
	return last
}

// calm is how long no miner moves before a campaign is over.
const calm = 2 * time.Second

// look ends the campaign if it is over, and logs what became of the miners that were to be
// moved. Those of another proxy may have given descriptors back, which nobody else tells.
func (m *mover) look(now time.Time) {
	m.wake()
	m.mu.Lock()
	c := m.current
	if c == nil || m.under > 0 || len(m.urgent)+len(m.planned) > 0 || now.Sub(c.latest(m.last)) < calm {
		m.mu.Unlock()
		return
	}
	m.current = nil
	c.ended = c.latest(m.last)
	if len(m.past) == maxPast {
		m.past = m.past[:copy(m.past, m.past[1:])]
	}
	m.past = append(m.past, c)
	m.mu.Unlock()
	m.d.opt.Log.Info("miners moved", "proxy", m.name, "by_job", c.ways[exchange.ByJob], "by_extranonce", c.ways[exchange.ByExtranonce],
		"by_reconnect", c.ways[exchange.ByReconnect], "failed", c.failed, "took", c.ended.Sub(c.began).Round(time.Millisecond).String(),
		"longest_without_job", c.idle.Round(time.Millisecond).String(), "shares_saved", c.saved.Load(), "shares_lost", c.lost.Load())
}

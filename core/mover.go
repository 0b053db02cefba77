package core

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/loka-proxy/loka/core/meter"
)

// mover moves the sessions of one proxy, so many a second and so many at once: a thousand
// logins in one moment would be a storm for a pool. Sessions without a pool come first. It
// outlives generations, and has a goroutine only while sessions wait.
type mover struct {
	d     *Daemon
	name  string // of the proxy
	meter *meter.Moves
	limit *rate.Limiter

	mu      sync.Mutex
	urgent  []*session
	planned []*session
	running bool
	most    int // moves at once
	under   int // that are under way
	freed   chan struct{}
	report  campaign
}

// campaign adds up the moves from the first that waits until none does.
type campaign struct {
	began time.Time
	ways  map[string]int
	idle  time.Duration // the longest without a job
}

// mover gives that of a proxy, with the limits that hold now.
func (d *Daemon) mover(px *proxy) *mover {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.movers[px.name]
	if m == nil {
		m = &mover{d: d, name: px.name, meter: d.opt.Meter.Moves(px.name), limit: rate.NewLimiter(1, 1), freed: make(chan struct{}, 1)}
		d.movers[px.name] = m
	}
	m.limit.SetLimit(rate.Limit(px.policy.MaxMovesPerSecond))
	m.limit.SetBurst(max(1, px.policy.MaxMovesPerSecond/10)) // a tenth of a second's
	m.mu.Lock()
	defer m.mu.Unlock()
	m.most = px.policy.MaxConcurrentMoves
	return m
}

// add queues a session.
func (m *mover) add(s *session, urgent bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if urgent {
		m.urgent = append(m.urgent, s)
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

// vacant waits until another move may begin. It reports false when loka stops.
func (m *mover) vacant() bool {
	for {
		m.mu.Lock()
		if m.under < m.most {
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
	over := m.under == 0
	m.mu.Unlock()
	if over {
		m.tell()
	}
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
	over := m.under == 0 && len(m.urgent)+len(m.planned) == 0
	m.mu.Unlock()
	select {
	case m.freed <- struct{}{}:
	default:
	}
	if over {
		m.tell()
	}
}

// moved counts a miner that was told of another pool, and how long it had no job.
func (m *mover) moved(way string, idle time.Duration) {
	m.meter.Moved(way, idle)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.report.ways == nil {
		m.report = campaign{began: m.d.opt.Now(), ways: map[string]int{}}
	}
	m.report.ways[way]++
	m.report.idle = max(m.report.idle, idle)
}

// tell logs what became of the miners that were to be moved.
func (m *mover) tell() {
	m.mu.Lock()
	r := m.report
	m.report = campaign{}
	m.mu.Unlock()
	if r.ways == nil {
		return
	}
	m.d.opt.Log.Info("miners moved", "proxy", m.name, "by_job", r.ways["job"], "by_extranonce", r.ways["extranonce"], "by_reconnect", r.ways["reconnect"],
		"took", m.d.opt.Now().Sub(r.began).Round(time.Millisecond).String(), "longest_without_job", r.idle.Round(time.Millisecond).String())
}

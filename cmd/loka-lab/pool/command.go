package pool

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/loka-proxy/loka/cmd/loka-lab/work"
)

func (p *Pool) current() work.Job {
	p.gate.L.Lock()
	defer p.gate.L.Unlock()
	return p.job
}

func (p *Pool) mask() uint32 {
	p.gate.L.Lock()
	defer p.gate.L.Unlock()
	return p.masked
}

func (p *Pool) difficulty() float64 {
	p.gate.L.Lock()
	defer p.gate.L.Unlock()
	return p.wanted
}

// each calls f for all sessions in the order of their opening, with the lock of each held.
func (p *Pool) each(f func(*session)) {
	p.gate.L.Lock()
	numbers := slices.Sorted(maps.Keys(p.sessions))
	sessions := make([]*session, len(numbers))
	for i, number := range numbers {
		sessions[i] = p.sessions[number]
	}
	p.gate.L.Unlock()
	for _, s := range sessions {
		s.mu.Lock()
		f(s)
		s.mu.Unlock()
	}
}

// newJob makes a job the current one. The caller holds broadcast.
func (p *Pool) newJob(clean bool) work.Job {
	p.gate.L.Lock()
	p.stats.Jobs++
	p.gate.L.Unlock()
	j := p.makeJob(clean)
	p.update(func() { p.job = j })
	return j
}

// mining says that the session has had a job, so it gets the next ones; and not yet this one.
func (s *session) mining(j work.Job) bool {
	return len(s.issued) > 0 && s.issued[j.ID] == nil
}

// Notify sends everyone a new job and returns its id. A clean one makes the shares of all jobs before it stale.
func (p *Pool) Notify(clean bool) string {
	p.broadcast.Lock()
	defer p.broadcast.Unlock()
	j := p.newJob(clean)
	p.each(func(s *session) {
		if !s.mining(j) {
			return
		}
		s.issue(j)
		lines := []string{s.notifyLine(j)}
		if p.config.Ping {
			lines = append(lines, pingLine)
		}
		s.send(lines...)
	})
	return j.ID
}

// SetDifficulty sends everyone a new difficulty, and a job to which it applies.
func (p *Pool) SetDifficulty(difficulty float64) {
	p.broadcast.Lock()
	defer p.broadcast.Unlock()
	p.update(func() { p.wanted = difficulty })
	j := p.newJob(false)
	p.each(func(s *session) {
		if !s.mining(j) {
			return
		}
		s.difficulty = difficulty
		s.issue(j)
		s.send(s.difficultyLine(), s.notifyLine(j))
	})
}

// SetVersionMask sends a new mask to everyone who rolls versions.
func (p *Pool) SetVersionMask(mask uint32) {
	p.broadcast.Lock()
	defer p.broadcast.Unlock()
	p.update(func() { p.masked = mask })
	p.each(func(s *session) {
		if s.rolls {
			s.mask = mask & s.asked
			s.send(s.maskLine())
		}
	})
}

// SetExtranonce sends a new extranonce1 to everyone who asked for such changes, and a clean job with it.
func (p *Pool) SetExtranonce() {
	p.broadcast.Lock()
	defer p.broadcast.Unlock()
	j := p.newJob(true)
	p.each(func(s *session) {
		if !s.mining(j) {
			return
		}
		var lines []string
		if s.wantsNonce {
			p.update(func() { s.extranonce1 = p.nextExtranonce() })
			params := fmt.Sprintf(`["%s",%d]`, hex.EncodeToString(s.extranonce1), p.config.Extranonce2Size)
			lines = append(lines, s.notification("mining.set_extranonce", params))
		}
		s.issue(j)
		s.send(append(lines, s.notifyLine(j))...)
	})
}

// Send sends a line to one session, or to all of them if it is 0.
func (p *Pool) Send(number int, line string) {
	p.each(func(s *session) {
		if number == 0 || number == s.number {
			s.send(line)
		}
	})
}

// Disconnect closes one session, or all of them if it is 0.
func (p *Pool) Disconnect(number int) {
	p.each(func(s *session) {
		if number == 0 || number == s.number {
			_ = s.conn.Close()
		}
	})
}

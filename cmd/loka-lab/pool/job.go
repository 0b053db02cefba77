package pool

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/work"
)

// issue is a job as one session got it: what counts for its shares is what was in force when it was sent.
type issue struct {
	job         work.Job
	difficulty  float64
	mask        uint32
	extranonce1 []byte
	seen        map[work.Hash]bool
}

// mostIssues is how many jobs of a session live at once.
const mostIssues = 32

// makeJob makes a job that no pool ever had. The caller holds broadcast, or is New.
func (p *Pool) makeJob(clean bool) work.Job {
	const height = 850_000
	coinb1, coinb2 := work.Coinbase(height+uint32(p.jobs%1000), p.config.Extranonce1Size+p.config.Extranonce2Size, "/loka-lab/")
	j := work.Job{
		ID:       p.jobID(),
		PrevHash: p.job.PrevHash,
		Coinb1:   coinb1,
		Coinb2:   append(coinb2[:len(coinb2)-4:len(coinb2)-4], p.randomBytes(4)...), // lock time, which makes it unique
		Branches: make([]work.Hash, p.config.Branches),
		Version:  p.config.Version,
		NBits:    0x17034219,
		NTime:    uint32(time.Now().Unix()),
		Clean:    clean,
	}
	if clean {
		j.PrevHash = work.Hash(p.randomBytes(32))
		clear(j.PrevHash[24:]) // the previous block met its target
	}
	for i := range j.Branches {
		j.Branches[i] = work.Hash(p.randomBytes(32))
	}
	p.jobs++
	return j
}

func (p *Pool) jobID() string {
	if p.config.SmallJobIDs {
		return fmt.Sprint(p.jobs % 256)
	}
	return fmt.Sprintf("%08x%08x", 0x6601f4d1, p.jobs)
}

func (p *Pool) randomBytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(p.random.Uint32())
	}
	return b
}

// nextExtranonce gives each connection an extranonce1 of its own. The caller holds the gate.
func (p *Pool) nextExtranonce() []byte {
	p.extranonces++
	size := p.config.Extranonce1Size
	b := make([]byte, max(size, 8))
	binary.BigEndian.PutUint64(b[len(b)-8:], uint64(p.extranonces))
	b = b[len(b)-size:]
	if size > 2 {
		b[0] = 0xf0
	}
	return b
}

// issue remembers what the session gets with the job. The caller holds s.mu.
func (s *session) issue(j work.Job) {
	if j.Clean {
		clear(s.issued)
		s.order = s.order[:0]
	}
	if len(s.order) == mostIssues {
		delete(s.issued, s.order[0])
		s.order = s.order[1:]
	}
	s.issued[j.ID] = &issue{j, s.difficulty, s.mask, s.extranonce1, map[work.Hash]bool{}}
	s.order = append(s.order, j.ID)
}

// notifyLine is the job as the session gets it.
func (s *session) notifyLine(j work.Job) string {
	return s.notification("mining.notify", j.Params())
}

func (s *session) difficultyLine() string {
	return s.notification("mining.set_difficulty", fmt.Sprintf("[%s]", decimal(s.difficulty)))
}

// notification writes a message that wants no reply. Some pools give it an id all the same.
func (s *session) notification(method, params string) string {
	id := "null"
	if s.pool.config.NotifyIDs {
		s.notified++
		id = fmt.Sprint(s.notified)
	}
	return fmt.Sprintf(`{"params":%s,"id":%s,"method":"%s"}`, params, id, method)
}

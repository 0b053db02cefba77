package pool

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/work"
)

// Stats are the pool's counters.
type Stats struct {
	Connections int // ever
	Open        int
	Subscribed  int // subscribe requests
	Authorized  int // names, each once a connection
	Refused     int // authorize requests refused
	Jobs        int // made

	Submitted  int
	Accepted   int
	Rejected   map[int]int // by code
	Difficulty float64     // sum of the difficulties of the accepted shares

	Requests map[string]int // lines from miners by method; "" for replies
	Invalid  int            // lines that are no JSON object
	TooLong  int            // lines over the limit
	Workers  map[string]Worker
}

// Worker is what the pool saw of one name.
type Worker struct {
	Submitted, Accepted int
	Rejected            map[int]int
	Difficulty          float64
}

func newStats() Stats {
	return Stats{Rejected: map[int]int{}, Requests: map[string]int{}, Workers: map[string]Worker{}}
}

// RejectedTotal is the number of rejected shares.
func (s Stats) RejectedTotal() (n int) {
	for _, count := range s.Rejected {
		n += count
	}
	return n
}

// clone copies the maps as well.
func (s Stats) clone() Stats {
	s.Rejected, s.Requests, s.Workers = maps.Clone(s.Rejected), maps.Clone(s.Requests), maps.Clone(s.Workers)
	for name, w := range s.Workers {
		w.Rejected = maps.Clone(w.Rejected)
		s.Workers[name] = w
	}
	return s
}

// Message is one line that came or went.
type Message struct {
	Time     time.Time
	Session  int // counted from 1 in the order of connecting
	FromPool bool
	Method   string // "" for a reply
	Line     string // without its '\n'
}

// Share is one submit and what became of it.
type Share struct {
	Session                                        int
	Worker, JobID, Extranonce2, NTime, Nonce, Bits string
	Code                                           int // 0 if accepted
	Hash                                           work.Hash
	Difficulty                                     float64 // that was asked for
}

// Stats returns the counters as they are now.
func (p *Pool) Stats() Stats {
	p.gate.L.Lock()
	defer p.gate.L.Unlock()
	return p.stats.clone()
}

// Wait returns when ok says so, which it is asked after every change. It must neither keep the maps nor call p.
func (p *Pool) Wait(ctx context.Context, ok func(Stats) bool) error {
	if err := p.gate.Until(ctx, func() bool { return ok(p.stats) }); err != nil {
		return fmt.Errorf("wait for the pool, which has seen %+v: %w", p.Stats(), err)
	}
	return nil
}

// WaitMessage returns the first message that ok is true for, and waits for it if it has not come yet.
func (p *Pool) WaitMessage(ctx context.Context, ok func(Message) bool) (found Message, err error) {
	next := 0
	err = p.gate.Until(ctx, func() bool {
		for ; next < len(p.messages); next++ {
			if ok(p.messages[next]) {
				found = p.messages[next]
				return true
			}
		}
		return false
	})
	if err != nil {
		return found, fmt.Errorf("wait for a message at the pool, which has seen %d: %w", next, err)
	}
	return found, nil
}

// Messages returns the record of all lines, in order.
func (p *Pool) Messages() []Message {
	p.gate.L.Lock()
	defer p.gate.L.Unlock()
	return slices.Clone(p.messages)
}

// Lines returns the lines that came from miners (or went to them) in one session, in order.
func (p *Pool) Lines(session int, fromPool bool) (lines []string) {
	for _, m := range p.Messages() {
		if m.Session == session && m.FromPool == fromPool {
			lines = append(lines, m.Line)
		}
	}
	return lines
}

// Shares returns the record of all submits, in order.
func (p *Pool) Shares() []Share {
	p.gate.L.Lock()
	defer p.gate.L.Unlock()
	return slices.Clone(p.shares)
}

func (p *Pool) recordMessage(m Message) {
	p.update(func() {
		if !m.FromPool {
			p.stats.Requests[m.Method]++
		}
		if !p.config.Forget {
			p.messages = append(p.messages, m)
		}
	})
}

// recordShare says whether it is the first one that is accepted from its worker.
func (p *Pool) recordShare(share Share) (first bool) {
	p.update(func() {
		if !p.config.Forget {
			p.shares = append(p.shares, share)
		}
		p.stats.Submitted++
		w := p.stats.Workers[share.Worker]
		w.Submitted++
		if share.Code == 0 {
			p.stats.Accepted++
			p.stats.Difficulty += share.Difficulty
			w.Accepted++
			first = w.Accepted == 1
			w.Difficulty += share.Difficulty
		} else {
			p.stats.Rejected[share.Code]++
			if w.Rejected == nil {
				w.Rejected = map[int]int{}
			}
			w.Rejected[share.Code]++
		}
		p.stats.Workers[share.Worker] = w
	})
	return first
}

package exchange

import (
	"bytes"
	"time"

	"github.com/loka-proxy/loka/core/stratum"
)

// Leg is the conversation's end of one connection to a pool. One is in use. While the miner
// is moved to another pool there is one more, which is prepared, and for a while there are
// those that were left, where shares may still be answered.
type Leg struct {
	x *Exchange
	// Owner is the caller's: by it lines find the connection that they are for.
	Owner any

	pool            any // its name, boxed
	maxRequestBytes int // of lines that rules make
	stage           stage
	heard           bool      // the pool has sent a line of Stratum
	heardAt         time.Time // the last one
	pending         pending
	names           names
	work            work
	prep            *preparation // while it is prepared
}

// stage is how far a leg has come.
type stage uint8

const (
	inUse stage = iota
	preparing
	left // another is in use; answers may come
	gone // its connection has ended
)

// Pool is the name of the pool that the leg goes to.
func (l *Leg) Pool() string {
	name, _ := l.pool.(string)
	return name
}

// Leg is the one in use. Before a pool is dialled there is one already.
func (x *Exchange) Leg() *Leg {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.leg
}

// Own says whose the leg in use is, once it has a connection, and gives the leg.
func (x *Exchange) Own(owner any) *Leg {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.leg.Owner = owner
	return x.leg
}

// Turn says that the lines of Out.Pool from From on are for a leg.
type Turn struct {
	From int
	Leg  *Leg
}

func (o *Out) turn(from int, l *Leg) {
	if n := len(o.Turns); n == 0 || o.Turns[n-1].Leg != l {
		o.Turns = append(o.Turns, Turn{from, l})
	}
}

// FromPool takes one line of the pool in use, with its '\n'. The line is the caller's again
// when it returns.
func (x *Exchange) FromPool(line []byte, at time.Time, out *Out) { x.Leg().FromPool(line, at, out) }

// FromPool takes one line that came from the leg's pool, with its '\n'. The line is the
// caller's again when it returns. What the pool is told in turn is in out.Pool.
func (l *Leg) FromPool(line []byte, at time.Time, out *Out) {
	x := l.x
	x.begin()
	defer x.end()
	x.facing = l
	l.heardAt = at
	err := x.scan(line)
	switch l.stage {
	case inUse:
		x.take(at, out)
		x.fromPool(err, out)
	case preparing:
		x.now = at
		x.preparing(err, out)
	case left:
		x.now = at
		x.fromLeft(err, out)
	}
}

// fromLeft is a line of a pool that was left: answers are still honest ones, and all else
// is about work that the miner does not do any more.
func (x *Exchange) fromLeft(malformed error, out *Out) {
	m := &x.scratch.msg
	if malformed != nil || !x.absent(m.Method) || x.facing.pending.find(stratum.IDOf(m.ID.Of(x.scratch.text))) < 0 {
		x.refused(RefusedLate)
		return
	}
	x.response(out)
}

// outstanding is the number of requests that are worth waiting for.
func (l *Leg) outstanding() (n int) {
	for i := range l.pending.list {
		method := l.pending.list[i].method
		if l.pending.list[i].own {
			continue
		}
		if method == stratum.MethodSubmit || method == stratum.MethodAuthorize || !l.x.subscribed && !oftenUnanswered(method) {
			n++
		}
	}
	return n
}

// Outstanding is the number of the leg's requests that are worth waiting for.
func (l *Leg) Outstanding() int {
	l.x.mu.Lock()
	defer l.x.mu.Unlock()
	return l.outstanding()
}

// Awaiting reports whether the pool owes an answer that every pool gives: to subscribe, or
// to configure.
func (l *Leg) Awaiting() bool {
	l.x.mu.Lock()
	defer l.x.mu.Unlock()
	return l.awaits(stratum.MethodSubscribe, stratum.MethodConfigure)
}

func (l *Leg) awaits(methods ...string) bool {
	for i := range l.pending.list {
		for _, m := range methods {
			if l.pending.list[i].method == m {
				return true
			}
		}
	}
	return false
}

// Unanswered is since when the pool has owed an answer that every pool gives, and has said
// nothing at all; zero if it does not.
func (l *Leg) Unanswered() time.Time {
	l.x.mu.Lock()
	defer l.x.mu.Unlock()
	for i := range l.pending.list {
		r := &l.pending.list[i]
		if oftenUnanswered(r.method) || !stratum.Known(r.method) || r.kept {
			continue
		}
		if r.at.After(l.heardAt) {
			return r.at
		}
	}
	return time.Time{}
}

// maxJobs is how many jobs of a leg are remembered: what most pools take shares for.
const maxJobs = 16

// work is what a leg's pool says of the work that it gives.
type work struct {
	extranonce1 []byte // its hex digits
	size        int    // of extranonce2
	rolls       bool   // versions, by mask
	mask        uint32
	difficulty  float64 // as last set; 0 before
	// prefix is what job ids have before them as the miner knows them, so that those of
	// two pools are never the same. It is empty until the miner is moved.
	prefix string
	epoch  int   // how often the miner had moved when it came
	jobs   []job // a ring, once it is full
	last   int   // where the last one is
}

// job is one that the miner was given.
type job struct {
	id         []byte // its JSON text as the pool wrote it
	difficulty float64
	size       int // of extranonce2
}

// give remembers a job. The slots are used again and again.
func (w *work) give(id []byte) {
	if len(w.jobs) < maxJobs {
		w.jobs = append(w.jobs, job{})
		w.last = len(w.jobs) - 1
	} else {
		w.last = (w.last + 1) % maxJobs
	}
	j := &w.jobs[w.last]
	j.id, j.difficulty, j.size = append(j.id[:0], id...), w.difficulty, w.size
}

// job finds one by its id as the pool knows it, without quotes; the newest of equal ones.
func (w *work) job(id []byte) *job {
	for i := range w.jobs {
		j := &w.jobs[(w.last+len(w.jobs)-i)%len(w.jobs)]
		if bytes.Equal(unquoted(j.id), id) {
			return j
		}
	}
	return nil
}

// unquoted is what is between the quotes of a JSON string, as it is written.
func unquoted(raw []byte) []byte {
	if len(raw) >= 2 && raw[0] == '"' {
		return raw[1 : len(raw)-1]
	}
	return raw
}

// owner finds the leg that gave the job with an id, as the miner knows it, and the id as
// the pool knows it, both without quotes. The leg is nil if none did.
func (x *Exchange) owner(id []byte) (*Leg, []byte) {
	if x.leg.work.prefix == "" { // it never moved
		return x.leg, id
	}
	if rest, ok := x.gave(x.leg, id); ok {
		return x.leg, rest
	}
	for _, l := range x.late {
		if rest, ok := x.gave(l, id); ok {
			return l, rest
		}
	}
	return nil, id
}

// gave reports whether a job with an id, as the miner knows it, is one of a leg, and gives
// the id as the pool knows it. What begins with the prefix of a pool that is gone is not
// taken for an id of the pool that has none.
func (x *Exchange) gave(l *Leg, id []byte) (rest []byte, ok bool) {
	rest, ok = bytes.CutPrefix(id, []byte(l.work.prefix))
	return rest, ok && (l.work.prefix != "" || !x.told.ended(id))
}

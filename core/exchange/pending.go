package exchange

import (
	"strconv"
	"strings"
	"time"

	"github.com/loka-proxy/loka/core/stratum"
)

// request is a request that went to the pool and has no answer yet.
type request struct {
	id     stratum.ID // as the pool knows it
	method string
	worker *worker   // of an authorize or a submit
	at     time.Time // when it was read
	// orig is the id's JSON text as the miner wrote it, where the pool knows another.
	orig []byte
	// params is kept where a rule for the response looks at it.
	params []byte
	// raw is the id's JSON text where the id itself does not say how it was written.
	raw []byte
	// own says that loka asked, and nobody waits for the answer.
	own bool
	// kept says that no pool was asked yet.
	kept bool
	// difficulty is that of the job, for a submit.
	difficulty float64
	// again is the answer that an earlier pool gave to the same request. The miner has
	// that one; it must not get a second.
	again *replay
}

// Bounds of the requests of one miner that its pool has not answered.
const (
	maxPending      = 256
	maxPendingBytes = 64 << 10
	maxIDBytes      = 256 // of an id's JSON text; no client has one near as long
)

// text is the id as the miner wrote it.
func (r *request) text() []byte {
	switch {
	case r.orig != nil:
		return r.orig
	case r.raw != nil:
		return r.raw
	}
	return r.id.AppendJSON(nil)
}

// firstID is the first of the ids of loka's own, far above those that miners count
// up to and within 32 bits, which is what some pools hold an id in.
const firstID = 2_000_000_000

// pending is the requests that the pool has not answered, oldest first.
type pending struct {
	list  []request
	bytes int // of what the requests hold
	last  int // ids of our own given out so far
}

// find gives the place of the request with an id, or -1.
func (p *pending) find(id stratum.ID) int {
	for i := range p.list {
		if p.list[i].id == id {
			return i
		}
	}
	return -1
}

// take removes and gives the request with an id.
func (p *pending) take(id stratum.ID) (request, bool) {
	i := p.find(id)
	if i < 0 {
		return request{}, false
	}
	r := p.list[i]
	p.remove(i)
	return r, true
}

func (p *pending) remove(i int) {
	p.bytes -= p.list[i].size()
	copy(p.list[i:], p.list[i+1:])
	p.list[len(p.list)-1] = request{} // lets go of what it points to
	p.list = p.list[:len(p.list)-1]
}

// size is what a request holds besides itself.
func (r *request) size() int {
	n := len(r.orig) + len(r.raw) + len(r.params) + len(r.method)
	if r.worker != nil && !r.worker.known() {
		n += len(r.worker.name)
	}
	return n
}

// full reports whether the oldest request has to make room for another.
func (p *pending) full(r *request) bool {
	return len(p.list) >= maxPending || len(p.list) > 0 && p.bytes+r.size() > maxPendingBytes
}

func (p *pending) add(r request) {
	p.bytes += r.size()
	p.list = append(p.list, r)
}

// nextID gives the JSON text of an id that is not outstanding.
func (p *pending) nextID() []byte {
	for {
		n := firstID + p.last%idRange
		p.last++
		if p.find(stratum.IntegerID(int64(n))) < 0 {
			return strconv.AppendInt(nil, int64(n), 10)
		}
	}
}

// idRange is how many ids there are before the first comes again.
const idRange = 100_000_000

// ours reports whether an id is one that nextID has given.
func (p *pending) ours(raw []byte) bool {
	n, err := strconv.Atoi(string(raw))
	return err == nil && n >= firstID && n < firstID+min(p.last, idRange)
}

// oftenUnanswered tells the requests that pools leave without a reply: ckpool and
// public-pool ignore mining.extranonce.subscribe and answer mining.suggest_* with a
// notification only.
func oftenUnanswered(method string) bool {
	return method == stratum.MethodExtranonceSubscribe || strings.HasPrefix(method, "mining.suggest_")
}

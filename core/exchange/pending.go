package exchange

import (
	"bytes"
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
	// again is the answer that an earlier pool gave to the same request. The miner has
	// that one; it must not get a second.
	again *replay
}

// maxPending bounds the requests of one miner that its pool has not answered.
const maxPending = 256

// firstID is the first of the ids of loka's own, far above those that miners count
// up to and within 32 bits, which is what some pools hold an id in.
const firstID = 2_000_000_000

// pending is the requests that the pool has not answered, oldest first.
type pending struct {
	list []request
	last int // ids of our own given out so far
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
	copy(p.list[i:], p.list[i+1:])
	p.list[len(p.list)-1] = request{} // lets go of what it points to
	p.list = p.list[:len(p.list)-1]
}

// add appends a request. When there are too many, the oldest is given up and given back.
func (p *pending) add(r request) (given request, gaveUp bool) {
	if len(p.list) >= maxPending {
		given, gaveUp = p.list[0], true
		p.remove(0)
	}
	p.list = append(p.list, r)
	return given, gaveUp
}

// nextID gives the JSON text of an id that is not outstanding.
func (p *pending) nextID() []byte {
	for {
		text := strconv.AppendInt(nil, int64(firstID+p.last%100_000_000), 10)
		p.last++
		if p.find(stratum.IDOf(text)) < 0 {
			return text
		}
	}
}

// ours reports whether an id's text may be one of nextID's.
func ours(raw []byte) bool {
	return len(raw) == len("2000000000") && bytes.HasPrefix(raw, []byte("20"))
}

// awaited counts the requests that pools do answer.
func (p *pending) awaited() int {
	n := 0
	for i := range p.list {
		if !oftenUnanswered(p.list[i].method) {
			n++
		}
	}
	return n
}

// oftenUnanswered tells the requests that pools leave without a reply: ckpool and
// public-pool ignore mining.extranonce.subscribe and answer mining.suggest_* with a
// notification only.
func oftenUnanswered(method string) bool {
	return method == stratum.MethodExtranonceSubscribe || strings.HasPrefix(method, "mining.suggest_")
}

package exchange

import (
	"time"

	"github.com/loka-proxy/loka/core/stratum"
)

// Suppose puts a request among those that the pool has not answered, as if the miner had
// sent it and no rule had touched it: a test of a response may have no more than that.
// Params is the JSON text of its parameters. It gives the JSON text of the id under
// which the pool would answer.
func (x *Exchange) Suppose(method string, params []byte, at time.Time) []byte {
	x.begin()
	defer x.end()
	x.now = at
	id := x.facing.pending.nextID()
	r := request{id: stratum.IDOf(id), method: method, at: at, params: params}
	if x.elements(params, stratum.Span{To: int32(len(params))}) == nil && (method == stratum.MethodAuthorize || method == stratum.MethodSubmit) {
		r.worker = x.supposedWorker(params)
	}
	if method == stratum.MethodSubscribe {
		x.subscribing++
	}
	x.facing.pending.add(r)
	return id
}

// supposedWorker is the worker that parameters name, under its own name at the pool
// unless it was authorised.
func (x *Exchange) supposedWorker(params []byte) *worker {
	if len(x.scratch.elems) == 0 {
		return nil
	}
	raw := x.scratch.elems[0].Of(params)
	if w := x.facing.names.find(raw); w != nil {
		return w
	}
	name, err := stratum.Text(raw)
	if err != nil {
		return nil
	}
	return newWorker(raw, name, name)
}

package exchange

import (
	"bytes"
	"errors"

	"github.com/loka-proxy/loka/core/stratum"
)

// replay is a request that the miner sent before subscribe, kept until the pool has
// answered subscribe: a rule may find only then that the miner belongs at another
// pool, which must be told the same.
type replay struct {
	line []byte // as it went up
	id   stratum.ID
	// result is the answer of the pool that was left; nil while there is none.
	result []byte
	method string
}

func (r *replay) answer(text []byte, m *stratum.Message) {
	r.result = bytes.Clone(m.Result.Of(text))
	if r.result == nil {
		r.result = []byte("null")
	}
}

// Bounds of what is kept for another pool. Clients say one or two things before
// subscribe: mining.configure, or bfgminer's mining.suggest_target.
const (
	maxReplays     = 8
	maxReplayBytes = 4 << 10
)

// keepForReplay notes a request that goes up before any subscribe.
func (x *Exchange) keepForReplay(line []byte, method string, id stratum.ID) {
	if !x.cfg.Replays || x.subscribed || x.subscribing > 0 || method == stratum.MethodSubscribe {
		return
	}
	if len(line) > maxReplayBytes || len(x.replays) == maxReplays {
		x.unreplayable = true
		return
	}
	x.replays = append(x.replays, replay{line: bytes.Clone(line), id: id, method: method})
}

// Rerouted turns to another pool before the miner's subscribe has gone to any: out.Pool
// gets what that pool has to be told first. The subscribe, which is in the caller's
// hands, goes behind it.
func (x *Exchange) Rerouted(pool string, maxRequestBytes int, out *Out) error {
	x.begin()
	defer x.end()
	if x.unreplayable {
		return errors.New("the miner said too much before subscribe to say it again to another pool")
	}
	x.boxed.pool, x.cfg.Pool, x.cfg.MaxRequestBytes = pool, pool, maxRequestBytes
	x.heard = false
	for i := range x.replays {
		r := &x.replays[i]
		if r.result == nil { // not answered yet: the new pool answers
			out.Pool = append(out.Pool, r.line...)
			continue
		}
		if err := x.scan(r.line); err != nil {
			return err
		}
		id := x.pending.nextID()
		x.scratch.edits = x.scratch.edits[:0]
		x.edit(x.scratch.msg.ID, id)
		out.Pool = x.apply(out.Pool, r.line)
		x.pending.add(request{id: stratum.IDOf(id), method: r.method, at: x.now, again: r})
	}
	return nil
}

// compare holds the answer of a new pool against the one that the miner has. Only
// mining.configure gives an answer that the miner acts on.
func (x *Exchange) compare(r *replay, out *Out) {
	if r.method != stratum.MethodConfigure {
		return
	}
	whole := stratum.Span{To: int32(len(r.result))}
	had, _ := stratum.ParseConfigureResult(r.result, whole)
	has, ok := stratum.ParseConfigureResult(x.scratch.text, x.scratch.msg.Result)
	if !ok || had.VersionRolling != has.VersionRolling || had.Mask != has.Mask {
		out.Close = "the pool it is routed to rolls versions otherwise than it was told"
	}
}

package exchange

import (
	"bytes"
	"errors"
	"strings"

	"github.com/loka-proxy/loka/core/stratum"
)

// replay is a request that the miner sent before subscribe, kept until the pool has
// answered subscribe: a rule may find only then that the miner belongs at another
// pool, which must be told the same.
type replay struct {
	line []byte       // as it went up
	at   stratum.Span // of its id in line
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
	if !x.cfg.Replays || x.subscribeSent || method == stratum.MethodSubscribe {
		return
	}
	var m stratum.Message
	if !repeatable(method) || len(line) > maxReplayBytes || len(x.replays) == maxReplays || stratum.Scan(trim(line), &m) != nil {
		x.unreplayable = true
		return
	}
	x.replays = append(x.replays, replay{line: bytes.Clone(line), at: m.ID, id: id, method: method})
}

// repeatable tells the requests that may be said to two pools: those that configure a
// connection. A name may be another at another pool, and a share counts once.
func repeatable(method string) bool {
	return method == stratum.MethodConfigure || strings.HasPrefix(method, "mining.suggest_")
}

// Movable reports why the conversation cannot turn to another pool, or nil.
func (x *Exchange) Movable() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.unreplayable {
		return errors.New("the miner said more before subscribe than may be said again to another pool")
	}
	return nil
}

// Rerouted turns to another pool before the miner's subscribe has gone to any: out.Pool
// gets what that pool has to be told first. The subscribe, which is in the caller's
// hands, goes behind it. The conversation is Movable.
func (x *Exchange) Rerouted(pool string, maxRequestBytes int, out *Out) {
	x.begin()
	defer x.end()
	x.leg = &Leg{x: x, pool: pool, maxRequestBytes: maxRequestBytes, pending: x.leg.pending}
	x.facing = x.leg
	for i := range x.replays {
		r := &x.replays[i]
		if r.result == nil || !r.at.Present() { // not answered yet, or never: the new pool may
			out.Pool = append(out.Pool, r.line...)
			continue
		}
		id := x.facing.pending.nextID()
		out.Pool = stratum.Apply(out.Pool, r.line, []stratum.Edit{{Span: r.at, Text: id}})
		x.facing.pending.add(request{id: stratum.IDOf(id), method: r.method, at: x.now, again: r})
	}
}

// compare holds the answer of a new pool against the one that the miner has. Only
// mining.configure gives an answer that the miner acts on.
func (x *Exchange) compare(r *replay, out *Out) {
	if r.method != stratum.MethodConfigure {
		return
	}
	whole := stratum.Span{To: int32(len(r.result))}
	had, _ := stratum.ParseConfigureResult(r.result, whole)
	has, _ := stratum.ParseConfigureResult(x.scratch.text, x.scratch.msg.Result) // a refusal rolls nothing
	if had.VersionRolling != has.VersionRolling || had.Mask != has.Mask {
		out.Close = "the pool it is routed to rolls versions otherwise than it was told"
	}
}

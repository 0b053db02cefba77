package exchange

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/loka-proxy/loka/core/stratum"
)

// ErrPolicyChanged says that a leg was prepared under another policy.
var ErrPolicyChanged = errors.New("the policy has changed meanwhile")

// Switch makes a leg that is ready the one in use, and out.Miner gets all that tells the
// miner so: it belongs into one write, and nothing of the pool that is left may follow it.
// It reports false where the miner has given another name meanwhile, for which out.Pool
// asks the new pool first, and an error where the miner and the pool do not fit.
func (x *Exchange) Switch(l *Leg, at time.Time, out *Out) (done bool, err error) {
	x.begin()
	defer x.end()
	x.now, x.facing = at, l
	if l.prep.program != x.cfg.Program {
		return false, ErrPolicyChanged
	}
	if err := x.unready(l); err != nil {
		return false, err
	}
	mask, ok := x.told.fitting(&l.work)
	if !ok {
		return false, fmt.Errorf("%w: the pool does not take the versions that it rolls (mask %08x)", ErrByReconnect, x.told.first)
	}
	if err := x.authorizeAll(out); err != nil || !l.ready() {
		return false, err
	}
	old, prep := x.leg, l.prep
	x.depart(old, l)
	l.work.epoch = old.work.epoch + 1
	l.work.prefix = x.freshPrefix(l.work.epoch)
	l.stage, l.prep, x.leg = inUse, nil, l
	x.takeOver(old, out)
	x.facing, x.current = l, nil
	x.tell(mask, prep, old.work.difficulty > 0, out)
	return true, nil
}

// Reasons for which a leg that is ready is not switched to now.
var errAsking = errors.New("the miner waits for an answer that the next pool cannot give")

// answerWithin is how long a pool has for the answers to subscribe and to configure. One
// that is to be left does not keep the miner any longer.
const answerWithin = 10 * time.Second

// unready reports what has happened since a leg was told of the miner: the pool in use may
// have taken a name that this one refuses, and the miner may have asked for what the two
// would answer otherwise.
func (x *Exchange) unready(l *Leg) error {
	for _, n := range x.leg.names.list {
		if n.accepted != nil && slices.Contains(l.prep.refused, n.text) {
			return x.refusedName()
		}
	}
	if x.leg.stage == gone {
		return nil
	}
	for i := range x.leg.pending.list {
		r := &x.leg.pending.list[i]
		if (r.method == stratum.MethodSubscribe || r.method == stratum.MethodConfigure) && x.now.Sub(r.at) < answerWithin {
			return errAsking
		}
	}
	return nil
}

// Feed gives the miner something to read that changes nothing, for one that would leave a
// silent pool.
func (x *Exchange) Feed(out *Out) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.told.difficulty != nil {
		out.Miner = fmt.Appendf(out.Miner, "{\"id\":null,\"method\":%q,\"params\":%s}\n", stratum.MethodSetDifficulty, x.told.difficulty)
	}
}

// Subscribed reports whether the miner has got the reply to its subscribe.
func (x *Exchange) Subscribed() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.subscribed && !x.writing
}

// depart leaves a leg for another.
func (x *Exchange) depart(old, l *Leg) {
	if old.stage != gone {
		old.stage = left
		x.late = append([]*Leg{old}, x.late...)
	}
}

// freshPrefix makes a prefix for job ids that no job the miner may still know begins with.
func (x *Exchange) freshPrefix(epoch int) string {
	for n := epoch; ; n++ {
		prefix := strconv.FormatInt(int64(n), 36) + "_"
		taken := slices.Contains(x.told.prefixes, prefix) || slices.ContainsFunc(x.legs(), func(l *Leg) bool { return l.work.begins(prefix) })
		if !taken {
			return prefix
		}
	}
}

// begins reports whether the miner knows a job by an id that begins with a prefix.
func (w *work) begins(prefix string) bool {
	if w.prefix != "" {
		return w.prefix == prefix
	}
	return slices.ContainsFunc(w.jobs, func(j job) bool {
		id := unquoted(j.id)
		return len(id) >= len(prefix) && string(id[:len(prefix)]) == prefix
	})
}

// tell tells the miner of the leg in use, in the order in which clients need it.
func (x *Exchange) tell(mask uint32, prep *preparation, hadDifficulty bool, out *Out) {
	l := x.leg
	if x.told.rolls && mask != x.told.mask {
		out.Miner = fmt.Appendf(out.Miner, "{\"id\":null,\"method\":%q,\"params\":[\"%08x\"]}\n", stratum.MethodSetVersionMask, mask)
		x.told.mask = mask
	}
	if x.told.layout == nil {
		out.Miner = fmt.Appendf(out.Miner, "{\"id\":null,\"method\":%q,\"params\":[\"%s\",%d]}\n", stratum.MethodSetExtranonce, l.work.extranonce1, l.work.size)
	}
	difficulty := prep.difficulty
	if difficulty == nil && hadDifficulty { // that of the other pool does not hold here
		difficulty = []byte("{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[1]}\n")
	}
	for _, line := range [][]byte{difficulty, prep.notify, prep.after} {
		if line != nil {
			x.scratch.edits = x.scratch.edits[:0]
			x.scratch.first = true
			x.fromPool(x.scan(line), out)
		}
	}
	x.scratch.first = false
}

// Gone says that the connection of a leg has ended, or is given up. The miner gets an
// answer to all that it asked there: its shares are lost, for the given reason.
func (x *Exchange) Gone(l *Leg, reason string, out *Out) {
	x.begin()
	defer x.end()
	if l.stage == gone {
		return
	}
	was := l.stage
	l.stage = gone
	x.told.gone(l.work.prefix)
	x.late = slices.DeleteFunc(x.late, func(o *Leg) bool { return o == l })
	if was == preparing {
		return
	}
	x.resolve(l, reason, out)
}

// resolve answers what a leg never will. Names that the miner waits for are kept, if the
// leg is the one in use: the next pool is asked for them.
func (x *Exchange) resolve(l *Leg, reason string, out *Out) {
	x.facing = l
	kept := pending{last: l.pending.last}
	for _, r := range l.pending.list {
		switch {
		case r.own:
		case r.method == stratum.MethodSubmit:
			x.lose(&r, reason)
			x.answer(out, stratum.AppendErrorReply(nil, r.text(), stratum.CodeStale, "Job not found"))
		case r.method == stratum.MethodAuthorize && l == x.leg:
			kept.add(r)
		case r.method == stratum.MethodAuthorize:
			x.answerName(&r, out)
		case !oftenUnanswered(r.method):
			x.answer(out, stratum.AppendErrorReply(nil, r.text(), stratum.CodeOther, "No answer from the pool"))
		}
	}
	l.pending = kept
}

// takeOver answers for the pool that was left what concerns the one in use: the names that
// the miner waits for. What the other pool says of them is nobody's any more, nor is what
// it says to a subscribe or a configure.
func (x *Exchange) takeOver(old *Leg, out *Out) {
	for i := 0; i < len(old.pending.list); {
		r := &old.pending.list[i]
		named := r.method == stratum.MethodAuthorize && !r.own
		if named {
			x.answerName(r, out)
		}
		r.own = r.own || named || r.method == stratum.MethodSubscribe || r.method == stratum.MethodConfigure
		if r.kept || old.stage == gone {
			old.pending.remove(i)
			continue
		}
		i++
	}
}

// answerName answers an authorize by what the pool in use says of the name.
func (x *Exchange) answerName(r *request, out *Out) {
	ok := false
	if r.worker != nil {
		if i := x.leg.names.place(r.worker.name); i >= 0 {
			ok = x.leg.names.list[i].accepted != nil
		}
	}
	x.current, x.facing = r.worker, x.leg
	x.record(Record{What: Authorized, Method: r.method, Rule: -1, OK: ok, Latency: x.now.Sub(r.at), worker: r.worker})
	if ok {
		x.answer(out, stratum.AppendReply(nil, r.text(), []byte("true"), nil))
		return
	}
	x.answer(out, stratum.AppendErrorReply(nil, r.text(), stratum.CodeUnauthorized, "Unauthorized worker"))
}

// without answers a request that there is no pool for at the moment, though there may be
// one again.
func (x *Exchange) without(method string, out *Out) (handled bool) {
	switch {
	case x.facing.stage != gone:
		return false
	case method == stratum.MethodExtranonceSubscribe:
		x.keepSaying(method)
		if id := x.requestID(); id != nil {
			x.answer(out, stratum.AppendReply(nil, id, []byte("true"), nil))
		}
	case oftenUnanswered(method):
		x.keepSaying(method)
	default:
		return false
	}
	return true
}

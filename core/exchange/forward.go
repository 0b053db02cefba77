package exchange

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// forward sends a request up, changed where a rule or a mapped name says so.
func (x *Exchange) forward(method string, d *rules.Decision, out *Out) {
	if x.without(method, out) {
		return
	}
	refusal, edited := x.change(method, d)
	if refusal != nil {
		x.deny(method, refusal.code, refusal.text, -1, out)
		return
	}
	raw := x.scratch.msg.ID.Of(x.scratch.text)
	id, orig := stratum.IDOf(raw), []byte(nil)
	if !id.IsNull() && x.taken(id, method) {
		orig = bytes.Clone(raw)
		fresh := x.facing.pending.nextID()
		id = stratum.IDOf(fresh)
		x.edit(x.scratch.msg.ID, fresh)
		x.record(Record{What: Renumbered, Method: method, Rule: -1})
	}
	start := len(out.Pool)
	out.Pool = x.apply(out.Pool, x.scratch.line)
	if size := len(trim(out.Pool[start:])); edited && x.facing.maxRequestBytes > 0 && size > x.facing.maxRequestBytes {
		out.Pool = out.Pool[:start]
		x.refused(RefusedTooLong)
		x.deny(method, stratum.CodeOther, "Request too long for the pool", -1, out)
		return
	}
	r := request{id: id, method: method, worker: x.current, at: x.now, orig: orig}
	if j := x.scratch.job; j != nil {
		r.difficulty = j.difficulty
	}
	if orig == nil && !id.Spells(raw) {
		r.raw = bytes.Clone(raw)
	}
	if x.facing.stage == gone || x.scratch.kept { // the next pool is asked
		out.Pool, r.kept = out.Pool[:start], true
		if r.worker != nil {
			r.worker.unsaid = true
		}
	} else {
		out.turn(start, x.facing)
	}
	x.sent(out, start, r)
	x.record(Record{What: Message, Kind: rules.Request, Method: method, Verdict: rules.Forward, Rule: -1, worker: x.current})
}

// refusal is why a request may not go up after all.
type refusal struct {
	code int
	text string
}

// change notes what changes in a request that goes up: what the rules changed, the name,
// and what the pool calls otherwise than the miner. It reports whether rules or a name had
// a part in it.
func (x *Exchange) change(method string, d *rules.Decision) (no *refusal, edited bool) {
	switch method {
	case stratum.MethodAuthorize:
		no = x.nameWorker(d)
	case stratum.MethodSubmit:
		no = x.renameWorker(d)
	default:
		if x.facing.stage == gone {
			no = &refusal{stratum.CodeOther, "No pool at the moment"}
		}
	}
	if no != nil {
		return no, false
	}
	if d != nil {
		if err := x.editParams(d); err != nil {
			return &refusal{stratum.CodeOther, "Request could not be rewritten"}, false
		}
	}
	edited = len(x.scratch.edits) > 0
	return x.translate(method, d), edited
}

// translate notes what a pool calls otherwise than the miner does: its job, its extranonce.
func (x *Exchange) translate(method string, d *rules.Decision) *refusal {
	l := x.facing
	if l.work.prefix == "" && x.told.layout == nil && l.stage != gone {
		return nil
	}
	if d != nil && d.Changed() {
		x.flatten()
	}
	switch method {
	case stratum.MethodSubmit:
		return x.translateSubmit()
	case stratum.MethodGetTransactions:
		if len(x.scratch.elems) > 0 {
			x.poolJob(x.scratch.elems[0])
		}
	case stratum.MethodSubscribe:
		if x.told.layout != nil {
			x.forgetSession()
		}
	}
	return nil
}

func (x *Exchange) translateSubmit() *refusal {
	l, elems := x.facing, x.scratch.elems
	switch {
	case l.stage == gone, x.scratch.stray:
		return &refusal{stratum.CodeStale, "Job not found"}
	case len(elems) < 5:
		return nil // the pool is to judge
	case l.work.epoch > 0 && x.told.rolls && len(elems) > 5 && x.outsideMask(elems[5]):
		return &refusal{stratum.CodeOther, "Invalid version mask"}
	}
	if l.work.prefix != "" {
		x.poolJob(elems[1])
	}
	if x.told.layout == nil {
		return nil
	}
	size := l.work.size
	if j := x.scratch.job; j != nil {
		size = j.size
	}
	return x.poolExtranonce2(elems[2], size)
}

// poolJob puts the pool's job id in the place of the miner's.
func (x *Exchange) poolJob(at stratum.Span) {
	raw := at.Of(x.scratch.text)
	id, ours := bytes.CutPrefix(unquoted(raw), []byte(x.facing.work.prefix))
	if !ours {
		return
	}
	if j := x.facing.work.job(id); j != nil {
		x.edit(at, j.id) // a number, with some pools
		return
	}
	x.edit(at, append(append([]byte{'"'}, id...), '"'))
}

// outsideMask reports whether a share rolls bits that the pool would not take, though the
// miner may have been told so too late.
func (x *Exchange) outsideMask(bits stratum.Span) bool {
	rolled, err := strconv.ParseUint(string(unquoted(bits.Of(x.scratch.text))), 16, 32)
	return err == nil && uint32(rolled)&^x.facing.work.mask != 0
}

// nameWorker makes the worker that an authorize names, under the name that the rules
// gave it.
func (x *Exchange) nameWorker(d *rules.Decision) *refusal {
	raw := []byte(`""`)
	if len(x.scratch.elems) > 0 {
		raw = x.scratch.elems[0].Of(x.scratch.text)
	}
	name, err := stratum.Text(raw)
	if err != nil || len(raw) > maxNameBytes {
		if x.cfg.Program.MapsNames() {
			return &refusal{stratum.CodeOther, "Malformed worker name"}
		}
		return nil // the pool is to judge
	}
	pool := name
	if d != nil && d.UserSet {
		mapped, ok := firstText(d.Params)
		if !ok {
			return &refusal{stratum.CodeOther, "Malformed worker name"}
		}
		pool = mapped
	}
	w := newWorker(raw, name, pool)
	w.params, w.at = bytes.Clone(x.scratch.msg.Params.Of(x.scratch.text)), x.now
	switch {
	case x.facing.names.room(w):
		x.current = w
	case x.cfg.Program.MapsNames():
		return &refusal{stratum.CodeOther, "Too many worker names on one connection"}
	}
	return nil
}

func firstText(params []any) (string, bool) {
	if len(params) == 0 {
		return "", false
	}
	text, ok := params[0].(string)
	return text, ok
}

// renameWorker puts the pool's name in the place of the miner's in a submit. A name
// that was never authorised is refused where names are mapped: nobody knows what it
// would be at the pool. A rule that sets user to some other name has its way.
func (x *Exchange) renameWorker(d *rules.Decision) *refusal {
	w, mapped := x.current, x.cfg.Program.MapsNames()
	if w.unsaid { // it would be credited to whom the next pool knows by that name
		return &refusal{stratum.CodeUnauthorized, "Unauthorized worker"}
	}
	if d == nil || !d.UserSet {
		switch {
		case !w.known() && mapped:
			return &refusal{stratum.CodeUnauthorized, "Unauthorized worker"}
		case w.known() && w.pool != w.name:
			x.edit(x.scratch.elems[0], w.json)
		}
		return nil
	}
	name, ok := firstText(d.Params)
	if !ok {
		return &refusal{stratum.CodeOther, "Malformed worker name"}
	}
	switch to := x.facing.names.byName(name); {
	case to != nil:
		d.Params = slices.Clone(d.Params) // a constant of the policy, perhaps
		d.Params[0] = to.boxedPool
	case name == w.name && mapped:
		return &refusal{stratum.CodeUnauthorized, "Unauthorized worker"}
	}
	return nil
}

// taken reports whether an id is that of a request still outstanding. One that pools
// leave unanswered makes way for the next of its kind: NerdMiner repeats
// mining.suggest_difficulty under one id every 30 seconds for ever.
func (x *Exchange) taken(id stratum.ID, method string) bool {
	i := x.facing.pending.find(id)
	if i < 0 {
		return false
	}
	if r := &x.facing.pending.list[i]; r.method == method && r.orig == nil && oftenUnanswered(method) {
		x.facing.pending.remove(i)
		return false
	}
	return true
}

// sent notes a request that is on its way to the pool, in out.Pool from start on.
func (x *Exchange) sent(out *Out, start int, r request) {
	switch r.method {
	case stratum.MethodAuthorize:
		if r.worker != nil {
			x.facing.names.put(r.worker)
		}
	case stratum.MethodSubmit:
		x.record(Record{What: ShareForwarded, Method: r.method, Rule: -1, worker: r.worker})
	}
	x.keepForReplay(out.Pool[start:], r.method, r.id)
	x.keepSaying(r.method)
	if r.method == stratum.MethodSubscribe {
		x.subscribeSent = true
		x.keepSubscribe()
	}
	if r.id.IsNull() { // nobody can tell its answer
		x.lose(&r, "no_id")
		return
	}
	if r.method == stratum.MethodSubscribe {
		x.subscribing++
	}
	if x.keepsParams(r.method) {
		r.params = bytes.Clone(x.scratch.msg.Params.Of(x.scratch.text))
	}
	for x.facing.pending.full(&r) {
		x.giveUp(out)
	}
	x.facing.pending.add(r)
}

// keepsParams reports whether anybody will look at the params of a request when it is
// answered.
func (x *Exchange) keepsParams(method string) bool {
	if x.cfg.Tracer != nil {
		return true
	}
	chain := x.cfg.Program.Chain(rules.Response, x.methodText(method))
	return chain != nil && (chain.Uses().AllParams || chain.Uses().Params != 0)
}

// giveUp forgets the oldest request without an answer. Where an answer can no longer
// reach the miner, since the pool knows the request under an id of loka's, the miner
// gets one here.
func (x *Exchange) giveUp(out *Out) {
	r := x.facing.pending.list[0]
	x.facing.pending.remove(0)
	x.lose(&r, "unanswered")
	if r.method == stratum.MethodAuthorize { // its answer will be nobody's
		x.facing.names.answered(r.worker, false)
	}
	if r.orig != nil && !r.own {
		x.answer(out, stratum.AppendErrorReply(nil, r.orig, stratum.CodeOther, "No answer from the pool"))
	}
	if r.method == stratum.MethodSubscribe && r.again == nil && !r.own {
		if x.subscribing--; x.subscribing == 0 && !x.writing {
			x.release(out)
		}
	}
}

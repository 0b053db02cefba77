package exchange

import (
	"slices"
	"strconv"
	"time"

	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// fromPool takes the line at hand, of the pool in use.
func (x *Exchange) fromPool(malformed error, out *Out) {
	switch {
	case blank(x.scratch.text):
		x.refused(RefusedBlank)
	case malformed != nil:
		x.noise(out)
	case x.absent(x.scratch.msg.Method):
		x.facing.heard = true
		x.response(out)
	default:
		x.facing.heard = true
		x.notification(out)
	}
}

// noise is a line of a pool that is no JSON object, such as ckpool's "Invalid JSON,
// disconnecting". A pool that begins with one speaks something else.
func (x *Exchange) noise(out *Out) {
	x.refused(RefusedNotJSON)
	if !x.facing.heard {
		out.Close, out.Blame = "the pool does not speak Stratum", true
	}
}

// notification judges a line with a method. Some pools give theirs an id (p2pool,
// eloipool), and some ask the miner something (client.get_version): what the miner
// answers passes as it is.
func (x *Exchange) notification(out *Out) {
	method, err := stratum.MethodOf(x.scratch.text, &x.scratch.msg)
	like := stratum.Resembles(method)
	switch {
	case like == stratum.MethodReconnect:
		x.refused(RefusedReconnect)
		return
	case (err != nil || like != "") && x.ruled(): // miners may read it as one that a rule looks at
		x.refused(RefusedAmbiguous)
		return
	case err != nil:
		x.pass(Record{Kind: rules.Notification}, out)
		return
	}
	d := x.judge(rules.Notification, method, x.scratch.text, x.scratch.msg.Params)
	switch {
	case d != nil && d.Verdict == rules.Dropped:
		x.judged(Record{Kind: rules.Notification, Method: method}, rules.Dropped, d.By)
		return
	case method == stratum.MethodReconnect && (d == nil || !d.Changed()):
		// It would send the miner past this proxy, to whom the pool pleases.
		x.redirect(out)
		return
	case d != nil && d.Changed() && x.editParams(d) != nil:
		x.scratch.edits = x.scratch.edits[:0]
	}
	if x.retell(method, out) {
		x.pass(Record{Kind: rules.Notification, Method: method}, out)
	}
}

// redirect has the caller go where the pool sends the miner. A rule that sets where has the
// miner sent there instead.
func (x *Exchange) redirect(out *Out) {
	x.refused(RefusedReconnect)
	text := x.scratch.text
	r, ok := stratum.ParseReconnect(text, x.scratch.msg.Params)
	if !ok {
		return
	}
	out.Redirect = &Redirect{Host: plainText(r.Host.Of(text)), Port: plainText(r.Port.Of(text))}
	if seconds, err := strconv.ParseFloat(plainText(r.Wait.Of(text)), 64); err == nil && seconds > 0 && seconds < 1e6 {
		out.Redirect.Wait = time.Duration(seconds * float64(time.Second))
	}
}

// plainText is a value that may be written as a string or as a number.
func plainText(raw []byte) string {
	if text, err := stratum.Text(raw); err == nil {
		return text
	}
	if len(raw) > 0 && raw[0] != 'n' {
		return string(raw)
	}
	return ""
}

// judge shows a pool's line to the rules, if there are any for it. Params are those of
// the line, or of the request that it answers. It gives nil when no rule looked at it;
// a line that cannot be shown is not held back, since a miner without work earns nothing.
func (x *Exchange) judge(kind rules.Kind, method string, text []byte, params stratum.Span) *rules.Decision {
	chain := x.cfg.Program.Chain(kind, []byte(method))
	if chain == nil {
		return nil
	}
	uses := chain.Uses()
	var err error
	if uses.AllParams || uses.Params != 0 {
		if err = x.elements(text, params); err == nil {
			x.scratch.shown.Params, err = x.show(uses, text)
		}
	}
	if err == nil && kind == rules.Response {
		err = x.showReply(uses)
	}
	if err != nil {
		x.record(Record{What: Unjudged, Kind: kind, Method: method, Rule: -1})
		return nil
	}
	return x.walk(chain, kind, method, &x.scratch.shown)
}

// showReply decodes the parts of a reply that a chain looks at.
func (x *Exchange) showReply(uses rules.Uses) (err error) {
	m, shown := &x.scratch.msg, &x.scratch.shown
	if uses.Result && m.Result.Present() {
		if shown.Result, err = stratum.Decode(m.Result.Of(x.scratch.text)); err != nil {
			return err
		}
	}
	if uses.Error && m.Error.Present() {
		shown.Error, err = stratum.Decode(m.Error.Of(x.scratch.text))
	}
	return err
}

// pass sends a pool's line on, changed where it was edited.
func (x *Exchange) pass(r Record, out *Out) {
	out.Miner = x.apply(out.Miner, x.scratch.line)
	x.judged(r, rules.Forward, -1)
}

// judged records what became of a pool's message.
func (x *Exchange) judged(r Record, v rules.Verdict, rule int) {
	r.What, r.Verdict, r.Rule, r.worker = Message, v, rule, x.current
	x.record(r)
}

// response judges a reply, and gives it the id that the miner knows.
func (x *Exchange) response(out *Out) {
	raw := x.scratch.msg.ID.Of(x.scratch.text)
	r, found := x.facing.pending.take(stratum.IDOf(raw))
	if !found {
		if x.facing.pending.ours(raw) { // given up long ago; the miner knows no such id
			x.refused(RefusedLateReply)
			return
		}
		x.record(Record{What: Unmatched, Kind: rules.Response, Rule: -1})
		x.pass(Record{Kind: rules.Response}, out)
		return
	}
	if r.again != nil {
		x.compare(r.again, out)
		return
	}
	if r.own {
		return
	}
	x.current = r.worker
	x.conclude(&r)
	d := x.judgeReply(&r)
	rec := Record{Kind: rules.Response, Method: r.method, OK: x.ok(r.method), Latency: x.now.Sub(r.at), Params: r.params}
	if d != nil && d.Verdict == rules.Dropped {
		x.judged(rec, rules.Dropped, d.By)
	} else {
		if d != nil && d.Changed() && x.editReply(d) != nil {
			x.scratch.edits = x.scratch.edits[:0]
		}
		if !x.retellReply(&r, out) {
			return
		}
		if r.orig != nil {
			x.edit(x.scratch.msg.ID, r.orig)
		}
		x.pass(rec, out)
	}
	if r.method == stratum.MethodSubscribe {
		x.subscribeAnswered(out)
	}
}

// retellReply notes what a reply says of the pool's work, and edits what the miner knows
// otherwise. It reports false where the reply is of no use.
func (x *Exchange) retellReply(r *request, out *Out) bool {
	if r.method != stratum.MethodSubscribe && r.method != stratum.MethodConfigure || !x.ok(r.method) {
		return true
	}
	w := &x.facing.work
	if r.method == stratum.MethodSubscribe {
		w.subscribed(x.scratch.text, x.scratch.msg.Result)
	} else {
		c, _ := stratum.ParseConfigureResult(x.scratch.text, x.scratch.msg.Result)
		w.rolls, w.mask = c.VersionRolling, c.Mask
	}
	x.flatten()
	switch {
	case r.method == stratum.MethodConfigure:
		x.told.configured(x.scratch.text, x.scratch.msg.Result)
	case x.told.layout != nil:
		return x.ownSubscribed(out)
	}
	return true
}

func (x *Exchange) judgeReply(r *request) *rules.Decision {
	shown := &x.scratch.shown
	shown.OK = x.ok(r.method)
	shown.LatencyMS = float64(x.now.Sub(r.at)) / float64(time.Millisecond)
	return x.judge(rules.Response, r.method, r.params, stratum.Span{To: int32(len(r.params))})
}

// ok reports whether a reply says yes. For a submit that is true and nothing else. Of
// other requests p2pool answers authorize with null, and subscribe has a list.
func (x *Exchange) ok(method string) bool {
	m := &x.scratch.msg
	if method == stratum.MethodSubmit {
		return stratum.Accepted(x.scratch.text, m)
	}
	return x.absent(m.Error) && m.Result.Present() && string(m.Result.Of(x.scratch.text)) != "false"
}

// conclude records what a reply says of its request.
func (x *Exchange) conclude(r *request) {
	for i := range x.replays {
		if p := &x.replays[i]; p.id == r.id && p.result == nil {
			p.answer(x.scratch.text, &x.scratch.msg)
			break
		}
	}
	switch r.method {
	case stratum.MethodSubmit:
		rec := Record{What: ShareAccepted, Method: r.method, Rule: -1, Latency: x.now.Sub(r.at), Difficulty: r.difficulty, worker: r.worker}
		if !stratum.Accepted(x.scratch.text, &x.scratch.msg) {
			rec.What, rec.Reason = ShareRejected, stratum.Reason(x.scratch.text, &x.scratch.msg)
		}
		x.record(rec)
	case stratum.MethodAuthorize:
		x.facing.names.answered(r.worker, x.ok(r.method))
		x.record(Record{What: Authorized, Method: r.method, Rule: -1, OK: x.ok(r.method), Latency: x.now.Sub(r.at), worker: r.worker})
	}
}

// subscribeAnswered has the reply to subscribe go to the miner. What waits for it waits
// until it has been written: the other direction could overtake it on the way.
func (x *Exchange) subscribeAnswered(out *Out) {
	x.subscribing--
	x.subscribed = true
	x.replays = nil
	x.writing, out.Answered = true, true
}

// Written says that the reply to subscribe has been written, and lets go what waited.
func (x *Exchange) Written(out *Out) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.writing = false
	x.release(out)
	out.Place = out.Place || slices.ContainsFunc(x.leg.pending.list, func(r request) bool { return r.kept })
}

func (x *Exchange) release(out *Out) {
	out.Miner = append(out.Miner, x.held...)
	x.held = nil
}

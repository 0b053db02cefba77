package exchange

import (
	"bytes"
	"time"

	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// FromMiner takes one line of the miner, with its '\n'. The line is the caller's again
// when it returns.
func (x *Exchange) FromMiner(line []byte, at time.Time, out *Out) {
	x.begin()
	defer x.end()
	x.take(at, out)
	switch err, m := x.scan(line), &x.scratch.msg; {
	case blank(x.scratch.text):
		x.refused(RefusedBlank)
	case err != nil:
		x.refuse(RefusedMalformed, out)
	case m.Ambiguous, bytes.IndexByte(x.scratch.text, '\r') >= 0: // some end lines there
		x.refuse(RefusedAmbiguous, out)
	case x.absent(m.Method) && !x.isAnswer():
		x.refuse(RefusedMalformed, out)
	case x.absent(m.Method): // an answer to a request of the pool
		out.turn(len(out.Pool), x.leg)
		out.Pool = append(out.Pool, line...)
		x.record(Record{What: Message, Kind: rules.Response, Rule: -1})
	default:
		x.called(out)
	}
}

// isAnswer reports whether a line without a method can be an answer to the pool.
func (x *Exchange) isAnswer() bool {
	m := &x.scratch.msg
	return x.facing.heard && (m.Result.Present() || m.Error.Present())
}

// called judges a line by its method. One that some pools take for another method
// would be a way around the rules for that other, so where there are rules it is refused.
func (x *Exchange) called(out *Out) {
	m := &x.scratch.msg
	method, err := stratum.MethodOf(x.scratch.text, m)
	switch {
	case err != nil || m.ID.Len() > maxIDBytes:
		x.refuse(RefusedMalformed, out)
	case x.ruled() && stratum.Resembles(method) != "":
		x.refuse(RefusedAmbiguous, out)
	default:
		x.request(method, out)
	}
}

// ruled reports whether there are any rules to go around.
func (x *Exchange) ruled() bool { return len(x.cfg.Program.Rules()) > 0 }

func (x *Exchange) refused(reason string) {
	x.record(Record{What: Refused, Rule: -1, Reason: reason})
}

// maxMalformed is how many lines of a miner may be refused before it is sent away.
const maxMalformed = 16

// refuse answers a line that is no request anyone should read. A miner that has not
// subscribed yet cannot be answered (cpuminer would take it for the reply), and is
// most likely none: it is sent away.
func (x *Exchange) refuse(reason string, out *Out) {
	x.refused(reason)
	x.malformed++
	if !x.subscribed || x.malformed > maxMalformed {
		out.Close = reason
		return
	}
	x.answer(out, stratum.AppendErrorReply(nil, nil, stratum.CodeOther, "Not a valid request"))
}

// answer sends the miner a reply of our own, behind the pool's reply to subscribe.
func (x *Exchange) answer(out *Out, reply []byte) {
	switch {
	case !x.writing && (x.subscribing == 0 || x.subscribed):
		out.Miner = append(out.Miner, reply...)
	case len(x.held)+len(reply) > maxHeld:
		out.Close = "too many requests before the reply to subscribe"
	default:
		x.held = append(x.held, reply...)
	}
}

// maxHeld bounds the answers that wait for the pool's reply to subscribe.
const maxHeld = 16 << 10

// request judges a request and does what the rules say.
func (x *Exchange) request(method string, out *Out) {
	listed := x.elements(x.scratch.text, x.scratch.msg.Params)
	x.observe(method)
	chain := x.cfg.Program.Chain(rules.Request, x.methodText(method))
	if chain == nil {
		x.forward(method, nil, out)
		return
	}
	shown, err := x.show(chain.Uses(), x.scratch.text)
	if listed != nil || err != nil {
		x.deny(method, stratum.CodeOther, "Malformed params", -1, out)
		return
	}
	x.scratch.shown.Params = shown
	d := x.walk(chain, rules.Request, method, &x.scratch.shown)
	if d.Verdict == rules.Forward && d.Route != "" {
		x.routed(method, d.Route, out)
	}
	switch d.Verdict {
	case rules.Denied:
		x.deny(method, d.Code, d.Text, d.By, out)
	case rules.Replied:
		x.reply(method, d, out)
	case rules.Dropped:
		x.settle(method, Record{Verdict: rules.Dropped, Rule: d.By}, ShareDropped)
	default:
		x.forward(method, d, out)
	}
}

// routed notes where a rule sends the miner. At authorize it is the first name that
// decides, and the pool there is asked for it: the one in use may not know it.
func (x *Exchange) routed(method, pool string, out *Out) {
	switch {
	case method != stratum.MethodAuthorize:
		if !x.subscribeSent {
			out.Route = pool
		}
	case len(x.leg.names.list) == 0 && pool != x.leg.Pool() && x.subscribeSent:
		x.scratch.kept, out.Place = true, true
	}
}

// methodText is the method as bytes, for the index of the rules.
func (x *Exchange) methodText(method string) []byte {
	raw := x.scratch.msg.Method.Of(x.scratch.text)
	if len(raw) == len(method)+2 {
		return raw[1 : len(raw)-1]
	}
	return []byte(method) // it was written with escapes
}

// observe notes what a request says, before any rule sees it.
func (x *Exchange) observe(method string) {
	elems, text := x.scratch.elems, x.scratch.text
	switch method {
	case stratum.MethodSubscribe:
		if len(elems) > 0 {
			if agent, err := stratum.Text(elems[0].Of(text)); err == nil {
				x.agent = agent
			}
		}
	case stratum.MethodSubmit:
		x.findJob()
		x.current = x.submitter()
		x.record(Record{What: ShareSubmitted, Method: method, Rule: -1, worker: x.current})
	}
}

// findJob finds whose job a submit is for, which is whom it concerns.
func (x *Exchange) findJob() {
	if len(x.scratch.elems) < 2 {
		return
	}
	l, id := x.owner(unquoted(x.scratch.elems[1].Of(x.scratch.text)))
	if l == nil {
		x.scratch.stray = true
		return
	}
	x.facing, x.scratch.job = l, l.work.job(id)
}

// submitter gives the worker that a submit names: one that was authorised, else one
// that nobody knows.
func (x *Exchange) submitter() *worker {
	if len(x.scratch.elems) == 0 {
		return &worker{boxedName: "", boxedPool: ""}
	}
	raw := x.scratch.elems[0].Of(x.scratch.text)
	if w := x.facing.names.find(raw); w != nil {
		return w
	}
	name, err := stratum.Text(raw)
	if err != nil || len(raw) > maxNameBytes {
		return &worker{boxedName: "", boxedPool: ""}
	}
	return &worker{name: name, boxedName: name, boxedPool: ""}
}

// deny answers a request with an error of our own.
func (x *Exchange) deny(method string, code int, text string, rule int, out *Out) {
	x.settle(method, Record{Verdict: rules.Denied, Rule: rule, Code: code, Text: text}, ShareDenied)
	if id := x.requestID(); id != nil {
		x.answer(out, stratum.AppendErrorReply(nil, id, code, text))
	}
}

// reply answers a request in the pool's place.
func (x *Exchange) reply(method string, d *rules.Decision, out *Out) {
	result, err := stratum.Append(nil, d.Result)
	failure, ferr := stratum.Append(nil, d.Error)
	if err != nil || ferr != nil {
		x.deny(method, stratum.CodeOther, "Request could not be answered", d.By, out)
		return
	}
	x.settle(method, Record{Verdict: rules.Replied, Rule: d.By}, ShareReplied)
	x.subscribed = x.subscribed || method == stratum.MethodSubscribe
	if id := x.requestID(); id != nil {
		x.answer(out, stratum.AppendReply(nil, id, result, failure))
	}
}

// settle records the end of a request that does not go to the pool, and what it means
// for a share.
func (x *Exchange) settle(method string, end Record, share What) {
	end.What, end.Kind, end.Method, end.worker = Message, rules.Request, method, x.current
	if method == stratum.MethodAuthorize {
		end.worker = x.submitter()
	}
	x.record(end)
	if method == stratum.MethodSubmit {
		end.What = share
		x.record(end)
	}
}

// requestID is the id of the request at hand, or nil when it asks for no reply.
func (x *Exchange) requestID() []byte {
	id := x.scratch.msg.ID
	if raw := id.Of(x.scratch.text); len(raw) > 0 && raw[0] != 'n' {
		return raw
	}
	return nil
}

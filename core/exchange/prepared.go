package exchange

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// preparing takes a line of a pool that is being prepared.
func (x *Exchange) preparing(malformed error, out *Out) {
	l, m := x.facing, &x.scratch.msg
	switch {
	case malformed != nil:
		if !blank(x.scratch.text) && !l.heard {
			x.unfit(errors.New("the pool does not speak Stratum"))
		}
	case x.absent(m.Method):
		l.heard = true
		x.preparedReply(out)
	default:
		l.heard = true
		x.preparedNotice(out)
	}
	out.Unfit, out.Blame = l.prep.unfit, l.prep.blame
	out.Ready = out.Unfit == nil && l.ready()
}

// ready reports whether the miner can be told of the leg: every answer has come, and a job.
// Only a miner that has neither a name nor a job can do without.
func (l *Leg) ready() bool {
	p := l.prep
	idle := len(l.names.list) == 0 && len(l.x.leg.work.jobs) == 0
	return p.subscribed && !l.awaits(stratum.MethodAuthorize, stratum.MethodConfigure) && (p.notify != nil || idle)
}

// preparedReply takes an answer of a pool that is being prepared.
func (x *Exchange) preparedReply(out *Out) {
	l := x.facing
	r, found := l.pending.take(stratum.IDOf(x.scratch.msg.ID.Of(x.scratch.text)))
	if !found {
		return
	}
	ok := x.ok(r.method)
	var err error
	switch r.method {
	case stratum.MethodConfigure:
		err = x.preparedMask()
	case stratum.MethodSubscribe:
		if x.unfit(x.preparedExtranonce(ok)); l.prep.unfit == nil {
			err = x.introduce(out)
		}
	case stratum.MethodAuthorize:
		err = x.preparedName(r.worker, ok)
	}
	if err != nil {
		l.prep.unfit = err
	}
}

// unfit notes that a pool's work is of no use, for which the pool is to blame unless it is
// of use to other miners.
func (x *Exchange) unfit(err error) {
	p := x.facing.prep
	p.unfit, p.blame = err, err != nil && !errors.Is(err, ErrByReconnect)
}

func (x *Exchange) preparedMask() error {
	c, _ := stratum.ParseConfigureResult(x.scratch.text, x.scratch.msg.Result)
	x.facing.work.rolls, x.facing.work.mask = c.VersionRolling, c.Mask
	return nil
}

func (x *Exchange) preparedExtranonce(ok bool) error {
	l := x.facing
	if !ok {
		return errors.New("the pool refuses the subscription")
	}
	if !l.work.subscribed(x.scratch.text, x.scratch.msg.Result) {
		return errors.New("the pool's reply to subscribe cannot be read")
	}
	l.prep.subscribed = true
	return x.takes(&l.work)
}

// takes reports why the miner cannot work with a pool's extranonce.
func (x *Exchange) takes(w *work) error {
	if x.told.layout != nil {
		return x.told.layout.fits(w)
	}
	agent, _ := x.agent.(string)
	if least, most := extranonce2Sizes(agent); w.size < least || w.size > most {
		return fmt.Errorf("%w: the pool's extranonce2 has %d bytes, and the miner takes %d to %d", ErrByReconnect, w.size, least, most)
	}
	return nil
}

// extranonce2Sizes gives the sizes of extranonce2 that clients cope with: cgminer and its
// family have 2 to 8 bytes, cpuminer-opt 2 to 16, ESP-Miner up to 32.
func extranonce2Sizes(agent string) (least, most int) {
	agent = strings.ToLower(agent)
	switch {
	case strings.HasPrefix(agent, "bfgminer"):
		return 1, 16
	case strings.HasPrefix(agent, "bitaxe"), strings.HasPrefix(agent, "nerdqaxe"):
		return 1, 32
	case strings.HasPrefix(agent, "cpuminer"):
		return 2, 16
	}
	return 2, 8
}

// subscribed notes the result of subscribe.
func (w *work) subscribed(text []byte, result stratum.Span) bool {
	s, ok := stratum.ParseSubscribeResult(text, result)
	if ok {
		w.extranonce1, w.size = bytes.Clone(unquoted(s.Extranonce1.Of(text))), s.Extranonce2Size
	}
	return ok
}

// introduce says to a pool, once it has taken the subscription, who the miner is.
func (x *Exchange) introduce(out *Out) error {
	if s := x.told.saying(stratum.MethodExtranonceSubscribe); s != nil && x.told.layout == nil {
		if err := x.say(s.method, s.params, s.at, out); err != nil {
			return err
		}
	}
	if err := x.authorizeAll(out); err != nil {
		return err
	}
	for _, s := range x.told.said {
		switch s.method {
		case stratum.MethodConfigure, stratum.MethodExtranonceSubscribe, stratum.MethodSuggestTarget:
			continue
		}
		if err := x.say(s.method, s.params, s.at, out); err != nil {
			return err
		}
	}
	return nil
}

// authorizeAll authorizes the miner's names at the leg at hand, but for those that are known
// there.
func (x *Exchange) authorizeAll(out *Out) error {
	l := x.facing
	for _, n := range x.leg.names.list {
		w := n.worker()
		if l.names.byName(w.name) != nil || slices.Contains(l.prep.refused, w.name) || w.params == nil {
			continue
		}
		if err := x.say(stratum.MethodAuthorize, w.params, w.at, out); err != nil {
			return err
		}
	}
	return nil
}

func (x *Exchange) preparedName(w *worker, ok bool) error {
	if w == nil {
		return nil
	}
	l := x.facing
	l.names.answered(w, ok)
	if ok {
		return nil
	}
	if i := x.leg.names.place(w.name); i >= 0 && x.leg.names.list[i].accepted != nil {
		return x.refusedName()
	}
	l.prep.refused = append(l.prep.refused, w.name)
	return nil
}

func (x *Exchange) refusedName() error {
	return fmt.Errorf("the pool refuses a worker that %s has taken", x.leg.Pool())
}

// preparedNotice takes a message of a pool that is being prepared. What it asks is
// answered for the miner, since some pools go on only then.
func (x *Exchange) preparedNotice(out *Out) {
	l, text, params := x.facing, x.scratch.text, x.scratch.msg.Params
	method, err := stratum.MethodOf(text, &x.scratch.msg)
	if err != nil {
		return
	}
	switch method {
	case stratum.MethodSetDifficulty:
		l.prep.setDifficulty(bytes.Clone(x.scratch.line))
	case stratum.MethodNotify:
		l.prep.give(bytes.Clone(x.scratch.line))
	case stratum.MethodSetExtranonce:
		x.learnExtranonce(text, params)
		l.prep.notify = nil // its job was for the extranonce of before
		x.unfit(x.takes(&l.work))
	case stratum.MethodSetVersionMask:
		if mask, ok := stratum.ParseSetVersionMask(text, params); ok {
			l.work.mask = mask
		}
	case stratum.MethodReconnect:
		x.preparedRedirect(out)
	case stratum.MethodGetVersion, stratum.MethodPing:
		x.answerFor(method, out)
	}
}

// setDifficulty keeps a difficulty for the next job, and for that at hand where it is the
// first.
func (p *preparation) setDifficulty(line []byte) {
	if p.notify == nil || p.difficulty == nil {
		p.difficulty = line
		return
	}
	p.after = line
}

// give keeps a job.
func (p *preparation) give(line []byte) {
	p.notify = line
	if p.after != nil {
		p.difficulty, p.after = p.after, nil
	}
}

// preparedRedirect has the caller go where the pool sends the miner, if no rule looks after
// that.
func (x *Exchange) preparedRedirect(out *Out) {
	d := x.judge(rules.Notification, stratum.MethodReconnect, x.scratch.text, x.scratch.msg.Params)
	if d == nil || d.Verdict == rules.Forward && !d.Changed() {
		x.redirect(out)
	}
}

// answerFor answers a pool's question in the miner's name.
func (x *Exchange) answerFor(method string, out *Out) {
	id := x.requestID()
	if id == nil {
		return
	}
	answer := "pong"
	if method == stratum.MethodGetVersion {
		answer, _ = x.agent.(string)
	}
	start := len(out.Pool)
	out.Pool = stratum.AppendReply(out.Pool, id, stratum.AppendString(nil, answer), nil)
	out.turn(start, x.facing)
}

// learnExtranonce notes what a mining.set_extranonce says.
func (x *Exchange) learnExtranonce(text []byte, params stratum.Span) {
	s, ok := stratum.ParseSetExtranonce(text, params)
	if !ok {
		return
	}
	w := &x.facing.work
	if s.Extranonce1.Present() {
		w.extranonce1 = bytes.Clone(unquoted(s.Extranonce1.Of(text)))
	}
	if s.Extranonce2Size > 0 {
		w.size = s.Extranonce2Size
	}
}

package exchange

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/loka-proxy/loka/core/stratum"
)

// layout is how loka parts the extranonce with a miner that keeps its own through all
// pools (extranonce = "stable"). The miner has a constant extranonce1 and an extranonce2 of
// size bytes. What it hashes is the pool's coinbase to the byte:
//
//	coinb1 of the miner   = coinb1 of the pool ‖ extranonce1 of the pool ‖ pad
//	extranonce2 of the pool = pad ‖ extranonce1 of the miner ‖ extranonce2 of the miner
type layout struct {
	extranonce1 string // hex digits
	size        int
	session     string // what the miner gets for a session id
}

func newLayout(cfg Config) *layout {
	if cfg.Extranonce1 == "" {
		return nil
	}
	return &layout{extranonce1: cfg.Extranonce1, size: cfg.Extranonce2Size, session: cfg.Session}
}

// least is the shortest extranonce2 of a pool that the layout fits into.
func (l *layout) least() int { return len(l.extranonce1)/2 + l.size }

var (
	errShortExtranonce = errors.New("the pool's extranonce2 is too short for extranonce = \"stable\"")
	errOddExtranonce   = errors.New("the pool's extranonce1 is not made of whole bytes in hex digits")
)

// fits reports why work of a pool cannot be given to the miner in this layout.
func (l *layout) fits(w *work) error {
	if !isHex(w.extranonce1) {
		return errOddExtranonce
	}
	if w.size < l.least() {
		return errShortExtranonce
	}
	return nil
}

// pad appends what lies between the pool's extranonce1 and the miner's, in hex digits: the
// number of the move, as far as there is room, so that a pool that gives an extranonce1
// again does not get the same work again.
func (x *Exchange) pad(dst []byte, size int) []byte {
	n := size - x.told.layout.least()
	for i := range n {
		b := byte(0)
		if shift := 8 * (n - 1 - i); shift < 32 {
			b = byte(x.facing.work.epoch >> shift)
		}
		dst = hex.AppendEncode(dst, []byte{b})
	}
	return dst
}

// ownSubscribed edits the pool's reply to subscribe, in place of whose extranonce the miner
// gets its own.
func (x *Exchange) ownSubscribed(out *Out) bool {
	l, text := x.told.layout, x.scratch.text
	s, ok := stratum.ParseSubscribeResult(text, x.scratch.msg.Result)
	err := l.fits(&x.facing.work)
	if !ok {
		err = errors.New("the pool's reply to subscribe cannot be read")
	}
	if err != nil {
		out.Close, out.Blame = err.Error(), true
		return false
	}
	if s.SessionID.Present() {
		x.edit(s.SessionID, stratum.AppendString(nil, l.session))
	}
	x.edit(s.Extranonce1, stratum.AppendString(nil, l.extranonce1))
	x.edit(s.Size, strconv.AppendInt(nil, int64(l.size), 10))
	return true
}

// forgetSession takes the session id out of a subscribe: it is loka's own, or that of a
// pool which is another. The edits made so far do not touch it.
func (x *Exchange) forgetSession() {
	elems := x.scratch.elems
	switch {
	case len(elems) > 2: // the host and the port keep their place
		x.edit(elems[1], []byte("null"))
	case len(elems) == 2:
		x.edit(stratum.Span{From: elems[0].To, To: elems[1].To}, nil)
	}
}

// ownCoinbase edits coinb1 of a job, whose params are the elements at hand.
func (x *Exchange) ownCoinbase(coinb1 stratum.Span) {
	w, raw := &x.facing.work, coinb1.Of(x.scratch.text)
	longer := append(bytes.Clone(raw[:len(raw)-1]), w.extranonce1...)
	x.edit(coinb1, append(x.pad(longer, w.size), '"'))
}

// poolExtranonce2 edits extranonce2 of a submit for a job of a size.
func (x *Exchange) poolExtranonce2(at stratum.Span, size int) *refusal {
	l, own := x.told.layout, unquoted(at.Of(x.scratch.text))
	if len(own) != 2*l.size || !isHex(own) {
		return &refusal{stratum.CodeOther, "Incorrect size of extranonce2"}
	}
	whole := x.pad([]byte{'"'}, size)
	whole = append(append(whole, l.extranonce1...), own...)
	x.edit(at, append(whole, '"'))
	return nil
}

// isHex reports whether a text is whole bytes in hex digits.
func isHex(digits []byte) bool {
	for _, c := range digits {
		if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
			return false
		}
	}
	return len(digits)%2 == 0
}

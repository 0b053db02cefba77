package miner

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/work"
)

// slots bounds how many miners of this process hash at once, so that their readers get their turns.
var slots = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))

// slice is how many nonces a miner tries before it looks up.
const slice = 2000

// hasher finds the shares of one visit.
type hasher struct {
	*visit
	task  task
	tries uint64 // in this task; gives extranonce2, version bits and the first nonce
	found int    // shares
	last  string // line of the last good share, to send it twice
}

// mine hashes and submits until the connection ends or the limits are reached.
func (v *visit) mine(ctx context.Context) {
	h := hasher{visit: v}
	timer := time.NewTimer(0)
	defer timer.Stop()
	due := time.Now().Add(rand.N(v.miner.config.Interval + 1)) // so that many miners spread
	for ctx.Err() == nil {
		t, more, wait := v.look(time.Now())
		if !more && wait == 0 {
			v.finish()
			return
		}
		if more && t.number > 0 {
			pause := time.Until(due)
			if pause <= 0 {
				if h.share(ctx, t) {
					due = time.Now().Add(v.miner.config.Interval)
				}
				continue
			}
			wait = min(wait, pause)
		}
		timer.Reset(max(wait, time.Millisecond))
		select {
		case <-v.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// look says what there is to do: the task; whether more shares are wanted; and how long to wait at most, 0 if nothing
// is pending. On the way it gives up shares whose reply is overdue.
func (v *visit) look(now time.Time) (t task, more bool, wait time.Duration) {
	v.mu.Lock()
	timeout := v.miner.config.ReplyTimeout
	before := len(v.pending)
	v.pending = slices.DeleteFunc(v.pending, func(p pending) bool { return now.Sub(p.sent) >= timeout })
	overdue, waiting := before-len(v.pending), len(v.pending)
	if waiting > 0 {
		wait = v.pending[0].sent.Add(timeout).Sub(now)
	}
	t = v.task
	v.mu.Unlock()

	v.miner.gate.L.Lock()
	v.miner.stats.Unanswered += overdue
	if overdue > 0 {
		v.miner.gate.Changed()
	}
	config, stats := &v.miner.config, &v.miner.stats
	more = !v.miner.leaving && (config.MaxSubmitted == 0 || stats.Submitted < config.MaxSubmitted) &&
		(config.MaxAccepted == 0 || stats.Accepted+waiting < config.MaxAccepted)
	v.miner.gate.L.Unlock()
	if more && wait == 0 {
		wait = time.Hour
	}
	return t, more, wait
}

// finish ends the visit and the miner's run.
func (v *visit) finish() {
	v.miner.gate.L.Lock()
	v.miner.done = true
	v.miner.gate.L.Unlock()
	_ = v.conn.Close()
}

// share finds a share and submits it; false if the work was replaced.
func (h *hasher) share(ctx context.Context, t task) bool {
	h.begin(t)
	extranonce2 := h.extranonce2(t.size)
	version := work.RolledVersion(t.job.Version, spread(uint32(h.tries), t.mask), t.mask)
	header := t.job.Header(t.extranonce1, extranonce2, version, t.job.NTime, h.firstNonce())
	target := work.TargetOf(t.difficulty)
	for range math.MaxUint32 / slice {
		slots <- struct{}{}
		found := header.Search(slice, target)
		<-slots
		if ctx.Err() != nil || h.replaced(t, found) {
			return false
		}
		if found {
			h.submit(t, extranonce2, header, version)
			return true
		}
	}
	return false
}

// begin starts from the beginning with a new or a clean job, as most clients do: who sends the same work again gets
// the same shares again.
func (h *hasher) begin(t task) {
	if t.number != h.task.number && (t.job.ID != h.task.job.ID || t.job.Clean) {
		h.tries = 0
	}
	h.task = t
	h.tries++
}

// firstNonce is anywhere, but low with the client that does not pad it, so that this is seen.
func (h *hasher) firstNonce() uint32 {
	if h.dialect.shortNonce {
		return 0
	}
	return uint32(h.tries) * 0x9e3779b9
}

// replaced says whether there is other work by now. A share that has been found is good until a clean job comes.
func (v *visit) replaced(t task, found bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if found {
		return v.task.clean > t.number
	}
	return v.task.number != t.number
}

func (h *hasher) extranonce2(size int) []byte {
	b := make([]byte, max(size, 8))
	if h.dialect.highFirst {
		binary.BigEndian.PutUint64(b[len(b)-8:], h.tries)
		return b[len(b)-size:]
	}
	binary.LittleEndian.PutUint64(b, h.tries)
	return b[:size]
}

// spread puts the bits of n into the bits of the mask, from the lowest on.
func spread(n, mask uint32) (bits uint32) {
	for ; mask != 0; mask &= mask - 1 {
		if n&1 != 0 {
			bits |= mask & -mask
		}
		n >>= 1
	}
	return bits
}

// submit sends a share, or something worse if it is that one's turn.
func (h *hasher) submit(t task, extranonce2 []byte, header work.Header, version uint32) {
	user, job, nonce := h.miner.config.User, t.job.ID, header.Nonce()
	h.found++
	every := h.miner.config.SpoilEvery
	spoiled := every > 0 && h.found%every == 0
	again := false
	if spoiled {
		switch h.found / every % 4 {
		case 0:
			user += "x"
		case 1:
			job += "0"
		case 2:
			nonce = lowNonce(header, t.difficulty)
		case 3:
			again = h.last != ""
			spoiled = again
		}
	}
	line := h.submitLine(user, job, t, extranonce2, nonce, version)
	if again {
		line = h.last
	}
	if !spoiled {
		h.last = line
	}
	h.post(line, spoiled)
}

func lowNonce(header work.Header, difficulty float64) uint32 {
	target := work.TargetOf(difficulty)
	for range slice {
		header.Next()
		if !target.MetBy(header.Hash()) {
			break
		}
	}
	return header.Nonce()
}

// submitLine leaves the id open.
func (h *hasher) submitLine(user, job string, t task, extranonce2 []byte, nonce, version uint32) string {
	digits := fmt.Sprintf("%08x", nonce)
	if h.dialect.shortNonce {
		digits = strconv.FormatUint(uint64(nonce), 16)
	}
	bits := ""
	if t.mask != 0 {
		bits = fmt.Sprintf(`, "%08x"`, version&t.mask)
	}
	sent := version & t.mask
	if h.dialect.delta {
		sent = version ^ t.job.Version
	}
	return fill(h.dialect.submit,
		"USER", user, "JOB", job, "XN2", hex.EncodeToString(extranonce2), "NTIME", fmt.Sprintf("%08x", t.job.NTime),
		"NONCE", digits, "BITS", bits, "VERSION", fmt.Sprintf("%08x", sent), "ID", "$ID")
}

// post sends a submit and notes that its reply is due. It counts before it sends, so the reply cannot come first.
func (h *hasher) post(line string, spoiled bool) {
	h.miner.update(func(s *Stats) {
		s.Submitted++
		if spoiled {
			s.Spoiled++
		}
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastID++
	id := idIn(h.dialect.submit, h.lastID) // cpuminer has the same one for all of them
	h.pending = append(h.pending, pending{id, time.Now(), spoiled})
	h.send(fill(line, "ID", id))
}

// decimal writes a number without an exponent.
func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

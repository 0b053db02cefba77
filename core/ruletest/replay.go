package ruletest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/stratum"
)

// Replay puts the lines of a recorded session through a policy.
//
// The pool's replies are those of the recording. Each is given the id that its request
// has in this conversation, and is left out where its request does not go up here.
type Replay struct {
	*Conversation
	capture *Capture
	policy  *policy.Policy
	// ids finds the id here by the one that the pool knew when it was recorded; one
	// that did not go up has none.
	ids map[stratum.ID][]byte
}

// NewReplay begins a replay.
func NewReplay(p *policy.Policy, proxy *policy.Proxy, c *Capture, watch func(exchange.Walk)) *Replay {
	m := Miner{Client: policy.Client{IP: c.Client.IP, Port: c.Client.Port, Agent: c.Client.Agent}, Session: c.Session}
	return &Replay{
		Conversation: NewConversation(p, proxy, m, c.Opened, watch),
		capture:      c, policy: p, ids: map[stratum.ID][]byte{},
	}
}

// Line replays one line. It is not ok for a reply whose request did not go up.
func (r *Replay) Line(line *Line) (out Outcome, ok bool) {
	r.now = r.opened.Add(time.Duration(line.MS * float64(time.Millisecond)))
	if line.From == FromMiner {
		out = r.FromMiner([]byte(line.Text + "\n"))
		r.pair(line.Pool, out.Pool)
		return out, true
	}
	text, ok := r.answer(line.Text)
	if !ok {
		return Outcome{}, false
	}
	return r.FromPool(append(text, '\n')), true
}

// pair notes which id here stands for which in the recording. What went up behind other
// lines, which were said again to another pool, is the last of them.
func (r *Replay) pair(recorded []string, now []byte) {
	here := texts(now)
	for i, text := range recorded {
		id, ok := requestID([]byte(text))
		if !ok {
			continue
		}
		r.ids[id] = nil
		if j := len(here) - len(recorded) + i; j >= 0 {
			r.ids[id] = rawID([]byte(here[j]))
		}
	}
}

// answer gives a pool's line with the id that it has here.
func (r *Replay) answer(text string) ([]byte, bool) {
	line := []byte(text)
	var m stratum.Message
	if stratum.Scan(bytes.TrimRight(line, "\r"), &m) != nil || m.Method.Present() {
		return line, true
	}
	id := stratum.IDOf(m.ID.Of(line))
	here, known := r.ids[id]
	if !known {
		return line, true
	}
	delete(r.ids, id)
	if here == nil {
		return nil, false
	}
	return stratum.Apply(nil, line, []stratum.Edit{{Span: m.ID, Text: here}}), true
}

func requestID(line []byte) (stratum.ID, bool) {
	raw := rawID(line)
	return stratum.IDOf(raw), raw != nil
}

// rawID is the JSON text of a line's id, or nil.
func rawID(line []byte) []byte {
	var m stratum.Message
	if stratum.Scan(bytes.TrimRight(line, "\r"), &m) != nil || !m.ID.Present() {
		return nil
	}
	return m.ID.Of(line)
}

// All replays the whole session and gives what is to be kept of it. A session that is
// refused at once, or ends, has no more lines.
func (r *Replay) All() *Capture {
	now := &Capture{Head: r.capture.Head}
	if r.Connect().Verdict != Forward {
		return now
	}
	for i := range r.capture.Lines {
		line := r.capture.Lines[i]
		out, ok := r.Line(&line)
		if !ok {
			continue
		}
		// What was held back is not on the tape: when it goes out is not the policy's doing.
		line.Pool, line.Miner = kept(r.policy, out.Pool, true), kept(r.policy, out.Miner[:len(out.Miner)-out.Held], false)
		now.Lines = append(now.Lines, line)
		if out.Closed {
			break
		}
	}
	return now
}

// replay runs a test that is a capture.
func (r *Result) replay(opt Options) {
	capture, err := ReadCapture(r.Test.Capture)
	if err != nil {
		r.Err = err
		return
	}
	now := NewReplay(r.Test.Policy, r.Test.Proxy, capture, watching(r.Test, opt)).All().Encode()
	name := goldenOf(r.Test)
	golden, err := os.ReadFile(name)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case opt.Update && r.Test.Golden == "": // the capture is what happened; it stays
		golden = capture.Encode()
	case opt.Update && (missing || !bytes.Equal(golden, now)):
		r.Err, r.Updated = os.WriteFile(name, now, 0o644), true
		return
	case missing:
		r.Err = fmt.Errorf("there is no %s yet; run with --update to write it, and read it", name)
		return
	case err != nil:
		r.Err = err
		return
	case r.Test.Golden == "":
		golden = capture.Encode()
	}
	if !bytes.Equal(golden, now) {
		r.Golden = string(diff.Diff(name, golden, "now", now))
	}
}

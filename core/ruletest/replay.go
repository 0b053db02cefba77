package ruletest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
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
	m := Miner{Client: policy.Client{IP: c.Client.IP, Port: c.Client.Port, Agent: c.Client.Agent}, Session: c.Session, Listener: c.Listener}
	return &Replay{
		Conversation: NewConversation(p, proxy, m, c.Opened, watch),
		capture:      c, policy: p, ids: map[stratum.ID][]byte{},
	}
}

// Blind reports whether a rule looks at the miner's password, and the capture does not
// hold it.
func (r *Replay) Blind() bool {
	if !slices.ContainsFunc(r.proxy.Program.Rules(), readsPassword) {
		return false
	}
	return slices.ContainsFunc(r.capture.Lines, func(l Line) bool {
		return l.From == FromMiner && strings.Contains(l.Text, hidden)
	})
}

// passwordName matches the names of the password in an expression.
var passwordName = regexp.MustCompile(`\bpassword\b|\bparams *\[ *1`)

func readsPassword(r rules.Rule) bool {
	if r.Kind != rules.Request || r.Method == stratum.MethodSubmit || r.Method == stratum.MethodSubscribe {
		return false
	}
	return r.When != nil && passwordName.MatchString(r.When.Text) ||
		slices.ContainsFunc(r.Set, func(a rules.Assignment) bool { return passwordName.MatchString(a.Value.Text) })
}

// Line replays one line. It is not ok for a reply whose request did not go up.
func (r *Replay) Line(line *Line) (out Outcome, ok bool) {
	r.now = r.opened.Add(time.Duration(line.MS * float64(time.Millisecond)))
	if line.From == FromMiner {
		out = r.FromMiner([]byte(line.Text + "\n"))
		r.pair(line.Pool, out.Pool[out.Again:])
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
		// What was held back, or said again, is not on the tape: when that happens is not the
		// policy's doing.
		line.Pool, line.Miner = kept(r.policy, out.Pool[out.Again:], true), kept(r.policy, out.Miner[:len(out.Miner)-out.Held], false)
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
	replay := NewReplay(r.Test.Policy, r.Test.Proxy, capture, watching(r.Test, opt))
	if replay.Blind() {
		r.Note = "a rule looks at the miner's password, which the capture does not hold"
	}
	now := replay.All().Encode()
	if r.Test.Golden == "" { // the capture is what happened; it stays
		r.differs(r.Test.Capture, capture.Encode(), now)
		return
	}
	golden, err := os.ReadFile(r.Test.Golden)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !missing:
		r.Err = err
	case opt.Update && (missing || !bytes.Equal(golden, now)):
		r.Err = writeGolden(r.Test, golden, now)
		r.Updated = r.Err == nil
	case missing:
		r.Err = fmt.Errorf("there is no %s yet; run with --update to write it, and read it", r.Test.Golden)
	default:
		r.differs(r.Test.Golden, golden, now)
	}
}

// maxDiffBytes bounds the texts that are compared line by line.
const maxDiffBytes = 4 << 20

// differs notes in what a replay differs from what is expected.
func (r *Result) differs(name string, want, got []byte) {
	switch {
	case bytes.Equal(want, got):
	case len(want)+len(got) > maxDiffBytes:
		r.Golden = fmt.Sprintf("they differ, and are too long to be compared line by line (%d and %d bytes)\n", len(want), len(got))
	default:
		r.Golden = string(diff.Diff(name, want, "now", got))
	}
}

// writeGolden writes a golden file, in one step, in the place of an older one and of
// nothing else.
func writeGolden(t *policy.Test, old, golden []byte) error {
	if old != nil {
		if _, err := DecodeCapture(bytes.NewReader(old)); err != nil {
			return fmt.Errorf("%s is no golden file, and is left as it is", t.Golden)
		}
	}
	if sameFile(t.Golden, t.Capture) {
		return fmt.Errorf("%s is the capture itself, and is left as it is", t.Golden)
	}
	temp, err := os.CreateTemp(filepath.Dir(t.Golden), "."+filepath.Base(t.Golden)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(golden)
	if err = errors.Join(err, temp.Chmod(0o640), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), t.Golden)
}

// sameFile reports whether two names are those of one file.
func sameFile(a, b string) bool {
	x, xerr := os.Stat(a)
	y, yerr := os.Stat(b)
	return xerr == nil && yerr == nil && os.SameFile(x, y)
}

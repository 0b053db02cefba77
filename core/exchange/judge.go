package exchange

import (
	"bytes"
	"errors"
	"sync"
	"time"

	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// scratch is what handling one line needs, besides the state of the conversation. It
// is borrowed for a line at a time, so an idle session holds none.
type scratch struct {
	line     []byte // as it came, with its end
	text     []byte // without
	msg      stratum.Message
	elems    []stratum.Span
	params   []any
	shown    rules.Message
	decision rules.Decision
	edits    []stratum.Edit
	record   Record
	// first says that the line is the first job from another pool; job is that of the
	// submit at hand, as far as it is known, and stray says that no leg gave it.
	first bool
	job   *job
	stray bool
	kept  bool // the request at hand is for the next pool
	// present and with are given while messages of before are judged again: the time now,
	// and the pool that the miner is with, boxed.
	present time.Time
	with    any
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// maxParams bounds the parameters of a message that a rule looks at.
const maxParams = 64

// Errors of a message that cannot be shown to a rule.
var (
	errNotList = errors.New("params is not a list")
	errTooMany = errors.New("more than 64 params")
)

// walk runs a chain and records what matched and what failed.
func (x *Exchange) walk(chain *rules.Chain, kind rules.Kind, method string, msg *rules.Message) *rules.Decision {
	d := &x.scratch.decision
	msg.Method = method
	d.Trace = x.cfg.Tracer != nil
	chain.Decide(msg, facts{x}, d)
	if d.Trace {
		x.cfg.Tracer.Walked(Walk{Kind: kind, Method: method, Chain: chain, Message: msg, Facts: facts{x}, Decision: d})
	}
	for _, rule := range d.Matched {
		x.record(Record{What: RuleMatched, Kind: kind, Method: method, Verdict: d.Verdict, Rule: rule, worker: x.current})
	}
	for i := range d.Failed {
		f := &d.Failed[i]
		x.record(Record{What: RuleFailed, Kind: kind, Method: method, Rule: f.Rule, Failure: f.Err, worker: x.current})
	}
	return d
}

// elements finds the elements of params, an absent or null one having none.
func (x *Exchange) elements(text []byte, params stratum.Span) error {
	x.scratch.elems = x.scratch.elems[:0]
	if absent(text, params) {
		return nil
	}
	elems, ok := stratum.ElementsUpTo(text, params, x.scratch.elems, maxParams+1)
	x.scratch.elems = elems
	switch {
	case !ok:
		return errNotList
	case len(elems) > maxParams:
		return errTooMany
	}
	return nil
}

// show decodes the elements that a chain looks at.
func (x *Exchange) show(uses rules.Uses, text []byte) ([]any, error) {
	s := x.scratch
	s.params = s.params[:0]
	left := stratum.MaxElements
	for i, span := range s.elems {
		var v any
		if uses.AllParams || uses.Params&(1<<i) != 0 {
			var err error
			if v, err = x.decode(span.Of(text), &left); err != nil {
				return nil, err
			}
		}
		s.params = append(s.params, v)
	}
	return s.params, nil
}

// decode decodes one value. The name of the worker at hand is at hand already, boxed.
func (x *Exchange) decode(raw []byte, left *int) (any, error) {
	if w := x.current; w != nil && bytes.Equal(raw, w.raw) {
		return w.boxedName, nil
	}
	return stratum.DecodeWithin(raw, left)
}

// absent reports whether a part of a line is missing or null.
func absent(text []byte, part stratum.Span) bool {
	return !part.Present() || text[part.From] == 'n'
}

// absent reports whether a part of the line at hand is missing or null.
func (x *Exchange) absent(part stratum.Span) bool { return absent(x.scratch.text, part) }

// scan finds the parts of a line.
func (x *Exchange) scan(line []byte) error {
	s := x.scratch
	s.line, s.text = line, trim(line)
	return stratum.Scan(s.text, &s.msg)
}

// flatten makes the edits noted so far, so that others can touch what they have made.
func (x *Exchange) flatten() {
	s := x.scratch
	if len(s.edits) == 0 {
		return
	}
	line := x.apply(nil, s.line)
	s.edits = s.edits[:0]
	_ = x.scan(line) // an edited line is as well formed as it was
	_ = x.elements(s.text, s.msg.Params)
}

// trim takes the line end off, and with it a '\r' that some send.
func trim(line []byte) []byte {
	return bytes.TrimRight(line, "\r\n")
}

func blank(text []byte) bool {
	return len(bytes.TrimLeft(text, " \t\r\n")) == 0
}

// begin and end enclose the handling of one line.
func (x *Exchange) begin() {
	x.mu.Lock()
	x.scratch = scratches.Get().(*scratch)
	x.current, x.facing = nil, x.leg
}

// take notes a line that is handed over.
func (x *Exchange) take(at time.Time, out *Out) {
	x.now = at
	x.lines++
	out.Line = x.lines
}

func (x *Exchange) end() {
	s := x.scratch
	x.scratch, x.current, x.facing = nil, nil, nil
	clear(s.params)
	clear(s.edits)
	s.edits, s.elems = s.edits[:0], s.elems[:0]
	s.line, s.text, s.shown, s.record = nil, nil, rules.Message{}, Record{}
	s.first, s.job, s.stray, s.kept = false, nil, false, false
	s.present, s.with = time.Time{}, nil
	scratches.Put(s)
	x.mu.Unlock()
}

package ruletest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loka-proxy/loka/core/policy"
)

// Bounds of what is recorded, so that a recording that is forgotten fills no disk.
const (
	maxTapes     = 1024    // sessions recorded at once; each holds a descriptor
	maxTapeBytes = 8 << 20 // of one session
	maxTapesHeld = 2 << 30 // of all, since the process began
	maxTapeFiles = 100_000
	tapeQueue    = 4096 // lines that wait to be written
	mostEarly    = 4096 // lines of one session that came before one ahead of them
)

// Tapes records sessions as captures, a file for each: DIR/SESSION.jsonl.
//
// One goroutine writes. A session never waits for it: what does not fit into the queue
// ends the recording of its session, and that is all.
type Tapes struct {
	dir  string
	warn func(text string, args ...any)

	// queue has room for tapeQueue lines and the ends of all tapes, so that nobody ever
	// waits who puts something in.
	queue chan entry
	ended sync.WaitGroup

	mu      sync.Mutex
	open    int // tapes that have not ended
	waiting int // lines in the queue
	files   int
	written int64
	warned  map[string]bool
}

// entry is a line of a tape to be written, or its end.
type entry struct {
	tape *Tape
	line []byte // nil ends the tape
}

// NewTapes records into a directory, which it makes. Warn is told, once for each reason,
// why a session is not recorded, or not to its end. Tapes must be closed.
func NewTapes(dir string, warn func(text string, args ...any)) (*Tapes, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("record sessions: %w", err)
	}
	t := &Tapes{dir: dir, warn: warn, warned: map[string]bool{}, queue: make(chan entry, tapeQueue+maxTapes)}
	t.ended.Go(t.write)
	return t, nil
}

// Close writes what waits and ends. Nothing is recorded any more: all tapes are closed.
func (t *Tapes) Close() {
	close(t.queue)
	t.ended.Wait()
}

// Tape records one session. Its methods may be called from any goroutine.
type Tape struct {
	all    *Tapes
	policy func() *policy.Policy
	head   Head

	mu           sync.Mutex
	over, closed bool // nothing more is recorded
	size         int
	last         int            // line that was recorded
	early        map[int][]byte // lines that came before one ahead of them
	// passwords are the miner's, in the ways in which they may stand in JSON: a rule may
	// have put them into something else. Policies are those that the session was under:
	// what an earlier one has made of its secrets may be in use still.
	passwords []string
	policies  []*policy.Policy

	// These belong to the goroutine that writes.
	file   *os.File
	broken bool
}

// Begin starts the recording of a session, or gives nil if there is no room for it. The
// policy is the one that the session is under at the time, whose secrets are left out.
// There is a file once the session has said something.
func (t *Tapes) Begin(h Head, policy func() *policy.Policy) *Tape {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open >= maxTapes || t.files >= maxTapeFiles || t.written >= maxTapesHeld {
		t.say("sessions are not recorded", "there are too many, or too much is recorded already")
		return nil
	}
	t.open++
	h.Version, h.Type, h.Policy = 1, "session", policy().Hash
	return &Tape{all: t, policy: policy, head: h, early: map[int][]byte{}}
}

func (t *Tapes) tell(what, why string) {
	t.mu.Lock()
	t.say(what, why)
	t.mu.Unlock()
}

func (t *Tapes) say(what, why string) {
	if !t.warned[what] {
		t.warned[what] = true
		t.warn(what, "because", why)
	}
}

// Line records a line that came in, from the miner or from its pool, and the lines that
// it gave rise to, all with their ends. The bytes are the caller's again when it returns.
// Lines are recorded in the order of their numbers, which begin with 1.
func (t *Tape) Line(number int, fromMiner bool, at time.Time, line, pool, miner []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	l := Line{MS: float64(at.Sub(t.head.Opened).Microseconds()) / 1000, From: FromPool}
	if fromMiner {
		l.From = FromMiner
		t.notePasswords(line)
	}
	if t.over {
		return
	}
	l.Pool, l.Miner = t.kept(pool, true), t.kept(miner, false)
	if list := t.kept(line, fromMiner); len(list) > 0 {
		l.Text = list[0]
	}
	if len(t.early) > mostEarly { // one ahead of them is never told of
		t.over, t.early = true, nil
		return
	}
	t.early[number] = append(encode(l), '\n')
	for next := t.early[t.last+1]; next != nil && !t.over; next = t.early[t.last+1] {
		t.last++
		delete(t.early, t.last)
		t.record(next)
	}
}

// Bounds of the passwords that are looked for: a shorter one would be found in every
// second word.
const (
	shortPassword = 4
	maxPasswords  = 48 // each in up to three ways
)

// notePasswords notes the passwords of a line of the miner. One that has more of them than
// any miner is recorded no further.
func (t *Tape) notePasswords(line []byte) {
	for _, password := range passwords(line) {
		if len(password) < shortPassword || slices.Contains(t.passwords, password) {
			continue
		}
		t.passwords = append(t.passwords, password)
		t.over = t.over || len(t.passwords) > maxPasswords
	}
}

// kept gives lines as they are recorded.
func (t *Tape) kept(lines []byte, miners bool) []string {
	if p := t.policy(); !slices.Contains(t.policies, p) {
		t.policies = append(t.policies, p)
	}
	list := texts(lines)
	for i := range list {
		if miners {
			list[i] = string(withoutPassword([]byte(list[i])))
		}
		for _, p := range t.policies {
			list[i] = p.Redact(list[i])
		}
		for _, password := range t.passwords {
			list[i] = strings.ReplaceAll(list[i], password, "(redacted)")
		}
	}
	return list
}

// record hands a line over to be written, or ends the recording where it cannot, or is
// enough. The tape is locked.
func (t *Tape) record(line []byte) {
	first := t.size == 0
	if first {
		line = append(append(encode(t.head), '\n'), line...)
	}
	t.size += len(line)
	why := ""
	if t.size > maxTapeBytes || len(line) > maxCaptureLine {
		why = "it is too long"
	} else {
		why = t.all.count(len(line), first)
	}
	if why != "" {
		t.all.tell("the recording of a session ends before it does", why)
		t.over = true
		return
	}
	t.all.queue <- entry{t, line}
}

// count counts a line that is to be written, or says why there is no room for it.
func (t *Tapes) count(bytes int, file bool) (why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.waiting == tapeQueue:
		return "the disk is too slow"
	case t.written+int64(bytes) > maxTapesHeld:
		return "too much is recorded already"
	}
	t.waiting++
	t.written += int64(bytes)
	if file {
		t.files++
	}
	return ""
}

// left counts what has left the queue: a line, or a tape that ends.
func (t *Tapes) left(lines, tapes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting -= lines
	t.open -= tapes
}

// Close ends the recording.
func (t *Tape) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.over, t.closed = true, true
		t.all.queue <- entry{tape: t}
	}
}

// write writes what is recorded.
func (t *Tapes) write() {
	for e := range t.queue {
		if e.line == nil {
			e.tape.end()
			t.left(0, 1)
			continue
		}
		if err := e.tape.save(e.line); err != nil {
			t.tell("the recording of a session ends before it does", err.Error())
			e.tape.broken = true
		}
		t.left(1, 0)
	}
}

// save writes a line, the first of which makes the file.
func (t *Tape) save(line []byte) (err error) {
	if t.broken {
		return nil
	}
	if t.file == nil {
		name := filepath.Join(t.all.dir, t.head.Session+".jsonl")
		if t.file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640); err != nil {
			return err
		}
	}
	_, err = t.file.Write(line)
	return err
}

func (t *Tape) end() {
	if t.file != nil {
		_ = t.file.Close()
		t.file = nil
	}
}

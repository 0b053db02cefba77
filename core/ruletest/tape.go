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
)

// Tapes records sessions as captures, a file for each: DIR/SESSION.jsonl.
type Tapes struct {
	dir  string
	warn func(text string, args ...any)

	mu      sync.Mutex
	open    int
	written int64
	warned  map[string]bool
}

// NewTapes records into a directory, which it makes. Warn is told, once for each reason,
// why a session is not recorded, or not to its end; it is called while a session waits.
func NewTapes(dir string, warn func(text string, args ...any)) (*Tapes, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("record sessions: %w", err)
	}
	return &Tapes{dir: dir, warn: warn, warned: map[string]bool{}}, nil
}

// Tape records one session. Its methods may be called from
// any goroutine.
type Tape struct {
	all    *Tapes
	policy func() *policy.Policy

	mu      sync.Mutex
	file    *os.File
	opened  time.Time
	written int
	// passwords are the miner's, as they stand in JSON: a rule may have put them into
	// something else.
	passwords []string
}

// Begin starts the recording of a session, or gives nil if there is no room for it. The
// policy is the one that the session is under at the time, whose secrets are left out.
func (t *Tapes) Begin(h Head, policy func() *policy.Policy) *Tape {
	if !t.take() {
		return nil
	}
	h.Version, h.Type, h.Policy = 1, "session", policy().Hash
	file, err := os.OpenFile(filepath.Join(t.dir, h.Session+".jsonl"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		t.give()
		t.tell("a session is not recorded", err.Error())
		return nil
	}
	tape := &Tape{all: t, policy: policy, file: file, opened: h.Opened}
	tape.write(append(encode(h), '\n'))
	return tape
}

func (t *Tapes) take() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open < maxTapes && t.written < maxTapesHeld {
		t.open++
		return true
	}
	t.say("sessions are not recorded", "there are too many, or too much is recorded already")
	return false
}

func (t *Tapes) give() {
	t.mu.Lock()
	t.open--
	t.mu.Unlock()
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
func (t *Tape) Line(fromMiner bool, at time.Time, line, pool, miner []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return
	}
	l := Line{MS: float64(at.Sub(t.opened).Microseconds()) / 1000, From: FromPool}
	if fromMiner {
		l.From = FromMiner
		t.notePasswords(line)
	}
	l.Pool, l.Miner = t.kept(pool, true), t.kept(miner, false)
	if list := t.kept(line, fromMiner); len(list) > 0 {
		l.Text = list[0]
	}
	t.write(append(encode(l), '\n'))
}

// Bounds of the passwords that are looked for: a shorter one would be found in every
// second word.
const (
	shortPassword = 4
	maxPasswords  = 16
)

func (t *Tape) notePasswords(line []byte) {
	for _, password := range passwords(line) {
		if len(password) >= shortPassword && len(t.passwords) < maxPasswords && !slices.Contains(t.passwords, password) {
			t.passwords = append(t.passwords, password)
		}
	}
}

// kept gives lines as they are recorded.
func (t *Tape) kept(lines []byte, miners bool) []string {
	list := kept(t.policy(), lines, miners)
	for i := range list {
		for _, password := range t.passwords {
			list[i] = strings.ReplaceAll(list[i], password, "(redacted)")
		}
	}
	return list
}

// write writes a line, or ends the recording where it cannot, or is enough.
func (t *Tape) write(line []byte) {
	t.written += len(line)
	t.all.mu.Lock()
	t.all.written += int64(len(line))
	t.all.mu.Unlock()
	if t.written > maxTapeBytes {
		t.all.tell("the recording of a session ends before it does", "it is too long")
		t.end()
		return
	}
	if _, err := t.file.Write(line); err != nil {
		t.all.tell("the recording of a session ends before it does", err.Error())
		t.end()
	}
}

// Close ends the recording.
func (t *Tape) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end()
}

func (t *Tape) end() {
	if t.file != nil {
		_ = t.file.Close()
		t.file = nil
		t.all.give()
	}
}

package ruletest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Capture is a recorded session: who it was, and each line that came in, from either
// side, with the lines that it gave rise to.
//
// Its file has one JSON object per line. The first is the head, the others are lines:
//
//	{"v":1,"type":"session","proxy":"proxy.farm","listener":":3333","session":"5f…","client":{"ip":"10.1.2.3","port":4028},"opened":"2026-01-01T00:00:00Z"}
//	{"ms":0.4,"from":"miner","line":"{\"id\":1,…}","pool":["{\"id\":1,…}"]}
//
// There are no passwords in it, and none of the values that the policy calls sensitive.
type Capture struct {
	Head
	Lines []Line
}

// Head says whose session a capture is.
type Head struct {
	Version  int           `json:"v"`
	Type     string        `json:"type"`
	Proxy    string        `json:"proxy"`
	Listener string        `json:"listener,omitempty"`
	Session  string        `json:"session"`
	Client   CaptureClient `json:"client"`
	Opened   time.Time     `json:"opened"`
	// Policy is the hash of the policy that was in force.
	Policy string `json:"policy,omitempty"`
}

// CaptureClient is the miner of a capture.
type CaptureClient struct {
	IP    string `json:"ip"`
	Port  int    `json:"port"`
	Agent string `json:"agent,omitempty"`
}

// The sides that a line can come from.
const (
	FromMiner = "miner"
	FromPool  = "pool"
)

// Line is one line of a session, without its end, and what it gave rise to.
type Line struct {
	// MS is when it came, in milliseconds since the session was opened.
	MS   float64 `json:"ms"`
	From string  `json:"from"`
	Text string  `json:"line"`
	// Pool and Miner are the lines that went to each side.
	Pool  []string `json:"pool,omitempty"`
	Miner []string `json:"miner,omitempty"`
}

// Bounds of a capture that is read.
const (
	maxCaptureBytes = 64 << 20
	maxCaptureLine  = 2 << 20
	maxCaptureMS    = 1e12
)

// ReadCapture reads a capture file.
func ReadCapture(name string) (*Capture, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the capture: %w", err)
	}
	defer f.Close()
	c, err := DecodeCapture(f)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", name, err)
	}
	return c, nil
}

// DecodeCapture reads a capture. An error begins with the number of the line that it is
// about.
func DecodeCapture(r io.Reader) (*Capture, error) {
	lines := bufio.NewScanner(io.LimitReader(r, maxCaptureBytes))
	lines.Buffer(nil, maxCaptureLine)
	var c Capture
	var broken error // of a line that may be the last one, cut off
	n := 0
	for lines.Scan() {
		n++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if broken != nil {
			return nil, broken
		}
		if err := c.decode(lines.Bytes()); err != nil {
			broken = fmt.Errorf("%d: %w", n, err)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("%d: the line is longer than %d bytes", n+1, maxCaptureLine)
	case err != nil:
		return nil, fmt.Errorf("%d: %w", n+1, err)
	case broken != nil && !errors.Is(broken, errCut):
		return nil, broken
	case c.Version == 0:
		return nil, errors.New("1: there is nothing in it")
	}
	return &c, nil
}

func (c *Capture) decode(text []byte) error {
	if c.Version == 0 {
		if err := strictly(text, &c.Head); err != nil {
			return fmt.Errorf("not the head of a capture: %w", err)
		}
		if c.Version != 1 || c.Type != "session" {
			c.Version = 0
			return errors.New(`not the head of a capture, which has "v":1 and "type":"session"`)
		}
		return nil
	}
	var line Line
	if err := strictly(text, &line); err != nil {
		return fmt.Errorf("not a line of a capture: %w", err)
	}
	switch {
	case line.From != FromMiner && line.From != FromPool:
		return fmt.Errorf(`"from" is "miner" or "pool", not %q`, line.From)
	case line.MS < 0 || line.MS > maxCaptureMS:
		return errors.New(`"ms" is out of range`)
	case strings.Contains(line.Text, "\n"):
		return errors.New("a line has a line break in it")
	}
	c.Lines = append(c.Lines, line)
	return nil
}

// errCut says that a line ends in its middle, as the last one does after a power cut.
var errCut = errors.New("unexpected EOF")

// strictly decodes JSON that must have no other fields than v.
func strictly(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errCut
	case errors.As(err, &kind):
		return fmt.Errorf("%q has the wrong type", kind.Field)
	case err != nil:
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	case dec.More():
		return errors.New("there is more on the line")
	}
	return nil
}

// Encode writes a capture as it is kept in a file.
func (c *Capture) Encode() []byte {
	var b bytes.Buffer
	b.Write(encode(c.Head))
	b.WriteByte('\n')
	for _, line := range c.Lines {
		b.Write(encode(line))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Captures lists the capture files of a directory with what is below it, or the one file
// that is named.
func Captures(path string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(path, func(name string, entry os.DirEntry, err error) error {
		if err == nil && (entry.Type().IsRegular() || name == path && !entry.IsDir()) && (name == path || filepath.Ext(name) == ".jsonl") {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for captures: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// texts splits lines, without their ends. What is no text becomes one.
func texts(lines []byte) (list []string) {
	for line := range bytes.Lines(lines) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		if !utf8.Valid(line) {
			line = bytes.ToValidUTF8(line, []byte("\uFFFD"))
		}
		list = append(list, string(line))
	}
	return list
}

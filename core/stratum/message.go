package stratum

import (
	"bytes"
	"errors"
	"math"
	"unicode/utf8"
)

// MaxDepth is how deeply a line may nest, its own object included. No Stratum message goes beyond five.
const MaxDepth = 64

// The errors of Scan. They are fixed values, so that a stream of bad lines allocates nothing.
var (
	ErrNotObject = errors.New("not a JSON object")
	ErrSyntax    = errors.New("not valid JSON")
	ErrDepth     = errors.New("nested too deeply")
	ErrTooLong   = errors.New("line too long")
)

// Span is a half-open byte range of a line; the zero Span means that the part is absent.
type Span struct{ From, To int32 }

// Present says whether the part is there at all; a JSON null is.
func (s Span) Present() bool { return s.To > s.From }

// Len is the number of bytes of the part.
func (s Span) Len() int { return int(s.To - s.From) }

// Of returns the bytes of the part, which belong to line; nil if the part is absent.
func (s Span) Of(line []byte) []byte {
	if !s.Present() {
		return nil
	}
	return line[s.From:s.To:s.To]
}

// Message holds where the parts of one line are. Each span is a raw JSON value, strings with their quotes.
type Message struct {
	ID, Method, Params, Result, Error Span

	// RejectReason is the value of "reject-reason", in which ckpool says why it refused a share.
	RejectReason Span

	// Ambiguous says that another program could read the line in another way: id, method or params occurs twice,
	// a key equals one of them but for case folding or for what follows a NUL, or a key is not valid UTF-8.
	Ambiguous bool
}

// Scan finds the parts of one line without its '\n'. It accepts exactly what [encoding/json.Valid] accepts, if that
// is an object nested no deeper than MaxDepth. Of equal keys the last one wins, as with most decoders. It does not
// allocate; after an error m is empty.
func Scan(line []byte, m *Message) error {
	*m = Message{}
	if len(line) > math.MaxInt32 {
		return ErrTooLong
	}
	i := skipSpace(line, 0)
	if i == len(line) || line[i] != '{' {
		return ErrNotObject
	}
	i = m.members(line, i+1)
	if i >= 0 && skipSpace(line, i) == len(line) {
		return nil
	}
	*m = Message{}
	if i == tooDeep {
		return ErrDepth
	}
	return ErrSyntax
}

// members reads the members of the top-level object, whose brace is behind i, and returns the index behind its end.
func (m *Message) members(line []byte, i int) int {
	i = skipSpace(line, i)
	if i < len(line) && line[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(line) || line[i] != '"' {
			return malformed
		}
		from := i + 1
		to := skipPlain(line, from)
		escaped := to < len(line) && line[to] != '"'
		if i = skipString(line, to); i < 0 {
			return i
		}
		key := line[from : i-1]
		if i = skipColon(line, i); i < 0 {
			return i
		}
		from = i
		if i = skipValue(line, i, 1); i < 0 {
			return i
		}
		if escaped {
			m.putEscaped(key, span(from, i))
		} else {
			m.put(key, span(from, i))
		}
		i = skipSpace(line, i)
		if i >= len(line) {
			return malformed
		}
		switch line[i] {
		case ',':
			i = skipSpace(line, i+1)
		case '}':
			return i + 1
		default:
			return malformed
		}
	}
}

func span(from, to int) Span { return Span{int32(from), int32(to)} }

// put notes the value of a key without escapes.
func (m *Message) put(key []byte, value Span) {
	switch string(key) {
	case "id":
		m.once(&m.ID, value)
	case "method":
		m.once(&m.Method, value)
	case "params":
		m.once(&m.Params, value)
	case "result":
		m.Result = value
	case "error":
		m.Error = value
	case "reject-reason":
		m.RejectReason = value
	default:
		// A decoder that leaves out what is not UTF-8 may find any key in such a one.
		m.Ambiguous = m.Ambiguous || foldsToName(key) || !utf8.Valid(key)
	}
}

func (m *Message) once(part *Span, value Span) {
	m.Ambiguous = m.Ambiguous || part.Present()
	*part = value
}

// putEscaped notes the value of a key that is written with escapes: "meth\u006fd" is method for every decoder.
func (m *Message) putEscaped(key []byte, value Span) {
	var room [keyRoom]byte
	name, nul := decodeKey(room[:0], key)
	m.Ambiguous = m.Ambiguous || !utf8.Valid(key)
	if !nul {
		m.put(name, value)
		return
	}
	// Decoders with C strings end the key here, so they may see method where others see a longer key.
	m.Ambiguous = m.Ambiguous || foldsToName(name)
}

var (
	nameID     = []byte("id")
	nameMethod = []byte("method")
	nameParams = []byte("params")
)

// foldsToName says whether a decoder that folds case, such as Go's, takes the key for id, method or params. In UTF-8
// "param\u017f" has 7 bytes; no other letter of the three names has a fold outside ASCII.
func foldsToName(key []byte) bool {
	switch len(key) {
	case 2:
		return bytes.EqualFold(key, nameID)
	case 6, 7:
		return bytes.EqualFold(key, nameMethod) || bytes.EqualFold(key, nameParams)
	}
	return false
}

package stratum

import (
	"bytes"
	"strconv"
)

// The codes of a Stratum error, on which all pools agree.
const (
	CodeOther         = 20
	CodeStale         = 21 // also: job not found
	CodeDuplicate     = 22
	CodeLowDifficulty = 23
	CodeUnauthorized  = 24
	CodeNotSubscribed = 25
)

// The reasons for which a share is rejected.
const (
	ReasonStale         = "stale"
	ReasonDuplicate     = "duplicate"
	ReasonLowDifficulty = "low_difficulty"
	ReasonUnauthorized  = "unauthorized"
	ReasonNotSubscribed = "not_subscribed"
	ReasonOther         = "other"
)

// ReasonOf gives the reason that a code stands for.
func ReasonOf(code int) string {
	switch code {
	case CodeStale:
		return ReasonStale
	case CodeDuplicate:
		return ReasonDuplicate
	case CodeLowDifficulty:
		return ReasonLowDifficulty
	case CodeUnauthorized:
		return ReasonUnauthorized
	case CodeNotSubscribed:
		return ReasonNotSubscribed
	}
	return ReasonOther
}

// AppendReply appends a reply as one line with its '\n'. The arguments are raw JSON; an empty one is null.
func AppendReply(dst, id, result, err []byte) []byte {
	dst = appendRaw(append(dst, `{"id":`...), id)
	dst = appendRaw(append(dst, `,"result":`...), result)
	dst = appendRaw(append(dst, `,"error":`...), err)
	return append(dst, "}\n"...)
}

// AppendErrorReply appends a reply with an error in the form that most pools use, [code, message, null].
func AppendErrorReply(dst, id []byte, code int, message string) []byte {
	dst = appendRaw(append(dst, `{"id":`...), id)
	dst = append(dst, `,"result":null,"error":[`...)
	dst = append(strconv.AppendInt(dst, int64(code), 10), ',')
	return append(AppendString(dst, message), ",null]}\n"...)
}

func appendRaw(dst, raw []byte) []byte {
	if len(raw) == 0 {
		return append(dst, "null"...)
	}
	return append(dst, raw...)
}

// Accepted says whether a reply to a submit accepts the share: its result is true. Everything else is a rejection,
// whatever its error says.
func Accepted(line []byte, m *Message) bool {
	return string(m.Result.Of(line)) == "true"
}

// Reason gives the reason of a rejected share, one of the constants above. It understands [code, message, …], an
// error object, an error string, and ckpool's reject-reason.
func Reason(line []byte, m *Message) string {
	if reason := reasonOfError(line, m.Error); reason != ReasonOther {
		return reason
	}
	return reasonOfText(m.RejectReason.Of(line))
}

func reasonOfError(line []byte, err Span) string {
	if !err.Present() {
		return ReasonOther
	}
	var code, message Span
	switch line[err.From] {
	case '"':
		message = err
	case '[':
		at, _ := elements(line, err)
		code, message = at[0], at[1]
	case '{':
		code, message = Member(line, err, "code"), Member(line, err, "message")
	}
	if raw := code.Of(line); raw != nil {
		if n, ok := integer(raw); ok && ReasonOf(int(n)) != ReasonOther {
			return ReasonOf(int(n))
		}
	}
	return reasonOfText(message.Of(line))
}

// reasonWords are found in the words of pools: those of ckpool (stratifier.c), of the DATUM gateway, and what the
// codes are usually called. The first that occurs decides.
var reasonWords = []struct {
	word   []byte
	reason string
}{
	{[]byte("stale"), ReasonStale},
	{[]byte("job not found"), ReasonStale},
	{[]byte("invalid job"), ReasonStale}, // ckpool: "Invalid JobID"
	{[]byte("unknown job"), ReasonStale},
	{[]byte("unknown-work"), ReasonStale},
	{[]byte("duplicate"), ReasonDuplicate},
	{[]byte("above target"), ReasonLowDifficulty}, // ckpool: the hash is
	{[]byte("high-hash"), ReasonLowDifficulty},
	{[]byte("high hash"), ReasonLowDifficulty},
	{[]byte("h-not-zero"), ReasonLowDifficulty},
	{[]byte("low diff"), ReasonLowDifficulty},
	{[]byte("low-diff"), ReasonLowDifficulty},
	{[]byte("difficulty too low"), ReasonLowDifficulty},
	{[]byte("unauthori"), ReasonUnauthorized},
	{[]byte("not authori"), ReasonUnauthorized},
	{[]byte("worker mismatch"), ReasonUnauthorized}, // ckpool: not the name that was authorised
	{[]byte("not subscribed"), ReasonNotSubscribed},
	{[]byte("unsubscribed"), ReasonNotSubscribed},
}

// reasonOfText looks at the start of a text only: a pool may put a whole traceback there.
func reasonOfText(raw []byte) string {
	var room [96]byte
	lower := room[:min(len(raw), len(room))]
	for i := range lower {
		lower[i] = raw[i]
		if 'A' <= raw[i] && raw[i] <= 'Z' {
			lower[i] |= 0x20
		}
	}
	for _, w := range reasonWords {
		if bytes.Contains(lower, w.word) {
			return w.reason
		}
	}
	return ReasonOther
}

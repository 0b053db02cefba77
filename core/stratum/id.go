package stratum

import (
	"bytes"
	"math"
	"strconv"
)

// ID is a comparable key of the value of an id. Equal JSON values have equal keys, however they are written: 7, 7.0
// and 70e-1; "auth" and "\u0061uth". The zero ID is that of a null or absent id.
type ID struct {
	kind    idKind
	integer int64
	text    string
}

type idKind uint8

const (
	idNull idKind = iota
	idInteger
	idNumber // any other number, in one normal form
	idString
	idOther // true, false, arrays, objects, and strings that are not valid Unicode
)

// IDOf returns the key of a raw id. It does not allocate for an integer that fits 64 bits.
func IDOf(raw []byte) ID {
	if len(raw) == 0 {
		return ID{}
	}
	switch c := raw[0]; {
	case c == 'n':
		return ID{}
	case c == '"':
		if text, err := Text(raw); err == nil {
			return ID{kind: idString, text: text}
		}
		return ID{kind: idOther, text: string(raw)}
	case c == '-' || '0' <= c && c <= '9':
		return numberID(raw)
	}
	return otherID(raw)
}

// IntegerID is the key of an integer.
func IntegerID(n int64) ID { return ID{kind: idInteger, integer: n} }

// IsNull says that the id is null or absent: nobody waits for a reply.
func (id ID) IsNull() bool { return id.kind == idNull }

// String describes the id for logs.
func (id ID) String() string {
	switch id.kind {
	case idNull:
		return "null"
	case idInteger:
		return strconv.FormatInt(id.integer, 10)
	case idString:
		return strconv.Quote(id.text)
	}
	return id.text
}

// otherID goes through Decode, so that white space and the order of keys do not matter.
func otherID(raw []byte) ID {
	if v, err := Decode(raw); err == nil {
		if text, err := Append(nil, v); err == nil {
			return ID{kind: idOther, text: string(text)}
		}
	}
	return ID{kind: idOther, text: string(raw)}
}

// numberID normalises a number exactly, without going through a float: 2^53 and 2^53+1 are different ids.
func numberID(raw []byte) ID {
	if n, ok := integer(raw); ok {
		return IntegerID(n)
	}
	negative := raw[0] == '-'
	digits := bytes.TrimPrefix(raw, []byte("-"))
	exponent := 0
	if i := bytes.IndexAny(digits, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.Atoi(string(digits[i+1:])); err != nil || exponent > math.MaxInt32 || exponent < math.MinInt32 {
			return ID{kind: idOther, text: string(raw)} // nobody means such a number
		}
		digits = digits[:i]
	}
	whole, fraction, _ := bytes.Cut(digits, []byte("."))
	exponent -= len(fraction)
	all := append(append(make([]byte, 0, len(digits)+20), whole...), fraction...)
	all = bytes.TrimLeft(all, "0")
	trimmed := bytes.TrimRight(all, "0")
	exponent += len(all) - len(trimmed)
	if len(trimmed) == 0 {
		return IntegerID(0)
	}
	return normalID(negative, trimmed, exponent)
}

// normalID makes the key of digits × 10^exponent, where digits neither starts nor ends with a zero.
func normalID(negative bool, digits []byte, exponent int) ID {
	text := make([]byte, 0, len(digits)+24)
	if negative {
		text = append(text, '-')
	}
	text = append(text, digits...)
	if exponent >= 0 && len(digits)+exponent <= 19 {
		zeroes := append(text, "0000000000000000000"[:exponent]...)
		if n, ok := integer(zeroes); ok {
			return IntegerID(n)
		}
	}
	text = append(text, 'e')
	return ID{kind: idNumber, text: string(strconv.AppendInt(text, int64(exponent), 10))}
}

// integer reads an integer literal; it does not fit if it is not one or has more than 64 bits.
func integer(raw []byte) (n int64, ok bool) {
	negative := raw[0] == '-'
	digits := raw
	if negative {
		digits = raw[1:]
	}
	if len(digits) == 0 {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' || n < (math.MinInt64+int64(c-'0'))/10 {
			return 0, false
		}
		n = n*10 - int64(c-'0') // downwards, since the range is longer there
	}
	if negative {
		return n, true
	}
	return -n, n != math.MinInt64
}

// AppendJSON appends the id as JSON text: the value, not how it was written.
func (id ID) AppendJSON(dst []byte) []byte {
	switch id.kind {
	case idNull:
		return append(dst, "null"...)
	case idInteger:
		return strconv.AppendInt(dst, id.integer, 10)
	case idString:
		return AppendString(dst, id.text)
	}
	return append(dst, id.text...)
}

// Spells reports whether AppendJSON gives back a raw id to the byte.
func (id ID) Spells(raw []byte) bool {
	var room [64]byte
	return bytes.Equal(id.AppendJSON(room[:0]), raw)
}

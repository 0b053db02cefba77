package stratum

import (
	"bytes"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// The errors of Text and Decode. Decoders differ on what such text means, so nothing may be decided on it.
var (
	ErrNotString = errors.New("not a JSON string")
	ErrUTF8      = errors.New("not valid UTF-8")
	ErrSurrogate = errors.New("half of a surrogate pair")
	ErrNUL       = errors.New("a NUL in a text") // where decoders in C end it
)

// Text decodes one JSON string. It fails for any other value, for invalid UTF-8, for half a surrogate pair and for
// a NUL.
func Text(raw []byte) (string, error) {
	inner, plain, err := content(raw)
	if err != nil {
		return "", err
	}
	if plain {
		return string(inner), nil
	}
	text, err := appendUnescaped(make([]byte, 0, len(inner)), inner)
	return string(text), err
}

// AppendDecoded is Text for callers that have a buffer. After an error dst is as it was.
func AppendDecoded(dst, raw []byte) ([]byte, error) {
	inner, plain, err := content(raw)
	if err != nil {
		return dst, err
	}
	if plain {
		return append(dst, inner...), nil
	}
	text, err := appendUnescaped(dst, inner)
	if err != nil {
		return dst, err
	}
	return text, nil
}

// content returns what is between the quotes, and whether it stands for itself.
func content(raw []byte) (inner []byte, plain bool, err error) {
	if len(raw) < 2 || raw[0] != '"' || skipString(raw, 1) != len(raw) {
		return nil, false, ErrNotString
	}
	inner = raw[1 : len(raw)-1]
	if !utf8.Valid(inner) {
		return nil, false, ErrUTF8
	}
	return inner, bytes.IndexByte(inner, '\\') < 0, nil
}

func appendUnescaped(dst, inner []byte) ([]byte, error) {
	for {
		i := bytes.IndexByte(inner, '\\')
		if i < 0 {
			return append(dst, inner...), nil
		}
		dst = append(dst, inner[:i]...)
		r, size, ok := unescape(inner[i:])
		switch {
		case !ok:
			return nil, ErrSurrogate
		case r == 0:
			return nil, ErrNUL
		}
		dst = utf8.AppendRune(dst, r)
		inner = inner[i+size:]
	}
}

// unescape decodes the escape at the start of b, whose syntax is known to be right, and returns its length. Half a
// surrogate pair is not ok and gives U+FFFD, as it does in encoding/json.
func unescape(b []byte) (r rune, size int, ok bool) {
	switch b[1] {
	case 'u':
		return unescapeUnicode(b)
	case 'b':
		return '\b', 2, true
	case 'f':
		return '\f', 2, true
	case 'n':
		return '\n', 2, true
	case 'r':
		return '\r', 2, true
	case 't':
		return '\t', 2, true
	}
	return rune(b[1]), 2, true
}

func unescapeUnicode(b []byte) (r rune, size int, ok bool) {
	r = hex4(b[2:6])
	if !utf16.IsSurrogate(r) {
		return r, 6, true
	}
	if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
		if pair := utf16.DecodeRune(r, hex4(b[8:12])); pair != utf8.RuneError {
			return pair, 12, true
		}
	}
	return utf8.RuneError, 6, false
}

func hex4(digits []byte) (r rune) {
	for _, c := range digits {
		r = r<<4 | rune(hexValue(c))
	}
	return r
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// keyRoom holds the longest key that matters, "reject-reason", and one more character.
const keyRoom = 24

// decodeKey appends a key that has escapes to dst, as far as it matters: up to a NUL, or until it is longer than any
// key that is looked for. dst has keyRoom.
func decodeKey(dst, key []byte) (name []byte, nul bool) {
	for len(key) > 0 && len(dst)+utf8.UTFMax <= keyRoom {
		r, size := rune(key[0]), 1
		switch {
		case r == '\\':
			r, size, _ = unescape(key)
		case r >= utf8.RuneSelf:
			r, size = utf8.DecodeRune(key)
		}
		if r == 0 {
			return dst, true
		}
		dst = utf8.AppendRune(dst, r)
		key = key[size:]
	}
	return dst, false
}

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string. Only what must be escaped is; bytes that are not UTF-8 become U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		from := i
		for i < len(s) && s[i] >= ' ' && s[i] != '"' && s[i] != '\\' && s[i] < utf8.RuneSelf {
			i++
		}
		dst = append(dst, s[from:i]...)
		if i == len(s) {
			break
		}
		if s[i] < utf8.RuneSelf {
			dst = appendEscaped(dst, s[i])
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		dst = utf8.AppendRune(dst, r)
		i += size
	}
	return append(dst, '"')
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

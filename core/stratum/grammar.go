package stratum

import (
	"encoding/binary"
	"math/bits"
)

// The functions of this file walk over JSON. Each takes the index at which something starts and returns the index
// behind it, or one of these.
const (
	malformed = -1
	tooDeep   = -2
)

// isSpace marks JSON's white space.
var isSpace = [256]bool{' ': true, '\t': true, '\r': true, '\n': true}

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace[b[i]] {
		i++
	}
	return i
}

// skipColon goes over the colon between a key and its value, with the white space around it.
func skipColon(b []byte, i int) int {
	i = skipSpace(b, i)
	if i >= len(b) || b[i] != ':' {
		return malformed
	}
	return skipSpace(b, i+1)
}

// skipValue goes over the value at i, which is inside depth containers.
func skipValue(b []byte, i, depth int) int {
	if i >= len(b) {
		return malformed
	}
	switch b[i] {
	case '"':
		return skipString(b, i+1)
	case '[':
		return skipArray(b, i+1, depth+1)
	case '{':
		return skipObject(b, i+1, depth+1)
	case 't':
		return skipLiteral(b, i, "true")
	case 'f':
		return skipLiteral(b, i, "false")
	case 'n':
		return skipLiteral(b, i, "null")
	}
	return skipNumber(b, i)
}

func skipLiteral(b []byte, i int, word string) int {
	end := i + len(word)
	if end > len(b) || string(b[i:end]) != word {
		return malformed
	}
	return end
}

// skipArray goes over the rest of an array whose bracket is behind it; depth counts the array itself.
func skipArray(b []byte, i, depth int) int {
	if depth > MaxDepth {
		return tooDeep
	}
	i = skipSpace(b, i)
	if i < len(b) && b[i] == ']' {
		return i + 1
	}
	for {
		if i = skipValue(b, i, depth); i < 0 {
			return i
		}
		i = skipSpace(b, i)
		if i >= len(b) {
			return malformed
		}
		switch b[i] {
		case ',':
			i = skipSpace(b, i+1)
		case ']':
			return i + 1
		default:
			return malformed
		}
	}
}

// skipObject goes over the rest of a nested object whose brace is behind it; depth counts the object itself.
func skipObject(b []byte, i, depth int) int {
	if depth > MaxDepth {
		return tooDeep
	}
	i = skipSpace(b, i)
	if i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return malformed
		}
		if i = skipString(b, i+1); i < 0 {
			return i
		}
		if i = skipColon(b, i); i < 0 {
			return i
		}
		if i = skipValue(b, i, depth); i < 0 {
			return i
		}
		i = skipSpace(b, i)
		if i >= len(b) {
			return malformed
		}
		switch b[i] {
		case ',':
			i = skipSpace(b, i+1)
		case '}':
			return i + 1
		default:
			return malformed
		}
	}
}

// skipString goes over the rest of a string, whose opening quote is behind it, and over its closing quote.
func skipString(b []byte, i int) int {
	for {
		i = skipPlain(b, i)
		if i >= len(b) {
			return malformed
		}
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			if i = skipEscape(b, i+1); i < 0 {
				return i
			}
		default:
			return malformed
		}
	}
}

// Masks with one value in each of eight bytes.
const (
	ones    = 0x0101010101010101
	highs   = 0x80 * ones
	quotes  = '"' * ones
	slashes = '\\' * ones
	spaces  = ' ' * ones
)

// skipPlain goes to the next byte that means something in a string: a quote, a backslash, or a control character.
// It looks at eight bytes at once; borrows can set bits only above the first true one, which is the one taken.
func skipPlain(b []byte, i int) int {
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^quotes, x^slashes
		found := ((quote - ones) &^ quote) | ((slash - ones) &^ slash) | ((x - spaces) &^ x)
		if found &= highs; found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= ' ' {
		i++
	}
	return i
}

// skipEscape goes over an escape whose backslash is behind it.
func skipEscape(b []byte, i int) int {
	if i >= len(b) {
		return malformed
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		if i+5 <= len(b) && isHex[b[i+1]] && isHex[b[i+2]] && isHex[b[i+3]] && isHex[b[i+4]] {
			return i + 5
		}
	}
	return malformed
}

// isHex marks the hexadecimal digits.
var isHex = func() (table [256]bool) {
	for _, c := range "0123456789abcdefABCDEF" {
		table[c] = true
	}
	return table
}()

// skipNumber goes over a number.
func skipNumber(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch {
	case i < len(b) && b[i] == '0':
		i++
	default:
		if i = skipDigits(b, i); i < 0 {
			return i
		}
	}
	if i < len(b) && b[i] == '.' {
		if i = skipDigits(b, i+1); i < 0 {
			return i
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		return skipDigits(b, i)
	}
	return i
}

// skipDigits goes over one digit or more.
func skipDigits(b []byte, i int) int {
	from := i
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	if i == from {
		return malformed
	}
	return i
}

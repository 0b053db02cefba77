package stratum

import "strconv"

// mostElements is how many params any known method has.
const mostElements = 9

// elements returns the first elements of an array and how many of them there are; none if it is not an array.
func elements(line []byte, array Span) (at [mostElements]Span, n int) {
	if !array.Present() || line[array.From] != '[' {
		return at, 0
	}
	for element, ok := first(line, array); ok && n < len(at); element, ok = next(line, element) {
		at[n] = element
		n++
	}
	return at, n
}

// optional is elements for params that may be absent or null.
func optional(line []byte, params Span) (at [mostElements]Span, ok bool) {
	if !params.Present() || line[params.From] == 'n' {
		return at, true
	}
	at, _ = elements(line, params)
	return at, line[params.From] == '['
}

// number reads a JSON number.
func number(raw []byte) (f float64, ok bool) {
	if len(raw) == 0 || skipNumber(raw, 0) != len(raw) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	return f, err == nil
}

// wholeNumber reads a small number that is not negative and has no fraction, however it is written: 8, or 8.0.
func wholeNumber(raw []byte) (n int, ok bool) {
	f, ok := number(raw)
	if !ok || f < 0 || f > 1<<20 || f != float64(int(f)) {
		return 0, false
	}
	return int(f), true
}

// hex32 reads a string of one to eight hex digits.
func hex32(raw []byte) (n uint32, ok bool) {
	var room [50]byte
	if len(raw) > 6*8+2 {
		return 0, false
	}
	digits, err := AppendDecoded(room[:0], raw)
	if err != nil || len(digits) < 1 || len(digits) > 8 {
		return 0, false
	}
	for _, c := range digits {
		if !isHex[c] {
			return 0, false
		}
		n = n<<4 | uint32(hexValue(c))
	}
	return n, true
}

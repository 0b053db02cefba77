package stratum

// Elements appends the spans of the elements of an array value to dst; false if it is not an array. The line has
// passed Scan. It does not allocate if dst has room.
func Elements(line []byte, array Span, dst []Span) ([]Span, bool) {
	return ElementsUpTo(line, array, dst, len(line))
}

// ElementsUpTo is Elements for the first most elements: a pool's line may have 100,000.
func ElementsUpTo(line []byte, array Span, dst []Span, most int) ([]Span, bool) {
	if !array.Present() || line[array.From] != '[' {
		return dst, false
	}
	for element, ok := first(line, array); ok && most > 0; element, ok = next(line, element) {
		dst = append(dst, element)
		most--
	}
	return dst, true
}

// Member returns the value of a key of an object value; absent if the value is not an object or has no such key. Of
// equal keys the last one wins. The line has passed Scan.
func Member(line []byte, object Span, name string) (value Span) {
	if !object.Present() || line[object.From] != '{' {
		return Span{}
	}
	for key, ok := first(line, object); ok; {
		v := valueOf(line, key)
		if Equal(key.Of(line), name) {
			value = v
		}
		key, ok = next(line, v)
	}
	return value
}

// Equal says whether raw is the JSON string for s, however it is written.
func Equal(raw []byte, s string) bool {
	if len(raw) == len(s)+2 && raw[0] == '"' && string(raw[1:len(raw)-1]) == s {
		return !hasEscape(s)
	}
	if len(raw) <= len(s)+2 || len(raw) > 6*len(s)+2 {
		return false // an escape only makes the text longer
	}
	var room [64]byte
	text, err := AppendDecoded(room[:0], raw)
	return err == nil && string(text) == s
}

func hasEscape(s string) bool {
	for i := range len(s) {
		if s[i] == '\\' {
			return true
		}
	}
	return false
}

// first returns the first element of an array, or the first key of an object, that is known to be valid JSON.
func first(line []byte, container Span) (Span, bool) {
	i := skipSpace(line, int(container.From)+1)
	if line[i] == ']' || line[i] == '}' {
		return Span{}, false
	}
	return span(i, skipValue(line, i, 0)), true
}

// next returns the element or the key behind a value of a container.
func next(line []byte, value Span) (Span, bool) {
	i := skipSpace(line, int(value.To))
	if line[i] != ',' {
		return Span{}, false
	}
	i = skipSpace(line, i+1)
	return span(i, skipValue(line, i, 0)), true
}

// valueOf returns the value behind a key.
func valueOf(line []byte, key Span) Span {
	i := skipColon(line, int(key.To))
	return span(i, skipValue(line, i, 0))
}

// FirstElement returns the first element of an array value, whatever comes behind it.
func FirstElement(line []byte, array Span) (Span, bool) {
	if !array.Present() || line[array.From] != '[' {
		return Span{}, false
	}
	return first(line, array)
}

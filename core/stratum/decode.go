package stratum

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// MaxDecodeDepth is how deeply a value that Decode takes may nest, and MaxElements how many elements its lists and
// objects may have in all. A pool's line could make far more than anyone wants to look at.
const (
	MaxDecodeDepth = 8
	MaxElements    = 1024
)

// More errors of Decode and Append.
var (
	ErrNumber    = errors.New("number out of range")
	ErrDuplicate = errors.New("duplicate key")
	ErrTooLarge  = errors.New("too many elements")
)

// Decode decodes one JSON value to a string, bool, nil, int (an integer literal that fits), float64, []any or
// map[string]any. It refuses what decoders read in different ways: see Text, and duplicate keys.
func Decode(raw []byte) (any, error) {
	left := MaxElements
	return DecodeWithin(raw, &left)
}

// DecodeWithin is Decode for several values that share a number of elements; it takes those of this one off.
func DecodeWithin(raw []byte, left *int) (any, error) {
	from := skipSpace(raw, 0)
	end := skipValue(raw, from, 0)
	if end < 0 || skipSpace(raw, end) != len(raw) {
		return nil, ErrSyntax
	}
	return decode(raw, span(from, end), 0, left)
}

func decode(line []byte, at Span, depth int, left *int) (any, error) {
	if depth > MaxDecodeDepth {
		return nil, ErrDepth
	}
	raw := at.Of(line)
	switch raw[0] {
	case '"':
		return Text(raw)
	case '[':
		return decodeArray(line, at, depth+1, left)
	case '{':
		return decodeObject(line, at, depth+1, left)
	case 't':
		return true, nil
	case 'f':
		return false, nil
	case 'n':
		return nil, nil
	}
	return decodeNumber(raw)
}

func decodeNumber(raw []byte) (any, error) {
	if n, ok := integer(raw); ok && int64(int(n)) == n {
		return int(n), nil
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return nil, ErrNumber
	}
	return f, nil
}

func decodeArray(line []byte, at Span, depth int, left *int) (any, error) {
	if depth > MaxDecodeDepth {
		return nil, ErrDepth
	}
	list := []any{}
	for element, ok := first(line, at); ok; element, ok = next(line, element) {
		if *left--; *left < 0 {
			return nil, ErrTooLarge
		}
		v, err := decode(line, element, depth, left)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func decodeObject(line []byte, at Span, depth int, left *int) (any, error) {
	if depth > MaxDecodeDepth {
		return nil, ErrDepth
	}
	object := map[string]any{}
	for key, ok := first(line, at); ok; {
		if *left--; *left < 0 {
			return nil, ErrTooLarge
		}
		name, err := Text(key.Of(line))
		if err != nil {
			return nil, err
		}
		if _, taken := object[name]; taken {
			return nil, ErrDuplicate
		}
		value := valueOf(line, key)
		if object[name], err = decode(line, value, depth, left); err != nil {
			return nil, err
		}
		key, ok = next(line, value)
	}
	return object, nil
}

// Append appends v, which is of the types that Decode gives, as JSON. Floats take their shortest form, and the keys
// of a map are sorted.
func Append(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case float64:
		return appendFloat(dst, v)
	case string:
		return AppendString(dst, v), nil
	case []any:
		return appendArray(dst, v)
	case map[string]any:
		return appendObject(dst, v)
	}
	return dst, fmt.Errorf("write a %T as JSON: no such JSON value", v)
}

// appendFloat writes difficulties of any usual size without an exponent, as pools do.
func appendFloat(dst []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, ErrNumber
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-9 || abs >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64), nil
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64), nil
}

func appendArray(dst []byte, list []any) (out []byte, err error) {
	out = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = Append(out, v); err != nil {
			return dst, err
		}
	}
	return append(out, ']'), nil
}

func appendObject(dst []byte, object map[string]any) (out []byte, err error) {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	out = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(AppendString(out, name), ':')
		if out, err = Append(out, object[name]); err != nil {
			return dst, err
		}
	}
	return append(out, '}'), nil
}

package rules

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/types"
)

// valueType is the type that a name has in expressions.
type valueType uint8

const (
	anyValue valueType = iota
	textValue
	numberValue
	wholeValue // a number without a fraction
	boolValue
	listValue
	mapValue
)

// Limits on what a rule may look at and build. A message beyond them fails the rule
// that looks at it, never the process.
const (
	textLimit    = 1 << 10  // bytes of a name's text, unless its entry says otherwise
	messageLimit = 16 << 10 // bytes of all texts in a list or map out of a message
	builtLimit   = 64 << 10 // bytes of what an expression builds
	elementLimit = 256      // elements of a list or map, nested ones included
	depthLimit   = 8        // of lists and maps in one another, out of a message
	paramLimit   = 64       // elements of params
)

// The zero values are boxed once: a missing parameter must not cost an allocation.
var zeroValues = [...]any{
	anyValue:    nil,
	textValue:   "",
	numberValue: 0,
	wholeValue:  0,
	boolValue:   false,
	listValue:   []any{},
	mapValue:    map[string]any{},
}

// String is the word for the type in the reference.
func (t valueType) String() string {
	return [...]string{"any", "string", "number", "int", "bool", "list", "map"}[t]
}

// phrase is the type as a message says it, with an article.
func (t valueType) phrase() string {
	return [...]string{"a value", "a string", "a number", "a whole number", "a bool", "a list", "a map"}[t]
}

// declared is the type as the expression language's checker wants it.
func (t valueType) declared() types.Type {
	switch t {
	case textValue:
		return types.String
	case numberValue:
		return types.Float64
	case wholeValue:
		return types.Int
	case boolValue:
		return types.Bool
	case listValue:
		return types.TypeOf([]any(nil))
	case mapValue:
		return types.TypeOf(map[string]any(nil))
	default:
		return types.Any
	}
}

// kindOf gives the type of a value as a message holds it.
func kindOf(v any) valueType {
	switch v.(type) {
	case string:
		return textValue
	case int:
		return wholeValue
	case float64:
		return numberValue
	case bool:
		return boolValue
	case []any:
		return listValue
	case map[string]any:
		return mapValue
	default:
		return anyValue
	}
}

// admits reports whether an expression of a static kind may give a value of type t.
// Whole numbers may come out of any number: whether it has a fraction shows at run time.
func (t valueType) admits(k reflect.Kind) bool {
	switch t {
	case textValue:
		return k == reflect.String
	case numberValue, wholeValue:
		return k == reflect.Int || k == reflect.Float64
	case boolValue:
		return k == reflect.Bool
	case listValue:
		return k == reflect.Slice || k == reflect.Array
	case mapValue:
		return k == reflect.Map
	default:
		return true
	}
}

// read gives the value of a name out of a message. A number may come as a text that
// holds one, as cpuminer-opt sends it. A second result that is not empty says why the
// value cannot be used.
func (t valueType) read(v any, limit int) (any, string) {
	if v == nil {
		return zeroValues[t], ""
	}
	switch t {
	case textValue:
		s, ok := v.(string)
		if !ok {
			return nil, "is " + phraseOf(v) + " here, not a string"
		}
		if len(s) > limit {
			return nil, "is longer than " + strconv.Itoa(limit) + " bytes"
		}
		return v, ""
	case numberValue, wholeValue:
		return t.readNumber(v)
	case boolValue:
		if _, ok := v.(bool); !ok {
			return nil, "is " + phraseOf(v) + " here, not a bool"
		}
		return v, ""
	}
	if why := t.refuses(v); why != "" {
		return nil, why
	}
	return v, tooLarge(v)
}

func (t valueType) readNumber(v any) (any, string) {
	if s, ok := v.(string); ok {
		n, ok := parseNumber(s)
		if !ok {
			return nil, "is a string here, not a number"
		}
		v = n
	}
	switch n := v.(type) {
	case int:
		return v, ""
	case float64:
		if t == numberValue {
			return v, ""
		}
		if whole, ok := toWhole(n); ok {
			return whole, ""
		}
		return nil, "has a fraction or is too large"
	}
	return nil, "is " + phraseOf(v) + " here, not a number"
}

// refuses says why a value is no list or map, where one is needed.
func (t valueType) refuses(v any) string {
	if t == listValue {
		if _, ok := v.([]any); !ok {
			return "is " + phraseOf(v) + " here, not a list"
		}
	}
	if t == mapValue {
		if _, ok := v.(map[string]any); !ok {
			return "is " + phraseOf(v) + " here, not a map"
		}
	}
	return ""
}

// parseNumber reads a decimal number and nothing else: no hexadecimal, no infinity.
func parseNumber(s string) (any, bool) {
	if s == "" || len(s) > 32 || strings.Trim(s, "0123456789+-.eE") != "" {
		return nil, false
	}
	if n, err := strconv.Atoi(s); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, false
	}
	return f, true
}

// toWhole turns a number without a fraction, and exact as a float, into an int.
func toWhole(f float64) (int, bool) {
	if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int(f), true
}

// toFloat gives a number as a float, for comparison.
func toFloat(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// write checks what an expression gave for a field of type t, and gives it in the form
// that a message holds. A second result that is not empty says what is wrong with it.
func (t valueType) write(v any) (any, string) {
	clean, why := sanitize(v, 0)
	if why != "" {
		return nil, why
	}
	switch t {
	case textValue:
		if _, ok := clean.(string); !ok {
			return nil, "This gave " + phraseOf(clean) + "; a string is needed."
		}
	case numberValue, wholeValue:
		return t.writeNumber(clean)
	case listValue:
		if _, ok := clean.([]any); !ok {
			return nil, "This gave " + phraseOf(clean) + "; a list is needed."
		}
	case mapValue:
		if _, ok := clean.(map[string]any); !ok {
			return nil, "This gave " + phraseOf(clean) + "; a map is needed."
		}
	case boolValue:
		if _, ok := clean.(bool); !ok {
			return nil, "This gave " + phraseOf(clean) + "; a bool is needed."
		}
	}
	return clean, ""
}

func (t valueType) writeNumber(v any) (any, string) {
	if _, ok := v.(int); ok {
		return v, ""
	}
	f, ok := v.(float64)
	if !ok {
		return nil, "This gave " + phraseOf(v) + "; a number is needed."
	}
	if n, whole := toWhole(f); whole {
		return n, ""
	}
	if t == wholeValue {
		return nil, "This gave a number with a fraction; a whole number is needed."
	}
	return v, ""
}

// sanitize copies a value into the shapes that a message holds. The copy matters: what
// an expression gave may share memory with the message or with constants of the policy.
func sanitize(v any, depth int) (any, string) {
	if depth > 2*depthLimit {
		return nil, "Lists and maps stand in one another too deeply."
	}
	switch x := v.(type) {
	case nil, bool, int:
		return v, ""
	case string:
		if !utf8.ValidString(x) {
			return nil, "This text is cut in the middle of a character."
		}
		return v, ""
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, "This is not a finite number; was something divided by zero?"
		}
		return v, ""
	}
	return sanitizeNested(reflect.ValueOf(v), depth)
}

func sanitizeNested(v reflect.Value, depth int) (any, string) {
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		list := make([]any, v.Len())
		for i := range list {
			item, why := sanitize(v.Index(i).Interface(), depth+1)
			if why != "" {
				return nil, why
			}
			list[i] = item
		}
		return list, ""
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			break
		}
		object := make(map[string]any, v.Len())
		for _, k := range v.MapKeys() {
			item, why := sanitize(v.MapIndex(k).Interface(), depth+1)
			if why != "" {
				return nil, why
			}
			object[k.String()] = item
		}
		return object, ""
	}
	return nil, "This gave a value that no message can hold."
}

// tooLarge says why a list or map out of a message is too large for an expression, or
// gives an empty string. The static bounds of expressions rest on it.
func tooLarge(v any) string {
	size := extent{}
	size.add(v, 0)
	switch {
	case size.depth > depthLimit:
		return "has lists and maps in one another too deeply"
	case size.elements > elementLimit:
		return "has more than " + strconv.Itoa(elementLimit) + " elements"
	case size.bytes > messageLimit:
		return "holds more than " + strconv.Itoa(messageLimit) + " bytes"
	}
	return ""
}

// extent is how large a value is.
type extent struct{ bytes, elements, depth int }

// add stops as soon as a limit is passed, so it is cheap on anything.
func (e *extent) add(v any, depth int) {
	if depth > e.depth {
		e.depth = depth
	}
	if depth > depthLimit || e.elements > elementLimit || e.bytes > messageLimit {
		return
	}
	switch x := v.(type) {
	case string:
		e.bytes += len(x)
	case []any:
		e.elements += len(x)
		for _, item := range x {
			e.add(item, depth+1)
		}
	case map[string]any:
		e.elements += len(x)
		for k, item := range x {
			e.bytes += len(k)
			e.add(item, depth+1)
		}
	}
}

// phraseOf names the type of a value at run time.
func phraseOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a bool"
	case int, int64, float64:
		return "a number"
	}
	switch reflect.ValueOf(v).Kind() {
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map:
		return "a map"
	}
	return "a value of another type"
}

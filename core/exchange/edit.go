package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// edit notes that text goes in the place of span.
func (x *Exchange) edit(span stratum.Span, text []byte) {
	x.scratch.edits = append(x.scratch.edits, stratum.Edit{Span: span, Text: text})
}

// apply appends line to dst with the edits made.
func (x *Exchange) apply(dst, line []byte) []byte {
	slices.SortStableFunc(x.scratch.edits, func(a, b stratum.Edit) int { return int(a.Span.From - b.Span.From) })
	return stratum.Apply(dst, line, x.scratch.edits)
}

// editParams notes what the rules changed in the parameters.
func (x *Exchange) editParams(d *rules.Decision) error {
	switch {
	case d.ParamsSet:
		return x.replaceParams(d.Params)
	case d.Edited != 0:
		return x.editElements(d)
	}
	return nil
}

// editElements notes single elements, and appends those behind the last one.
func (x *Exchange) editElements(d *rules.Decision) error {
	var added []byte
	for i, v := range d.Params {
		if i >= 64 || d.Edited&(1<<i) == 0 {
			continue
		}
		if i >= len(x.scratch.elems) {
			if i > 0 {
				added = append(added, ',')
			}
			var err error
			if added, err = stratum.Append(added, v); err != nil {
				return err
			}
			continue
		}
		span := x.scratch.elems[i]
		encoded, err := appendAs(nil, v, span.Of(x.scratch.text))
		if err != nil {
			return err
		}
		x.edit(span, encoded)
	}
	if added != nil {
		x.appendElements(added)
	}
	return nil
}

// appendElements notes text behind the last element of params.
func (x *Exchange) appendElements(added []byte) {
	params := x.scratch.msg.Params
	if x.absent(params) {
		x.putParams(append(append([]byte{'['}, added...), ']'))
		return
	}
	end := params.To - 1 // before the bracket
	if n := len(x.scratch.elems); n > 0 {
		end = x.scratch.elems[n-1].To
	}
	x.edit(stratum.Span{From: end, To: end}, added)
}

// putParams notes a whole list, whether there was one or not.
func (x *Exchange) putParams(list []byte) {
	m := &x.scratch.msg
	x.putPart(m.Params, "params", m.Method, list)
}

// putPart notes a new value for a part of the line, which may be absent; then it goes
// behind another part.
func (x *Exchange) putPart(part stratum.Span, key string, behind stratum.Span, value []byte) {
	if part.Present() {
		x.edit(part, value)
		return
	}
	at := stratum.Span{From: behind.To, To: behind.To}
	x.edit(at, append([]byte(`,"`+key+`":`), value...))
}

// replaceParams notes a list that a rule gave as a whole. Elements that are what they
// were keep their bytes: the text of a number, the way a string is escaped.
func (x *Exchange) replaceParams(list []any) error {
	text, elems, separator := x.scratch.text, x.scratch.elems, []byte{','}
	if len(elems) > 1 {
		separator = text[elems[0].To:elems[1].From]
	}
	out := []byte{'['}
	for i, v := range list {
		if i > 0 {
			out = append(out, separator...)
		}
		var err error
		if out, err = appendKept(out, v, text, elems, i); err != nil {
			return err
		}
	}
	x.putParams(append(out, ']'))
	return nil
}

// appendKept appends the bytes of the element at i if it has the value v, else v.
func appendKept(out []byte, v any, text []byte, elems []stratum.Span, i int) ([]byte, error) {
	if i < len(elems) {
		raw := elems[i].Of(text)
		if old, err := stratum.Decode(raw); err == nil && reflect.DeepEqual(old, v) {
			return append(out, raw...), nil
		}
	}
	return stratum.Append(out, v)
}

// appendAs appends a value in the form that raw, which it replaces, has. A number
// stays a string where it was one (cpuminer-opt's mining.suggest_difficulty), and keeps
// its decimal point, since a client may read 1024.0 and 1024 as different types.
func appendAs(out []byte, v any, raw []byte) ([]byte, error) {
	number, ok := toFloat(v)
	if !ok {
		return stratum.Append(out, v)
	}
	quoted := len(raw) > 0 && raw[0] == '"'
	text, err := stratum.Append(nil, v)
	if err != nil {
		return nil, err
	}
	if bytes.IndexByte(raw, '.') >= 0 && number == math.Trunc(number) && !bytes.ContainsAny(text, ".eE") {
		text = append(text, ".0"...)
	}
	if quoted && json.Valid(raw[1:len(raw)-1]) {
		return append(append(append(out, '"'), text...), '"'), nil
	}
	return append(out, text...), nil
}

func toFloat(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// editReply notes what the rules changed in a response.
func (x *Exchange) editReply(d *rules.Decision) error {
	m := &x.scratch.msg
	if d.ResultSet {
		value, err := stratum.Append(nil, d.Result)
		if err != nil {
			return fmt.Errorf("result: %w", err)
		}
		x.putPart(m.Result, "result", m.ID, value)
	}
	if d.ErrorSet {
		value, err := stratum.Append(nil, d.Error)
		if err != nil {
			return fmt.Errorf("error: %w", err)
		}
		x.putPart(m.Error, "error", m.ID, value)
	}
	return nil
}

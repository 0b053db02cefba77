package stratum

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecode(t *testing.T) {
	for raw, want := range map[string]any{
		`"a\u0062"`:              "ab",
		` true `:                 true,
		`false`:                  false,
		`null`:                   nil,
		`0`:                      0,
		`-7`:                     -7,
		`9223372036854775807`:    math.MaxInt64,
		`-9223372036854775808`:   math.MinInt64,
		`9223372036854775808`:    9223372036854775808.0,
		`-9223372036854775809`:   -9223372036854775809.0,
		`1024.0`:                 1024.0,
		`1e3`:                    1000.0,
		`0.00015`:                0.00015,
		`[]`:                     []any{},
		`[1, "a", [null], {}]`:   []any{1, "a", []any{nil}, map[string]any{}},
		`{"a":1,"A":[2]}`:        map[string]any{"a": 1, "A": []any{2}},
		`{"b":{"c":{"d":true}}}`: map[string]any{"b": map[string]any{"c": map[string]any{"d": true}}},
		`[[[[[[[[1]]]]]]]]`:      []any{[]any{[]any{[]any{[]any{[]any{[]any{[]any{1}}}}}}}},
	} {
		got, err := Decode([]byte(raw))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Decode(%s): %v\n%s", raw, err, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for raw, want := range map[string]error{
		``:                      ErrSyntax,
		`[1`:                    ErrSyntax,
		`1 2`:                   ErrSyntax,
		`[[[[[[[[[1]]]]]]]]]`:   ErrDepth,
		`[[[[[[[[{}]]]]]]]]`:    ErrDepth,
		`1e999`:                 ErrNumber,
		`[-1e999]`:              ErrNumber,
		`["\ud800"]`:            ErrSurrogate,
		"{\"a\":[\"\xff\"]}":    ErrUTF8,
		`{"\ud800":1}`:          ErrSurrogate,
		`{"a":1,"\u0061":2}`:    ErrDuplicate,
		`[{"a":{"x":1,"x":1}}]`: ErrDuplicate,
	} {
		if v, err := Decode([]byte(raw)); !errors.Is(err, want) {
			t.Errorf("Decode(%q) = %v, %v; want %v", raw, v, err, want)
		}
	}
}

func TestAppend(t *testing.T) {
	for want, v := range map[string]any{
		`null`:                  nil,
		`true`:                  true,
		`1152921504606846976`:   1 << 60,
		`1024`:                  1024.0,
		`0.00015`:               0.00015,
		`0.000000001`:           1e-9,
		`1e+21`:                 1e21,
		`100000000000000000000`: 1e20,
		`-0.5`:                  -0.5,
		`"a\"b"`:                `a"b`,
		`[]`:                    []any{},
		`[1,[null,"x"]]`:        []any{1, []any{nil, "x"}},
		`{"a":{},"b":2,"c":3}`:  map[string]any{"c": 3, "b": 2, "a": map[string]any{}},
	} {
		if got, err := Append(nil, v); string(got) != want || err != nil {
			t.Errorf("Append(%v) = %s, %v; want %s", v, got, err, want)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	for _, v := range []any{math.NaN(), math.Inf(-1), []any{1, math.Inf(1)}, map[string]any{"a": math.NaN()}, struct{}{}, []any{[]int{1}}} {
		got, err := Append([]byte("before"), v)
		if err == nil || string(got) != "before" {
			t.Errorf("Append(%v) = %s, %v; want an error and nothing written", v, got, err)
		}
	}
}

// FuzzDecode holds Decode and Append against encoding/json.
func FuzzDecode(f *testing.F) {
	for _, raw := range []string{`[1,2.5,"a",{"b":null}]`, `-0`, `1e400`, `1e-400`, `{"a":1,"a":2}`, `"\ud800"`, `9223372036854775808`} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := Decode(raw)
		if err != nil {
			return
		}
		written, err := Append(nil, v)
		if err != nil {
			t.Fatalf("Append(Decode(%s)): %v", raw, err)
		}
		var want, got any
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatalf("Decode accepts %q, encoding/json says %v", raw, err)
		}
		if err := json.Unmarshal(written, &got); err != nil {
			t.Fatalf("Append wrote %q, encoding/json says %v", written, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s came out as %s\n%s", raw, written, diff)
		}
	})
}

package stratum

import (
	"math/big"
	"regexp"
	"testing"
)

func TestIDEqual(t *testing.T) {
	seen := map[ID][]string{}
	for _, same := range [][]string{
		{`7`, `7.0`, `70e-1`, `0.7e1`, `7E0`, `700e-2`, `0.07e+2`},
		{`0`, `-0`, `0.0`, `0e99`, `-0.00e-5`},
		{`"auth"`, `"\u0061uth"`},
		{``, `null`},
		{`-3`, `-3.0`, `-30e-1`},
		{`1152921504606846976`, `1152921504606846976.0`, `11529215046068469760e-1`},
		{`9223372036854775807`, `9223372036854775807.00`},
		{`-9223372036854775808`, `-922337203685477580.8e1`},
		{`9223372036854775808`, `9223372036854775808.0`, `0.9223372036854775808e19`},
		{`1e30`, `1000000000000000000000000000000`},
		{`1.5`, `15e-1`, `1.50`},
		{`[1,"a"]`, `[ 1.0 , "\u0061" ]`},
		{`{"a":1,"b":2}`, `{"b":2, "a":1}`},
		{`true`},
		{`false`},
		{`"7"`},
		{`"null"`},
		{`""`},
		{`1152921504606846977`},
		{`-9223372036854775809`},
		{`1e3000000000`},
		{`1e-30`},
		{`"\ud800"`},
		{"\"\xff\""},
		{`"true"`},
		{`-1.5`},
		{`"[1,\"a\"]"`},
		{`15`},
		{`1e5`},
		{`7e18`},
		{`9223372036854775809`},
	} {
		for _, raw := range same {
			seen[IDOf([]byte(raw))] = append(seen[IDOf([]byte(raw))], raw)
			if IDOf([]byte(raw)) != IDOf([]byte(same[0])) {
				t.Errorf("%s is another id than %s", raw, same[0])
			}
		}
		if got := seen[IDOf([]byte(same[0]))]; len(got) != len(same) {
			t.Errorf("one id: %q, want only %q", got, same)
		}
	}
}

func TestIDIsNull(t *testing.T) {
	for raw, want := range map[string]bool{``: true, `null`: true, `0`: false, `""`: false, `false`: false} {
		if got := IDOf([]byte(raw)).IsNull(); got != want {
			t.Errorf("IDOf(%s).IsNull() = %v", raw, got)
		}
	}
}

func TestIDString(t *testing.T) {
	for raw, want := range map[string]string{`null`: "null", `70e-1`: "7", `"xnsub"`: `"xnsub"`, `1.50`: "15e-1", `[1 ]`: "[1]"} {
		if got := IDOf([]byte(raw)).String(); got != want {
			t.Errorf("IDOf(%s).String() = %s, want %s", raw, got, want)
		}
	}
}

// FuzzNumberID holds the ids of numbers against exact fractions.
func FuzzNumberID(f *testing.F) {
	f.Add("7", "70e-1")
	f.Add("-9223372036854775808", "9223372036854775808")
	f.Add("1e19", "10000000000000000000")
	small := regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?$`)
	f.Fuzz(func(t *testing.T, a, b string) {
		if !small.MatchString(a) || !small.MatchString(b) {
			return
		}
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		if got, want := IDOf([]byte(a)) == IDOf([]byte(b)), x.Cmp(y) == 0; got != want {
			t.Fatalf("%s and %s are one id: %v", a, b, got)
		}
		if id := IDOf([]byte(a)); x.IsInt() && x.Num().IsInt64() && id != IntegerID(x.Num().Int64()) {
			t.Fatalf("%s is %v", a, id)
		}
	})
}

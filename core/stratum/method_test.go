package stratum

import (
	"errors"
	"strings"
	"testing"
)

func TestResembles(t *testing.T) {
	for method, want := range map[string]string{
		"mining.auth":          MethodAuthorize,
		"Mining.Authorize":     MethodAuthorize,
		"mining.authorized":    MethodAuthorize,
		"MINING.SUBMIT":        MethodSubmit,
		"mining.submitx":       MethodSubmit,
		"client.Reconnect":     MethodReconnect,
		"client.reconnect.":    MethodReconnect,
		"mining.authorize":     "",
		"mining.aut":           "",
		"mining.foo":           "",
		"mining.hashrate":      "",
		"pong":                 "",
		"":                     "",
		"mining.get_txnhashes": "",
		"mining.capabilities":  "",
	} {
		if got := Resembles(method); got != want {
			t.Errorf("%q resembles %q, not %q", method, got, want)
		}
	}
}

func TestElementsUpTo(t *testing.T) {
	line := []byte(`[1, 2,3 ,4]`)
	for most, want := range []int{0, 1, 2, 3, 4, 4} {
		got, ok := ElementsUpTo(line, Span{0, int32(len(line))}, nil, most)
		if !ok || len(got) != want {
			t.Errorf("%d of at most %d: %v", len(got), most, ok)
		}
	}
}

func TestDecodeStopsEarly(t *testing.T) {
	list := []byte("[" + strings.Repeat("{},", 100_000) + "1]")
	if _, err := Decode(list); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	if n := testing.AllocsPerRun(1, func() { _, _ = Decode(list) }); n > 2*MaxElements {
		t.Errorf("%v allocations", n)
	}
	left := 5
	for i, raw := range []string{`[1,2]`, `{"a":[1]}`, `"text"`, `[1,2]`} {
		if _, err := DecodeWithin([]byte(raw), &left); errors.Is(err, ErrTooLarge) != (i == 3) {
			t.Errorf("%s: %v, %d left", raw, err, left)
		}
	}
}

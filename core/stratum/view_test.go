package stratum

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scanned scans a line that must be fine.
func scanned(t *testing.T, line string) ([]byte, Message) {
	t.Helper()
	var m Message
	if err := Scan([]byte(line), &m); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return []byte(line), m
}

// texts gives the parts of a line that spans show.
func texts(line []byte, spans ...Span) []string {
	out := []string{}
	for _, s := range spans {
		out = append(out, string(s.Of(line)))
	}
	return out
}

func TestElements(t *testing.T) {
	for raw, want := range map[string][]string{
		`[]`:                                  {},
		`[ ]`:                                 {},
		`[1]`:                                 {`1`},
		`[ "a,]" , [1,[2]] ,{"b":[]}, null ]`: {`"a,]"`, `[1,[2]]`, `{"b":[]}`, `null`},
	} {
		line, m := scanned(t, `{"params" : `+raw+` }`)
		got, ok := Elements(line, m.Params, nil)
		if diff := cmp.Diff(want, texts(line, got...)); diff != "" || !ok {
			t.Errorf("%s: %v\n%s", raw, ok, diff)
		}
	}
	for _, raw := range []string{`{}`, `null`, `"[]"`, `7`} {
		line, m := scanned(t, `{"params":`+raw+`}`)
		if _, ok := Elements(line, m.Params, nil); ok {
			t.Errorf("%s counts as an array", raw)
		}
	}
	if _, ok := Elements([]byte(`{}`), Span{}, nil); ok {
		t.Error("absent params count as an array")
	}
}

func TestMember(t *testing.T) {
	line, m := scanned(t, `{"params":{"a":1, "b" : {"a":2},"\u0063":3,"d":4,"d":5}}`)
	for name, want := range map[string]string{"a": "1", "b": `{"a":2}`, "c": "3", "d": "5", "e": ""} {
		if got := string(Member(line, m.Params, name).Of(line)); got != want {
			t.Errorf("member %s is %s, want %s", name, got, want)
		}
	}
}

func TestParseSubmit(t *testing.T) {
	for params, want := range map[string][]string{
		`["U","1386 5","00","65f1a2b3","9a8b7c"]`:             {`"U"`, `"1386 5"`, `"00"`, `"65f1a2b3"`, `"9a8b7c"`, ``},
		`["U", "JOB", "N2", "NTIME", "NONCE", "00006000"]`:    {`"U"`, `"JOB"`, `"N2"`, `"NTIME"`, `"NONCE"`, `"00006000"`},
		`["U", "JOB", "N2", 1, 2, null, 7, 8, 9, 10, 11, 12]`: {`"U"`, `"JOB"`, `"N2"`, `1`, `2`, `null`},
	} {
		line, m := scanned(t, `{"params":`+params+`,"id":4}`)
		s, ok := ParseSubmit(line, m.Params)
		got := texts(line, s.Worker, s.JobID, s.Extranonce2, s.NTime, s.Nonce, s.VersionBits)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("%s: %v\n%s", params, ok, diff)
		}
	}
	for _, params := range []string{`[1,2,3,4]`, `{}`, `null`} {
		line, m := scanned(t, `{"params":`+params+`}`)
		if s, ok := ParseSubmit(line, m.Params); ok || s != (Submit{}) {
			t.Errorf("%s is a submit", params)
		}
	}
}

func TestParseSubscribeAndAuthorize(t *testing.T) {
	line, m := scanned(t, `{"params":["Braiins OS 2019-06-05",null,"stratum.slushpool.com:3333",null]}`)
	s, ok := ParseSubscribe(line, m.Params)
	want := []string{`"Braiins OS 2019-06-05"`, `null`, `"stratum.slushpool.com:3333"`, `null`}
	if diff := cmp.Diff(want, texts(line, s.UserAgent, s.SessionID, s.Host, s.Port)); diff != "" || !ok {
		t.Error(ok, diff)
	}
	for raw, want := range map[string]bool{`{}`: true, `{"params":null}`: true, `{"params":[]}`: true, `{"params":{}}`: false, `{"params":"x"}`: false} {
		line, m := scanned(t, raw)
		if s, ok := ParseSubscribe(line, m.Params); ok != want || s != (Subscribe{}) {
			t.Errorf("%s: %v, want %v", raw, ok, want)
		}
		if _, ok := ParseAuthorize(line, m.Params); ok {
			t.Errorf("%s authorizes", raw)
		}
	}
	line, m = scanned(t, `{"params":["U"]}`)
	if a, ok := ParseAuthorize(line, m.Params); !ok || string(a.User.Of(line)) != `"U"` || a.Password.Present() {
		t.Error("an authorize without a password is not read")
	}
}

func TestParseConfigure(t *testing.T) {
	for params, want := range map[string]Configure{
		`[["version-rolling"],{"version-rolling.mask":"1fffe000","version-rolling.min-bit-count":16}]`: {VersionRolling: true, Mask: 0x1fffe000, MinBitCount: 16},
		`[["version-rolling","minimum-difficulty"], {}]`:                                               {VersionRolling: true, MinimumDifficulty: true, Mask: 0xffffffff},
		`[["subscribe-extranonce"]]`:                                                                   {SubscribeExtranonce: true, Mask: 0xffffffff},
		`[["info",7],{"info.hw-id":"x"}]`:                                                              {Info: true, Mask: 0xffffffff},
		`[[]]`:                                                                                         {Mask: 0xffffffff},
	} {
		line, m := scanned(t, `{"params":`+params+`}`)
		got, ok := ParseConfigure(line, m.Params)
		got.Extensions, got.Options, got.MaskText = Span{}, Span{}, Span{}
		if got != want || !ok {
			t.Errorf("%s: %+v, %v", params, got, ok)
		}
	}
	for _, params := range []string{`[]`, `["version-rolling"]`, `[["version-rolling"],{"version-rolling.mask":"xyz"}]`, `[["version-rolling"],{"version-rolling.mask":7}]`} {
		line, m := scanned(t, `{"params":`+params+`}`)
		if _, ok := ParseConfigure(line, m.Params); ok {
			t.Errorf("%s is fine", params)
		}
	}
}

func TestParseNotify(t *testing.T) {
	const job = `"j","p","c1","c2",["b1","b2"],"20000000","17034219","65f1a2b3"`
	for params, clean := range map[string]bool{`[` + job + `,true]`: true, `[` + job + `, false]`: false, `[` + job + `,true,"more"]`: true, `[` + job + `,1]`: false} {
		line, m := scanned(t, `{"params":`+params+`}`)
		n, ok := ParseNotify(line, m.Params)
		got := texts(line, n.JobID, n.PrevHash, n.Coinb1, n.Coinb2, n.MerkleBranches, n.Version, n.NBits, n.NTime)
		want := []string{`"j"`, `"p"`, `"c1"`, `"c2"`, `["b1","b2"]`, `"20000000"`, `"17034219"`, `"65f1a2b3"`}
		if diff := cmp.Diff(want, got); diff != "" || !ok || n.CleanJobs != clean || !n.Clean.Present() {
			t.Errorf("%s: %+v, %v\n%s", params, n, ok, diff)
		}
	}
	for _, params := range []string{`[` + job + `]`, `["j","p","c1","c2","b","v","n","t",true]`, `null`} {
		line, m := scanned(t, `{"params":`+params+`}`)
		if _, ok := ParseNotify(line, m.Params); ok {
			t.Errorf("%s is a job", params)
		}
	}
}

func TestParseDifficulties(t *testing.T) {
	for params, want := range map[string]float64{`[1024.0]`: 1024, `[0.0714]`: 0.0714, `[1e-6]`: 1e-6, `[42, 7]`: 42, `["0.500000"]`: 0.5} {
		line, m := scanned(t, `{"params":`+params+`}`)
		if got, ok := ParseSuggestDifficulty(line, m.Params); got != want || !ok {
			t.Errorf("suggested %s: %v, %v", params, got, ok)
		}
		if got, ok := ParseSetDifficulty(line, m.Params); ok != (params[1] != '"') || ok && got != want {
			t.Errorf("set %s: %v, %v", params, got, ok)
		}
	}
	for _, params := range []string{`[]`, `[null]`, `[true]`, `[1e999]`, `["x"]`, `[""]`, `7`} {
		line, m := scanned(t, `{"params":`+params+`}`)
		if got, ok := ParseSuggestDifficulty(line, m.Params); ok {
			t.Errorf("%s: %v", params, got)
		}
	}
}

func TestParseSetExtranonceAndMask(t *testing.T) {
	for params, want := range map[string]string{`["f0",4]`: `"f0"/4`, `["",8.0]`: `""/8`, `[null,4]`: `/4`, `["f0",null]`: `"f0"/0`} {
		line, m := scanned(t, `{"params":`+params+`}`)
		s, ok := ParseSetExtranonce(line, m.Params)
		if got := string(s.Extranonce1.Of(line)) + "/" + string(rune('0'+s.Extranonce2Size)); got != want || !ok {
			t.Errorf("%s: %s, %v", params, got, ok)
		}
	}
	for _, params := range []string{`["f0"]`, `[7,4]`, `["f0","4"]`, `["f0",4.5]`, `["f0",-1]`} {
		line, m := scanned(t, `{"params":`+params+`}`)
		if _, ok := ParseSetExtranonce(line, m.Params); ok {
			t.Errorf("%s is fine", params)
		}
	}
	for params, want := range map[string]uint32{`["1fffe000"]`: 0x1fffe000, `"1FFFE000"`: 0x1fffe000, `["0"]`: 0, `["\u0031"]`: 1} {
		line, m := scanned(t, `{"params":`+params+`}`)
		if got, ok := ParseSetVersionMask(line, m.Params); got != want || !ok {
			t.Errorf("%s: %x, %v", params, got, ok)
		}
	}
	for _, params := range []string{`[]`, `[""]`, `["1fffe0000"]`, `["0x1f"]`, `[7]`} {
		line, m := scanned(t, `{"params":`+params+`}`)
		if got, ok := ParseSetVersionMask(line, m.Params); ok {
			t.Errorf("%s: %x", params, got)
		}
	}
}

func TestParseReconnect(t *testing.T) {
	for raw, want := range map[string][]string{
		`{"params":[]}`:              {``, ``, ``},
		`{}`:                         {``, ``, ``},
		`{"params":["h",3333]}`:      {`"h"`, `3333`, ``},
		`{"params":["h","3333", 9]}`: {`"h"`, `"3333"`, `9`},
	} {
		line, m := scanned(t, raw)
		r, ok := ParseReconnect(line, m.Params)
		if diff := cmp.Diff(want, texts(line, r.Host, r.Port, r.Wait)); diff != "" || !ok {
			t.Errorf("%s: %v\n%s", raw, ok, diff)
		}
	}
}

func TestParseSubscribeResult(t *testing.T) {
	for result, want := range map[string][]string{
		`[[["mining.set_difficulty","d1"],["mining.notify","n1"]],"f000000f",8]`: {`"n1"`, `"f000000f"`, `8`},
		`[[["mining.notify","n1"]],"f0",4.0]`:                                    {`"n1"`, `"f0"`, `4.0`},
		`[["mining.notify","ae68"],"",8]`:                                        {`"ae68"`, `""`, `8`},
		`[[],"f0",8]`:                                                            {``, `"f0"`, `8`},
		`[null,"f0",8]`:                                                          {``, `"f0"`, `8`},
	} {
		line, m := scanned(t, `{"result":`+result+`}`)
		s, ok := ParseSubscribeResult(line, m.Result)
		if diff := cmp.Diff(want, texts(line, s.SessionID, s.Extranonce1, s.Size)); diff != "" || !ok {
			t.Errorf("%s: %v\n%s", result, ok, diff)
		}
		if s.Extranonce2Size != int(want[2][0]-'0') {
			t.Errorf("%s: size %d", result, s.Extranonce2Size)
		}
	}
	for _, result := range []string{`null`, `[[],"f0"]`, `[[],7,8]`, `[[],"f0","8"]`, `[[],"f0",8.5]`, `true`} {
		line, m := scanned(t, `{"result":`+result+`}`)
		if _, ok := ParseSubscribeResult(line, m.Result); ok {
			t.Errorf("%s is fine", result)
		}
	}
}

func TestParseConfigureResult(t *testing.T) {
	for result, want := range map[string]ConfigureResult{
		`{"version-rolling":true,"version-rolling.mask":"1fffe000"}`: {VersionRolling: true, Mask: 0x1fffe000},
		`{"version-rolling":false,"minimum-difficulty":true}`:        {MinimumDifficulty: true},
		`{"version-rolling":"no","version-rolling.mask":"1fffe000"}`: {},
		`{"version-rolling":true}`:                                   {},
		`{"version-rolling":true,"version-rolling.mask":7,"x":[{}]}`: {},
		`{"subscribe-extranonce":true}`:                              {SubscribeExtranonce: true},
	} {
		line, m := scanned(t, `{"result":`+result+`}`)
		got, ok := ParseConfigureResult(line, m.Result)
		got.MaskText = Span{}
		if got != want || !ok {
			t.Errorf("%s: %+v, %v", result, got, ok)
		}
	}
}

func TestMethodOf(t *testing.T) {
	for raw, want := range map[string]string{`"mining.submit"`: MethodSubmit, `"mining.sub\u006dit"`: MethodSubmit, `"client.show_message"`: MethodShowMessage, `"mining.foo"`: "mining.foo", `""`: ""} {
		line, m := scanned(t, `{"method":`+raw+`}`)
		if got, err := MethodOf(line, &m); got != want || err != nil {
			t.Errorf("%s: %q, %v", raw, got, err)
		}
	}
	for _, raw := range []string{`7`, `null`, `["mining.submit"]`, `"\ud800"`} {
		line, m := scanned(t, `{"method":`+raw+`}`)
		if got, err := MethodOf(line, &m); err == nil {
			t.Errorf("%s: %q", raw, got)
		}
	}
	line, m := scanned(t, `{"id":1}`)
	if got, err := MethodOf(line, &m); got != "" || err != nil {
		t.Errorf("a reply has the method %q, %v", got, err)
	}
}

// FuzzViews looks at any line in every way: nothing may panic, and elements are what encoding/json finds.
func FuzzViews(f *testing.F) {
	for _, line := range clientLines {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var m Message
		if Scan(line, &m) != nil {
			return
		}
		for _, part := range []Span{m.Params, m.Result, m.Error, m.ID} {
			lookAt(line, part)
			var want []json.RawMessage
			spans, ok := Elements(line, part, nil)
			if !ok {
				continue
			}
			if err := json.Unmarshal(part.Of(line), &want); err != nil || len(want) != len(spans) {
				t.Fatalf("%q: %d elements, want %d (%v)", part.Of(line), len(spans), len(want), err)
			}
			for i, s := range spans {
				if string(s.Of(line)) != string(want[i]) {
					t.Fatalf("%q: element %d is %q", part.Of(line), i, s.Of(line))
				}
			}
		}
		_, _ = MethodOf(line, &m)
		_ = Reason(line, &m)
		_ = IDOf(m.ID.Of(line)).String()
	})
}

func lookAt(line []byte, part Span) {
	ParseSubscribe(line, part)
	ParseAuthorize(line, part)
	ParseSubmit(line, part)
	ParseConfigure(line, part)
	ParseSuggestDifficulty(line, part)
	ParseNotify(line, part)
	ParseSetDifficulty(line, part)
	ParseSetExtranonce(line, part)
	ParseSetVersionMask(line, part)
	ParseReconnect(line, part)
	ParseSubscribeResult(line, part)
	ParseConfigureResult(line, part)
	Member(line, part, "id")
}

package stratum

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// parts is what a Message says, as text.
type parts struct {
	ID, Method, Params, Result, Error, RejectReason string
	Ambiguous                                       bool
}

func partsOf(line []byte, m *Message) parts {
	return parts{
		string(m.ID.Of(line)), string(m.Method.Of(line)), string(m.Params.Of(line)),
		string(m.Result.Of(line)), string(m.Error.Of(line)), string(m.RejectReason.Of(line)), m.Ambiguous,
	}
}

// oracle reads a line with encoding/json; false if it is not one JSON object.
func oracle(line []byte) (p parts, ok bool) {
	var raw map[string]json.RawMessage
	if !json.Valid(line) || json.Unmarshal(line, &raw) != nil || raw == nil {
		return p, false
	}
	text := func(key string) string { return string(raw[key]) }
	p = parts{text("id"), text("method"), text("params"), text("result"), text("error"), text("reject-reason"), false}
	p.Ambiguous = oracleAmbiguous(line)
	return p, true
}

// oracleAmbiguous goes through the top-level keys with a Decoder.
func oracleAmbiguous(line []byte) bool {
	dec := json.NewDecoder(strings.NewReader(string(line)))
	_, _ = dec.Token()
	seen := map[string]int{}
	for dec.More() {
		from := dec.InputOffset()
		key, _ := dec.Token()
		if !utf8.Valid(line[from:dec.InputOffset()]) {
			return true
		}
		var skipped json.RawMessage
		_ = dec.Decode(&skipped)
		name, _, nul := strings.Cut(key.(string), "\x00")
		for _, known := range []string{"id", "method", "params"} {
			if strings.EqualFold(name, known) {
				seen[known]++
				if nul || name != known {
					seen[known]++
				}
			}
		}
	}
	return seen["id"] > 1 || seen["method"] > 1 || seen["params"] > 1
}

// agree compares Scan with the oracle.
func agree(t *testing.T, line []byte) {
	t.Helper()
	var m Message
	err := Scan(line, &m)
	if errors.Is(err, ErrDepth) {
		if strings.Count(string(line), "[")+strings.Count(string(line), "{") <= MaxDepth {
			t.Fatalf("%q: %v, but it has too few brackets for that", line, err)
		}
		return
	}
	want, ok := oracle(line)
	if (err == nil) != ok {
		t.Fatalf("%q: Scan gives %v, encoding/json accepts it: %v", line, err, ok)
	}
	if diff := cmp.Diff(want, partsOf(line, &m)); diff != "" {
		t.Fatalf("%q: encoding/json -, Scan +\n%s", line, diff)
	}
}

// clientLines are the bytes that miners send.
var clientLines = []string{
	`{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1"]}`,
	`{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1", "SID"]}`,
	`{"id": 1, "method": "mining.subscribe", "params": []}`,
	`{"id": 2, "method": "mining.authorize", "params": ["USER", "PASS"]}`,
	`{"method": "mining.submit", "params": ["USER", "JOB", "XN2", "NTIME", "NONCE"], "id":4}`,
	`{"id": 3, "method": "mining.extranonce.subscribe", "params": []}`,
	`{"id": 1, "method": "mining.suggest_difficulty", "params": ["0.500000"]}`,
	`{"id":42,"result":"pong","error":null}`,
	`{"id": 0, "method": "mining.configure", "params": [["version-rolling"], {"version-rolling.mask": "ffffffff"}]}`,
	`{"params": ["U", "JOB", "N2", "NTIME", "NONCE", "00006000"], "id": 7, "method": "mining.submit"}`,
	`{"id": null, "method": "mining.suggest_target", "params": ["00000000ffff"]}`,
	`{"id":null,"method":"mining.capabilities","params":[{"notify":[],"set_difficulty":{},"set_goal":[],"malgo":{}}]}`,
	`{"id": "xnsub", "method": "mining.extranonce.subscribe", "params": []}`,
	`{"params": ["JOB"], "id": "txlistJOB", "method": "mining.get_transactions"}`,
	`{"id":9,"method":"mining.submit","params":["U","JOB","EN2","65f1a2b3","9a8b7c6d","00006000"]}`,
	`{"id":9,"method":"pong","params":[]}`,
	`{"id":3,"method":"mining.suggest_difficulty","params":[0.00015]}`,
	`{"id":1,"method":"mining.subscribe","params":["Braiins OS 2019-06-05",null,"stratum.slushpool.com:3333",null]}`,
	`{"id":7,"result":false,"error":null,"reject-reason":"Stale"}`,
}

// oddLines are those on which parsers differ.
var oddLines = []string{
	``, ` `, `null`, `[]`, `1`, `"x"`, `{}`, ` { } `, "\t{\r\n}\r", `{"id"}`, `{"id":}`, `{"id":1,}`, `{,}`, `{"id":1`, `{"id":1}x`,
	`{"id":1}{}`, `{"id":1]`, `[{"id":1}]`, `{id:1}`, `{"id":1 "method":2}`, `{"id":01}`, `{"id":-}`, `{"id":1.}`, `{"id":.5}`,
	`{"id":1e}`, `{"id":1e+}`, `{"id":-0.0E-07}`, `{"id":+1}`, `{"id":tru}`, `{"id":nul`, `{"id":truex}`, `{"id":1152921504606846976}`,
	"{\"id\":\"a\x01\"}", "{\"id\":\"a\x7f\"}", `{"id":"\q"}`, `{"id":"\u12g4"}`, `{"id":"\u123"`, `{"id":"\`, "{\"id\":\"\xff\"}",
	`{"id":1,"id":2}`, `{"method":"a","method":"b"}`, `{"params":[],"params":{}}`, `{"result":1,"result":2}`,
	`{"meth\u006fd":"a"}`, `{"meth\u006fd":"a","method":"b"}`, `{"\u0069d":1,"i\u0064":2}`, `{"Method":"a"}`, `{"METHOD":1}`, `{"ID":1}`,
	`{"Id":1}`, `{"iD":1,"id":2}`, `{"param\u017f":[]}`, `{"paramſ":[]}`, `{"PARAMſ":[]}`, `{"param\u017F":[]}`, `{"\u0050arams":1}`,
	`{"K":1,"k":2}`, `{"id\u0000":1}`, `{"id\u0000x":1,"id":3}`, `{"\u0000id":1}`, `{"x\u0000id":1}`, "{\"i\xff\":1}",
	`{"id\ud800":1}`, `{"\ud83d\ude00":1}`, `{"reject\u002dreason":"Stale"}`, `{"reject-reasonx":1}`, `{"Reject-Reason":1,"Result":true}`,
	`{"params":[{"id":3,"method":"x","params":1}],"x":{"id":2}}`, `{"a":[1,2,]}`, `{"a":[,1]}`, `{"a":{"b":1,}}`, `{"a":{b:1}}`, `{"a":{"b"}}`,
	`{"a":[1 2]}`, `{"a":[}`, `{"a":{"b":[}]}`, `{"a":"aaaaaaa"}`, `{"a":"aaaaaaaa"}`, `{"a":"aaaaaaaaa\"aaaaaa\\"}`,
	`{"a":"éééééééé"}`, "{\"a\":\"aaaaaaaa\x1faaaaaaaaa\"}", "{\"a\":\"\x80\xa2\xdc\xa0!#[]\"}",
	`{"\u0069\u0064\u0069\u0064\u0069\u0064\u0069\u0064\u0069\u0064\u0069\u0064\u0069\u0064\u0069\u0064\u0069\u0064\u0069\u0064\u0069\u0064\u0069\u0064":1}`,
}

func TestScanAgreesWithEncodingJSON(t *testing.T) {
	for _, line := range append(append([]string{}, clientLines...), oddLines...) {
		agree(t, []byte(line))
	}
	for _, depth := range []int{MaxDepth - 2, MaxDepth - 1} {
		agree(t, []byte(`{"a":`+strings.Repeat("[", depth)+strings.Repeat("]", depth)+`}`))
	}
}

// TestScanAgreesOnMutations breaks good lines in every place and in random ways.
func TestScanAgreesOnMutations(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const alphabet = "{}[]:,\"\\ \t\n0123456789eE+-.truefalsnid\x00\x1f\xff/u"
	for _, line := range append(append([]string{}, clientLines...), oddLines...) {
		for i := range line {
			agree(t, []byte(line[:i]))
			agree(t, []byte(line[:i]+line[i+1:]))
			b := []byte(line)
			b[i] = alphabet[random.IntN(len(alphabet))]
			agree(t, b)
			agree(t, []byte(line[:i]+string(alphabet[random.IntN(len(alphabet))])+line[i:]))
		}
	}
}

func TestScanErrors(t *testing.T) {
	deep := strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)
	for line, want := range map[string]error{
		`[]`:                 ErrNotObject,
		``:                   ErrNotObject,
		"\x16\x03\x01":       ErrNotObject,
		`{"id":1}}`:          ErrSyntax,
		`{"id":1`:            ErrSyntax,
		`{"a":` + deep + `}`: ErrDepth,
		`{"a":` + strings.Repeat(`{"a":`, MaxDepth): ErrDepth,
	} {
		m := Message{ID: Span{1, 2}, Ambiguous: true}
		if err := Scan([]byte(line), &m); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", line, err, want)
		}
		if m != (Message{}) {
			t.Errorf("%q: %+v is left of it, want nothing", line, m)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, line := range append(append([]string{}, clientLines...), oddLines...) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) { agree(t, line) })
}

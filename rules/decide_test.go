package rules

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// request makes a rule for a request.
func request(method, when string, assigned ...Assignment) Rule {
	r := Rule{Kind: Request, Method: method, Set: assigned}
	if when != "" {
		r.When = src(when)
	}
	return r
}

func TestRulesSeeWhatEarlierOnesLeft(t *testing.T) {
	p := mustCompile(t,
		request("mining.authorize", "user == 'a'", set("user", "'b'")),
		request("mining.authorize", "user == 'b'", set("password", "user + string(params[0])")),
		request("*", "user == 'b' and params[1] == 'bb'", set("params", "[user, 'c', 'd']")),
		request("mining.authorize", "len(params) == 3 and password == 'c'", set("user", "params[2] + 'e' | string()")),
	)
	d := decide(t, p, Request, "mining.authorize", "a", "x")
	if want := []any{"de", "c", "d"}; !reflect.DeepEqual(d.Params, want) {
		t.Errorf("params %v, want %v; failed %v", d.Params, want, d.Failed)
	}
	if !d.ParamsSet || d.Edited != 1 || !d.UserSet || len(d.Matched) != 4 {
		t.Errorf("%+v", d)
	}
}

func TestOneSetSeesTheMessageAsItCame(t *testing.T) {
	p := mustCompile(t, request("mining.authorize", "", set("user", "password"), set("password", "user")))
	d := decide(t, p, Request, "mining.authorize", "a", "b")
	if want := []any{"b", "a"}; !reflect.DeepEqual(d.Params, want) {
		t.Errorf("%v, want %v", d.Params, want)
	}
}

func TestAFailedSetLeavesTheMessage(t *testing.T) {
	r := request("mining.authorize", "", set("user", "'b'"), set("password", "string(params[7])"))
	r.OnError = OnErrorSkip
	r.Reply = &Reply{}
	p := mustCompile(t, r)
	d := decide(t, p, Request, "mining.authorize", "a", "b")
	if d.Params[0] != "a" || d.Edited != 0 || d.Verdict != Forward || len(d.Matched) != 0 || d.UserSet {
		t.Errorf("half applied: %+v", d)
	}
	if len(d.Failed) != 1 || d.Failed[0].Err.Detail != "Index out of range: 7 (array length is 2)." {
		t.Fatalf("%v", d.Failed)
	}
	if e := d.Failed[0].Err; e.From != 13 || e.Summary != "Expression failed" || e.Origin != "string(params[7])" {
		t.Errorf("%+v", e)
	}
}

func TestReferenceFailure(t *testing.T) {
	p := mustCompile(t, request("mining.subscribe", "", set("params", "[params[0], params[2]]")))
	d := decide(t, p, Request, "mining.subscribe", "cpuminer/2.5.1", "1")
	e := d.Failed[0].Err
	if e.Summary != "Expression failed" || e.Detail != "Index out of range: 2 (array length is 2)." || e.From != 18 || e.To != 19 {
		t.Errorf("%+v", e)
	}
	if d.Verdict != Denied || d.Code != 20 || d.By != 0 {
		t.Errorf("%+v", d)
	}
}

func TestOnError(t *testing.T) {
	tests := []struct {
		kind    Kind
		onError OnError
		verdict Verdict
		rest    bool // whether the next rule runs
	}{
		{Request, OnErrorDefault, Denied, false},
		{Request, OnErrorDeny, Denied, false},
		{Request, OnErrorSkip, Forward, true},
		{Request, OnErrorDrop, Dropped, false},
		{Response, OnErrorDefault, Forward, true},
		{Response, OnErrorDrop, Dropped, false},
		{Notification, OnErrorDefault, Forward, true},
		{Notification, OnErrorDrop, Dropped, false},
		{Connect, OnErrorDefault, Denied, false},
		{Connect, OnErrorSkip, Forward, true},
	}
	for _, test := range tests {
		bad, next := Rule{Kind: test.kind, Method: "m", When: src("params[9] == 'x'"), OnError: test.onError}, Rule{Kind: test.kind, Method: "m"}
		if test.kind == Connect {
			bad.Method, next.Method = "", ""
			bad.When = src("inCIDR(listener, '10.0.0.0/8')")
		}
		p := mustCompile(t, bad, next)
		d := decide(t, p, test.kind, "m")
		if d.Verdict != test.verdict || len(d.Failed) != 1 || (len(d.Matched) == 1) != test.rest {
			t.Errorf("%v %v: %+v", test.kind, test.onError, d)
		}
		if test.verdict == Denied && (d.Code != 20 || d.Text == "" || d.By != 0) {
			t.Errorf("denied with %d %q by %d", d.Code, d.Text, d.By)
		}
	}
}

func TestOutcomesAndTheEndOfTheWalk(t *testing.T) {
	after := request("mining.subscribe", "", set("agent", "'seen'"))
	tests := []struct {
		name  string
		rule  Rule
		ends  bool
		check func(d *Decision) bool
	}{
		{"deny", Rule{Deny: &Deny{Code: 24, Message: "no"}}, true, func(d *Decision) bool { return d.Verdict == Denied && d.Code == 24 && d.Text == "no" && d.By == 0 }},
		{"deny without words", Rule{Deny: &Deny{}}, true, func(d *Decision) bool { return d.Verdict == Denied && d.Code == 20 && d.Text == "Denied by policy" }},
		{"reply", Rule{Reply: &Reply{Result: src("[agent, 1]"), Error: src("nil")}}, true, func(d *Decision) bool {
			return d.Verdict == Replied && reflect.DeepEqual(d.Result, []any{"a", 1}) && d.Error == nil
		}},
		{"empty reply", Rule{Reply: &Reply{}}, true, func(d *Decision) bool { return d.Verdict == Replied && d.Result == nil }},
		{"drop", Rule{Drop: true}, true, func(d *Decision) bool { return d.Verdict == Dropped && d.By == 0 }},
		{"route", Rule{Route: "pool.b"}, false, func(d *Decision) bool { return d.Route == "pool.b" && d.Verdict == Forward && d.By == -1 }},
		{"stop", Rule{Stop: true}, true, func(d *Decision) bool { return d.Verdict == Forward && len(d.Matched) == 1 }},
		{"nothing", Rule{}, false, func(d *Decision) bool { return len(d.Matched) == 2 }},
		{"stop without a match", Rule{Stop: true, When: src("false")}, false, func(d *Decision) bool { return len(d.Matched) == 1 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.rule.Kind, test.rule.Method = Request, "mining.subscribe"
			d := decide(t, mustCompile(t, test.rule, after), Request, "mining.subscribe", "a")
			if !test.check(d) {
				t.Errorf("%+v", d)
			}
			if ended := d.Params[0] == "a"; ended != test.ends {
				t.Errorf("ended: %v, want %v", ended, test.ends)
			}
		})
	}
}

func TestNamesOfWrongTypes(t *testing.T) {
	tests := []struct {
		method, when string
		params       []any
		matched      bool
		detail       string
	}{
		{"mining.authorize", "user == ''", []any{}, true, ""},
		{"mining.authorize", "user == ''", []any{nil}, true, ""},
		{"mining.authorize", "user == '5'", []any{5}, false, "user is a number here, not a string."},
		{"mining.authorize", "user == ''", []any{true}, false, "user is a bool here, not a string."},
		{"mining.authorize", "user == ''", []any{[]any{}}, false, "user is a list here, not a string."},
		{"mining.authorize", "user == ''", []any{strings.Repeat("x", 1025)}, false, "user is longer than 1024 bytes."},
		{"mining.*", "user == '5'", []any{5}, false, "user is a number here, not a string."},
		{"mining.suggest_difficulty", "difficulty == 0.5", []any{"0.500000"}, true, ""},
		{"mining.suggest_difficulty", "difficulty == 512", []any{512}, true, ""},
		{"mining.suggest_difficulty", "difficulty == 512", []any{512.0}, true, ""},
		{"mining.suggest_difficulty", "difficulty == 0", []any{nil}, true, ""},
		{"mining.suggest_difficulty", "difficulty == 0", []any{"abc"}, false, "difficulty is a string here, not a number."},
		{"mining.suggest_difficulty", "difficulty == 0", []any{"0x10"}, false, "difficulty is a string here, not a number."},
		{"mining.suggest_difficulty", "difficulty == 0", []any{"1e999"}, false, "difficulty is a string here, not a number."},
		{"mining.suggest_difficulty", "difficulty == 0", []any{"NaN"}, false, "difficulty is a string here, not a number."},
		{"mining.configure", "'version-rolling' in extensions", []any{[]any{"version-rolling"}, map[string]any{}}, true, ""},
		{"mining.configure", "options['version-rolling.mask'] == 'ff'", []any{[]any{}, map[string]any{"version-rolling.mask": "ff"}}, true, ""},
		{"mining.configure", "len(options) == 0", []any{[]any{}}, true, ""},
		{"mining.configure", "len(extensions) == 0", []any{"x"}, false, "extensions is a string here, not a list."},
		{"mining.configure", "len(options) == 0", []any{[]any{}, []any{}}, false, "options is a list here, not a map."},
		{"mining.subscribe", "session_id == ''", []any{"Braiins OS", nil, "host", nil}, true, ""},
	}
	for _, test := range tests {
		t.Run(test.when, func(t *testing.T) {
			p := mustCompile(t, request(test.method, test.when))
			method := strings.Replace(test.method, "*", "authorize", 1)
			d := decide(t, p, Request, method, test.params...)
			if matched := len(d.Matched) == 1; matched != test.matched {
				t.Errorf("matched %v; failed %v", matched, d.Failed)
			}
			if test.detail == "" {
				if len(d.Failed) > 0 {
					t.Error(d.Failed[0].Err)
				}
				return
			}
			if len(d.Failed) != 1 || d.Failed[0].Err.Detail != test.detail || d.Verdict != Denied {
				t.Errorf("failed %+v, want %s", d.Failed, test.detail)
			}
		})
	}
}

func TestFailedNameIsLocated(t *testing.T) {
	p := mustCompile(t, request("mining.authorize", "password == 'x' or user == 'y'"))
	e := decide(t, p, Request, "mining.authorize", 1, "z").Failed[0].Err
	if e.From != 19 || e.To != 23 {
		t.Errorf("%d-%d", e.From, e.To)
	}
}

func TestPositionsBeyondTheEnd(t *testing.T) {
	p := mustCompile(t, request("mining.authorize", "", set("password", "'x'")))
	if d := decide(t, p, Request, "mining.authorize", "a"); !reflect.DeepEqual(d.Params, []any{"a", "x"}) || d.Edited != 2 {
		t.Errorf("the next element: %+v", d)
	}
	d := decide(t, p, Request, "mining.authorize")
	if len(d.Failed) != 1 || d.Failed[0].Err.Detail != "password is parameter 2, but the message has only 0." {
		t.Errorf("beyond: %+v", d.Failed)
	}
	p = mustCompile(t, request("mining.authorize", "", set("password", "'x'"), set("user", "'u'")))
	if d := decide(t, p, Request, "mining.authorize"); !reflect.DeepEqual(d.Params, []any{"u", "x"}) {
		t.Errorf("two at once: %+v", d)
	}
}

func TestValuesThatNoMessageHolds(t *testing.T) {
	tests := []struct{ field, text, detail string }{
		{"difficulty", "1 / (difficulty - 5)", "This is not a finite number; was something divided by zero?"},
		{"params", "[1 / (difficulty - 5)]", "This is not a finite number; was something divided by zero?"},
		{"params", "[{a: [1 / (difficulty - 5)]}]", "This is not a finite number; was something divided by zero?"},
		{"params", "['Ünal'[:1]]", "This text is cut in the middle of a character."},
	}
	for _, test := range tests {
		p := mustCompile(t, request("mining.suggest_difficulty", "", set(test.field, test.text)))
		d := decide(t, p, Request, "mining.suggest_difficulty", 5)
		if len(d.Failed) != 1 || d.Failed[0].Err.Detail != test.detail || d.Changed() {
			t.Errorf("%s: %v", test.text, d.Failed)
		}
	}
	if _, errs := Compile([]Rule{request("mining.suggest_difficulty", "", set("difficulty", "1/0"))}); len(errs) != 1 {
		t.Errorf("constant 1/0: %v", errs)
	}
	p := mustCompile(t, request("mining.suggest_difficulty", "", set("params", "split(repeat('a,', int(difficulty)), ',')")))
	if d := decide(t, p, Request, "mining.suggest_difficulty", 100); len(d.Failed) != 1 || !strings.Contains(d.Failed[0].Err.Detail, "64 are the most") {
		t.Errorf("101 parameters: %v", d.Failed)
	}
}

func TestNumbersKeepToWholeOnes(t *testing.T) {
	p := mustCompile(t, request("mining.suggest_difficulty", "", set("difficulty", "difficulty / 2")))
	if d := decide(t, p, Request, "mining.suggest_difficulty", 1024); d.Params[0] != 512 {
		t.Errorf("%#v", d.Params[0])
	}
	if d := decide(t, p, Request, "mining.suggest_difficulty", 1); d.Params[0] != 0.5 {
		t.Errorf("%#v", d.Params[0])
	}
}

func TestResponse(t *testing.T) {
	p := mustCompile(t, house()...)
	d := &Decision{}
	msg := &Message{Method: "mining.authorize", Params: []any{"a", "b"}, Result: false}
	p.Chain(Response, []byte("mining.authorize")).Decide(msg, facts{PoolName: `pool.site["braiins"]`}, d)
	if want := []any{24, `refused by pool.site["braiins"]`, nil}; !reflect.DeepEqual(d.Error, want) || !d.ErrorSet || d.ResultSet || !d.Changed() {
		t.Errorf("%+v", d)
	}
	p = mustCompile(t,
		Rule{Kind: Response, Method: "mining.submit", When: src("user == 'a' and job_id == 'j' and latency_ms > 5 and error == nil"), Set: []Assignment{set("result", "true")}},
		Rule{Kind: Response, Method: "mining.submit", When: src("result == true"), Set: []Assignment{set("error", "nil")}},
	)
	p.Chain(Response, []byte("mining.submit")).Decide(&Message{Params: []any{"a", "j"}, Result: false, LatencyMS: 9}, nil, d)
	if d.Result != true || !d.ResultSet || !d.ErrorSet || len(d.Matched) != 2 {
		t.Errorf("%+v", d)
	}
}

func TestTraceAndSecrets(t *testing.T) {
	scope := &Scope{Var: map[string]any{"secret": "geheim", "plain": "p"}, Sensitive: map[string]bool{"var.secret": true}}
	list := []Rule{
		request("mining.authorize", "user == 'nobody'", set("user", "'x'")),
		request("mining.authorize", "", set("password", "var.secret"), set("user", "var.plain")),
		request("mining.authorize", "", set("user", "password + '!'")),
		request("mining.authorize", "", set("password", "'open'")),
		request("mining.authorize", "", set("user", "password")),
		request("mining.authorize", "params[5] == 'x'"),
	}
	for i := range list {
		list[i].Scope = scope
	}
	d := decide(t, mustCompile(t, list...), Request, "mining.authorize", "a", "b")
	if len(d.Steps) != len(list) {
		t.Fatalf("%d steps: %+v", len(d.Steps), d.Steps)
	}
	want := [][]Change{
		nil,
		{{Field: "user", Value: "p"}, {Field: "password", Secret: true}},
		{{Field: "user", Secret: true}},
		{{Field: "password", Value: "open"}},
		{{Field: "user", Value: "open"}},
		nil,
	}
	for i, s := range d.Steps {
		if s.Rule != i || s.When != (i > 0 && i < 5) || !reflect.DeepEqual(s.Set, want[i]) || (s.Failed != nil) != (i == 5) {
			t.Errorf("step %d: %+v, want set %+v", i, s, want[i])
		}
	}
	if strings.Contains(fmt.Sprint(d.Steps), "geheim") {
		t.Error("the trace tells a secret")
	}
	d.Trace = false
	mustCompile(t, list...).Chain(Request, []byte("mining.authorize")).Decide(&Message{Params: []any{"a", "b"}}, facts{}, d)
	if len(d.Steps) != 0 {
		t.Error("steps without a trace")
	}
}

func TestNothingStaleIsSeen(t *testing.T) {
	p := mustCompile(t, request("mining.authorize", "password == 'x' or client.agent == 'cg'", set("user", "'hit'")))
	chain := p.Chain(Request, []byte("mining.authorize"))
	d := &Decision{}
	chain.Decide(&Message{Params: []any{"a", "x"}}, facts{ClientAgent: "cg"}, d)
	if d.Params[0] != "hit" {
		t.Fatal("no match")
	}
	chain.Decide(&Message{Params: []any{"a"}}, facts{}, d)
	if d.Params[0] != "a" || d.Changed() || len(d.Matched) != 0 {
		t.Errorf("an earlier message shows: %+v", d)
	}
}

func TestConnect(t *testing.T) {
	p := mustCompile(t, house()...)
	d := &Decision{}
	p.Chain(Connect, nil).Decide(nil, facts{ClientIP: "10.1.2.3"}, d)
	if d.Verdict != Forward {
		t.Errorf("10.1.2.3: %+v", d)
	}
	p.Chain(Connect, nil).Decide(nil, facts{ClientIP: "11.1.2.3"}, d)
	if d.Verdict != Denied {
		t.Errorf("11.1.2.3: %+v", d)
	}
}

func TestNilChainForwards(t *testing.T) {
	var c *Chain
	d := &Decision{Verdict: Denied, Matched: []int{1}}
	c.Decide(&Message{Params: []any{1}}, nil, d)
	if d.Verdict != Forward || d.By != -1 || len(d.Matched) != 0 || len(d.Params) != 1 {
		t.Errorf("%+v", d)
	}
}

func TestLimitsOfListsAndMaps(t *testing.T) {
	deep := any("x")
	for range depthLimit {
		deep = []any{deep}
	}
	many := make([]any, elementLimit)
	tests := []struct {
		params []any
		detail string
	}{
		{[]any{deep}, "params has lists and maps in one another too deeply."},
		{[]any{deep.([]any)[0]}, ""},
		{[]any{many}, "params has more than 256 elements."},
		{[]any{many[1:]}, ""},
		{[]any{map[string]any{strings.Repeat("k", messageLimit): 1, "": 2}, "x"}, "params holds more than 16384 bytes."},
		{[]any{strings.Repeat("x", messageLimit)}, ""},
	}
	p := mustCompile(t, request("x.y", "len(params) > 0"))
	for _, test := range tests {
		d := decide(t, p, Request, "x.y", test.params...)
		got := ""
		if len(d.Failed) > 0 {
			got = d.Failed[0].Err.Detail
		}
		if got != test.detail {
			t.Errorf("got %q, want %q", got, test.detail)
		}
	}
}

func TestParamsGrowUnderTheirReaders(t *testing.T) {
	p := mustCompile(t,
		request("mining.authorize", "len(params) == 1", set("password", "'x'")),
		request("mining.authorize", "len(params) == 2 and params[1] == 'x'", set("password", "'y'")),
		request("mining.authorize", "params[1] == 'y'", set("params", "[params[1]]")),
		request("mining.authorize", "len(params) == 1 and params[0] == 'y'"),
	)
	d := &Decision{Params: make([]any, 0, 8)}
	p.Chain(Request, []byte("mining.authorize")).Decide(&Message{Params: []any{"a"}}, nil, d)
	if len(d.Matched) != 4 {
		t.Errorf("matched %v, failed %v", d.Matched, d.Failed)
	}
}

package rules

import (
	"strings"
	"testing"
)

// failing is expressions that fail on the message below, in as many ways as there are.
var failing = []string{
	"inCIDR(user, ['10.0.0.0/8'])", "string(params[1]) == 'a'", "params[0].foo == 1", "params[9] == 1", "params[0] + 1 == 2", "params[0] > 1",
	"- params[0] == 1", "user[params[0]:] == 'a'", "extranonce2 == 'x'", "median(params) == 1", "mean(params) == 1", "sum(params) == 1",
	"filter(params, # == 9)[0] == 1", "any(params, #)", "user contains params[2]", "abs(params[0]) == 1", "round(params[0]) == 1",
	"int(params[0]) == 1", "int(user) == 1", "float(user) == 1", "fromBase64(user) == ''", "bitand(params[0], 1) == 1", "take(params, params[0]) == []",
	"concat(params[0], params) == []", "reverse(params[0]) == []", "join(params) == ''", "user in params[0]", "max(params) == 1",
	"replace(user, 'é', repeat('x', 1000)) == ''", "1 / (len(params) - 5) > 1 and 5 % (len(params) - 5) == 1", "flatten(params[0]) == []",
	"json(params) != '' and lookup(params[0], user, user) == ''", "trim(user, user) == ''", "withOption(user, user, 'x') == ''",
	"/*" + strings.Repeat("é", 8000) + "*/ inCIDR(user, ['10.0.0.0/8'])",
}

// TestWorstFailures fills the budget with rules that fail.
func TestWorstFailures(t *testing.T) {
	letters := strings.Repeat("\"é?,", 204)
	msg := &Message{Method: "mining.submit", Params: []any{letters, []any{1}, 1, map[string]any{}, "x"}}
	for _, text := range failing {
		t.Logf("%.60s", text)
		d := fillBudget(t, Rule{Kind: Request, Method: "mining.submit", OnError: OnErrorSkip, When: src(text)}, msg)
		if len(d.Failed) == 0 {
			t.Errorf("%.60s did not fail", text)
			continue
		}
		plainWords(t, d.Failed[0].Err)
	}
}

// TestMeasuredAnew has a rule make params too large that an earlier rule found small.
func TestMeasuredAnew(t *testing.T) {
	long := make([]any, 200)
	small := Rule{Kind: Request, Method: "m", When: src("len(params) == 2")}
	larger := Rule{Kind: Request, Method: "m", Set: []Assignment{set("params", "[params[0], params[0]]")}}
	p := mustCompile(t, small, small, larger, small)
	d := decide(t, p, Request, "m", long, nil)
	if len(d.Matched) != 3 || len(d.Failed) != 1 || d.Failed[0].Rule != 3 || d.Failed[0].Err.Detail != "params has more than 256 elements." {
		t.Errorf("%+v", d)
	}
	d = decide(t, p, Request, "m", long, long)
	if len(d.Failed) != 1 || d.Failed[0].Rule != 0 {
		t.Errorf("what was measured stays for the next message: %+v", d)
	}
	first, second := Rule{Kind: Response, Method: "*", Set: []Assignment{set("result", "[result, result]")}}, Rule{Kind: Response, Method: "*", When: src("result != nil")}
	d = &Decision{}
	mustCompile(t, second, first, second).Chain(Response, []byte("m")).Decide(&Message{Result: long}, facts{}, d)
	if len(d.Failed) != 1 || d.Failed[0].Rule != 2 {
		t.Errorf("result: %+v", d)
	}
}

package rules

import (
	"strings"
	"testing"
)

func TestRefusedRules(t *testing.T) {
	tests := []struct {
		name            string
		rule            Rule
		summary, detail string
	}{
		{"empty label", request("", ""), "Invalid method", "The method is empty."},
		{"star inside", request("min*ing", ""), "Invalid method", "A * stands only at the end"},
		{"two stars", request("mining.**", ""), "Invalid method", "A * stands only at the end"},
		{"blank", request("mining submit", ""), "Invalid method", "no blanks"},
		{"connect with a method", Rule{Kind: Connect, Method: "x"}, "Invalid method", "has no method"},
		{"no such kind", Rule{Kind: 9, Method: "x"}, "Invalid method", "does not exist"},
		{"connect drops", Rule{Kind: Connect, Drop: true}, "Outcome not possible here", "no message to drop"},
		{"connect replies", Rule{Kind: Connect, Reply: &Reply{}}, "Outcome not possible here", "no message to reply"},
		{"connect sets", Rule{Kind: Connect, Set: []Assignment{set("user", "'x'")}}, "Nothing to set", "before there is a message"},
		{"response denies", Rule{Kind: Response, Method: "m", Deny: &Deny{}}, "Outcome not possible here", "deny is for requests"},
		{"response routes", Rule{Kind: Response, Method: "m", Route: "p"}, "Outcome not possible here", "route is for requests"},
		{"notification replies", Rule{Kind: Notification, Method: "m", Reply: &Reply{}}, "Outcome not possible here", "reply is for requests"},
		{"route at submit", Rule{Kind: Request, Method: "mining.submit", Route: "p"}, "Outcome not possible here", "decided at connect, subscribe or authorize"},
		{"route for a glob", Rule{Kind: Request, Method: "mining.sub*", Route: "p"}, "Outcome not possible here", "decided at connect, subscribe or authorize"},
		{"two outcomes", Rule{Kind: Request, Method: "m", Drop: true, Deny: &Deny{}}, "More than one outcome", "deny and drop"},
		{"route and drop", Rule{Kind: Request, Method: "mining.subscribe", Drop: true, Route: "p"}, "More than one outcome", "drop and route"},
		{"response fails closed", Rule{Kind: Response, Method: "m", OnError: OnErrorDeny}, "Invalid on_error", "cannot be denied"},
		{"connect drops on error", Rule{Kind: Connect, OnError: OnErrorDrop}, "Invalid on_error", "no message to drop"},
		{"method set", request("mining.submit", "", set("method", "'x'")), "Field cannot be set", "method cannot be set in a mining.submit request."},
		{"id set", request("mining.submit", "", set("id", "1")), "Field cannot be set", "id cannot be set in a mining.submit request."},
		{"fact set", request("mining.submit", "", set("client.ip", "'x'")), "Field cannot be set", "client.ip cannot be set"},
		{"user set for a glob", request("mining.*", "", set("user", "'x'")), "Field cannot be set", "user cannot be set in a mining.* request."},
		{"field of another method", request("mining.submit", "", set("password", "'x'")), "Field cannot be set", `There is no "password" in a mining.submit request.`},
		{"field mistyped", request("mining.authorize", "", set("pasword", "'x'")), "Field cannot be set", `Did you mean "password"?`},
		{"result in a request", request("mining.submit", "", set("result", "1")), "Field cannot be set", "What can be set in a mining.submit request: extranonce2, job_id, nonce, ntime, params, user, version_bits."},
		{"params in a response", Rule{Kind: Response, Method: "m", Set: []Assignment{set("params", "[]")}}, "Field cannot be set", "params cannot be set in a m response."},
		{"set twice", request("mining.submit", "", set("user", "'x'"), set("user", "'y'")), "Field set twice", "user is set twice"},
		{"params and user", request("mining.submit", "", set("user", "'x'"), set("params", "[]")), "Field set twice", "either params or the others"},
		{"params of a difficulty", Rule{Kind: Notification, Method: setDifficulty, Set: []Assignment{set("params", "[1]")}}, "Field cannot be set", "set difficulty instead"},
		{"params of a difficulty by glob", Rule{Kind: Notification, Method: "mining.*", Set: []Assignment{set("params", "[1]")}}, "Field cannot be set", "set difficulty instead"},
		{"agent at connect", Rule{Kind: Connect, When: src("client.agent == 'x'")}, "Unknown name in expression", "client has: ip, port."},
		{"user at connect", Rule{Kind: Connect, When: src("user == 'x'")}, "Unknown name in expression", "Names in a connect rule: client, clock, listener, pool, proxy, session, upstream."},
		{"pool_user at authorize", request("mining.authorize", "pool_user == 'x'"), "Unknown name in expression", `There is no "pool_user" here.`},
		{"password for a glob", request("*", "password == 'x'"), "Unknown name in expression", "Names in a request: client, clock, listener, method, params, pool, pool_user, proxy, session, stats, upstream, user."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.rule.Origin = "rule"
			_, errs := Compile([]Rule{test.rule})
			if len(errs) != 1 {
				t.Fatalf("%d errors: %v", len(errs), errs)
			}
			if e := errs[0]; e.Summary != test.summary || !strings.Contains(e.Detail, test.detail) || e.Origin == nil {
				t.Errorf("%v: %s", e.Origin, e.Error())
			}
		})
	}
}

func TestAllowedRules(t *testing.T) {
	mustCompile(t,
		Rule{Kind: Connect, Deny: &Deny{}}, Rule{Kind: Connect, Route: "p"},
		Rule{Kind: Request, Method: "mining.authorize", Route: "p"},
		Rule{Kind: Request, Method: "mining.subscribe", Route: "p", Set: []Assignment{set("agent", "'x'")}},
		Rule{Kind: Request, Method: "agent.unheard_of", When: src("len(params) > 1 and user == pool_user"), Set: []Assignment{set("params", "[]")}},
		Rule{Kind: Response, Method: "*", Drop: true}, Rule{Kind: Notification, Method: "client.*", Drop: true},
		Rule{Kind: Notification, Method: "client.*", Set: []Assignment{set("params", "[]")}},
		Rule{Kind: Response, Method: "mining.configure", When: src("len(extensions) > 1"), Set: []Assignment{set("result", "{a: 1}"), set("error", "nil")}},
	)
}

func TestDifficultyReachesTheMiner(t *testing.T) {
	scope := &Scope{Var: map[string]any{"silenced": []any{"client.show_message"}, "unknown": "x"}, Typed: map[string]bool{"var.unknown": true}}
	tests := []struct {
		method, when string
		onError      bool // instead of drop
		ok           bool
	}{
		{method: setDifficulty},
		{method: setDifficulty, when: "difficulty < 10"},
		{method: setDifficulty, when: "method == 'x'"},
		{method: setDifficulty, when: "difficulty < 10", onError: true},
		{method: "*"},
		{method: "mining.*", when: "len(params) > 3"},
		{method: "mining.set_*", when: "method != 'mining.set_extranonce'"},
		{method: "*", when: "method == 'mining.notify' or len(params) > 3"},
		{method: "*", when: "method startsWith 'mining.'"},
		{method: "*", when: "not (method == 'mining.set_difficulty' and len(params) > 3)"},
		{method: "*", when: "let m = method; m == 'x' or user == ''"},
		{method: "*", when: "len(params) > 3 and method == 'mining.notify'", onError: true},
		{method: "*", when: "string(params[0]) == 'mining.notify'"},

		{method: "mining.notify", ok: true},
		{method: "client.*", ok: true},
		{method: "*", when: "method == 'mining.notify'", ok: true},
		{method: "*", when: "len(params) > 3 and method == 'mining.notify' and user == 'a'", ok: true},
		{method: "*", when: "method != 'mining.set_difficulty' and len(params) > 3", ok: true},
		{method: "*", when: "not (method matches 'set_difficulty$')", ok: true},
		{method: "*", when: "method in ['mining.notify', 'client.reconnect']", ok: true},
		{method: "*", when: "method in var.silenced", ok: true},
		{method: "*", when: "not (method startsWith 'mining.')", ok: true},
		{method: "*", when: "method == var.unknown", ok: true},
		{method: "*", when: "method == 'mining.notify' and len(params) > 3", onError: true, ok: true},
	}
	for _, test := range tests {
		r := Rule{Kind: Notification, Method: test.method, Scope: scope, Drop: !test.onError, Origin: "rule"}
		if test.when != "" {
			r.When = src(test.when)
		}
		if test.onError {
			r.OnError = OnErrorDrop
		}
		_, errs := Compile([]Rule{r})
		if test.ok != (len(errs) == 0) || len(errs) > 0 && (len(errs) > 1 || errs[0].Summary != "Difficulty must reach the miner" || errs[0].Origin != "rule") {
			t.Errorf("%+v: %v", test, errs)
		}
	}
	if _, errs := Compile([]Rule{{Kind: Notification, Method: "*", When: src("methd == 'x'"), Drop: true}}); len(errs) != 1 {
		t.Errorf("a broken condition: %v", errs)
	}
}

func TestDifficultyOnlyRises(t *testing.T) {
	scope := &Scope{Var: map[string]any{"floor": 1024, "other": 2048, "half": 0.5, "twice": 2.0, "less": -1}}
	tests := []struct {
		when, value string
		ok          bool
	}{
		{"", "max(difficulty, var.floor)", true},
		{"", "max(var.floor, difficulty)", true},
		{"", "max(1, 2, difficulty, 3)", true},
		{"difficulty < var.floor", "var.floor", true},
		{"difficulty <= var.floor", "var.floor", true},
		{"var.floor > difficulty", "var.floor", true},
		{"var.floor >= difficulty", "var.floor", true},
		{"pool == 'a' and difficulty < var.floor and true", "var.floor", true},
		{"difficulty < float(client.agent)", "float(client.agent)", true},
		{"", "difficulty * 2", true},
		{"", "var.twice * difficulty", true},
		{"", "difficulty + 0", true},
		{"", "1 + difficulty", true},
		{"", "difficulty", true},
		{"", "var.floor", false},
		{"", "min(difficulty, var.floor)", false},
		{"difficulty < var.other", "var.floor", false},
		{"difficulty > var.floor", "var.floor", false},
		{"var.floor < difficulty", "var.floor", false},
		{"pool == 'a' or difficulty < var.floor", "var.floor", false},
		{"not (difficulty < var.floor)", "var.floor", false},
		{"", "difficulty * var.half", false},
		{"", "difficulty * -2", false},
		{"", "difficulty + -1", false},
		{"", "difficulty + var.less", false},
		{"", "difficulty - 1", false},
		{"", "difficulty / 2", false},
		{"", "difficulty * session.age", false},
		{"", "1024", false},
		{"", "let d = 5; max(difficulty, d)", false},
	}
	for _, test := range tests {
		t.Run(test.when+" "+test.value, func(t *testing.T) {
			r := Rule{Kind: Notification, Method: setDifficulty, Scope: scope, Set: []Assignment{set("difficulty", test.value)}}
			if test.when != "" {
				r.When = src(test.when)
			}
			_, errs := Compile([]Rule{r})
			if ok := len(errs) == 0; ok != test.ok {
				t.Errorf("allowed %v: %v", ok, errs)
			}
			if len(errs) > 0 && (len(errs) != 1 || errs[0].Summary != "Difficulty could fall below the pool's" || errs[0].Origin != test.value) {
				t.Errorf("%v", errs)
			}
		})
	}
}

func TestDifficultyIsCheckedOnceMore(t *testing.T) {
	p := mustCompile(t, Rule{Kind: Notification, Method: setDifficulty, Set: []Assignment{set("difficulty", "difficulty * 2")}})
	if d := decide(t, p, Notification, setDifficulty, -4); len(d.Failed) != 1 || d.Params[0] != -4 {
		t.Errorf("-4 became %v; failed %v", d.Params, d.Failed)
	}
	if d := decide(t, p, Notification, setDifficulty, 16); d.Params[0] != 32 || len(d.Failed) != 0 {
		t.Errorf("16 became %v", d.Params)
	}
	// The suggestion of a miner is its own business.
	p = mustCompile(t, request("mining.suggest_difficulty", "", set("difficulty", "1")))
	if d := decide(t, p, Request, "mining.suggest_difficulty", 512); d.Params[0] != 1 {
		t.Errorf("%v", d.Params)
	}
}

func TestChains(t *testing.T) {
	number := func(k Kind, method string) Rule { return Rule{Kind: k, Method: method} }
	p := mustCompile(t,
		number(Request, "*"), number(Request, "mining.*"), number(Request, "mining.submit"),
		number(Request, "mining.s*"), number(Request, "agent.x"), number(Response, "mining.submit"), number(Request, "mining.*"),
	)
	tests := []struct {
		kind   Kind
		method string
		want   []int
	}{
		{Request, "mining.submit", []int{0, 1, 2, 3, 6}},
		{Request, "mining.subscribe", []int{0, 1, 3, 6}},
		{Request, "mining.s", []int{0, 1, 3, 6}},
		{Request, "mining.secret", []int{0, 1, 3, 6}},
		{Request, "mining.authorize", []int{0, 1, 6}},
		{Request, "mining.ping", []int{0, 1, 6}},
		{Request, "agent.x", []int{0, 4}},
		{Request, "agent.y", []int{0}},
		{Request, "", []int{0}},
		{Response, "mining.submit", []int{5}},
		{Response, "mining.subscribe", nil},
		{Notification, "mining.notify", nil},
		{Connect, "", nil},
		{9, "mining.submit", nil},
	}
	for _, test := range tests {
		d := &Decision{}
		p.Chain(test.kind, []byte(test.method)).Decide(&Message{Method: test.method}, nil, d)
		if len(d.Matched) != len(test.want) {
			t.Errorf("%v %s: %v, want %v", test.kind, test.method, d.Matched, test.want)
			continue
		}
		for i := range test.want {
			if d.Matched[i] != test.want[i] {
				t.Errorf("%v %s: %v, want %v", test.kind, test.method, d.Matched, test.want)
			}
		}
	}
}

func TestMethodIsRightInEveryChain(t *testing.T) {
	p := mustCompile(t, request("*", "method == 'mining.submit' or method == 'x.y'"))
	for method, want := range map[string]int{"mining.submit": 1, "x.y": 1, "mining.authorize": 0, "x.z": 0} {
		if d := decide(t, p, Request, method); len(d.Matched) != want {
			t.Errorf("%s: %v", method, d.Matched)
		}
	}
}

func TestUses(t *testing.T) {
	p := mustCompile(t,
		request("mining.submit", "nonce == 'x' and client.ip == 'y'", set("job_id", "'j'")),
		request("mining.authorize", "any(params, # == 'x')"),
		request("mining.*", "user == 'x'"),
		Rule{Kind: Response, Method: "mining.submit", When: src("result == true and user == 'x'"), Set: []Assignment{set("error", "nil")}},
		Rule{Kind: Notification, Method: "mining.notify", When: src("clean_jobs")},
	)
	tests := []struct {
		kind   Kind
		method string
		want   Uses
	}{
		{Request, "mining.submit", Uses{Params: 1<<4 | 1<<1 | 1}},
		{Request, "mining.authorize", Uses{Params: 1, AllParams: true}},
		{Request, "mining.subscribe", Uses{}},
		{Request, "mining.other", Uses{}},
		{Response, "mining.submit", Uses{Params: 1, Result: true, Error: true}},
		{Notification, "mining.notify", Uses{Params: 1 << 8}},
	}
	for _, test := range tests {
		if got := p.Chain(test.kind, []byte(test.method)).Uses(); got != test.want {
			t.Errorf("%v %s: %+v, want %+v", test.kind, test.method, got, test.want)
		}
	}
}

func TestMapsNames(t *testing.T) {
	tests := []struct {
		rule Rule
		want bool
	}{
		{request("mining.authorize", "", set("user", "'x'")), true},
		{request("mining.auth*", "", set("params", "[]")), true},
		{request("*", "", set("params", "[]")), true},
		{request("mining.authorize", "", set("password", "'x'")), false},
		{request("mining.submit", "", set("user", "'x'")), false},
		{request("mining.sub*", "", set("params", "[]")), false},
		{Rule{Kind: Notification, Method: "client.*", Set: []Assignment{set("params", "[]")}}, false},
	}
	for _, test := range tests {
		if got := mustCompile(t, test.rule).MapsNames(); got != test.want {
			t.Errorf("%+v: %v", test.rule, got)
		}
	}
}

func TestReferenceIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range Vocabularies() {
		for _, n := range v.Names {
			if n.Name == "" || n.Doc == "" || n.Type == "" {
				t.Errorf("%v %s: %+v", v.Kind, v.Method, n)
			}
			seen[v.Kind.String()+" "+v.Method+" "+n.Name] = true
		}
	}
	for _, want := range []string{"connect  client.ip", "request * user", "request mining.authorize password", "request mining.authorize user", "response mining.submit nonce", "notification mining.notify clean_jobs"} {
		if !seen[want] {
			t.Errorf("%s is missing", want)
		}
	}
	for _, f := range Functions() {
		if f.Usage == "" || f.Doc == "" || functions[f.Name].weigh == nil {
			t.Errorf("%+v", f)
		}
	}
}

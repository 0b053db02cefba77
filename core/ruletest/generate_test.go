package ruletest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/ruletest"
	"github.com/loka-proxy/loka/rules"
)

// dice makes random policies and conversations out of what operators, miners and pools
// write, and of what they should not.
type dice struct{ *rand.Rand }

func pick[T any](d dice, list ...T) T { return list[d.IntN(len(list))] }

// policy gives the rules of a proxy, as text. Not all of them load.
func (d dice) rules() string {
	var b strings.Builder
	for i := range 1 + d.IntN(6) {
		kind := pick(d, "connect", "request", "request", "request", "request", "response", "notification")
		switch kind {
		case "connect":
			fmt.Fprintf(&b, "connect \"r%d\" {\n  when = \"client.port %% %d == 0\"\n  %s\n}\n", i, 2+d.IntN(9), pick(d, "deny {}", "route { pool = pool.q }"))
		case "request":
			method := pick(d, "mining.subscribe", "mining.authorize", "mining.submit", "mining.configure", "mining.suggest_difficulty", "mining.*", "*", "foo.bar")
			fmt.Fprintf(&b, "request %q \"r%d\" {\n%s%s}\n", method, i, d.when(method), d.requestOutcome(method))
		case "response":
			method := pick(d, "mining.subscribe", "mining.authorize", "mining.submit", "*")
			fmt.Fprintf(&b, "response %q \"r%d\" {\n%s%s}\n", method, i, d.when("response"), pick(
				d, "drop {}\n", "set { error = \"[24, 'no', nil]\" }\n", "set { result = \"true\" }\n", "set {\n  result = \"nil\"\n  error = \"[params, pool_user]\"\n}\n", "set { error = \"params[7]\" }\n"))
		default:
			method := pick(d, "mining.notify", "mining.set_difficulty", "client.show_message", "client.reconnect", "client.*", "mining.*")
			fmt.Fprintf(&b, "notification %q \"r%d\" {\n%s%s}\n", method, i, d.when("notification"), d.notificationOutcome(method))
		}
	}
	return b.String()
}

func (d dice) when(method string) string {
	conditions := []string{
		"len(params) > 1", "len(params) == 0", "get(params, 0) == 'a'", "params[1] == 'x'", "user startsWith 'a'",
		"method endsWith 't'", "pool endsWith 'q'", "client.agent == 'cpuminer'", "toJSON(params) contains 'b'", "user in ['a.b', 'é']",
	}
	switch method {
	case "mining.authorize":
		conditions = append(conditions, "password != 'x'", "user matches '^[a-z.]+$'", "len(user) > 3")
	case "mining.submit":
		conditions = append(conditions, "len(nonce) < 8", "pool_user == ''", "version_bits != ''")
	case "response":
		conditions = append(conditions, "ok", "not ok", "error != nil", "result == true", "get(params, 0) == user")
	}
	if d.IntN(4) == 0 {
		return ""
	}
	return fmt.Sprintf("  when = %q\n", pick(d, conditions...))
}

func (d dice) requestOutcome(method string) string {
	outcomes := []string{
		"set { params = \"params[:1]\" }", "set { params = \"[user, 1.5, nil, {a: [true]}]\" }", "deny {}", "deny {\n  code = 24\n  message = \"no \\u00e9\"\n}",
		"reply { result = \"true\" }", "reply {\n  result = \"params\"\n  error = \"nil\"\n}", "drop {}", "set { params = \"[params[3]]\" }\non_error = \"skip\"",
		"set { params = \"[params[2]]\" }\non_error = \"drop\"", "set { params = \"params\" }\nstop = true",
	}
	switch method {
	case "mining.subscribe":
		outcomes = append(outcomes, "route { pool = pool.q }", "route { pool = pool.q }", "set { agent = \"agent + '/1'\" }", "set {\n  agent = \"session_id\"\n  session_id = \"agent\"\n}")
	case "mining.authorize":
		outcomes = append(outcomes, "set { user = \"'W.' + replace(user, '.', '_')\" }", "set {\n  user = \"lower(user) + '.' + password\"\n  password = \"user\"\n}", "set { user = \"user + '.x'\" }", "set { user = \"repeat(user, 64)\" }")
	case "mining.submit":
		outcomes = append(outcomes, "set { nonce = \"'0' + nonce\" }", "set { user = \"'a.b'\" }", "set { version_bits = \"'0000'\" }")
	case "mining.configure":
		outcomes = append(outcomes, "set { options = \"{}\" }")
	case "mining.suggest_difficulty":
		outcomes = append(outcomes, "set { difficulty = \"difficulty * 2\" }")
	}
	return pick(d, outcomes...) + "\n"
}

func (d dice) notificationOutcome(method string) string {
	outcomes := []string{"drop {}", "set { params = \"params + [1]\" }", "set { params = \"[]\" }"}
	switch method {
	case "mining.set_difficulty":
		return "set { difficulty = \"max(difficulty, 1024)\" }\n"
	case "mining.notify":
		outcomes = append(outcomes, "set { clean_jobs = \"true\" }", "set { job_id = \"job_id + 'x'\" }")
	}
	return pick(d, outcomes...) + "\n"
}

// test gives the conversation of a test: what a miner and a pool could say next, a step at
// a time.
func (d dice) test(p *policy.Policy, client policy.Client, connects bool) (*policy.Test, *ruletest.Result) {
	t := &policy.Test{Policy: p, Proxy: p.Proxies[0], Client: client, Clock: time.Now()}
	if connects {
		t.Steps = append(t.Steps, &policy.Step{Kind: rules.Connect})
	}
	r := ruletest.Run(t, ruletest.Options{})
	for range 2 + d.IntN(10) {
		if over(r) {
			break
		}
		t.Steps = append(t.Steps, d.step(r))
		r = ruletest.Run(t, ruletest.Options{})
	}
	return t, r
}

// over reports whether the session has ended.
func over(r *ruletest.Result) bool {
	return slices.ContainsFunc(r.Steps, func(s *ruletest.StepResult) bool {
		return s.Outcome.Closed || s.Outcome.Kind == rules.Connect && s.Outcome.Verdict != ruletest.Forward
	})
}

func (d dice) step(r *ruletest.Result) *policy.Step {
	open := unanswered(r)
	said := slices.ContainsFunc(r.Steps, func(s *ruletest.StepResult) bool { return len(s.Outcome.Pool) > 0 })
	switch n := d.IntN(10); {
	case n < 3 && len(open) > 0:
		return &policy.Step{Kind: rules.Response, Method: pick(d, open...), Result: pick[any](d, true, true, false, nil, []any{"x"}), Error: pick[any](d, nil, nil, nil, []any{23, "low"})}
	case n < 5 && said:
		return d.notification(heard(r))
	}
	return &policy.Step{Kind: rules.Request, Line: d.request()}
}

// unanswered lists the methods of the requests that a pool could answer.
func unanswered(r *ruletest.Result) (methods []string) {
	for _, s := range r.Steps {
		if s.Step.Kind == rules.Response {
			at := slices.Index(methods, s.Step.Method)
			methods = slices.Delete(methods, at, at+1)
			continue
		}
		for line := range bytes.Lines(s.Outcome.Pool) {
			var m struct {
				Method string
				ID     json.RawMessage
			}
			if json.Unmarshal(line, &m) == nil && m.ID != nil && m.Method != "" {
				methods = append(methods, m.Method)
			}
		}
	}
	return methods
}

// heard reports whether the pool has said anything.
func heard(r *ruletest.Result) bool {
	return slices.ContainsFunc(r.Steps, func(s *ruletest.StepResult) bool { return s.Step.Kind > rules.Request })
}

func (d dice) notification(heard bool) *policy.Step {
	lines := []string{
		`{"id":null,"method":"mining.set_difficulty","params":[512]}`, `{"id":null,"method":"mining.set_difficulty","params":["x"]}`,
		`{"params":["6a1f","00","01","02",[],"20000000","1d00ffff","66a0b1c2",false],"method":"mining.notify","id":null}`,
		`{"id":7,"method":"client.show_message","params":["hello \u00e9"]}`, `{"id":null,"method":"client.reconnect","params":["elsewhere",3333,0]}`,
		`{"id":99,"result":true,"error":null}`, `{"method":"mining.Notify","params":[]}`, `{"id":null,"method":"client.get_version","params":{}}`,
	}
	if heard { // a pool that begins with noise is no pool
		lines = append(lines, "Invalid JSON, disconnecting", "")
	}
	return &policy.Step{Kind: rules.Notification, Line: pick(d, lines...)}
}

func (d dice) request() string {
	name := pick(d, "a.b", "a.b", "a", "J.T", "é", `x\u0041`, "", strings.Repeat("n", 40))
	id := pick(d, "1", "2", "4", "4", "4", `"four"`, "null", "4.0")
	params := pick(d, `["cpuminer"]`, `["cpuminer", "1"]`, `[]`, `["`+name+`"]`, `{}`, `null`, `[1,2.50,[{"k":"b"}]]`)
	method := pick(d, "mining.subscribe", "mining.subscribe", "mining.authorize", "mining.authorize", "mining.submit", "mining.submit", "mining.submit",
		"mining.configure", "mining.suggest_difficulty", "mining.extranonce.subscribe", "foo.bar", "mining.auth", `mining.sub\u006dit`)
	switch {
	case method == "mining.authorize" && d.IntN(8) > 0:
		params = pick(d, `["`+name+`","x"]`, `["`+name+`", "p;d=1"]`)
	case method == "mining.submit" && d.IntN(8) > 0:
		params = pick(d, `["`+name+`","6a1f","00","66a0b1c2","deadbeef"]`, `["`+name+`", "6a1f", "00", "66a0b1c2", "beef", "2000"]`)
	case method == "mining.suggest_difficulty" && d.IntN(4) > 0:
		params = pick(d, `[512]`, `["512"]`, `[512.5]`)
	}
	return pick(
		d,
		`{"id":`+id+`,"method":"`+method+`","params":`+params+`}`,
		`{"id": `+id+`, "method": "`+method+`", "params": `+params+`}`,
		`{"params":`+params+`,"method":"`+method+`","id":`+id+`}`,
		`{"id":`+id+`,"method":"`+method+`","params":`+params+`,"jsonrpc":"2.0"}`+pick(d, "", "", "", "", "\r", "x"),
	)
}

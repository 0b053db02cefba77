package rules

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// checkError holds what every error promises.
func checkError(t *testing.T, e *Error, length int) {
	t.Helper()
	whole := e.From == -1 && e.To == -1
	if !whole && (e.From < 0 || e.From >= e.To || e.To > length) {
		t.Errorf("bounds %d-%d in %d runes: %s", e.From, e.To, length, e.Error())
	}
	if e.Detail == stumbled {
		t.Errorf("a panic: %v", e.Origin)
	}
	if e.Summary == "" || e.Detail == "" {
		t.Errorf("says nothing: %+v", e)
	}
}

// FuzzCompile looks for texts that do more than give an error: a panic, or bounds that
// lie outside of the text.
func FuzzCompile(f *testing.F) {
	for _, r := range house() {
		for _, x := range sources(r) {
			f.Add(x.Text)
		}
	}
	for _, h := range heavy {
		f.Add(h.when)
	}
	for _, text := range []string{"", "ok = false", "'ä' + x", "let a = 1; a", "if a {b} else {c}", "#", "a?.b", "{a: 1}", "b'x'", "'\\u{41}'", "1 ?? 2 or 3", "::len(x)", "/* x", "any(params, {#})", "map(params, #index)", "\xff'", "client?.[0]", "clock.hour in 22", "upstream('pool.b').up", "upstream('a')?.reject_rate > (session.pool == 'b' ? .02 : .05)", "upstream(user).up", "upstream()", "upstream(upstream('a').up)['up']", "upstream('\\x00\"').up"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rules := []Rule{
			{Kind: Request, Method: "mining.authorize", Scope: goldenScope, When: src(text), Set: []Assignment{set("user", text)}, Reply: &Reply{Result: src(text)}},
			{Kind: Response, Method: "*", When: src(text)},
			{Kind: Notification, Method: setDifficulty, Scope: goldenScope, Set: []Assignment{set("difficulty", text)}},
		}
		for _, r := range rules {
			p, errs := Compile([]Rule{r})
			for _, e := range errs {
				checkError(t, e, utf8.RuneCountInString(text))
			}
			if p == nil {
				continue
			}
			d := &Decision{Trace: true}
			method := strings.Replace(r.Method, "*", "mining.submit", 1)
			for _, params := range [][]any{nil, {"a", "b"}, {1, nil, []any{"x", map[string]any{"y": 0.5}}}} {
				p.Chain(r.Kind, []byte(method)).Decide(&Message{Method: method, Params: params}, facts{}, d)
				for _, failure := range d.Failed {
					checkError(t, failure.Err, utf8.RuneCountInString(text))
				}
			}
		}
	})
}

func sources(r Rule) []Source {
	var list []Source
	if r.When != nil {
		list = append(list, *r.When)
	}
	for _, a := range r.Set {
		list = append(list, a.Value)
	}
	return list
}

// FuzzDecide sends random messages through the rules of the reference. What comes out
// can be written as a message, and what no rule matched is as it was.
func FuzzDecide(f *testing.F) {
	p := mustCompile(f, house()...)
	f.Add(byte(1), "mining.authorize", `["john.test","x"]`, "10.1.2.3")
	f.Add(byte(1), "mining.subscribe", `["cpuminer/2.5.1","1"]`, "10.9.0.1")
	f.Add(byte(3), "mining.set_difficulty", `[16]`, "")
	f.Add(byte(3), "mining.set_difficulty", `["0.5"]`, "")
	f.Add(byte(2), "mining.authorize", `[null,{},[[]]]`, "x")
	f.Add(byte(1), "x", `[]`, "x")
	f.Fuzz(func(t *testing.T, kind byte, method, text, ip string) {
		var params []any
		if json.Unmarshal([]byte(text), &params) != nil || len(text) > messageLimit {
			return
		}
		before := slices.Clone(params)
		d := &Decision{Trace: true}
		p.Chain(Kind(kind%4), []byte(method)).Decide(&Message{Method: method, Params: params}, facts{ClientIP: ip}, d)
		holds(t, p, d, before)
		if !reflect.DeepEqual(params, before) {
			t.Error("the message itself was changed")
		}
	})
}

// holds checks what is true of every decision.
func holds(t *testing.T, p *Program, d *Decision, before []any) {
	t.Helper()
	if _, err := json.Marshal([]any{d.Params, d.Result, d.Error}); err != nil {
		t.Errorf("cannot be written: %v", err)
	}
	if len(d.Matched) == 0 && (d.Changed() || !reflect.DeepEqual(d.Params, before) && len(before) > 0) {
		t.Errorf("changed without a match: %+v", d)
	}
	if !d.ParamsSet {
		for i := range before {
			if d.Edited>>i&1 == 0 && !reflect.DeepEqual(d.Params[i], before[i]) {
				t.Errorf("element %d changed without a mark", i)
			}
		}
	}
	if (d.By >= 0) != (d.Verdict != Forward) || d.By >= len(p.Rules()) {
		t.Errorf("verdict %v by %d", d.Verdict, d.By)
	}
	if !slices.IsSorted(d.Matched) {
		t.Errorf("matched %v", d.Matched)
	}
}

// TestRandomRules makes small rule lists of random parts and sends random messages
// through them.
func TestRandomRules(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	conditions := []string{"user == 'a'", "len(params) > 1", "params[0] == 1", "true", "false", "params[3] == nil", "user startsWith 'a'", "any(params, # == 'b')", "string(params[0]) matches '^.$'", "client.ip == ''", "clock.hour > 3", "upstream('pool.b').up", "upstream.sessions / stats.accepted < 1", "1 / len(params) > 0.4"}
	values := []string{"user", "user + 'x'", "'a'", "string(params[1])", "upper(user)", "params[0] == 1 ? 'b' : user", "split(user, 'a')[1]", "json(params)"}
	lists := []string{"params[:1]", "[user]", "[params[0], 1/0]", "params", "reverse(params)", "[1, 'b', nil]"}
	methods := []string{"mining.authorize", "mining.submit", "mining.*", "*", "x.y"}
	ran := 0
	for range 400 {
		var list []Rule
		for range 1 + random.IntN(4) {
			r := Rule{Kind: Request, Method: pick(methods...), OnError: OnError(random.IntN(4)), Stop: random.IntN(5) == 0}
			if random.IntN(3) > 0 {
				r.When = src(pick(conditions...))
			}
			switch random.IntN(6) {
			case 0:
				r.Deny = &Deny{}
			case 1:
				r.Drop = true
			case 2:
				r.Reply = &Reply{Result: src(pick(lists...))}
			case 3:
				r.Set = []Assignment{set("params", pick(lists...))}
			case 4:
				if r.Method == "mining.authorize" || r.Method == "mining.submit" {
					r.Set = []Assignment{set("user", pick(values...))}
				}
			}
			list = append(list, r)
		}
		p, errs := Compile(list)
		if p == nil {
			for _, e := range errs {
				t.Error(e)
			}
			continue
		}
		d := &Decision{Trace: random.IntN(2) == 0}
		for range 10 {
			method := strings.TrimSuffix(pick(methods...), "*")
			var params []any
			for range random.IntN(4) {
				params = append(params, []any{"a", "b", 1, nil, true, 0.5, []any{"x"}, "Ünal", map[string]any{}}[random.IntN(9)])
			}
			before := slices.Clone(params)
			p.Chain(Request, []byte(method)).Decide(&Message{Method: method, Params: params}, facts{}, d)
			holds(t, p, d, before)
			ran++
		}
	}
	if ran < 1000 {
		t.Errorf("only %d messages", ran)
	}
}

func TestManyGoroutinesShareAProgram(t *testing.T) {
	p := mustCompile(t, house()...)
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			d := &Decision{}
			for i := range 500 {
				name := fmt.Sprintf("w%d.%d", g, i)
				p.Chain(Request, []byte("mining.authorize")).Decide(&Message{Method: "mining.authorize", Params: []any{name, "x"}}, facts{}, d)
				if want := wallet + "." + strings.Replace(name, ".", "_", 1); d.Params[0] != want {
					t.Errorf("%v, want %s", d.Params[0], want)
					return
				}
			}
		})
	}
	wait.Wait()
}

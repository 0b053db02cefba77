package rules

import "testing"

// src is an expression whose origin is its own text.
func src(text string) *Source { return &Source{Text: text, Origin: text} }

// set is an assignment whose origin is its field.
func set(field, text string) Assignment {
	return Assignment{Field: field, Value: *src(text), Origin: field}
}

// facts answers with fixed values; what it lacks is the type's zero value.
type facts map[Name]any

func (f facts) Fact(n Name) any {
	if v, ok := f[n]; ok {
		return v
	}
	switch n {
	case ClientPort, ClockMinute, ClockHour, ClockWeekday, ClockDay, ClockMonth, StatsSubmitted, StatsAccepted, StatsRejected, UpstreamSessions:
		return 0
	case SessionAge, StatsRejectRate, StatsHashrate, UpstreamRejectRate, UpstreamLatency, UpstreamHashrate:
		return 0.0
	case UpstreamUp:
		return true
	}
	return ""
}

// Figure gives for every pool what the names without one have.
func (f facts) Figure(_ string, n Name) any { return f.Fact(n) }

func mustCompile(t testing.TB, list ...Rule) *Program {
	t.Helper()
	p, errs := Compile(list)
	for _, e := range errs {
		t.Errorf("%v: %d-%d %s", e.Origin, e.From, e.To, e.Error())
	}
	if len(errs) > 0 {
		t.FailNow()
	}
	return p
}

// decide runs the rules on one request.
func decide(t testing.TB, p *Program, k Kind, method string, params ...any) *Decision {
	t.Helper()
	d := &Decision{Trace: true}
	p.Chain(k, []byte(method)).Decide(&Message{Method: method, Params: params}, facts{}, d)
	return d
}

const wallet = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"

// house is the rules of the complete policy in the language reference.
func house() []Rule {
	scope := &Scope{Var: map[string]any{
		"wallet": wallet, "allow": []any{"10.0.0.0/8", "192.168.0.0/16"},
		"aliases": map[string]any{}, "min_difficulty": 1024,
	}}
	list := []Rule{
		{Address: "known_networks", Kind: Connect, When: src("not inCIDR(client.ip, var.allow)"), Deny: &Deny{}},
		{Address: "trim_session", Kind: Request, Method: "mining.subscribe", When: src("len(params) > 1"), Set: []Assignment{set("params", "params[:1]")}},
		{Address: "valid_name", Kind: Request, Method: "mining.authorize", When: src("not (user matches '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$')"), Deny: &Deny{Code: 24, Message: "Unauthorized worker"}},
		{Address: "house_wallet", Kind: Request, Method: "mining.authorize", When: src("not (user startsWith var.wallet)"), Set: []Assignment{
			set("user", "let name = lookup(var.aliases, user, user);\nvar.wallet + \".\" + replace(name, \".\", \"_\")"),
			set("password", "'x'"),
		}},
		{Address: "keep_ours", Kind: Request, Method: "mining.suggest_difficulty", Reply: &Reply{Result: src("true")}},
		{Address: "known_methods", Kind: Request, Method: "*", When: src("not (method startsWith 'mining.')"), Deny: &Deny{Code: 20, Message: "Method not found"}},
		{Address: "say_where", Kind: Response, Method: "mining.authorize", When: src("not ok"), Set: []Assignment{set("error", "[24, 'refused by ' + pool, nil]")}},
		{Address: "floor", Kind: Notification, Method: "mining.set_difficulty", When: src("difficulty < var.min_difficulty"), Set: []Assignment{set("difficulty", "var.min_difficulty")}},
		{Address: "stay", Kind: Notification, Method: "client.reconnect", Drop: true},
		{Address: "rental_rigs", Kind: Request, Method: "mining.subscribe", When: src("inCIDR(client.ip, ['10.9.0.0/16'])"), Route: "pool.rental"},
	}
	for i := range list {
		list[i].Scope = scope
		list[i].Origin = list[i].Address
	}
	return list
}

func TestHouse(t *testing.T) {
	p := mustCompile(t, house()...)
	d := decide(t, p, Request, "mining.authorize", "john.test", "secret")
	if d.Verdict != Forward || d.Params[0] != wallet+".john_test" || d.Params[1] != "x" || !d.UserSet || d.Edited != 3 {
		t.Errorf("authorize: %+v", d)
	}
	if !p.MapsNames() {
		t.Error("MapsNames is false")
	}
}

func BenchmarkAuthorize(b *testing.B) {
	p := mustCompile(b, house()...)
	msg := &Message{Method: "mining.authorize", Params: []any{"john.test", "secret"}}
	var f Facts = facts{}
	d := &Decision{}
	method := []byte("mining.authorize")
	b.ReportAllocs()
	for b.Loop() {
		p.Chain(Request, method).Decide(msg, f, d)
	}
}

func BenchmarkSubmitUnmatched(b *testing.B) {
	p := mustCompile(b, house()...)
	msg := &Message{Method: "mining.submit", Params: []any{"john.test", "6a1f", "00000000", "66a0b1c2", "deadbeef"}}
	var f Facts = facts{}
	d := &Decision{}
	method := []byte("mining.submit")
	b.ReportAllocs()
	for b.Loop() {
		p.Chain(Request, method).Decide(msg, f, d)
	}
}

func BenchmarkSubscribe(b *testing.B) {
	p := mustCompile(b, house()...)
	var f Facts = facts{ClientIP: "10.1.2.3"}
	msg := &Message{Method: "mining.subscribe", Params: []any{"cpuminer/2.5.1"}}
	d := &Decision{}
	method := []byte("mining.subscribe")
	b.ReportAllocs()
	for b.Loop() {
		p.Chain(Request, method).Decide(msg, f, d)
	}
}

func BenchmarkMethodWithoutRules(b *testing.B) {
	p := mustCompile(b, house()[6:9]...)
	method := []byte("mining.submit")
	b.ReportAllocs()
	for b.Loop() {
		if p.Chain(Request, method) != nil {
			b.Fatal("a chain")
		}
	}
}

func BenchmarkCompileHouse(b *testing.B) {
	list := house()
	b.ReportAllocs()
	for b.Loop() {
		Compile(list)
	}
}

func newCompilation() *compilation {
	return &compilation{Compiler: NewCompiler(), typed: map[typedKey]*configured{}}
}

package rules

import (
	"strings"
	"testing"
)

// figures answers for two pools.
type figures struct{ facts }

func (f figures) Figure(pool string, n Name) any {
	switch {
	case pool == `pool.site["x"]` && n == UpstreamSessions:
		return 7
	case pool == "pool.b" && n == UpstreamRejectRate:
		return 0.25
	case pool == "pool.b" && n == UpstreamUp:
		return false
	}
	return f.facts.Figure(pool, n)
}

// withPools compiles under a policy with some pools.
func withPools(list ...Rule) (*Program, []*Error) {
	c := NewCompiler()
	c.Pools = []string{"pool.a", "pool.b", `pool.site["x"]`}
	return c.Compile(list)
}

// TestFigures asks for figures of the pool in use and of others, under names and texts
// that mean the same.
func TestFigures(t *testing.T) {
	f := figures{facts{UpstreamRejectRate: 0.5, ClockHour: 22, ClockWeekday: 7, StatsHashrate: 1e14, SessionPool: "pool.b"}}
	scope := &Scope{Var: map[string]any{"other": "pool.b"}}
	for _, text := range []string{
		"upstream.reject_rate == 0.5",
		"upstream('pool.b').reject_rate == 0.25",
		"not upstream('pool.b').up and upstream('pool.a').up",
		"upstream(var.other).reject_rate < upstream.reject_rate",
		"upstream('pool.' + 'b').reject_rate == 0.25",
		"upstream('pool.b')['reject_rate'] == 0.25",
		"upstream('pool.b')?.reject_rate == 0.25",
		`upstream('pool.site["x"]').sessions == 7`,
		"upstream('pool.b').reject_rate + upstream('pool.b').reject_rate == 0.5",
		"let r = upstream('pool.b').reject_rate; r > (session.pool == 'pool.b' ? 0.02 : 0.05)",
		"max(upstream('pool.a').reject_rate, upstream('pool.b').reject_rate) == 0.5",
		"clock.hour >= 22 and clock.weekday in [6, 7] and clock.minute == 0 and clock.day + clock.month == 0",
		"stats.hashrate > 90e12 and stats.submitted == stats.accepted + stats.rejected",
	} {
		p, errs := withPools(Rule{Kind: Request, Method: "mining.subscribe", When: src(text), Route: "pool.b", Scope: scope})
		if len(errs) > 0 {
			t.Errorf("%s: %v", text, errs)
			continue
		}
		d := &Decision{}
		p.Chain(Request, []byte("mining.subscribe")).Decide(&Message{Method: "mining.subscribe"}, f, d)
		if d.Route != "pool.b" || len(d.Failed) > 0 {
			t.Errorf("%s is not true: %v", text, d.Failed)
		}
	}
}

// TestFigureMistakes holds what slips with figures say, and where.
func TestFigureMistakes(t *testing.T) {
	scope := &Scope{Var: map[string]any{"other": "pool.c", "token": "pool.secret"}, Sensitive: map[string]bool{"var.token": true}}
	for _, test := range []struct{ text, under, summary, detail string }{
		{"upstream('pool.bb').up", "'pool.bb'", "No such pool", `There is no pool with the address "pool.bb" in this policy. Did you mean "pool.b"?` + "\n\nPools: pool.a, pool.b, pool.site[\"x\"]."},
		{"upstream(var.other).up", "other", "No such pool", `"pool.c"`},
		{"upstream(var.token).up", "token", "No such pool", "There is no pool of this name in this policy."},
		{"upstream(pool.b).up", "pool", "Not a pool", "write it in quotes, as in upstream('pool.b').reject_rate."},
		{`upstream(pool.site["x"]).up`, "pool", "Not a pool", `as in upstream('pool.site["x"]').reject_rate.`},
		{"upstream(pool).up", "pool", "Not a pool", "The address of a pool is known when the policy is loaded."},
		{"upstream(user).up", "user", "Not a pool", "It is written out, or a variable"},
		{"upstream('pool.b').rejects > 1", "rejects", "Unknown name in expression", "There is no rejects of a pool."},
		{"upstream('pool.b').sesions > 1", "sesions", "Unknown name in expression", `Did you mean "sessions"?`},
		{"upstream('pool.b')", "upstream", "Incomplete name in expression", "One of them is upstream('pool.a').reject_rate."},
		{"upstream('pool.b')[user] == 1", "upstream", "Incomplete name in expression", "not a value by themselves"},
		{"upstream().up", "upstream", "Wrong number of values", "upstream takes the address of one pool."},
		{"upstream('pool.a', 'pool.b').up", "upstream", "Wrong number of values", "upstream takes the address of one pool."},
		{"upstream(usr).up", "usr", "Unknown name in expression", `Did you mean "user"?`},
		{"upstream['pool.b'].up", "'pool.b'", "Unknown name in expression", "written upstream('pool.b').reject_rate."},
		{"upstream == 1", "upstream", "Incomplete name in expression", "upstream is not a value by itself. It has: hashrate, latency_ms, reject_rate, sessions, up."},
		{"upstream('pool.b').up > 1", ">", "Wrong type in expression", "a bool and a number"},
		{"let clock = 1; clock == 1", "clock", "Name already taken", "clock already means something"},
	} {
		_, errs := withPools(Rule{Kind: Request, Method: "mining.submit", When: src(test.text), Scope: scope})
		if len(errs) != 1 {
			t.Errorf("%s: %v", test.text, errs)
			continue
		}
		e := errs[0]
		if under := test.text[max(e.From, 0):max(e.To, 0)]; e.Summary != test.summary || !strings.Contains(e.Detail, test.detail) || under != test.under {
			t.Errorf("%s: under %q: %s", test.text, under, e.Error())
		}
	}
}

// TestFiguresOfAnyPool compiles where nobody has said which pools there are, and where
// the address is known by its type alone.
func TestFiguresOfAnyPool(t *testing.T) {
	mustCompile(t, Rule{Kind: Connect, When: src("upstream('pool.elsewhere').up"), Deny: &Deny{}})
	scope := &Scope{Var: map[string]any{"other": ""}, Typed: map[string]bool{"var.other": true}}
	if _, errs := withPools(Rule{Kind: Connect, When: src("upstream(var.other).up"), Deny: &Deny{}, Scope: scope}); len(errs) > 0 {
		t.Error(errs)
	}
}

// TestFiguresWeigh asks for so many figures that a message would wait for them.
func TestFiguresWeigh(t *testing.T) {
	long := "let a = 1; " + strings.Repeat("clock.hour > 25 or upstream('pool.b').up or ", 40) + "false"
	var list []Rule
	for range 60 {
		list = append(list, Rule{Kind: Request, Method: "mining.submit", When: src(long), Deny: &Deny{}})
	}
	if _, errs := withPools(list...); len(errs) != 1 || errs[0].Summary != "Rules too expensive" {
		t.Errorf("%v", errs)
	}
}

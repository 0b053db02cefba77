//go:build !race

package rules

import "testing"

// The race detector makes the pool forget its machines, so this is tested without.
func TestNoAllocationsWithoutAMatch(t *testing.T) {
	p := mustCompile(t, house()...)
	tests := []struct {
		kind   Kind
		method string
		params []any
	}{
		{Request, "mining.submit", []any{"john.test", "6a1f", "00000000", "66a0b1c2", "deadbeef"}},
		{Request, "mining.subscribe", []any{"cpuminer/2.5.1"}},
		{Request, "mining.authorize", []any{wallet + ".x", "x"}},
		{Notification, setDifficulty, []any{65536}},
		{Response, "mining.authorize", []any{"a"}},
	}
	for _, test := range tests {
		method, d := []byte(test.method), &Decision{}
		var f Facts = facts{ClientIP: "10.1.2.3"}
		msg := &Message{Method: test.method, Params: test.params, OK: true}
		n := testing.AllocsPerRun(100, func() { p.Chain(test.kind, method).Decide(msg, f, d) })
		if n != 0 || len(d.Matched) != 0 {
			t.Errorf("%v %s: %v allocations; matched %v, failed %v", test.kind, test.method, n, d.Matched, d.Failed)
		}
	}
}

// TestNoAllocationsOfFigures asks for the time and for figures of two pools: what the
// caller has boxed is not boxed again.
func TestNoAllocationsOfFigures(t *testing.T) {
	p, errs := withPools(Rule{
		Kind: Request, Method: "mining.submit", Deny: &Deny{},
		When: src("clock.hour > 24 or upstream.reject_rate > 1 or upstream('pool.b').reject_rate > (session.pool == 'pool.b' ? 2 : 5) or stats.accepted < 0"),
	})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	method, d := []byte("mining.submit"), &Decision{}
	var f Facts = figures{facts{}}
	msg := &Message{Method: "mining.submit"}
	n := testing.AllocsPerRun(100, func() { p.Chain(Request, method).Decide(msg, f, d) })
	if n != 0 || len(d.Matched)+len(d.Failed) != 0 {
		t.Errorf("%v allocations; matched %v, failed %v", n, d.Matched, d.Failed)
	}
}

package core_test

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/miner"
	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/policy"
)

// reloadable is a running daemon with a Reloader whose files the test writes.
type reloadable struct {
	*stage
	*core.Reloader
	text string
}

func performReloads(t *testing.T, text string) *reloadable {
	t.Helper()
	r := &reloadable{stage: performPolicy(t, text), text: text}
	r.Reloader = core.NewReloader(r.daemon, core.Source{Load: func() (*policy.Policy, []string, policy.Diagnostics) {
		return load(t, r.text), nil, nil
	}})
	return r
}

// until judges the rollout until something is true.
func (r *reloadable) until(ok func(core.Status) bool) core.Status {
	r.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		r.JudgeRollout(r.t.Context())
		if st := r.Status(); ok(st) {
			return st
		}
		if time.Now().After(end) {
			r.t.Fatalf("it stays at %+v", r.Status())
		}
	}
}

// trying is a policy that holds for half of the miners first.
func trying(l net.Listener, rule, rest string) string {
	return under(l, anyPort+rule) + "\nrollout {\n  percent = 50\n" + rest + "\n}\n"
}

const spoil = `
  request "mining.submit" "spoil" {
    set { nonce = "'00000000'" }
  }`

// TestRolloutGivenUp has a new policy spoil the shares of the half that it holds for: it is
// given up by itself, is not tried again, and the other half never notices.
func TestRolloutGivenUp(t *testing.T) {
	p, l := labPool(t, pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, ShortNonce: true})
	r := performReloads(t, under(l, anyPort))
	h := mine(t, 40, miner.Config{Address: r.addr(0), Interval: 10 * time.Millisecond, LoginTimeout: time.Minute, ReplyTimeout: time.Minute})
	wait(t, p, func(st pool.Stats) bool { return len(st.Workers) == 40 && st.Accepted > 40 })
	r.text = trying(l, spoil, `  for = "1h"
  abort_if = "candidate.rejected > 20 and candidate.reject_rate > 2 * stable.reject_rate"`)
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	st := r.Status()
	if st.Rollout == nil || st.Rollout.Percent != 50 || st.Generation != 1 || st.Rollout.Generation != 2 {
		t.Fatalf("it is %+v", st)
	}
	n := st.Rollout.Candidate.Sessions
	if n < 8 || n > 32 || n+st.Rollout.Stable.Sessions != 40 {
		t.Errorf("of 40 sessions %d are candidates", n)
	}
	st = r.until(func(st core.Status) bool { return st.Rollout == nil })
	if st.Refused == nil || !strings.Contains(st.Refused.Reason, "abort_if is true: candidate has") || st.Generation != 3 {
		t.Errorf("it is %+v, %+v", st, st.Refused)
	}
	var refused *core.Refusal
	if err := r.Reload(t.Context()); !errors.As(err, &refused) || !strings.Contains(refused.Reason, "given up") {
		t.Errorf("the policy is tried again: %v", err)
	}
	rejected := p.Stats().RejectedTotal()
	h.leave()
	if late := p.Stats().RejectedTotal() - rejected; late > n { // one each may have been under way
		t.Errorf("%d shares were spoiled afterwards", late)
	}
	spoiled := 0
	for _, m := range h.miners {
		if m.Stats().RejectedTotal() > 0 {
			spoiled++
		}
		if m.Stats().Connects != 1 {
			t.Errorf("%+v", m.Stats())
		}
	}
	if spoiled > n {
		t.Errorf("%d miners had shares spoiled, and %d were candidates", spoiled, n)
	}
	r.wantCount(0, "loka_sessions")
	r.conserved()
}

// TestRolloutGoesWell ends with the new policy in force for all.
func TestRolloutGoesWell(t *testing.T) {
	l := listen(t)
	r := performReloads(t, under(l, anyPort))
	r.pool = l
	const quiet = `
  notification "client.show_message" "quiet" {
    drop {}
  }`
	r.text = trying(l, quiet, `  for = "1s"
  abort_if = "candidate.rejected > 0"`)
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	var pools []*wire
	for range 20 { // some of them are candidates from the start
		_, pool := r.pair()
		pools = append(pools, pool)
	}
	if st := r.Status().Rollout; st == nil || st.Candidate.Sessions == 0 || st.Stable.Sessions == 0 || st.Candidate.Sessions+st.Stable.Sessions != 20 {
		t.Fatalf("it is %+v", st)
	}
	for _, pool := range pools {
		pool.send(`{"id":null,"method":"client.show_message","params":["x"]}`)
	}
	r.wantCount(20, "loka_messages_total", "method", "client.show_message")
	if n := r.count("loka_messages_total", "method", "client.show_message", "verdict", "drop"); n == 0 || n == 20 {
		t.Errorf("%v of 20 were dropped", n)
	}
	st := r.until(func(st core.Status) bool { return st.Rollout == nil })
	if st.Refused != nil || st.Generation != 3 {
		t.Errorf("it is %+v, %v", st, st.Refused)
	}
	before := r.count("loka_messages_total", "method", "client.show_message", "verdict", "drop")
	for _, pool := range pools {
		pool.send(`{"id":null,"method":"client.show_message","params":["x"]}`)
	}
	r.wantCount(before+20, "loka_messages_total", "method", "client.show_message", "verdict", "drop")
}

// TestRolloutRefused changes what cannot hold for some of the miners only, and ends a
// rollout by hand.
func TestRolloutRefused(t *testing.T) {
	l := listen(t)
	r := performReloads(t, under(l, anyPort))
	r.text = trying(l, anyPort, `  for = "1h"`)
	var refused *core.Refusal
	if err := r.Reload(t.Context()); !errors.As(err, &refused) || !strings.Contains(refused.Reason, "changes listeners too") {
		t.Errorf("two listeners give %v", err)
	}
	r.text = trying(l, spoil, `  for = "1h"`)
	if err := r.Reload(t.Context()); err != nil || r.Status().Rollout == nil {
		t.Fatal(err, r.Status())
	}
	was := r.text
	r.text = trying(l, anyPort, `  for = "1h"`)
	if err := r.Reload(t.Context()); err == nil || r.Status().Rollout == nil {
		t.Errorf("a policy that is refused ends the rollout of another one: %v, %+v", err, r.Status())
	}
	r.text = was
	if err := r.Rollback(t.Context()); err != nil || r.Status().Rollout != nil {
		t.Error(err, r.Status())
	}
	r.text += "# edited\n"
	if err := r.Reload(t.Context()); err != nil || r.Status().Rollout == nil {
		t.Fatal(err, r.Status())
	}
	r.text = under(l, anyPort)
	if err := r.Reload(t.Context()); err != nil || r.Status().Rollout != nil || r.Status().Refused != nil {
		t.Error(err, r.Status())
	}
}

// TestOrdersAndRollout gives orders that would leave the candidates, or those that become
// some, without a pool.
func TestOrdersAndRollout(t *testing.T) {
	a, b := listen(t), listen(t)
	q := func(text string) string {
		return text + "\npool \"q\" {\n  server \"a\" { address = \"stratum+tcp://127.0.0.1:1\" }\n}\n"
	}
	r := performReloads(t, q(twoServers(a, b)))
	wantRefused := func(words string) {
		t.Helper()
		var refused *core.Refusal
		if err := r.Reload(t.Context()); !errors.As(err, &refused) || !strings.Contains(refused.Reason, words) || r.Status().Rollout != nil {
			t.Errorf("%v is not %q", err, words)
		}
	}
	ok(t, r.daemon.SwitchPool("pool.p", "pool.q"))
	r.text = trying(a, "", `  for = "1h"`)
	wantRefused("switched pool.p to pool.q, which this policy lacks")
	ok(t, r.daemon.SwitchPool("pool.p", "pool.p"))
	ok(t, r.daemon.DisablePool("pool.p", "a"))
	wantRefused("all servers that pool.p has in this policy were set aside")
	ok(t, r.daemon.EnablePool("pool.p", "a"))
	ok(t, r.Reload(t.Context()))
	wantObjection(t, r.daemon.SwitchPool("pool.p", "pool.q"), false, "the policy under trial has no pool.q")
	wantObjection(t, r.daemon.DisablePool("pool.p", "a"), false, "pool.p would have no server in service")
	ok(t, r.daemon.DisablePool("pool.p", "b"))
}

// TestRolloutUnderTheLastGood tries a policy beside one that was in force before: as long
// as that holds for most, it is said.
func TestRolloutUnderTheLastGood(t *testing.T) {
	l := listen(t)
	s := performPolicy(t, under(l, anyPort))
	r := core.NewReloader(s.daemon, core.Source{
		Load: func() (*policy.Policy, []string, policy.Diagnostics) {
			return load(t, trying(l, spoil, `  for = "1h"`)), nil, nil
		},
		LastGood: &core.LastGood{Kept: s.now(), Refused: &core.Refusal{Reason: "broken"}},
	})
	for range 2 {
		ok(t, r.Reload(t.Context()))
		if st := r.Status(); st.Rollout == nil || st.Serving != core.ServingLastGood {
			t.Errorf("it is %+v", st)
		}
	}
}

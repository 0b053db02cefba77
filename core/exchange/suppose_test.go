package exchange_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/rules"
)

// tracer keeps what it is shown of walks.
type tracer struct{ seen []string }

func (t *tracer) Walked(w exchange.Walk) {
	for _, s := range w.Decision.Steps {
		t.seen = append(t.seen, fmt.Sprintf("%s %s rule %d when=%t set=%v user=%v", w.Kind, w.Method, s.Rule, s.When, s.Set, w.Facts.Fact(rules.UserName)))
	}
}

// TestTracer shows every walk to a Tracer: rules that did not match among them.
func TestTracer(t *testing.T) {
	var tr tracer
	never := set(rules.Request, "mining.authorize", "password", "'y'")
	never.When = when("user == 'nobody'")
	x := exchange.New(exchange.Config{Program: compile(t, never, toWallet), Tracer: &tr, Opened: start, Agent: "known"}, silent{})
	up(x, authorize)
	want := []string{
		"request mining.authorize rule 0 when=false set=[] user=",
		"request mining.authorize rule 1 when=true set=[{user W.a_b false}] user=",
	}
	if !slices.Equal(tr.seen, want) {
		t.Errorf("seen\n%q, not\n%q", tr.seen, want)
	}
	if got := x.Agent(); got != "known" {
		t.Errorf("the agent is %q", got)
	}
}

// TestSuppose answers requests that nobody sent.
func TestSuppose(t *testing.T) {
	n := newNotes()
	refused := set(rules.Response, "mining.authorize", "error", "[24, user + ' at ' + pool_user, nil]")
	refused.When = when("not ok")
	x := begin(t, n, toWallet, refused)
	up(x, authorize)
	for name, want := range map[string]string{"new": "new at new", "a.b": "a.b at W.a_b"} {
		id := x.Suppose("mining.authorize", []byte(`["`+name+`"]`), start)
		_, miner := down(x, fmt.Sprintf(`{"id":%s,"result":false,"error":null}`+"\n", id))
		if got := fmt.Sprintf(`{"id":%s,"result":false,"error":[24,"%s",null]}`+"\n", id, want); miner != got {
			t.Errorf("the miner got %s, not %s", miner, got)
		}
	}
	for _, params := range []string{`[]`, `{}`, `[1]`, `["\ud800"]`} {
		id := x.Suppose("mining.submit", []byte(params), start)
		if _, miner := down(x, fmt.Sprintf(`{"id":%s,"result":true,"error":null}`+"\n", id)); miner == "" {
			t.Errorf("no answer to a submit with %s", params)
		}
	}
	if got := n.what[exchange.ShareAccepted]; got != 4 {
		t.Errorf("%d shares were accepted", got)
	}
	x.Suppose("mining.subscribe", []byte(`[]`), start)
	if _, miner := up(x, `{"id":9,"method":"mining.submit","params":["nobody"]}`+"\n"); miner != "" {
		t.Errorf("an answer overtook the one to subscribe: %s", miner)
	}
}

// TestDenialIsRecorded has code and text of a denial in its record.
func TestDenialIsRecorded(t *testing.T) {
	var got []exchange.Record
	x := begin(t, recorderFunc(func(r *exchange.Record) { got = append(got, *r) }), rules.Rule{
		Kind: rules.Request, Method: "mining.authorize", Deny: &rules.Deny{Code: 24, Message: "not you"},
	})
	up(x, authorize)
	i := slices.IndexFunc(got, func(r exchange.Record) bool { return r.What == exchange.Message })
	if i < 0 || got[i].Verdict != rules.Denied || got[i].Code != 24 || got[i].Text != "not you" || got[i].Rule != 0 {
		t.Errorf("recorded %+v", got)
	}
}

type recorderFunc func(*exchange.Record)

func (f recorderFunc) Record(r *exchange.Record) { f(r) }

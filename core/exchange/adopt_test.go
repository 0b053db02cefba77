package exchange_test

import (
	"testing"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/rules"
)

// adopt puts a conversation under other rules.
func adopt(t *testing.T, x *exchange.Exchange, list ...rules.Rule) exchange.Standing {
	t.Helper()
	swapped := 0
	s := x.Adopt(exchange.Terms{
		Program: compile(t, list...), Proxy: "proxy.x", Listener: ":1", Pool: "pool.p", Swap: func() { swapped++ },
	}, start.Add(time.Minute))
	if swapped != 1 {
		t.Errorf("swapped %d times", swapped)
	}
	return s
}

// TestAdopt judges what a miner said under other rules.
func TestAdopt(t *testing.T) {
	deny := func(kind rules.Kind, method, condition string) rules.Rule {
		return rules.Rule{Kind: kind, Method: method, When: when(condition), Deny: &rules.Deny{}}
	}
	route := func(kind rules.Kind, method, condition string) rules.Rule {
		return rules.Rule{Kind: kind, Method: method, When: when(condition), Route: "pool.q"}
	}
	toOther := set(rules.Request, "mining.authorize", "user", "'V.' + user")
	byPassword := set(rules.Request, "mining.authorize", "user", "password == 'p' ? 'W.a_b' : 'other'")
	fails := set(rules.Request, "mining.authorize", "user", "string(params[7])")
	for name, test := range map[string]struct {
		rules []rules.Rule
		want  exchange.Standing
	}{
		"the same":             {[]rules.Rule{toWallet}, exchange.Standing{Pool: "pool.p"}},
		"the same in a way":    {[]rules.Rule{byPassword}, exchange.Standing{Pool: "pool.p"}},
		"no mapping":           {nil, exchange.Standing{Pool: "pool.p", Renamed: true}},
		"another name":         {[]rules.Rule{toOther}, exchange.Standing{Pool: "pool.p", Renamed: true}},
		"a name refused":       {[]rules.Rule{toWallet, deny(rules.Request, "mining.authorize", "true")}, exchange.Standing{Pool: "pool.p", Refused: true}},
		"a mapping that fails": {[]rules.Rule{fails}, exchange.Standing{Pool: "pool.p", Refused: true}},
		"not let in":           {[]rules.Rule{toWallet, deny(rules.Connect, "", "client.port == 5")}, exchange.Standing{Pool: "pool.p", Refused: true}},
		"others not let in":    {[]rules.Rule{toWallet, deny(rules.Connect, "", "client.port == 6")}, exchange.Standing{Pool: "pool.p"}},
		"routed at connect":    {[]rules.Rule{toWallet, route(rules.Connect, "", "true")}, exchange.Standing{Pool: "pool.q"}},
		"routed at subscribe":  {[]rules.Rule{toWallet, route(rules.Request, "mining.subscribe", "agent == 'x'")}, exchange.Standing{Pool: "pool.q"}},
		"others are routed":    {[]rules.Rule{toWallet, route(rules.Request, "mining.subscribe", "agent == 'y'")}, exchange.Standing{Pool: "pool.p"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNotes()
			x := begin(t, n, toWallet)
			up(x, subscribe)
			down(x, subscribed)
			up(x, authorize)
			down(x, authorized)
			before := n.what[exchange.Message]
			if got := adopt(t, x, test.rules...); got != test.want {
				t.Errorf("it stands %+v, not %+v", got, test.want)
			}
			if n.what[exchange.Message] != before || n.what[exchange.RuleMatched] != 1 || n.what[exchange.RuleFailed] != 0 {
				t.Errorf("recorded %v", n.what)
			}
		})
	}
}

// TestAdoptFromTheNextMessage changes rules between a request and its response.
func TestAdoptFromTheNextMessage(t *testing.T) {
	x := begin(t, silent{})
	up(x, subscribe)
	down(x, subscribed)
	up(x, authorize)
	no := set(rules.Response, "mining.authorize", "error", "[24, string(len(params)), nil]")
	adopt(t, x, no)
	if _, miner := down(x, authorized); miner != `{"id":2,"result":true,"error":[24,"0",null]}`+"\n" {
		t.Errorf("the miner got %s", miner)
	}
	up(x, `{"id":3,"method":"mining.authorize","params":["c","x"]}`+"\n")
	if _, miner := down(x, `{"id":3,"result":true,"error":null}`+"\n"); miner != `{"id":3,"result":true,"error":[24,"2",null]}`+"\n" {
		t.Errorf("the miner got %s", miner)
	}
}

package rules

import (
	"fmt"
	"slices"
	"testing"
)

func TestHidden(t *testing.T) {
	deny := func(method, when string) Rule {
		r := Rule{Kind: Request, Method: method, Deny: &Deny{}, Scope: &Scope{Var: map[string]any{"closed": true, "open": false}, Local: map[string]any{"closed": true}}}
		if when != "" {
			r.When = src(when)
		}
		return r
	}
	skips := deny("*", "")
	skips.Deny, skips.Stop, skips.OnError, skips.Set = nil, true, OnErrorSkip, []Assignment{set("params", "params[1:]")}
	denies := skips
	denies.OnError = OnErrorDefault
	replies := deny("mining.submit", "")
	replies.Deny, replies.OnError, replies.Reply = nil, OnErrorSkip, &Reply{Result: src("true")}
	fails := replies
	fails.Reply = &Reply{Result: src("params[7]")}
	drop := Rule{Kind: Notification, Method: "client.reconnect", Drop: true}
	for name, test := range map[string]struct {
		list []Rule
		want string
	}{
		"same method":           {[]Rule{deny("mining.submit", ""), deny("mining.submit", "user == 'x'")}, "[{1 0}]"},
		"every method":          {[]Rule{deny("*", ""), deny("mining.submit", ""), deny("mining.*", "")}, "[{1 0} {2 0}]"},
		"a longer prefix":       {[]Rule{deny("mining.*", ""), deny("mining.sub*", ""), deny("client.x", ""), deny("*", "")}, "[{1 0}]"},
		"a prefix is larger":    {[]Rule{deny("mining.submit", ""), deny("mining.*", "")}, "[]"},
		"under a condition":     {[]Rule{deny("*", "user == 'x'"), deny("mining.submit", "")}, "[]"},
		"constant conditions":   {[]Rule{deny("*", "true"), deny("*", "")}, "[{1 0}]"},
		"switches":              {[]Rule{deny("*", "var.open"), deny("*", "var.closed"), deny("*", "local.closed"), deny("*", "var.closed or true"), deny("*", "")}, "[]"},
		"goes on when it fails": {[]Rule{skips, deny("mining.submit", "")}, "[]"},
		"ends when it fails":    {[]Rule{denies, deny("mining.submit", "")}, "[{1 0}]"},
		"a reply cannot fail":   {[]Rule{replies, deny("mining.submit", "")}, "[{1 0}]"},
		"a reply may fail":      {[]Rule{fails, deny("mining.submit", "")}, "[]"},
		"another kind":          {[]Rule{deny("*", ""), drop, drop}, "[{2 1}]"},
		"connect":               {[]Rule{{Kind: Connect, Route: "p"}, {Kind: Connect, Deny: &Deny{}}, {Kind: Connect, Route: "p"}}, "[{2 1}]"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fmt.Sprint(mustCompile(t, test.list...).Hidden()); got != test.want {
				t.Errorf("hidden: %s, not %s", got, test.want)
			}
		})
	}
}

func TestNever(t *testing.T) {
	scope := &Scope{Var: map[string]any{"off": false}, Local: map[string]any{"off": false}}
	var list []Rule
	for _, when := range []string{"false", "true", "var.off", "local.off", "var.off and false", "user == 'x'", "user == 'x' and false"} {
		list = append(list, Rule{Kind: Request, Method: "mining.submit", When: src(when), Scope: scope, Drop: true})
	}
	list = append(list, Rule{Kind: Request, Method: "mining.submit", Drop: true})
	if got := fmt.Sprint(mustCompile(t, list...).Never()); got != "[0 6]" {
		t.Errorf("never: %s", got)
	}
}

// TestExposuresOfWalks follows secrets from rule to rule.
func TestExposuresOfWalks(t *testing.T) {
	scope := &Scope{Var: map[string]any{"pin": "s3cret", "name": "x"}, Sensitive: map[string]bool{"var.pin": true}}
	type step struct{ method, when, field, text string }
	const authorize = "mining.authorize"
	for name, test := range map[string]struct {
		steps []step
		want  string
	}{
		"through the password":     {[]step{{authorize, "", "password", "password + var.pin"}, {authorize, "", "user", "user + password"}}, "[1 user earlier 1 user password]"},
		"set anew":                 {[]step{{authorize, "", "password", "var.pin"}, {authorize, "", "password", "'x'"}, {authorize, "", "user", "user + password"}}, "[]"},
		"perhaps set anew":         {[]step{{authorize, "", "password", "var.pin"}, {authorize, "user == 'x'", "password", "'x'"}, {authorize, "", "user", "user + password"}}, "[2 user earlier]"},
		"perhaps set":              {[]step{{authorize, "user == 'x'", "password", "var.pin"}, {authorize, "", "user", "user + password"}}, "[1 user earlier 1 user password]"},
		"of all parameters":        {[]step{{authorize, "", "password", "var.pin"}, {"mining.*", "", "params", "[params[1], params[0]]"}}, "[1 params earlier]"},
		"all at once":              {[]step{{authorize, "", "params", "[user, password + var.pin]"}, {authorize, "", "user", "password"}}, "[0 params 1 user earlier 1 user password]"},
		"another method":           {[]step{{authorize, "", "password", "var.pin"}, {"mining.submit", "", "user", "user + nonce"}}, "[]"},
		"fields of another method": {[]step{{"mining.submit", "", "nonce", "var.pin"}, {"mining.submit", "", "user", "user + nonce"}, {"mining.submit", "", "user", "lower(user)"}}, "[0 nonce 1 user earlier]"},
		"the miner's own":          {[]step{{authorize, "", "user", "user + '.' + password"}}, "[0 user password]"},
		"a piece of it":            {[]step{{authorize, "", "user", "user + '.' + option(password, 'w')"}}, "[0 user password]"},
		"by number":                {[]step{{authorize, "", "user", "user + string(params[1])"}}, "[0 user password]"},
		"by any number":            {[]step{{authorize, "", "user", "string(params[-1])"}}, "[0 user password]"},
		"another by number":        {[]step{{authorize, "", "user", "lower(string(params[0]))"}}, "[]"},
		"a cut from the end":       {[]step{{authorize, "", "user", "string(params[-1:][0])"}}, "[0 user password]"},
		"a list":                   {[]step{{authorize, "", "params", "[params[0] + '.' + params[1], params[1]]"}}, "[0 params password]"},
		"a longer list":            {[]step{{authorize, "", "params", "[user, password, password]"}}, "[0 params password]"},
		"a list in its order":      {[]step{{authorize, "", "params", "[lower(user), params[1]]"}}, "[]"},
		"a cut":                    {[]step{{authorize, "", "params", "params[:2]"}}, "[]"},
		"a cut at the front":       {[]step{{authorize, "", "params", "params[1:]"}}, "[0 params password]"},
		"one of two":               {[]step{{authorize, "", "params", "user == 'x' ? [user, 'y'] : [password, 'y']"}}, "[0 params password]"},
		"by any method":            {[]step{{"mining.*", "", "params", "params[1:]"}}, "[0 params password]"},
		"a list of any order":      {[]step{{authorize, "", "params", "map(params, # == 'x' ? 'y' : #)"}, {authorize, "", "user", "user + password"}}, "[1 user password]"},
		"kept":                     {[]step{{authorize, "", "password", "password + 'x'"}, {authorize, "", "user", "password == 'x' ? 'a' : user"}}, "[]"},
		"only looked at":           {[]step{{authorize, "password contains 'x'", "user", "user + string(len(password)) + sha256(password)"}}, "[]"},
		"let":                      {[]step{{authorize, "", "user", "let p = password; p + user"}}, "[0 user password]"},
		"passed on":                {[]step{{authorize, "", "user", "password"}, {authorize, "", "user", "lower(user)"}}, "[0 user password]"},
		"into the password":        {[]step{{authorize, "", "user", "var.pin"}, {authorize, "", "params", "[user, user]"}}, "[0 user]"},
		"no password elsewhere":    {[]step{{"mining.submit", "", "user", "user + job_id"}}, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			var list []Rule
			for _, s := range test.steps {
				r := Rule{Kind: Request, Method: s.method, Scope: scope, Set: []Assignment{set(s.field, s.text)}}
				if s.when != "" {
					r.When = src(s.when)
				}
				list = append(list, r)
			}
			var got []string
			for _, e := range mustCompile(t, list...).Exposures() {
				text := fmt.Sprint(e.Rule, " ", e.Field)
				if e.Earlier {
					text += " earlier"
				}
				if e.Password {
					text += " password"
				}
				got = append(got, text)
			}
			if fmt.Sprint(got) != test.want {
				t.Errorf("exposures: %s, not %s", got, test.want)
			}
		})
	}
	answer := []Rule{
		{Kind: Response, Method: "mining.submit", Scope: scope, Set: []Assignment{set("result", "var.pin")}},
		{Kind: Response, Method: "mining.submit", Scope: scope, Set: []Assignment{set("error", "[20, result, nil]"), set("result", "[result]")}},
	}
	if got := mustCompile(t, answer...).Exposures(); len(got) != 2 || got[1].Rule != 1 || got[1].Field != "error" || !got[1].Earlier {
		t.Errorf("exposures of an answer: %v", got)
	}
	skipped := []Rule{
		{Kind: Request, Method: authorize, Set: []Assignment{set("password", "string(params[5])")}, OnError: OnErrorSkip},
		{Kind: Request, Method: authorize, Set: []Assignment{set("user", "user + password")}},
	}
	if got := mustCompile(t, skipped...).Exposures(); len(got) != 1 || got[0].Rule != 1 || !got[0].Password {
		t.Errorf("exposures when the rule before may be skipped: %v", got)
	}
	reply := Rule{Kind: Request, Method: authorize, Scope: scope, Reply: &Reply{Result: src("password")}}
	if got := mustCompile(t, reply).Exposures(); len(got) != 0 {
		t.Errorf("exposures of a reply to the miner itself: %v", got)
	}
}

func TestExposures(t *testing.T) {
	scope := &Scope{
		Var:       map[string]any{"pin": "s3cret", "keys": map[string]any{"a": "b"}, "plain": "x", "n": 5},
		Local:     map[string]any{"derived": "S3CRET"},
		Sensitive: map[string]bool{"var.pin": true, "var.keys": true, "local.derived": true},
	}
	for text, want := range map[string]bool{
		"var.plain":                            false,
		"var.pin":                              true,
		"local.derived":                        true,
		"user + '.' + var.pin":                 true,
		"'x' + (var.pin + 'y')":                true,
		"var.keys.a":                           true,
		"lookup(var.keys, user, 'x')":          true,
		"upper(var.pin)":                       true,
		"replace(user, 'x', var.pin)":          true,
		"var.pin[:2]":                          true,
		"let p = var.pin; user + p":            true,
		"let p = var.plain; user + p":          false,
		"user == 'x' ? var.pin : user":         true,
		"user == var.pin ? 'in' : 'out'":       false,
		"json([user, var.pin])":                true,
		"json({a: var.pin})":                   true,
		"json(map([user], # + var.pin))":       true,
		"json(filter([user], # == var.pin))":   false,
		"join([user, var.pin])":                true,
		"sha256(user + var.pin)":               false,
		"string(len(var.pin) + var.n)":         false,
		"user in [var.pin] ? 'in' : 'out'":     false,
		"let p = user == var.pin; p ? '1':'0'": false,
	} {
		t.Run(text, func(t *testing.T) {
			rule := Rule{Kind: Request, Method: "mining.authorize", Scope: scope, Set: []Assignment{set("user", text), set("password", text)}}
			got := mustCompile(t, rule).Exposures()
			if exposed := len(got) == 1 && got[0].Field == "user"; exposed != want || len(got) > 1 {
				t.Errorf("exposures: %v", got)
			}
		})
	}
	reply := Rule{Kind: Request, Method: "mining.submit", Scope: scope, Reply: &Reply{Result: src("var.pin"), Error: src("[20, var.pin, nil]")}}
	if got := mustCompile(t, reply).Exposures(); len(got) != 2 || got[0].Field != "result" || got[1].Field != "error" || got[1].Origin != "[20, var.pin, nil]" {
		t.Errorf("exposures of a reply: %v", got)
	}
}

func TestReads(t *testing.T) {
	scope := &Scope{
		Var: map[string]any{"a": 1, "b": "x", "c": map[string]any{"d": 1}, "e": 1}, Local: map[string]any{"a": "x"},
		Typed: map[string]bool{"var.e": true},
	}
	rule := Rule{Kind: Request, Method: "mining.authorize", Scope: scope, When: src("var.a == 1 and var['e'] > 2 and 'var.x' != user"), Set: []Assignment{set("user", "local.a + var.b"), set("password", "string(var.c.d)")}}
	got := mustCompile(t, rule).Reads(0)
	slices.Sort(got)
	if want := "[local.a var.a var.b var.c var.e]"; fmt.Sprint(got) != want {
		t.Errorf("reads %v, not %v", got, want)
	}
}

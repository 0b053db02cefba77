package rules

import "testing"

// TestDrifts tells the programs whose routes may change by themselves from those whose
// routes stay as they are.
func TestDrifts(t *testing.T) {
	const subscribe = "mining.subscribe"
	route := func(method, when string) Rule {
		return Rule{Kind: Request, Method: method, When: src(when), Route: "p"}
	}
	deny := func(method, when string) Rule {
		return Rule{Kind: Request, Method: method, When: src(when), Deny: &Deny{}}
	}
	stop := func(method, when string, sets ...Assignment) Rule {
		return Rule{Kind: Request, Method: method, When: src(when), Set: sets, Stop: true}
	}
	goesOn := func(method, when string, sets ...Assignment) Rule {
		return Rule{Kind: Request, Method: method, When: src(when), Set: sets}
	}
	for name, test := range map[string]struct {
		list []Rule
		want bool
	}{
		"nothing":                        {nil, false},
		"a route":                        {[]Rule{route(subscribe, "agent == 'x'")}, false},
		"session.age stays what it was":  {[]Rule{route(subscribe, "session.age > 5")}, false},
		"clock":                          {[]Rule{route(subscribe, "clock.hour > 5")}, true},
		"figures":                        {[]Rule{route(subscribe, "upstream.reject_rate > 5")}, true},
		"figures of another pool":        {[]Rule{route(subscribe, "not upstream('pool.b').up")}, true},
		"stats":                          {[]Rule{route(authorize, "stats.accepted > 5")}, true},
		"at connect":                     {[]Rule{{Kind: Connect, When: src("clock.weekday > 5"), Route: "p"}}, true},
		"without a route":                {[]Rule{deny(subscribe, "clock.hour > 5"), goesOn(authorize, "clock.hour > 5", set("user", "'x'"))}, false},
		"a deny before it":               {[]Rule{deny(subscribe, "clock.hour > 5"), route(subscribe, "true")}, true},
		"a deny of every method":         {[]Rule{deny("*", "clock.hour > 5"), route(authorize, "true")}, true},
		"a deny of another method":       {[]Rule{deny(authorize, "clock.hour > 5"), route(subscribe, "true")}, false},
		"a deny behind it":               {[]Rule{route(subscribe, "true"), deny(subscribe, "clock.hour > 5")}, false},
		"a stop before it":               {[]Rule{stop(subscribe, "clock.hour > 5"), route(subscribe, "true")}, true},
		"a condition that is constant":   {[]Rule{route(subscribe, "clock.hour > 5 and false")}, false},
		"what it reads was set":          {[]Rule{goesOn(subscribe, "true", set("agent", "string(clock.hour)")), route(subscribe, "agent == '5'")}, true},
		"what it reads was set at times": {[]Rule{goesOn(subscribe, "clock.hour > 5", set("agent", "'x'")), route(subscribe, "agent == 'x'")}, true},
		"through two fields":             {[]Rule{goesOn(subscribe, "clock.hour > 5", set("agent", "'x'")), goesOn(subscribe, "true", set("session_id", "agent")), route(subscribe, "session_id == 'x'")}, true},
		"through all parameters":         {[]Rule{goesOn(subscribe, "clock.hour > 5", set("params", "['x']")), route(subscribe, "agent == 'x'")}, true},
		"the name of a user":             {[]Rule{goesOn("mining.*", "clock.hour > 5", set("params", "['x']")), route(authorize, "user == 'x'")}, true},
		"the name of a user, by prefix":  {[]Rule{goesOn("mining.*", "clock.hour > 5", set("params", "['x']")), stop("mining.*", "user == 'x'"), route(authorize, "true")}, true},
		"another field was set":          {[]Rule{goesOn(authorize, "clock.hour > 5", set("password", "'x'")), route(authorize, "user == 'x'")}, false},
		"it was set behind it":           {[]Rule{route(authorize, "user == 'x'"), goesOn(authorize, "clock.hour > 5", set("user", "'x'"))}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := mustCompile(t, test.list...)
			if p.Drifts() != test.want {
				t.Errorf("drifts: %v", p.Drifts())
			}
			routes := false
			for _, r := range test.list {
				routes = routes || r.Route != "" && r.Method == authorize
			}
			if p.RoutesUsers() != routes {
				t.Errorf("routes users: %v", p.RoutesUsers())
			}
		})
	}
}

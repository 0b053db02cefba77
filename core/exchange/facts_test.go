package exchange_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/rules"
)

// known are figures for tests; pools that are not in it have none.
type known struct {
	pools map[string]exchange.Upstream
	stats exchange.Stats
}

func (k *known) Upstream(pool string) exchange.Upstream { return k.pools[pool] }
func (k *known) Stats() exchange.Stats                  { return k.stats }

// informed begins a conversation with figures.
func informed(t testing.TB, k exchange.Figures, list ...rules.Rule) *exchange.Exchange {
	t.Helper()
	return exchange.New(exchange.Config{
		Program: compile(t, list...), Proxy: "proxy.x", Pool: "pool.p", Opened: start, MaxRequestBytes: 1023, Figures: k,
	}, silent{})
}

// TestFacts asks for every name that changes by itself, with figures and without.
func TestFacts(t *testing.T) {
	k := &known{
		pools: map[string]exchange.Upstream{
			"pool.p": {RejectRate: 0.25, LatencyMS: 80, Sessions: 1000, Hashrate: 5e18},
			"pool.q": {Down: true, RejectRate: 0.5},
		},
		stats: exchange.Stats{Submitted: 900, Accepted: 700, Rejected: 100, RejectRate: 0.125, Hashrate: 2e14},
	}
	berlin := time.FixedZone("", 3600)
	at := time.Date(2026, 3, 1, 22, 30, 0, 0, berlin) // a Sunday
	for _, test := range []struct {
		figures   exchange.Figures
		condition string
	}{
		{k, "upstream.reject_rate == 0.25 and upstream.latency_ms == 80 and upstream.sessions == 1000 and upstream.hashrate == 5e18 and upstream.up"},
		{k, "upstream('pool.p').reject_rate == 0.25 and upstream('pool.q').reject_rate == 0.5 and not upstream('pool.q').up and upstream('pool.r').up"},
		{k, "stats.submitted == 900 and stats.accepted == 700 and stats.rejected == 100 and stats.reject_rate == 0.125 and stats.hashrate == 2e14"},
		{nil, "upstream.reject_rate == 0 and upstream.up and upstream('pool.q').sessions == 0 and stats.hashrate == 0 and stats.accepted == 0"},
		{nil, "clock.hour == 22 and clock.minute == 30 and clock.weekday == 7 and clock.day == 1 and clock.month == 3"},
		{nil, "session.pool == 'pool.p' and user == ''"},
	} {
		x := informed(t, test.figures, rules.Rule{Kind: rules.Request, Method: "mining.extranonce.subscribe", When: when(test.condition), Drop: true})
		var out exchange.Out
		x.FromMiner([]byte(`{"id":1,"method":"mining.extranonce.subscribe","params":[]}`+"\n"), at, &out)
		if len(out.Pool) > 0 {
			t.Errorf("%s is not true", test.condition)
		}
	}
}

func TestWeekdays(t *testing.T) {
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for i := range 7 {
		if got := exchange.OfClock(monday.AddDate(0, 0, i), rules.ClockWeekday); got != i+1 {
			t.Errorf("%s is %v", monday.AddDate(0, 0, i).Weekday(), got)
		}
	}
}

// TestPlace asks where a miner belongs, again and again.
func TestPlace(t *testing.T) {
	const subscribes, authorizes = "mining.subscribe", "mining.authorize"
	route := func(method, condition string) rules.Rule {
		return rules.Rule{Kind: rules.Request, Method: method, When: when(condition), Route: "pool.q"}
	}
	leaves := route(subscribes, "upstream.reject_rate > (session.pool == 'pool.q' ? 0.02 : 0.05)")
	night := route(subscribes, "clock.hour >= 22 or clock.hour < 6")
	byUser := route(authorizes, "user startsWith 'a.' and pool == 'pool.p'")
	rate := func(r float64) func(*known) {
		return func(k *known) { k.pools["pool.p"] = exchange.Upstream{RejectRate: r} }
	}
	none := func(*known) {}
	day := start.UTC().Truncate(24 * time.Hour)
	type step struct {
		what func(*known)
		at   time.Time
		want string
	}
	for name, test := range map[string]struct {
		rules []rules.Rule
		steps []step
	}{
		"no route": {nil, []step{{none, start, "pool.p"}}},
		"hysteresis": {[]rules.Rule{leaves}, []step{
			{rate(0.04), start, "pool.p"}, {rate(0.06), start, "pool.q"}, {rate(0.04), start, "pool.q"}, {rate(0.01), start, "pool.p"}, {rate(0.04), start, "pool.p"},
		}},
		"a time window": {[]rules.Rule{night}, []step{
			{none, day.Add(21 * time.Hour), "pool.p"}, {none, day.Add(22 * time.Hour), "pool.q"}, {none, day.Add(29 * time.Hour), "pool.q"}, {none, day.Add(30 * time.Hour), "pool.p"},
		}},
		"stats": {[]rules.Rule{route(subscribes, "stats.hashrate > 1e15")}, []step{
			{none, start, "pool.p"}, {func(k *known) { k.stats.Hashrate = 2e15 }, start, "pool.q"},
		}},
		"by user":             {[]rules.Rule{byUser}, []step{{none, start, "pool.q"}, {none, start, "pool.q"}}},
		"by a second user":    {[]rules.Rule{route(authorizes, "user == 'second'")}, []step{{none, start, "pool.p"}}},
		"the last one counts": {[]rules.Rule{byUser, {Kind: rules.Request, Method: authorizes, Route: "pool.r"}}, []step{{none, start, "pool.r"}}},
		"session.age stays":   {[]rules.Rule{route(subscribes, "session.age > 5")}, []step{{none, start.Add(time.Hour), "pool.p"}}},
		"who is in stays in":  {[]rules.Rule{{Kind: rules.Connect, When: when("clock.minute == 30"), Deny: &rules.Deny{}}, night}, []step{{none, day.Add(23*time.Hour + 30*time.Minute), "pool.p"}}},
	} {
		t.Run(name, func(t *testing.T) {
			k := &known{pools: map[string]exchange.Upstream{}}
			x := informed(t, k, test.rules...)
			up(x, subscribe)
			down(x, subscribed)
			up(x, authorize)
			down(x, authorized)
			up(x, `{"id":3,"method":"mining.authorize","params":["second","p"]}`+"\n")
			for i, s := range test.steps {
				s.what(k)
				got := x.Place("pool.p", s.at)
				if got != s.want {
					t.Errorf("step %d: it belongs to %s, not to %s", i, got, s.want)
				}
				x.SetPool(got, 1023)
			}
		})
	}
}

// TestPlaceIsOver asks for the time and the pool behind a look back.
func TestPlaceIsOver(t *testing.T) {
	condition := fmt.Sprintf("clock.minute == %d and session.pool == 'pool.q'", start.Minute())
	x := informed(t, nil, rules.Rule{Kind: rules.Notification, Method: "mining.ping", When: when(condition), Drop: true})
	x.Place("pool.p", start.Add(time.Minute))
	x.SetPool("pool.q", 1023)
	if _, miner := down(x, `{"id":null,"method":"mining.ping","params":[]}`+"\n"); miner != "" {
		t.Error("a rule sees the time or the pool of a look back")
	}
}

// TestAdoptRoutesByUser puts a policy in force that routes the user of a miner, and names
// it otherwise at each pool.
func TestAdoptRoutesByUser(t *testing.T) {
	byPool := set(rules.Request, "mining.authorize", "user", "'W.' + pool")
	byUser := rules.Rule{Kind: rules.Request, Method: "mining.authorize", When: when("user == 'W.pool.p' or user == 'W.pool.q'"), Route: "pool.q"}
	x := begin(t, silent{}, byPool)
	up(x, subscribe)
	x.SetPool("pool.q", 1023)
	up(x, authorize)
	for _, test := range []struct {
		rules []rules.Rule
		want  exchange.Standing
	}{
		{[]rules.Rule{byPool, byUser}, exchange.Standing{Pool: "pool.q"}},
		{[]rules.Rule{byPool}, exchange.Standing{Pool: "pool.p", Renamed: true}},
		{[]rules.Rule{byUser, byPool}, exchange.Standing{Pool: "pool.p", Renamed: true}},
	} {
		if got := adopt(t, x, test.rules...); got != test.want {
			t.Errorf("it stands %+v, not %+v", got, test.want)
		}
	}
}

// TestTimeCostsNoMemory has a rule for shares that looks at the time.
func TestTimeCostsNoMemory(t *testing.T) {
	allocations := func(condition string) float64 {
		x := informed(t, &known{}, rules.Rule{Kind: rules.Notification, Method: "mining.ping", When: when(condition), Drop: true})
		line, out := []byte(`{"id":null,"method":"mining.ping","params":[]}`+"\n"), exchange.Out{Miner: make([]byte, 0, 1<<10)}
		return testing.AllocsPerRun(100, func() {
			out.Miner = out.Miner[:0]
			x.FromPool(line, start, &out)
		})
	}
	without := allocations("false and user == ''")
	if with := allocations("clock.hour > 24 or clock.weekday > 7 or session.pool == '' or stats.accepted > 5 or not upstream('pool.q').up"); !raceEnabled && with > without {
		t.Errorf("%v allocations, and %v without", with, without)
	}
}

// BenchmarkPlace looks back once, as is done for every session once a second where routes
// drift.
func BenchmarkPlace(b *testing.B) {
	x := informed(b, &known{}, rules.Rule{
		Kind: rules.Request, Method: "mining.subscribe", Route: "pool.q",
		When: when("agent == 'x' and clock.hour < 25 and upstream.reject_rate > (session.pool == 'pool.q' ? 0.02 : 0.05)"),
	})
	up(x, subscribe)
	down(x, subscribed)
	b.ReportAllocs()
	for b.Loop() {
		x.Place("pool.p", start)
	}
}

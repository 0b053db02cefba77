package policy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loka-proxy/loka/rules"
)

// loadTests loads tests that must be without fault.
func loadTests(t *testing.T, path string, opts Options) []*Suite {
	t.Helper()
	suites, ds := LoadTests(path, opts)
	if ds.HasErrors() {
		t.Fatalf("loading the tests of %s:\n%s", path, show(t, ds.Errors()))
	}
	return suites
}

// TestHouseTests decodes the tests of the house's policy and looks at all of them.
func TestHouseTests(t *testing.T) {
	suites := loadTests(t, "testdata/house", values("wallet="+wallet))
	if len(suites) != 1 || suites[0].Path != "testdata/house" || len(suites[0].Files) != 1 {
		t.Fatalf("suites are %+v", suites)
	}
	wantInputs := []string{"testdata/house/loka.hcl", "testdata/house/house.test.hcl"}
	if diff := cmp.Diff(wantInputs, suites[0].Inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	tests := suites[0].Files[0].Tests
	braiins, local := `proxy.site["braiins"]`, defaultClient
	const paid = wallet + ".john_test"
	want := []*Test{
		{Name: "john.test mines to the house wallet", Proxy: &Proxy{Address: braiins}, Client: Client{"10.1.2.3", 4444, "cpuminer/2.5.1"}, Steps: []*Step{
			request("mining.subscribe", []any{"cpuminer/2.5.1", "1"}, "params", []any{"cpuminer/2.5.1"}, "rules", []any{"trim_session"}),
			request("mining.authorize", []any{"john.test", "secret"}, "params", []any{paid, "x"}, "pool", `pool.site["braiins"]`),
			request("mining.submit", []any{"john.test", "6a1f", "00000000", "66a0b1c2", "deadbeef"},
				"params", []any{paid, "6a1f", "00000000", "66a0b1c2", "deadbeef"}),
		}},
	}
	for _, name := range []string{"", "a b", "x'; drop", "Ünal"} {
		want = append(want, &Test{
			Name: `names that are not names are refused ["` + name + `"]`, Proxy: &Proxy{Address: `proxy.site["ckpool"]`}, Client: local,
			Steps: []*Step{request("mining.authorize", []any{name, "x"}, "verdict", "deny", "code", 24)},
		})
	}
	want = append(
		want,
		&Test{Name: "the rented rack goes to the rental pool", Proxy: &Proxy{Address: braiins}, Client: Client{"10.9.0.7", 4444, ""}, Steps: []*Step{
			request("mining.subscribe", []any{"bmminer/2.0.0"}, "pool", "pool.rental", "unchanged", true),
		}},
		&Test{Name: "difficulty has a floor", Proxy: &Proxy{Address: braiins}, Client: local, Steps: []*Step{
			notification("mining.set_difficulty", []any{16}, "params", []any{1024}),
			notification("mining.set_difficulty", []any{65536}, "unchanged", true),
		}},
		&Test{Name: "nobody sends our miners away", Proxy: &Proxy{Address: braiins}, Client: local, Steps: []*Step{
			notification("client.reconnect", []any{"evil.example", 3333, 0}, "verdict", "drop"),
		}},
		&Test{Name: "a refused name says where", Proxy: &Proxy{Address: braiins}, Client: local, Steps: []*Step{
			{
				Kind: rules.Response, Method: "mining.authorize", Title: `response "mining.authorize"`, Result: false,
				Expect: wants("result", false, "error", []any{24, `refused by pool.site["braiins"]`, nil}, "rules", []any{"say_where"}),
			},
		}},
		&Test{Name: "suggested difficulty is answered here", Proxy: &Proxy{Address: braiins}, Client: local, Steps: []*Step{
			request("mining.suggest_difficulty", []any{512}, "verdict", "reply", "result", true),
		}},
	)
	for _, test := range want {
		test.File, test.Clock = "testdata/house/house.test.hcl", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if diff := cmp.Diff(want, tests, cmpopts.IgnoreTypes(Range{}, &Policy{}), cmp.Comparer(func(a, b *Proxy) bool { return a.Address == b.Address })); diff != "" {
		t.Errorf("tests (-want +got):\n%s", diff)
	}
}

func request(method string, params any, expect ...any) *Step {
	return &Step{Kind: rules.Request, Method: method, Title: `request "` + method + `"`, Params: params, Expect: wants(expect...)}
}

func notification(method string, params any, expect ...any) *Step {
	return &Step{Kind: rules.Notification, Method: method, Title: `notification "` + method + `"`, Params: params, Expect: wants(expect...)}
}

// wants makes expectations of field, value, ….
func wants(pairs ...any) (list []Want) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, Want{Field: pairs[i].(string), Value: pairs[i+1]})
	}
	return list
}

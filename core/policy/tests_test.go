package policy

import (
	"fmt"
	"path/filepath"
	"strings"
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
		{Name: "john.test mines to the house wallet", Proxy: &Proxy{Address: braiins}, Client: Client{"10.1.2.3", 4444, "cpuminer/2.5.1", true}, Steps: []*Step{
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
		&Test{Name: "the rented rack goes to the rental pool", Proxy: &Proxy{Address: braiins}, Client: Client{"10.9.0.7", 4444, "", true}, Steps: []*Step{
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

// TestAllOfATest looks at every argument that a test can have.
func TestAllOfATest(t *testing.T) {
	files(t, "loka.hcl", base+"locals {\n  name = \"john\"\n}\n", "x.test.hcl", `
test "all" {
  clock = "2026-07-01T14:30:00+02:00"
  client {
    ip    = "::ffff:10.1.2.3"
    port  = 1234
    agent = "cpuminer/2.5.1"
  }
  connect {
    expect {
      verdict = "deny"
      rules   = []
    }
  }
  request "mining.authorize" {
    params = [local.name, 1, 1.5, true, null, { a = [] }, pool.main, proxy.main]
    after  = "30s"
    expect {
      code      = 24
      pool      = pool.main
      user      = "a"
      pool_user = "b"
      message   = "no"
      failed    = []
      audit     = ["deny", "authorize"]
    }
    assert {
      condition     = "user == local.name"
      error_message = "not ${local.name}"
    }
    assert {
      condition     = <<-EXPR
        len(params) > 1
      EXPR
      error_message = "too few"
    }
  }
  request "mining.submit" {
    line = <<-LINE
      {"id": 1, "method": "mining.submit", "params": ["x"]}
    LINE
    expect {
      line      = "{\"id\":7}"
      unchanged = false
    }
  }
  response "mining.submit" {
    params = ["x"]
    result = null
    error  = [21, "Job not found", null]
  }
  request "mining.ping" {}
}
`)
	got := loadTests(t, ".", Options{})[0].Files[0].Tests[0]
	if !got.Clock.Equal(time.Date(2026, 7, 1, 12, 30, 0, 0, time.UTC)) || got.Client != (Client{"10.1.2.3", 1234, "cpuminer/2.5.1", true}) || got.Proxy != got.Policy.Proxies[0] {
		t.Errorf("the test is %+v", got)
	}
	authorize := request("mining.authorize", []any{"john", 1, 1.5, true, nil, map[string]any{"a": []any{}}, "pool.main", "proxy.main"},
		"code", 24, "pool", "pool.main", "user", "a", "pool_user", "b", "message", "no", "failed", []any{}, "audit", []any{"deny", "authorize"}, "verdict", "deny")
	authorize.After = 30 * time.Second
	authorize.Asserts = []*Assert{{Message: "not john"}, {Message: "too few"}}
	submit := request("mining.submit", nil, "line", `{"id":7}`, "unchanged", false)
	submit.Line = `{"id": 1, "method": "mining.submit", "params": ["x"]}`
	want := []*Step{
		{Kind: rules.Connect, Title: "connect", Expect: wants("verdict", "deny", "rules", []any{})},
		authorize,
		submit,
		{Kind: rules.Response, Method: "mining.submit", Title: `response "mining.submit"`, Params: []any{"x"}, Error: []any{21, "Job not found", nil}},
		request("mining.ping", nil),
	}
	if diff := cmp.Diff(want, got.Steps, cmpopts.IgnoreTypes(Range{}, &rules.Program{})); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	rule := got.Steps[1].Asserts[0].Program.Rules()[0]
	if rule.Kind != rules.Request || rule.Method != "mining.authorize" || rule.When.Text != "user == local.name" || rule.Scope.Local["name"] != "john" {
		t.Errorf("the rule of the assert is %+v", rule)
	}
}

// TestPlacesInTests looks at the places that are kept for the words on a failure.
func TestPlacesInTests(t *testing.T) {
	files(t, "loka.hcl", base, "x.test.hcl", "test \"x\" {\n  connect {\n    expect {\n      verdict = \"deny\"\n      code = 24\n    }\n"+
		"    assert {\n      condition = \"true\"\n      error_message = \"x\"\n    }\n  }\n}\n")
	test := loadTests(t, "x.test.hcl", Options{})[0].Files[0].Tests[0]
	step := test.Steps[0]
	for what, at := range map[string]Range{
		"1:1-1:9": test.Range, "2:3-2:10": step.Range, "4:7-4:23": step.Expect[0].Range, "5:7-5:16": step.Expect[1].Range, "7:5-7:11": step.Asserts[0].Range,
	} {
		if got := fmt.Sprintf("%d:%d-%d:%d", at.Start.Line, at.Start.Column, at.End.Line, at.End.Column); got != what || at.Filename != "x.test.hcl" {
			t.Errorf("%s is at %s:%s", what, at.Filename, got)
		}
	}
}

// FuzzLoadTests makes sure that no file of tests whatsoever brings the loader down.
func FuzzLoadTests(f *testing.F) {
	names, err := filepath.Glob("testdata/*/*.test.hcl")
	if err != nil || len(names) == 0 {
		f.Fatalf("no tests: %v", err)
	}
	for _, name := range names {
		f.Add(seed(f, name))
	}
	policy := strings.Replace(seed(f, "testdata/house/loka.hcl"), "type        = string", "default     = \""+wallet+"\"", 1)
	f.Fuzz(func(t *testing.T, text string) {
		t.Chdir(t.TempDir())
		write(t, "loka.hcl", policy)
		write(t, "x.test.hcl", text)
		_, ds := LoadTests(".", Options{})
		show(t, ds)
		ds.JSON()
	})
}

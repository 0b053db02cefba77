package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loka-proxy/loka/rules"
)

// load loads a policy that must be without fault.
func load(t *testing.T, path string, opts Options) *Policy {
	t.Helper()
	p, ds := Load(path, opts)
	if ds.HasErrors() {
		t.Fatalf("loading %s:\n%s", path, show(t, ds))
	}
	return p
}

// files makes a directory of files and goes there. Files are given as name, text, ….
func files(t *testing.T, named ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for i := 0; i < len(named); i += 2 {
		if err := os.MkdirAll(filepath.Dir(named[i]), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, named[i], named[i+1])
	}
}

func values(settings ...string) Options {
	var opts Options
	for _, s := range settings {
		if name, ok := strings.CutPrefix(s, "@"); ok {
			opts.Settings = append(opts.Settings, Setting{VarFile: name})
		} else {
			opts.Settings = append(opts.Settings, Setting{Var: s})
		}
	}
	return opts
}

func environ(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

// base is a pool and a proxy, for policies that are about something else.
const base = `
pool "main" {
  server "a" { address = "stratum+tcp://a.example:3333" }
}
proxy "main" {
  pool = pool.main
  listener "tcp" { address = ":3333" }
}
`

func TestTenLines(t *testing.T) {
	p, ds := Load("testdata/farm", values("wallet="+wallet))
	if ds.Len() > 0 {
		t.Fatalf("said of the example in the README:\n%s", show(t, ds))
	}
	proxy := p.Proxies[0]
	want := &Listener{Address: ":3333", MaxLineBytes: 16384, HandshakeTimeout: 30 * time.Second, WriteTimeout: 10 * time.Second}
	if diff := cmp.Diff(want, proxy.Listeners[0]); diff != "" {
		t.Errorf("listener (-want +got):\n%s", diff)
	}
	pool := *proxy.Pool
	pool.Servers = nil
	wantPool := Pool{
		Address: "pool.main", DialTimeout: 5 * time.Second, ReplyTimeout: 15 * time.Second, IdleTimeout: 10 * time.Minute,
		WriteTimeout: 10 * time.Second, MaxLineBytes: 262144, MaxRequestBytes: 1023,
		Strategy: Failover, FailbackAfter: time.Minute, ResponseTimeout: 30 * time.Second, Extranonce2Size: 4,
		Health: Health{Interval: 10 * time.Second, Timeout: 5 * time.Second, Failures: 3},
	}
	if diff := cmp.Diff(wantPool, pool); diff != "" {
		t.Errorf("pool (-want +got):\n%s", diff)
	}
	if p.DrainTimeout != 5*time.Second || p.Log != (Log{"info", "text"}) || p.Admin.Address != "" {
		t.Errorf("defaults are %v, %v, %v", p.DrainTimeout, p.Log, p.Admin)
	}
}

// TestTemplate makes two proxies to two pools from one block.
func TestTemplate(t *testing.T) {
	p := load(t, "testdata/house", values("wallet="+wallet))
	var got []string
	for _, proxy := range p.Proxies {
		got = append(got, fmt.Sprint(proxy.Address, " ", proxy.Pool.Address, " ", proxy.Listeners[0].Address, " ", proxy.Listeners[0].MaxConnections, " ", sortedNames(proxy.Routes)))
		for _, server := range proxy.Pool.Servers {
			got = append(got, server.Name+" "+server.Target.URL+" "+server.Target.HostPort)
		}
	}
	want := []string{
		`proxy.site["braiins"] pool.site["braiins"] :3333 20000 [pool.rental]`,
		"eu stratum+tcp://eu.stratum.braiins.com:3333 eu.stratum.braiins.com:3333",
		"us stratum+tcp://us-east.stratum.braiins.com:3333 us-east.stratum.braiins.com:3333",
		`proxy.site["ckpool"] pool.site["ckpool"] :3334 20000 [pool.rental]`,
		"main stratum+tcp://solo.ckpool.org:3333 solo.ckpool.org:3333",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("proxies (-want +got):\n%s", diff)
	}
	if p.Admin.Address != "127.0.0.1:9464" {
		t.Errorf("admin is at %q", p.Admin.Address)
	}
}

// TestOtherValues loads one template with different values.
func TestOtherValues(t *testing.T) {
	a := load(t, "testdata/farm", values("wallet=a"))
	b := load(t, "testdata/farm", values("wallet=b"))
	for p, want := range map[*Policy]string{a: "a", b: "b"} {
		if got := p.Proxies[0].Program.Rules()[0].Scope.Var["wallet"]; got != want {
			t.Errorf("var.wallet is %v, not %v", got, want)
		}
	}
	if a.Hash == b.Hash {
		t.Error("different values, same hash")
	}
}

// TestRules looks at what reaches the engine: addresses, order, constants.
func TestRules(t *testing.T) {
	p := load(t, "testdata/house", values("wallet="+wallet))
	list := p.Proxies[0].Program.Rules()
	var got []string
	for _, r := range list {
		got = append(got, fmt.Sprint(r.Address, " ", r.Method))
	}
	want := []string{
		"ruleset.house.connect.known_networks ",
		"ruleset.house.request.trim_session mining.subscribe",
		"ruleset.house.request.valid_name mining.authorize",
		"ruleset.house.request.house_wallet mining.authorize",
		"ruleset.house.request.keep_ours mining.suggest_difficulty",
		"ruleset.house.request.known_methods *",
		"ruleset.house.response.say_where mining.authorize",
		"ruleset.house.notification.floor mining.set_difficulty",
		"ruleset.house.notification.stay client.reconnect",
		`proxy.site["braiins"].request.rental_rigs mining.subscribe`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	inner, own := list[0].Scope, list[len(list)-1].Scope
	wantVar := map[string]any{
		"wallet": wallet, "allow": []any{"10.0.0.0/8", "192.168.0.0/16"}, "aliases": map[string]any{}, "min_difficulty": 1024,
	}
	if diff := cmp.Diff(wantVar, inner.Var); diff != "" || inner.Local != nil {
		t.Errorf("a ruleset sees its arguments only, and not %v (-want +got):\n%s", inner.Local, diff)
	}
	if own.Var["pool_password"] != "x" || own.Local["lan"] == nil || !own.Sensitive["var.pool_password"] || own.Sensitive["var.wallet"] {
		t.Errorf("a proxy's own rules see %v", own)
	}
}

// TestRuleContents looks at every part of a rule.
func TestRuleContents(t *testing.T) {
	files(t, "loka.hcl", base+`
proxy "x" {
  for_each = { a = { code = 24, port = ":4444" } }
  pool     = pool.main
  listener "tcp" { address = each.value.port }

  connect "c" {
    deny {}
  }
  request "mining.submit" "first" {
    description = "words"
    when        = "user == 'x'"
    deny {
      code    = each.value.code
      message = "no ${each.key}"
    }
    on_error = "drop"
    stop     = true
  }
  request "mining.*" "answer" {
    reply {
      result = "true"
      error  = <<-EXPR
        nil
      EXPR
    }
  }
  response "mining.authorize" "second" {
    set {
      result = "true"
      error  = "nil"
    }
    on_error = "skip"
  }
  request "mining.subscribe" "far" {
    route { pool = pool.main }
  }
}
`)
	list := load(t, "loka.hcl", Options{}).Proxies[1].Program.Rules()
	deny := list[1]
	if *list[0].Deny != (rules.Deny{}) { // the rules know what to say
		t.Errorf("an empty deny is %v", *list[0].Deny)
	}
	if deny.Kind != rules.Request || deny.When.Text != "user == 'x'" || *deny.Deny != (rules.Deny{Code: 24, Message: "no a"}) ||
		deny.OnError != rules.OnErrorDrop || !deny.Stop {
		t.Errorf("the first rule is %+v", deny)
	}
	if r := list[2]; r.Method != "mining.*" || r.Reply.Result.Text != "true" || r.Reply.Error.Text != "nil" {
		t.Errorf("the reply is %+v", r.Reply)
	}
	if r := list[3]; r.Kind != rules.Response || r.OnError != rules.OnErrorSkip || r.Set[0].Field != "result" || r.Set[1].Field != "error" {
		t.Errorf("set is not in the order of the file: %+v", r.Set)
	}
	if list[4].Route != "pool.main" {
		t.Errorf("the route is %q", list[4].Route)
	}
}

// TestUseInPlace makes sure that a use stands for its rules where it stands.
func TestUseInPlace(t *testing.T) {
	rule := func(name string) string { return "request \"mining.submit\" \"" + name + "\" {\n drop {}\n}\n" }
	files(t, "loka.hcl", "pool \"main\" {\n server \"a\" { address = \"stratum+tcp://a.example:3333\" }\n}\n"+
		"proxy \"p\" {\n pool = pool.main\n listener \"tcp\" { address = \":3333\" }\n"+
		rule("one")+"use \"r\" {}\n"+rule("three")+"}\nruleset \"r\" {\n"+rule("two")+"}\n")
	var got []string
	for _, r := range load(t, ".", Options{}).Proxies[0].Program.Rules() {
		got = append(got, r.Address)
	}
	want := []string{"proxy.p.request.one", "ruleset.r.request.two", "proxy.p.request.three"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

// TestOnce makes sure that a ruleset of a hundred proxies reports its typo once.
func TestOnce(t *testing.T) {
	files(t, "loka.hcl", base+`
proxy "many" {
  for_each = toset([for i in range(100) : tostring(i)])
  pool     = pool.main
  listener "tcp" { address = ":${4000 + each.key}" }
  use "r" {}
}
ruleset "r" {
  request "mining.submit" "x" {
    when = "usr == 'x'"
    drop {}
  }
}
`)
	if _, ds := Load(".", Options{}); ds.Len() != 1 {
		t.Errorf("said:\n%s", show(t, ds))
	}
}

// TestAllOneLineBlocksAreTold: a habit of writing does not hide the mistakes beside it, and
// every place of it is told.
func TestAllOneLineBlocksAreTold(t *testing.T) {
	policy := base + "proxy \"x\" {\n  pool = pool.man\n  listener \"tcp\" { address = \":4444\" }\n"
	for i := range 14 {
		policy += fmt.Sprintf("  request \"mining.authorize\" \"r%d\" { deny {} }\n", i)
	}
	files(t, "loka.hcl", policy+"  request \"mining.submit\" \"s\" {\n    when = \"usr == 'x'\"\n    drop {}\n  }\n}\n")
	_, ds := Load(".", Options{})
	count := map[string]int{}
	for _, d := range ds {
		count[d.Summary]++
	}
	want := map[string]int{"Block inside a block on one line": 14, "No such pool": 1, "Unknown name in expression": 1}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("what is said (-want +got):\n%s\n%s", diff, show(t, ds))
	}
}

package policy

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// again loads a policy from what another load has read, as it comes out of a file, when
// there are no files any more.
func again(t *testing.T, p *Policy) *Policy {
	t.Helper()
	text, err := json.Marshal(p.Stored())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	var stored Stored
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	q, ds := stored.Load()
	if ds.HasErrors() {
		t.Fatalf("again:\n%s", show(t, ds))
	}
	if q.Hash != p.Hash || !slices.Equal(q.Files, p.Files) {
		t.Errorf("it was %s of %q, and is %s of %q", p.Hash, p.Files, q.Hash, q.Files)
	}
	if diff := cmp.Diff(q.Stored(), p.Stored()); diff != "" {
		t.Error(diff)
	}
	return q
}

const storedPolicy = `
include = ["sites/*.hcl", "../other/first.hcl"]

variable "wallet" { type = string }
variable "ports" { type = list(number) }
variable "site" { default = env("SITE") }
variable "missing" { default = env("MISSING") }
variable "key" {
  type      = string
  sensitive = true
}

locals {
  names = jsondecode(file("names.json"))
  more  = try(file("more.json"), "none")
}

proxy "farm" {
  pool = pool.main
  listener "tcp" { address = ":${var.ports[0]}" }
  request "mining.authorize" "map" {
    set {
      user     = "lookup(local.names, user, var.wallet) + var.site + local.more + var.missing"
      password = "var.key"
    }
  }
}
`

// TestStored loads a policy of everything that can be read, and again without it.
func TestStored(t *testing.T) {
	files(t, "farm/loka.hcl", storedPolicy, "farm/names.json", `{"john":"jim"}`, "farm/values.auto.vars.hcl", "ports = [3333]\n",
		"farm/sites/a.hcl", "locals {\n  a = 1\n}\n", "farm/ca.pem", string(certificate(t)), "more.vars.hcl", `wallet = "37vu"`,
		"other/first.hcl", `pool "main" {
  server "a" {
    address     = "stratum+ssl://pool.example:3333"
    tls_ca_file = "../farm/ca.pem"
  }
}
`, "farm/notes.txt", "not read")
	if err := os.Symlink("sites/a.hcl", "farm/z.hcl"); err != nil { // twice in the directory, once in the policy
		t.Fatal(err)
	}
	opts := values("@more.vars.hcl", "key=hunter2")
	opts.Environ = environ("SITE", "north", "LOKA_VAR_wallet", "overruled", "OTHER", "x")
	for _, path := range []string{"farm", "farm/loka.hcl"} {
		opts := opts
		if path != "farm" {
			opts.Settings = append(slices.Clone(opts.Settings), Setting{Var: "ports=[3334]"})
		}
		here, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		p := load(t, path, opts)
		q := again(t, p)
		t.Chdir(here)
		if got := q.Pools[0].Servers[0].Target; !got.Same(p.Pools[0].Servers[0].Target) || got.TLS.RootCAs == nil {
			t.Errorf("%s: the server is %+v", path, got)
		}
		if q.Proxies[0].Listeners[0].Address != p.Proxies[0].Listeners[0].Address {
			t.Errorf("%s: the listener is %+v", path, q.Proxies[0].Listeners[0])
		}
		for _, f := range p.Stored().Files {
			if f.Name == "farm/notes.txt" {
				t.Errorf("%s was not read, and is stored", f.Name)
			}
		}
	}
}

// TestStoredDiffers tells values of the environment that are others now.
func TestStoredDiffers(t *testing.T) {
	files(t, "loka.hcl", `
variable "site" { default = env("SITE") }
`+base)
	p := load(t, "loka.hcl", Options{Environ: environ("SITE", "north")})
	for want, now := range map[string]func(string) (string, bool){
		"":              environ("SITE", "north", "OTHER", "x"),
		"SITE":          environ("SITE", "south"),
		"LOKA_VAR_site": environ("SITE", "north", "LOKA_VAR_site", "south"),
	} {
		if got := p.Stored().Differs(now); got != want {
			t.Errorf("%q differs, not %q", got, want)
		}
	}
	if got := p.Stored().Differs(environ()); got != "SITE" {
		t.Errorf("%q differs", got)
	}
	if q := again(t, p); q.Stored().Differs(environ("SITE", "north")) != "" {
		t.Error("it differs from itself")
	}
}

// TestStoredHouse stores a whole policy.
func TestStoredHouse(t *testing.T) {
	p := load(t, "testdata/house", values("wallet="+wallet))
	again(t, p)
}

// FuzzStored loads what may stand in a file of state.
func FuzzStored(f *testing.F) {
	for _, file := range []string{base, "pool", "include = [\"*.hcl\", \"/x.hcl\"]\n" + base} {
		text, err := json.Marshal(Stored{Path: "farm", Directories: map[string][]string{"farm": {"farm/loka.hcl"}}, Files: []StoredFile{{"farm/loka.hcl", []byte(file)}}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var s Stored
		if json.Unmarshal(text, &s) != nil {
			return
		}
		p, ds := s.Load()
		if (p == nil) != ds.HasErrors() {
			t.Errorf("%v, %v", p, ds)
		}
	})
}

package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/ruletest"
)

// wallet is what templates are given that ask for one.
const wallet = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"

// policyFiles gives the files below a folder of the tree that have a suffix.
func policyFiles(t *testing.T, folder, suffix string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(filepath.Join(root(t), folder), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, suffix) {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatal(folder, suffix, err)
	}
	return files
}

// beside gives a folder in which the paths of the examples in policies hold.
func beside(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(root(t), "policies"), filepath.Join(dir, "policies")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// loadsText is loads for a text, as a policy in a folder.
func loadsText(t *testing.T, dir, text string) {
	t.Helper()
	file := filepath.Join(dir, "loka.hcl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	loads(t, file)
}

// passes fails unless a policy has tests, all of them pass, and every rule was seen
// matched and, where it has a condition, not matched.
func passes(t *testing.T, path string, settings ...policy.Setting) {
	t.Helper()
	suites, diags := policy.LoadTests(path, policy.Options{Settings: settings})
	if diags.Len() > 0 || len(suites) == 0 {
		var b bytes.Buffer
		_ = diags.Write(&b)
		t.Errorf("%s has %d suites of tests:\n%s", path, len(suites), b.String())
	}
	for _, suite := range suites {
		cover := ruletest.NewCoverage()
		for _, file := range suite.Files {
			for _, test := range file.Tests {
				cover.Add(test.Policy)
				if r := ruletest.Run(test, ruletest.Options{Coverage: cover}); !r.Passed() {
					t.Errorf("%s: %s\n%s", file.Name, test.Name, ruletest.Told(r))
				}
			}
		}
		for _, rule := range cover.Rules() {
			if !rule.Covered() {
				t.Errorf("%s: %+v is not seen both ways", suite.Path, *rule)
			}
		}
	}
}

// TestPolicies runs the tests of everything that operators copy.
func TestPolicies(t *testing.T) {
	passes(t, filepath.Join(root(t), "policies"))
	passes(t, filepath.Join(root(t), "examples"))
}

// TestFormatted holds what operators copy to the one layout.
func TestFormatted(t *testing.T) {
	for _, path := range append(policyFiles(t, "policies", ".hcl"), policyFiles(t, "examples", ".hcl")...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if formatted, diags := policy.Format(text, path); diags.HasErrors() || !bytes.Equal(formatted, text) {
			t.Errorf("%s is not formatted: %v", path, diags)
		}
	}
}

// TestRulesets loads every file that operators include, in a policy that uses nothing of
// it: all that can be wrong without arguments is found.
func TestRulesets(t *testing.T) {
	dir := beside(t)
	for _, path := range append(policyFiles(t, "policies/pools", ".hcl"), policyFiles(t, "policies/tasks", ".hcl")...) {
		if strings.HasSuffix(path, ".test.hcl") {
			continue
		}
		name, err := filepath.Rel(root(t), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			loadsText(t, dir, `
include = ["`+name+`"]

pool "p" {
  server "a" { address = "stratum+tcp://pool.example:3333" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = ":3333" }
}
`)
			if _, err := os.Stat(strings.TrimSuffix(path, ".hcl") + ".test.hcl"); err != nil {
				t.Errorf("it has no tests: %v", err)
			}
		})
	}
}

// usage is the example in the head of a file.
var usage = regexp.MustCompile(`(?m)^# Usage:\n#\n((?:#(?:     .*)?\n)+)`)

// TestUsages loads the examples in the heads of the files.
func TestUsages(t *testing.T) {
	dir := beside(t)
	for _, path := range append(policyFiles(t, "policies/pools", ".hcl"), policyFiles(t, "policies/tasks", ".hcl")...) {
		if strings.HasSuffix(path, ".test.hcl") {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found := usage.FindSubmatch(text)
			if found == nil {
				t.Fatal("it shows no usage")
			}
			loadsText(t, dir, regexp.MustCompile(`(?m)^#(     )?`).ReplaceAllString(string(found[1]), ""))
		})
	}
}

// TestPoliciesREADME loads what policies/README.md shows, and looks for each file in it.
func TestPoliciesREADME(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "policies", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
		if block[1] == "hcl" {
			found++
			loadsText(t, beside(t), block[2])
		}
	}
	if found == 0 {
		t.Error("it shows no policy")
	}
	for _, path := range append(policyFiles(t, "policies/pools", ".hcl"), policyFiles(t, "policies/tasks", ".hcl")...) {
		name := filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path)
		if !strings.HasSuffix(path, ".test.hcl") && !strings.Contains(string(text), "("+name+")") {
			t.Errorf("%s is not in it", name)
		}
	}
}

// TestTemplates loads every template and runs its tests: as a whole, and with each file
// of values that stands below it.
func TestTemplates(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(root(t), "policies", "templates", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatal(err, dirs)
	}
	for _, dir := range dirs {
		wanted := policy.Setting{Var: "wallet=" + wallet}
		loads(t, dir, wanted)
		sites, err := filepath.Glob(filepath.Join(dir, "sites", "*.vars.hcl"))
		if err != nil || len(sites) == 0 {
			t.Error(dir, err, sites)
		}
		for _, site := range sites {
			loads(t, dir, wanted, policy.Setting{VarFile: site})
			passes(t, dir, policy.Setting{VarFile: site})
		}
	}
}

// TestTemplateMap gives a template maps that somebody may write.
func TestTemplateMap(t *testing.T) {
	dir := filepath.Join(root(t), "policies", "templates", "one-proxy-per-pool")
	for pools, want := range map[string]string{
		`{ a = { port = 1, servers = ["stratum+tcp://a.example:1"], account = "" } }`:                      "Leave it away where names are the wallet's",
		`{ a = { port = 1, servers = ["stratum+tcp://a.example:1"], account = "my.farm" } }`:               "An account is what stands before the first dot",
		`{ a = { port = 1, servers = ["stratum+tcp://a.example:1"], filler = "~" } }`:                      "A filler is one character or none",
		`{ a = { port = 1, servers = ["stratum+tcp://a.example:1"], filler = "__" } }`:                     "A filler is one character or none",
		`{ a = { port = 1, servers = ["stratum+tcp://a.example:1"], account = "my_farm-2", filler = "" }}`: "",
		`{ a = { port = 1, servers = ["stratum+tcp://a.example:1"], account = null } }`:                    "",
	} {
		file := filepath.Join(t.TempDir(), "pools.vars.hcl")
		if err := os.WriteFile(file, []byte("pools = "+pools+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if want == "" {
			passes(t, dir, policy.Setting{VarFile: file})
			continue
		}
		_, diags := policy.Load(dir, policy.Options{Settings: []policy.Setting{{Var: "wallet=" + wallet}, {VarFile: file}}})
		if !strings.Contains(diags.Error(), want) {
			t.Errorf("%s: %q", pools, diags.Error())
		}
	}
}

// TestTakenArguments gives rulesets what they must go on to take.
func TestTakenArguments(t *testing.T) {
	dir := beside(t)
	for _, c := range []struct{ file, use string }{
		{"pools/address_worker.hcl", `use "address_worker" { address = "NHbVb6ryoiZsEzGiYtqVkZoLFoYbLmPo5gt4" }`},
		{"pools/account_worker.hcl", "use \"account_worker\" {\n account = \"my_farm-2\"\n names = { extra = \"\", filler = \"\", length = 1 }\n password = \"\"\n}"},
		{"pools/account_worker.hcl", "use \"account_worker\" {\n account = \"myfarm\"\n names = { extra = \".@+:\", filler = \":\", length = 64 }\n}"},
		{"pools/miningrigrentals.hcl", "use \"mrr_rental\" {\n names = [\"myfarm.a\", \"myfarm\"]\n difficulty = 0.5\n option = \"diff_2\"\n}"},
		{"tasks/payout_guard.hcl", "use \"payout_guard\" {\n accounts = [\"my.farm\"]\n separator = \"_\"\n forbidden = \"\"\n}"},
		{"tasks/aliases.hcl", "use \"aliases\" {\n account = \"myfarm\"\n aliases = {}\n}"},
		{"tasks/networks.hcl", `use "allow_networks" { networks = ["0.0.0.0/0", "::/0", "10.1.2.3", "::1", "255.255.255.255/32", "2001:DB8::/128", "::ffff:10.0.0.0/104"] }`},
		{"tasks/networks.hcl", `use "block_networks" { networks = [] }`},
	} {
		loadsText(t, dir, withUse(c.file, c.use))
	}
}

// withUse gives a policy that uses a ruleset.
func withUse(file, use string) string {
	return `include = ["policies/` + file + `"]
pool "p" {
  server "a" { address = "stratum+tcp://pool.example:3333" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = ":3333" }
  ` + use + `
}
`
}

// TestRefusedArguments gives rulesets what they must not take: names that would pay
// nobody, or somebody else, and what would only be found to be wrong when a miner comes.
func TestRefusedArguments(t *testing.T) {
	for _, c := range []struct{ file, use, want string }{
		{"pools/address_worker.hcl", `use "address_worker" { address = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18S0Q" }`, "does not look like a Bitcoin address"},
		{"pools/address_worker.hcl", `use "address_worker" { address = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdb" }`, "does not look like a Bitcoin address"},
		{"pools/address_worker.hcl", `use "address_worker" {}`, "the address that is paid"},
		{"pools/account_worker.hcl", `use "account_worker" { account = "" }`, "The account is what stands before the first dot"},
		{"pools/account_worker.hcl", `use "account_worker" { account = "my.farm" }`, "The account is what stands before the first dot"},
		{"pools/miningrigrentals.hcl", "use \"mrr_rig\" {\n account = \"me\"\n rig = \"x\"\n}", "A rig is known by its number"},
		{"pools/ocean.hcl", `use "datum_modifier" { modifier = "" }`, "A modifier is a name"},
		{"tasks/payout_guard.hcl", `use "payout_guard" { accounts = [] }`, "refuses every miner"},
		{"tasks/one_wallet.hcl", `use "one_wallet" { wallet = " " }`, "The wallet is not empty"},
		{"tasks/one_wallet.hcl", `use "one_wallet" { wallet = "" }`, "The wallet is not empty"},
		{"tasks/one_wallet.hcl", `use "one_wallet" { wallet = "myfarm~m" }`, "The wallet is not empty"},
		{"tasks/worker_from_ip.hcl", `use "worker_from_ip" { account = "" }`, "The account is what stands before the first dot"},
		{"tasks/aliases.hcl", "use \"aliases\" {\n account = \"\"\n aliases = { a = \"b\" }\n}", "The account is what stands before the first dot"},
		{"tasks/aliases.hcl", "use \"aliases\" {\n account = \"myfarm\"\n aliases = { a = \"b\", c = \"\" }\n}", "A worker in the table is empty"},
		{"tasks/aliases.hcl", "use \"aliases\" {\n account = \"myfarm\"\n aliases = { a = \"b~m\" }\n}", "A worker in the table is empty"},
		{"pools/miningrigrentals.hcl", "use \"mrr_rig\" {\n account = \"\"\n rig = \"1\"\n}", "The account is what stands before the first dot"},
		{"pools/miningrigrentals.hcl", "use \"mrr_rental\" {\n names = []\n difficulty = 1\n}", "There is a name at least"},
		{"pools/miningrigrentals.hcl", "use \"mrr_rental\" {\n names = [\".rental\"]\n difficulty = 1\n}", "There is a name at least"},
		{"pools/miningrigrentals.hcl", "use \"mrr_rental\" {\n names = [\"a\"]\n difficulty = 0\n}", "The difficulty is a number above 0"},
		{"tasks/difficulty.hcl", `use "difficulty_option" { difficulty = -0.5 }`, "The difficulty is a number above 0"},
		{"tasks/difficulty.hcl", `use "difficulty_suggestion" { least = 0 }`, "The difficulty is a number above 0"},
		{"tasks/difficulty.hcl", `use "difficulty_floor" { floor = -1 }`, "The difficulty is a number above 0"},
		{"tasks/difficulty.hcl", "use \"difficulty_option\" {\n difficulty = 1\n option = \"a,b\"\n}", "An option is one word"},
		{"pools/nicehash.hcl", "use \"nicehash_orders\" {\n difficulty = 1\n option = \"\"\n}", "An option is one word"},
		{"pools/account_worker.hcl", "use \"account_worker\" {\n account = \"myfarm\"\n fallback = \"a.b c\"\n}", "The fallback is a worker name"},
		{"pools/account_worker.hcl", "use \"account_worker\" {\n account = \"myfarm\"\n fallback = \"\"\n}", "The fallback is a worker name"},
		{"pools/account_worker.hcl", "use \"account_worker\" {\n account = \"myfarm\"\n names = { length = 7.5 }\n}", "length is a whole number"},
		{"pools/account_worker.hcl", "use \"account_worker\" {\n account = \"myfarm\"\n names = { extra = \"-~\" }\n}", "extra is the characters themselves"},
		{"pools/address_worker.hcl", "use \"address_worker\" {\n address = \"37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ\"\n names = { filler = \".\" }\n}", "filler is one character or none"},
		{"pools/address_worker.hcl", "use \"address_worker\" {\n address = \"37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ\"\n names = { length = 65 }\n}", "length is a whole number"},
		{"tasks/payout_guard.hcl", `use "payout_guard" { accounts = [""] }`, "An account is what stands before the separator"},
		{"tasks/payout_guard.hcl", `use "payout_guard" { accounts = ["my.farm"] }`, "An account is what stands before the separator"},
		{"tasks/payout_guard.hcl", "use \"payout_guard\" {\n accounts = [\"a\"]\n separator = \"\"\n}", "The separator is one character or more"},
		{"tasks/firmware.hcl", `use "some_password" { password = " " }`, "The password is not empty"},
		{"tasks/networks.hcl", `use "allow_networks" { networks = ["10.0.0.0/8", "10.0.0.0/33"] }`, "A network looks like"},
		{"tasks/networks.hcl", `use "allow_networks" { networks = [] }`, "nobody could connect"},
		{"tasks/networks.hcl", `use "block_networks" { networks = ["10.0.0.256/8"] }`, "A network looks like"},
		{"tasks/networks.hcl", `use "block_networks" { networks = ["fd00::/129"] }`, "A network looks like"},
		{"tasks/networks.hcl", `use "block_networks" { networks = ["office"] }`, "A network looks like"},
	} {
		file := filepath.Join(beside(t), "loka.hcl")
		if err := os.WriteFile(file, []byte(withUse(c.file, c.use)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, diags := policy.Load(file, policy.Options{}); !strings.Contains(diags.Error(), c.want) {
			t.Errorf("%s: %q", c.use, diags.Error())
		}
	}
}

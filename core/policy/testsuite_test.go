package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// needy is a policy that cannot be loaded without values.
const needy = `
pool "main" {
  server "a" { address = "stratum+tcp://a.example:3333" }
}
proxy "main" {
  pool = pool.main
  listener "tcp" { address = ":3333" }
  request "mining.submit" "x" {
    when = "user == var.wallet"
    drop {}
  }
}
variable "wallet" {
  type = string
}
variable "nets" {
  type    = list(string)
  default = []
}
`

// TestValuesOfTests gives values to the variables of a policy, and looks at which
// policies there are.
func TestValuesOfTests(t *testing.T) {
	files(t, "loka.hcl", needy, "a.test.hcl", `
variables {
  wallet = "file"
}
test "of the file" {
  connect {}
}
test "of the file too" {
  variables {}
  connect {}
}
test "its own" {
  variables {
    wallet = "test"
    nets   = split(",", "a,b")
  }
  request "mining.submit" {
    params = [var.wallet, var.nets]
  }
}
test "of each" {
  for_each = toset(["file", "other"])
  variables { wallet = each.key }
  connect {}
}
`, "b.test.hcl", "test \"same\" {\n  variables { wallet = upper(\"file\") == \"FILE\" ? \"file\" : \"\" }\n  connect {}\n}\n")
	suites := loadTests(t, ".", values("wallet=var"))
	wallets := map[string]string{}
	policies := map[string]*Policy{}
	for _, file := range suites[0].Files {
		for _, test := range file.Tests {
			wallets[test.Name] = walletOf(test.Policy)
			policies[test.Name] = test.Policy
			if test.Proxy != test.Policy.Proxies[0] {
				t.Errorf("the proxy of %q is of another policy", test.Name)
			}
		}
	}
	want := map[string]string{
		"of the file": "file", "of the file too": "file", "its own": "test", `of each ["file"]`: "file", `of each ["other"]`: "other", "same": "file",
	}
	if diff := cmp.Diff(want, wallets); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	for _, name := range []string{"of the file too", `of each ["file"]`, "same"} {
		if policies[name] != policies["of the file"] {
			t.Errorf("%q has a policy of its own", name)
		}
	}
	if policies["its own"].Hash == policies["of the file"].Hash {
		t.Error("other values, same hash")
	}
	own := suites[0].Files[0].Tests[2].Steps[0].Params
	if diff := cmp.Diff([]any{"test", []any{"a", "b"}}, own); diff != "" {
		t.Errorf("a test sees its own values (-want +got):\n%s", diff)
	}
}

// walletOf gives the wallet that the rules of a needy policy see.
func walletOf(p *Policy) string {
	return p.Proxies[0].Program.Rules()[0].Scope.Var["wallet"].(string)
}

// TestForEachOfTests looks at where the elements of a for_each may come from.
func TestForEachOfTests(t *testing.T) {
	files(t, "loka.hcl", needy+"locals {\n  names = { for n in var.nets : n => \"${n}!\" }\n}\n", "x.test.hcl", `
variables { wallet = "x" }
test "of the policy" {
  for_each = local.names
  variables { nets = ["b", "a"] }
  request "mining.submit" { params = [each.key, each.value] }
}
test "of each" {
  for_each = toset(concat(var.nets, ["c"]))
  variables { nets = [each.key] }
  request "mining.submit" { params = [var.nets, each.value] }
}
`)
	var got []any
	for _, test := range loadTests(t, ".", Options{})[0].Files[0].Tests {
		got = append(got, test.Name, test.Steps[0].Params)
	}
	want := []any{
		`of the policy ["a"]`, []any{"a", "a!"}, `of the policy ["b"]`, []any{"b", "b!"}, `of each ["c"]`, []any{[]any{"c"}, "c"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tests (-want +got):\n%s", diff)
	}
}

// TestSecretsOfTests makes sure that tests may name sensitive values, and that what is
// told of them later does not.
func TestSecretsOfTests(t *testing.T) {
	files(t, "loka.hcl", base+"variable \"pw\" {\n  sensitive = true\n  default = \"hunter22\"\n}\n", "x.test.hcl", `
test "x" {
  variables { pw = "hunter33" }
  request "mining.authorize" {
    params = ["john", var.pw]
    expect { params = ["john", "${var.pw}!"] }
    assert {
      condition     = "password == var.pw"
      error_message = "not ${var.pw}"
    }
  }
}
`)
	test := loadTests(t, ".", Options{})[0].Files[0].Tests[0]
	step := test.Steps[0]
	if diff := cmp.Diff([]any{"john", "hunter33"}, step.Params); diff != "" {
		t.Errorf("params (-want +got):\n%s", diff)
	}
	said := fmt.Sprint(step.Params, step.Expect[0].Value, step.Asserts[0].Message)
	if got := test.Policy.Redact(said); strings.Contains(got, "hunter33") || !strings.Contains(said, "not hunter33") {
		t.Errorf("said: %s", got)
	}
	if !step.Asserts[0].Program.Rules()[0].Scope.Sensitive["var.pw"] {
		t.Error("the assert may show the value")
	}
}

// TestSecretsInFilesOfTests makes mistakes in values for sensitive variables.
func TestSecretsInFilesOfTests(t *testing.T) {
	for name, given := range map[string]string{
		"type":       "pw = [\"hunter2secret\"]",
		"unquoted":   "pw = hunter2secret",
		"function":   "pw = hunter2(1)",
		"escape":     "pw = \"hunter2\\secret\"",
		"quote":      "pw = \"hun\"ter2secret\"",
		"misspelled": "pww = \"hunter2secret\"",
		"block":      "pw { x = \"hunter2secret\" }",
		"refused":    "pw = \"hunter2secret\"",
		"twice":      "}\nvariables { pw = \"hunter2secret\" }\nvariables {",
	} {
		for _, where := range []string{"file", "test"} {
			t.Run(name+" in "+where, func(t *testing.T) {
				block := "variables {\n  " + given + "\n}\n"
				text := "test \"x\" {\n" + block + "  connect {}\n}\n"
				if where == "file" {
					text = block + oneTest
				}
				files(t, "loka.hcl", "variable \"pw\" {\n type = string\n sensitive = true\n validation {\n condition = false\n error_message = \"no\"\n}\n}\n"+base, "x.test.hcl", text)
				_, ds := LoadTests(".", Options{})
				said := show(t, ds) + string(ds.JSON()) + ds.Error()
				if !ds.HasErrors() || strings.Contains(said, "hunter2") || strings.Contains(said, "ter2secret") {
					t.Errorf("said:\n%s", said)
				}
			})
		}
	}
}

// TestPolicyErrorsOnce loads a broken policy under several values.
func TestPolicyErrorsOnce(t *testing.T) {
	files(t, "loka.hcl", needy+"locals {\n  x = var.y\n}\n", "x.test.hcl", `
test "x" {
  for_each = toset(["a", "b", "c"])
  variables { wallet = each.key }
  request "mining.submit" { params = [local.x] }
}
test "y" {
  variables { wallet = "a" }
  connect {}
}
`)
	if _, ds := LoadTests(".", Options{}); ds.Len() != 1 {
		t.Errorf("said:\n%s", show(t, ds))
	}
}

// TestRulesOfABrokenPolicy says nothing of rules that are missing only because something
// else is wrong.
func TestRulesOfABrokenPolicy(t *testing.T) {
	_, ds := LoadTests("testdata/house", Options{}) // var.wallet has no value
	if ds.Errors().Len() != 1 || ds[0].Summary != "Variable without a value" {
		t.Errorf("said:\n%s", show(t, ds))
	}
}

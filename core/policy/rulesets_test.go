package policy

import (
	"strings"
	"testing"
)

// unused gives a policy with a ruleset that nobody uses.
func unused(variables, rule string) string {
	return base + "ruleset \"u\" {\n" + variables + "\n" + rule + "\n}\n"
}

// TestUnusedRulesets checks rules whose variables have a type and no value: what hangs
// on the value is not judged.
func TestUnusedRulesets(t *testing.T) {
	authorize := func(when string) string {
		return "request \"mining.authorize\" \"r\" {\n when = \"" + when + "\"\n deny {}\n}"
	}
	for _, test := range [][2]string{
		{"variable \"factor\" { type = number }", "notification \"mining.set_difficulty\" \"r\" {\n set { difficulty = \"difficulty * var.factor\" }\n}"},
		{"variable \"factor\" { type = number }", authorize("len(user) / var.factor > 2")},
		{"variable \"limits\" { type = map(number) }", authorize("len(user) > var.limits.low")},
		{"variable \"nets\" { type = list(string) }", authorize("client.ip startsWith var.nets[0]")},
		{"variable \"nets\" { type = set(string) }", authorize("inCIDR(client.ip, var.nets)")},
		{"variable \"re\" { type = string }", authorize("user matches var.re")},
		{"variable \"o\" { type = object({ low = number, name = optional(string) }) }", authorize("len(user) > var.o.low and user == var.o.name")},
		{"variable \"a\" { type = any }", authorize("user == var.a")},
		{"variable \"a\" { type = list(any) }", authorize("user in var.a")},
		{"variable \"a\" {}", authorize("user == var.a[0]")},
	} {
		t.Run(test[0], func(t *testing.T) {
			if _, ds := loadText(t, unused(test[0], test[1])); ds.HasErrors() {
				t.Errorf("said of %s:\n%s", test[1], show(t, ds))
			}
		})
	}
}

// TestUnusedRulesetsMistakes finds what is wrong whatever the values are, beside a
// variable of any type too.
func TestUnusedRulesetsMistakes(t *testing.T) {
	for _, test := range [][2]string{
		{"user + var.factor == 'x'", "Wrong type in expression"},
		{"user == var.anything and usr == 'x'", "Unknown name in expression"},
		{"user == var.known['y']", "Unknown name in expression"},
	} {
		t.Run(test[0], func(t *testing.T) {
			_, ds := loadText(t, unused("variable \"factor\" { type = number }\nvariable \"anything\" { type = any }\nvariable \"known\" { default = { x = 1 } }",
				"request \"mining.authorize\" \"r\" {\n when = \""+test[0]+"\"\n deny {}\n}"))
			if ds.Len() != 1 || !strings.Contains(ds[0].Summary, test[1]) {
				t.Errorf("said:\n%s", show(t, ds))
			}
		})
	}
}

// TestOneUseIsToldOnce: a policy is built once for each choice of values that its tests
// make, and a use of a ruleset stays one.
func TestOneUseIsToldOnce(t *testing.T) {
	const used = `
variable "n" { default = 1 }
ruleset "r" {
  variable "length" { type = number }
  request "mining.submit" "x" {
    when = "user[:var.length] == 'x'"
    drop {}
  }
}
proxy "x" {
  pool = pool.main
  listener "tcp" { address = ":4444" }
  use "r" { length = var.n + 0.5 }
}
`
	const tests = `
test "a" {
  proxy = proxy.x
  variables { n = 2 }
  request "mining.submit" { params = ["x"] }
}
test "b" {
  proxy = proxy.x
  variables { n = 3 }
  request "mining.submit" { params = ["x"] }
}
`
	files(t, "loka.hcl", base+used, "x.test.hcl", tests)
	_, ds := LoadTests(".", Options{})
	if text := show(t, ds); !strings.Contains(text, "Used by proxy.x at loka.hcl:") || strings.Contains(text, "other.") {
		t.Errorf("said:\n%s", text)
	}
}

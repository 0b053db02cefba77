package policy

import (
	"strings"
	"testing"
)

// TestSecretsUnsaid makes mistakes around a secret and looks for it in what is said.
func TestSecretsUnsaid(t *testing.T) {
	const secret = "hunter22hunter22"
	for name, policy := range map[string]string{
		"default":       "variable \"s\" {\n type = number\n default = \"%\"\n sensitive = true\n}",
		"validation":    "variable \"s\" {\n default = \"%\"\n sensitive = true\n validation {\n condition = false\n error_message = \"not ${var.s}\"\n}\n}",
		"address":       "variable \"s\" {\n default = \"%\"\n sensitive = true\n}\npool \"x\" {\n server \"a\" { address = var.s }\n}",
		"listen":        "variable \"s\" {\n default = \"%\"\n sensitive = true\n}\nadmin { address = var.s }",
		"event":         "variable \"s\" {\n default = \"%\"\n sensitive = true\n}\naudit \"file\" \"f\" { path = \"x\" }\nproxy \"x\" {\n pool = pool.main\n listener \"tcp\" { address = \":4444\" }\n audit {\n sinks = [audit.file.f]\n events = [var.s]\n}\n}",
		"short event":   "variable \"s\" {\n default = \"%\"\n sensitive = true\n}\nproxy \"x\" {\n pool = pool.main\n listener \"tcp\" { address = \":4444\" }\n audit {\n sinks = []\n events = [substr(var.s, 0, 3)]\n}\n}",
		"token":         "admin {\n address = \"x\"\n token = \"%\"\n}",
		"argument":      "ruleset \"r\" {\n variable \"s\" {\n type = number\n sensitive = true\n}\n}\nproxy \"x\" {\n pool = pool.main\n listener \"tcp\" { address = \":4444\" }\n use \"r\" {\n s = \"%\"\n}\n}",
		"given to rule": "variable \"s\" {\n default = \"%\"\n sensitive = true\n}\nproxy \"x\" {\n pool = pool.main\n listener \"tcp\" { address = \":4444\" }\n request \"mining.submit\" \"r\" {\n when = \"var.s > 5 and inCIDR(client.ip, [var.s]) and user matches var.s\"\n drop {}\n}\n}",
	} {
		t.Run(name, func(t *testing.T) {
			files(t, "loka.hcl", base+strings.ReplaceAll(policy, "%", secret))
			_, ds := Load(".", Options{})
			text := show(t, ds) + string(ds.JSON()) + ds.Error()
			if !ds.HasErrors() || strings.Contains(text, secret) || strings.Contains(text, `"hun"`) {
				t.Errorf("said:\n%s", text)
			}
		})
	}
	t.Run("var file", func(t *testing.T) {
		files(t, "loka.hcl", base+"variable \"s\" {\n type = number\n sensitive = true\n}", "s.vars.hcl", `s = "`+secret+`"`)
		_, ds := Load(".", values("@s.vars.hcl"))
		if text := show(t, ds); !ds.HasErrors() || strings.Contains(text, secret) {
			t.Errorf("said:\n%s", text)
		}
	})
	t.Run("var", func(t *testing.T) {
		files(t, "loka.hcl", base+"variable \"s\" {\n type = number\n sensitive = true\n}")
		_, ds := Load(".", values("s="+secret))
		if text := show(t, ds); !ds.HasErrors() || strings.Contains(text, secret) {
			t.Errorf("said:\n%s", text)
		}
	})
}

// unsaidIn loads a policy that has a mistake and looks for pieces of a secret in all
// that is said.
func unsaidIn(t *testing.T, path string, opts Options, pieces ...string) string {
	t.Helper()
	_, ds := Load(path, opts)
	text := show(t, ds)
	if !ds.HasErrors() {
		t.Error("there is no mistake")
	}
	for _, piece := range pieces {
		if strings.Contains(text+string(ds.JSON())+ds.Error(), piece) {
			t.Errorf("%q is in what is said:\n%s", piece, text)
		}
	}
	return text
}

// TestSecretsUnparsed breaks the file that a secret stands in, so that nothing is known
// of it but its lines.
func TestSecretsUnparsed(t *testing.T) {
	const head = "variable \"pw\" {\n sensitive = true\n"
	for name, policy := range map[string]string{
		"quote":           head + ` default = "hun"ter2secret"` + "\n}\n" + base,
		"escape":          head + ` default = "hunter2\secret"` + "\n}\n" + base,
		"interpolation":   head + ` default = "hunter2${secret"` + "\n}\n" + base,
		"control":         head + ` default = "a%{hunter2 secret}"` + "\n}\n" + base,
		"one line":        `variable "pw" { default = "hun"ter2secret" sensitive = true }` + "\n" + base,
		"all on one line": `variable "pw" { sensitive = true default = "hunter2secret" }` + "\n" + `variable "n" { default = 1 + }` + "\n" + base,
		"in a use":        head + "}\nproxy \"x\" {\n use \"r\" { pw = \"hunter2secret\" n = 5 }\n pool = = 5\n}\n" + base,
		"several lines":   head + " default = {\n  a = \"x\"\n  b = \"hun\"ter2secret\"\n }\n}\n" + base,
		"in a ruleset":    "ruleset \"r\" {\n  " + head + ` default = "hun"ter2secret"` + "\n}\n}\n" + base,
		"argument":        "ruleset \"r\" {\n  " + head + "}\n}\nproxy \"x\" {\n use \"r\" {\n  pw = \"hun\"ter2secret\"\n }\n}\n" + base,
		"token":           "admin {\n address = \":1\"\n token = \"hun\"ter2secret\"\n}\n" + base,
	} {
		t.Run(name, func(t *testing.T) {
			files(t, "loka.hcl", policy)
			if text := unsaidIn(t, ".", Options{}, "hun", "secret\"", "ter2"); !strings.Contains(text, notShown) {
				t.Errorf("nothing is hidden:\n%s", text)
			}
		})
	}
	t.Run("other lines are quoted", func(t *testing.T) {
		files(t, "loka.hcl", head+"}\n"+base+"locals {\n a = \"x\"y\"\n b = \"hunter2env\"z\"\n c = \"hunter2var\"z\"\n}\n")
		opts := Options{Environ: environ("LOKA_VAR_pw", "hunter2env"), Settings: values("pw=hunter2var").Settings}
		if text := unsaidIn(t, ".", opts, "hunter2"); !strings.Contains(text, `a = "x"y"`) {
			t.Errorf("said:\n%s", text)
		}
	})
}

// TestSecretsInFilesOfValues makes mistakes in files of values.
func TestSecretsInFilesOfValues(t *testing.T) {
	for name, given := range map[string]string{
		"twice":      "pw = \"hunter2-one\"\npw = \"hunter2-two\"\n",
		"unquoted":   "pw = hunter2secret\n",
		"function":   "pw = hunter2(1)\n",
		"escape":     "pw = \"hunter2\\secret\"\n",
		"open":       "pw = \"hunter2${x\"\n",
		"two equals": "pw == \"hunter2secret\"\n",
		"no equals":  "pw \"hunter2secret\"\n",
		"misspelled": "pww = \"hunter2secret\"\n",
		"in a block": "x { pw = \"hunter2secret\" }\n",
	} {
		t.Run(name, func(t *testing.T) {
			files(t, "loka.hcl", "variable \"pw\" {\n type = string\n sensitive = true\n}\n"+base, "x.vars.hcl", given)
			unsaidIn(t, ".", values("@x.vars.hcl"), "hunter2")
		})
	}
}

// TestSecretsInWords makes HCL speak of secrets in its own words, and of what is made
// from them.
func TestSecretsInWords(t *testing.T) {
	const secrets = `
variable "pw" {
  type      = string
  sensitive = true
  default   = "say \"hunter2\" x//y"
}
variable "pin" {
  type      = string
  sensitive = true
  default   = "z7q"
}
variable "keys" {
  type      = map(string)
  sensitive = true
  default   = { alicesecretkey = "abc", z7k = "abc" }
}
locals {
  derived = upper(var.pw)
`
	for _, expression := range []string{
		"tonumber(var.pw)", "tonumber(upper(var.pw))", "tonumber(local.derived)", "regex(var.pw, \"x\")", "file(var.pw)",
		"tonumber(var.pin)", "[for x in [var.pin] : tonumber(x)]", "{ a = 1 }[var.pin]", "{ (var.pin) = 1 }.foo", "var.keys.alice", "var.keys[\"z7\"]",
	} {
		t.Run(expression, func(t *testing.T) {
			files(t, "loka.hcl", base+secrets+"  bad = "+expression+"\n}\n")
			unsaidIn(t, ".", Options{}, "hunter2", "HUNTER2", "z7q", "alicesecretkey", "z7k")
		})
	}
	for _, expression := range []string{"user == var.keys.alice", "user == var.keys['z7']"} {
		t.Run(expression, func(t *testing.T) {
			files(t, "loka.hcl", secrets+"}\npool \"p\" {\n server \"a\" { address = \"stratum+tcp://a.example:1\" }\n}\nproxy \"x\" {\n pool = pool.p\n listener \"tcp\" { address = \":4444\" }\n"+
				" request \"mining.submit\" \"r\" {\n when = \""+expression+"\"\n drop {}\n }\n}\n")
			if text := unsaidIn(t, ".", Options{}, "alicesecretkey", "z7k"); !strings.Contains(text, "in this map") {
				t.Errorf("said:\n%s", text)
			}
		})
	}
}

package policy

import (
	"strings"
	"testing"
)

// TestSurplusAttributes gives objects attributes that their type does not have.
func TestSurplusAttributes(t *testing.T) {
	const object = "object({ a = string, limit = optional(number, 5) })"
	for _, test := range []struct{ kind, value, want string }{
		{object, `{ a = "x", limt = 9 }`, `the type has no attribute "limt". Did you mean "limit"?`},
		{object, `{ a = "x", other = 9 }`, `the type has no attribute "other".`},
		{"list(" + object + ")", `[{ a = "x" }, { a = "x", limt = 9 }]`, `in [1], the type has no attribute "limt". Did you mean "limit"?`},
		{"map(" + object + ")", `{ k = { a = "x", limt = 9 } }`, `in ["k"], the type has no attribute "limt". Did you mean "limit"?`},
		{"object({ o = " + object + " })", `{ o = { a = "x", limt = 9 } }`, `in o, the type has no attribute "limt". Did you mean "limit"?`},
		{object, `{ a = "x", limit = 9 }`, ""},
		{"map(number)", `{ limt = 9 }`, ""},
		{"any", `{ limt = 9 }`, ""},
	} {
		block := "variable \"o\" {\n type = " + test.kind + "\n default = "
		for name, opts := range map[string]Options{"default": {}, "var": values("o=" + test.value), "file": values("@x.vars.hcl")} {
			t.Run(test.value+" by "+name, func(t *testing.T) {
				initial := test.value
				if name != "default" {
					initial = "null"
				}
				files(t, "loka.hcl", block+initial+"\n}\n"+base, "x.vars.hcl", "o = "+test.value)
				_, ds := Load("loka.hcl", opts)
				if got := show(t, ds.Errors()); test.want == "" && got != "" || !strings.Contains(got, test.want) || ds.Errors().Len() > 1 {
					t.Errorf("said:\n%s", got)
				}
			})
		}
	}
	t.Run("argument", func(t *testing.T) {
		_, ds := loadText(t, strings.Replace(base, "pool.main\n", "pool.main\n use \"r\" {\n o = { a = \"x\", more = 1 }\n}\n", 1)+"ruleset \"r\" {\n variable \"o\" { type = "+object+" }\n}\n")
		if ds.HasErrors() {
			t.Errorf("an object with more than a ruleset needs: said:\n%s", show(t, ds))
		}
	})
	t.Run("sensitive", func(t *testing.T) {
		files(t, "loka.hcl", "variable \"o\" {\n sensitive = true\n type = "+object+"\n}\n"+base)
		unsaidIn(t, "loka.hcl", values(`o={ a = "x", hunter2 = 1 }`), "hunter2")
	})
}

// TestErrorMessageIsText wants a text whether the validation fails or not.
func TestErrorMessageIsText(t *testing.T) {
	for _, test := range [][2]string{{"true", "5"}, {"false", "5"}, {"false", "[var.v]"}, {"true", "null"}} {
		_, ds := loadText(t, base+"variable \"v\" {\n default = \"x\"\n validation {\n condition = "+test[0]+"\n error_message = "+test[1]+"\n}\n}\n")
		if got := show(t, ds); !strings.Contains(got, "error_message must be a text") {
			t.Errorf("%v: said:\n%s", test, got)
		}
	}
}

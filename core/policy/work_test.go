//go:build unix

package policy

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// within fails when a load hangs.
func within(t *testing.T, path string, opts Options) string {
	t.Helper()
	said := make(chan Diagnostics, 1)
	go func() {
		_, ds := Load(path, opts)
		said <- ds
	}()
	select {
	case ds := <-said:
		return show(t, ds)
	case <-time.After(time.Minute):
		t.Fatal("the load hangs")
		return ""
	}
}

// TestPipes puts a pipe that nobody writes into wherever a policy reads a file.
func TestPipes(t *testing.T) {
	for name, test := range map[string]struct {
		policy string
		opts   Options
	}{
		"policy":  {base, Options{}},
		"include": {"include = [\"d/pipe.hcl\"]\n" + base, Options{}},
		"values":  {base, values("@d/pipe.hcl")},
		"file":    {base + "locals {\n a = file(\"d/pipe.hcl\")\n}\n", Options{}},
		"ca":      {strings.Replace(base, `"stratum+tcp://a.example:3333"`, "\"stratum+ssl://a.example:1\"\n tls_ca_file = \"d/pipe.hcl\"\n", 1), Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			files(t, "loka.hcl", strings.Replace(test.policy, "{ address = \"stratum+ssl", "{\n address = \"stratum+ssl", 1), "d/x.hcl", "")
			pipe, path := "d/pipe.hcl", "loka.hcl"
			if name == "policy" {
				pipe, path = "pipe.hcl", "."
			}
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			if got := within(t, path, test.opts); !strings.Contains(got, "it is no regular file (a pipe, a socket or a device)") {
				t.Errorf("said:\n%s", got)
			}
		})
	}
}

// TestTooMuch asks for more than there is memory for.
func TestTooMuch(t *testing.T) {
	double := func(first, form string) string {
		text := "a0 = " + first + "\n"
		for i := range 27 {
			text += fmt.Sprintf("a%d = "+form+"\n", i+1, i)
		}
		return text
	}
	for name, test := range map[string]struct{ locals, want string }{
		"texts":      {double(`"xxxxxxxxxxxxxxxx"`, `"${local.a%[2]d}${local.a%[2]d}"`), "Value too large"},
		"lists":      {double(`["x"]`, "[local.a%[2]d, local.a%[2]d]"), "Value too large"},
		"maps":       {double(`{ a = 1 }`, "{ a = local.a%[2]d, b = local.a%[2]d }"), "Value too large"},
		"number":     {"a = 1e999999999", "Value too large"},
		"product":    {"a = setproduct(range(1000), range(1000), range(100))", "more than 100000 elements"},
		"loops":      {"a = [for x in range(1000) : [for y in range(1000) : [for z in range(1000) : x]]]", "Loop too large"},
		"conditions": {"a = [for x in range(1000) : x if length([for y in range(1000) : y if length([for z in range(1000) : z]) > 0]) > 0]", "Loop too large"},
		"keys":       {"a = { for x in range(1000) : \"${length([for y in range(1000) : [for z in range(1000) : z]])}${x}\" => 1 }", "Loop too large"},
		"template":   {"a = \"%{for x in range(1000)}%{for y in range(1000)}%{for z in range(1000)}x%{endfor}%{endfor}%{endfor}\"", "Loop too large"},
		"replace":    {"x = join(\"\", range(1000))\nb = join(local.x, range(1000))\na = replace(local.b, \"\", local.b)", "far too long"},
		"format":     {"a = format(\"%%999999999d\", 1)", "four digits at most"},
	} {
		t.Run(name, func(t *testing.T) {
			files(t, "loka.hcl", base+"locals {\n"+strings.ReplaceAll(test.locals, "%%9", "%9")+"\n}\n")
			got := within(t, "loka.hcl", Options{})
			if !strings.Contains(got, test.want) || strings.Count(got, "Error: ") != 1 {
				t.Errorf("said:\n%s", got)
			}
		})
	}
	t.Run("value", func(t *testing.T) {
		files(t, "loka.hcl", "variable \"v\" { type = any }\n"+base)
		if got := within(t, ".", values("v=[for x in range(1000) : [for y in range(1000) : x]]")); !strings.Contains(got, "Wrong value for a variable") {
			t.Errorf("said:\n%s", got)
		}
	})
}

// TestEnough makes sure that the bounds leave room for a large farm.
func TestEnough(t *testing.T) {
	files(t, "loka.hcl", base+"locals {\n"+
		" pairs = [for p in setproduct(range(100), range(100)) : format(\"%05d-%s\", p[0], p[1])]\n"+
		" table = { for x in range(300) : \"w${x}\" => [for y in range(100) : y] }\n"+
		" text = replace(join(\",\", range(1000)), \",\", \" and \")\n}\n")
	load(t, ".", Options{})
}

// TestTooManyTests asks for more tests, policies and values than there is time for.
func TestTooManyTests(t *testing.T) {
	for name, test := range map[string]struct{ tests, want string }{
		"tests":    {"test \"x\" {\n for_each = { for i in range(1000) : i => i }\n connect {}\n}\n", "Too many tests"},
		"policies": {"test \"x\" {\n for_each = { for i in range(1001) : i => i }\n variables { w = each.key }\n connect {}\n}\n", "Too many values for variables"},
		"values":   {"test \"x\" {\n for_each = { for i in range(1000) : i => i }\n request \"a\" { params = [local.x, local.x] }\n request \"b\" { params = local.x }\n}\n", "Tests too large"},
		"loops":    {"test \"x\" {\n for_each = { for i in range(1000) : i => i }\n request \"a\" { params = [length([for i in range(1000) : [for j in range(100) : i]])] }\n}\n", "Tests too large"},
	} {
		t.Run(name, func(t *testing.T) {
			text := test.tests
			if name == "tests" {
				for i := range 10 {
					text += strings.Replace(test.tests, `"x"`, fmt.Sprintf("\"x%d\"", i), 1)
				}
			}
			files(t, "loka.hcl", base+"variable \"w\" {\n  default = \"x\"\n}\nlocals {\n  x = \""+strings.Repeat("x", 50000)+"\"\n}\n", "x.test.hcl", text)
			_, ds := LoadTests(".", Options{})
			if got := show(t, ds); ds.Len() != 1 || !strings.Contains(got, test.want) {
				t.Errorf("said:\n%s", got)
			}
		})
	}
}

// TestPipesInTests puts a pipe that nobody writes into wherever a test reads a file.
func TestPipesInTests(t *testing.T) {
	for name, text := range map[string]string{
		"pipe.test.hcl": "",
		"capture":       "test \"x\" {\n  capture = \"pipe\"\n}\n",
		"golden":        "test \"x\" {\n  capture = \"loka.hcl\"\n  golden = \"pipe\"\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			files(t, "loka.hcl", base, "x.test.hcl", text)
			pipe := "pipe"
			if text == "" {
				pipe = name
			}
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			_, ds := LoadTests(".", Options{})
			if got := show(t, ds); !strings.Contains(got, "it is no regular file (a pipe, a socket or a device)") {
				t.Errorf("said:\n%s", got)
			}
		})
	}
}

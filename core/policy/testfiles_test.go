package policy

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const oneTest = "test \"x\" {\n  connect {}\n}\n"

// outline writes what suites there are: their policies, files, tests and proxies.
func outline(suites []*Suite) string {
	var b strings.Builder
	for _, s := range suites {
		fmt.Fprintf(&b, "%s\n", s.Path)
		for _, file := range s.Files {
			fmt.Fprintf(&b, "  %s\n", file.Name)
			for _, test := range file.Tests {
				fmt.Fprintf(&b, "    %s: %s\n", test.Name, test.Proxy.Address)
			}
		}
	}
	return b.String()
}

// TestFinding looks for tests in a tree of directories.
func TestFinding(t *testing.T) {
	own := strings.ReplaceAll(base, "proxy \"main\"", "proxy \"own\"") + oneTest
	included := "include = [\"../rules/*.hcl\"]\n" + own
	files(t,
		"loka.hcl", base, "other.hcl", "locals {}\n", "b.test.hcl", oneTest, "a.test.hcl", oneTest, "own.test.hcl", own,
		".git/x.test.hcl", "nonsense", ".hidden.test.hcl", "nonsense", "empty.test.hcl", "# nothing\n", "prod.vars.hcl", "nonsense",
		"rules/r.hcl", "ruleset \"r\" {\n  request \"mining.submit\" \"x\" {\n    drop {}\n  }\n}\n", "rules/none/x.hcl", base,
		"sub/deep/r.test.hcl", strings.ReplaceAll(included, "../", "../../"), "sub/loka.hcl", base, "sub/c.test.hcl", oneTest)
	for path, want := range map[string]string{
		".": `
.
  a.test.hcl
    x: proxy.main
  b.test.hcl
    x: proxy.main
own.test.hcl
  own.test.hcl
    x: proxy.own
sub
  sub/c.test.hcl
    x: proxy.main
sub/deep/r.test.hcl
  sub/deep/r.test.hcl
    x: proxy.own
`,
		"sub": `
sub
  sub/c.test.hcl
    x: proxy.main
sub/deep/r.test.hcl
  sub/deep/r.test.hcl
    x: proxy.own
`,
		"loka.hcl": `
loka.hcl
  a.test.hcl
    x: proxy.main
  b.test.hcl
    x: proxy.main
`,
		"./a.test.hcl": `
.
  ./a.test.hcl
    x: proxy.main
`,
		"own.test.hcl": `
own.test.hcl
  own.test.hcl
    x: proxy.own
`,
		"rules":          "\n",
		"rules/r.hcl":    "\n",
		"empty.test.hcl": "\n",
	} {
		t.Run(path, func(t *testing.T) {
			got := outline(loadTests(t, path, Options{}))
			if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got); diff != "" {
				t.Errorf("suites (-want +got):\n%s", diff)
			}
		})
	}
	if p := load(t, ".", Options{}); len(p.Proxies) != 1 || len(p.Files) != 2 {
		t.Errorf("a load reads %v", p.Files)
	}
}

// TestInputs looks at the files that a suite was read from.
func TestInputs(t *testing.T) {
	files(t, "loka.hcl", "variable \"w\" {\n  type = string\n}\n"+base+"locals {\n  x = file(\"names.txt\")\n}\n",
		"names.txt", "john", "w.auto.vars.hcl", "w = \"x\"\n", "recorded/s19.jsonl", "", "recorded/golden.jsonl", "",
		"a.test.hcl", "test \"a\" {\n  capture = \"recorded/s19.jsonl\"\n  golden = \"recorded/golden.jsonl\"\n}\n"+
			"test \"b\" {\n  capture = \"recorded/s19.jsonl\"\n  golden = \"recorded/none.jsonl\"\n}\n",
		"own.test.hcl", "include = [\"loka.hcl\"]\nvariables {\n  w = \"x\"\n}\n"+oneTest)
	suites := loadTests(t, ".", Options{})
	var got [][]string
	for _, s := range suites {
		got = append(got, s.Inputs)
	}
	want := [][]string{
		{"loka.hcl", "w.auto.vars.hcl", "names.txt", "recorded/s19.jsonl", "recorded/golden.jsonl", "recorded/none.jsonl", "a.test.hcl"},
		{"own.test.hcl", "loka.hcl", "names.txt"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	tests := suites[0].Files[0].Tests
	if a, b := tests[0], tests[1]; a.Capture != "recorded/s19.jsonl" || a.Golden != "recorded/golden.jsonl" || b.Golden != "recorded/none.jsonl" {
		t.Errorf("captures are %+v and %+v", a, b)
	}
	if p, alone := tests[0].Policy, load(t, ".", Options{}); p.Hash != alone.Hash || cmp.Diff(p.Files, alone.Files) != "" {
		t.Errorf("the policy that is tested is %s of %v, and otherwise %s of %v", p.Hash, p.Files, alone.Hash, alone.Files)
	}
}

// testsTest is some files of tests and what is said about them, whole.
type testsTest struct {
	name  string
	files []string
	path  string
	opts  Options
	want  string
}

func (test testsTest) run(t *testing.T) {
	files(t, test.files...)
	suites, ds := LoadTests(test.path, test.opts)
	if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), show(t, ds)); diff != "" || slices.ContainsFunc(suites, func(s *Suite) bool { return len(s.Files) > 0 }) {
		t.Errorf("suites %v, what is said (-want +got):\n%s", suites, diff)
	}
}

// TestPathsOfTests compares what is said when there is something wrong with files.
func TestPathsOfTests(t *testing.T) {
	for _, test := range []testsTest{
		{"missing", nil, "none", Options{}, `
Error: Tests not readable

  none cannot be read: it does not exist.
`},
		{"neither", []string{"x.txt", ""}, "x.txt", Options{}, `
Error: No policy and no tests

  x.txt is neither: policies are named *.hcl, and tests *.test.hcl.
`},
		{"no policy beside", []string{"d/x.test.hcl", oneTest}, ".", Options{}, `
Error: No policy here

  on d/x.test.hcl:1:1, in test "x":

   1 │ test "x" {
     │ ^^^^^^^^

  This tests the policy of its directory, and d holds no policy file (*.hcl). A file of tests can also bring the policy that it tests, as in include = ["../farm/*.hcl"].
`},
		{"not text", []string{"loka.hcl", base, "a.test.hcl", "\xff", "b.test.hcl", oneTest}, ".", Options{}, `
Error: File not readable

  a.test.hcl cannot be read: it is not valid UTF-8.
`},
		{"several files", []string{
			"loka.hcl", base + "locals {\n  a = var.x\n}\n", "a.test.hcl", "test \"x\" {\n  connect {\n}\n",
			"b.test.hcl", "test \"x\" {\n  proxy = proxy.mian\n  connect {}\n}\n", "d/loka.hcl", "pool \"p\" {}\n" + base, "d/c.test.hcl", oneTest,
		}, ".", Options{}, `
Error: Unclosed configuration block

  on a.test.hcl:1:10, in test "x":

   1 │ test "x" {
     │          ^

  There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.

Error: No such proxy

  on b.test.hcl:2:16, in test "x":

   2 │   proxy = proxy.mian
     │                ^^^^^

  There is no proxy "mian" in this policy. Did you mean "main"?

  Proxies: main.

Error: Unknown name

  on loka.hcl:10:7, in locals:

  10 │   a = var.x
     │       ^^^^^

  There is no var.x here.

  var has: none.

Error: Pool without servers

  on d/loka.hcl:1:1, in pool "p":

   1 │ pool "p" {}
     │ ^^^^^^^^

  pool.p has no server. It needs one, as in server "main" { address = "stratum+tcp://pool.example:3333" }.
`},
	} {
		t.Run(test.name, test.run)
	}
}

// TestUnreadableDirectory makes sure that tests are not passed over in silence.
func TestUnreadableDirectory(t *testing.T) {
	files(t, "loka.hcl", base, "d/x.test.hcl", oneTest)
	if err := os.Chmod("d", 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod("d", 0o700) })
	if _, err := os.ReadDir("d"); err == nil { // nothing is closed to this user
		return
	}
	if _, ds := LoadTests(".", Options{}); !strings.Contains(show(t, ds), "The directory d cannot be read: permission denied.") {
		t.Errorf("said:\n%s", show(t, ds))
	}
}

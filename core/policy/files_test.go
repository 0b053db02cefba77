package policy

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const needsWallet = base + `
variable "wallet" {
  type        = string
  description = "Payout address."
  validation {
    condition     = strlen(var.wallet) > 5
    error_message = "The wallet is too short."
  }
}
variable "port" {
  type    = number
  default = 3333
}
`

// fileTest is a policy of some files and what is said about it, whole.
type fileTest struct {
	name  string
	files []string
	path  string
	opts  Options
	want  string
}

func (test fileTest) run(t *testing.T) {
	files(t, test.files...)
	p, ds := Load(test.path, test.opts)
	if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), show(t, ds)); diff != "" || p != nil {
		t.Errorf("policy %v, what is said (-want +got):\n%s", p, diff)
	}
}

// TestFileErrors compares what is said when files are not as they should be.
func TestFileErrors(t *testing.T) {
	for _, test := range []fileTest{
		{"missing file", nil, "loka.hcl", Options{}, `
Error: Policy not readable

  loka.hcl cannot be read: it does not exist.
`},
		{"empty directory", []string{"house.test.hcl", "", "prod.vars.hcl", "", ".hidden.hcl", "", "notes.txt", ""}, ".", Options{}, `
Error: No policy here

  The directory . holds no policy file (*.hcl; *.test.hcl and *.vars.hcl do not count).
`},
		{"a test is no policy", []string{"a.test.hcl", ""}, "a.test.hcl", Options{}, `
Error: Not a policy file

  a.test.hcl is not a policy: policies are named *.hcl, tests *.test.hcl and files of values *.vars.hcl.
`},
		{"directory as file of values", []string{"loka.hcl", base, "d/x.vars.hcl", ""}, ".", values("@d"), `
Error: Wrong file of values

  d is a directory; --var-file takes one file, and can be given several times.
`},
		{"missing file of values", []string{"loka.hcl", base}, ".", values("@none.vars.hcl"), `
Error: File not readable

  none.vars.hcl cannot be read: it does not exist.
`},
		{"not text", []string{"loka.hcl", base + "\xff"}, ".", Options{}, `
Error: File not readable

  loka.hcl cannot be read: it is not valid UTF-8.
`},
		{"too large", []string{"loka.hcl", strings.Repeat("#\n", 1<<19) + base}, ".", Options{}, `
Error: File not readable

  loka.hcl cannot be read: it is too large.
`},
		{"too deep", []string{"loka.hcl", base + "locals {\n  x = " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n}\n"}, ".", Options{}, `
Error: File not readable

  loka.hcl cannot be read: it is nested too deeply.
`},
		{"too many operators", []string{"loka.hcl", base + "locals {\n  x = " + strings.Repeat("!", 500000) + "true\n}\n"}, ".", Options{}, `
Error: File not readable

  loka.hcl cannot be read: it is nested too deeply.
`},
		{"bad HCL", []string{"a.hcl", "pool {{\n", "b.hcl", "proxy \"x\" {\n"}, ".", Options{}, `
Error: Argument or block definition required

  on a.hcl:1:7, in pool:

   1 │ pool {{
     │       ^

  An argument or block definition is required here.

Error: Unclosed configuration block

  on b.hcl:1:11, in proxy "x":

   1 │ proxy "x" {
     │           ^

  There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.
`},
	} {
		t.Run(test.name, test.run)
	}
}

// TestMissingAndRefusedValues compares what is said when a value is missing or refused.
func TestMissingAndRefusedValues(t *testing.T) {
	for _, test := range []fileTest{
		{"variable without a value", []string{"loka.hcl", needsWallet}, ".", Options{}, `
Error: Variable without a value

  on loka.hcl:10:1, in variable "wallet":

  10 │ variable "wallet" {
     │ ^^^^^^^^^^^^^^^^^

  variable "wallet" (Payout address) has no default, and no value was given. Give one in any of these ways:

      --var wallet=VALUE
      LOKA_VAR_wallet=VALUE in the environment
      wallet = VALUE in a file named by --var-file, or in a *.auto.vars.hcl beside the policy
      default = VALUE in its block
`},
		{"variable of a single file without a value", []string{"loka.hcl", needsWallet, "x.auto.vars.hcl", `wallet = "37vuX2"`}, "loka.hcl", Options{}, `
Error: Variable without a value

  on loka.hcl:10:1, in variable "wallet":

  10 │ variable "wallet" {
     │ ^^^^^^^^^^^^^^^^^

  variable "wallet" (Payout address) has no default, and no value was given. Give one in any of these ways:

      --var wallet=VALUE
      LOKA_VAR_wallet=VALUE in the environment
      wallet = VALUE in a file named by --var-file
      default = VALUE in its block
`},
		{"failing validation", []string{"loka.hcl", needsWallet}, ".", values("wallet=37vu"), `
Error: Value refused

  on loka.hcl:14:21, in variable "wallet":

  14 │     condition     = strlen(var.wallet) > 5
     │                     ^^^^^^^^^^^^^^^^^^^^^^

  The wallet is too short.

  The value of var.wallet comes from --var wallet.
`},
		{"failing validation of a value in a file", []string{"loka.hcl", needsWallet, "x.vars.hcl", `wallet = "37vu"`}, ".", values("@x.vars.hcl"), `
Error: Value refused

  on x.vars.hcl:1:10:

   1 │ wallet = "37vu"
     │          ^^^^^^

  The wallet is too short.

  This is checked by the validation at loka.hcl:14:21.
`},
	} {
		t.Run(test.name, test.run)
	}
}

// TestWrongValues compares what is said when values are for no variable or of a wrong type.
func TestWrongValues(t *testing.T) {
	for _, test := range []fileTest{
		{
			"undeclared variables",
			[]string{"loka.hcl", needsWallet, "x.vars.hcl", "wallet = \"37vuX2\"\nprot = 1\nblock {}\n"},
			".",
			Options{Settings: values("@x.vars.hcl", "walet=1", "port").Settings, Environ: environ("LOKA_VAR_nothing", "x")},
			`
Error: No such variable

  --var walet gives a value to a variable that this policy does not have. Did you mean "wallet"?

  Variables: port, wallet.

Error: Wrong --var

  --var is given as name=value, and "port" has no equals sign.

Error: No such variable

  on x.vars.hcl:2:1:

   2 │ prot = 1
     │ ^^^^

  This policy does not have a variable "prot". Did you mean "port"?

  Variables: port, wallet.

Error: Wrong file of values

  on x.vars.hcl:3:1, in block:

   3 │ block {}
     │ ^^^^^

  A file of values has arguments only, as in wallet = "37vu…". Blocks belong in the policy.
`,
		},
		{
			"values of the wrong type",
			[]string{"loka.hcl", needsWallet, "x.vars.hcl", "wallet = [1]\n"},
			".",
			Options{Settings: values("@x.vars.hcl", "port=[1").Settings, Environ: environ("LOKA_VAR_port", "many")},
			`
Error: Wrong value for a variable

  The value of var.port, given by LOKA_VAR_port, does not read as a number. It is written as in a file: texts in double quotes, lists in [ ], maps in { }.

Error: Wrong value for a variable

  The value of var.port, given by --var port, does not read as a number. It is written as in a file: texts in double quotes, lists in [ ], maps in { }.

Error: Wrong value for a variable

  on x.vars.hcl:1:10:

   1 │ wallet = [1]
     │          ^^^

  This does not fit the type of variable "wallet": string required, but have list.
`,
		},
		{"a value of the wrong type by --var", []string{"loka.hcl", needsWallet}, ".", values("wallet=37vuX2", `port="x"`), `
Error: Wrong value for a variable

  The value of var.port, given by --var port, does not fit its type: a number is required.
`},
	} {
		t.Run(test.name, test.run)
	}
}

// TestManyMistakes makes sure that a file that is no policy at all is given up on.
func TestManyMistakes(t *testing.T) {
	files(t, "loka.hcl", strings.Repeat("a = = 1\n", 2000))
	began := time.Now()
	_, ds := Load(".", Options{})
	if ds.Len() < 40 || ds.Len() > 100 || time.Since(began) > time.Minute {
		t.Errorf("%d mistakes told in %v", ds.Len(), time.Since(began))
	}
}

func TestUnreadable(t *testing.T) {
	files(t, "loka.hcl", base)
	if err := os.Symlink("loop.hcl", "loop.hcl"); err != nil {
		t.Fatal(err)
	}
	_, ds := Load(".", Options{})
	want := "Error: File not readable\n\n  loop.hcl cannot be read: too many levels of symbolic links.\n"
	if got := show(t, ds); got != want {
		t.Errorf("said:\n%s", got)
	}
	if os.Getuid() == 0 {
		return // root reads everything
	}
	if err := os.Chmod("loka.hcl", 0); err != nil {
		t.Fatal(err)
	}
	_, ds = Load("loka.hcl", Options{})
	if got := show(t, ds); !strings.Contains(got, "loka.hcl cannot be read: permission denied.") {
		t.Errorf("said:\n%s", got)
	}
}

// TestIncludes follows includes: relative to the file that says it, by globs, in a
// circle, twice.
func TestIncludes(t *testing.T) {
	files(t,
		"a.hcl", `include = ["sites/*.hcl", "sites/pools.hcl", "b.hcl"]`,
		"b.hcl", `include = ["a.hcl"]`,
		"sites/pools.hcl", "include = [\"deep/*.hcl\"]\npool \"main\" {\n server \"a\" { address = \"stratum+tcp://a.example:3333\" }\n}\n",
		"sites/proxies.hcl", "include = [\"pools.hcl\", \"../a.hcl\"]\nproxy \"main\" {\n pool = pool.main\n listener \"tcp\" { address = local.address }\n}\n",
		"sites/house.test.hcl", "no policy",
		"sites/x.vars.hcl", "no policy",
		"sites/deep/locals.hcl", "locals {\n address = trimspace(file(\"address.txt\"))\n}\n",
		"sites/deep/address.txt", ":4444\n",
	)
	p := load(t, "a.hcl", Options{})
	want := []string{"a.hcl", "sites/pools.hcl", "sites/deep/locals.hcl", "sites/proxies.hcl", "b.hcl", "sites/deep/address.txt"}
	if diff := cmp.Diff(want, p.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if got := p.Proxies[0].Listeners[0].Address; got != ":4444" {
		t.Errorf("the listener is at %q", got)
	}
}

// TestHash makes sure that whatever can change a policy changes its hash, and that
// its place in the file system does not.
func TestHash(t *testing.T) {
	policy := []string{"loka.hcl", base + "variable \"v\" { default = \"x\" }\nlocals {\n  f = file(\"f.txt\")\n}\n", "f.txt", "1"}
	hash := func(opts Options, edits ...string) string {
		files(t, append(policy[:len(policy):len(policy)], edits...)...)
		return load(t, ".", opts).Hash
	}
	first := hash(Options{})
	if len(first) != 12 || first != hash(Options{}) {
		t.Errorf("the hash of a copy of %s is %s", first, hash(Options{}))
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if got := load(t, dir, Options{}).Hash; got != first {
		t.Errorf("by its full path, the policy is %s and not %s", got, first)
	}
	for name, got := range map[string]string{
		"value":            hash(values("v=y")),
		"bytes":            hash(Options{}, "loka.hcl", policy[1]+"\n"),
		"file read by it":  hash(Options{}, "f.txt", "2"),
		"one more file":    hash(Options{}, "more.hcl", ""),
		"auto vars beside": hash(Options{}, "x.auto.vars.hcl", "v = \"y\""),
	} {
		if got == first {
			t.Errorf("%s: same hash", name)
		}
	}
}

package policy

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const wallet = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"

// plant makes a policy of the house's with some texts replaced, loads it as an
// operator would who stands in its directory, and gives its errors as they are shown.
func plant(t *testing.T, edits ...string) string {
	t.Helper()
	house, err := os.ReadFile("testdata/house/loka.hcl")
	if err != nil {
		t.Fatal(err)
	}
	text := string(house)
	for i := 0; i < len(edits); i += 2 {
		if strings.Count(text, edits[i]) != 1 {
			t.Fatalf("%q stands in the policy %d times", edits[i], strings.Count(text, edits[i]))
		}
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	t.Chdir(t.TempDir())
	write(t, "loka.hcl", text)
	_, ds := Load(".", Options{Settings: []Setting{{Var: "wallet=" + wallet}}})
	return show(t, ds.Errors())
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const (
	ownPassword = `      password = "'x'"`
	mapping     = `replace(name, ".", "_")`
)

// textTest is a mistake in a policy of the house and what is said about it, whole.
type textTest struct {
	name  string
	edits []string
	want  string
}

func (test textTest) run(t *testing.T) {
	got := plant(t, test.edits...)
	if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), got); diff != "" {
		t.Errorf("what is said (-want +got):\n%s", diff)
	}
}

// TestTextsOfQuoting compares what is said for the typical mistakes with texts and names in expressions.
func TestTextsOfQuoting(t *testing.T) {
	for _, test := range []textTest{
		{"a typo in a heredoc", []string{mapping, `replace(nane, ".", "_")`}, `
Error: Unknown name in expression

  on loka.hcl:151:36, in ruleset "house", request "mining.authorize" "house_wallet":

 151 │         var.wallet + "." + replace(nane, ".", "_")
     │                                    ^^^^

  There is no "nane" here. Did you mean "name"?

  Names in a mining.authorize request: client, clock, listener, method, params, password, pool, proxy, session, stats, upstream, user, var.
`},
		{"double quotes inside a quoted expression", []string{`(user startsWith var.wallet)`, `(user startsWith "37vu")`}, `
Error: Double quote inside a quoted expression

  on loka.hcl:147:35, in ruleset "house", request "mining.authorize" "house_wallet":

 147 │     when = "not (user startsWith "37vu")"
     │                                   ^^

  The string ended at the second double quote. Write the strings inside an expression with single quotes:

      when = "not (user startsWith '37vu')"

  or use a heredoc (<<-EXPR), where both kinds of quote are free.
`},
		{"interpolation", []string{ownPassword, `      password = "${var.wallet}"`}, `
Error: Interpolation in an expression

  on loka.hcl:153:18, in ruleset "house", request "mining.authorize" "house_wallet":

 153 │       password = "${var.wallet}"
     │                  ^^^^^^^^^^^^^^^

  This argument is an expression: it is compiled once and run for every message, so HCL's ${…} has no meaning in it. Names are used directly:

      "var.wallet"
`},
		{"a text not quoted inside", []string{ownPassword, `      password = "x"`}, `
Error: Unknown name in expression

  on loka.hcl:153:19, in ruleset "house", request "mining.authorize" "house_wallet":

 153 │       password = "x"
     │                   ^

  There is no "x" here.

  This argument is an expression. If x is meant as a text, quote it inside: "'x'".

  Names in a mining.authorize request: client, clock, listener, method, params, password, pool, proxy, session, stats, upstream, user, var.
`},
	} {
		t.Run(test.name, test.run)
	}
}

// TestTextsOfUse compares what is said for the typical mistakes with types, pools and templates.
func TestTextsOfUse(t *testing.T) {
	for _, test := range []textTest{
		{"the wrong type", []string{ownPassword, `      password = "params[1]"`}, `
Error: Wrong type of expression

  on loka.hcl:153:19, in ruleset "house", request "mining.authorize" "house_wallet":

 153 │       password = "params[1]"
     │                   ^^^^^^^^^

  This expression gives a value of unknown type (any); a string is needed here.

  A value out of params may be of any type: wrap it, as in string(params[0]).
`},
		{"a pool that does not exist", []string{`pool = pool.rental`, `pool = pool.rentals`}, `
Error: No such pool

  on loka.hcl:91:18, in proxy "site", request "mining.subscribe" "rental_rigs":

  91 │       pool = pool.rentals
     │                  ^^^^^^^^

  There is no pool "rentals" in this policy. Did you mean "rental"?

  Pools: rental, site.
`},
		{"an expression not quoted at all", []string{ownPassword, `      password = lower(user)`}, `
Error: Expression not quoted

  on loka.hcl:153:18, in ruleset "house", request "mining.authorize" "house_wallet":

 153 │       password = lower(user)
     │                  ^^^^^^^^^^^

  This argument is an expression and goes in quotes:

      "lower(user)"
`},
		{"a template argument left out", []string{"    wallet = var.wallet\n", "\n"}, `
Error: Missing ruleset argument

  on loka.hcl:82:3, in proxy "site", use "house":

  82 │   use "house" {
     │   ^^^^^^^^^^^

  ruleset "house" requires the argument "wallet" (the address that is paid), which has no default.
`},
		{"two at once", []string{`when = "not ok"`, `when = "ok = false"`, `"difficulty < var.min_difficulty"`, `"difficulty < var.min_dificulty"`}, `
Error: Invalid expression

  on loka.hcl:172:16, in ruleset "house", response "mining.authorize" "say_where":

 172 │     when = "ok = false"
     │                ^

  A single = is no operator; to compare, write ==.

Error: Unknown name in expression

  on loka.hcl:179:30, in ruleset "house", notification "mining.set_difficulty" "floor":

 179 │     when = "difficulty < var.min_dificulty"
     │                              ^^^^^^^^^^^^^

  There is no var.min_dificulty here. Did you mean "min_difficulty"?

  var has: aliases, allow, min_difficulty, wallet.
`},
	} {
		t.Run(test.name, test.run)
	}
}

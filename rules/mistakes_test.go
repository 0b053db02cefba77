package rules

import (
	"strings"
	"testing"
)

// goldenScope is the scope of the ruleset in the language reference.
var goldenScope = &Scope{Var: map[string]any{
	"wallet": wallet, "allow": []any{"10.0.0.0/8"}, "aliases": map[string]any{}, "min_difficulty": 1024,
}}

const authorizeNames = "Names in a mining.authorize request: client, clock, listener, method, params, password, pool, proxy, session, stats, upstream, user, var."

// TestGoldenTexts holds the texts that the language reference promises.
func TestGoldenTexts(t *testing.T) {
	tests := []struct {
		name            string
		rule            Rule
		from, to        int
		summary, detail string
	}{
		{
			"typo",
			Rule{Kind: Request, Method: "mining.authorize", Set: []Assignment{set("user", "let name = lookup(var.aliases, user, user);\nvar.wallet + \".\" + replace(nane, \".\", \"_\")")}},
			71, 75, "Unknown name in expression", "There is no \"nane\" here. Did you mean \"name\"?\n\n" + authorizeNames,
		},
		{
			"text without quotes",
			Rule{Kind: Request, Method: "mining.authorize", Set: []Assignment{set("password", "x")}},
			0, 1, "Unknown name in expression", "There is no \"x\" here.\n\nThis argument is an expression. If x is meant as a text, quote it inside: \"'x'\".\n\n" + authorizeNames,
		},
		{
			"wrong type",
			Rule{Kind: Request, Method: "mining.authorize", Set: []Assignment{set("password", "params[1]")}},
			-1, -1, "Wrong type of expression", "This expression gives a value of unknown type (any); a string is needed here.\n\nA value out of params may be of any type: wrap it, as in string(params[0]).",
		},
		{
			"single =",
			Rule{Kind: Response, Method: "mining.authorize", When: src("ok = false")},
			3, 4, "Invalid expression", "A single = is no operator; to compare, write ==.",
		},
		{
			"unknown variable",
			Rule{Kind: Notification, Method: "mining.set_difficulty", When: src("difficulty < var.min_dificulty")},
			17, 30, "Unknown name in expression", "There is no var.min_dificulty here. Did you mean \"min_difficulty\"?\n\nvar has: aliases, allow, min_difficulty, wallet.",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.rule.Scope = goldenScope
			_, errs := Compile([]Rule{test.rule})
			if len(errs) != 1 {
				t.Fatalf("%d errors: %v", len(errs), errs)
			}
			e := errs[0]
			if e.Summary != test.summary || e.Detail != test.detail {
				t.Errorf("got:\n%s\n%s\nwant:\n%s\n%s", e.Summary, e.Detail, test.summary, test.detail)
			}
			if e.From != test.from || e.To != test.to {
				t.Errorf("bounds %d-%d, want %d-%d", e.From, e.To, test.from, test.to)
			}
		})
	}
}

// TestMistakes holds what each slip says. The first column is the condition of a submit
// rule unless it begins with "user = ".
func TestMistakes(t *testing.T) {
	tests := []struct{ text, under, detail string }{
		{"lowr(user) == 'x'", "lowr", "There is no function lowr. Did you mean \"lower\"?"},
		{"LOWER(user) == 'x'", "LOWER", "There is no function LOWER. Did you mean \"lower\"?"},
		{"frobnicate(user)", "frobnicate", "There is no function frobnicate."},
		{"reduce([1], #acc + #) == 1", "reduce", "There is no reduce in rules. It can build values without bound. For totals there are sum, count and join."},
		{"now() == user", "now", "There is no now in rules. The time is in clock.hour, clock.minute, clock.weekday, clock.day and clock.month."},
		{"clock.hours > 5", "hours", "There is no clock.hours here. Did you mean \"hour\"?\n\nclock has: day, hour, minute, month, weekday."},
		{"toJSON(user) == ''", "toJSON", "There is no toJSON in rules. It writes several lines. Use json(x), which writes one."},
		{"lower == 'x'", "lower", "lower is a function and is called with its values: lower(text)."},
		{"user()", "user", "user is a value, not a function."},
		{"user.lower() == 'x'", "lower", "Values have no functions of their own; write lower(user), not user.lower()."},
		{"replace(user, 'a') == ''", "replace", "replace takes 3 to 4 values, not 2: replace(text, old, new, times)."},
		{"lower() == ''", "lower", "lower takes 1 value, not 0: lower(text)."},
		{"max() == 1", "max", "max takes at least 1 value, not 0: max(a, b, …)."},
		{"replace(user, 1, 'x') == ''", "1", "replace needs a string here, and this is a number: replace(text, old, new, times)."},
		{"lower(1) == ''", "1", "lower needs a string here, and this is a number."},
		{"user == 1", "==", "== does not work between a string and a number."},
		{"user < 1", "<", "< does not work between a string and a number."},
		{"'x' + 1 == user", "+", "+ does not work between a string and a number.\n\nTo write a number into a text, wrap it, as in string(difficulty)."},
		{"not user", "not", "not does not work on a string."},
		{"user and ok1", "ok1", ""},
		{"user in [1, 2]", "in", "This looks for a string among values that are each a number."},
		{"user matches '['", "'['", "This pattern cannot be read: missing closing ]: `[`."},
		{"user matches job_id", "job_id", "A pattern for matches is a text in quotes or comes from a variable of the policy; one out of a message could be anything."},
		{"user == 'x", "'", "The text that begins here has no closing quote."},
		{"user == \"it's\" and job_id == 'x", "'", "The text that begins here has no closing quote."},
		{"user ==", "=", "The expression ends too early; something is missing at its end."},
		{"user == 'a' 'b'", "'b'", "This text is not expected here; an operator or a comma may be missing before it."},
		{"user job_id", "job_id", "The name job_id is not expected here; an operator or a comma may be missing before it."},
		{"(user == 'x'))", ")", "This ) is not expected here."},
		{"user & true", "&", "A single & is no operator; write && or and."},
		{"user == @x", "@", "The character @ has no meaning here."},
		{"user == 99999999999999999999", "", "This number is too large."},
		{"user == '\\q'", "", "This escape is not known. Between backquotes, a backslash stands for itself."},
		{"#  == 'x'", "#", "# is the element of a list and stands only in a condition, as in any(params, # == 'x')."},
		{"any(params, any(params, # == 'x'))", "any", "any stands in the condition of another such function. Over the same list their work multiplies; a let before it, or two rules, do the same."},
		{"any(user, # == 'x')", "user", "any needs a list, and this is a string."},
		{"any(params, 1)", "1", "A condition is needed here, and this is a number."},
		{"len([1..9]) == 1", "..", "Ranges are left out: one can be larger than any memory. Write the values as a list."},
		{"$env.user == 'x'", "$env", "There is no \"$env\" here."},
		{"client == 'x'", "client", "client is not a value by itself. It has: agent, ip, port."},
		{"client.adress == 'x'", "adress", "There is no client.adress here.\n\nclient has: agent, ip, port."},
		{"client.prt == 1", "prt", "There is no client.prt here. Did you mean \"port\"?\n\nclient has: agent, ip, port."},
		{"var == 'x'", "var", "var is not a value by itself. It has: aliases, allow, min_difficulty, wallet."},
		{"var[user] == 'x'", "user", "The name behind var is written out, as in var.aliases."},
		{"local.x == 1", "local", "There is no \"local\" here."},
		{"wallet == user", "wallet", "There is no \"wallet\" here. Did you mean \"var.wallet\"?"},
		{"var.allow[7] == user", "7", "The list has 1 elements; the first is 0."},
		{"user[0] == 'x'", "", "A string has no elements; a part of it is cut as in user[:5]."},
		{"params['x'] == 'x'", "'x'", "An element of a list is chosen by a whole number, not by a string."},
		{"user.foo == 'x'", "foo", "A string has no foo."},
		{"let user = 'x'; user == 'y'", "user", "user already means something here; choose another name for the variable."},
		{"let lower = 'x'; true", "lower", "lower already means something here; choose another name for the variable."},
		{"let a = 1; let a = 2; a == 1", "a", "a already means something here; choose another name for the variable."},
		{"user ? true : false", "user", "A condition is needed here, and this is a string."},
		{"inCIDR(client.ip, '10.0.0.0/99')", "'10.0.0.0/99'", "This is not a network; one looks like 10.0.0.0/8 or fd00::/8."},
		{"inCIDR(client.ip, ['10.0.0.0/8', 'lan'])", "", "This is not a network; one looks like 10.0.0.0/8 or fd00::/8."},
		{"worker(user, '') == ''", "''", "The separator is empty."},
		{"worker(user, '.', 'mid') == ''", "", "The third value says at which separator to cut: 'first' or 'last'."},
		{"b'x' == user", "b'x'", "Messages hold no byte strings; leave the b before the quote away."},
		{"1 % 0 == 1", "%", "This divides by zero."},
		{"user", "-", "This expression gives a string; a bool is needed here."},
		{"params[0]", "-", "This expression gives a value of unknown type (any); a bool is needed here.\n\nA value out of params may be of any type: compare it, as in params[0] == true."},
		{"  ", "-", "An expression is needed here."},
		{"true == (true ?? false or true)", "", ""},
		{"user = params[0]", "-", "This expression gives a value of unknown type (any); a string is needed here.\n\nA value out of params may be of any type: wrap it, as in string(params[0])."},
		{"user = 5", "-", "This expression gives a number; a string is needed here."},
		{"user = nil", "-", "This expression gives null; a string is needed here."},
		{"user = params", "-", "This expression gives a list; a string is needed here."},
		{"user = secret-word", "secret", "There is no \"secret\" here.\n\nThis argument is an expression. If secret-word is meant as a text, quote it inside: \"'secret-word'\"."},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			rule := Rule{Kind: Request, Method: "mining.submit", Scope: goldenScope}
			text, assigned := strings.CutPrefix(test.text, "user = ")
			if assigned {
				rule.Set = []Assignment{set("user", text)}
			} else {
				rule.When = src(text)
			}
			_, errs := Compile([]Rule{rule})
			if test.detail == "" {
				for _, e := range errs {
					plainWords(t, e)
				}
				return
			}
			if len(errs) == 0 {
				t.Fatal("no error")
			}
			e := errs[0]
			plainWords(t, e)
			// The list of names has tests of its own.
			detail, _, _ := strings.Cut(e.Detail, "\n\nNames in ")
			if detail != test.detail {
				t.Errorf("got  %s\nwant %s", detail, test.detail)
			}
			under := "-"
			if e.From >= 0 {
				under = string([]rune(text)[e.From:e.To])
			}
			if test.under != "" && under != test.under {
				t.Errorf("%q is underlined, want %q", under, test.under)
			}
		})
	}
}

// plainWords refuses the names of things that an operator has never heard of.
func plainWords(t *testing.T, e *Error) {
	t.Helper()
	for _, word := range []string{"interface", "float64", "map[", "[]", "rules.e", "ast.", "reflect", "strconv", "Operator(", "Identifier(", "token", "runtime", "panic", "struct", "func(", "<nil>"} {
		if strings.Contains(e.Detail, word) || strings.Contains(e.Summary, word) {
			t.Errorf("the error speaks of %q: %s", word, e.Error())
		}
	}
	if e.Detail == "" || e.Summary == "" {
		t.Errorf("the error says nothing: %+v", e)
	}
}

func TestEveryMistakeIsReported(t *testing.T) {
	_, errs := Compile([]Rule{
		{Kind: Response, Method: "mining.authorize", When: src("ok = false")},
		{Kind: Request, Method: "", Origin: "empty"},
		{Kind: Request, Method: "mining.submit", When: src("usr == nonc"), Set: []Assignment{set("user", "5"), set("nonsense", "''")}},
	})
	if len(errs) != 6 {
		t.Errorf("%d errors, want 6: %v", len(errs), errs)
	}
}

func TestNearest(t *testing.T) {
	tests := []struct{ name, want string }{
		{"nane", "name"}, {"rentals", "rental"}, {"x", ""}, {"usr", "user"}, {"USER", "user"}, {"zzzz", ""}, {"user", ""}, {"naxy", "name"}, {"nme", "name"}, {"pxyl", ""},
	}
	for _, test := range tests {
		if got := Nearest(test.name, []string{"name", "rental", "user", "y"}); got != test.want {
			t.Errorf("Nearest(%q) = %q, want %q", test.name, got, test.want)
		}
	}
}

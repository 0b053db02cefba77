package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loka-proxy/loka/rules"
)

// Topic is a part of the reference: what there is to know of one thing.
type Topic struct {
	// Name is one word for the command line; Title is for people.
	Name, Title string
	sections    []section
}

// section is a piece of a topic: what is said, an example and a table, each of which may
// be missing.
type section struct {
	title string
	text  []string
	code  string
	head  []string
	rows  [][]string
}

// Topics gives the reference of the language. It is made from the tables that policies
// are read and compiled by, so it has what they know, and nothing else.
func Topics() []Topic {
	return []Topic{
		{"expressions", "Expressions", expressionSections()},
		{"rules", "Rules", ruleSections()},
		{"names", "Names in expressions", nameSections()},
		{"functions", "Functions", functionSections()},
		{"blocks", "Blocks and arguments", blockSections(policyBlock)},
		{"tests", "Tests", testSections()},
	}
}

func expressionSections() []section {
	return []section{{
		text: []string{
			"In a rule, when and what stands in set and reply are expressions in expr-lang (https://expr-lang.org), compiled when the policy is loaded and run for every message. All else is plain HCL, evaluated once.",
			"An expression stands in double quotes, with single quotes for the texts in it, or in a heredoc, where both kinds of quote and backslashes are free:",
		},
		code: "when = \"user startsWith 'test.' and len(params) > 1\"\n\nset {\n  user = <<-EXPR\n    let name = lower(user);\n    var.wallet + \".\" + replace(name, \".\", \"_\")\n  EXPR\n}",
	}, {
		text: []string{
			"Names stand for themselves: var.wallet, local.nets, user. There is no ${…} in an expression. Variables and locals are constants in it.",
			"What comes out of params may be of any type. string(params[0]) makes a text of it, int and float numbers. An element that is not there fails the rule; get(params, 5) gives nil instead, and a slice such as params[:1] never fails.",
			"An expression that fails on a message fails its rule, which then changes nothing; on_error says what becomes of the message.",
			"The worst that an expression can cost is computed when it is loaded, and a policy that could hold up a message is refused. So a pattern of matches is a constant, and a condition such as any(…) has no other one in it.",
		},
	}, {
		title: "Left out of expr-lang", head: []string{"function", "instead"}, rows: withdrawnRows(),
	}}
}

func withdrawnRows() (rows [][]string) {
	withdrawn := rules.Withdrawn()
	for _, name := range sortedNames(withdrawn) {
		rows = append(rows, []string{name, withdrawn[name]})
	}
	return rows
}

func ruleSections() []section {
	var rows [][]string
	for i, b := range ruleBlocks {
		rows = append(rows, []string{b.heading(), b.doc, strings.Join(rules.Outcomes(rules.Kind(i)), ", ")})
	}
	list := []section{{
		text: []string{
			"A rule is a block of a proxy or of a ruleset. The rules for a message run in the order of the file, those of a ruleset in the place of the block use. Every rule that matches applies, and sees what the ones before it left.",
		},
		head: []string{"block", "what it is", "what it can do"}, rows: rows,
	}, {
		text: []string{
			"A rule has one outcome besides set. deny, reply and drop end the walk over the rules, and so does stop = true; route does not. Routes are possible in connect rules and in those for mining.subscribe, and where the proxy has extranonce = \"stable\" in those for mining.authorize. With several users in one session, the one that is authorized first decides.",
			"Routes that look at clock, stats or upstream are decided anew once a second while the miner is mining, by what it said when it came, and the miner moves where the answer is another. A rule that denies sends nobody away then.",
			"The name that mining.authorize was mapped to holds for every later message of the connection that carries the miner's name.",
			"No rule lowers the difficulty that a pool sets. What no rule changes passes byte for byte.",
		},
	}, ruleBlocks[0].argumentSection("Arguments of every rule")}
	for _, b := range outcomeBlocks {
		list = append(list, b.section("a rule"))
	}
	return list
}

func nameSections() (list []section) {
	for _, v := range rules.Vocabularies() {
		s := section{title: titleOf(v), head: []string{"name", "type", "set", "what it is"}}
		for _, n := range v.Names {
			s.rows = append(s.rows, []string{n.Name, n.Type, settable(n.Settable), n.Doc})
		}
		list = append(list, s)
	}
	return append(list, section{text: []string{
		"upstream has the figures of the pool that pool stands for. Those of any other are written with its address, as in upstream('pool.b').reject_rate or upstream('pool.site[\"eu\"]').up; an address that there is not is a mistake at load. A variable or local that holds a pool stands for its address: upstream(var.other).up. Figures are smoothed and worked out once a second.",
		"Where routes are decided anew, pool and upstream are about the pool that the miner would go to if it came now, and session.pool is where it is. So a route that leaves pool.a above 5 % of rejects, and comes back below 2 %, has when = \"upstream.reject_rate > (session.pool == 'pool.b' ? 0.02 : 0.05)\". session.age is as it was when the miner said what the rule looks at.",
		"clock is the machine's local time (TZ in the environment), and in a test the time as its clock is written, with its zone.",
		"var.name is a variable and local.name a local of the policy; in a ruleset there are its own variables only.",
		"A message of a method that is not listed has the names that every message of its kind has.",
	}})
}

func titleOf(v rules.Vocabulary) string {
	switch {
	case v.Kind == rules.Connect:
		return "connect"
	case v.Method == "*":
		return "Every " + v.Kind.String()
	}
	return v.Kind.String() + " " + strconv.Quote(v.Method)
}

func settable(b bool) string {
	if b {
		return "can be set"
	}
	return ""
}

func functionSections() []section {
	ours := section{title: "In expressions", head: []string{"function", "what it gives", "example"}}
	for _, f := range rules.Functions() {
		ours.rows = append(ours.rows, []string{f.Usage, f.Doc, f.Example})
	}
	plain := section{
		title: "In plain HCL", text: []string{"These run once, when the policy is loaded. File names are relative to the policy file, and a change to such a file is a change to the policy."},
		head: []string{"function", "what it gives"},
	}
	for _, name := range sortedNames(functionDocs()) {
		plain.rows = append(plain.rows, functionDocs()[name])
	}
	return []section{ours, plain}
}

// blockSections describes a block and all that are in it, each once.
func blockSections(top *blockType) (list []section) {
	var seen []*blockType
	var walk func(b *blockType, within string)
	walk = func(b *blockType, within string) {
		if slices.Contains(seen, b) || slices.Contains(ruleBlocks, b) {
			return // rules are a topic of their own
		}
		seen = append(seen, b)
		list = append(list, b.section(within))
		if b == sinkBlock {
			for _, kind := range sortedNames(sinkBlocks) {
				list = append(list, sinkBlocks[kind].section(within))
			}
		}
		for _, inner := range b.blocks {
			walk(inner, b.name)
		}
	}
	walk(top, "")
	return list
}

func testSections() []section {
	list := []section{{text: []string{
		"The tests of a policy are files *.test.hcl beside it, run by loka rules test. A test is the session of one miner, and its steps are messages; expect says what becomes of each.",
		testFileBlock.doc,
	}, code: "test \"names are mapped\" {\n  request \"mining.authorize\" {\n    params = [\"john.test\", \"x\"]\n    expect {\n      params = [\"37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ.john_test\", \"x\"]\n    }\n  }\n}"}}
	for _, b := range []*blockType{valuesBlock, testBlock, clientBlock} {
		list = append(list, b.section(""))
	}
	for _, b := range []*blockType{upstreamBlock, statsBlock} {
		list = append(list, b.section("a test or a step"))
	}
	for _, kind := range []rules.Kind{rules.Connect, rules.Request, rules.Response, rules.Notification} {
		list = append(list, stepBlocks[kind].section("test"), expectBlocks[kind].section(kind.String()))
	}
	return append(list, assertBlock.section("a step"))
}

// heading writes the block as it begins in a file.
func (t *blockType) heading() string {
	heading := t.name
	for _, label := range t.labels {
		heading += " " + strconv.Quote(strings.ToUpper(label))
	}
	return heading
}

func (t *blockType) section(within string) section {
	title := t.heading()
	switch {
	case t == policyBlock:
		title = "Top level"
	case within != "" && within != policyBlock.name:
		title += ", in " + within
	}
	s := t.argumentSection(title)
	s.text = []string{t.doc}
	if t.free != "" {
		s.text = append(s.text, "Each argument is "+t.free+".")
	}
	var inner []string
	for _, b := range t.blocks {
		inner = append(inner, b.name)
	}
	if len(inner) > 0 {
		s.text = append(s.text, "Blocks in it: "+strings.Join(inner, ", ")+".")
	}
	return s
}

func (t *blockType) argumentSection(title string) section {
	s := section{title: title}
	for _, a := range t.args {
		s.head = []string{"argument", "value", "without it", "what it is"}
		s.rows = append(s.rows, a.row())
	}
	return s
}

// row describes an argument in a table.
func (a *argumentType) row() []string {
	value := a.is
	switch {
	case len(a.choices) > 0 && a.is == isText:
		value = oneOf(a.choices)
	case len(a.choices) > 0:
		value += ", of " + oneOf(a.choices)
	case a.most > 0:
		value += fmt.Sprintf(", %d to %d", a.least, a.most)
	}
	return []string{a.name, value, a.absent(), a.doc}
}

// absent says what holds where the argument is not given.
func (a *argumentType) absent() string {
	if a.required {
		return "must be given"
	}
	if a.without != "" {
		return a.without
	}
	switch value := a.fallback.(type) {
	case nil:
		return ""
	case string:
		return strconv.Quote(value)
	case time.Duration:
		return strconv.Quote(shortDuration(value))
	default:
		return fmt.Sprint(value)
	}
}

// shortDuration writes a duration as people do: 10m and not 10m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

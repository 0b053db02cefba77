package rules

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// compiled is a rule ready to run.
type compiled struct {
	number  int
	when    *expression // nil means always
	set     []assignment
	reply   *compiledReply
	verdict Verdict
	code    int
	text    string
	route   string
	stop    bool
	onError OnError
}

// assignment is a new value for a name. Those of a rule are in the order of their
// positions, so that a message can grow by several parameters at once.
type assignment struct {
	entry *entry
	value *expression
	// raises says that the value must not be below what the pool sent.
	raises bool
}

type compiledReply struct{ result, err *expression }

// What a denial says where the policy gives nothing else.
const (
	// DeniedText is the text of a denial without one.
	DeniedText = "Denied by policy"
	// DeniedCode is the code of a denial without one.
	DeniedCode = 20

	failedText = "Policy error, see the proxy's log"
)

// rule compiles one rule.
func (c *compilation) rule(number int, r *Rule) *compiled {
	if !c.label(r) {
		return nil
	}
	c.outcomes(r)
	lang := c.configure(r.Kind, r.Method, r.Scope)
	out := &compiled{number: number, route: r.Route, stop: r.Stop, onError: effective(r)}
	if r.When != nil {
		out.when = c.expression(*r.When, lang, r.Scope, boolValue)
	}
	c.withheld(r, out.when, lang)
	c.assignments(r, lang, out)
	switch {
	case r.Deny != nil:
		out.verdict, out.code, out.text = Denied, r.Deny.Code, r.Deny.Message
		if out.code == 0 {
			out.code = DeniedCode
		}
		if out.text == "" {
			out.text = DeniedText
		}
	case r.Reply != nil:
		out.verdict, out.reply = Replied, c.reply(r, lang)
	case r.Drop:
		out.verdict = Dropped
	}
	return out
}

// effective gives the rule's on_error with the default of its kind in place.
func effective(r *Rule) OnError {
	switch {
	case r.OnError != OnErrorDefault:
		return r.OnError
	case r.Kind == Request || r.Kind == Connect:
		return OnErrorDeny
	default:
		return OnErrorSkip
	}
}

func (c *compilation) reply(r *Rule, lang *configured) *compiledReply {
	out := &compiledReply{}
	if r.Reply.Result != nil {
		out.result = c.expression(*r.Reply.Result, lang, r.Scope, anyValue)
	}
	if r.Reply.Error != nil {
		out.err = c.expression(*r.Reply.Error, lang, r.Scope, anyValue)
	}
	return out
}

// assignments compiles what a rule sets.
func (c *compilation) assignments(r *Rule, lang *configured, out *compiled) {
	seen := map[string]bool{}
	for i := range r.Set {
		a := &r.Set[i]
		if seen[a.Field] {
			c.refuse(a.Origin, "Field set twice", a.Field+" is set twice in one rule.")
			continue
		}
		seen[a.Field] = true
		e := c.field(r, a, lang.vocabulary)
		if e == nil {
			continue
		}
		value := c.expression(a.Value, lang, r.Scope, e.kind)
		if value == nil {
			continue
		}
		raises := r.Kind == Notification && r.Method == setDifficulty
		broken := r.When != nil && out.when == nil // a condition that may be what makes the value right
		guess := value.readsExample() || out.when != nil && out.when.readsExample()
		if raises && !broken && !guess && !c.raises(r, a, lang) {
			c.errors = append(c.errors, mistake("Difficulty could fall below the pool's", lowDifficulty).from(a.Value))
		}
		out.set = append(out.set, assignment{e, value, raises})
	}
	if seen["params"] && len(seen) > 1 {
		c.refuse(r.Origin, "Field set twice", "params is the whole of the parameters; in one rule, set either params or the others.")
	}
	slices.SortStableFunc(out.set, func(a, b assignment) int { return a.entry.at - b.entry.at })
}

// raises reports whether an assignment to a pool's difficulty only ever raises it.
func (c *compilation) raises(r *Rule, a *Assignment, lang *configured) bool {
	var when ast.Node
	if r.When != nil {
		when = settled(*r.When, lang, r.Scope)
	}
	return provablyHigher(settled(a.Value, lang, r.Scope), when)
}

// field gives the entry of a name that the rule may set.
func (c *compilation) field(r *Rule, a *Assignment, v *vocabulary) *entry {
	if r.Kind == Connect {
		c.refuse(a.Origin, "Nothing to set", "A connect rule runs before there is a message; it can deny or route.")
		return nil
	}
	e := v.names[a.Field]
	if e != nil && e.settable(r.Kind) {
		if a.Field == "params" && r.Kind == Notification && matchesLabel(r.Method, setDifficulty) {
			c.refuse(a.Origin, "Field cannot be set", "This rule sees mining.set_difficulty. There, set difficulty instead of params, in a rule of its own: loka must see that it does not fall below the pool's.")
			return nil
		}
		return e
	}
	var list []string
	for name, e := range v.names {
		if e.settable(r.Kind) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	c.refuse(a.Origin, "Field cannot be set", fieldDetail(a.Field, e != nil, list, v.place()))
	return nil
}

func fieldDetail(field string, known bool, list []string, place string) string {
	detail := field + " cannot be set in " + place + "."
	if !known && field != "id" {
		detail = `There is no "` + field + `" in ` + place + "." + didYouMean(Nearest(field, list))
	}
	return detail + "\n\nWhat can be set in " + place + ": " + strings.Join(list, ", ") + "."
}

// refuse notes a mistake that is not in an expression.
func (c *compilation) refuse(origin any, summary, detail string) {
	e := mistake(summary, detail)
	e.Origin = origin
	c.errors = append(c.errors, e)
}

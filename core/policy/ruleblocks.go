package policy

import (
	"math"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/loka-proxy/loka/rules"
)

// ruleHeaders are the heads of the blocks that are rules.
var ruleHeaders = []hcl.BlockHeaderSchema{
	{Type: "connect", LabelNames: []string{"name"}},
	{Type: "request", LabelNames: []string{"method", "name"}},
	{Type: "response", LabelNames: []string{"method", "name"}},
	{Type: "notification", LabelNames: []string{"method", "name"}},
}

// outcomes says what the rules of each kind can do.
var outcomes = map[string][]string{
	"connect":      {"deny", "route"},
	"request":      {"set", "deny", "reply", "drop", "route"},
	"response":     {"set", "drop"},
	"notification": {"set", "drop"},
}

var ruleKinds = map[string]rules.Kind{
	"connect": rules.Connect, "request": rules.Request,
	"response": rules.Response, "notification": rules.Notification,
}

var ruleSchema = &hcl.BodySchema{
	Attributes: attributes("description", "when", "stop", "on_error"),
	Blocks:     []hcl.BlockHeaderSchema{{Type: "set"}, {Type: "deny"}, {Type: "reply"}, {Type: "drop"}, {Type: "route"}},
}

// isRule reports whether a block is a rule.
func isRule(b *hcl.Block) bool { return slices.Contains(kinds, b.Type) }

// checkRuleNames makes sure that no two rules of one kind have the same name, since
// names are how rules are known in records, metrics and tests.
func (l *loader) checkRuleNames(blocks hcl.Blocks) {
	first := map[string]hcl.Range{}
	for _, b := range blocks {
		if !isRule(b) {
			continue
		}
		name := b.Labels[len(b.Labels)-1]
		if !l.isName("rule", name, b.LabelRanges[len(b.LabelRanges)-1]) {
			continue
		}
		key := address(b.Type, name)
		if at, taken := first[key]; taken {
			l.fail(b.DefRange, "Name given twice", "There is another %s rule %q, at %s.", b.Type, name, position(at))
			continue
		}
		first[key] = b.DefRange
	}
}

// ruleReader reads one rule.
type ruleReader struct {
	l     *loader
	src   *source
	scope *scope
	kind  string
	rule  rules.Rule
	ok    bool
	// outcome is the block besides set that was seen first.
	outcome *hcl.Block
}

// rules reads the rules among some blocks, in their order. Rules with a mistake are
// among them, with what is right in them, so that the rest is checked too.
func (l *loader) rules(base string, blocks hcl.Blocks, src *source, s *scope, constants *rules.Scope) (list []rules.Rule, ok bool) {
	ok = true
	for _, b := range blocks {
		if !isRule(b) {
			continue
		}
		if !l.isMethod(b) {
			ok = false
			continue
		}
		l.doubtMethod(b)
		rule, good := l.rule(base, b, src, s)
		rule.Scope = constants
		ok = ok && good
		list = append(list, rule)
	}
	return list, ok
}

// rule reads one rule. A mistake in one argument leaves the others to be checked.
func (l *loader) rule(base string, b *hcl.Block, src *source, s *scope) (rules.Rule, bool) {
	content, ok := l.contentOf(b.Body, ruleSchema)
	r := &ruleReader{l: l, src: src, scope: s, kind: b.Type, ok: ok}
	r.rule = rules.Rule{
		Address: address(base, b.Type, b.Labels[len(b.Labels)-1]),
		Kind:    ruleKinds[b.Type],
		Origin:  &place{src: src, rng: b.DefRange},
	}
	if len(b.Labels) == 2 {
		r.rule.Method = b.Labels[0]
	}
	r.readArguments(arguments{l, s, content.Attributes})
	for i, inner := range content.Blocks {
		if at := slices.IndexFunc(content.Blocks, func(o *hcl.Block) bool { return o.Type == inner.Type }); at < i {
			r.fail(inner.DefRange, "Block given twice", "A rule has one block %s, and there is one at %s.", inner.Type, position(content.Blocks[at].DefRange))
			continue
		}
		r.readOutcome(inner)
	}
	if content.Attributes["when"] != nil && r.rule.When == nil {
		l.unguard(&r.rule)
	}
	l.doubtEffect(r, b)
	return r.rule, r.ok
}

func (r *ruleReader) fail(at hcl.Range, summary, detail string, args ...any) {
	r.ok = false
	r.l.fail(at, summary, detail, args...)
}

// isMethod makes sure that a rule is for a method, or for the beginning of one.
func (l *loader) isMethod(b *hcl.Block) bool {
	if len(b.Labels) < 2 {
		return true
	}
	prefix := strings.TrimSuffix(b.Labels[0], "*")
	if b.Labels[0] != "" && !strings.Contains(prefix, "*") && !strings.ContainsFunc(prefix, isBlankOrControl) {
		return true
	}
	l.fail(b.LabelRanges[0], "Malformed method", "The first label of a rule is a method such as \"mining.submit\", or the beginning of one and a *, as in \"mining.*\".")
	return false
}

func (r *ruleReader) readArguments(args arguments) {
	args.text("description", "")
	if attr := args.attrs["when"]; attr != nil {
		r.rule.When = r.expression(attr)
	}
	r.rule.Stop = args.flag("stop")
	choices := map[string]rules.OnError{
		"": rules.OnErrorDefault, "deny": rules.OnErrorDeny, "skip": rules.OnErrorSkip, "drop": rules.OnErrorDrop,
	}
	choice := args.choice("on_error", "", "deny", "skip", "drop")
	r.rule.OnError = choices[choice]
	if choice == "deny" && (r.kind == "response" || r.kind == "notification") {
		r.rule.OnError = rules.OnErrorDefault
		r.fail(args.at("on_error"), "Wrong value", "A %s cannot be denied: it is not the miner who asks. on_error is \"skip\" or \"drop\" here.", r.kind)
	}
}

func (r *ruleReader) expression(attr *hcl.Attribute) *rules.Source {
	source, ok := r.l.expression(r.src, attr)
	if !ok {
		r.ok = false
		return nil
	}
	return &source
}

// readOutcome reads one of the blocks that say what a rule does.
func (r *ruleReader) readOutcome(b *hcl.Block) {
	possible := outcomes[r.kind]
	if !slices.Contains(possible, b.Type) {
		r.fail(b.DefRange, "Outcome not possible here", "A %s rule cannot have %s. It can have: %s.", r.kind, b.Type, strings.Join(possible, ", "))
		return
	}
	if b.Type != "set" {
		if r.outcome != nil {
			r.fail(b.DefRange, "More than one outcome", "A rule has one outcome besides set, and there is %s at %s. Make it two rules.", r.outcome.Type, position(r.outcome.DefRange))
			return
		}
		r.outcome = b
	}
	switch b.Type {
	case "set":
		r.readSet(b)
	case "deny":
		r.readDeny(b)
	case "reply":
		r.readReply(b)
	case "drop":
		r.content(b, nil)
		r.rule.Drop = true
	case "route":
		r.readRoute(b)
	}
}

func (r *ruleReader) content(b *hcl.Block, schema []hcl.AttributeSchema) arguments {
	content, ok := r.l.contentOf(b.Body, &hcl.BodySchema{Attributes: schema})
	r.ok = ok && r.ok
	return arguments{r.l, r.scope, content.Attributes}
}

func (r *ruleReader) readSet(b *hcl.Block) {
	attrs, diags := b.Body.JustAttributes()
	r.ok = r.l.add(diags) && r.ok
	for _, attr := range inOrder(attrs) {
		if value := r.expression(attr); value != nil {
			r.rule.Set = append(r.rule.Set, rules.Assignment{
				Field: attr.Name, Value: *value, Origin: &place{src: r.src, rng: attr.NameRange},
			})
		}
	}
	if len(attrs) == 0 && !diags.HasErrors() {
		r.fail(b.DefRange, "Empty set", "This sets nothing. It takes the fields of the message, as in set { user = \"lower(user)\" }.")
	}
}

const maxMessageBytes = 200

// readDeny reads deny. What it does not say is left to the rules, which have a code and
// a text of their own for it.
func (r *ruleReader) readDeny(b *hcl.Block) {
	args := r.content(b, attributes("code", "message"))
	r.rule.Deny = &rules.Deny{
		Code:    args.number("code", 0, 1, math.MaxInt32),
		Message: args.plainText("message", maxMessageBytes),
	}
}

func (r *ruleReader) readReply(b *hcl.Block) {
	args := r.content(b, attributes("result", "error"))
	r.rule.Reply = &rules.Reply{}
	if attr := args.attrs["result"]; attr != nil {
		r.rule.Reply.Result = r.expression(attr)
	}
	if attr := args.attrs["error"]; attr != nil {
		r.rule.Reply.Error = r.expression(attr)
	}
}

// readRoute reads route { pool = pool.x }.
func (r *ruleReader) readRoute(b *hcl.Block) {
	args := r.content(b, attributes("pool!"))
	if r.kind == "request" && r.rule.Method != "mining.subscribe" {
		r.fail(b.DefRange, "Route too late", "A miner's pool is chosen when it connects or subscribes: after that it mines with what the first pool gave it. Route in a connect rule or in request \"mining.subscribe\".")
		return
	}
	attr := args.attrs["pool"]
	if attr == nil {
		return
	}
	pool := r.l.poolNamed(attr, r.scope)
	if pool == nil {
		r.ok = false
		return
	}
	r.rule.Route = pool.Address
}

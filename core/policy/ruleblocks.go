package policy

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/loka-proxy/loka/rules"
)

var ruleKinds = map[string]rules.Kind{
	"connect": rules.Connect, "request": rules.Request,
	"response": rules.Response, "notification": rules.Notification,
}

// ruleBlockOf gives the type of a block that is a rule.
func ruleBlockOf(kind string) *blockType {
	return ruleBlocks[slices.Index(kinds, kind)]
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
	rule  rules.Rule
	ok    bool
	// acts says that there is a block that says what the rule does.
	acts bool
}

// rules reads the rules among some blocks, in their order. Rules with a mistake are
// among them, with what is right in them, so that the rest is checked too.
func (l *loader) rules(base string, blocks hcl.Blocks, src *source, s *scope, constants *rules.Scope) (list []rules.Rule, ok bool) {
	ok = true
	for _, b := range blocks {
		if !isRule(b) {
			continue
		}
		l.doubtMethod(b, ruleDoubts)
		rule, good := l.rule(base, b, src, s)
		rule.Scope = constants
		ok = ok && good
		list = append(list, rule)
	}
	return list, ok
}

// rule reads one rule. A mistake in one argument leaves the others to be checked.
func (l *loader) rule(base string, b *hcl.Block, src *source, s *scope) (rules.Rule, bool) {
	kind := ruleBlockOf(b.Type)
	content, ok := l.contentOf(b.Body, kind)
	r := &ruleReader{l: l, src: src, scope: s, ok: ok}
	r.rule = rules.Rule{
		Address: address(base, b.Type, b.Labels[len(b.Labels)-1]),
		Kind:    ruleKinds[b.Type],
		Origin:  &place{src: src, rng: b.DefRange, parts: partsOf(b, content)},
	}
	if len(b.Labels) == 2 {
		r.rule.Method = b.Labels[0]
	}
	r.readArguments(arguments{l, kind, s, content.Attributes})
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

// partsOf gives the places in a rule that the rules may find fault with. Of two blocks of
// one type the second is an error anyway.
func partsOf(b *hcl.Block, content *hcl.BodyContent) map[string]hcl.Range {
	parts := map[string]hcl.Range{}
	if len(b.LabelRanges) == 2 {
		parts["method"] = b.LabelRanges[0]
	}
	if attr := content.Attributes["on_error"]; attr != nil {
		parts["on_error"] = attr.Expr.Range()
	}
	for _, inner := range content.Blocks {
		parts[inner.Type] = inner.DefRange
	}
	return parts
}

func (r *ruleReader) fail(at hcl.Range, summary, detail string, args ...any) {
	r.ok = false
	r.l.fail(at, summary, detail, args...)
}

func (r *ruleReader) readArguments(args arguments) {
	args.text("description")
	if attr := args.attrs["when"]; attr != nil {
		r.rule.When = r.expression(attr)
	}
	r.rule.Stop = args.flag("stop")
	choices := map[string]rules.OnError{
		"": rules.OnErrorDefault, "deny": rules.OnErrorDeny, "skip": rules.OnErrorSkip, "drop": rules.OnErrorDrop,
	}
	r.rule.OnError = choices[args.choice("on_error")]
}

func (r *ruleReader) expression(attr *hcl.Attribute) *rules.Source {
	source, ok := r.l.expression(r.src, attr)
	if !ok {
		r.ok = false
		return nil
	}
	return &source
}

// readOutcome reads one of the blocks that say what a rule does. Which of them go with
// the kind of the rule, and with each other, is for the rules to say.
func (r *ruleReader) readOutcome(b *hcl.Block) {
	r.acts = true
	switch b.Type {
	case "set":
		r.readSet(b)
	case "deny":
		r.readDeny(b)
	case "reply":
		r.readReply(b)
	case "drop":
		r.content(b, dropBlock)
		r.rule.Drop = true
	case "route":
		r.readRoute(b)
	}
}

func (r *ruleReader) content(b *hcl.Block, kind *blockType) arguments {
	content, ok := r.l.contentOf(b.Body, kind)
	r.ok = ok && r.ok
	return arguments{r.l, kind, r.scope, content.Attributes}
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
	args := r.content(b, denyBlock)
	for _, name := range []string{"code", "message"} {
		r.l.doubtSensitive(args, name, "the miner gets the "+name+" of a denial")
	}
	r.rule.Deny = &rules.Deny{
		Code:    args.number("code"),
		Message: args.plainText("message", maxMessageBytes),
	}
}

func (r *ruleReader) readReply(b *hcl.Block) {
	args := r.content(b, replyBlock)
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
	args := r.content(b, routeBlock)
	attr := args.attrs["pool"]
	if attr == nil {
		return
	}
	pool := r.l.pools.named(r.l, attr, r.scope)
	if pool == nil {
		r.ok = false
		return
	}
	r.rule.Route = pool.Address
}

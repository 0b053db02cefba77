package policy

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/loka-proxy/loka/rules"
)

// knownMethods lists, for each kind of rule, the methods whose parameters have names.
var knownMethods = func() map[rules.Kind][]string {
	known := map[rules.Kind][]string{}
	for _, v := range rules.Vocabularies() {
		if v.Method != "" && v.Method != "*" {
			known[v.Kind] = append(known[v.Kind], v.Method)
		}
	}
	return known
}()

// doubtMethod warns of a method that a rule can hardly ever meet: a known one
// misspelled, or one that goes the other way. Other methods are as good as any.
func (l *loader) doubtMethod(b *hcl.Block) {
	kind := ruleKinds[b.Type]
	if kind == rules.Connect {
		return
	}
	label, at := b.Labels[0], b.LabelRanges[0]
	own, other := knownMethods[kind], knownMethods[rules.Notification]
	if kind == rules.Notification {
		other = knownMethods[rules.Request]
	}
	if prefix, ok := strings.CutSuffix(label, "*"); ok {
		l.doubtPrefix(prefix, append(slices.Clone(own), other...), at)
		return
	}
	switch {
	case slices.Contains(own, label):
	case slices.Contains(other, label) && kind == rules.Notification:
		l.warn(at, "Method of another kind", "A miner asks %s, and a pool answers: it is no notification, so this rule never matches. Rules for it are request and response rules.", label)
	case slices.Contains(other, label):
		l.warn(at, "Method of another kind", "A pool sends %s by itself, so this %s rule never matches. Rules for it are notification rules.", label, b.Type)
	default:
		l.doubtSpelling(label, own, at)
	}
}

// doubtPrefix warns of the beginning of a method that no known method has, but that is
// near to what some begin with.
func (l *loader) doubtPrefix(prefix string, known []string, at hcl.Range) {
	var families []string
	for _, method := range known {
		if strings.HasPrefix(method, prefix) {
			return
		}
		family, _, _ := strings.Cut(method, ".")
		families = append(families, family+".")
	}
	l.doubtSpelling(prefix, families, at)
}

func (l *loader) doubtSpelling(method string, known []string, at hcl.Range) {
	if near := rules.Nearest(method, known); near != "" {
		l.warn(at, "Method not known", "%q is no method that loka knows, and methods are compared letter by letter, so this rule may never match. Did you mean %q?", method, near)
	}
}

// doubtEffect warns of a rule that does nothing when it matches.
func (l *loader) doubtEffect(r *ruleReader, b *hcl.Block) {
	if r.ok && !r.acts && !r.rule.Stop && r.rule.OnError == rules.OnErrorDefault {
		l.warn(b.DefRange, "Rule without effect", "This rule changes nothing when it matches. It needs a block that says what it does, or stop = true to skip the rules behind it.")
	}
}

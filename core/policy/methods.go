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

// doubts are the words for a method that is hardly meant: what it comes to, for sure
// and perhaps, and what else to write.
type doubts struct {
	never, maybe, others string
}

var (
	ruleDoubts = doubts{"this rule never matches", "this rule may never match", "Rules for it are %s rules."}
	stepDoubts = doubts{"this never happens", "this may never happen", "Steps for it are %s steps."}
)

// doubtMethod warns of a method that a rule, or the step of a test, can hardly ever
// meet: a known one misspelled, or one that goes the other way. Other methods are as
// good as any.
func (l *loader) doubtMethod(b *hcl.Block, words doubts) {
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
		l.doubtPrefix(prefix, append(slices.Clone(own), other...), at, words)
		return
	}
	const summary = "Method of another kind"
	switch {
	case slices.Contains(own, label):
	case slices.Contains(other, label) && kind == rules.Notification:
		l.warn(at, summary, "A miner asks %s, and a pool answers: it is no notification, so %s. "+words.others, label, words.never, "request and response")
	case slices.Contains(other, label):
		l.warn(at, summary, "A pool sends %s by itself, so %s. "+words.others, label, words.neverOf(b.Type), "notification")
	default:
		l.doubtSpelling(label, own, at, words)
	}
}

// neverOf is never with the kind of the rule or the step.
func (d doubts) neverOf(kind string) string {
	return strings.Replace(d.never, "this ", "this "+kind+" ", 1)
}

// doubtPrefix warns of the beginning of a method that no known method has, but that is
// near to what some begin with.
func (l *loader) doubtPrefix(prefix string, known []string, at hcl.Range, words doubts) {
	var families []string
	for _, method := range known {
		if strings.HasPrefix(method, prefix) {
			return
		}
		family, _, _ := strings.Cut(method, ".")
		families = append(families, family+".")
	}
	l.doubtSpelling(prefix, families, at, words)
}

func (l *loader) doubtSpelling(method string, known []string, at hcl.Range, words doubts) {
	if near := rules.Nearest(method, known); near != "" {
		l.warn(at, "Method not known", "%q is no method that loka knows, and methods are compared letter by letter, so %s. Did you mean %q?", method, words.maybe, near)
	}
}

// doubtEffect warns of a rule that does nothing when it matches.
func (l *loader) doubtEffect(r *ruleReader, b *hcl.Block) {
	if r.ok && !r.acts && !r.rule.Stop && r.rule.OnError == rules.OnErrorDefault {
		l.warn(b.DefRange, "Rule without effect", "This rule changes nothing when it matches. It needs a block that says what it does, or stop = true to skip the rules behind it.")
	}
}

package ruletest

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// Traced is what became of one message, rule by rule, without anything sensitive.
type Traced struct {
	Kind    string      `json:"kind"`
	Method  string      `json:"method,omitempty"`
	Verdict Verdict     `json:"verdict"`
	By      string      `json:"by,omitempty"`
	Code    int         `json:"code,omitempty"`
	Message string      `json:"message,omitempty"`
	Reason  string      `json:"reason,omitempty"`
	Pool    string      `json:"pool"`
	Rules   []RuleTrace `json:"rules"`
	In      string      `json:"in,omitempty"`
	ToPool  []string    `json:"to_pool,omitempty"`
	ToMiner []string    `json:"to_miner,omitempty"`
	// Note says why there is nothing more to say.
	Note string `json:"note,omitempty"`
}

// RuleTrace is what one rule did.
type RuleTrace struct {
	Rule  string `json:"rule"`
	Place string `json:"place"`
	// When says whether the condition held; nil means that the rule has none.
	When    *bool    `json:"when,omitempty"`
	Set     []Setter `json:"set,omitempty"`
	Effect  string   `json:"effect,omitempty"`
	Failed  string   `json:"failed,omitempty"`
	Matched bool     `json:"matched"`
}

// Setter is one field that a rule set. Value is nil where Secret.
type Setter struct {
	Field  string `json:"field"`
	Value  any    `json:"value"`
	Secret bool   `json:"sensitive,omitempty"`
}

// Explainer puts messages through a policy, one after the other as one session.
type Explainer struct {
	*Conversation
	policy *policy.Policy
	// Answers is the method that a reply answers, where its request is not among the
	// messages, or was answered.
	Answers string
}

// NewExplainer begins a session with a proxy. The rules for the connection run at once.
func NewExplainer(p *policy.Policy, proxy *policy.Proxy, c policy.Client, at time.Time) (*Explainer, Traced) {
	t := &Explainer{Conversation: NewConversation(p, proxy, Miner{Client: c, Session: "trace"}, at, nil), policy: p}
	out := t.Connect()
	return t, TracedOf(p, proxy, &out)
}

// Message puts one line through the policy: from the pool if it is a reply, or a
// notification that pools send, else from the miner. It reports whether the session
// ends with it.
func (t *Explainer) Message(line string) (traced Traced, over bool) {
	text := []byte(strings.TrimRight(line, "\r\n") + "\n")
	var m stratum.Message
	scan := stratum.Scan(bytes.TrimRight(text, "\n"), &m)
	var out Outcome
	switch {
	case scan == nil && !m.Method.Present():
		out = t.reply(text, &m)
	case scan == nil && poolsSay(text, &m):
		out = t.FromPool(text)
	default:
		out = t.FromMiner(text)
	}
	return TracedOf(t.policy, t.proxy, &out), out.Closed
}

// reply gives the conversation a reply. One whose request nobody made gets the id of one
// that is supposed, and is shown under its own.
func (t *Explainer) reply(text []byte, m *stratum.Message) Outcome {
	if t.Answers == "" || !m.ID.Present() || t.answered(m.ID.Of(text)) {
		return t.FromPool(text)
	}
	id := t.talk.Suppose(t.Answers, []byte("[]"), t.now)
	typed := m.ID.Of(text)
	out := t.FromPool(readdressed(text, typed, id))
	out.In, out.Miner = text, readdressed(out.Miner, id, typed)
	return out
}

// readdressed gives lines with another id where they have this one.
func readdressed(lines, id, other []byte) (out []byte) {
	for line := range bytes.Lines(lines) {
		var m stratum.Message
		if stratum.Scan(bytes.TrimRight(line, "\r\n"), &m) == nil && m.ID.Present() && bytes.Equal(m.ID.Of(line), id) {
			line = stratum.Apply(nil, line, []stratum.Edit{{Span: m.ID, Text: other}})
		}
		out = append(out, line...)
	}
	return out
}

// answered reports whether a request waits for the answer with this id, and takes it from
// those that do.
func (t *Explainer) answered(id []byte) bool {
	n := slices.IndexFunc(t.sent, func(s sent) bool { return stratum.IDOf(s.id) == stratum.IDOf(id) })
	if n < 0 {
		return false
	}
	t.sent = slices.Delete(t.sent, n, n+1)
	return true
}

// poolsSay tells the methods that pools call.
func poolsSay(text []byte, m *stratum.Message) bool {
	method, err := stratum.MethodOf(bytes.TrimRight(text, "\n"), m)
	return err == nil && (strings.HasPrefix(method, "client.") || strings.HasPrefix(method, "mining.set_") || method == "mining.notify" || method == "mining.ping")
}

// TraceCapture puts a recorded session through a policy and tells of every message.
func TraceCapture(p *policy.Policy, proxy *policy.Proxy, c *Capture, tell func(Traced)) {
	r := NewReplay(p, proxy, c, nil)
	out := r.Connect()
	if out.Walked {
		tell(TracedOf(p, proxy, &out))
	}
	for i := 0; i < len(c.Lines) && !out.Closed && (i > 0 || out.Verdict == Forward); i++ {
		var ok bool
		if out, ok = r.Line(&c.Lines[i]); ok {
			tell(TracedOf(p, proxy, &out))
		}
	}
}

// TracedOf tells an outcome without anything sensitive.
func TracedOf(p *policy.Policy, proxy *policy.Proxy, o *Outcome) Traced {
	return veilOf(p, o).traced(proxy, o)
}

// traced tells an outcome.
func (v *veil) traced(proxy *policy.Proxy, o *Outcome) Traced {
	list := proxy.Program.Rules()
	t := Traced{
		Kind: o.Kind.String(), Method: v.plain(o.Method), Verdict: o.Verdict, Code: o.Code, Message: v.text(o.Text),
		Reason: o.Reason, Pool: v.plain(o.At), In: v.line(o.In), ToPool: v.lines(o.Pool), ToMiner: v.lines(o.Miner),
		Rules: []RuleTrace{},
	}
	if o.By >= 0 {
		t.By = v.plain(list[o.By].Address)
	}
	for _, step := range o.Trace {
		t.Rules = append(t.Rules, v.ruleTrace(&list[step.Rule], step))
	}
	if !o.Walked {
		t.Note = "no rule looks at this message"
	}
	return t
}

func (v *veil) ruleTrace(rule *rules.Rule, step rules.Step) RuleTrace {
	t := RuleTrace{Rule: v.plain(rule.Address), Place: v.policy.Place(rule), Matched: step.When && step.Failed == nil}
	if rule.When != nil {
		held := step.When
		t.When = &held
	}
	for _, c := range step.Set {
		t.Set = append(t.Set, Setter{Field: c.Field, Value: v.value(c.Value), Secret: c.Secret})
	}
	if t.Matched {
		t.Effect = v.plain(effect(rule))
	}
	if step.Failed != nil {
		t.Failed = v.policy.Locate(step.Failed) + ": " + v.plain(step.Failed.Detail)
	}
	return t
}

// Write draws the trace as a tree.
func (t *Traced) Write(w io.Writer) {
	line := func(format string, args ...any) { fmt.Fprintln(w, visible(fmt.Sprintf(format, args...))) }
	line("%s -> %s", strings.TrimSpace(t.Kind+" "+t.Method), t.outcome())
	if t.In != "" {
		line("│ in   %s", t.In)
	}
	width := 0
	for _, r := range t.Rules {
		width = max(width, len(r.Rule))
	}
	for _, r := range t.Rules {
		line("├─ %s   %s", pad(r.Rule, width), r.Place)
		for _, did := range r.lines() {
			line("│    %s", did)
		}
	}
	if t.Note != "" {
		line("├─ %s", t.Note)
	}
	for _, sent := range t.ToPool {
		line("└▶ pool   %s", sent)
	}
	for _, sent := range t.ToMiner {
		line("└▶ miner  %s", sent)
	}
	if len(t.ToPool)+len(t.ToMiner) == 0 && t.Kind != rules.Connect.String() {
		line("└▶ nothing is sent")
	}
}

// outcome says in a few words what became of the message.
func (t *Traced) outcome() string {
	text := string(t.Verdict)
	switch {
	case t.Verdict == Forward && t.Kind == "request", t.Kind == "connect" && t.Verdict == Forward:
		text += " to " + t.Pool
	case t.Verdict == Forward:
		text += " to the miner"
	case t.Code != 0:
		text += fmt.Sprintf(" %d %s", t.Code, encode(t.Message))
	}
	if t.By != "" {
		text += " by " + t.By
	} else if t.Verdict != Forward {
		text += " by loka itself"
	}
	if t.Reason != "" {
		text += ": " + reasonOf(t.Reason)
	}
	return text
}

func (r *RuleTrace) lines() (lines []string) {
	if r.When != nil {
		lines = append(lines, fmt.Sprintf("when = %t", *r.When))
	}
	for _, s := range r.Set {
		lines = append(lines, "set "+s.Field+" = "+shownValue(s.Value, s.Secret))
	}
	if r.Effect != "" {
		lines = append(lines, r.Effect)
	}
	if r.Failed != "" {
		lines = append(lines, "failed at "+r.Failed)
	}
	return lines
}

package ruletest

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// Difference is what two policies would do otherwise to recorded sessions.
type Difference struct {
	Sessions int `json:"sessions"`
	Changed  int `json:"changed"`
	// Skipped are the captures that could not be replayed, and why.
	Skipped []string `json:"skipped,omitempty"`
	// Blind counts the sessions whose passwords a rule looks at. They are not in captures,
	// so what the rule says of these sessions may be wrong.
	Blind   int       `json:"without_password,omitempty"`
	Changes []*Change `json:"changes"`

	old, new *policy.Policy
	index    map[changeKey]*Change
}

// Change is one thing that would be otherwise, in so many sessions.
type Change struct {
	// Subject is user, pool, verdict, message or session.
	Subject string `json:"subject"`
	// Method is that of the message, and empty for a connection.
	Kind   string `json:"kind"`
	Method string `json:"method,omitempty"`
	Before string `json:"before"`
	After  string `json:"after"`
	// Rules are the rules that it is due to, as far as they can be told.
	Rules    []string `json:"rules,omitempty"`
	Sessions int      `json:"sessions"`
	Messages int      `json:"messages"`

	last int // session that was counted
}

type changeKey struct{ subject, kind, method, alike, rules string }

// Compare compares two policies.
func Compare(before, after *policy.Policy) *Difference {
	return &Difference{old: before, new: after, index: map[changeKey]*Change{}, Changes: []*Change{}}
}

// proxyOf finds the proxy of a capture: the one of its name, or the only one there is.
func proxyOf(p *policy.Policy, name string) *policy.Proxy {
	for _, proxy := range p.Proxies {
		if proxy.Address == name {
			return proxy
		}
	}
	if len(p.Proxies) == 1 {
		return p.Proxies[0]
	}
	return nil
}

// Add replays a capture through both policies.
func (d *Difference) Add(name string, c *Capture) {
	before, after := proxyOf(d.old, c.Proxy), proxyOf(d.new, c.Proxy)
	for _, side := range []struct {
		proxy *policy.Proxy
		where string
	}{{before, "old"}, {after, "new"}} {
		if side.proxy == nil {
			d.Skipped = append(d.Skipped, fmt.Sprintf("%s: the %s policy has no %s", name, side.where, c.Proxy))
			return
		}
	}
	d.Sessions++
	s := &sideBySide{d: d, old: NewReplay(d.old, before, c, nil), new: NewReplay(d.new, after, c, nil)}
	if s.old.Blind() || s.new.Blind() {
		d.Blind++
	}
	s.message(s.old.Connect(), s.new.Connect(), true, true)
	for i := range c.Lines {
		if s.over() {
			break
		}
		s.line(&c.Lines[i])
	}
	if s.changed {
		d.Changed++
	}
}

// sideBySide is one session under two policies.
type sideBySide struct {
	d                *Difference
	old, new         *Replay
	oldOver, newOver bool
	changed          bool
	parted           bool // the miner is with different pools
}

func (s *sideBySide) over() bool { return s.oldOver && s.newOver }

func (s *sideBySide) line(line *Line) {
	var a, b Outcome
	var aok, bok bool
	if !s.oldOver {
		a, aok = s.old.Line(line)
	}
	if !s.newOver {
		b, bok = s.new.Line(line)
	}
	s.message(a, b, aok, bok)
}

// message compares what came of one message. What only one side has needs no word: that
// its request was answered, or the session closed, was said before.
func (s *sideBySide) message(a, b Outcome, aok, bok bool) {
	s.oldOver = s.oldOver || a.Closed || a.Kind == rules.Connect && aok && a.Verdict != Forward
	s.newOver = s.newOver || b.Closed || b.Kind == rules.Connect && bok && b.Verdict != Forward
	if !aok || !bok {
		return
	}
	n := &note{s: s, a: &a, b: &b}
	n.compare()
	if a.Closed != b.Closed {
		n.change("session", ending(&a), ending(&b))
	}
}

// ending says what becomes of the session with a message.
func ending(o *Outcome) string {
	if o.Closed {
		return "ends: " + reasonOf(o.Reason)
	}
	return "goes on"
}

// note compares one message.
type note struct {
	s    *sideBySide
	a, b *Outcome
}

func (n *note) compare() {
	a, b := n.a, n.b
	if a.At != b.At && !n.s.parted {
		n.s.parted = true
		n.change("pool", a.At, b.At)
	}
	if n.verdict(a) != n.verdict(b) {
		n.change("verdict", n.verdict(a), n.verdict(b))
		return
	}
	before, after := n.sent(n.s.old, a), n.sent(n.s.new, b)
	switch {
	case a.Kind == rules.Request && a.Method == stratum.MethodAuthorize && a.PoolUser != b.PoolUser:
		n.change("user", a.PoolUser, b.PoolUser)
	case a.Kind == rules.Request && a.Method == stratum.MethodSubmit && a.PoolUser != b.PoolUser && len(n.rules()) == 0:
		// the name sticks, and was told at authorize
	case before != after:
		n.changeMessage(before, after)
	}
}

func (n *note) verdict(o *Outcome) string {
	switch {
	case o.Verdict == Deny && o.Kind != rules.Connect: // a connection is closed without a word
		return fmt.Sprintf("deny %d %s", o.Code, o.Text)
	case o.Verdict == Refuse:
		return "refuse " + o.Reason
	}
	return string(o.Verdict)
}

// sent is what was sent on, or answered, without the id, which differs from session to
// session.
func (n *note) sent(r *Replay, o *Outcome) string {
	lines := sentOn(o)
	if o.Verdict == Reply {
		lines = o.Miner
	}
	line := last(lines)
	if o.Kind == rules.Request {
		line = withoutPassword(line)
	}
	if id := rawID(line); id != nil {
		var m stratum.Message
		_ = stratum.Scan(line, &m) // it has an id
		line = stratum.Apply(nil, line, []stratum.Edit{{Span: m.ID, Text: []byte("…")}})
	}
	return string(line)
}

// rules names the rules that matched on one side only or, where there are none, those
// that matched at all and set something.
func (n *note) rules() []string {
	a := n.matched(n.s.old, n.a)
	b := n.matched(n.s.new, n.b)
	var list []string
	for _, name := range a {
		if !slices.Contains(b, name) {
			list = append(list, "- "+name)
		}
	}
	for _, name := range b {
		if !slices.Contains(a, name) {
			list = append(list, "+ "+name)
		}
	}
	if len(list) == 0 {
		return b
	}
	return list
}

func (n *note) matched(r *Replay, o *Outcome) (names []string) {
	for _, number := range o.Matched {
		names = append(names, r.proxy.Program.Rules()[number].Address)
	}
	for _, f := range o.Failed {
		names = append(names, r.proxy.Program.Rules()[f.Rule].Address+" (failed)")
	}
	return names
}

// changeMessage counts messages that are written otherwise by the same rules as one
// change, of which the first is shown.
func (n *note) changeMessage(before, after string) { n.count("message", "", before, after) }

// change counts a change.
func (n *note) change(subject, before, after string) {
	n.count(subject, before+"\n"+after, before, after)
}

// count counts a change together with those that are alike.
func (n *note) count(subject, alike, before, after string) {
	d := n.s.d
	n.s.changed = true
	before, after = n.a.Redact(d.old, before), n.b.Redact(d.new, after)
	by := n.rules()
	key := changeKey{subject, n.a.Kind.String(), n.a.Method, alike, strings.Join(by, "\n")}
	c := d.index[key]
	if c == nil {
		c = &Change{Subject: subject, Kind: key.kind, Method: n.a.Method, Before: before, After: after, Rules: by}
		d.index[key] = c
		d.Changes = append(d.Changes, c)
	}
	c.Messages++
	if c.last != d.Sessions {
		c.last = d.Sessions
		c.Sessions++
	}
}

// subjects are the groups of a difference, in the order in which people ask.
var subjects = []struct{ name, title string }{
	{"user", "Names at the pool"}, {"pool", "Pools"}, {"verdict", "Verdicts"}, {"session", "Sessions that end"}, {"message", "Messages"},
}

// Write tells a difference to people: most sessions first within a group.
func (d *Difference) Write(w io.Writer) {
	fmt.Fprintf(w, "%d of %s would change.\n", d.Changed, counted(d.Sessions, "session"))
	for _, s := range d.Skipped {
		fmt.Fprintf(w, "not replayed: %s\n", s)
	}
	if d.Blind > 0 {
		fmt.Fprintf(w, "%s judged without the miner's password, which a rule looks at and no capture holds.\n", counted(d.Blind, "session"))
	}
	for _, subject := range subjects {
		group := slices.DeleteFunc(slices.Clone(d.Changes), func(c *Change) bool { return c.Subject != subject.name })
		slices.SortStableFunc(group, func(a, b *Change) int { return cmp.Compare(b.Sessions, a.Sessions) })
		if len(group) > 0 {
			fmt.Fprintf(w, "\n%s\n", subject.title)
		}
		for _, c := range group {
			c.write(w)
		}
	}
}

func (c *Change) write(w io.Writer) {
	fmt.Fprintf(w, "  %s, %s", counted(c.Sessions, "session"), counted(c.Messages, "message"))
	if c.Kind != "connect" {
		fmt.Fprintf(w, ", %s %s", c.Kind, c.Method)
	}
	fmt.Fprintf(w, "\n    - %s\n    + %s\n", c.Before, c.After)
	for _, rule := range c.Rules {
		fmt.Fprintf(w, "      by %s\n", rule)
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

package ruletest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// Result is what came of one test.
type Result struct {
	Test    *policy.Test
	Steps   []*StepResult
	Elapsed time.Duration
	// Err says why the test could not be run at all, as with a capture that cannot be
	// read. It is told in full.
	Err error
	// Golden is what a replayed capture differs in, as a diff of lines; empty if in
	// nothing.
	Golden string
	// Updated says that the golden file was written anew.
	Updated bool
	// Note is something to know about the result.
	Note string
}

// Passed reports whether all was as expected.
func (r *Result) Passed() bool {
	for _, s := range r.Steps {
		if !s.Passed() {
			return false
		}
	}
	return r.Err == nil && r.Golden == ""
}

// StepResult is what came of one step.
type StepResult struct {
	Step    *policy.Step
	Outcome Outcome
	Diffs   []Diff
	// Broken are the messages of the asserts that do not hold.
	Broken []Broken
	// Failed are the failures of expressions, which nobody expected or which may explain
	// the rest.
	Failed []policy.Diagnostic
	// Unexpected says that an expression failed and the step does not expect it.
	Unexpected bool
	// Problem says why the message could not be sent, or that the session ends with it.
	Problem string
}

// Passed reports whether all was as expected.
func (s *StepResult) Passed() bool {
	return len(s.Diffs) == 0 && len(s.Broken) == 0 && !s.Unexpected && s.Problem == ""
}

// Diff is one thing that is not as expected. Got has no meaning where there is nothing
// to compare with, which Nothing says in words.
type Diff struct {
	Field     string
	Want, Got any
	Nothing   string
}

// Broken is an assert that does not hold. Problem says why it could not be worked out.
type Broken struct {
	Assert  *policy.Assert
	Problem string
}

// Options is what a run is given besides the test.
type Options struct {
	// Coverage, when not nil, counts what the rules saw.
	Coverage *Coverage
	// Update writes golden files anew instead of comparing with them.
	Update bool
	// Watch, when not nil, sees every walk over rules.
	Watch func(*policy.Test, exchange.Walk)
}

// Run runs one test.
func Run(t *policy.Test, opt Options) *Result {
	began := time.Now()
	r := &Result{Test: t}
	if t.Capture != "" {
		r.replay(opt)
	} else {
		c := converse(t, opt)
		if refused := c.arrive(t); refused != nil {
			r.Steps = append(r.Steps, refused)
		}
		for _, step := range t.Steps {
			r.Steps = append(r.Steps, c.step(t, step))
		}
	}
	r.Elapsed = time.Since(began)
	return r
}

// converse begins the conversation of a test.
func converse(t *policy.Test, opt Options) *Conversation {
	c := NewConversation(t.Policy, t.Proxy, Miner{Client: t.Client, Session: "test"}, t.Clock, watching(t, opt))
	c.known.take(t.Figures)
	return c
}

// arrive connects the miner of a test that says from where it connects, and has no step
// for that: the rules for the connection are asked, as they are of every miner. It gives
// the step that failed, where they refuse it.
func (c *Conversation) arrive(t *policy.Test) *StepResult {
	if !t.Client.Named || len(t.Steps) == 0 || t.Steps[0].Kind == rules.Connect {
		return nil
	}
	r := c.step(t, &policy.Step{Kind: rules.Connect, Range: t.Range, Title: "the connection, which comes before its first step"})
	if r.Passed() {
		return nil
	}
	return r
}

// watching tells those who want to know of every walk of a test.
func watching(t *policy.Test, opt Options) func(exchange.Walk) {
	return func(w exchange.Walk) {
		if opt.Coverage != nil {
			opt.Coverage.walked(t.Proxy, w)
		}
		if opt.Watch != nil {
			opt.Watch(t, w)
		}
	}
}

// step sends the message of a step and holds what comes of it against what is expected.
func (c *Conversation) step(t *policy.Test, s *policy.Step) *StepResult {
	c.Wait(s.After)
	c.known.take(s.Figures)
	out, problem := c.send(s)
	if problem != "" {
		return &StepResult{Step: s, Problem: problem, Outcome: Outcome{Kind: s.Kind, Method: s.Method, By: -1, At: c.pool.Address}}
	}
	out.Kind, out.Method = s.Kind, cmp.Or(out.Method, s.Method)
	r := &StepResult{Step: s, Outcome: out}
	if out.Closed && out.Verdict == Forward {
		r.Problem = "the session ends with this message: " + reasonOf(out.Reason)
	}
	for _, f := range out.Failed {
		r.Failed = append(r.Failed, t.Policy.Diagnose(f.Err))
	}
	r.compare(t.Proxy)
	for _, a := range s.Asserts {
		if problem, ok := c.holds(a, &out); !ok {
			r.Broken = append(r.Broken, Broken{a, t.Policy.Redact(problem)})
		}
	}
	return r
}

// send sends the message of a step, or says why that cannot be.
func (c *Conversation) send(s *policy.Step) (out Outcome, problem string) {
	switch {
	case c.over:
		return out, "the session has ended before this message"
	case s.Kind == rules.Connect:
		return c.Connect(), ""
	case s.Kind == rules.Request:
		return c.FromMiner(c.request(s)), ""
	case s.Kind == rules.Notification:
		return c.FromPool(notification(s)), ""
	}
	id, ok := c.answers(s.Method, encode(orEmpty(s.Params)))
	if !ok {
		return out, "the pool has no " + s.Method + " to answer: it was answered before, or none went up"
	}
	return c.FromPool(fmt.Appendf(nil, `{"id":%s,"result":%s,"error":%s}`+"\n", id, encode(s.Result), encode(s.Error))), ""
}

func (c *Conversation) request(s *policy.Step) []byte {
	if s.Line != "" {
		return []byte(s.Line + "\n")
	}
	return fmt.Appendf(nil, `{"id":%d,"method":%s,"params":%s}`+"\n", c.newID(), encode(s.Method), encode(orEmpty(s.Params)))
}

func notification(s *policy.Step) []byte {
	if s.Line != "" {
		return []byte(s.Line + "\n")
	}
	return fmt.Appendf(nil, `{"id":null,"method":%s,"params":%s}`+"\n", encode(s.Method), encode(orEmpty(s.Params)))
}

func orEmpty(params any) any {
	if params == nil {
		return []any{}
	}
	return params
}

// encode writes a value of a policy as JSON on one line.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("null") // a policy has no other values
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// holds evaluates an assert on the message as it was sent on, or as it came where it was
// not.
func (c *Conversation) holds(a *policy.Assert, out *Outcome) (problem string, ok bool) {
	var d rules.Decision
	msg := c.shown(out)
	chain := a.Program.Chain(out.Kind, []byte(msg.Method))
	if chain == nil {
		return "", false
	}
	chain.Decide(msg, view{c, out}, &d)
	if len(d.Failed) > 0 {
		return d.Failed[0].Err.Detail, false
	}
	return "", len(d.Matched) > 0
}

// shown gives the message of an outcome as rules are shown it.
func (c *Conversation) shown(out *Outcome) *rules.Message {
	line := last(sentOn(out))
	if line == nil {
		line = out.In
	}
	msg := &rules.Message{Method: out.Method}
	text := bytes.TrimRight(line, "\r\n")
	var m stratum.Message
	if stratum.Scan(text, &m) != nil {
		return msg
	}
	params := m.Params.Of(text)
	if out.Kind == rules.Response {
		params = out.Params
		msg.Result, _ = stratum.Decode(m.Result.Of(text))
		msg.Error, _ = stratum.Decode(m.Error.Of(text))
		msg.OK, msg.LatencyMS = out.OK, float64(out.Latency)/float64(time.Millisecond)
	}
	if list, err := stratum.Decode(params); err == nil {
		msg.Params, _ = list.([]any)
	}
	return msg
}

// sentOn gives the line that was sent on to where the message was going.
func sentOn(out *Outcome) []byte {
	if out.Kind == rules.Request {
		return out.Pool[out.Again:]
	}
	return out.Miner[:len(out.Miner)-out.Held]
}

// last gives the last of some lines, without its end; nil if there is none.
func last(lines []byte) []byte {
	lines = bytes.TrimRight(lines, "\n")
	if len(lines) == 0 {
		return nil
	}
	return lines[bytes.LastIndexByte(lines, '\n')+1:]
}

// view shows an assert the facts of a conversation.
type view struct {
	c   *Conversation
	out *Outcome
}

// Fact gives the value of a name.
func (v view) Fact(n rules.Name) any {
	switch n {
	case rules.ClientIP:
		return v.c.miner.IP
	case rules.ClientPort:
		return v.c.miner.Port
	case rules.ClientAgent:
		return v.c.talk.Agent()
	case rules.SessionID:
		return v.c.miner.Session
	case rules.SessionAge:
		return v.c.now.Sub(v.c.opened).Seconds()
	case rules.ProxyName:
		return v.c.proxy.Address
	case rules.PoolName:
		return v.c.pool.Address
	case rules.ListenerName:
		return v.c.at.Address
	case rules.UserName:
		return v.out.User
	case rules.PoolUserName:
		return v.out.PoolUser
	}
	return v.figure(n)
}

// figure gives the facts that change by themselves.
func (v view) figure(n rules.Name) any {
	switch {
	case n == rules.SessionPool:
		return v.c.pool.Address
	case n >= rules.UpstreamUp:
		return v.Figure(v.c.pool.Address, n)
	case n >= rules.StatsSubmitted:
		return v.c.known.Stats().Fact(n)
	case n >= rules.ClockMinute:
		return exchange.OfClock(v.c.now, n)
	}
	return ""
}

// Figure gives a figure of a pool that an assert names.
func (v view) Figure(pool string, n rules.Name) any { return v.c.known.Upstream(pool).Fact(n) }

// shortName is the last part of the address of a rule.
func shortName(address string) string { return address[strings.LastIndexByte(address, '.')+1:] }

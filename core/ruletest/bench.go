package ruletest

import (
	"flag"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/rules"
)

// Bench measures what the rules cost, on the messages of the tests: each rule by itself,
// on what the rules before it left of the message, and all rules that look at a method.
type Bench struct {
	cases map[string]benchCase
	order []string
	alone map[*rules.Rule]*rules.Program
}

// benchCase is one thing to measure and messages to measure it on.
type benchCase []benchMessage

// benchMessage is a message with the rules that look at it.
type benchMessage struct {
	chain *rules.Chain
	msg   *rules.Message
	facts rules.Facts
}

// maxBenchMessages is how many messages of one kind are measured in turn.
const maxBenchMessages = 64

// NewBench has seen no message yet.
func NewBench() *Bench {
	return &Bench{cases: map[string]benchCase{}, alone: map[*rules.Rule]*rules.Program{}}
}

// Watch keeps the message of a walk. It is given to a run as Options.Watch.
func (b *Bench) Watch(t *policy.Test, w exchange.Walk) {
	m := freeze(w)
	method := w.Kind.String()
	if w.Method != "" {
		method += "." + w.Method
	}
	b.add("BenchmarkMethod/"+label(t.Proxy.Address+"."+method), m)
	for _, step := range w.Decision.Steps {
		rule := &t.Proxy.Program.Rules()[step.Rule]
		if alone := b.by(rule); alone != nil {
			m.chain = alone.Chain(w.Kind, []byte(w.Method))
			b.add("BenchmarkRule/"+label(rule.Address), m)
			m.msg = m.after()
		}
	}
}

// by compiles one rule, once.
func (b *Bench) by(rule *rules.Rule) *rules.Program {
	alone, known := b.alone[rule]
	if !known {
		alone, _ = rules.Compile([]rules.Rule{*rule}) // nil if it is none by itself
		b.alone[rule] = alone
	}
	return alone
}

// after gives the message as the rules leave it, which is how the next one sees it.
func (m benchMessage) after() *rules.Message {
	var d rules.Decision
	m.chain.Decide(m.msg, m.facts, &d)
	next := *m.msg
	next.Params = d.Params
	if d.ResultSet {
		next.Result = d.Result
	}
	if d.ErrorSet {
		next.Error = d.Error
	}
	return &next
}

func (b *Bench) add(name string, m benchMessage) {
	c, known := b.cases[name]
	if !known {
		b.order = append(b.order, name)
	}
	if len(c) < maxBenchMessages {
		b.cases[name] = append(c, m)
	}
}

// freeze copies what a walk was shown.
func freeze(w exchange.Walk) benchMessage {
	msg := *w.Message
	msg.Params = slices.Clone(msg.Params)
	known := &frozen{}
	for n := range known {
		known[n] = w.Facts.Fact(rules.Name(n))
	}
	return benchMessage{w.Chain, &msg, known}
}

// frozen are facts as they were, by their names.
type frozen [rules.Names]any

// Fact gives the value of a name.
func (f *frozen) Fact(n rules.Name) any { return f[n] }

// Figure gives for any pool what the pool in use had: of the others, nothing was kept.
func (f *frozen) Figure(_ string, n rules.Name) any { return f[n] }

// label makes an address fit for the name of a benchmark.
func label(address string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\n' {
			return '_'
		}
		return r
	}, address)
}

// Write measures each for a time and writes the lines that benchstat reads.
func (b *Bench) Write(w io.Writer, each time.Duration) error {
	testing.Init() // the time is known to package testing as a flag only
	if err := flag.Set("test.benchtime", each.String()); err != nil {
		return err
	}
	fmt.Fprintf(w, "goos: %s\ngoarch: %s\npkg: loka/rules\n", runtime.GOOS, runtime.GOARCH)
	width := 0
	for name := range b.cases {
		width = max(width, len(name))
	}
	for _, name := range b.order {
		r := testing.Benchmark(b.cases[name].run)
		fmt.Fprintf(w, "%s\t%s\t%s\n", pad(fmt.Sprintf("%s-%d", name, runtime.GOMAXPROCS(0)), width+4), r.String(), r.MemString())
	}
	return nil
}

func (c benchCase) run(b *testing.B) {
	var d rules.Decision
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		c[n].chain.Decide(c[n].msg, c[n].facts, &d)
		if n++; n == len(c) {
			n = 0
		}
	}
}

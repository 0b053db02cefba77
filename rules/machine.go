package rules

import (
	"errors"
	"sync"
	"unsafe"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// machine is what one walk over rules needs: the language's machine, the names as it
// reads them, and the message. Every name that an expression uses is set right before
// it runs, so nothing of an earlier message can be seen.
type machine struct {
	vm    vm.VM
	env   map[string]any
	chain *Chain
	msg   *Message
	facts Facts
	d     *Decision
	// values are those of one set, until all of them are known.
	values []any
	// tainted has bit i set where element i holds something secret; the last bit
	// stands for everything else.
	tainted uint64
	// measured has a bit set for each list or map of the message, as it now is, that was
	// found not to be too large: a walk over all of it is enough once.
	measured uint64
}

const taintRest = 1 << 63

// The bits of measured; the positions of single parameters are far below.
const (
	measuredParams = 1 << 63
	measuredResult = 1 << 62
	measuredError  = 1 << 61
)

// elementBudget is how many elements the machine may make for one expression.
const elementBudget = 100_000

var machines = sync.Pool{New: func() any {
	return &machine{env: map[string]any{}, vm: vm.VM{MemoryBudget: elementBudget}}
}}

// eval gives the value of an expression.
func (m *machine) eval(x *expression) (any, *Error) {
	if x.program == nil {
		return x.constant, nil
	}
	for i := range x.uses {
		u := &x.uses[i]
		v, why := m.value(u.entry)
		if why != "" {
			return nil, (&Error{From: u.from, To: u.to, Summary: expressionFailed, Detail: u.entry.name + " " + why + "."}).in(x)
		}
		m.env[u.entry.name] = v
	}
	out, err := m.vm.Run(x.program, m.env)
	if err != nil {
		return nil, failed(err, x)
	}
	return out, nil
}

const expressionFailed = "Expression failed"

// failed says in the operator's words what the machine found.
func failed(err error, x *expression) *Error {
	e := &Error{From: -1, To: -1, Summary: expressionFailed, Detail: "This could not be worked out for this message."}
	var at *file.Error
	if !errors.As(err, &at) {
		return e.in(x)
	}
	e.From, e.To = at.From, at.To
	var own failure
	if errors.As(at.Prev, &own) {
		e.Detail = string(own)
		return e.in(x)
	}
	for _, p := range failures {
		if parts, ok := p.match(at.Message); ok {
			e.Detail = p.say(parts)
			break
		}
	}
	return e.in(x)
}

// value gives the value of a name, or says why it has none that can be used.
func (m *machine) value(e *entry) (any, string) {
	switch e.from {
	case fromFact:
		return e.kind.read(m.fact(e.fact), e.textBytes())
	case fromFigure:
		return e.kind.read(m.figure(e.pool, e.fact), 0)
	case fromUser:
		if at := m.chain.userAt; at >= 0 {
			return m.param(e, at)
		}
		return e.kind.read(m.fact(e.fact), e.textBytes())
	case fromParam:
		return m.param(e, e.at)
	case fromParams:
		return m.nested(e, m.params(), measuredParams)
	case fromMethod:
		if m.chain.method != nil {
			return m.chain.method, ""
		}
		return e.kind.read(m.msg.Method, e.textBytes())
	case fromExample:
		return e.example, ""
	}
	return m.answer(e)
}

func (m *machine) fact(n Name) any {
	if m.facts == nil {
		return nil
	}
	return m.facts.Fact(n)
}

func (m *machine) figure(pool string, n Name) any {
	if m.facts == nil {
		return nil
	}
	return m.facts.Figure(pool, n)
}

// answer gives the names of a response.
func (m *machine) answer(e *entry) (any, string) {
	switch e.from {
	case fromResult:
		if m.d.ResultSet {
			return m.nested(e, m.d.Result, measuredResult)
		}
		return m.nested(e, m.msg.Result, measuredResult)
	case fromError:
		if m.d.ErrorSet {
			return m.nested(e, m.d.Error, measuredError)
		}
		return m.nested(e, m.msg.Error, measuredError)
	case fromOK:
		return m.msg.OK, ""
	default:
		return m.msg.LatencyMS, ""
	}
}

func (m *machine) param(e *entry, at int) (any, string) {
	if at >= len(m.d.Params) {
		return zeroValues[e.kind], ""
	}
	if e.kind == listValue || e.kind == mapValue {
		return m.nested(e, m.d.Params[at], 1<<at)
	}
	return e.kind.read(m.d.Params[at], e.textBytes())
}

// nested reads a value that may hold others, and measures it unless its bit is set.
func (m *machine) nested(e *entry, v any, bit uint64) (any, string) {
	if v == nil {
		return zeroValues[e.kind], ""
	}
	if why := e.kind.refuses(v); why != "" {
		return nil, why
	}
	if m.measured&bit == 0 {
		if why := tooLarge(v); why != "" {
			return nil, why
		}
		m.measured |= bit
	}
	return v, ""
}

// changed forgets what was measured of a field that gets a new value.
func (m *machine) changed(e *entry) {
	switch e.from {
	case fromParam:
		m.measured &^= measuredParams | 1<<e.at
	case fromParams:
		m.measured = 0
	case fromResult:
		m.measured &^= measuredResult
	case fromError:
		m.measured &^= measuredError
	}
}

// params boxes the parameters once for as long as they stay where they are: a slice in
// an interface is an allocation.
func (m *machine) params() any {
	d := m.d
	if len(d.Params) == 0 {
		return zeroValues[listValue]
	}
	if at := unsafe.SliceData(d.Params); d.boxed == nil || d.boxedAt != at || d.boxedLen != len(d.Params) {
		d.boxed, d.boxedAt, d.boxedLen = d.Params, at, len(d.Params)
	}
	return d.boxed
}

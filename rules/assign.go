package rules

import "strconv"

// evaluate works out everything that a rule sets, before any of it is set: every
// expression sees the message as the rule received it, and a failure leaves it so.
func (m *machine) evaluate(r *compiled) *Error {
	m.values = m.values[:0]
	length := len(m.d.Params)
	for i := range r.set {
		a := &r.set[i]
		v, err := m.checked(a.value, a.entry.kind)
		if err != nil {
			return err
		}
		if why := m.fits(a, v, &length); why != "" {
			return mistake(expressionFailed, why).in(a.value)
		}
		m.values = append(m.values, v)
	}
	return nil
}

// fits checks a new value against the message. length is the number of parameters as
// the assignments before leave it.
func (m *machine) fits(a *assignment, v any, length *int) string {
	if a.raises && belowPool(m.msg, v) {
		return "This gave a difficulty below the pool's."
	}
	switch a.entry.from {
	case fromParams:
		if n := len(v.([]any)); n > paramLimit {
			return "This gave " + strconv.Itoa(n) + " parameters; " + strconv.Itoa(paramLimit) + " are the most."
		}
	case fromParam:
		if a.entry.at > *length {
			return a.entry.name + " is parameter " + strconv.Itoa(a.entry.at+1) + ", but the message has only " + strconv.Itoa(*length) + "."
		}
		*length = max(*length, a.entry.at+1)
	}
	return ""
}

// assign sets what evaluate worked out.
func (m *machine) assign(r *compiled) {
	for i := range r.set {
		m.put(r.set[i].entry, m.values[i])
	}
}

// put sets one value.
func (m *machine) put(e *entry, v any) {
	d := m.d
	m.changed(e)
	switch e.from {
	case fromParam:
		if e.at == len(d.Params) {
			d.Params = append(d.Params, v)
		} else {
			d.Params[e.at] = v
		}
		d.Edited |= 1 << e.at
		d.UserSet = d.UserSet || e.at == m.chain.userAt
	case fromParams:
		d.Params = append(d.Params[:0], v.([]any)...)
		d.ParamsSet, d.Edited = true, 0
		d.UserSet = d.UserSet || m.chain.userAt >= 0
	case fromResult:
		d.Result, d.ResultSet = v, true
	case fromError:
		d.Error, d.ErrorSet = v, true
	}
}

// trace notes what a rule is about to set. Secrets are left out, and so is whatever was
// made of a field that holds one since an earlier rule.
func (m *machine) trace(r *compiled) {
	if !m.d.Trace {
		return
	}
	s := Step{Rule: r.number, When: true}
	tainted := m.tainted
	for i := range r.set {
		a := &r.set[i]
		change := Change{Field: a.entry.name, Value: m.values[i], Secret: a.value.secret || m.touches(a.value)}
		bit := taintOf(a.entry)
		tainted &^= bit
		if change.Secret {
			m.d.Secrets = append(m.d.Secrets, change.Value)
			change.Value = nil
			tainted |= bit
		}
		s.Set = append(s.Set, change)
	}
	m.tainted = tainted
	m.step(s)
}

// touches reports whether an expression reads a field that holds a secret.
func (m *machine) touches(x *expression) bool {
	for i := range x.uses {
		e := x.uses[i].entry
		bit := taintOf(e)
		if e.from == fromUser && m.chain.userAt >= 0 {
			bit = 1 << m.chain.userAt
		}
		if m.tainted&bit != 0 {
			return true
		}
	}
	return false
}

// taintOf gives the bits that stand for a field; params has all of them.
func taintOf(e *entry) uint64 {
	switch e.from {
	case fromParam:
		return 1 << e.at
	case fromParams:
		return ^uint64(0)
	case fromResult, fromError:
		return taintRest
	default:
		return 0
	}
}

package rules

var noMessage Message

// Decide walks the chain. It is safe for concurrent use with different decisions.
//
// The caller has bounded the message: lines of miners have at most 16 KiB, params at
// most 64 elements, nested at most 8 deep. For Connect the message may be nil. A nil
// chain lets everything pass.
func (c *Chain) Decide(msg *Message, facts Facts, d *Decision) {
	if msg == nil {
		msg = &noMessage
	}
	d.reset(msg)
	if c == nil {
		return
	}
	m := machines.Get().(*machine)
	m.chain, m.msg, m.facts, m.d, m.tainted, m.measured = c, msg, facts, d, 0, 0
	for _, r := range c.rules {
		if m.apply(r) {
			break
		}
	}
	m.chain, m.msg, m.facts, m.d = nil, nil, nil, nil
	machines.Put(m)
}

// reset makes the decision that of a message no rule has seen.
func (d *Decision) reset(msg *Message) {
	d.Verdict, d.By, d.Code, d.Text = Forward, -1, 0, ""
	d.Params = append(d.Params[:0], msg.Params...)
	d.Edited, d.ParamsSet, d.UserSet = 0, false, false
	d.Result, d.Error, d.ResultSet, d.ErrorSet = nil, nil, false, false
	d.Route = ""
	d.Matched, d.Failed, d.Steps, d.Secrets = d.Matched[:0], d.Failed[:0], d.Steps[:0], d.Secrets[:0]
}

// apply runs one rule and reports whether the walk ends with it.
func (m *machine) apply(r *compiled) bool {
	matched, err := m.matches(r)
	if err != nil {
		return m.fail(r, false, err)
	}
	if !matched {
		m.step(Step{Rule: r.number})
		return false
	}
	var result, reason any
	if r.reply != nil {
		if result, reason, err = m.answers(r.reply); err != nil {
			return m.fail(r, true, err)
		}
	}
	if err = m.evaluate(r); err != nil {
		return m.fail(r, true, err)
	}
	m.trace(r)
	m.assign(r)
	return m.conclude(r, result, reason)
}

// conclude does what a rule that matched does besides setting.
func (m *machine) conclude(r *compiled, result, reason any) bool {
	d := m.d
	d.Matched = append(d.Matched, r.number)
	if r.route != "" {
		d.Route = r.route
	}
	if r.verdict == Forward {
		return r.stop
	}
	d.Verdict, d.By, d.Code, d.Text = r.verdict, r.number, r.code, r.text
	if r.verdict == Replied {
		d.Result, d.Error = result, reason
	}
	return true
}

func (m *machine) matches(r *compiled) (bool, *Error) {
	if r.when == nil {
		return true, nil
	}
	v, err := m.eval(r.when)
	if err != nil {
		return false, err
	}
	matched, ok := v.(bool)
	if !ok {
		return false, mistake(expressionFailed, "This gave "+phraseOf(v)+"; a bool is needed.").in(r.when)
	}
	return matched, nil
}

// answers gives the result and the error of a reply.
func (m *machine) answers(reply *compiledReply) (result, reason any, err *Error) {
	if reply.result != nil {
		if result, err = m.checked(reply.result, anyValue); err != nil {
			return nil, nil, err
		}
	}
	if reply.err != nil {
		reason, err = m.checked(reply.err, anyValue)
	}
	return result, reason, err
}

// checked gives the value of an expression as a message can hold it.
func (m *machine) checked(x *expression, t valueType) (any, *Error) {
	v, err := m.eval(x)
	if err != nil {
		return nil, err
	}
	clean, why := t.write(v)
	if why != "" {
		return nil, mistake(expressionFailed, why).in(x)
	}
	return clean, nil
}

// fail does what the rule's on_error says, and reports whether the walk ends.
func (m *machine) fail(r *compiled, when bool, err *Error) bool {
	d := m.d
	d.Failed = append(d.Failed, Failure{Rule: r.number, Err: err})
	m.step(Step{Rule: r.number, When: when, Failed: err})
	switch r.onError {
	case OnErrorDeny:
		d.Verdict, d.By, d.Code, d.Text = Denied, r.number, DeniedCode, failedText
		return true
	case OnErrorDrop:
		d.Verdict, d.By = Dropped, r.number
		return true
	}
	return false
}

func (m *machine) step(s Step) {
	if m.d.Trace {
		m.d.Steps = append(m.d.Steps, s)
	}
}

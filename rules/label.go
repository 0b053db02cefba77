package rules

import "strings"

// matchesLabel reports whether a rule's label stands for a method.
func matchesLabel(label, method string) bool {
	if prefix, ok := strings.CutSuffix(label, "*"); ok {
		return strings.HasPrefix(method, prefix)
	}
	return label == method
}

// label checks the kind and the method of a rule. What follows makes sense only if it
// is in order.
func (c *compilation) label(r *Rule) bool {
	detail := ""
	switch {
	case r.Kind > Notification:
		detail = "This kind of rule does not exist."
	case r.Kind == Connect:
		if r.Method != "" {
			detail = "A connect rule has no method: nothing was said yet."
		}
	case r.Method == "":
		detail = `The method is empty. "*" stands for every method.`
	case strings.Contains(strings.TrimSuffix(r.Method, "*"), "*"):
		detail = `A * stands only at the end, as in "mining.*".`
	case strings.ContainsFunc(r.Method, oddInMethod):
		detail = "A method has no blanks, quotes or control characters."
	}
	if detail != "" {
		c.refuse(r.Origin, "Invalid method", detail)
	}
	return detail == ""
}

func oddInMethod(r rune) bool { return r <= ' ' || r == '"' || r == '\\' || r == 0x7f || r == 0xfffd }

// outcomes checks that a rule has at most one outcome and that its kind allows it.
func (c *compilation) outcomes(r *Rule) {
	var given []string
	for _, o := range []struct {
		name string
		is   bool
	}{{"deny", r.Deny != nil}, {"reply", r.Reply != nil}, {"drop", r.Drop}, {"route", r.Route != ""}} {
		if !o.is {
			continue
		}
		given = append(given, o.name)
		if why := notHere(r.Kind, o.name); why != "" {
			c.refuse(r.Origin, "Outcome not possible here", why)
		}
	}
	if len(given) > 1 {
		c.refuse(r.Origin, "More than one outcome", "A rule has one outcome besides set; this one has "+strings.Join(given, " and ")+".")
	}
	if r.Kind == Request && r.Route != "" && r.Method != "mining.subscribe" && r.Method != authorize {
		c.refuse(r.Origin, "Outcome not possible here", "The pool is decided at connect, subscribe or authorize: route goes into a connect rule or a rule for mining.subscribe or mining.authorize requests.")
	}
	c.errorOutcome(r)
}

// notHere says why an outcome makes no sense for a kind.
func notHere(k Kind, outcome string) string {
	switch k {
	case Connect:
		if outcome == "reply" || outcome == "drop" {
			return "A connect rule can deny or route: there is no message to " + outcome + " yet."
		}
	case Response, Notification:
		if outcome != "drop" {
			return "A " + k.String() + " can be changed (set) or dropped; " + outcome + " is for requests."
		}
	}
	return ""
}

func (c *compilation) errorOutcome(r *Rule) {
	switch {
	case r.OnError > OnErrorDrop:
		c.refuse(r.Origin, "Invalid on_error", `on_error is "deny", "skip" or "drop".`)
	case r.OnError == OnErrorDeny && (r.Kind == Response || r.Kind == Notification):
		c.refuse(r.Origin, "Invalid on_error", "A "+r.Kind.String()+` cannot be denied; on_error is "skip" or "drop" here.`)
	case r.OnError == OnErrorDrop && r.Kind == Connect:
		c.refuse(r.Origin, "Invalid on_error", `There is no message to drop; on_error is "deny" or "skip" here.`)
	}
}

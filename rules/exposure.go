package rules

import (
	"cmp"
	"slices"
)

// Exposure is an expression that puts a secret where others see it: a pool, a miner, or
// whoever reads logs and records.
type Exposure struct {
	// Rule is the rule's number, and Field what is set: a field, or result or error.
	Rule  int
	Field string
	// Origin is that of the expression.
	Origin any
	// Password says that the secret is the miner's own password. Otherwise it is a
	// sensitive constant, and Earlier says that an earlier rule has put it into a field
	// which is used here.
	Password, Earlier bool
}

// The password of mining.authorize is the one field that is kept from view.
const (
	passwordMethod = "mining.authorize"
	passwordAt     = 1
)

// Exposures lists the expressions that put sensitive constants, or what a miner gave as
// its password, anywhere but into the password of mining.authorize. It follows them
// through the fields that the rules for one method set.
func (p *Program) Exposures() []Exposure {
	found := map[Exposure]bool{}
	var list []Exposure
	expose := func(e Exposure) {
		key := e
		key.Origin = nil
		if !found[key] {
			found[key] = true
			list = append(list, e)
		}
	}
	for k := Request; k <= Notification; k++ {
		for _, method := range sortedKeys(p.methods[k]) {
			p.expose(p.methods[k][method], k == Request && method == passwordMethod, expose)
		}
		for i := range p.globs[k] {
			p.expose(p.globs[k][i].chain, false, expose)
		}
	}
	slices.SortStableFunc(list, func(a, b Exposure) int { return cmp.Compare(a.Rule, b.Rule) })
	return list
}

// leak looks for secrets in one walk. Bits stand for fields as those of contents do.
type leak struct {
	expose func(Exposure)
	// authorize says that the walk is that of mining.authorize, with the password in it.
	authorize bool
	// secrets are the fields that a sensitive constant may be in, and passwords those
	// that the miner's password may be in.
	secrets, passwords uint64
}

func (p *Program) expose(c *Chain, authorize bool, expose func(Exposure)) {
	l := leak{expose: expose, authorize: authorize}
	if authorize {
		l.passwords = bitOfParam(passwordAt)
	}
	for _, r := range c.rules {
		l.rule(r)
	}
}

// rule looks at what a rule sets, of which all sees the message as it was before.
func (l *leak) rule(r *compiled) {
	after := *l
	sure := (r.when == nil || r.when.constant == true) && r.onError != OnErrorSkip
	for i := range r.set {
		a := &r.set[i]
		l.look(r, a.entry.name, a.value, bitsOf(a.entry))
		after.set(a, l, sure)
	}
	if r.reply != nil {
		l.look(r, "result", r.reply.result, inResult)
		l.look(r, "error", r.reply.err, inError)
	}
	l.secrets, l.passwords = after.secrets, after.passwords
}

// set takes note of what the fields that an assignment sets have in them after a rule.
func (l *leak) set(a *assignment, before *leak, sure bool) {
	in := a.value.contents
	switch {
	case a.entry.from != fromParams:
		l.fill(bitsOf(a.entry), in, before, sure)
	case in.params == nil:
		l.fill(inParams, contents{secret: in.secret}, before, false)
	default:
		for at := range maxParamBits {
			l.fill(bitOfParam(at), in.param(at), before, sure)
		}
	}
}

// fill takes note of what a field has in it, which the rule may have left as it was
// unless that is sure.
func (l *leak) fill(field uint64, with contents, before *leak, sure bool) {
	if sure {
		l.secrets &^= field
		l.passwords &^= field
	}
	if with.secret || with.fields&before.secrets != 0 {
		l.secrets |= field
	}
	if with.fields&before.passwords != 0 {
		l.passwords |= field
	}
}

// look reports the secrets in one value. What the field itself had in it may stay there.
func (l *leak) look(r *compiled, field string, x *expression, own uint64) {
	if x == nil || l.authorize && own == bitOfParam(passwordAt) {
		return
	}
	found := Exposure{Rule: r.number, Field: field, Origin: x.source.Origin}
	if x.contents.secret {
		l.expose(found)
	}
	secret, password := l.within(x.contents, own)
	if secret && !x.contents.secret {
		found.Earlier = true
		l.expose(found)
	}
	if password && own != inResult && own != inError {
		found.Earlier, found.Password = false, true
		l.expose(found)
	}
}

// within reports whether what earlier rules, or the miner, have put into fields is in a
// value for a field that may not have it. Of all parameters at once each is judged by
// itself, and a list whose elements are not known is not judged.
func (l *leak) within(c contents, own uint64) (secret, password bool) {
	if own != inParams {
		from := c.fields &^ own
		return from&l.secrets != 0, from&l.passwords != 0
	}
	for at, element := range c.params {
		if l.authorize && at == passwordAt {
			continue
		}
		s, p := l.within(element, bitOfParam(at))
		secret, password = secret || s, password || p
	}
	return secret, password
}

// Reads lists the constants that a rule reads, as in var.wallet.
func (p *Program) Reads(rule int) []string {
	var list []string
	for _, x := range p.ready[rule].expressions() {
		list = append(list, x.reads...)
	}
	return list
}

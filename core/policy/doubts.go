package policy

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/loka-proxy/loka/rules"
)

// doubt warns of what is no mistake, but can hardly be meant. It is asked of a policy
// without mistakes.
func (l *loader) doubt() {
	l.doubtUnused()
	l.doubtHidden()
	l.doubtConditions()
	l.doubtExposures()
}

// meeting is how often a rule was made of one block, and how often in vain.
type meeting struct {
	at, by       *place
	made, hidden int
}

// doubtHidden warns of rules that never run in any proxy that has them.
func (l *loader) doubtHidden() {
	meetings := map[hcl.Range]*meeting{}
	for _, proxy := range l.policy.Proxies {
		list := proxy.Program.Rules()
		for _, rule := range list {
			at := rule.Origin.(*place)
			if meetings[at.rng] == nil {
				meetings[at.rng] = &meeting{at: at}
			}
			meetings[at.rng].made++
		}
		for _, h := range proxy.Program.Hidden() {
			m := meetings[list[h.Rule].Origin.(*place).rng]
			m.hidden++
			m.by = list[h.By].Origin.(*place)
		}
	}
	for at, m := range meetings {
		if m.hidden == m.made {
			l.warn(at, "Rule never runs", "The rule %s at %s is in front of this one, always matches what this one is about, and ends the walk. "+
				"Put this one before it, give that one a condition (when), or remove one of them.", m.by.head(), position(m.by.rng))
		}
	}
}

// doubtConditions warns of rules with a condition that is false, once for each place.
func (l *loader) doubtConditions() {
	for _, proxy := range l.policy.Proxies {
		for _, i := range proxy.Program.Never() {
			if at, ok := proxy.Program.Rules()[i].When.Origin.(*place); ok {
				l.warn(at.rng, "Rule never runs", "This condition is false whatever the message is. Let it look at the message, or at a variable that switches the rule on and off; or remove the rule.")
			}
		}
	}
}

// head gives the head of the block at a place, as in request "mining.submit" "no_shares".
func (p *place) head() string {
	chain := p.src.around(p.rng.Start.Byte)
	if len(chain) == 0 {
		return "above"
	}
	return chain[len(chain)-1].String()
}

// doubtExposures warns of rules that put a secret where others see it.
func (l *loader) doubtExposures() {
	told := map[toldExposure]bool{}
	for _, proxy := range l.policy.Proxies {
		list := proxy.Program.Rules()
		for _, e := range proxy.Program.Exposures() {
			at := e.Origin.(*place).rng
			if key := (toldExposure{at, e.Password}); !told[key] {
				told[key] = true
				l.doubtRule(e, at, exposedBy(list[e.Rule].Kind, e.Field))
			}
		}
	}
}

// toldExposure is a place, and which kind of secret can be seen there.
type toldExposure struct {
	at       hcl.Range
	password bool
}

func (l *loader) doubtRule(e rules.Exposure, at hcl.Range, where string) {
	switch {
	case e.Password:
		l.warn(at, "Password of a miner can be seen", "This has the miner's password in it, or a piece of it, and %s. The password of a miner is a secret of its owner, who may use it elsewhere too. "+
			"Leave it out here. A condition may compare it, as in when = \"password == 'x'\".", where)
	case e.Earlier:
		l.warn(at, "Sensitive value can be seen", "This is made from a field that an earlier rule sets from a sensitive value, and %s. Leave that field out here; or, if the value may be seen, take sensitive = true off its variable.", where)
	default:
		l.doubtExposure(at, where)
	}
}

// exposedBy says who sees a field.
func exposedBy(kind rules.Kind, field string) string {
	switch {
	case kind != rules.Request:
		return field + " goes to the miner"
	case field == "result" || field == "error":
		return "the " + field + " of a reply goes to the miner"
	case field == "params":
		return "of the parameters, only password is kept out of logs and records"
	}
	return field + " is in logs and records; only password is kept out of them"
}

// doubtSensitive warns of an argument in plain HCL that is made from a sensitive value.
func (l *loader) doubtSensitive(args arguments, name, where string) {
	if attr := args.attrs[name]; attr != nil && namesSecret(attr.Expr, args.scope.EvalContext) {
		l.doubtExposure(attr.Expr.Range(), where)
	}
}

func (l *loader) doubtExposure(at hcl.Range, where string) {
	l.warn(at, "Sensitive value can be seen", "This is made from a sensitive value, and %s. Leave it out here; or, if it may be seen, take sensitive = true off its variable.", where)
}

package policy

import (
	"time"

	"github.com/loka-proxy/loka/rules"
)

// leastRollout is less time than miners need to show how they do.
const leastRollout = time.Second

// buildRollout reads the block rollout.
func (l *loader) buildRollout() {
	for _, b := range l.blocks["rollout"] {
		args := l.argumentsOf(b, rolloutBlock)
		r := &Rollout{Percent: args.number("percent"), For: args.duration("for")}
		if args.isGiven("for") && r.For < leastRollout {
			l.fail(args.at("for"), "Wrong duration", "A rollout takes a second or more.")
		}
		if attr := args.attrs["abort_if"]; attr != nil {
			r.AbortIf = l.condition(b, args)
		}
		l.policy.Rollout = r
	}
}

// condition compiles abort_if.
func (l *loader) condition(b *block, args arguments) *rules.Condition {
	source, ok := l.expression(b.src, args.attrs["abort_if"])
	if !ok {
		return nil
	}
	c, mistakes := rules.CompileCondition(source, l.policyConstants())
	for _, m := range mistakes {
		if at, ok := m.Origin.(*place); ok {
			l.fail(at.of(m), m.Summary, "%s", m.Detail+backslashHint(at, m))
		}
	}
	return c
}

package policy

import (
	"slices"
	"strings"

	"github.com/loka-proxy/loka/rules"
)

// compile compiles rules and reports what is wrong with them.
func (l *loader) compile(list []rules.Rule) *rules.Program {
	l.compiler.Pools = l.poolNames // it may be shared with policies that have others
	program, mistakes := l.compiler.Compile(list)
	for _, m := range mistakes {
		m = withoutKeys(m, list)
		at, ok := m.Origin.(*place)
		switch {
		case !ok:
			l.failNowhere(m.Summary, "%s", m.Detail)
		case l.namesUnknownLocal(at):
		case m.From >= 0 || !l.unguarded[at]:
			l.fail(at.of(m), m.Summary, "%s", m.Detail+backslashHint(at, m))
			l.blameUser(l.diags[len(l.diags)-1], at, list)
		}
	}
	if program != nil {
		l.noteReads(program)
	}
	return program
}

// namesUnknownLocal reports whether an expression names a local whose value could not be
// had. Not even its type is known, so what is wrong there may not be.
func (l *loader) namesUnknownLocal(at *place) bool {
	if !at.expression {
		return false
	}
	code := at.src.quote(at.rng)
	for name, loc := range l.locals {
		if !loc.value.IsWhollyKnown() && strings.Contains(code, "local") && strings.Contains(code, name) {
			return true
		}
	}
	return false
}

// unguard takes note of a rule whose condition could not be read. A new value may be
// right only under that condition, so nothing is said of the values as a whole until
// it is there.
func (l *loader) unguard(rule *rules.Rule) {
	for _, a := range rule.Set {
		if at, ok := a.Value.Origin.(*place); ok {
			l.unguarded[at] = true
		}
	}
}

// backslashHint explains a backslash that got past HCL and that the expression does
// not know: inside quotes of its own, it begins an escape there too.
func backslashHint(at *place, m *rules.Error) string {
	if !at.expression || m.From < 0 {
		return ""
	}
	spans := decode(at.src, at.rng)
	from, to := max(m.From-2, 0), min(max(m.To, m.From)+2, len(spans))
	isBackslash := func(s runeSpan) bool { return s.char == '\\' }
	if from >= to || !slices.ContainsFunc(spans[from:to], isBackslash) {
		return ""
	}
	return "\n\nA pattern with backslashes is best written in a heredoc, between backquotes:\n\n" +
		"    when = <<-EXPR\n      user matches `^\\d+$`\n    EXPR"
}

// withoutKeys takes the keys of a map out of a mistake where the map may be a sensitive
// one.
func withoutKeys(m *rules.Error, list []rules.Rule) *rules.Error {
	at, ok := m.Origin.(*place)
	if !ok || !strings.Contains(m.Detail, "The map has: ") || !namesSensitive(at, list) {
		return m
	}
	bare := *m
	bare.Detail, _, _ = strings.Cut(m.Detail, "\n\nThe map has: ")
	bare.Detail, _, _ = strings.Cut(bare.Detail, " Did you mean ")
	return &bare
}

// namesSensitive reports whether an expression has the name of a sensitive constant in
// it, however it is put.
func namesSensitive(at *place, list []rules.Rule) bool {
	code := at.src.quote(at.rng)
	for _, rule := range list {
		if rule.Scope == nil {
			continue
		}
		for name := range rule.Scope.Sensitive {
			if _, last, _ := strings.Cut(name, "."); strings.Contains(code, last) {
				return true
			}
		}
	}
	return false
}

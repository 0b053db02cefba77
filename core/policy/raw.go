package policy

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/loka-proxy/loka/rules"
)

// In a file that does not parse nothing is known of values, so what is sensitive is
// found by looking at its lines.
var (
	rawHead      = regexp.MustCompile(`^\s*(variable|locals|pool|ruleset|proxy|audit|admin|log|variables|test|connect|request|response|notification)\b[^=]*\{`)
	rawVariable  = regexp.MustCompile(`^\s*variable\s+"?([^"\s{]*)`)
	rawArgument  = regexp.MustCompile(`^(?:[^"#=]*\{)?\s*([\pL_][\pL\pN_-]*)\s*=`)
	rawName      = regexp.MustCompile(`^(?:[^#=]*\{)?\s*([\pL_][\pL\pN_-]*)`)
	rawSensitive = regexp.MustCompile(`\bsensitive\b`)
	rawToken     = regexp.MustCompile(`\btoken\b`)
)

// rawBlock is a block, by its lines: from its head to the next one.
type rawBlock struct {
	start, end int
	kind, name string
}

// rawBlocks finds the blocks of a file whatever state it is in. Blocks within a
// variable are part of it.
func rawBlocks(content string) (blocks []rawBlock) {
	at := 0
	for line := range strings.Lines(content) {
		if m := rawHead.FindStringSubmatch(line); m != nil {
			b := rawBlock{start: at, kind: m[1]}
			if v := rawVariable.FindStringSubmatch(line); v != nil {
				b.name = v[1]
			}
			blocks = append(blocks, b)
		}
		at += len(line)
		if len(blocks) > 0 {
			blocks[len(blocks)-1].end = at
		}
	}
	return blocks
}

// hideRaw keeps what looks sensitive in files that do not parse out of all
// diagnostics: variables that say so, the token of admin, and arguments that bear the
// name of such a variable.
func (l *loader) hideRaw() {
	var names []string
	for _, src := range l.files {
		unsound := src.unsound()
		for _, b := range rawBlocks(string(src.bytes)) {
			text := string(src.bytes[b.start:b.end])
			secret := b.kind == "variable" && rawSensitive.MatchString(text)
			if secret {
				names = append(names, b.name)
			}
			if unsound && (secret || b.kind == "admin" && rawToken.MatchString(text)) {
				l.hideBytes(src, b.start, b.end)
			}
		}
	}
	for _, name := range names {
		l.keepGivenRaw(name)
	}
	for _, src := range l.files {
		if src.unsound() {
			l.hideArguments(src, func(name string) bool { return slices.Contains(names, name) })
		}
	}
	l.rawSecrets = names
	for _, src := range l.tests {
		if src.unsound() {
			l.hideArguments(src, l.meansRawSecret)
		}
	}
}

// hideValues hides what the blocks variables of a file of tests give to sensitive
// variables: a mistake on the same line may have nothing to do with the value.
func (l *loader) hideValues(body *hclsyntax.Body) {
	for _, b := range body.Blocks {
		if b.Type == "test" {
			l.hideValues(b.Body)
		}
		if b.Type != "variables" {
			continue
		}
		for name, attr := range b.Body.Attributes {
			if l.meansRawSecret(name) {
				l.hide(attr.Range())
			}
		}
		for _, inner := range b.Body.Blocks {
			if l.meansRawSecret(inner.Type) {
				l.hide(inner.Range())
			}
		}
	}
}

// meansRawSecret is meansSecret where only the lines of the files are known.
func (l *loader) meansRawSecret(name string) bool {
	return slices.Contains(l.rawSecrets, name) || rules.Nearest(name, l.rawSecrets) != ""
}

// keepGivenRaw keeps what the environment and the command line give to a sensitive
// variable of a file that does not parse: the same text may stand in the file.
func (l *loader) keepGivenRaw(name string) {
	if value, ok := l.opts.Environ(environPrefix + name); ok {
		l.keepSecret(value)
	}
	for _, setting := range l.opts.Settings {
		if given, value, _ := strings.Cut(setting.Var, "="); strings.TrimSpace(given) == name {
			l.keepSecret(value)
		}
	}
}

// hideArguments hides the lines of every argument with a sensitive name, up to the
// next argument.
func (l *loader) hideArguments(src *source, secret func(name string) bool) {
	at, from := 0, -1
	for line := range strings.Lines(string(src.bytes)) {
		if from >= 0 && rawArgument.MatchString(line) {
			l.hideBytes(src, from, at)
			from = -1
		}
		if m := rawName.FindStringSubmatch(line); from < 0 && m != nil && secret(m[1]) {
			from = at
		}
		at += len(line)
	}
	if from >= 0 {
		l.hideBytes(src, from, at)
	}
}

// hideBytes hides whole lines.
func (l *loader) hideBytes(src *source, start, end int) {
	l.hidden = append(l.hidden, hiding{Range: src.between(start, max(end-1, start)), raw: true})
}

// meansSecret reports whether a name is that of a sensitive variable, or meant to be:
// the value beside a misspelled name is as secret as ever.
func meansSecret(name string, variables map[string]*variable) bool {
	if v := variables[name]; v != nil {
		return v.sensitive
	}
	near := variables[rules.Nearest(name, sortedNames(variables))]
	return near != nil && near.sensitive
}

package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/loka-proxy/loka/rules"
)

// A mistake in a ruleset may come from a value that a proxy gives it, and then nothing
// is wrong at the place that it is about. So it tells which use it is that goes wrong.

// usedBy is a use of a ruleset by a proxy.
type usedBy struct {
	proxy string
	at    hcl.Range
}

// users are the uses in which one mistake shows, the first one first. They travel in the
// Extra of a diagnostic.
type users []usedBy

// readsArguments matches what names a variable of the ruleset.
var readsArguments = regexp.MustCompile(`\bvar\s*[.\[]`)

// blame tells with mistakes in plain arguments of a ruleset who uses it, if what they are
// about names what a use gives.
func (l *loader) blame(diags hcl.Diagnostics, user usedBy) {
	for _, d := range diags {
		if d.Subject == nil || l.sources[d.Subject.Filename] == nil || d.Summary == interpolation {
			continue
		}
		if readsArguments.MatchString(l.sources[d.Subject.Filename].quote(*d.Subject)) {
			d.Extra = users{user}
		}
	}
}

// blameUser does so with a mistake in an expression that names what a use gives, or in a
// rule as a whole that has such an expression. A name that there is not is one for no
// value at all, unless it is looked for in a map.
func (l *loader) blameUser(d *hcl.Diagnostic, at *place, list []rules.Rule) {
	if strings.HasPrefix(d.Summary, "Unknown name") && !strings.Contains(d.Detail, "in this map") {
		return
	}
	for i := range list {
		origins := originsOf(&list[i])
		if !slices.Contains(origins, at) {
			continue
		}
		if at.expression {
			origins = []*place{at}
		}
		user, used := l.usage.users[list[i].Scope]
		if used && slices.ContainsFunc(origins, (*place).readsArguments) {
			d.Extra = users{user}
		}
		return
	}
}

func (p *place) readsArguments() bool {
	return p.expression && readsArguments.MatchString(p.src.quote(p.rng))
}

// originsOf lists the places of a rule and of all that is in it.
func originsOf(rule *rules.Rule) (list []*place) {
	add := func(origin any) {
		if at, ok := origin.(*place); ok {
			list = append(list, at)
		}
	}
	add(rule.Origin)
	sources := []*rules.Source{rule.When}
	for i := range rule.Set {
		add(rule.Set[i].Origin)
		sources = append(sources, &rule.Set[i].Value)
	}
	if rule.Reply != nil {
		sources = append(sources, rule.Reply.Result, rule.Reply.Error)
	}
	for _, s := range sources {
		if s != nil {
			add(s.Origin)
		}
	}
	return list
}

// shareBlame adds the users of a mistake that was told before to those of the first.
func shareBlame(first, again *hcl.Diagnostic) {
	known, _ := first.Extra.(users)
	more, _ := again.Extra.(users)
	for _, user := range more {
		if len(known) > 0 && !slices.Contains(known, user) {
			known = append(known, user)
		}
	}
	if len(known) > 0 {
		first.Extra = known
	}
}

// blamed says who uses the rule that a mistake is in.
func blamed(d *hcl.Diagnostic) string {
	list, _ := d.Extra.(users)
	if len(list) == 0 {
		return ""
	}
	text := fmt.Sprintf("\n\nUsed by %s at %s", list[0].proxy, position(list[0].at))
	switch others := len(list) - 1; {
	case others == 1:
		text += ", and 1 other"
	case others > 1:
		text += fmt.Sprintf(", and %d others", others)
	}
	return text + "."
}

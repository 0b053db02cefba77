package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/loka-proxy/loka/rules"
)

// didYouMean gives " Did you mean "x"?" for the known name that is nearest to a
// mistyped one, or nothing when none is near.
func didYouMean(name string, known []string) string {
	near := rules.Nearest(name, known)
	if near == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", near)
}

// listed gives "Pools: rental, site." for the end of a diagnostic, or says that there
// are none.
func listed(what string, names []string) string {
	if len(names) == 0 {
		return what + ": none."
	}
	return what + ": " + strings.Join(slices.Sorted(slices.Values(names)), ", ") + "."
}

func sortedNames[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// oneOf gives `"a", "b" or "c"`.
func oneOf(choices []string) string {
	quoted := make([]string, len(choices))
	for i, c := range choices {
		quoted[i] = fmt.Sprintf("%q", c)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}

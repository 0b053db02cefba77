package rules

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Nearest gives the candidate that a mistyped name most likely meant, or an empty
// string when none is near enough to be worth a question. Differences of case alone
// always are.
func Nearest(name string, candidates []string) string {
	sorted := slices.Clone(candidates)
	slices.Sort(sorted)
	best, least := "", nearEnough(name)+1
	for _, c := range sorted {
		if c == "" || c == name {
			continue
		}
		d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(c), nil)
		if d < least {
			best, least = c, d
		}
	}
	return best
}

// nearEnough is the number of slips to forgive: none in a name of one letter, where
// everything would be near.
func nearEnough(name string) int {
	switch n := len([]rune(name)); {
	case n < 2:
		return 0
	case n < 4:
		return 1
	case n < 10:
		return 2
	default:
		return 3
	}
}

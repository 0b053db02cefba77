package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// errBuilt is what every function says that would build more than builtLimit.
var errBuilt = failure("This would build a text of more than " + strconv.Itoa(builtLimit) + " bytes.")

// bounded gives what make builds, unless it would be larger than builtLimit.
func bounded(size int, build func() string) (string, error) {
	if size > builtLimit {
		return "", errBuilt
	}
	return build(), nil
}

// replaceText is strings.Replace with a bound on the result. A negative n means everywhere.
func replaceText(s, old, with string, n int) (string, error) {
	size := len(s)
	if len(with) > len(old) {
		times := strings.Count(s, old)
		if n >= 0 && n < times {
			times = n
		}
		size += times * (len(with) - len(old))
	}
	if size > builtLimit {
		return "", errBuilt
	}
	return strings.Replace(s, old, with, n), nil
}

func replace(args []any) (any, error) {
	list, err := texts(args[:3])
	if err != nil {
		return nil, err
	}
	n, err := wholeArgument(args, 3, -1)
	if err != nil {
		return nil, err
	}
	return replaceText(list[0], list[1], list[2], n)
}

func bindReplace(node *ast.CallNode) (any, []ast.Node, error) {
	fixed, ok := constantTexts(node.Arguments[1:])
	if !ok || len(fixed) != 2 {
		return nil, nil, nil
	}
	old, with := fixed[0], fixed[1]
	fn := func(s string) string { return checked(replaceText(s, old, with, -1)) }
	return fn, node.Arguments[:1], nil
}

// trimLimit is how many characters trim can take away: it looks for every character of
// the text among them.
const trimLimit = 64

func trim(s string, rest []string) (string, error) {
	if len(rest) == 0 {
		return strings.TrimSpace(s), nil
	}
	if utf8.RuneCountInString(rest[0]) > trimLimit {
		return "", failure("trim takes away " + strconv.Itoa(trimLimit) + " different characters at most.")
	}
	return strings.Trim(s, rest[0]), nil
}

func split(args []any) (any, error) {
	list, err := texts(args[:2])
	if err != nil {
		return nil, err
	}
	n, err := wholeArgument(args, 2, -1)
	if err != nil {
		return nil, err
	}
	parts := strings.Count(list[0], list[1]) + 1
	if n >= 0 && n < parts {
		parts = n
	}
	if parts > elementLimit {
		return nil, failure("This would make a list of more than " + strconv.Itoa(elementLimit) + " texts.")
	}
	return strings.SplitN(list[0], list[1], n), nil
}

func join(args []any) (any, error) {
	glue := ""
	if len(args) == 2 {
		s, err := text(args, 1)
		if err != nil {
			return nil, err
		}
		glue = s
	}
	parts, err := textList(args[0])
	if err != nil {
		return nil, err
	}
	size := len(glue) * max(0, len(parts)-1)
	for _, s := range parts {
		size += len(s)
	}
	if size > builtLimit {
		return nil, errBuilt
	}
	return strings.Join(parts, glue), nil
}

func textList(v any) ([]string, error) {
	switch list := v.(type) {
	case []string:
		return list, nil
	case []any:
		return texts(list)
	}
	return nil, failure("A list is needed here, but the value is " + phraseOf(v) + ".")
}

func repeat(args []any) (any, error) {
	s, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	n, err := wholeArgument(args, 1, 0)
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, failure("A text cannot be repeated less than 0 times.")
	}
	if len(s) > 0 && n > builtLimit/len(s) {
		return nil, errBuilt
	}
	return strings.Repeat(s, n), nil
}

// wholeArgument reads an optional number of things.
func wholeArgument(args []any, i, otherwise int) (int, error) {
	if i >= len(args) {
		return otherwise, nil
	}
	f, ok := toFloat(args[i])
	if !ok {
		return 0, failure("A number is needed here, but the value is " + phraseOf(args[i]) + ".")
	}
	n, ok := toWhole(f)
	if !ok {
		return 0, failure("A whole number is needed here.")
	}
	return n, nil
}

// cutName splits a user name in two. Without a separator in it all of it is the account.
func cutName(s string, rest []string) (account, worker string, err error) {
	separator, last := ".", false
	if len(rest) > 0 {
		separator = rest[0]
	}
	if separator == "" {
		return "", "", failure("The separator is empty.")
	}
	if len(rest) > 1 {
		if rest[1] != "first" && rest[1] != "last" {
			return "", "", failure("The third value says at which separator to cut: 'first' or 'last'.")
		}
		last = rest[1] == "last"
	}
	at := strings.Index(s, separator)
	if last {
		at = strings.LastIndex(s, separator)
	}
	if at < 0 {
		return s, "", nil
	}
	return s[:at], s[at+len(separator):], nil
}

func accountOf(s string, rest []string) (string, error) {
	account, _, err := cutName(s, rest)
	return account, err
}

func workerOf(s string, rest []string) (string, error) {
	_, worker, err := cutName(s, rest)
	return worker, err
}

func sha256Of(s string, _ []string) (string, error) {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:]), nil
}

// stringOf is the value as people write it: never the notation of the implementation.
func stringOf(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case nil:
		return "", nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case float64:
		return formatNumber(v), nil
	}
	return "", failure("There is no text for " + phraseOf(v) + "; json(x) writes it as JSON.")
}

// formatNumber writes decimals as long as they stay readable.
func formatNumber(f float64) string {
	if f != 0 && (math.Abs(f) < 1e-6 || math.Abs(f) >= 1e21) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

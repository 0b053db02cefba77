package rules

import "strings"

// Passwords carry options for the pool, as in "d=1024,md=512" or "c=BTC;m=solo", in as
// many notations as there are pools. These functions change one option and leave
// every other byte alone.

const optionSeparators = ",;/ "

// errOption is for keys and values that would not be read back as they were written.
var errOption = failure("An option's key and value hold no separator (, ; / or space), and its key is not empty and holds no =.")

// optionTokens calls yield with the bounds of each token until it returns false.
func optionTokens(s string, yield func(from, to int) bool) {
	from := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && strings.IndexByte(optionSeparators, s[i]) < 0 {
			continue
		}
		if !yield(from, i) {
			return
		}
		from = i + 1
	}
}

// hasKey reports whether a token is key=value for this key.
func hasKey(token, key string) bool {
	return len(token) > len(key) && token[len(key)] == '=' && token[:len(key)] == key
}

func checkOption(key, value string) error {
	if key == "" || strings.ContainsAny(key, optionSeparators+"=") || strings.ContainsAny(value, optionSeparators) {
		return errOption
	}
	return nil
}

func option(s string, rest []string) (string, error) {
	key := rest[0]
	value, done := "", false
	optionTokens(s, func(from, to int) bool {
		if hasKey(s[from:to], key) {
			value, done = s[from+len(key)+1:to], true
		}
		return !done
	})
	return value, checkOption(key, "")
}

func withOption(s string, rest []string) (string, error) {
	key, value := rest[0], rest[1]
	if err := checkOption(key, value); err != nil {
		return "", err
	}
	var out strings.Builder
	copied, found := 0, false
	optionTokens(s, func(from, to int) bool {
		if hasKey(s[from:to], key) {
			out.WriteString(s[copied : from+len(key)+1])
			out.WriteString(value)
			copied, found = to, true
		}
		return out.Len() <= builtLimit
	})
	if !found {
		return appendOption(s, key, value)
	}
	out.WriteString(s[copied:])
	return bounded(out.Len(), out.String)
}

// appendOption keeps to the separator that the password uses already.
func appendOption(s, key, value string) (string, error) {
	separator := ","
	if at := strings.IndexAny(s, optionSeparators); at >= 0 {
		separator = s[at : at+1]
	}
	if s == "" {
		separator = ""
	}
	size := len(s) + len(separator) + len(key) + 1 + len(value)
	return bounded(size, func() string { return s + separator + key + "=" + value })
}

// withoutOption takes the separator before a token away with it, or the one behind it
// where the token comes first.
func withoutOption(s string, rest []string) (string, error) {
	key := rest[0]
	if err := checkOption(key, ""); err != nil {
		return "", err
	}
	var out strings.Builder
	out.Grow(len(s))
	copied := 0
	optionTokens(s, func(from, to int) bool {
		if !hasKey(s[from:to], key) {
			return true
		}
		switch {
		case from > copied:
			out.WriteString(s[copied : from-1])
			copied = to
		case to < len(s) && out.Len() == 0:
			copied = to + 1
		default:
			copied = to
		}
		return true
	})
	out.WriteString(s[copied:])
	return out.String(), nil
}

package ruletest

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/stratum"
)

// kept gives lines as a capture keeps them, without secrets. Those of a miner, or on their
// way to a pool, may hold a password.
func kept(p *policy.Policy, lines []byte, miners bool) []string {
	list := texts(lines)
	for i := range list {
		if miners {
			list[i] = string(withoutPassword([]byte(list[i])))
		}
		list[i] = p.Redact(list[i])
	}
	return list
}

// hidden stands where a password was.
const hidden = `"(redacted)"`

// withoutPassword takes the password out of a line of an authorize. A line of a miner
// that cannot be read, or can be read in two ways, may have one anywhere: only its
// length is kept.
func withoutPassword(text []byte) []byte {
	var m stratum.Message
	if stratum.Scan(bytes.TrimRight(text, "\r"), &m) != nil || m.Ambiguous {
		return unreadable(text)
	}
	if !m.Method.Present() || text[m.Method.From] == 'n' {
		return text
	}
	method, err := stratum.MethodOf(text, &m)
	switch {
	case err != nil:
		return unreadable(text)
	case method != stratum.MethodAuthorize && stratum.Resembles(method) != stratum.MethodAuthorize, !m.Params.Present():
		return text
	}
	elems, ok := stratum.Elements(text, m.Params, nil)
	if !ok {
		return stratum.Apply(nil, text, []stratum.Edit{{Span: m.Params, Text: []byte(hidden)}})
	}
	var edits []stratum.Edit
	for i, e := range elems {
		if i > 0 && !harmless(e.Of(text)) {
			edits = append(edits, stratum.Edit{Span: e, Text: []byte(hidden)})
		}
	}
	return stratum.Apply(nil, text, edits)
}

func unreadable(text []byte) []byte {
	if len(bytes.TrimSpace(text)) == 0 {
		return text
	}
	return fmt.Appendf(nil, "(not recorded: %d bytes that may hold a password)", len(text))
}

// option matches a part of a password that is a setting and no secret: what all miners
// write (x), and a difficulty.
var option = regexp.MustCompile(`^(x|(d|md|diff|difficulty|mindiff)=[0-9.]{1,12})?$`)

// harmless reports whether a password is none.
func harmless(raw []byte) bool {
	password, err := stratum.Text(raw)
	if err != nil {
		return false
	}
	for part := range strings.FieldsFuncSeq(password, func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
		if !option.MatchString(strings.ToLower(part)) {
			return false
		}
	}
	return true
}

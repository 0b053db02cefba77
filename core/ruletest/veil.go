package ruletest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/rules"
)

// veil takes what is sensitive out of what is shown, value by value and before any of it
// is written: once it is, a secret has backslashes in it that nobody looks for, and one
// such as 1234 or pass may be a word of the format.
type veil struct {
	policy *policy.Policy
	made   *Outcome // knows all that rules made of secrets
	parts  []string // of lists and maps that rules made of secrets
}

// sensitive stands where a secret was.
const sensitive = "(sensitive)"

// veilOf makes the veil over what came of some messages of one session.
func veilOf(p *policy.Policy, outcomes ...*Outcome) *veil {
	v := &veil{policy: p, made: &Outcome{}}
	said := map[string]bool{}
	for _, o := range outcomes {
		if len(o.hidden) > len(v.made.hidden) {
			v.made = o
		}
		if o.Kind == rules.Request {
			noteTexts(string(o.In), said)
		}
	}
	for _, text := range v.made.hidden {
		v.keep(normal(json.RawMessage(text)), said)
	}
	slices.SortFunc(v.parts, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return v
}

// veil is the one over all that came of a test.
func (r *Result) veil() *veil {
	var outcomes []*Outcome
	for _, s := range r.Steps {
		outcomes = append(outcomes, &s.Outcome)
	}
	return veilOf(r.Test.Policy, outcomes...)
}

// noteTexts notes the texts in a line.
func noteTexts(line string, in map[string]bool) {
	retold(line, func(token string, _ bool) string {
		if text, ok := textToken(token); ok {
			in[text] = true
		}
		return token
	})
}

// keep keeps the parts of what rules made. What the miner said itself is no secret, and
// a trace without its name would be of little use.
func (v *veil) keep(x any, said map[string]bool) {
	switch x := x.(type) {
	case string:
		if len(x) >= shortSecret && !said[x] {
			v.parts = append(v.parts, x)
		}
	case json.Number:
		v.keep(x.String(), said)
	case []any:
		for _, part := range x {
			v.keep(part, said)
		}
	case map[string]any:
		for key, part := range x {
			v.keep(key, said)
			v.keep(part, said)
		}
	}
}

// plain cleans a text that is no JSON.
func (v *veil) plain(text string) string {
	text = v.made.Redact(v.policy, text)
	for _, part := range v.parts {
		text = strings.ReplaceAll(text, part, sensitive)
	}
	return text
}

// text cleans a text. In one that is JSON, such as a line, the values are cleaned, and it
// stays JSON.
func (v *veil) text(text string) string {
	clean := v.plain(text)
	if clean == sensitive || !holdsJSON(text) {
		return clean
	}
	clean = retold(text, v.token)
	if rest := retold(clean, bare); v.plain(rest) != rest { // a secret that is JSON itself
		return v.plain(clean)
	}
	return clean
}

func holdsJSON(text string) bool {
	start := strings.TrimLeft(text, " \t")
	return (strings.HasPrefix(start, "{") || strings.HasPrefix(start, "[")) && json.Valid([]byte(text))
}

// token cleans one token of JSON.
func (v *veil) token(token string, key bool) string {
	text, ok := textToken(token)
	switch {
	case key || !ok && unicode.IsLetter(rune(token[0])):
		return token
	case ok:
		if clean := v.text(text); clean != text {
			return string(encode(clean))
		}
	case v.plain(token) != token:
		return string(encode(sensitive))
	}
	return token
}

// bare leaves out the words that every message has.
func bare(token string, key bool) string {
	if key || unicode.IsLetter(rune(token[0])) {
		return ""
	}
	return token
}

// textToken decodes a token that is a text.
func textToken(token string) (text string, ok bool) {
	return text, token[0] == '"' && json.Unmarshal([]byte(token), &text) == nil
}

// retold gives JSON with other tokens in place of its texts, numbers and words. The keys
// of the outermost object are told apart: they are the same in every message.
func retold(text string, tell func(token string, key bool) string) string {
	var b strings.Builder
	depth := 0
	for text != "" {
		n := tokenLength(text)
		if n == 0 {
			depth += strings.Count("{[", text[:1]) - strings.Count("}]", text[:1])
			b.WriteByte(text[0])
			text = text[1:]
			continue
		}
		key := depth == 1 && strings.HasPrefix(strings.TrimLeft(text[n:], " \t\r\n"), ":")
		b.WriteString(tell(text[:n], key))
		text = text[n:]
	}
	return b.String()
}

// tokenLength is the length of the text, number or word at the beginning; 0 if there is
// something else.
func tokenLength(text string) int {
	if text[0] != '"' {
		end := strings.IndexFunc(text, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("+-.", r)
		})
		if end < 0 {
			return len(text)
		}
		return end
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// value cleans a value of a policy or of a message.
func (v *veil) value(x any) any {
	switch x := x.(type) {
	case nil, bool:
		return x
	case string:
		return v.text(x)
	case []any:
		list := make([]any, len(x))
		for i, part := range x {
			list[i] = v.value(part)
		}
		return list
	case map[string]any:
		parts := make(map[string]any, len(x))
		for key, part := range x {
			parts[v.text(key)] = v.value(part)
		}
		return parts
	}
	if text := string(encode(x)); v.plain(text) != text {
		return sensitive
	}
	return x
}

// diff cleans what is not as expected, but for the words that loka has for it.
func (v *veil) diff(d Diff) Diff {
	if d.Field != "verdict" && d.Field != "audit" {
		d.Want, d.Got = v.value(d.Want), v.value(d.Got)
	}
	return d
}

// diagnostic cleans what failed.
func (v *veil) diagnostic(d policy.Diagnostic) policy.Diagnostic {
	d.Detail = v.plain(d.Detail)
	return d
}

// golden cleans a diff of captures: lines of JSON, each behind a sign.
func (v *veil) golden(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(line[:1] + v.text(line[1:]))
	}
	return b.String()
}

// lines cleans lines that were sent, and takes their ends off.
func (v *veil) lines(lines []byte) []string {
	list := texts(lines)
	for i := range list {
		list[i] = v.text(list[i])
	}
	return list
}

// line is lines for one.
func (v *veil) line(line []byte) string {
	return strings.Join(v.lines(bytes.TrimRight(line, "\r\n")), "")
}

// visible writes what a terminal would obey, or show in another order, as escapes.
func visible(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

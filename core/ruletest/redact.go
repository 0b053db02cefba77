package ruletest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
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

// withoutPassword takes the password out of a line of an authorize, and of other methods
// to log in. A line of a miner that cannot be read, or can be read in two ways, or has
// parts that nobody knows, may have one anywhere: only its length is kept.
func withoutPassword(text []byte) []byte {
	var m stratum.Message
	if stratum.Scan(bytes.TrimRight(text, "\r"), &m) != nil || m.Ambiguous || !familiar(text, &m) {
		return unreadable(text)
	}
	if !m.Method.Present() {
		return text
	}
	method, err := stratum.MethodOf(text, &m)
	switch {
	case err != nil:
		return unreadable(text)
	case !logsIn(method) || !m.Params.Present():
		return text
	}
	places, ok := passwordPlaces(text, &m)
	if !ok || !authorizes(method) {
		places = []stratum.Span{m.Params}
	}
	var edits []stratum.Edit
	for _, at := range places {
		edits = append(edits, stratum.Edit{Span: at, Text: []byte(hidden)})
	}
	return stratum.Apply(nil, text, edits)
}

// familiar reports whether a line has the parts of a message and no others: a request, or
// an answer to one of the pool's.
func familiar(text []byte, m *stratum.Message) bool {
	var parts map[string]json.RawMessage
	if json.Unmarshal(text, &parts) != nil {
		return false
	}
	for name := range parts {
		if !slices.Contains([]string{"id", "method", "params", "result", "error", "jsonrpc"}, name) {
			return false
		}
	}
	return m.Method.Present() || !m.Params.Present()
}

// logsIn reports whether a method takes a password: authorize, or what other protocols
// call it.
func logsIn(method string) bool {
	return authorizes(method) || strings.Contains(strings.ToLower(method), "login") || strings.Contains(strings.ToLower(method), "auth")
}

// authorizes reports whether a method is authorize, to some pool at least.
func authorizes(method string) bool {
	return method == stratum.MethodAuthorize || stratum.Resembles(method) == stratum.MethodAuthorize
}

// passwordPlaces gives the places of the params of an authorize that may be a password:
// all but the name, which is a text. It is not ok if the params are no list.
func passwordPlaces(text []byte, m *stratum.Message) (places []stratum.Span, ok bool) {
	elems, ok := stratum.Elements(text, m.Params, nil)
	for i, e := range elems {
		if raw := e.Of(text); i > 0 && !harmless(raw) || i == 0 && raw[0] != '"' {
			places = append(places, e)
		}
	}
	return places, ok
}

// passwords gives the passwords in a line of a miner, in the ways in which they may be
// written.
func passwords(line []byte) (list []string) {
	text := bytes.TrimRight(line, "\r\n")
	var m stratum.Message
	if stratum.Scan(text, &m) != nil {
		return nil
	}
	if method, err := stratum.MethodOf(text, &m); err != nil || !authorizes(method) {
		return nil
	}
	places, _ := passwordPlaces(text, &m)
	for _, at := range places {
		raw := at.Of(text)
		list = append(list, strings.Trim(string(raw), `"`)) // as the miner wrote it
		if password, err := stratum.Text(raw); err == nil {
			list = append(list, password, strings.Trim(string(encode(password)), `"`)) // as rules write it
		}
	}
	return list
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

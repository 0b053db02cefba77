package ruletest

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/rules"
)

// compare holds an outcome against what the step expects. Where it says nothing of the
// verdict, that is forward; and no expression fails unless it says so.
func (r *StepResult) compare(proxy *policy.Proxy) {
	got := fields(&r.Outcome, proxy)
	wants := r.Step.Expect
	if !slices.ContainsFunc(wants, func(w policy.Want) bool { return w.Field == "verdict" }) {
		wants = append([]policy.Want{{Field: "verdict", Value: string(Forward)}}, wants...)
	}
	for _, w := range wants {
		value, nothing := got(w.Field)
		want := w.Value
		if w.Field == "rules" || w.Field == "failed" {
			value = named(value, want)
		}
		if nothing != "" || !equal(want, value) {
			r.Diffs = append(r.Diffs, Diff{Field: w.Field, Want: want, Got: value, Nothing: nothing})
		}
	}
	r.Unexpected = len(r.Failed) > 0 && !slices.ContainsFunc(wants, func(w policy.Want) bool { return w.Field == "failed" })
}

// fields gives the things that a step can expect of an outcome, by their names.
func fields(out *Outcome, proxy *policy.Proxy) func(field string) (value any, nothing string) {
	return func(field string) (any, string) {
		switch field {
		case "verdict":
			return string(out.Verdict), ""
		case "code":
			return out.Code, absentUnless(out.Verdict == Deny, "nothing was denied")
		case "message":
			return out.Text, absentUnless(out.Verdict == Deny, "nothing was denied")
		case "pool":
			return out.At, ""
		case "user":
			return out.User, ""
		case "pool_user":
			return out.PoolUser, ""
		case "rules":
			return addresses(out.Matched, proxy), ""
		case "failed":
			var numbers []int
			for _, f := range out.Failed {
				numbers = append(numbers, f.Rule)
			}
			return addresses(numbers, proxy), ""
		case "unchanged":
			return out.Unchanged(), absentUnless(out.Verdict == Forward, "nothing was sent on")
		case "audit":
			return out.events(), ""
		}
		return sentField(out, field)
	}
}

func absentUnless(there bool, nothing string) string {
	if there {
		return ""
	}
	return nothing
}

// Unchanged reports whether the message was sent on byte for byte.
func (o *Outcome) Unchanged() bool {
	return o.Verdict == Forward && bytes.Equal(sentOn(o), o.In)
}

// events names what is kept of the message where a proxy has everything audited.
func (o *Outcome) events() []any {
	list := []any{}
	if o.Kind == rules.Request && o.Method == "mining.authorize" && o.Verdict == Forward {
		list = append(list, "authorize")
	}
	if len(o.Shares) > 0 {
		list = append(list, "share")
	}
	switch {
	case o.Verdict == Deny:
		list = append(list, "deny")
	case o.Kind != rules.Connect && o.Verdict == Forward && !o.Unchanged():
		list = append(list, "rewrite")
	}
	return list
}

// sentField gives a part of the line that was sent on, or of the answer in the pool's
// place.
func sentField(out *Outcome, field string) (any, string) {
	answered := out.Kind == rules.Request && (field == "result" || field == "error")
	switch {
	case answered && out.Verdict == Reply && field == "result":
		return out.Result, ""
	case answered && out.Verdict == Reply:
		return out.Error, ""
	case answered && out.Verdict == Deny && field == "error":
		return []any{out.Code, out.Text, nil}, ""
	case answered:
		return nil, "loka has not answered it"
	}
	lines := sentOn(out)
	if field == "line" && out.Kind == rules.Request && out.Verdict != Forward {
		lines = out.Miner // the answer
	}
	line := last(lines)
	switch {
	case line == nil:
		return nil, "nothing was sent on"
	case field == "line":
		return string(line), ""
	}
	var parts map[string]json.RawMessage
	if json.Unmarshal(line, &parts) != nil || parts[field] == nil && field == "params" {
		return nil, "there are none"
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(parts[field]))
	dec.UseNumber()
	_ = dec.Decode(&v) // it was read as a part of the line
	return v, ""
}

// addresses gives the addresses of rules by their numbers.
func addresses(numbers []int, proxy *policy.Proxy) []any {
	list := []any{}
	for _, n := range numbers {
		list = append(list, proxy.Program.Rules()[n].Address)
	}
	return list
}

// named shortens the addresses of rules where the other side names them shortly.
func named(got, want any) any {
	list, _ := got.([]any)
	wanted, _ := want.([]any)
	out := make([]any, len(list))
	for i, v := range list {
		address, _ := v.(string)
		full := slices.ContainsFunc(wanted, func(w any) bool { return w == address })
		out[i] = address
		if !full {
			out[i] = shortName(address)
		}
	}
	return out
}

// equal compares values as JSON does: 1024 and 1024.0 are one number.
func equal(a, b any) bool {
	return same(normal(a), normal(b))
}

func normal(v any) any {
	dec := json.NewDecoder(bytes.NewReader(encode(v)))
	dec.UseNumber()
	var out any
	_ = dec.Decode(&out)
	return out
}

func same(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, same)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for key, v := range x {
			w, there := y[key]
			if !there || !same(v, w) {
				return false
			}
		}
		return true
	case json.Number:
		y, ok := b.(json.Number)
		return ok && sameNumber(x.String(), y.String())
	}
	return a == b
}

// sameNumber compares exactly, since a target or an id may not fit a float. An exponent
// is left to floats: 1e999999999 would be a number of a gigabyte.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	if strings.ContainsAny(a+b, "eE") || len(a)+len(b) > 1024 {
		x, xerr := json.Number(a).Float64()
		y, yerr := json.Number(b).Float64()
		return xerr == nil && yerr == nil && x == y
	}
	x, xok := new(big.Rat).SetString(a)
	y, yok := new(big.Rat).SetString(b)
	return xok && yok && x.Cmp(y) == 0
}

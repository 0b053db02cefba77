package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/loka-proxy/loka/rules"
)

// expectReader reads one block expect.
type expectReader struct {
	*stepReader
	args arguments
}

// readExpect reads what a step expects, in the order of the file.
func (s *stepReader) readExpect(b *hcl.Block) {
	content, _ := s.contentOf(b.Body, expectBlocks[rules.Request])
	e := &expectReader{s, arguments{s.loader, expectBlocks[rules.Request], s.scope, content.Attributes}}
	fields := expectBlocks[s.step.Kind].names()
	for _, attr := range inOrder(content.Attributes) {
		if !slices.Contains(fields, attr.Name) {
			s.fail(attr.NameRange, "Not expected of this step", "%s\n\n%s", e.whyNotHere(attr.Name), listed("What can be expected of a "+s.step.Kind.String(), fields))
			continue
		}
		if value, ok := e.value(attr); ok {
			s.step.Expect = append(s.step.Expect, Want{Field: attr.Name, Value: value, Range: *publicRange(attr.Range)})
		}
	}
	e.impliedDeny()
	e.checkVerdict()
	e.checkUnchanged()
}

// whyNotHere says why a step has nothing of a field.
func (e *expectReader) whyNotHere(field string) string {
	switch kind := e.step.Kind; {
	case kind == rules.Connect:
		return fmt.Sprintf("When a miner connects there is no message yet, so there is no %s.", field)
	case field == "params":
		return "The params of a response are those of its request, and no rule can change them."
	case field == "code" || field == "message":
		return fmt.Sprintf("Only requests are denied, so a %s has no %s.", kind, field)
	default:
		return fmt.Sprintf("A %s has no %s.", kind, field)
	}
}

// value reads one field.
func (e *expectReader) value(attr *hcl.Attribute) (value any, ok bool) {
	switch name := attr.Name; name {
	case "params", "result", "error":
		return e.plain(attr)
	case "verdict":
		return e.verdict()
	case "code":
		code := e.args.number(name)
		return code, code != 0
	case "pool":
		pool := e.pools.named(e.loader, attr, e.scope)
		if pool == nil {
			return nil, false
		}
		return pool.Address, true
	case "rules", "failed":
		return e.ruleNames(name)
	case "unchanged":
		value, ok := e.args.value(name, cty.Bool)
		return ok && value.True(), ok
	case "line":
		line := e.line(e.args)
		return line, line != ""
	case "audit":
		return e.events()
	default: // message, user, pool_user
		value, ok := e.args.value(name, cty.String)
		if !ok {
			return nil, false
		}
		return value.AsString(), true
	}
}

// verdicts are what may become of a message of a kind.
func verdicts(kind rules.Kind) []string { return expectBlocks[kind].arg("verdict").choices }

func (e *expectReader) verdict() (any, bool) {
	known := verdicts(e.step.Kind)
	text := e.args.text("verdict")
	switch {
	case text == "":
		return nil, false
	case slices.Contains(known, text):
		return text, true
	case slices.Contains(verdicts(rules.Request), text):
		e.fail(e.args.at("verdict"), "Wrong verdict", "The verdict on a %s is %s.", e.step.Kind, oneOf(known))
	default:
		here := e.args
		here.block = expectBlocks[e.step.Kind]
		here.choice("verdict")
	}
	return nil, false
}

// ruleNames reads a list of rules: those of the proxy that look at the step's message. In
// a policy with a mistake some may be missing that are there.
func (e *expectReader) ruleNames(name string) (any, bool) {
	list, places, ok := e.list(name)
	if !ok || !e.sound || e.test.Proxy == nil || e.test.Proxy.Program == nil {
		return list, ok
	}
	here, elsewhere := e.ruleAddresses()
	for i, item := range list {
		text := item.(string)
		switch {
		case isRuleOf(here, text):
		case isRuleOf(elsewhere, text):
			e.fail(places[i], "Rule for other messages", "The rule %s does not look at this message.\n\n%s", text, listed("Rules that do", here))
		default:
			e.fail(places[i], "No such rule", "%s has no rule %q.%s\n\n%s", e.test.Proxy.Address, text,
				didYouMean(text, append(shortNames(here), here...)), listed("Rules that look at this message", here))
		}
	}
	return list, true
}

// ruleAddresses gives the addresses of the proxy's rules: of those that look at the
// step's message, and of the others. The method of a whole line is in the line.
func (e *expectReader) ruleAddresses() (here, elsewhere []string) {
	for _, rule := range e.test.Proxy.Program.Rules() {
		prefix, isPrefix := strings.CutSuffix(rule.Method, "*")
		looks := rule.Method == e.step.Method || isPrefix && strings.HasPrefix(e.step.Method, prefix) || e.step.Line != ""
		if rule.Kind == e.step.Kind && looks {
			here = append(here, rule.Address)
		} else {
			elsewhere = append(elsewhere, rule.Address)
		}
	}
	slices.Sort(here)
	return slices.Compact(here), elsewhere
}

// isRuleOf reports whether a name, short or in full, is that of one of some rules.
func isRuleOf(addresses []string, name string) bool {
	return slices.Contains(addresses, name) || slices.Contains(shortNames(addresses), name)
}

// shortNames gives the names of rules without what they are in. A name has no dots.
func shortNames(addresses []string) []string {
	names := make([]string, len(addresses))
	for i, full := range addresses {
		names[i] = full[strings.LastIndexByte(full, '.')+1:]
	}
	return names
}

func (e *expectReader) events() (any, bool) {
	list, places, ok := e.list("audit")
	known := proxyAuditBlock.arg("events").choices
	for i, item := range list {
		if event := item.(string); !slices.Contains(known, event) {
			e.fail(places[i], "No such event", "There is no event %q.%s\n\n%s", event, didYouMean(event, known), listed("Events", known))
		}
	}
	return list, ok
}

// list reads a list of texts, with the place of each as far as it is written there.
func (e *expectReader) list(name string) (list []any, places []hcl.Range, ok bool) {
	value, ok := e.args.value(name, cty.List(cty.String))
	if !ok {
		return nil, nil, false
	}
	written, diags := hcl.ExprList(e.args.attrs[name].Expr)
	list = []any{}
	for i, element := range value.AsValueSlice() {
		at := e.args.at(name)
		if !diags.HasErrors() && len(written) == value.LengthInt() {
			at = written[i].Range()
		}
		if element.IsNull() {
			e.fail(at, "Wrong value", "%s is a list of names, and this is null.", name)
			return nil, nil, false
		}
		list, places = append(list, element.AsString()), append(places, at)
	}
	return list, places, true
}

// has reports whether a field is given.
func (e *expectReader) has(field string) bool {
	return slices.ContainsFunc(e.step.Expect, func(w Want) bool { return w.Field == field })
}

// outcome is the verdict that is expected.
func (e *expectReader) outcome() string {
	for _, want := range e.step.Expect {
		if want.Field == "verdict" {
			return want.Value.(string)
		}
	}
	return "forward"
}

// impliedDeny adds the verdict where code or message say it.
func (e *expectReader) impliedDeny() {
	if e.args.attrs["verdict"] != nil {
		return
	}
	for _, want := range e.step.Expect {
		if want.Field == "code" || want.Field == "message" {
			e.step.Expect = append(e.step.Expect, Want{Field: "verdict", Value: "deny", Range: want.Range})
			return
		}
	}
}

// checkVerdict refuses fields that a verdict leaves no room for.
func (e *expectReader) checkVerdict() {
	verdict := e.outcome()
	if e.args.attrs["verdict"] != nil && !e.has("verdict") {
		return
	}
	for _, attr := range inOrder(e.args.attrs) {
		needed := ""
		switch attr.Name {
		case "code", "message":
			needed = "deny"
		case "params", "line":
			needed = "forward"
		case "unchanged":
			needed = "forward"
		case "result", "error":
			needed = "forward"
			if e.step.Kind == rules.Request {
				needed = "reply"
			}
		}
		if needed != "" && needed != verdict && e.has(attr.Name) {
			e.failVerdict(attr, verdict, needed)
		}
	}
}

func (e *expectReader) failVerdict(attr *hcl.Attribute, verdict, needed string) {
	const summary = "Field against the verdict"
	detail := fmt.Sprintf("%s goes with the verdict %q only, and the verdict expected here is %q.", attr.Name, needed, verdict)
	switch {
	case needed == "reply" && verdict == "forward":
		detail = fmt.Sprintf("A request that is forwarded has no %s. If loka answers it itself, add verdict = \"reply\"; what the pool answers is a step of its own, a response.", attr.Name)
	case needed == "reply" && verdict == "deny":
		detail += " What is said with a denial is expected by code and message."
	}
	e.fail(attr.NameRange, summary, "%s", detail)
}

// checkUnchanged refuses to expect a change, and none.
func (e *expectReader) checkUnchanged() {
	for _, want := range e.step.Expect {
		if want.Field == "unchanged" && want.Value == false {
			return
		}
	}
	if !e.has("unchanged") {
		return
	}
	for _, field := range []string{"params", "result", "error", "line"} {
		if e.has(field) {
			e.fail(e.args.attrs[field].NameRange, "Unchanged and "+field, "unchanged = true says that every byte stays as it is, so there is no other %s to expect. Leave one of the two out.", field)
		}
	}
}

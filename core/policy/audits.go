package policy

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// buildAudits checks the audit blocks. This version keeps no records yet.
func (l *loader) buildAudits() {
	for _, b := range l.blocks["audit"] {
		kind := sinkBlocks[b.Labels[0]]
		if kind == nil {
			known := sortedNames(sinkBlocks)
			l.fail(b.LabelRanges[0], "No such audit type", "An audit is of the type %s.%s", oneOf(known), didYouMean(b.Labels[0], known))
			continue
		}
		args := l.argumentsOf(b, kind)
		if attr := args.attrs["url"]; attr != nil {
			l.hide(attr.Range)
		}
		for _, arg := range kind.args {
			if arg.is == isText {
				args.text(arg.name)
			}
		}
		args.texts("redact")
		l.warnNotYet(b.DefRange, "No record is kept.")
	}
}

// checkProxyAudit checks the block audit of a proxy.
func (l *loader) checkProxyAudit(b *hcl.Block, s *scope) {
	content, _ := l.contentOf(b.Body, proxyAuditBlock)
	args := arguments{l, proxyAuditBlock, s, content.Attributes}
	if attr := args.attrs["sinks"]; attr != nil {
		l.checkSinks(attr)
	}
	known := proxyAuditBlock.arg("events").choices
	for _, event := range args.texts("events") {
		if slices.Contains(known, event) {
			continue
		}
		about := fmt.Sprintf("There is no event %q.%s", event, didYouMean(event, known))
		if namesSecret(args.attrs["events"].Expr, s.EvalContext) {
			about = "There is no such event."
		}
		l.fail(args.at("events"), "No such event", "%s\n\n%s", about, listed("Events", known))
	}
	l.warnNotYet(b.DefRange, "No record is kept.")
}

// checkSinks checks a list of references such as audit.file.main.
func (l *loader) checkSinks(attr *hcl.Attribute) {
	items, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() {
		l.fail(attr.Expr.Range(), "Wrong list of sinks", "sinks is a list such as [audit.file.main].")
		return
	}
	known := map[string]bool{}
	for _, b := range l.blocks["audit"] {
		known[address("audit", b.Labels[0], b.Labels[1])] = true
	}
	for _, item := range items {
		traversal, diags := hcl.AbsTraversalForExpr(item)
		name := ""
		if !diags.HasErrors() {
			name = dotted(traversal)
		}
		if !known[name] {
			names := sortedNames(known)
			l.fail(item.Range(), "No such sink", "A sink is named as in audit.file.main, after a block audit of this policy.%s\n\n%s", didYouMean(name, names), listed("Sinks", names))
		}
	}
}

// dotted writes a traversal of plain names as it stands in the source.
func dotted(traversal hcl.Traversal) string {
	parts := []string{traversal.RootName()}
	for _, step := range traversal[1:] {
		attr, ok := step.(hcl.TraverseAttr)
		if !ok {
			return ""
		}
		parts = append(parts, attr.Name)
	}
	return address(parts...)
}

// texts reads a list of texts.
func (a arguments) texts(name string) []string {
	value, ok := a.value(name, cty.List(cty.String))
	if !ok {
		return nil
	}
	var list []string
	for it := value.ElementIterator(); it.Next(); {
		_, element := it.Element()
		if !element.IsNull() {
			list = append(list, element.AsString())
		}
	}
	return list
}

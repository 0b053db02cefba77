package policy

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// plainer replaces words of HCL that mean nothing to an operator. To it, a list in
// brackets is a tuple.
var plainer = strings.NewReplacer(
	"a list, a map or a tuple", "a list or a map", "a tuple, list, or set type", "a list or a set", "a tuple-typed result", "a list",
	"tuple", "list", "dynamic value", "value",
	"This value has dynamic marks that make it unsuitable for use as a block label.", sensitiveLabel,
)

const sensitiveLabel = "A label is a name that logs and metrics show, so it cannot be a sensitive value."

// polish puts HCL's words into those of this house. HCL does not look for the nearest
// name among functions of an outer context, and has no remedy for a double quote within
// a text.
func (r *report) polish(d *hcl.Diagnostic) *hcl.Diagnostic {
	better := *d
	better.Detail = plainer.Replace(d.Detail)
	if better.Detail == sensitiveLabel {
		return &better
	}
	if namesSecret(d.Expression, d.EvalContext) {
		better.Detail = unsaid
		return &better
	}
	if d.Subject == nil || r.sources[d.Subject.Filename] == nil {
		return &better
	}
	src := r.sources[d.Subject.Filename]
	switch d.Summary {
	case "Call to unknown function":
		better.Detail += didYouMean(src.quote(*d.Subject), sortedNames(functions.Functions))
	case "Missing newline after argument":
		if code, _ := src.line(d.Subject.Start.Byte); strings.HasPrefix(code[len(argument.FindString(code)):], `"`) {
			better.Detail += "\n\nIf a double quote is meant to be part of the text, write \\\" in its place."
		}
	}
	return &better
}

// firstNear is HCL's own suggestion: the first name that is near, not the nearest.
var firstNear = regexp.MustCompile(` Did you mean "[^"]*"\?$`)

// contentOf reads the arguments and blocks of a body. It is not ok if there is one that
// does not belong there, or one missing, which is reported.
func (l *loader) contentOf(body hcl.Body, block *blockType) (content *hcl.BodyContent, ok bool) {
	schema := block.schema()
	content, diags := body.Content(schema)
	for _, d := range diags {
		var allowed []string
		switch d.Summary {
		case "Unsupported argument":
			for _, attr := range schema.Attributes {
				if content.Attributes[attr.Name] == nil {
					allowed = append(allowed, attr.Name)
				}
			}
		case "Unsupported block type":
			for _, b := range schema.Blocks {
				allowed = append(allowed, b.Type)
			}
		default:
			continue
		}
		if src := l.sources[d.Subject.Filename]; src != nil && !strings.Contains(d.Detail, "Did you mean to ") {
			d.Detail = firstNear.ReplaceAllString(d.Detail, "") + didYouMean(src.quote(*d.Subject), allowed)
		}
	}
	return content, l.add(diags)
}

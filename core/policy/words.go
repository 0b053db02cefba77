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
	switch {
	case strings.HasSuffix(d.Detail, "argument must not be null."):
		better.Detail = ofNull(d, src)
	case strings.HasSuffix(d.Detail, "can't divide zero by zero or infinity by infinity."):
		better.Detail = "Zero divided by zero has no value, and nor has one infinite number divided by another. Divide by something else."
	}
	if m := wrongLabels.FindStringSubmatch(d.Detail); m != nil {
		better.Detail = labelsOf(m)
	}
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

// ofNull says that nothing comes of a calculation with null, and what is null in it.
func ofNull(d *hcl.Diagnostic, src *source) string {
	what, example := "A value that is used here", "var.x"
	if d.Expression != nil && d.EvalContext != nil {
		for _, traversal := range d.Expression.Variables() {
			if value, diags := traversal.TraverseAbs(d.EvalContext); !diags.HasErrors() && value.IsNull() {
				what = src.quote(traversal.SourceRange())
				example = what
				break
			}
		}
	}
	return what + " is null, and nothing can be worked out with null. Give it a value; or, where it may be null, ask that first, as in " + example + " == null || …"
}

// wrongLabels matches what HCL says of a head with labels too many or too few.
var wrongLabels = regexp.MustCompile(`^(?:All (\S+) blocks must have \d+ labels \(([^)]*)\)\.|Only \d+ labels \(([^)]*)\) are expected for (\S+) blocks\.|No labels are expected for (\S+) blocks\.)$`)

// labelsOf says how the head of a block is written.
func labelsOf(m []string) string {
	kind, names := m[1]+m[4]+m[5], m[2]+m[3]
	if names == "" {
		return "A block " + kind + " has no label: it is written " + kind + " { … }."
	}
	head, labels := kind, strings.Split(names, ", ")
	for _, label := range labels {
		head += ` "` + strings.ToUpper(label) + `"`
	}
	return "A block " + kind + " is written " + head + " { … }, with its " + strings.Join(labels, " and its ") + " in quotes and no other label."
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

package policy

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// variable is a block variable: of the policy, or an argument of a ruleset.
type variable struct {
	*block
	kind        cty.Type
	defaults    *typeexpr.Defaults
	description string
	sensitive   bool
	// fallback is the default, or cty.NilVal when a value must be given.
	fallback    cty.Value
	validations []validation
	// value is what it came to, given where a value was given to it.
	value cty.Value
	given *given
}

// validation is a block validation: a condition and what to say when it is false.
type validation struct {
	condition hcl.Expression
	message   hcl.Expression
}

// given is a value from outside the variable's own block.
type given struct {
	value cty.Value
	// from says where it comes from, as in "--var wallet".
	from string
	// at is the place, if the value stands in a file.
	at *hcl.Range
}

// buildVariables finds the value of each variable and checks it.
func (l *loader) buildVariables() {
	for _, b := range l.blocks["variable"] {
		l.variables[b.name()] = l.declareVariable(b)
	}
	givens := l.givenValues()
	for _, b := range l.blocks["variable"] {
		v := l.variables[b.name()]
		v.given = givens[b.name()]
		switch {
		case v.given != nil:
			v.value = l.convertGiven(v)
		case v.fallback != cty.NilVal:
			v.value = v.fallback
		default:
			v.value = unknown
			l.failNoValue(v)
		}
		v.value = l.mark(v, v.value)
	}
	for _, b := range l.blocks["variable"] {
		v := l.variables[b.name()]
		s := l.scopeOf(v.src, map[string]cty.Value{"var": l.varObject()})
		l.validate(v, v.value, v.given, s)
	}
}

// declareVariable reads the block; the value comes later.
func (l *loader) declareVariable(b *block) *variable {
	v := &variable{block: b, kind: cty.DynamicPseudoType, fallback: cty.NilVal}
	content, _ := l.contentOf(b.Body, variableBlock)
	args := arguments{l, variableBlock, l.scopeOf(b.src, nil), content.Attributes}
	v.description = args.text("description")
	v.sensitive = args.flag("sensitive")
	if attr := content.Attributes["default"]; attr != nil {
		l.readDefault(v, attr)
	}
	if attr := content.Attributes["type"]; attr != nil {
		kind, defaults, diags := typeexpr.TypeConstraintWithDefaults(attr.Expr)
		if l.add(diags) {
			v.kind, v.defaults = kind, defaults
		} else if v.fallback != cty.NilVal {
			v.fallback = unknown
		}
	} else if v.fallback != cty.NilVal && v.fallback.Type().IsPrimitiveType() {
		v.kind = v.fallback.Type()
	}
	if attr := content.Attributes["default"]; attr != nil {
		value, problem := v.convertOwn(v.fallback)
		if problem != "" {
			l.fail(attr.Expr.Range(), "Wrong default", "The default of variable %q does not fit its type: %s.", v.name(), problem)
		}
		v.fallback = value
	}
	for _, inner := range content.Blocks {
		l.declareValidation(v, inner)
	}
	return v
}

func (l *loader) readDefault(v *variable, attr *hcl.Attribute) {
	ctx := l.functionsOfDefault(v.src).NewChild()
	ctx.Variables = map[string]cty.Value{}
	at := attr.Expr.Range()
	v.fallback = l.bounded("variable "+v.name(), l.evalFor(v, attr, &scope{EvalContext: ctx}), &at)
}

// evalFor evaluates the value that an argument gives to a variable.
func (l *loader) evalFor(v *variable, attr *hcl.Attribute, s *scope) cty.Value {
	if !v.sensitive {
		return l.eval(attr.Expr, s)
	}
	l.hide(attr.Range)
	return l.evalSecret(attr.Expr, s)
}

func (l *loader) declareValidation(v *variable, b *hcl.Block) {
	content, ok := l.contentOf(b.Body, validationBlock)
	if !ok {
		return
	}
	check := validation{condition: content.Attributes["condition"].Expr, message: content.Attributes["error_message"].Expr}
	v.validations = append(v.validations, check)
	if len(check.message.Variables()) == 0 {
		l.messageText(check, l.eval(check.message, l.scopeOf(v.src, nil)))
	}
}

// messageText gives the text of an error_message. Anything else is reported.
func (l *loader) messageText(check validation, message cty.Value) (text string, ok bool) {
	if !message.IsKnown() {
		return "", false
	}
	if message.Type() != cty.String || message.IsNull() {
		l.fail(check.message.Range(), "Wrong error_message", "error_message must be a text, and this is %s.", withArticle(message.Type().FriendlyName()))
		return "", false
	}
	return message.AsString(), true
}

// convert makes a value fit the variable's type, or says why it does not.
func (v *variable) convert(value cty.Value) (out cty.Value, problem string) {
	if value.Type() == cty.DynamicPseudoType && !value.IsKnown() {
		return unknown, ""
	}
	if v.defaults != nil && !value.IsNull() {
		value = v.defaults.Apply(value)
	}
	out, err := convert.Convert(value, v.kind)
	if err != nil {
		return unknown, v.problem(err)
	}
	return out, ""
}

// convertOwn is convert for a value that is written for this variable.
func (v *variable) convertOwn(value cty.Value) (out cty.Value, problem string) {
	out, problem = v.convert(value)
	if problem == "" && v.surplus(value) != "" {
		return unknown, v.surplus(value)
	}
	return out, problem
}

// problem says why a value does not fit. The keys on the way to the part that does not
// are as secret as the value.
func (v *variable) problem(err error) string {
	if pe, ok := err.(cty.PathError); ok && v.sensitive {
		pe.Path = nil
		return pathError(pe)
	}
	return pathError(err)
}

// pathError says what does not fit, and in which part of a value.
func pathError(err error) string {
	text := strings.ReplaceAll(strings.TrimSuffix(err.Error(), "."), "tuple", "list")
	pe, ok := err.(cty.PathError)
	if !ok || len(pe.Path) == 0 {
		return text
	}
	var at strings.Builder
	for _, step := range pe.Path {
		switch step := step.(type) {
		case cty.GetAttrStep:
			at.WriteString("." + step.Name)
		case cty.IndexStep:
			if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsMarked() {
				at.WriteString("[" + quoteKey(step.Key.AsString()) + "]")
			} else if step.Key.Type() == cty.Number && step.Key.IsKnown() && !step.Key.IsMarked() {
				at.WriteString("[" + step.Key.AsBigFloat().Text('f', -1) + "]")
			}
		}
	}
	return fmt.Sprintf("in %s, %s", strings.TrimPrefix(at.String(), "."), text)
}

func (l *loader) failNoValue(v *variable) {
	about := ""
	if v.description != "" {
		about = " (" + strings.TrimSuffix(v.description, ".") + ")"
	}
	file := "in a file named by --var-file"
	if l.isDirectory {
		file += ", or in a *.auto.vars.hcl beside the policy"
	}
	test := ""
	if len(l.tests) > 0 {
		test = "    variables { " + v.name() + " = VALUE } in the test, or at the top of its file\n"
	}
	l.fail(v.DefRange, "Variable without a value",
		"variable %q%s has no default, and no value was given. Give one in any of these ways:\n\n"+
			"%[4]s    --var %[1]s=VALUE\n    LOKA_VAR_%[1]s=VALUE in the environment\n    %[1]s = VALUE %[3]s\n    default = VALUE in its block",
		v.name(), about, file, test)
}

// mark keeps the value of a sensitive variable out of everything that is shown.
func (l *loader) mark(v *variable, value cty.Value) cty.Value {
	if !v.sensitive {
		return value
	}
	bare, _ := value.UnmarkDeep()
	l.keepSecrets(bare)
	return bare.Mark(sensitive)
}

// validate runs the validations of a variable on a value. The place of a failure is
// the value's where it has one, since that is what must change.
func (l *loader) validate(v *variable, value cty.Value, from *given, s *scope) {
	if value.Type() == cty.DynamicPseudoType && !value.IsKnown() {
		return
	}
	for _, check := range v.validations {
		result := l.eval(check.condition, s)
		result, _ = result.UnmarkDeep()
		if !result.IsKnown() {
			continue
		}
		result, err := convert.Convert(result, cty.Bool)
		if err != nil || result.IsNull() {
			l.fail(check.condition.Range(), "Wrong condition", "The condition of a validation must be true or false.")
			continue
		}
		if result.False() {
			l.failValidation(v, check, from, s)
		}
	}
}

func (l *loader) failValidation(v *variable, check validation, from *given, s *scope) {
	at := check.condition.Range()
	detail := l.validationMessage(check, s)
	switch {
	case from == nil:
		detail += fmt.Sprintf("\n\nThe value of var.%s is its default.", v.name())
	case from.at == nil:
		detail += fmt.Sprintf("\n\nThe value of var.%s comes from %s.", v.name(), from.from)
	default:
		detail += fmt.Sprintf("\n\nThis is checked by the validation at %s.", position(at))
		at = *from.at
	}
	l.fail(at, "Value refused", "%s", detail)
}

func (l *loader) validationMessage(check validation, s *scope) string {
	message := l.eval(check.message, s)
	if message.IsMarked() {
		return "The validation fails. Its error_message holds a sensitive value and is not shown."
	}
	if text, ok := l.messageText(check, message); ok {
		return text
	}
	return "The validation fails."
}

// varObject is what var stands for outside of rulesets.
func (l *loader) varObject() cty.Value { return objectOf(l.variables) }

func objectOf(variables map[string]*variable) cty.Value {
	values := map[string]cty.Value{}
	for name, v := range variables {
		values[name] = v.value
	}
	return cty.ObjectVal(values)
}

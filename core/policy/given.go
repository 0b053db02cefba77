package policy

import (
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// environPrefix begins the names of environment variables that give values.
const environPrefix = "LOKA_VAR_"

// givenValues collects the values from outside the policy: the environment, then
// *.auto.vars.hcl of a policy that is a directory, then the command line in its order,
// then the test that the policy is loaded for. A later one wins.
func (l *loader) givenValues() map[string]*given {
	values := map[string]*given{}
	for _, name := range sortedNames(l.variables) {
		if value, ok := l.opts.Environ(environPrefix + name); ok {
			l.giveText(values, name, value, environPrefix+name)
		}
	}
	for _, file := range l.autoVars {
		l.giveFile(values, file)
	}
	for _, setting := range l.opts.Settings {
		if setting.VarFile != "" {
			l.giveFile(values, setting.VarFile)
			continue
		}
		name, value, ok := strings.Cut(setting.Var, "=")
		name = strings.TrimSpace(name)
		switch {
		case !ok:
			l.failNowhere("Wrong --var", "--var is given as name=value, and %q has no equals sign.", name)
		case l.variables[name] == nil:
			l.failNowhere("No such variable", "--var %s gives a value to a variable that this policy does not have.%s\n\n%s",
				name, didYouMean(name, sortedNames(l.variables)), listed("Variables", sortedNames(l.variables)))
		default:
			l.giveText(values, name, value, "--var "+name)
		}
	}
	for _, given := range l.values {
		for _, attr := range given.attrs {
			l.giveAttribute(values, attr, given.scope)
		}
	}
	return values
}

// giveText gives a value that is a text from outside a file. For a variable that is
// no text it is read as HCL would read it in a file.
func (l *loader) giveText(values map[string]*given, name, content, from string) {
	g := &given{value: unknown, from: from}
	values[name] = g
	v := l.variables[name]
	if !utf8.ValidString(content) {
		l.failNowhere("Wrong value for a variable", "The value of var.%s, given by %s, is not valid UTF-8.", name, from)
		return
	}
	if v.kind == cty.String {
		g.value = cty.StringVal(content)
		return
	}
	if value, ok := l.parseText(content); ok {
		g.value = value
		return
	}
	wanted := "a value"
	if v.kind != cty.DynamicPseudoType {
		wanted = withArticle(v.kind.FriendlyNameForConstraint())
	}
	l.failNowhere("Wrong value for a variable", "The value of var.%s, given by %s, does not read as %s. It is written as in a file: texts in double quotes, lists in [ ], maps in { }.",
		name, from, wanted)
}

func (l *loader) parseText(content string) (cty.Value, bool) {
	tokens, _ := hclsyntax.LexExpression([]byte(content), "", hcl.InitialPos)
	if tooDeep(tokens) || len(content) > maxPolicyBytes {
		return unknown, false
	}
	expr, diags := hclsyntax.ParseExpression([]byte(content), "", hcl.InitialPos)
	if diags.HasErrors() {
		return unknown, false
	}
	l.measure(expr)
	l.meter.reset()
	value, diags := expr.Value(functions)
	return value, !diags.HasErrors()
}

// giveFile gives the values of a file of values.
func (l *loader) giveFile(values map[string]*given, name string) {
	if isDirectory, err := l.inputs.isDirectory(name); err == nil && isDirectory {
		l.failNowhere("Wrong file of values", "%s is a directory; --var-file takes one file, and can be given several times.", name)
		return
	}
	src := l.open(name, nil)
	if src == nil {
		return
	}
	file, diags := hclsyntax.ParseConfig(src.bytes, name, hcl.InitialPos)
	if body, ok := file.Body.(*hclsyntax.Body); ok {
		l.measure(body)
	}
	sound := l.add(diags)
	attrs, diags := file.Body.JustAttributes()
	if !sound || diags.HasErrors() {
		l.hideArguments(src, func(name string) bool { return meansSecret(name, l.variables) })
	}
	if diags.HasErrors() {
		l.fail(*diags[0].Subject, "Wrong file of values", "A file of values has arguments only, as in wallet = \"37vu…\". Blocks belong in the policy.")
	}
	for _, attr := range inOrder(attrs) {
		l.giveAttribute(values, attr, l.scopeOf(src, map[string]cty.Value{}))
	}
}

func (l *loader) giveAttribute(values map[string]*given, attr *hcl.Attribute, s *scope) {
	v := l.variables[attr.Name]
	if v == nil {
		if meansSecret(attr.Name, l.variables) {
			l.hide(attr.Range)
		}
		l.fail(attr.NameRange, "No such variable", "This policy does not have a variable %q.%s\n\n%s",
			attr.Name, didYouMean(attr.Name, sortedNames(l.variables)), listed("Variables", sortedNames(l.variables)))
		return
	}
	at := attr.Expr.Range()
	values[attr.Name] = &given{
		value: l.evalFor(v, attr, s),
		from:  attr.Range.Filename,
		at:    &at,
	}
}

// convertGiven makes a given value fit the variable's type.
func (l *loader) convertGiven(v *variable) cty.Value {
	value, problem := v.convertOwn(l.bounded("var."+v.name(), v.given.value, v.given.at))
	switch {
	case problem == "":
	case v.given.at != nil:
		l.fail(*v.given.at, "Wrong value for a variable", "This does not fit the type of variable %q: %s.", v.name(), problem)
	default:
		l.failNowhere("Wrong value for a variable", "The value of var.%s, given by %s, does not fit its type: %s.", v.name(), v.given.from, problem)
	}
	return value
}

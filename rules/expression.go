package rules

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

const (
	maxNodes  = 500
	maxSource = 16 << 10 // bytes of an expression: brackets nest without making nodes
)

// stumbled is said of a panic, and of nothing else: an expression that gets it has found
// a mistake in the language or in this package.
const stumbled = "The expression language stumbled over this expression; write it in another way."

// expression is a compiled expression.
type expression struct {
	source Source
	length int // of the source in runes
	// program is nil when the value is known already.
	program  *vm.Program
	constant any
	uses     []use
	// secret says that a sensitive constant went into it, and contents what is in its
	// value. reads lists the constants.
	secret   bool
	contents contents
	reads    []string
	weight   weight
	bound    bound
	// failure is what it costs when it fails, besides.
	failure weight
}

// compilation is what the expressions of one program share.
type compilation struct {
	*Compiler
	// typed has the vocabularies that a scope adds names to, of which the type alone is
	// known. No other program has them.
	typed  map[typedKey]*configured
	errors []*Error
}

type vocabularyKey struct {
	kind  Kind
	label string
}

type typedKey struct {
	vocabularyKey
	scope *Scope
}

type configured struct {
	vocabulary *vocabulary
	config     *conf.Config
	compiler   *Compiler
}

// configure gives the vocabulary for a label, and the language set up for it.
func (c *compilation) configure(k Kind, label string, scope *Scope) *configured {
	key := vocabularyKey{k, label}
	if scope.typed() {
		return c.configureTyped(typedKey{key, scope})
	}
	if c.configs[key] == nil {
		c.configs[key] = c.configured(vocabularyFor(k, label))
	}
	return c.configs[key]
}

func (c *compilation) configureTyped(key typedKey) *configured {
	if c.typed[key] == nil {
		v := vocabularyFor(key.kind, key.label)
		v.addExamples(key.scope)
		c.typed[key] = c.configured(v)
	}
	return c.typed[key]
}

// configured sets the language up for a vocabulary.
func (c *Compiler) configured(v *vocabulary) *configured {
	return &configured{v, configFor(v), c}
}

func configFor(v *vocabulary) *conf.Config {
	env := types.Map{}
	for name, e := range v.names {
		env[name] = e.declared()
	}
	config := conf.New(env)
	config.MaxNodes = maxNodes
	config.Functions = registered()
	return config
}

// expression compiles one expression for a value of some type, or notes what is wrong
// with it and gives nil.
func (c *compilation) expression(s Source, lang *configured, scope *Scope, want valueType) *expression {
	if x := c.recall(s, lang, scope, want); x != nil {
		return x
	}
	x, mistakes := compileExpression(s, lang, scope, want)
	for _, m := range mistakes {
		c.errors = append(c.errors, m.from(s))
	}
	if len(mistakes) > 0 {
		return nil
	}
	c.remember(x, lang, scope, want)
	return x
}

func compileExpression(s Source, lang *configured, scope *Scope, want valueType) (x *expression, mistakes []*Error) {
	// The parser and the compiler are not ours. A panic in them must cost one
	// expression and not the process that watches the policy.
	defer func() {
		if recover() != nil {
			x, mistakes = nil, []*Error{mistake("Invalid expression", stumbled)}
		}
	}()
	if strings.TrimSpace(s.Text) == "" {
		return nil, []*Error{mistake("Empty expression", "An expression is needed here.")}
	}
	if len(s.Text) > maxSource {
		return nil, []*Error{mistake("Expression too large", "An expression has at most 16 KiB.")}
	}
	tree, err := parser.ParseWithConfig(s.Text, lang.config)
	if err != nil {
		return nil, []*Error{translate(err, s.Text)}
	}
	in := (&carrier{scope: scope, names: lang.vocabulary.names, lets: map[string]contents{}}).carried(tree.Node)
	r := &resolver{vocabulary: lang.vocabulary, pools: lang.compiler.Pools, scope: scope, text: strings.TrimSpace(s.Text)}
	tree.Node = r.node(tree.Node)
	if len(r.mistakes) > 0 {
		return nil, r.mistakes
	}
	lang = lang.with(r.uses)
	x = &expression{source: s, length: utf8.RuneCountInString(s.Text), uses: r.uses, secret: r.secret, contents: in, reads: r.reads}
	if m := x.check(tree, lang, want); m != nil {
		return nil, []*Error{m.withNull(r.null)}
	}
	r.widenAll()
	if m := x.finish(tree, lang.config, want); m != nil {
		return nil, []*Error{m}
	}
	return x, nil
}

// settled gives an expression that compiles as a tree with its names settled, for those
// who want to know what it says.
func settled(s Source, lang *configured, scope *Scope) ast.Node {
	tree, err := parser.ParseWithConfig(s.Text, lang.config)
	if err != nil {
		return &ast.NilNode{}
	}
	r := &resolver{vocabulary: lang.vocabulary, pools: lang.compiler.Pools, scope: scope, text: s.Text}
	return r.node(tree.Node)
}

// check settles the types and the weight.
func (x *expression) check(tree *parser.Tree, lang *configured, want valueType) *Error {
	if _, err := checker.Check(tree, lang.config); err != nil {
		return translate(err, x.source.Text)
	}
	if m := checkCalls(tree.Node); m != nil {
		return m
	}
	if m := checkResult(tree.Node, want); m != nil && !(unknownType(tree.Node) && x.readsExample()) {
		return m
	}
	w, b, m := weigh(tree.Node, lang)
	x.weight, x.bound = w, b
	x.failure = failureOf(tree.Node, x.uses)
	return m
}

// finish turns the tree into a program, or into a constant where it is one.
func (x *expression) finish(tree *parser.Tree, config *conf.Config, want valueType) *Error {
	if m := checkConstants(&tree.Node); m != nil {
		return m
	}
	setLists(&tree.Node)
	if config.Optimize {
		if err := optimizer.Optimize(&tree.Node, config); err != nil {
			return translate(err, x.source.Text)
		}
	}
	if v, ok := constantOf(tree.Node); ok {
		clean, why := want.write(v)
		if why != "" {
			return mistake("Unusable value", why)
		}
		x.constant = clean
		return nil
	}
	specialize(&tree.Node)
	// The machine quotes the source in every failure, and nobody reads that.
	tree.Source = file.NewSource("")
	program, err := compiler.Compile(tree, config)
	if err != nil {
		return translate(err, x.source.Text)
	}
	x.program = program
	return nil
}

// constantOf is constant, and knows nil as well.
func constantOf(n ast.Node) (any, bool) {
	if _, ok := n.(*ast.NilNode); ok {
		return nil, true
	}
	return constant(n)
}

// checkResult compares the type of an expression with the one that is needed.
func checkResult(root ast.Node, want valueType) *Error {
	if want == anyValue {
		return nil
	}
	nature := root.Nature()
	gives := typePhrase(nature.String())
	switch {
	case nature.Nil:
		gives = "null"
	case unknownType(root):
		gives = "a value of unknown type (any)"
	case want.admits(nature.Kind):
		return nil
	}
	detail := "This expression gives " + gives + "; " + want.phrase() + " is needed here."
	if strings.HasSuffix(gives, "(any)") {
		detail += "\n\n" + wrapHint(want)
	}
	return mistake("Wrong type of expression", detail)
}

func unknownType(n ast.Node) bool {
	nature := n.Nature()
	return !nature.Nil && (nature.Type == nil || nature.Type == anyType)
}

// readsExample reports whether a name stands for its type alone. The type of what
// comes out of it may show only with the value.
func (x *expression) readsExample() bool {
	return slices.ContainsFunc(x.uses, func(u use) bool { return u.entry.from == fromExample })
}

func wrapHint(want valueType) string {
	const any = "A value out of params may be of any type: "
	switch want {
	case textValue:
		return any + "wrap it, as in string(params[0])."
	case numberValue, wholeValue:
		return any + "wrap it, as in int(params[0]) or float(params[0])."
	case boolValue:
		return any + "compare it, as in params[0] == true."
	case listValue:
		return any + "write the list out, as in [params[0], params[1]], or cut it from params, as in params[:1]."
	default:
		return any + "write the map out, as in {key: params[0]}."
	}
}

// checkCalls compares the arguments of our functions with what they take; the checker
// does the same for the language's own.
func checkCalls(root ast.Node) *Error {
	v := &callVisitor{}
	ast.Walk(&root, v)
	return v.mistake
}

type callVisitor struct{ mistake *Error }

// Visit implements ast.Visitor.
func (v *callVisitor) Visit(node *ast.Node) {
	call, ok := (*node).(*ast.CallNode)
	if !ok || v.mistake != nil {
		return
	}
	f := functions[call.Callee.(*ast.IdentifierNode).Value]
	for i, arg := range call.Arguments {
		takes := f.takes[min(i, len(f.takes)-1)]
		nature := arg.Nature()
		if unknownType(arg) || takes.admits(nature.Kind) {
			continue
		}
		v.mistake = mistakeAt(arg, wrongTypes, f.name+" needs "+takes.phrase()+" here, and this is "+typePhrase(nature.String())+": "+f.usage+".")
		return
	}
}

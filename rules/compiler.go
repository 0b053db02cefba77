package rules

import (
	"crypto/sha256"
	"fmt"
	"hash"
)

// Compiler compiles several programs that have much in common, such as those of proxies
// from one template: an expression that it has compiled before, for the same messages
// and with the same constants, is shared. It is for one goroutine at a time; what it
// gives is immutable.
type Compiler struct {
	// Pools are the addresses of the pools that upstream(…) may name, in what is compiled
	// from now on. Nil lets it name any.
	Pools []string

	configs  map[vocabularyKey]*configured
	patterns patternCosts
	known    map[expressionKey]*knownExpression
}

// NewCompiler gives a Compiler that knows no expression yet.
func NewCompiler() *Compiler {
	return &Compiler{configs: map[vocabularyKey]*configured{}, patterns: patternCosts{}, known: map[expressionKey]*knownExpression{}}
}

// Compile turns rules into a Program, as the function of that name does.
func (c *Compiler) Compile(list []Rule) (*Program, []*Error) {
	return compile(&compilation{Compiler: c, typed: map[typedKey]*configured{}}, list)
}

// expressionKey is what an expression means, but for the values of its constants. Which
// names of a scope there are decides what a variable of the expression may be called.
type expressionKey struct {
	lang       *configured
	text       string
	want       valueType
	vars, locs bool
}

// knownExpression is an expression with its constants, and what it was compiled to for
// their values.
type knownExpression struct {
	reads    []string
	compiled map[[sha256.Size]byte]*expression
}

func keyOf(s Source, lang *configured, scope *Scope, want valueType) expressionKey {
	return expressionKey{lang, s.Text, want, scope != nil && scope.Var != nil, scope != nil && scope.Local != nil}
}

// recall gives an expression that was compiled before, as one of another source.
func (c *Compiler) recall(s Source, lang *configured, scope *Scope, want valueType) *expression {
	if scope.typed() {
		return nil
	}
	known := c.known[keyOf(s, lang, scope, want)]
	if known == nil {
		return nil
	}
	found := known.compiled[fingerprint(known.reads, scope)]
	if found == nil {
		return nil
	}
	x := *found
	x.source = s
	return &x
}

// remember keeps an expression for recall.
func (c *Compiler) remember(x *expression, lang *configured, scope *Scope, want valueType) {
	if scope.typed() || x.namesPool() { // other programs may have other pools
		return
	}
	key := keyOf(x.source, lang, scope, want)
	known := c.known[key]
	if known == nil {
		known = &knownExpression{reads: x.reads, compiled: map[[sha256.Size]byte]*expression{}}
		c.known[key] = known
	}
	known.compiled[fingerprint(known.reads, scope)] = x
}

// fingerprint tells the values of some constants from any others.
func fingerprint(names []string, scope *Scope) (sum [sha256.Size]byte) {
	if len(names) == 0 {
		return sum
	}
	h := sha256.New()
	for _, name := range names {
		value, ok := scope.constant(name)
		fmt.Fprintf(h, "%v %v ", ok, scope.Sensitive[name])
		hashValue(h, value)
	}
	h.Sum(sum[:0])
	return sum
}

// constant gives the value of a name such as var.wallet.
func (s *Scope) constant(name string) (value any, ok bool) {
	for root, values := range map[string]map[string]any{"var.": s.Var, "local.": s.Local} {
		if len(name) > len(root) && name[:len(root)] == root {
			value, ok = values[name[len(root):]]
		}
	}
	return value, ok
}

// hashValue writes a value with its types, so that no two have the same text.
func hashValue(h hash.Hash, value any) {
	switch value := value.(type) {
	case []any:
		fmt.Fprintf(h, "list %d ", len(value))
		for _, element := range value {
			hashValue(h, element)
		}
	case map[string]any:
		fmt.Fprintf(h, "map %d ", len(value))
		for _, key := range sortedKeys(value) {
			fmt.Fprintf(h, "%q ", key)
			hashValue(h, value[key])
		}
	default:
		fmt.Fprintf(h, "%T %#v ", value, value)
	}
}

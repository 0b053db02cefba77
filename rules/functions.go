package rules

import (
	"reflect"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
)

// function is a function that expressions may call: one of ours, or one of the
// expression language's own that is safe for a message from a stranger.
type function struct {
	name  string
	usage string // how a call looks, for messages and the reference
	doc   string
	// min and max bound the number of arguments; a max of 0 has no bound.
	min, max int
	// predicate says that the second argument is a condition or value per element.
	predicate bool
	// weigh bounds the size of the result and counts what the call costs.
	weigh func(a *analyst, args []bound, nodes []ast.Node) bound

	// The rest is for our own functions. takes are the types of the arguments, of
	// which the last stands for all that follow; gives is the type of the result.
	takes []valueType
	gives func(args []reflect.Type) reflect.Type
	call  func(args []any) (any, error)
	// bind gives a typed Go function for a call whose other arguments are constants,
	// and the arguments that it still takes. It may be nil, and may decline with nil:
	// it is only faster, never different. An error is a mistake in a constant.
	bind func(call *ast.CallNode) (fn any, rest []ast.Node, err error)
}

// failure is what a function of ours says when it cannot do its work.
type failure string

func (f failure) Error() string { return string(f) }

// checked turns a failing function into one that a typed call can use: the machine
// recovers the panic and knows where it happened.
func checked(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

var (
	stringType = reflect.TypeFor[string]()
	floatType  = reflect.TypeFor[float64]()
	intType    = reflect.TypeFor[int]()
	boolType   = reflect.TypeFor[bool]()
	anyType    = reflect.TypeFor[any]()
	listType   = reflect.TypeFor[[]any]()
	textsType  = reflect.TypeFor[[]string]()
)

func giving(t reflect.Type) func([]reflect.Type) reflect.Type {
	return func([]reflect.Type) reflect.Type { return t }
}

// functions is the one table of what may be called. It is filled in init, since to
// weigh a call is to weigh the calls in its arguments, which looks into the table.
var functions = map[string]*function{}

func init() {
	for _, list := range [][]function{ownFunctions, languageFunctions} {
		for i := range list {
			functions[list[i].name] = &list[i]
		}
	}
}

const clockInstead = "The time is in clock.hour, clock.minute, clock.weekday, clock.day and clock.month."

// withdrawn names the expression language's functions that are not there, with what
// to do instead.
var withdrawn = map[string]string{
	"reduce":     "It can build values without bound. For totals there are sum, count and join.",
	"groupBy":    "Use filter or map.",
	"now":        clockInstead,
	"date":       clockInstead,
	"duration":   "Durations are numbers here, as in session.age > 3600.",
	"timezone":   "What clock has is in the machine's time zone.",
	"fromJSON":   "Messages are decoded already: use params or the names of the method.",
	"toJSON":     "It writes several lines. Use json(x), which writes one.",
	"splitAfter": "Use split.",
	"toPairs":    "Use keys or values.",
	"fromPairs":  "Write the map as {key: value}.",
}

// registered gives our functions in the form that the checker and the compiler want.
func registered() map[string]*builtin.Function {
	list := map[string]*builtin.Function{}
	for i := range ownFunctions {
		f := &ownFunctions[i]
		list[f.name] = &builtin.Function{
			Name:     f.name,
			Func:     func(args ...any) (any, error) { return f.call(args) },
			Validate: func(args []reflect.Type) (reflect.Type, error) { return f.gives(args), nil },
		}
	}
	return list
}

// text reads an argument as a string. The checker cannot know what comes out of params.
func text(args []any, i int) (string, error) {
	s, ok := args[i].(string)
	if !ok {
		return "", failure("A string is needed here, but the value is " + phraseOf(args[i]) + ".")
	}
	return s, nil
}

// texts reads several at once.
func texts(args []any) ([]string, error) {
	list := make([]string, len(args))
	for i := range args {
		s, err := text(args, i)
		if err != nil {
			return nil, err
		}
		list[i] = s
	}
	return list, nil
}

// constant gives the value of a node that is known at load.
func constant(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode:
		return n.Value, true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.BoolNode:
		return n.Value, true
	case *ast.ConstantNode:
		return n.Value, true
	case *ast.ArrayNode:
		list := make([]any, len(n.Nodes))
		for i, item := range n.Nodes {
			v, ok := constant(item)
			if !ok {
				return nil, false
			}
			list[i] = v
		}
		return list, true
	}
	return nil, false
}

// constantTexts gives the values of nodes that are all constant strings.
func constantTexts(nodes []ast.Node) ([]string, bool) {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		s, ok := n.(*ast.StringNode)
		if !ok {
			return nil, false
		}
		list[i] = s.Value
	}
	return list, true
}

package rules

import (
	"reflect"

	"github.com/expr-lang/expr/ast"
)

// ownFunctions is the functions that this package adds to the language, or has instead
// of the language's own because those have no bound on what they build.
var ownFunctions = []function{
	{
		name: "lookup", usage: "lookup(map, key, default)", min: 3, max: 3,
		doc:   "The value of a key in a map, or the default when the map does not have it.",
		takes: []valueType{mapValue, textValue, anyValue}, gives: lookupGives,
		call: lookup, bind: bindLookup, weigh: weighLookup,
	},
	{
		name: "inCIDR", usage: "inCIDR(address, networks)", min: 2, max: 2,
		doc:   "Whether an address is in a network such as '10.0.0.0/8', or in one of a list of them.",
		takes: []valueType{textValue, anyValue}, gives: giving(boolType),
		call: inCIDR, bind: bindCIDR, weigh: weighCIDR,
	},
	{
		name: "account", usage: "account(user, separator, 'first' or 'last')", min: 1, max: 3,
		doc:   "The part of a user name before the separator ('.' unless given), by default the first one; the whole name when it has none.",
		takes: []valueType{textValue}, gives: giving(stringType),
		call: textFunction(accountOf).call, bind: textFunction(accountOf).bind, weigh: weighPart,
	},
	{
		name: "worker", usage: "worker(user, separator, 'first' or 'last')", min: 1, max: 3,
		doc:   "The part of a user name behind the separator ('.' unless given), by default the first one; empty when it has none.",
		takes: []valueType{textValue}, gives: giving(stringType),
		call: textFunction(workerOf).call, bind: textFunction(workerOf).bind, weigh: weighPart,
	},
	{
		name: "option", usage: "option(password, key)", min: 2, max: 2,
		doc:   "The value of key=value in a password, or an empty string. Options are parted by , ; / or a space.",
		takes: []valueType{textValue}, gives: giving(stringType),
		call: textFunction(option).call, bind: textFunction(option).bind, weigh: weighPart,
	},
	{
		name: "withOption", usage: "withOption(password, key, value)", min: 3, max: 3,
		doc:   "The password with key=value in it, in the place of the key's old value or at the end. Everything else stays as it is.",
		takes: []valueType{textValue}, gives: giving(stringType),
		call: textFunction(withOption).call, bind: textFunction(withOption).bind, weigh: weighWithOption,
	},
	{
		name: "withoutOption", usage: "withoutOption(password, key)", min: 2, max: 2,
		doc:   "The password without the key's option. Everything else stays as it is.",
		takes: []valueType{textValue}, gives: giving(stringType),
		call: textFunction(withoutOption).call, bind: textFunction(withoutOption).bind, weigh: weighCopy,
	},
	{
		name: "json", usage: "json(value)", min: 1, max: 1,
		doc:   "The value as JSON on one line.",
		takes: []valueType{anyValue}, gives: giving(stringType),
		call: valueFunction(jsonOf).call, bind: valueFunction(jsonOf).bind, weigh: weighJSON,
	},
	{
		name: "string", usage: "string(value)", min: 1, max: 1,
		doc:   "The value as text: numbers in decimal, null as the empty text. For lists and maps there is json.",
		takes: []valueType{anyValue}, gives: giving(stringType),
		call: valueFunction(stringOf).call, bind: valueFunction(stringOf).bind, weigh: weighString,
	},
	{
		name: "int", usage: "int(value)", min: 1, max: 1,
		doc:   "The value as a whole number: a fraction is cut off, a text is read as decimal. Sums and products of whole numbers wrap around beyond 64 bits.",
		takes: []valueType{anyValue}, gives: giving(intType),
		call: func(args []any) (any, error) { return intOf(args[0]) }, bind: bindInt, weigh: weighScalar,
	},
	{
		name: "float", usage: "float(value)", min: 1, max: 1,
		doc:   "The value as a number that may have a fraction; a text is read as decimal.",
		takes: []valueType{anyValue}, gives: giving(floatType),
		call: func(args []any) (any, error) { return floatOf(args[0]) }, weigh: weighScalar,
	},
	{
		name: "type", usage: "type(value)", min: 1, max: 1,
		doc:   "The name of the value's type: string, number, bool, list, map or nil.",
		takes: []valueType{anyValue}, gives: giving(stringType),
		call: valueFunction(typeOf).call, bind: valueFunction(typeOf).bind, weigh: weighScalar,
	},
	{
		name: "sha256", usage: "sha256(text)", min: 1, max: 1,
		doc:   "The SHA-256 of a text, in hex.",
		takes: []valueType{textValue}, gives: giving(stringType),
		call: textFunction(sha256Of).call, bind: textFunction(sha256Of).bind, weigh: weighSHA256,
	},
	{
		name: "trim", usage: "trim(text, characters)", min: 1, max: 2,
		doc:   "The text without white space, or the characters (64 at most), at both ends.",
		takes: []valueType{textValue}, gives: giving(stringType),
		call: textFunction(trim).call, bind: textFunction(trim).bind, weigh: weighTrim,
	},
	{
		name: "replace", usage: "replace(text, old, new, times)", min: 3, max: 4,
		doc:   "The text with old replaced by new everywhere, or as often as times says.",
		takes: []valueType{textValue, textValue, textValue, wholeValue}, gives: giving(stringType),
		call: replace, bind: bindReplace, weigh: weighReplace,
	},
	{
		name: "split", usage: "split(text, separator, parts)", min: 2, max: 3,
		doc:   "The parts of a text between separators, at most as many as parts says.",
		takes: []valueType{textValue, textValue, wholeValue}, gives: giving(textsType),
		call: split, weigh: weighSplit,
	},
	{
		name: "join", usage: "join(list, separator)", min: 1, max: 2,
		doc:   "The texts of a list as one, with the separator between them.",
		takes: []valueType{listValue, textValue}, gives: giving(stringType),
		call: join, weigh: weighJoin,
	},
	{
		name: "repeat", usage: "repeat(text, times)", min: 2, max: 2,
		doc:   "The text as often as times says.",
		takes: []valueType{textValue, wholeValue}, gives: giving(stringType),
		call: repeat, weigh: weighRepeat,
	},
	{
		name: "keys", usage: "keys(map)", min: 1, max: 1,
		doc:   "The keys of a map, in order.",
		takes: []valueType{mapValue}, gives: giving(textsType),
		call: keysOf, weigh: weighKeys,
	},
	{
		name: "values", usage: "values(map)", min: 1, max: 1,
		doc:   "The values of a map, in the order of their keys.",
		takes: []valueType{mapValue}, gives: giving(listType),
		call: valuesOf, weigh: weighKeys,
	},
	{
		name: "max", usage: "max(a, b, …)", min: 1,
		doc:   "The largest of some numbers, or of a list of numbers.",
		takes: []valueType{anyValue}, gives: extremeGives,
		call: largest, weigh: weighExtreme,
	},
	{
		name: "min", usage: "min(a, b, …)", min: 1,
		doc:   "The smallest of some numbers, or of a list of numbers.",
		takes: []valueType{anyValue}, gives: extremeGives,
		call: smallest, weigh: weighExtreme,
	},
	{
		// The language's own takes the type of its first number for that of the mean.
		name: "mean", usage: "mean(a, b, …)", min: 1,
		doc:   "The mean of some numbers, or of a list of numbers.",
		takes: []valueType{anyValue}, gives: meanGives,
		call: mean, weigh: weighExtreme,
	},
	{
		name: "median", usage: "median(a, b, …)", min: 1,
		doc:   "The median of some numbers, or of a list of numbers.",
		takes: []valueType{anyValue}, gives: meanGives,
		call: median, weigh: weighMedian,
	},
}

// textFunction makes a text of a text and some more.
type textFunction func(s string, rest []string) (string, error)

// call is the function as the machine calls it when nothing is known before.
func (f textFunction) call(args []any) (any, error) {
	list, err := texts(args)
	if err != nil {
		return nil, err
	}
	return f(list[0], list[1:])
}

// bind makes a call whose first argument is all that varies into a plain function of
// one string, which the machine calls without packing its arguments.
func (f textFunction) bind(node *ast.CallNode) (any, []ast.Node, error) {
	rest, ok := constantTexts(node.Arguments[1:])
	if !ok {
		return nil, nil, nil
	}
	// A first try with an empty text finds mistakes in the constants at load.
	if _, err := f("", rest); err != nil {
		return nil, nil, err
	}
	fn := func(s string) string { return checked(f(s, rest)) }
	return fn, node.Arguments[:1], nil
}

// valueFunction makes a text of anything.
type valueFunction func(v any) (string, error)

func (f valueFunction) call(args []any) (any, error) { return f(args[0]) }

func (f valueFunction) bind(node *ast.CallNode) (any, []ast.Node, error) {
	return func(v any) string { return checked(f(v)) }, node.Arguments, nil
}

// meanGives is a float whatever the numbers are.
func meanGives([]reflect.Type) reflect.Type { return floatType }

// extremeGives is a float as soon as one argument is one, and unknown for lists.
func extremeGives(args []reflect.Type) reflect.Type {
	result := intType
	for _, t := range args {
		switch {
		case t == nil || (t.Kind() != reflect.Int && t.Kind() != reflect.Float64):
			return anyType
		case t.Kind() == reflect.Float64:
			result = floatType
		}
	}
	return result
}

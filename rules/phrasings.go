package rules

import "strings"

// wrongTypes is the summary of everything that the checker finds about types.
const wrongTypes = "Wrong type in expression"

// phrasings is what the parser and the checker can say at load. The first that fits is
// taken.
var phrasings = []phrasing{
	{pattern: `unexpected token Operator("=")`, say: fixed("A single = is no operator; to compare, write ==.")},
	{pattern: `unexpected token Operator("&")`, say: fixed("A single & is no operator; write && or and.")},
	{pattern: `unexpected token Operator("#")`, say: fixed("# is the element of a list and stands only in a condition, as in any(params, # == 'x').")},
	{pattern: `unexpected token EOF`, say: fixed("The expression ends too early; something is missing at its end.")},
	{pattern: `unexpected end of expression`, say: fixed("The expression ends too early; something is missing at its end.")},
	{pattern: `unexpected token Identifier("%")`, say: func(p []string) string {
		return "The name " + p[0] + " is not expected here; an operator or a comma may be missing before it."
	}},
	{pattern: `unexpected token String(%)`, say: fixed("This text is not expected here; an operator or a comma may be missing before it.")},
	{pattern: `unexpected token Number(%)`, say: fixed("This number is not expected here; an operator or a comma may be missing before it.")},
	{pattern: `unexpected token %("%")`, say: func(p []string) string { return "This " + p[1] + " is not expected here." }},
	{pattern: `literal not terminated`, summary: "Unclosed quote", say: fixed("The text that begins here has no closing quote.")},
	{pattern: `invalid char escape`, say: fixed("This escape is not known. Between backquotes, a backslash stands for itself.")},
	{pattern: `unable to unescape`, say: fixed("This text has an escape that is not known. Between backquotes, a backslash stands for itself.")},
	{pattern: `bad number syntax`, say: fixed("This is not a number.")},
	{pattern: `invalid % literal`, say: fixed("This number is too large.")},
	{pattern: `% literal is too large`, say: fixed("This number is too large.")},
	{pattern: `unrecognized character: % '%'`, say: func(p []string) string { return "The character " + p[1] + " has no meaning here." }},
	{pattern: `unrecognized character`, say: fixed("This character has no meaning here.")},
	{pattern: `unclosed comment`, say: fixed("This comment has no end; it needs a */.")},
	{pattern: `expected name`, say: fixed("A name is expected behind the dot.")},
	{pattern: `Operator (%) and coalesce`, say: func(p []string) string {
		return "?? and " + p[0] + " cannot stand side by side; put one of them in brackets."
	}},
	{pattern: `wrap predicate with`, say: fixed("A condition of several parts goes between { and }.")},
	{pattern: `compilation failed: expression exceeds`, summary: "Expression too large", say: fixed("An expression has at most 500 parts. Spread the work over several rules, or put tables into a variable and use lookup.")},
	{pattern: `expected at least % arguments`, say: func(p []string) string { return "At least " + p[0] + " values are needed here." }},
	{pattern: `a map key must be`, say: fixed("A map's key is a name, a text in quotes or an expression in brackets.")},
	{pattern: `integer divide by zero`, say: fixed("This divides by zero.")},

	{pattern: `invalid operation: % (mismatched types % and %)`, summary: wrongTypes, say: func(p []string) string {
		detail := p[0] + " does not work between " + typePhrase(p[1]) + " and " + typePhrase(p[2]) + "."
		if typePhrase(p[1]) == typePhrase(p[2]) {
			detail = p[0] + " does not work between " + typePhrase(p[1]) + " and another one with values of another type."
		}
		if p[0] == "+" && (p[1] == "string" || p[2] == "string") {
			detail += "\n\nTo write a number into a text, wrap it, as in string(difficulty)."
		}
		return detail
	}},
	{pattern: `invalid operation: % (mismatched type %)`, summary: wrongTypes, say: func(p []string) string {
		return p[0] + " does not work on " + typePhrase(p[1]) + "."
	}},
	{pattern: `cannot use % as argument (type %) to call %`, summary: wrongTypes, say: func(p []string) string {
		return strings.TrimSpace(p[2]) + " needs " + typePhrase(p[1]) + " here, and this is " + typePhrase(p[0]) + "."
	}},
	{pattern: `cannot use % to get an element from %`, summary: wrongTypes, say: func(p []string) string {
		return "An element of " + typePhrase(p[1]) + " is not chosen by " + typePhrase(p[0]) + "."
	}},
	{pattern: `cannot use % as type % in %`, summary: wrongTypes, say: func(p []string) string {
		return "This looks for " + typePhrase(p[0]) + " among values that are each " + typePhrase(p[1]) + "."
	}},
	{pattern: `invalid argument for % (type %)`, summary: wrongTypes, say: func(p []string) string {
		return p[0] + " does not work on " + typePhrase(p[1]) + "."
	}},
	{pattern: `array elements can only be selected using an integer (got %)`, summary: wrongTypes, say: func(p []string) string {
		return "An element of a list is chosen by a whole number, not by " + typePhrase(p[0]) + "."
	}},
	{pattern: `builtin % takes only array (got %)`, summary: wrongTypes, say: func(p []string) string {
		return p[0] + " needs a list, and this is " + typePhrase(p[1]) + "."
	}},
	{pattern: `predicate should return boolean (got %)`, summary: wrongTypes, say: func(p []string) string {
		return "A condition is needed here, and this is " + typePhrase(p[0]) + "."
	}},
	{pattern: `non-bool expression (type %)`, summary: wrongTypes, say: func(p []string) string {
		return "A condition is needed here, and this is " + typePhrase(p[0]) + "."
	}},
	{pattern: `non-integer slice index %`, summary: wrongTypes, say: func(p []string) string {
		return "The bounds of a part are whole numbers, and this is " + typePhrase(p[0]) + "."
	}},
	{pattern: `cannot slice %`, summary: wrongTypes, say: func(p []string) string {
		return "Only strings and lists have parts, and this is " + typePhrase(p[0]) + "."
	}},
	{pattern: `type string[%] is undefined`, summary: wrongTypes, say: fixed("A string has no elements; a part of it is cut as in user[:5].")},
	{pattern: `type %[%] is undefined`, summary: wrongTypes, say: func(p []string) string {
		return capital(typePhrase(p[0])) + " has no elements."
	}},
	{pattern: `type string does not support indexing`, summary: wrongTypes, say: fixed("A string has no elements; a part of it is cut as in user[:5].")},
	{pattern: `type % does not support indexing`, summary: wrongTypes, say: func(p []string) string {
		return capital(typePhrase(p[0])) + " has no elements."
	}},
	{pattern: `type % has no % %`, summary: wrongTypes, say: func(p []string) string {
		return capital(typePhrase(p[0])) + " has no " + p[2] + "."
	}},
	{pattern: `unknown pointer #%`, say: func(p []string) string { return "There is no #" + p[0] + " here; # is the element." }},
	{pattern: `cannot use pointer accessor`, say: fixed("# is the element of a list and stands only in a condition, as in any(params, # == 'x').")},
	{pattern: `cannot % %`, summary: wrongTypes, say: func(p []string) string {
		words := strings.Fields(p[1])
		return "This function does not work on " + typePhrase(words[len(words)-1]) + "."
	}},
	{pattern: `%`, say: fixed("This cannot be read as an expression.")},
}

// failures is what the machine can say while an expression runs. Values stay out of
// them: a failure goes to the log, and a value may be a secret.
var failures = []phrasing{
	{pattern: `index out of range: % (array length is %)`, say: func(p []string) string {
		return "Index out of range: " + p[0] + " (array length is " + p[1] + ")."
	}},
	{pattern: `reflect: slice index out of range`, say: fixed("Index out of range: the list is empty.")},
	{pattern: `interface conversion: % is %, not %`, say: func(p []string) string {
		return capital(typePhrase(p[2])) + " is needed here, but the value is " + typePhrase(p[1]) + "."
	}},
	{pattern: `cannot fetch % from %`, say: func(p []string) string { return "The value is " + typePhrase(p[1]) + "; it has no elements." }},
	{pattern: `runtime error: integer divide by zero`, say: fixed("This divides by zero.")},
	{pattern: `memory budget exceeded`, say: fixed("This builds too many values.")},
	{pattern: `invalid operation: % + %`, say: operands("+")},
	{pattern: `invalid operation: % - %`, say: operands("-")},
	{pattern: `invalid operation: % * %`, say: operands("*")},
	{pattern: `invalid operation: % / %`, say: operands("/")},
	{pattern: `invalid operation: % < %`, say: operands("<")},
	{pattern: `invalid operation: % > %`, say: operands(">")},
	{pattern: `invalid operation: % <= %`, say: operands("<=")},
	{pattern: `invalid operation: % >= %`, say: operands(">=")},
	{pattern: `invalid operation: - %`, say: func(p []string) string { return "- does not work on " + typePhrase(p[0]) + "." }},
	{pattern: `invalid argument for % (type %)`, say: func(p []string) string { return p[0] + " does not work on " + typePhrase(p[1]) + "." }},
	{pattern: `cannot slice`, say: fixed("Only strings and lists have parts.")},
	{pattern: `illegal base64 data`, say: fixed("This text is not base64.")},
	{pattern: `%`, say: fixed("This could not be worked out for this message.")},
}

func operands(operator string) func([]string) string {
	return func(p []string) string {
		return operator + " does not work between " + typePhrase(p[0]) + " and " + typePhrase(p[1]) + "."
	}
}

package rules

import (
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// mistakeAt is an error about one part of an expression.
func mistakeAt(n ast.Node, summary, detail string) *Error {
	at := n.Location()
	return &Error{From: at.From, To: at.To, Summary: summary, Detail: detail}
}

// mistake is an error about the whole of an expression or a rule.
func mistake(summary, detail string) *Error {
	return &Error{From: -1, To: -1, Summary: summary, Detail: detail}
}

// from completes an error with where its expression is, and keeps its bounds within it.
func (e *Error) from(s Source) *Error {
	return e.within(s.Origin, utf8.RuneCountInString(s.Text))
}

// in is from for an expression that runs, whose length is known.
func (e *Error) in(x *expression) *Error { return e.within(x.source.Origin, x.length) }

func (e *Error) within(origin any, length int) *Error {
	e.Origin = origin
	e.To = min(e.To, length)
	if e.From < 0 || e.From >= e.To {
		e.From, e.To = -1, -1
	}
	return e
}

// withNull says of a mistake about types that a name stands for null, if one does. Null
// has no type of its own; where the checker speaks of any type as a mistake, it is null.
func (e *Error) withNull(name string) *Error {
	if name == "" {
		return e
	}
	if e.Summary == wrongTypes {
		e.Detail = strings.ReplaceAll(e.Detail, "a value of unknown type (any)", "null")
		e.Detail = strings.ReplaceAll(e.Detail, "A value of unknown type (any)", "Null")
	}
	if !strings.Contains(strings.ToLower(e.Detail), "null") {
		return e
	}
	instead := "0"
	if strings.Contains(e.Detail, "string") {
		instead = "'x'"
	}
	e.Detail, _, _ = strings.Cut(e.Detail, "\n\n")
	e.Detail += "\n\n" + name + " is null. Give it a value; or say what holds without one, as in (" + name + " ?? " + instead + ")."
	return e
}

// translate says in the operator's words what the language's parser or checker found.
// Its own words name types of the implementation, or what it thinks of its tokens.
func translate(err error, text string) *Error {
	found, ok := err.(*file.Error)
	if !ok {
		return mistake("Invalid expression", "This cannot be read as an expression.")
	}
	e := &Error{From: found.From, To: found.To, Summary: "Invalid expression"}
	for _, p := range phrasings {
		if parts, ok := p.match(found.Message); ok {
			if p.summary != "" {
				e.Summary = p.summary
			}
			e.Detail = p.say(parts)
			break
		}
	}
	if e.Detail == "" {
		e.Detail = "This cannot be read as an expression."
	}
	if strings.HasPrefix(found.Message, "literal not terminated") {
		e.From = unclosedQuote(text)
		e.To = e.From + 1
	}
	return e
}

// unclosedQuote finds where the text begins that has no end, in runes.
func unclosedQuote(text string) int {
	runes := []rune(text)
	open, quote := 0, rune(0)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case quote != 0 && r == '\\' && quote != '`':
			i++
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"' || r == '`'):
			open, quote = i, r
		}
	}
	return open
}

// phrasing turns one kind of message into ours. Its pattern is literal text with % for
// what varies.
type phrasing struct {
	pattern string
	summary string
	say     func(parts []string) string
}

// match gives what stands at the pattern's %.
func (p phrasing) match(message string) ([]string, bool) {
	start, _, _ := strings.Cut(p.pattern, "%")
	rest, ok := strings.CutPrefix(message, start)
	if !ok {
		return nil, false
	}
	pieces := strings.Split(p.pattern, "%")
	var parts []string
	for i, piece := range pieces[1:] {
		at := strings.Index(rest, piece)
		if i == len(pieces)-2 && piece == "" {
			at = len(rest)
		}
		if at < 0 {
			return nil, false
		}
		parts = append(parts, rest[:at])
		rest = rest[at+len(piece):]
	}
	return parts, true
}

// fixed is a phrasing that says the same whatever varies.
func fixed(detail string) func([]string) string {
	return func([]string) string { return detail }
}

// typePhrase names a type that the checker or the machine calls by its Go name.
func typePhrase(name string) string {
	switch name = strings.TrimSpace(name); {
	case name == "string" || name == "[]uint8":
		return "a string"
	case name == "bool":
		return "a bool"
	case name == "nil" || name == "<nil>" || name == "nil value":
		return "null"
	case strings.HasPrefix(name, "int") && !strings.HasPrefix(name, "interface"),
		strings.HasPrefix(name, "uint"), strings.HasPrefix(name, "float"):
		return "a number"
	case strings.HasPrefix(name, "[]") || name == "slice" || name == "array":
		return "a list"
	case strings.HasPrefix(name, "map") || strings.HasSuffix(name, "emptyMap"):
		return "a map"
	case strings.HasPrefix(name, "func"):
		return "a function"
	default:
		return "a value of unknown type (any)"
	}
}

// capital begins a sentence.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(string(r)) + s[n:]
}

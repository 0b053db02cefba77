package rules

import (
	"maps"
	"slices"
	"strings"
)

// Vocabulary is the names that rules of one kind and method may use, for the reference.
type Vocabulary struct {
	Kind Kind
	// Method is empty for connect rules, and "*" for what every method has.
	Method string
	// Names are sorted; those of the method itself come in the order of its parameters.
	Names []NameDoc
}

// NameDoc describes one name.
type NameDoc struct {
	Name string
	// Type is any, string, number, int, bool, list or map.
	Type string
	Doc  string
	// Settable says that a rule may assign the name.
	Settable bool
}

// FunctionDoc describes one function.
type FunctionDoc struct {
	Name  string
	Usage string
	Doc   string
	// Example is an expression that is true.
	Example string
	// Own says that the function is loka's and not the expression language's.
	Own bool
}

// Outcomes lists what rules of a kind can do with a message, as in set and deny.
func Outcomes(k Kind) []string {
	var list []string
	if k != Connect {
		list = append(list, "set")
	}
	for _, outcome := range []string{"deny", "reply", "drop", "route"} {
		if notHere(k, outcome) == "" {
			list = append(list, outcome)
		}
	}
	return list
}

// Withdrawn lists the functions of the expression language that are left out, with what
// to do instead.
func Withdrawn() map[string]string { return maps.Clone(withdrawn) }

// Vocabularies lists the vocabulary: connect, then for each kind what every method has
// and what each known method adds. It is made anew by each call.
func Vocabularies() []Vocabulary {
	list := []Vocabulary{{Kind: Connect, Names: describe(vocabularyFor(Connect, ""), nil)}}
	for k := Request; k <= Notification; k++ {
		common := vocabularyFor(k, "*")
		list = append(list, Vocabulary{Kind: k, Method: "*", Names: describe(common, nil)})
		for _, m := range byMethod(k) {
			list = append(list, Vocabulary{Kind: k, Method: m.method, Names: describe(vocabularyFor(k, m.method), common)})
		}
	}
	return list
}

// describe lists the names that are not the same in another vocabulary.
func describe(v, without *vocabulary) []NameDoc {
	var entries []*entry
	for _, e := range v.names {
		if without == nil || without.names[e.name] != e {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b *entry) int {
		if a.at != b.at {
			return a.at - b.at
		}
		return strings.Compare(a.name, b.name)
	})
	list := make([]NameDoc, len(entries))
	for i, e := range entries {
		list[i] = NameDoc{e.name, e.kind.String(), e.doc, e.settable(v.kind)}
	}
	return list
}

// Functions lists what expressions may call, sorted by name.
func Functions() []FunctionDoc {
	list := make([]FunctionDoc, 0, len(functions))
	for _, name := range sortedKeys(functions) {
		f := functions[name]
		list = append(list, FunctionDoc{f.name, f.usage, f.doc, functionExamples[f.name], f.call != nil})
	}
	return list
}

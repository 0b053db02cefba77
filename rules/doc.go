// Package rules decides what happens to a message.
//
// A policy gives it rules, whose conditions and new values are expressions in
// expr-lang; Compile turns them into a Program, once. For each message the caller
// asks the Program for the Chain of its kind and method, decodes the parts of the
// message that the Chain uses, and gets a Decision: forward (with which fields
// changed), deny, reply, drop, and where to.
//
// Rules are pure. A decision depends on the message and on the Facts shown to the
// rule, and on nothing else: this package reads no file, no socket and no clock, and
// starts no goroutine. The time and the figures of pools are Facts like any other, and
// Program.Drifts says whether they decide where a miner belongs. A Program is immutable
// and may be used by any number of goroutines.
//
//	program, mistakes := rules.Compile([]rules.Rule{{
//		Kind: rules.Request, Method: "mining.authorize",
//		When: &rules.Source{Text: "not (user startsWith 'bc1')"},
//		Set:  []rules.Assignment{{Field: "user", Value: rules.Source{Text: "'bc1q.' + user"}}},
//	}})
//	…
//	chain := program.Chain(rules.Request, method) // nil: nobody looks at this message
//	chain.Decide(&message, facts, &decision)
//
// Programs that have much in common, such as those of a hundred proxies from one
// template, are made by one Compiler, which shares what is the same in them.
//
// Names and their types depend on the kind and the method of a rule; one table
// (vocabulary.go) has them all. At load an expression is parsed, its names are settled
// (client.ip becomes one name, var.wallet becomes its value), its types are checked, and
// it is weighed. Where only the type of a variable is known (Scope.Typed), what hangs on
// its value is not checked, and the Program is not meant to run.
//
// The weighing is there because a stranger writes the messages. The expression language
// stops by itself, but has no bound on the texts it builds or the work it does. So each
// value gets an upper bound, each expression a worst time and a worst use of memory,
// with that of one failure for each rule, and rules that could together hold up a message
// for more than a millisecond, or build more than a mebibyte, are refused with the names
// of the heaviest. The figures are for a small server and were measured, not proven. They
// rest on limits of the message: the caller sees to 16 KiB a line, 64 params and a
// depth of 8; a named text of more than 1 KiB (16 for the coinbase), or a list or
// map of more than 256 elements or 16 KiB, fails the rule that looks at it.
//
// What of the language does not suit messages from strangers is left out or is a function
// of our own: in finds nothing, instead of failing, where a value has the wrong type, and
// int fails for what does not fit. Sums and products of whole numbers wrap around.
//
// No rule lowers the difficulty that a pool sets, or keeps it from the miner.
//
// Rules fail closed: a name whose value has another type than its own fails the rule, for
// the pool might read it otherwise. A failed rule changes nothing, and Rule.OnError says
// what becomes of the message.
package rules

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
// starts no goroutine. A Program is immutable and may be used by any number of
// goroutines.
package rules

// Package ruletest runs the tests of a policy, and whatever else asks what a policy would
// do to a message: a trace, a recorded session, two policies side by side.
//
// A test (*.test.hcl, read by package policy) is the session of one miner, and its steps
// are messages. They go through core/exchange, the conversation that a live session of
// the proxy holds: the same compiled rules, the same names that stick, the same bytes.
// There is no second engine here that could differ from the first.
//
//	suites, diags := policy.LoadTests("/etc/loka", policy.Options{})
//	for _, t := range suites[0].Files[0].Tests {
//		result := ruletest.Run(t)
//		fmt.Println(t.Name, result.Passed())
//	}
//
// The files: conversation.go holds a conversation and collects what comes of each
// message; run.go and compare.go run a test; coverage.go counts what the rules saw;
// capture.go, replay.go and difference.go are about recorded sessions; the rest says
// what was found, for people (text.go) and for programs (json.go, junit.go, tap.go,
// bench.go).
package ruletest

package policy

import (
	"math"

	"github.com/loka-proxy/loka/rules"
)

// maxCount bounds the counts that a test may give.
const maxCount = math.MaxInt32

// The blocks of files of tests, which may have those of a policy besides.
var (
	clientBlock = &blockType{
		name: "client", doc: "The miner that connects.",
		args: []argumentType{
			{name: "ip", is: isText, fallback: "127.0.0.1", doc: "Its address."},
			{name: "port", is: isNumber, fallback: 4444, least: 1, most: 65535, doc: "Its port."},
			{name: "agent", is: isText, fallback: "", doc: "Its user agent, as if it had subscribed."},
		},
	}
	valuesBlock = &blockType{
		name: "variables", doc: "Values for the variables of the policy: in a test, or for all tests of the file.", free: "a variable and its value",
	}
	upstreamBlock = &blockType{
		name: "upstream", doc: "Figures of a pool, from here on. May be given again, for another pool. What is left out stays as it was: at first every pool is up, and all else is 0.",
		args: []argumentType{
			{name: "pool", is: isPool, without: "that of the proxy", doc: "The pool, as in pool.rental."},
			{name: "up", is: isBool, doc: "Whether a server of it can be reached."},
			{name: "reject_rate", is: isDecimal, most: 1, doc: "How many of the shares it rejects, as in 0.05."},
			{name: "latency_ms", is: isDecimal, doc: "Milliseconds that its answers to shares take."},
			{name: "sessions", is: isNumber, most: maxCount, doc: "How many miners are with it."},
			{name: "hashrate", is: isDecimal, doc: "Hashes a second that it accepts."},
		},
	}
	statsBlock = &blockType{
		name: "stats", doc: "Figures of the session, from here on. What is left out stays as it was, 0 at first; the steps do not change them.",
		args: []argumentType{
			{name: "submitted", is: isNumber, most: maxCount, doc: "Shares of the session."},
			{name: "accepted", is: isNumber, most: maxCount, doc: "Those that a pool accepted."},
			{name: "rejected", is: isNumber, most: maxCount, doc: "Those that a pool rejected."},
			{name: "reject_rate", is: isDecimal, most: 1, doc: "How many of its shares are rejected, as in 0.05."},
			{name: "hashrate", is: isDecimal, doc: "Its hashes a second, as in 120e12."},
		},
	}
	assertBlock = &blockType{
		name: "assert", doc: "A condition on the message as it was sent on. May be given again.",
		args: []argumentType{
			{name: "condition", required: true, is: isExpression, doc: "With the names of a rule for this message."},
			{name: "error_message", required: true, is: isText, doc: "What is said when the condition is false."},
		},
	}
	testBlock = &blockType{
		name: "test", labels: []string{"name"}, doc: "The session of one miner. Its steps are messages, and one follows the other.",
		args: []argumentType{
			forEachArgument,
			{name: "proxy", is: isProxy, without: "the only one", doc: "Where the miner connects, as in proxy.site[\"braiins\"]."},
			{name: "clock", is: isText, fallback: "2026-01-01T00:00:00Z", doc: "When it connects. Its zone is that of clock.hour and the like, as +02:00 in \"2026-07-01T14:30:00+02:00\"."},
			{name: "capture", is: isText, doc: "A recorded session that is replayed, in place of steps. Relative to the file."},
			{name: "golden", is: isText, without: "the capture itself", doc: "What the policy makes of the capture. Relative to the file."},
		},
		blocks: []*blockType{
			clientBlock, valuesBlock, upstreamBlock, statsBlock,
			stepBlocks[rules.Connect], stepBlocks[rules.Request], stepBlocks[rules.Response], stepBlocks[rules.Notification],
		},
	}
	testFileBlock = &blockType{
		name: "tests", doc: "At its top level a file of tests has the blocks variables and test, and those of a policy if it brings the policy that it tests.",
		args:   policyBlock.args,
		blocks: append([]*blockType{valuesBlock, testBlock}, policyBlock.blocks...),
	}
)

// What the steps of each kind say of their message.
var (
	paramsArgument = argumentType{name: "params", is: isAny, without: "none", doc: "The params of the message."}
	lineArgument   = argumentType{name: "line", is: isText, doc: "The message as a whole, in place of the method and params."}
	afterArgument  = argumentType{name: "after", is: isDuration, without: "at once", doc: "How long after the step before."}

	stepBlocks = map[rules.Kind]*blockType{
		rules.Connect: step(rules.Connect, "The connection itself. The first step, if it is one."),
		rules.Request: step(rules.Request, "The miner asks.", paramsArgument, lineArgument, afterArgument),
		rules.Response: step(
			rules.Response, "The pool answers.",
			argumentType{name: "result", is: isAny, without: "null", doc: "The result."},
			argumentType{name: "error", is: isAny, without: "null", doc: "The error."},
			argumentType{name: "params", is: isAny, without: "those of the request before", doc: "The params of the request that is answered."},
			afterArgument,
		),
		rules.Notification: step(rules.Notification, "The pool says something by itself.", paramsArgument, lineArgument, afterArgument),
	}
)

func step(kind rules.Kind, doc string, args ...argumentType) *blockType {
	t := &blockType{name: kind.String(), doc: doc, args: args, blocks: []*blockType{expectBlocks[kind], assertBlock, upstreamBlock, statsBlock}}
	if kind != rules.Connect {
		t.labels = []string{"method"}
	}
	return t
}

// looseSteps have the arguments of all steps, and those of expect, so that a word can be
// said of the ones that are out of place.
var looseSteps = map[rules.Kind]*blockType{
	rules.Connect: loose(rules.Connect), rules.Request: loose(rules.Request),
	rules.Response: loose(rules.Response), rules.Notification: loose(rules.Notification),
}

func loose(kind rules.Kind) *blockType {
	t := *stepBlocks[kind]
	t.args = append([]argumentType{afterArgument}, expectBlocks[rules.Request].args...)
	return &t
}

// expectBlocks are what can be expected of the steps of each kind.
var expectBlocks = map[rules.Kind]*blockType{
	rules.Connect:      expect([]string{"forward", "deny"}, "code", "message", "pool", "rules", "failed", "audit"),
	rules.Request:      expect([]string{"forward", "deny", "reply", "drop", "refuse"}, "params", "result", "error", "code", "message", "pool", "user", "pool_user", "rules", "failed", "unchanged", "line", "audit"),
	rules.Response:     expect([]string{"forward", "drop", "refuse"}, "result", "error", "pool", "user", "pool_user", "rules", "failed", "unchanged", "line", "audit"),
	rules.Notification: expect([]string{"forward", "drop", "refuse"}, "params", "pool", "user", "pool_user", "rules", "failed", "unchanged", "line", "audit"),
}

// expect makes the block of one kind of step: what may become of the message, and the
// rest of what it can expect.
func expect(verdicts []string, names ...string) *blockType {
	t := &blockType{name: "expect", doc: "What becomes of the message. Compared exactly; what is left out is not compared."}
	t.args = append(t.args, argumentType{name: "verdict", is: isText, without: "\"forward\"", choices: verdicts, doc: "What became of the message."})
	for _, name := range names {
		for _, a := range expectations {
			if a.name == name {
				t.args = append(t.args, a)
			}
		}
	}
	return t
}

var expectations = []argumentType{
	{name: "params", is: isAny, doc: "The params as they were sent on."},
	{name: "result", is: isAny, doc: "The result as it was sent on, or that of a reply."},
	{name: "error", is: isAny, doc: "The error as it was sent on, or that of a reply."},
	{name: "code", is: isNumber, least: 1, most: math.MaxInt32, doc: "The code of a denial."},
	{name: "message", is: isText, doc: "The text of a denial."},
	{name: "pool", is: isPool, doc: "The pool that the miner is at afterwards. Where routes look at clock, stats or upstream, they are decided anew before each step."},
	{name: "user", is: isText, doc: "The miner's own name afterwards."},
	{name: "pool_user", is: isText, doc: "The name that the pool sees afterwards."},
	{name: "rules", is: isTexts, doc: "The rules that matched, in order, by address or short name."},
	{name: "failed", is: isTexts, doc: "The rules in which an expression failed."},
	{name: "unchanged", is: isBool, doc: "Whether the line was sent on byte for byte."},
	{name: "line", is: isText, doc: "The line as it was sent on."},
	{name: "audit", is: isTexts, doc: "The events that are kept."},
}

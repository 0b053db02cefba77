package policy

import (
	"time"

	"github.com/loka-proxy/loka/rules"
)

// Suite is the tests of one policy: of a directory, or of a file.
type Suite struct {
	// Path is the policy that is tested, as the operator would write it.
	Path  string
	Files []*TestFile
	// Inputs are all files that were read: policies, tests, values and captures.
	Inputs []string
}

// TestFile is one file *.test.hcl.
type TestFile struct {
	Name  string
	Tests []*Test
}

// Test is one test: the session of one miner, whose messages are the steps.
type Test struct {
	// Name is the label, with the key of an instance of a for_each behind it, as in
	// names that are not names are refused ["a b"].
	Name string
	File string
	// Range is that of the block's head.
	Range Range
	// Policy is the policy under the values that the test gives to its variables.
	Policy *Policy
	// Proxy is the proxy that the miner connects to.
	Proxy  *Proxy
	Client Client
	// Clock is when the miner connects.
	Clock time.Time
	// Figures hold from the beginning, and those of a step from there on.
	Figures []Figure
	Steps   []*Step
	// Capture is the file of a recorded session that is replayed, instead of steps, and
	// Golden the file with what the policy makes of it; empty means the capture itself.
	Capture string
	Golden  string
}

// Client is the miner of a test.
type Client struct {
	IP    string
	Port  int
	Agent string
	// Named says that the test gives the address itself, so that no other may stand in
	// its place.
	Named bool
}

// Step is one message of a test, or the connection itself.
type Step struct {
	Kind   rules.Kind
	Method string
	// Range is that of the block's head; Title is the head itself, as in
	// request "mining.authorize".
	Range Range
	Title string
	// Line is the message as a whole, without its end; then the fields below are not
	// given.
	Line string
	// Params are those of the message; of a response, those of the request that it
	// answers where the test has no such request. Nil means not given, and a request or
	// notification has none.
	Params any
	// Result and Error are those of a response.
	Result any
	Error  any
	// After is how long after the step before this one comes.
	After   time.Duration
	Figures []Figure
	Expect  []Want
	Asserts []*Assert
}

// Figure is one figure that rules may look at, and what a test says that it is.
type Figure struct {
	// Pool is the address of the pool that it is about; empty for the session.
	Pool string
	// Name is a name that begins with upstream or stats. The value of a bool is 0 or 1,
	// and that of a count is whole.
	Name  rules.Name
	Value float64
}

// Want is one thing that a step expects, such as params. They stand in the order of
// the file. Values are what JSON has: string, bool, int, float64, nil, []any and
// map[string]any; a pool is its address.
type Want struct {
	Field string
	Value any
	Range Range
}

// Assert is a condition on the message as it was sent on.
type Assert struct {
	// Program has one rule, which matches where the condition holds.
	Program *rules.Program
	Message string
	Range   Range
}

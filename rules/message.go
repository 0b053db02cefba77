package rules

// Message is what the engine is shown of one message. The caller decodes it from
// the line, and only as far as Chain.Uses asks.
type Message struct {
	Method string
	// Params are the decoded parameters: of the message itself or, in a response,
	// of the request that it answers. Its length is the true number of parameters;
	// an element that Uses does not ask for may be nil.
	//
	// Decoded values are string (valid UTF-8), bool, nil, int (an integer literal
	// that fits), float64, []any and map[string]any.
	Params []any
	// Result, Error, OK and Latency are those of a response. Error is nil when absent.
	Result    any
	Error     any
	OK        bool
	LatencyMS float64
}

// Facts answers for the names that do not come from the message: the client, the
// session, the pool. Values are boxed by the caller, so that a lookup allocates nothing.
type Facts interface {
	// Fact gives the value of a name, never nil and of the type that the name has
	// in the vocabulary.
	Fact(Name) any
	// Figure gives one of the names that begin with Upstream for a pool that an
	// expression names, whichever the session is with.
	Figure(pool string, n Name) any
}

// Verdict is what becomes of a message.
type Verdict uint8

const (
	// Forward passes the message on, changed or not.
	Forward Verdict = iota
	// Denied refuses a request: the miner gets an error reply from loka.
	Denied
	// Replied answers a request in the pool's place.
	Replied
	// Dropped discards the message without a word.
	Dropped
)

// Decision is the outcome of a walk over the rules of one message. It is reset and
// filled by Chain.Decide; its slices are reused by the next call. Lists and maps in it
// may be shared with the message and with the Program: nobody changes them.
type Decision struct {
	Verdict Verdict
	// By is the number of the rule that denied, replied or dropped; -1 otherwise.
	By int
	// Code and Text are the error of a denial.
	Code int
	Text string

	// Params holds the parameters as the rules left them. Edited has bit i set where
	// element i was assigned; ParamsSet says that params was assigned as a whole.
	Params    []any
	Edited    uint64
	ParamsSet bool
	// UserSet says that a rule assigned user (or params), so the name in the message is the rule's.
	UserSet bool
	// Result and Error are the new ones of a response, or those of a Reply.
	Result    any
	Error     any
	ResultSet bool
	ErrorSet  bool

	// Route is the address of the pool that the last routing rule named, or empty.
	Route string
	// Matched lists the numbers of the rules that matched, in order.
	Matched []int
	// Failed lists the rules whose expressions failed, in order.
	Failed []Failure

	// Trace asks for Steps; it is left as it is by Decide.
	Trace bool
	Steps []Step
	// Secrets are, with Trace, the values that Steps leaves out: whoever shows the message
	// that they went into has to leave them out there too.
	Secrets []any

	// boxed is Params as expressions read it, and where it was when it was boxed.
	boxed    any
	boxedAt  *any
	boxedLen int
}

// Changed reports whether any part of the message differs from what came in, so far
// as assignments tell.
func (d *Decision) Changed() bool {
	return d.Edited != 0 || d.ParamsSet || d.ResultSet || d.ErrorSet
}

// Failure is an expression that failed on one message.
type Failure struct {
	Rule int
	// Err says what failed and where.
	Err *Error
}

// Step is one rule's part in a traced walk.
type Step struct {
	Rule   int
	When   bool
	Set    []Change
	Failed *Error
}

// Change is one assignment of a traced walk. Value is nil and Secret true when the
// expression names a sensitive value.
type Change struct {
	Field  string
	Value  any
	Secret bool
}

package rules

// Kind says which kind of message a rule looks at.
type Kind uint8

const (
	// Connect is no message at all: a socket was accepted and nothing was read yet.
	Connect Kind = iota
	// Request travels from the miner to the pool, with a method.
	Request
	// Response answers a request of the miner; it travels from the pool to the miner.
	Response
	// Notification travels from the pool to the miner with a method. Some pools
	// give theirs an id (p2pool, eloipool); they count as notifications all the same.
	Notification
)

// String gives the kind as the policy's rule blocks are called.
func (k Kind) String() string {
	if k > Notification {
		return "unknown"
	}
	return [...]string{"connect", "request", "response", "notification"}[k]
}

// Source is one expression as its author wrote it.
type Source struct {
	// Text is the expression, decoded: no quotes around it, no heredoc markers.
	Text string
	// Origin is whatever the caller needs to find the text in its file again.
	// This package hands it back in an Error and never looks inside.
	Origin any
}

// Rule is one rule as the policy gives it, not yet compiled.
type Rule struct {
	// Address names the rule in labels, traces and tests, as in
	// ruleset.house.request.trim_session or proxy.site["braiins"].request.rental_rigs.
	// Two proxies that use one ruleset share its addresses.
	Address string
	Kind    Kind
	// Method is a method's name, or a prefix of names ending in "*". Empty for Connect.
	Method string
	// When guards the rule; nil means always.
	When *Source
	// Set lists what the rule changes. Every expression in it sees the message as
	// the rule received it.
	Set []Assignment
	// At most one of Deny, Reply and Drop is given; each ends the walk.
	Deny  *Deny
	Reply *Reply
	Drop  bool
	// Route is the address of a pool, or empty. It does not end the walk.
	Route string
	// Stop ends the walk after this rule, when it matched.
	Stop    bool
	OnError OnError
	// Scope holds the constants that var.x and local.x stand for.
	Scope *Scope
	// Origin is handed back in errors that concern the rule as a whole.
	Origin any
}

// Assignment gives one field of the message a new value.
type Assignment struct {
	// Field is a name from the vocabulary of the rule's kind and method, such as
	// user, params, result or difficulty.
	Field string
	Value Source
	// Origin finds the field's name in its file.
	Origin any
}

// Deny refuses a request with an error of loka's own. A code of 0 stands for
// DeniedCode, an empty message for DeniedText.
type Deny struct {
	Code    int
	Message string
}

// Reply answers a request in the pool's place. Both are expressions; a nil one gives null.
type Reply struct {
	Result *Source
	Error  *Source
}

// OnError says what becomes of a message when an expression of a rule fails on it.
type OnError uint8

const (
	// OnErrorDefault denies a request with code 20 (and a connection), and skips
	// the rule for a response or a notification.
	OnErrorDefault OnError = iota
	// OnErrorDeny denies a request with code 20.
	OnErrorDeny
	// OnErrorSkip goes on with the next rule, as if this one had not matched.
	OnErrorSkip
	// OnErrorDrop drops the message.
	OnErrorDrop
)

// Scope holds the constants of a ruleset or a proxy. Values are what JSON has:
// string, bool, int, float64, nil, []any and map[string]any. A nil map means
// that the name itself (var, local) does not exist in this scope.
type Scope struct {
	Var   map[string]any
	Local map[string]any
	// Sensitive names the values that no trace may show, as "var.pool_password".
	Sensitive map[string]bool
	// Typed names the values that are only examples of their type, as "var.factor": the
	// true ones are not known yet, as in a ruleset that nobody uses. Expressions with
	// them are checked for everything but what hangs on the value. An example of a list
	// or map tells the type of its elements if it has some.
	Typed map[string]bool
}

// typed reports whether any name stands for a type alone.
func (s *Scope) typed() bool { return s != nil && len(s.Typed) > 0 }

// Error is a mistake in one expression or rule, found by Compile.
type Error struct {
	// Origin is that of the Source, the Assignment or the Rule the error is about.
	Origin any
	// From and To bound the mistake in runes of Source.Text; both are -1 when the
	// whole of it is meant.
	From, To int
	// Summary is one line without a full stop; Detail is one or more paragraphs,
	// parted by blank lines.
	Summary string
	Detail  string
}

// Error gives the summary and the detail on one line, for logs and tests.
func (e *Error) Error() string { return e.Summary + ": " + e.Detail }

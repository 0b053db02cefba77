package rules

// Program is the compiled rules of one proxy, indexed by kind and method.
type Program struct{ rules []Rule }

// Uses says which parts of a message a chain looks at, so that nobody decodes the rest.
type Uses struct {
	// Params has bit i set where element i is looked at or assigned by name; AllParams
	// where params itself is.
	Params    uint64
	AllParams bool
	Result    bool
	Error     bool
}

// Chain is the rules that look at messages of one kind and method, in order.
type Chain struct{}

// Compile turns rules into a Program, or lists every mistake in them. The order of
// the rules is the order in which they run; rule numbers are indices into it.
func Compile(list []Rule) (*Program, []*Error) { return &Program{rules: list}, nil }

// Rules gives the rules as they were compiled. The caller must not change them.
func (p *Program) Rules() []Rule { return p.rules }

// Chain gives the rules for a kind and method, or nil when no rule looks at it. It
// allocates nothing. For Connect the method is nil.
func (p *Program) Chain(kind Kind, method []byte) *Chain { return nil }

// MapsNames reports whether a rule may change the user at mining.authorize.
func (p *Program) MapsNames() bool { return false }

// Uses says what the chain looks at.
func (c *Chain) Uses() Uses { return Uses{} }

// Decide walks the chain. It is safe for concurrent use with different decisions.
func (c *Chain) Decide(msg *Message, facts Facts, d *Decision) {}

package stratum

// The views of this file show what a miner asks for. An element that is absent has the zero Span; one that is there
// may be any JSON value, and Text says whether it is a string. The line has passed Scan.

// Subscribe holds the params of mining.subscribe, all optional.
type Subscribe struct{ UserAgent, SessionID, Host, Port Span }

// ParseSubscribe reads the params of mining.subscribe; params that are absent or null count as empty.
func ParseSubscribe(line []byte, params Span) (s Subscribe, ok bool) {
	at, ok := optional(line, params)
	if !ok {
		return s, false
	}
	return Subscribe{at[0], at[1], at[2], at[3]}, true
}

// Authorize holds the params of mining.authorize; the password may be absent.
type Authorize struct{ User, Password Span }

// ParseAuthorize reads the params of mining.authorize.
func ParseAuthorize(line []byte, params Span) (a Authorize, ok bool) {
	at, n := elements(line, params)
	if n < 1 {
		return a, false
	}
	return Authorize{at[0], at[1]}, true
}

// Submit holds the params of mining.submit. VersionBits is there when the miner rolls the version (BIP310).
type Submit struct{ Worker, JobID, Extranonce2, NTime, Nonce, VersionBits Span }

// ParseSubmit reads the params of mining.submit.
func ParseSubmit(line []byte, params Span) (s Submit, ok bool) {
	at, n := elements(line, params)
	if n < 5 {
		return s, false
	}
	return Submit{at[0], at[1], at[2], at[3], at[4], at[5]}, true
}

// The extensions of BIP310.
const (
	ExtensionVersionRolling      = "version-rolling"
	ExtensionMinimumDifficulty   = "minimum-difficulty"
	ExtensionSubscribeExtranonce = "subscribe-extranonce"
	ExtensionInfo                = "info"
)

// Configure holds the params of mining.configure.
type Configure struct {
	Extensions Span // the array of the extensions that the miner asks for
	Options    Span // the object with their parameters; may be absent

	VersionRolling      bool
	MinimumDifficulty   bool
	SubscribeExtranonce bool
	Info                bool

	MaskText    Span   // the value of version-rolling.mask; may be absent
	Mask        uint32 // what it says; all bits if absent, as BIP310 says
	MinBitCount int    // version-rolling.min-bit-count; 0 if absent
}

// ParseConfigure reads the params of mining.configure. It fails if the mask is not a mask.
func ParseConfigure(line []byte, params Span) (c Configure, ok bool) {
	at, n := elements(line, params)
	if n < 1 || line[at[0].From] != '[' {
		return c, false
	}
	c = Configure{Extensions: at[0], Options: at[1], Mask: 0xffffffff}
	c.VersionRolling = c.Asks(line, ExtensionVersionRolling)
	c.MinimumDifficulty = c.Asks(line, ExtensionMinimumDifficulty)
	c.SubscribeExtranonce = c.Asks(line, ExtensionSubscribeExtranonce)
	c.Info = c.Asks(line, ExtensionInfo)
	if n, is := wholeNumber(Member(line, c.Options, "version-rolling.min-bit-count").Of(line)); is {
		c.MinBitCount = n
	}
	c.MaskText = Member(line, c.Options, "version-rolling.mask")
	if c.MaskText.Present() {
		c.Mask, ok = hex32(c.MaskText.Of(line))
		return c, ok
	}
	return c, true
}

// Asks says whether the miner asks for an extension.
func (c Configure) Asks(line []byte, extension string) bool {
	for element, ok := first(line, c.Extensions); ok; element, ok = next(line, element) {
		if Equal(element.Of(line), extension) {
			return true
		}
	}
	return false
}

// ParseSuggestDifficulty reads the params of mining.suggest_difficulty: a number, which cpuminer-opt writes as a
// string.
func ParseSuggestDifficulty(line []byte, params Span) (difficulty float64, ok bool) {
	at, n := elements(line, params)
	if n < 1 {
		return 0, false
	}
	raw := at[0].Of(line)
	if raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	return number(raw)
}

package stratum

// The views of this file show what a pool tells. The line has passed Scan.

// Notify holds the params of mining.notify: the parts of a job.
type Notify struct {
	JobID, PrevHash, Coinb1, Coinb2, MerkleBranches Span
	Version, NBits, NTime, Clean                    Span

	CleanJobs bool // Clean is true
}

// ParseNotify reads the params of mining.notify. More than nine are fine with miners.
func ParseNotify(line []byte, params Span) (n Notify, ok bool) {
	at, count := elements(line, params)
	if count < 9 || line[at[4].From] != '[' {
		return n, false
	}
	return Notify{
		JobID: at[0], PrevHash: at[1], Coinb1: at[2], Coinb2: at[3], MerkleBranches: at[4],
		Version: at[5], NBits: at[6], NTime: at[7], Clean: at[8],
		CleanJobs: string(at[8].Of(line)) == "true",
	}, true
}

// ParseSetDifficulty reads the params of mining.set_difficulty: any number, with or without a fraction.
func ParseSetDifficulty(line []byte, params Span) (difficulty float64, ok bool) {
	at, n := elements(line, params)
	if n < 1 {
		return 0, false
	}
	return number(at[0].Of(line))
}

// SetExtranonce holds the params of mining.set_extranonce. A null, with which bfgminer copes, leaves its part
// unchanged: then Extranonce1 is absent or Extranonce2Size is 0.
type SetExtranonce struct {
	Extranonce1     Span
	Extranonce2Size int
}

// ParseSetExtranonce reads the params of mining.set_extranonce.
func ParseSetExtranonce(line []byte, params Span) (s SetExtranonce, ok bool) {
	at, n := elements(line, params)
	if n < 2 {
		return s, false
	}
	switch line[at[0].From] {
	case '"':
		s.Extranonce1 = at[0]
	case 'n':
	default:
		return SetExtranonce{}, false
	}
	if line[at[1].From] == 'n' {
		return s, true
	}
	s.Extranonce2Size, ok = wholeNumber(at[1].Of(line))
	return s, ok
}

// ParseSetVersionMask reads the params of mining.set_version_mask: an array with the mask, or the mask itself, which
// cgminer takes as well.
func ParseSetVersionMask(line []byte, params Span) (mask uint32, ok bool) {
	if params.Present() && line[params.From] == '"' {
		return hex32(params.Of(line))
	}
	at, n := elements(line, params)
	if n < 1 {
		return 0, false
	}
	return hex32(at[0].Of(line))
}

// Reconnect holds the params of client.reconnect, all optional. A port is a number or a string.
type Reconnect struct{ Host, Port, Wait Span }

// ParseReconnect reads the params of client.reconnect; params that are absent or null count as empty.
func ParseReconnect(line []byte, params Span) (r Reconnect, ok bool) {
	at, ok := optional(line, params)
	if !ok {
		return r, false
	}
	return Reconnect{at[0], at[1], at[2]}, true
}

// SubscribeResult holds the result of mining.subscribe.
type SubscribeResult struct {
	Subscriptions   Span
	SessionID       Span // what belongs to mining.notify in Subscriptions; may be absent
	Extranonce1     Span // a string of hex digits; empty with p2pool
	Size            Span // the number from which Extranonce2Size comes
	Extranonce2Size int
}

// ParseSubscribeResult reads the result of mining.subscribe. Extranonce2Size may be written as 8.0.
func ParseSubscribeResult(line []byte, result Span) (s SubscribeResult, ok bool) {
	at, n := elements(line, result)
	if n < 3 || line[at[1].From] != '"' {
		return s, false
	}
	size, ok := wholeNumber(at[2].Of(line))
	if !ok {
		return s, false
	}
	return SubscribeResult{
		Subscriptions: at[0], SessionID: sessionID(line, at[0]),
		Extranonce1: at[1], Size: at[2], Extranonce2Size: size,
	}, true
}

// sessionID finds the id in [["mining.set_difficulty","1"],["mining.notify","2"]], or in p2pool's flat
// ["mining.notify","2"].
func sessionID(line []byte, subscriptions Span) Span {
	at, n := elements(line, subscriptions)
	for _, pair := range at[:n] {
		inner, count := elements(line, pair)
		if count >= 2 && Equal(inner[0].Of(line), MethodNotify) {
			return inner[1]
		}
	}
	if n >= 2 && Equal(at[0].Of(line), MethodNotify) {
		return at[1]
	}
	return Span{}
}

// ConfigureResult holds the result of mining.configure (BIP310).
type ConfigureResult struct {
	VersionRolling      bool
	MinimumDifficulty   bool
	SubscribeExtranonce bool

	MaskText Span   // the value of version-rolling.mask; may be absent
	Mask     uint32 // what it says; 0 unless the pool rolls versions
}

// ParseConfigureResult reads the result of mining.configure. An extension that the pool answers with false, with a
// string that says why, or not at all is off, and so is version rolling without a mask.
func ParseConfigureResult(line []byte, result Span) (c ConfigureResult, ok bool) {
	if !result.Present() || line[result.From] != '{' {
		return c, false
	}
	is := func(extension string) bool { return string(Member(line, result, extension).Of(line)) == "true" }
	c.VersionRolling = is(ExtensionVersionRolling)
	c.MinimumDifficulty = is(ExtensionMinimumDifficulty)
	c.SubscribeExtranonce = is(ExtensionSubscribeExtranonce)
	c.MaskText = Member(line, result, "version-rolling.mask")
	if c.VersionRolling {
		c.Mask, c.VersionRolling = hex32(c.MaskText.Of(line))
	}
	return c, true
}

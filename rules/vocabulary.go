package rules

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/types"
)

// Name is a name of the vocabulary that Facts answers for.
type Name uint8

// The names that Facts answers for, with their types in expressions.
const (
	ClientIP     Name = iota // client.ip, string
	ClientPort               // client.port, int
	ClientAgent              // client.agent, string: the user agent given at subscribe, "" before
	SessionID                // session.id, string
	SessionAge               // session.age, float: seconds since the miner connected
	ListenerName             // listener, string: the address as the policy gives it
	ProxyName                // proxy, string: an address such as proxy.site["braiins"]
	PoolName                 // pool, string: an address such as pool.site["braiins"]
	UserName                 // user, string: the miner's own name, where the message does not carry it; "" before authorize
	PoolUserName             // pool_user, string: the name the pool sees; "" before authorize
	SessionPool              // session.pool, string: the address of the pool that the miner is with

	// From here on they change by themselves, while nobody says anything.

	ClockMinute  // clock.minute, int
	ClockHour    // clock.hour, int
	ClockWeekday // clock.weekday, int: 1 is Monday
	ClockDay     // clock.day, int
	ClockMonth   // clock.month, int

	StatsSubmitted  // stats.submitted, int: those of the session
	StatsAccepted   // stats.accepted, int
	StatsRejected   // stats.rejected, int
	StatsRejectRate // stats.reject_rate, float
	StatsHashrate   // stats.hashrate, float: hashes a second

	UpstreamUp         // upstream.up, bool: those of the pool that PoolName names
	UpstreamRejectRate // upstream.reject_rate, float
	UpstreamLatency    // upstream.latency_ms, float
	UpstreamSessions   // upstream.sessions, int
	UpstreamHashrate   // upstream.hashrate, float: hashes a second

	Names // how many there are
)

// drifts reports whether the value may change between two messages that are the same.
func (n Name) drifts() bool { return n >= ClockMinute }

// origin says where the value of a name comes from.
type origin uint8

const (
	fromFact   origin = iota // Facts, by the entry's fact
	fromParam                // the parameter at the entry's position
	fromUser                 // the parameter that carries the miner's name, else Facts
	fromParams               // the parameters as a whole
	fromMethod
	fromResult
	fromError
	fromOK
	fromLatency
	fromFigure  // Facts, by the entry's fact and pool
	fromExample // Scope, which knows the type alone
)

// entry is one name of the vocabulary.
type entry struct {
	name  string
	kind  valueType
	from  origin
	at    int  // position, for fromParam
	fact  Name // for fromFact, fromUser and fromFigure
	pool  string
	limit int // bytes of a text; textLimit when zero
	doc   string
	// example is a value of the name's type, for fromExample.
	example any
}

// textBytes is the most bytes that the text of a name can have in an expression.
func (e *entry) textBytes() int {
	if e.limit > 0 {
		return e.limit
	}
	return textLimit
}

// declared is the type of the name as the expression language's checker wants it.
func (e *entry) declared() types.Type {
	if e.from == fromExample && e.example != nil {
		return types.TypeOf(uniform(e.example))
	}
	return e.kind.declared()
}

// settable reports whether rules of a kind may assign the name.
func (e *entry) settable(k Kind) bool {
	if k == Response {
		return e.from == fromResult || e.from == fromError
	}
	return (k == Request || k == Notification) && (e.from == fromParam || e.from == fromParams)
}

// The names that do not depend on the method.
var (
	socketNames = []entry{
		{name: "client.ip", kind: textValue, from: fromFact, fact: ClientIP, doc: "the miner's address"},
		{name: "client.port", kind: wholeValue, from: fromFact, fact: ClientPort, doc: "the miner's port"},
		{name: "listener", kind: textValue, from: fromFact, fact: ListenerName, doc: "the address that the miner connected to, as the policy gives it"},
		{name: "proxy", kind: textValue, from: fromFact, fact: ProxyName, doc: "the address of the proxy in the policy"},
		{name: "pool", kind: textValue, from: fromFact, fact: PoolName, doc: "the address of the pool in use; in a rule for connect, mining.subscribe or mining.authorize the one that the miner is bound for by what it said before"},
		{name: "session.pool", kind: textValue, from: fromFact, fact: SessionPool, doc: "the address of the pool that the miner is with; before it is with any, the same as pool"},
		{name: "clock.minute", kind: wholeValue, from: fromFact, fact: ClockMinute, doc: "the minute of the hour, 0 to 59"},
		{name: "clock.hour", kind: wholeValue, from: fromFact, fact: ClockHour, doc: "the hour of the day, 0 to 23, in the machine's time zone"},
		{name: "clock.weekday", kind: wholeValue, from: fromFact, fact: ClockWeekday, doc: "the day of the week: 1 is Monday, 7 is Sunday"},
		{name: "clock.day", kind: wholeValue, from: fromFact, fact: ClockDay, doc: "the day of the month, 1 to 31"},
		{name: "clock.month", kind: wholeValue, from: fromFact, fact: ClockMonth, doc: "the month, 1 to 12"},
		{name: "upstream.up", kind: boolValue, from: fromFact, fact: UpstreamUp, doc: "whether a server of the pool can be reached, as far as is known"},
		{name: "upstream.reject_rate", kind: numberValue, from: fromFact, fact: UpstreamRejectRate, doc: "how many of the shares that the pool judged lately it rejected, 0 to 1; 0 where it judged none"},
		{name: "upstream.latency_ms", kind: numberValue, from: fromFact, fact: UpstreamLatency, doc: "milliseconds that the pool's answers to shares took lately; 0 where there were none"},
		{name: "upstream.sessions", kind: wholeValue, from: fromFact, fact: UpstreamSessions, doc: "how many miners are with the pool"},
		{name: "upstream.hashrate", kind: numberValue, from: fromFact, fact: UpstreamHashrate, doc: "hashes a second that the pool accepted lately"},
	}
	sessionNames = []entry{
		{name: "client.agent", kind: textValue, from: fromFact, fact: ClientAgent, doc: "the user agent that the miner gave at subscribe"},
		{name: "session.id", kind: textValue, from: fromFact, fact: SessionID, doc: "the session's own name"},
		{name: "session.age", kind: numberValue, from: fromFact, fact: SessionAge, doc: "seconds since the miner connected"},
		{name: "method", kind: textValue, from: fromMethod, doc: "the method of the message"},
		{name: "params", kind: listValue, from: fromParams, doc: "all parameters; in a response those of its request"},
		{name: "user", kind: textValue, from: fromUser, fact: UserName, doc: "the miner's own name"},
		{name: "stats.submitted", kind: wholeValue, from: fromFact, fact: StatsSubmitted, doc: "shares of the session"},
		{name: "stats.accepted", kind: wholeValue, from: fromFact, fact: StatsAccepted, doc: "those of them that a pool accepted"},
		{name: "stats.rejected", kind: wholeValue, from: fromFact, fact: StatsRejected, doc: "those of them that a pool rejected"},
		{name: "stats.reject_rate", kind: numberValue, from: fromFact, fact: StatsRejectRate, doc: "how many of the session's shares that were judged lately were rejected, 0 to 1; 0 where none was judged"},
		{name: "stats.hashrate", kind: numberValue, from: fromFact, fact: StatsHashrate, doc: "the session's hashes a second, by its accepted shares of late"},
	}
	poolUser    = entry{name: "pool_user", kind: textValue, from: fromFact, fact: PoolUserName, doc: "the name that the pool sees"}
	resultNames = []entry{
		{name: "result", kind: anyValue, from: fromResult, doc: "what the pool answered"},
		{name: "error", kind: anyValue, from: fromError, doc: "the pool's error, null when there is none"},
		{name: "ok", kind: boolValue, from: fromOK, doc: "whether the pool answered without an error"},
		{name: "latency_ms", kind: numberValue, from: fromLatency, doc: "milliseconds that the answer took"},
	}
)

// methodNames is the names by method: the parameters by their position.
type methodNames struct {
	method string
	names  []entry
}

var requestNames = []methodNames{
	{"mining.subscribe", positions(
		entry{name: "agent", kind: textValue, doc: "the user agent"},
		entry{name: "session_id", kind: textValue, doc: "the pool's session that the miner wants to resume"},
	)},
	{"mining.authorize", positions(
		entry{name: "user", kind: textValue, doc: "the miner's own name"},
		entry{name: "password", kind: textValue, doc: "the password, often options such as d=1024"},
	)},
	{"mining.submit", positions(
		entry{name: "user", kind: textValue, doc: "the miner's own name"},
		entry{name: "job_id", kind: textValue, doc: "the job that the share is for"},
		entry{name: "extranonce2", kind: textValue, doc: "the miner's part of the coinbase, in hex"},
		entry{name: "ntime", kind: textValue, doc: "the block's time, in hex"},
		entry{name: "nonce", kind: textValue, doc: "the nonce, in hex"},
		entry{name: "version_bits", kind: textValue, doc: "the rolled version bits, in hex"},
	)},
	{"mining.configure", positions(
		entry{name: "extensions", kind: listValue, doc: "the extensions that the miner asks for"},
		entry{name: "options", kind: mapValue, doc: "their options"},
	)},
	{"mining.suggest_difficulty", positions(
		entry{name: "difficulty", kind: numberValue, doc: "the difficulty that the miner would like"},
	)},
	{"mining.suggest_target", positions(
		entry{name: "target", kind: textValue, doc: "the target that the miner would like, in hex"},
	)},
	{"mining.get_transactions", positions(
		entry{name: "job_id", kind: textValue, doc: "the job whose transactions are asked for"},
	)},
}

var notificationNames = []methodNames{
	{"mining.set_difficulty", positions(
		entry{name: "difficulty", kind: numberValue, doc: "the difficulty of the shares to come"},
	)},
	{"mining.notify", positions(
		entry{name: "job_id", kind: textValue, doc: "the job's name"},
		entry{name: "prevhash", kind: textValue, doc: "the previous block's hash, in hex"},
		entry{name: "coinb1", kind: textValue, limit: messageLimit, doc: "the coinbase before the extranonces, in hex"},
		entry{name: "coinb2", kind: textValue, limit: messageLimit, doc: "the coinbase after the extranonces, in hex"},
		entry{name: "merkle_branches", kind: listValue, doc: "the hashes from the coinbase to the root"},
		entry{name: "version", kind: textValue, doc: "the block's version, in hex"},
		entry{name: "nbits", kind: textValue, doc: "the block's target in compact form, in hex"},
		entry{name: "ntime", kind: textValue, doc: "the block's time, in hex"},
		entry{name: "clean_jobs", kind: boolValue, doc: "whether earlier jobs are void"},
	)},
	{"mining.set_extranonce", positions(
		entry{name: "extranonce1", kind: textValue, doc: "the pool's part of the coinbase, in hex"},
		entry{name: "extranonce2_size", kind: wholeValue, doc: "bytes of the miner's part"},
	)},
	{"mining.set_version_mask", positions(
		entry{name: "mask", kind: textValue, doc: "the version bits that may be rolled, in hex"},
	)},
	{"client.reconnect", positions(
		entry{name: "host", kind: textValue, doc: "where the pool wants the miner to go"},
		entry{name: "port", kind: wholeValue, doc: "the port there"},
		entry{name: "wait", kind: numberValue, doc: "seconds to wait before"},
	)},
	{"client.show_message", positions(
		entry{name: "message", kind: textValue, doc: "a text for the miner's owner"},
	)},
}

// positions numbers the names of a method by the order in which they are given.
func positions(names ...entry) []entry {
	for i := range names {
		names[i].from, names[i].at = fromParam, i
	}
	return names
}

// byMethod gives the table of a kind; a response has the names of its request.
func byMethod(k Kind) []methodNames {
	switch k {
	case Request, Response:
		return requestNames
	case Notification:
		return notificationNames
	default:
		return nil
	}
}

// vocabulary is the names that the rules of one kind and label may use.
type vocabulary struct {
	kind  Kind
	label string
	names map[string]*entry
}

// vocabularyFor collects the names for a label. A label that ends in * gets the names
// that every method has.
func vocabularyFor(k Kind, label string) *vocabulary {
	v := &vocabulary{kind: k, label: label, names: map[string]*entry{}}
	v.add(socketNames)
	if k == Connect {
		return v
	}
	v.add(sessionNames)
	if k != Request || label != "mining.authorize" {
		v.names[poolUser.name] = &poolUser
	}
	if k == Response {
		v.add(resultNames)
	}
	for _, m := range byMethod(k) {
		if m.method == label {
			v.add(m.names)
		}
	}
	return v
}

func (v *vocabulary) add(names []entry) {
	for i := range names {
		v.names[names[i].name] = &names[i]
	}
}

// addExamples adds the names of a scope of which only the type is known.
func (v *vocabulary) addExamples(s *Scope) {
	for root, values := range map[string]map[string]any{"var": s.Var, "local": s.Local} {
		for name, value := range values {
			full := root + "." + name
			if clean, why := sanitize(value, 0); s.Typed[full] && why == "" {
				v.names[full] = &entry{name: full, kind: kindOf(clean), from: fromExample, example: clean}
			}
		}
	}
}

// userAt is the position of the miner's own name in a method, or -1.
func userAt(k Kind, method string) int {
	if k == Notification || (method != "mining.authorize" && method != "mining.submit") {
		return -1
	}
	return 0
}

// roots gives the names as an expression begins with them: client for client.ip, and
// var and local where the scope has them. Sorted.
func (v *vocabulary) roots(scope *Scope) []string {
	var list []string
	for name := range v.names {
		root, _, _ := strings.Cut(name, ".")
		list = append(list, root)
	}
	if scope != nil && scope.Var != nil {
		list = append(list, "var")
	}
	if scope != nil && scope.Local != nil {
		list = append(list, "local")
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// members gives what stands behind a root and its dot. Sorted.
func (v *vocabulary) members(root string) []string {
	var list []string
	for name := range v.names {
		if member, ok := strings.CutPrefix(name, root+"."); ok {
			list = append(list, member)
		}
	}
	slices.Sort(list)
	return list
}

// place says where the names are, as in "a mining.authorize request".
func (v *vocabulary) place() string {
	switch {
	case v.kind == Connect:
		return "a connect rule"
	case v.label == "*":
		return "a " + v.kind.String()
	default:
		return "a " + v.label + " " + v.kind.String()
	}
}

package exchange

import (
	"time"

	"github.com/loka-proxy/loka/rules"
)

// What says which fact a Record states.
type What uint8

const (
	// Message is a line that was read as a message and judged; Verdict says how.
	Message What = iota
	// Refused is a line that was not read as a message and not forwarded; Reason says why.
	Refused
	// Renumbered is a request that went up under an id of loka's, because its own was
	// that of a request still unanswered.
	Renumbered
	// Unmatched is a reply to nothing that is outstanding; it was forwarded.
	Unmatched
	// Unjudged is a line of the pool that rules could not be shown; it was forwarded.
	Unjudged
	// RuleMatched and RuleFailed name the rule; Failure says what went wrong.
	RuleMatched
	RuleFailed
	// Authorized is the pool's answer to an authorize; OK says which.
	Authorized
	// ShareSubmitted is a submit as it was read. Exactly one of the others follows,
	// with ShareForwarded before where the share goes to the pool.
	ShareSubmitted
	// ShareForwarded is a share on its way to the pool, whose verdict is awaited.
	ShareForwarded
	// ShareAccepted and ShareRejected are the pool's verdict; Reason is that of a rejection.
	ShareAccepted
	ShareRejected
	// ShareDenied, ShareReplied and ShareDropped did not reach the pool.
	ShareDenied
	ShareReplied
	ShareDropped
	// ShareLost was forwarded and is never answered; Reason says why.
	ShareLost
)

// Record is one fact of a conversation.
type Record struct {
	What    What
	Kind    rules.Kind
	Method  string
	Verdict rules.Verdict
	// Rule is the number of the rule that the fact is due to, or -1.
	Rule    int
	Failure *rules.Error
	// Code and Text are the error of a Message that was denied.
	Code int
	Text string
	// Reason is one of a small fixed set, fit for a label.
	Reason string
	// OK is the pool's answer to an authorize, or whether a response says yes.
	OK bool
	// Latency is from reading the request to reading its answer.
	Latency time.Duration
	// Leg is the connection to a pool that the fact concerns.
	Leg *Leg
	// Difficulty is that of the job that an accepted share was found for; 0 if unknown.
	Difficulty float64
	// Params, with a Tracer, are those of the request that a response answers.
	Params []byte

	worker *worker
}

// User is the name that the miner gave, PoolUser the one that the pool sees; both are
// empty where the fact concerns no name.
func (r *Record) User() string {
	if r.worker == nil {
		return ""
	}
	return r.worker.name
}

// PoolUser is the name that the pool sees.
func (r *Record) PoolUser() string {
	if r.worker == nil {
		return ""
	}
	return r.worker.pool
}

// Reasons for which a line is refused.
const (
	RefusedBlank     = "blank"      // from either side: cpuminer loses lines behind one
	RefusedMalformed = "malformed"  // from a miner: not one JSON object, or no request
	RefusedAmbiguous = "ambiguous"  // from a miner: a key that readers may read otherwise
	RefusedNotJSON   = "not_json"   // from a pool
	RefusedReconnect = "reconnect"  // a pool's client.reconnect
	RefusedTooLong   = "too_long"   // a request that a rule made longer than the pool takes
	RefusedLateReply = "late_reply" // a pool's reply under an id of ours, long given up
	RefusedLate      = "late"       // of a pool that was left, and no answer to the miner
	RefusedAbsorbed  = "absorbed"   // a pool's set_extranonce, which the miner need not know of
)

func (x *Exchange) record(r Record) {
	r.Leg = x.facing
	x.scratch.record = r
	x.rec.Record(&x.scratch.record)
}

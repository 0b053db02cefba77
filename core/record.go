package core

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/stratum"
	"github.com/loka-proxy/loka/rules"
)

// Record counts a fact of the session's conversation and, where people want to read of
// it, logs it. It is the one place that does.
func (s *session) Record(r *exchange.Record) {
	m := s.proxy().meter
	switch r.What {
	case exchange.Message:
		m.Message(kindLabel(r.Kind), methodLabel(r.Method), verdictLabel(r.Verdict))
	case exchange.Refused:
		m.Refused(r.Reason)
		s.logRefused(r)
	case exchange.Unjudged:
		m.Odd("unjudged")
	case exchange.Unmatched:
		m.Odd("unmatched")
	case exchange.Renumbered:
		m.Renumbered()
	case exchange.RuleMatched:
		m.RuleMatched(r.Rule)
	case exchange.RuleFailed:
		m.RuleFailed(r.Rule)
		s.logFailure(r)
	case exchange.Authorized:
		s.logAuthorized(r)
	default:
		s.recordShare(r)
	}
}

// recordShare counts a share, each term of the sum by itself.
func (s *session) recordShare(r *exchange.Record) {
	shares := s.shares
	l, dialled := r.Leg.Owner.(*leg)
	if dialled {
		shares = l.shares
		l.note(r)
	}
	s.proxy().generation.count(r)
	switch r.What {
	case exchange.ShareSubmitted:
		s.tally.submitted++
		shares.Submitted.Inc()
	case exchange.ShareForwarded:
		shares.Pending.Inc()
	case exchange.ShareAccepted:
		s.tally.accepted++
		s.judged(l, r)
		shares.Pending.Dec()
		shares.Accepted.Inc()
		shares.Judged(r.Latency)
	case exchange.ShareRejected:
		s.tally.rejected++
		s.judged(l, r)
		shares.Pending.Dec()
		shares.Rejected(r.Reason)
		shares.Judged(r.Latency)
	case exchange.ShareDenied:
		shares.Denied.Inc()
	case exchange.ShareReplied:
		shares.Replied.Inc()
	case exchange.ShareDropped:
		shares.Dropped.Inc()
	case exchange.ShareLost:
		shares.Pending.Dec()
		shares.Lost(r.Reason)
	}
}

// note tells whom it concerns of a share that the leg's pool has judged, or never will.
func (l *leg) note(r *exchange.Record) {
	c := l.campaign.Load()
	switch {
	case r.What == exchange.ShareAccepted:
		l.endpoint.credit(r.Difficulty)
		if c != nil {
			c.saved.Add(1)
		}
	case r.What == exchange.ShareLost && c != nil:
		c.lost.Add(1)
	}
}

// maxLogins is how many names of one session are logged where all see it; a miner may
// authorize as often as it likes.
const maxLogins = 32

func (s *session) logAuthorized(r *exchange.Record) {
	s.tally.logins++
	level, text := hclog.Info, "authorized"
	if !r.OK {
		level, text = hclog.Warn, "the pool refused a worker"
	}
	if s.tally.logins > maxLogins {
		level = hclog.Debug
	}
	s.d.opt.Log.Log(level, text, "proxy", s.proxy().name, "session", s.id, "remote", s.remote,
		"user", clip(r.User()), "pool_user", clip(r.PoolUser()), "pool", r.Leg.Pool())
}

// logFailure says which expression failed, at most once a minute for each rule.
func (s *session) logFailure(r *exchange.Record) {
	s.proxy().failed[r.Rule].Do(func() {
		s.d.opt.Log.Warn("a rule failed", "proxy", s.proxy().name, "rule", s.proxy().policy.Program.Rules()[r.Rule].Address,
			"at", s.proxy().generation.policy.Locate(r.Failure), "session", s.id, "method", clip(r.Method), "error", r.Failure.Error())
	})
}

// refusals are those that an operator should hear of, as what to tell.
var refusals = map[string]string{
	exchange.RefusedTooLong:   "a rule makes a request too long for the pool, which is denied",
	exchange.RefusedNotJSON:   "the pool sends lines that are not JSON, which are not passed on",
	exchange.RefusedReconnect: "the pool sends miners elsewhere with client.reconnect, which loka follows in their place where it may",
}

// logRefused tells of a line that was not forwarded, at most once a minute for each kind.
func (s *session) logRefused(r *exchange.Record) {
	text, ok := refusals[r.Reason]
	if !ok {
		return
	}
	s.proxy().refused[r.Reason].Do(func() {
		s.d.opt.Log.Warn(text, "proxy", s.proxy().name, "pool", r.Leg.Pool(), "session", s.id, "method", clip(r.Method))
	})
}

// note logs why the conversation ended the session.
func (s *session) note(why string) {
	s.d.opt.Log.Debug("session ends", "proxy", s.proxy().name, "session", s.id, "remote", s.remote, "because", why)
}

// logEnd says what came of a session. Those that never heard a pool are scanners and
// health checks, or miners that try again and again while the pool is down, which is
// logged once: they are not worth a line each.
func (s *session) logEnd() {
	log := s.d.opt.Log.Info
	if !s.served {
		log = s.d.opt.Log.Debug
	}
	log("session closed", "proxy", s.proxy().name, "session", s.id, "remote", s.remote, "reason", string(s.closed),
		"pool", s.talk.Leg().Pool(), "moves", s.move.done, "lasted", s.d.opt.Now().Sub(s.began).Round(time.Millisecond).String(),
		"submitted", s.tally.submitted, "accepted", s.tally.accepted, "rejected", s.tally.rejected)
}

// maxClip is the longest text of a miner that a log line takes.
const maxClip = 128

// clip makes a miner's text fit for a log.
func clip(text string) string {
	if len(text) > maxClip {
		text = strings.ToValidUTF8(text[:maxClip], "") + "…"
	}
	if utf8.ValidString(text) && strings.IndexFunc(text, unicode.IsControl) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return '�'
		}
		return r
	}, text)
}

// newID names a session.
func newID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// kindLabel, methodLabel and verdictLabel give the words that metrics use.
func kindLabel(k rules.Kind) string {
	switch k {
	case rules.Request:
		return "request"
	case rules.Response:
		return "response"
	}
	return "notification"
}

func verdictLabel(v rules.Verdict) string {
	switch v {
	case rules.Denied:
		return "deny"
	case rules.Replied:
		return "reply"
	case rules.Dropped:
		return "drop"
	}
	return "forward"
}

// methodLabel keeps the methods that miners make up out of the metrics.
func methodLabel(method string) string {
	switch {
	case method == "":
		return "none"
	case stratum.Known(method):
		return method
	}
	return "other"
}

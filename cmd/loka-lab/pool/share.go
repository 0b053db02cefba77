package pool

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/work"
)

// The codes of rejections.
const (
	other         = 20
	stale         = 21
	duplicate     = 22
	lowDifficulty = 23
	unauthorized  = 24
	notSubscribed = 25
)

// verdict is what becomes of a share; text is what the majority of pools says, and ckpool what that one does.
type verdict struct {
	code         int
	text, ckpool string
}

var (
	fine           = verdict{}
	badShape       = verdict{other, "Invalid submit", "Invalid array size"}
	badExtranonce2 = verdict{other, "Incorrect size of extranonce2", "Invalid nonce2 length"}
	badNTime       = verdict{other, "Ntime out of range", "Ntime out of range"}
	badNonce       = verdict{other, "Incorrect size of nonce", "No nonce"}
	badVersion     = verdict{other, "Invalid version mask", "Invalid version mask"}
	isStale        = verdict{stale, "Job not found", "Stale"}
	isDuplicate    = verdict{duplicate, "Duplicate share", "Duplicate"}
	isLow          = verdict{lowDifficulty, "Low difficulty share", "Above target"}
	isUnauthorized = verdict{unauthorized, "Unauthorized worker", "Worker mismatch"}
	isUnsubscribed = verdict{notSubscribed, "Not subscribed", "Not subscribed"}
)

// submit judges a share and answers it. The caller holds s.mu.
func (s *session) submit(r request) {
	share, shaped := readShare(r.Params)
	share.Session = s.number
	v := badShape
	if shaped {
		v = s.judge(&share)
	}
	share.Code = v.code
	first := s.pool.recordShare(share)
	switch {
	case v == fine:
		s.reply(result(r, "true"))
		if first || s.pool.config.LogShares {
			s.pool.log(fmt.Sprintf("accepted a share of %q from %s: difficulty %.3g", share.Worker, s.name(), share.Hash.Difficulty()))
		}
		return
	case s.pool.config.RejectReason:
		s.reply(fmt.Sprintf(`{"reject-reason":%q,"result":false,"error":null,"id":%s}`, v.ckpool, id(r)))
	default:
		s.reply(failure(r, "null", v.code, v.text))
	}
	s.pool.log(fmt.Sprintf("rejected a share of %q from %s: %d %s", share.Worker, s.name(), v.code, v.text))
}

// readShare reads the params of mining.submit.
func readShare(raw json.RawMessage) (share Share, ok bool) {
	var params []string
	if json.Unmarshal(raw, &params) != nil || len(params) < 5 {
		return share, false
	}
	share = Share{Worker: params[0], JobID: params[1], Extranonce2: params[2], NTime: params[3], Nonce: params[4]}
	if len(params) > 5 {
		share.Bits = params[5]
	}
	return share, true
}

// judge checks a share by its hash, and remembers the good ones.
func (s *session) judge(share *Share) verdict {
	switch {
	case !s.subscribed:
		return isUnsubscribed
	case !s.names[share.Worker]:
		return isUnauthorized
	}
	issued := s.issued[share.JobID]
	if issued == nil {
		return isStale
	}
	// Some miners use a new difficulty at once and others from the next job on: the lower one counts.
	share.Difficulty = min(issued.difficulty, s.difficulty)
	header, v := s.header(share, issued)
	if v != fine {
		return v
	}
	share.Hash = header.Hash()
	switch {
	case issued.seen[share.Hash]:
		return isDuplicate
	case !work.TargetOf(share.Difficulty).MetBy(share.Hash):
		return isLow
	}
	issued.seen[share.Hash] = true
	return fine
}

// header builds the header that the miner must have hashed.
func (s *session) header(share *Share, issued *issue) (h work.Header, v verdict) {
	extranonce2, err := hex.DecodeString(share.Extranonce2)
	if err != nil || len(extranonce2) != s.pool.config.Extranonce2Size {
		return h, badExtranonce2
	}
	ntime, ok := number(share.NTime, false)
	if !ok || ntime < issued.job.NTime || int64(ntime) > time.Now().Unix()+7200 {
		return h, badNTime
	}
	nonce, ok := number(share.Nonce, s.pool.config.ShortNonce)
	if !ok {
		return h, badNonce
	}
	version, ok := s.version(share.Bits, issued)
	if !ok {
		return h, badVersion
	}
	return issued.job.Header(issued.extranonce1, extranonce2, version, ntime, nonce), fine
}

// version follows BIP310: who negotiated version rolling sends the bits, and only bits of the mask. A new mask holds
// at once, but bits rolled under the one that came with the job are on their way.
func (s *session) version(bits string, issued *issue) (uint32, bool) {
	if bits == "" {
		return issued.job.Version, !s.rolls
	}
	n, ok := number(bits, false)
	if !ok {
		return 0, false
	}
	for _, mask := range []uint32{s.mask, issued.mask} {
		if n&^mask == 0 {
			return work.RolledVersion(issued.job.Version, n, mask), true
		}
	}
	return 0, false
}

// number reads eight hex digits, or fewer if short is fine.
func number(digits string, short bool) (uint32, bool) {
	n, err := strconv.ParseUint(digits, 16, 32)
	return uint32(n), err == nil && (len(digits) == 8 || short && len(digits) < 8)
}

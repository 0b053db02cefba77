package exchange

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/loka-proxy/loka/core/stratum"
)

// told is what the miner has said of itself and has been told, whichever pool it is with.
type told struct {
	layout *layout // nil where the miner has the pool's own extranonce
	// asksExtranonce says that the miner wants to be told of another extranonce.
	asksExtranonce bool
	// rolls says that the miner rolls versions, within mask. First is the first mask that
	// it was given, which shows what it can do; minBits is how many bits it needs.
	rolls       bool
	first, mask uint32
	minBits     int
	difficulty  []byte // the params of the last mining.set_difficulty that it got
	// prefixes are those of the job ids of pools that are gone.
	prefixes []string
	// said are the requests that tell a pool what the miner is like, the last of each method.
	said []saying
}

// maxPrefixes is how many pools that are gone the miner is thought to have jobs of.
const maxPrefixes = 8

// gone notes that nobody takes shares for jobs with a prefix any more.
func (t *told) gone(prefix string) {
	if prefix == "" {
		return
	}
	if len(t.prefixes) == maxPrefixes {
		t.prefixes = t.prefixes[:copy(t.prefixes, t.prefixes[1:])]
	}
	t.prefixes = append(t.prefixes, prefix)
}

// ended reports whether a job id is of a pool that is gone.
func (t *told) ended(id []byte) bool {
	return slices.ContainsFunc(t.prefixes, func(p string) bool { return strings.HasPrefix(string(id), p) })
}

// saying is a request of the miner that is said to every pool that it comes to.
type saying struct {
	method string
	params []byte // as the miner wrote them
	at     time.Time
}

// maxSaid bounds the sayings of one miner, and their params: clients say two or three.
const (
	maxSaid      = 8
	maxSaidBytes = 1 << 10
)

// keepSaying notes a request that goes to the pool in use, if another pool should hear it.
func (x *Exchange) keepSaying(method string) {
	t := &x.told
	switch {
	case method == stratum.MethodExtranonceSubscribe:
		t.asksExtranonce = true
	case method == stratum.MethodConfigure:
		if c, ok := stratum.ParseConfigure(x.scratch.text, x.scratch.msg.Params); ok {
			t.minBits = c.MinBitCount
			t.asksExtranonce = t.asksExtranonce || c.SubscribeExtranonce
		}
	case method == stratum.MethodMultiVersion, strings.HasPrefix(method, "mining.suggest_"):
	default:
		return
	}
	params := x.scratch.msg.Params
	if params.Len() > maxSaidBytes {
		return
	}
	s := saying{method, bytes.Clone(params.Of(x.scratch.text)), x.now}
	for i := range t.said {
		if t.said[i].method == method {
			t.said[i] = s
			return
		}
	}
	if len(t.said) < maxSaid {
		t.said = append(t.said, s)
	}
}

func (t *told) saying(method string) *saying {
	for i := range t.said {
		if t.said[i].method == method {
			return &t.said[i]
		}
	}
	return nil
}

// configured notes what the answer to configure, in text, says to the miner.
func (t *told) configured(text []byte, result stratum.Span) {
	c, ok := stratum.ParseConfigureResult(text, result)
	if !ok {
		return
	}
	t.rolls, t.first, t.mask = c.VersionRolling, c.Mask, c.Mask
}

// configure gives the params by which another pool is asked for what the miner has:
// version rolling only where it rolls, since a pool that grants it may insist on it, and
// within the mask that it was given first. It gives nil where there is nothing to ask.
func (t *told) configure() []byte {
	s := t.saying(stratum.MethodConfigure)
	if s == nil {
		return nil
	}
	whole := stratum.Span{To: int32(len(s.params))}
	c, ok := stratum.ParseConfigure(s.params, whole)
	if !ok {
		return nil
	}
	var names, options []string
	if t.rolls {
		names = append(names, stratum.ExtensionVersionRolling)
		options = append(options, fmt.Sprintf(`"version-rolling.mask":"%08x"`, t.first))
		if c.MinBitCount > 0 {
			options = append(options, fmt.Sprintf(`"version-rolling.min-bit-count":%d`, c.MinBitCount))
		}
	}
	if value := stratum.Member(s.params, c.Options, "minimum-difficulty.value"); c.MinimumDifficulty && value.Present() {
		names = append(names, stratum.ExtensionMinimumDifficulty)
		options = append(options, `"minimum-difficulty.value":`+string(value.Of(s.params)))
	}
	if c.SubscribeExtranonce && t.layout == nil {
		names = append(names, stratum.ExtensionSubscribeExtranonce)
	}
	if names == nil {
		return nil
	}
	return fmt.Appendf(nil, `[["%s"],{%s}]`, strings.Join(names, `","`), strings.Join(options, ","))
}

// fitting is the mask that the miner has at a pool, and whether it can work within it.
func (t *told) fitting(w *work) (mask uint32, ok bool) {
	if !t.rolls {
		return t.mask, true
	}
	mask = t.first & w.mask
	return mask, w.rolls && mask != 0 && bits.OnesCount32(mask) >= t.minBits
}

package exchange

import (
	"github.com/loka-proxy/loka/core/stratum"
)

// retell notes what a message of the pool in use says of its work, and edits what the miner
// knows otherwise. It reports whether the miner is to get it at all.
func (x *Exchange) retell(method string, out *Out) bool {
	w, text, params := &x.facing.work, x.scratch.text, x.scratch.msg.Params
	switch method {
	case stratum.MethodSetDifficulty:
		if d, ok := stratum.ParseSetDifficulty(text, params); ok {
			w.difficulty = d
		}
		x.flatten()
		x.told.difficulty = append(x.told.difficulty[:0], x.scratch.msg.Params.Of(x.scratch.text)...)
	case stratum.MethodSetVersionMask:
		if mask, ok := stratum.ParseSetVersionMask(text, params); ok {
			w.mask, x.told.mask = mask, mask
		}
	case stratum.MethodNotify:
		x.retellJob()
	case stratum.MethodSetExtranonce:
		x.learnExtranonce(text, params)
		return x.told.layout == nil || x.absorb(out)
	}
	return true
}

// absorb takes up another extranonce of a pool, which the miner need not know of.
func (x *Exchange) absorb(out *Out) bool {
	x.refused(RefusedAbsorbed)
	if err := x.told.layout.fits(&x.facing.work); err != nil {
		out.Close, out.Blame = err.Error(), true
	}
	return false
}

// retellJob remembers a job, and edits it for a miner that has moved, or that has an
// extranonce of its own.
func (x *Exchange) retellJob() {
	s, w := x.scratch, &x.facing.work
	if id, ok := stratum.FirstElement(s.text, s.msg.Params); ok {
		w.give(id.Of(s.text))
	}
	if w.prefix == "" && x.told.layout == nil {
		return
	}
	x.flatten()
	n, ok := stratum.ParseNotify(s.text, s.msg.Params)
	if !ok {
		return
	}
	if id := n.JobID.Of(s.text); w.prefix != "" {
		text := append([]byte{'"'}, w.prefix...)
		x.edit(n.JobID, append(append(text, unquoted(id)...), '"'))
	}
	if x.told.layout != nil && s.text[n.Coinb1.From] == '"' {
		x.ownCoinbase(n.Coinb1)
	}
	if s.first && !n.CleanJobs {
		x.edit(n.Clean, []byte("true"))
	}
}

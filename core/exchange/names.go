package exchange

import (
	"bytes"
	"slices"

	"github.com/loka-proxy/loka/core/stratum"
)

// worker is a name that a miner may submit under, and what it is at the pool.
type worker struct {
	raw  []byte // the name's JSON text as the miner wrote it at authorize
	name string
	pool string
	json []byte // the pool's name as JSON text

	accepted bool    // by the pool
	next     *worker // the same name authorised again, not answered yet

	boxedName, boxedPool any
}

func newWorker(raw []byte, name, pool string) *worker {
	w := &worker{raw: bytes.Clone(raw), name: name, pool: pool, boxedName: name, boxedPool: pool}
	w.json = w.raw
	if pool != name {
		w.json = stratum.AppendString(nil, pool)
	}
	return w
}

// known reports whether a worker was authorised.
func (w *worker) known() bool { return w.json != nil }

// size is what a worker holds.
func (w *worker) size() int { return len(w.raw) + len(w.name) + len(w.pool) + len(w.json) }

// Bounds of what is remembered for one connection. No client has a name near as long:
// WhatsMiner overflows at 127 characters.
const (
	maxNames      = 1024
	maxNameBytes  = 1024 // of its JSON text
	maxNamesBytes = 128 << 10
)

// names holds what authorize was mapped to, by the miner's own name, for one upstream
// connection. A name may be used before the pool has answered, since clients do not
// all wait. One that was authorised before keeps what it was mapped to until the pool
// has accepted the new: ckpool ignores a second authorize.
type names struct {
	list   []*worker
	latest *worker
	bytes  int
}

// find gives the worker whose name has this JSON text. The texts are compared first:
// a miner writes its name the same way every time.
func (n *names) find(raw []byte) *worker {
	if len(raw) > maxNameBytes {
		return nil
	}
	for _, w := range n.list {
		if bytes.Equal(w.raw, raw) {
			return w
		}
	}
	name, err := stratum.Text(raw)
	if err != nil {
		return nil
	}
	return n.byName(name)
}

func (n *names) byName(name string) *worker {
	if i := n.place(name); i >= 0 {
		return n.list[i]
	}
	return nil
}

func (n *names) place(name string) int {
	return slices.IndexFunc(n.list, func(w *worker) bool { return w.name == name })
}

// room reports whether put has a place for a worker.
func (n *names) room(w *worker) bool {
	return n.byName(w.name) != nil || len(n.list) < maxNames && n.bytes+w.size() <= maxNamesBytes
}

// put adds a worker on its way to the pool.
func (n *names) put(w *worker) {
	i := n.place(w.name)
	switch {
	case i < 0:
		n.list = append(n.list, w)
		n.bytes += w.size()
		n.latest = w
	case n.list[i].accepted:
		n.list[i].next = w
	default:
		n.replace(i, w)
	}
}

func (n *names) replace(i int, w *worker) {
	n.bytes += w.size() - n.list[i].size()
	if n.latest == n.list[i] {
		n.latest = w
	}
	n.list[i] = w
}

// answered notes what the pool said of a worker.
func (n *names) answered(w *worker, ok bool) {
	if w == nil {
		return
	}
	i := n.place(w.name)
	switch {
	case i < 0:
	case ok && (n.list[i] == w || n.list[i].next == w):
		w.accepted = true
		n.replace(i, w)
		n.latest = w
	case n.list[i] == w: // nobody knows it after all
		n.bytes -= w.size()
		n.list = slices.Delete(n.list, i, i+1)
		if n.latest == w {
			n.latest = nil
		}
	case n.list[i].next == w:
		n.list[i].next = nil
	}
}

package exchange

import (
	"bytes"
	"slices"
	"time"

	"github.com/loka-proxy/loka/core/stratum"
)

// worker is a name that a miner may submit under, and what it is at the pool.
type worker struct {
	raw  []byte // the name's JSON text as the miner wrote it at authorize
	name string
	pool string
	json []byte // the pool's name as JSON text
	// params is those of the authorize as the miner wrote them, for another policy.
	params []byte
	at     time.Time // when it was read
	// unsaid says that the pool was not asked for it, since the next one is.
	unsaid bool

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
func (w *worker) size() int {
	return len(w.raw) + len(w.name) + len(w.pool) + len(w.json) + len(w.params)
}

// Bounds of what is remembered for one connection. No client has a name near as long:
// WhatsMiner overflows at 127 characters.
const (
	maxNames      = 1024
	maxNameBytes  = 1024 // of its JSON text
	maxNamesBytes = 128 << 10
)

// name is a miner's name, with what it was mapped to: by the authorize that the pool
// accepted last, and by those that it has not answered, oldest first.
type name struct {
	text     string
	accepted *worker
	waiting  []*worker
}

// worker is the one in force. A name may be used before the pool has answered, since
// clients do not all wait; then it is the first, because ckpool ignores a second
// authorize.
func (n *name) worker() *worker {
	if n.accepted != nil {
		return n.accepted
	}
	return n.waiting[0]
}

// names holds the names of one upstream connection.
type names struct {
	list   []*name
	latest *worker // that the pool accepted last, or the first that it was told of
	bytes  int
}

// find gives the worker whose name has this JSON text. The texts are compared first:
// a miner writes its name the same way every time.
func (n *names) find(raw []byte) *worker {
	if len(raw) > maxNameBytes {
		return nil
	}
	for _, e := range n.list {
		if w := e.worker(); bytes.Equal(w.raw, raw) {
			return w
		}
	}
	text, err := stratum.Text(raw)
	if err != nil {
		return nil
	}
	return n.byName(text)
}

func (n *names) byName(text string) *worker {
	if i := n.place(text); i >= 0 {
		return n.list[i].worker()
	}
	return nil
}

func (n *names) place(text string) int {
	return slices.IndexFunc(n.list, func(e *name) bool { return e.text == text })
}

// room reports whether put has a place for a worker.
func (n *names) room(w *worker) bool {
	return n.bytes+w.size() <= maxNamesBytes && (len(n.list) < maxNames || n.place(w.name) >= 0)
}

// put adds a worker on its way to the pool.
func (n *names) put(w *worker) {
	i := n.place(w.name)
	if i < 0 {
		i = len(n.list)
		n.list = append(n.list, &name{text: w.name})
	}
	n.list[i].waiting = append(n.list[i].waiting, w)
	n.bytes += w.size()
	if n.latest == nil {
		n.latest = w
	}
}

// answered notes what the pool said of a worker.
func (n *names) answered(w *worker, ok bool) {
	if w == nil {
		return
	}
	i := n.place(w.name)
	if i < 0 {
		return
	}
	e := n.list[i]
	at := slices.Index(e.waiting, w)
	if at < 0 {
		return
	}
	e.waiting = slices.Delete(e.waiting, at, at+1)
	gone := w
	if ok {
		gone, e.accepted, n.latest = e.accepted, w, w
	}
	n.forget(gone)
	if e.accepted == nil && len(e.waiting) == 0 { // nobody knows it
		n.list = slices.Delete(n.list, i, i+1)
	}
}

// forget lets go of a worker that is in force no more, or never was.
func (n *names) forget(w *worker) {
	if w == nil {
		return
	}
	n.bytes -= w.size()
	if n.latest == w {
		n.latest = nil
	}
}

package exchange

import (
	"bytes"

	"github.com/loka-proxy/loka/core/stratum"
)

// worker is a name that a miner may submit under, and what it is at the pool.
type worker struct {
	raw  []byte // the name's JSON text as the miner wrote it at authorize
	name string
	pool string
	json []byte // the pool's name as JSON text

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

// Bounds of what is remembered for one connection. No client has a name near as long:
// WhatsMiner overflows at 127 characters.
const (
	maxNames     = 1024
	maxNameBytes = 1024 // of its JSON text
)

// names holds what authorize was mapped to, by the miner's own name, for one upstream
// connection.
type names struct {
	list   []*worker
	latest *worker
}

// find gives the worker whose name has this JSON text. The texts are compared first:
// a miner writes its name the same way every time.
func (n *names) find(raw []byte) *worker {
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
	for _, w := range n.list {
		if w.name == name {
			return w
		}
	}
	return nil
}

// room reports whether put has a place for a worker.
func (n *names) room(w *worker) bool {
	return len(n.list) < maxNames || n.byName(w.name) != nil
}

// put adds a worker, or replaces the one of the same name.
func (n *names) put(w *worker) {
	n.latest = w
	for i, old := range n.list {
		if old.name == w.name {
			n.list[i] = w
			return
		}
	}
	n.list = append(n.list, w)
}

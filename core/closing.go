package core

import (
	"errors"
	"os"

	"github.com/loka-proxy/loka/transport"
)

// closing is why a session ended: a label, and an error that ends the reading.
type closing string

const (
	closeMinerGone closing = "miner_gone" // it closed, or the network did
	closeMinerSlow closing = "miner_slow" // it did not read what was written to it
	closeMinerLine closing = "miner_line" // its line was too long
	closeHandshake closing = "handshake"  // it said nothing in time
	closeForeign   closing = "foreign"    // it speaks another protocol
	closeRefused   closing = "refused"    // its lines were no requests
	closeDenied    closing = "denied"     // by a rule at connect
	closeFull      closing = "full"       // too many connections
	closeNoPool    closing = "no_pool"    // no server of the pool could be reached
	closePoolGone  closing = "pool_gone"  // the pool closed, or the network did
	closePoolQuiet closing = "pool_quiet" // the pool said nothing for too long
	closePoolLine  closing = "pool_line"  // the pool's line was too long
	closeUnfit     closing = "unfit"      // the pool does not suit the miner; of a leg only
	closeLate      closing = "late"       // the pool was left long ago; of a leg only
	closeMoved     closing = "moved"      // the policy has it elsewhere now, or under another name
	closePolicy    closing = "policy"     // the policy does not let it in any more
	closeOperator  closing = "operator"   // an operator closed it
	closeShutdown  closing = "shutdown"   // loka stops
	closePanic     closing = "panic"      // a mistake in loka
)

func (c closing) Error() string { return string(c) }

// gentle reports whether the miner may still be reading, and should get what was
// written to it.
func (c closing) gentle() bool {
	switch c {
	case closeMinerGone, closeMinerSlow, closeHandshake, closeForeign, closeDenied, closePanic:
		return false
	}
	return true
}

// ofPool reports whether the reason is one for which a pool is left.
func (c closing) ofPool() bool {
	switch c {
	case closePoolGone, closePoolQuiet, closePoolLine, closeLate:
		return true
	}
	return false
}

// minerEnded tells why the miner's side ended.
func minerEnded(err error) closing {
	if why := closing(""); errors.As(err, &why) {
		return why
	}
	switch {
	case errors.Is(err, transport.ErrLineTooLong):
		return closeMinerLine
	case errors.Is(err, os.ErrDeadlineExceeded):
		return closeMinerSlow
	}
	return closeMinerGone
}

// poolEnded tells why the pool's side ended.
func poolEnded(err error) closing {
	if why := closing(""); errors.As(err, &why) {
		return why
	}
	switch {
	case errors.Is(err, transport.ErrLineTooLong):
		return closePoolLine
	case errors.Is(err, transport.ErrIdle):
		return closePoolQuiet
	}
	return closePoolGone
}

package work

import (
	"encoding/binary"
)

// Header is a block header.
type Header [80]byte

// NewHeader puts a header together; all numbers go in with the lowest byte first.
func NewHeader(version uint32, prev, root Hash, ntime, nbits, nonce uint32) (h Header) {
	binary.LittleEndian.PutUint32(h[0:], version)
	copy(h[4:], prev[:])
	copy(h[36:], root[:])
	binary.LittleEndian.PutUint32(h[68:], ntime)
	binary.LittleEndian.PutUint32(h[72:], nbits)
	binary.LittleEndian.PutUint32(h[76:], nonce)
	return h
}

// Hash is the hash of the block that the header heads.
func (h *Header) Hash() Hash { return DoubleSHA256(h[:]) }

// Search tries count nonces from the one in the header on, wrapping around, and leaves the header at the nonce that
// meets the target, or behind the last one tried.
func (h *Header) Search(count int, target Target) bool {
	nonce := binary.LittleEndian.Uint32(h[76:])
	for range count {
		if target.MetBy(h.Hash()) {
			return true
		}
		nonce++
		binary.LittleEndian.PutUint32(h[76:], nonce)
	}
	return false
}

// Nonce is the nonce in the header.
func (h *Header) Nonce() uint32 { return binary.LittleEndian.Uint32(h[76:]) }

// Next goes on to the next nonce.
func (h *Header) Next() { binary.LittleEndian.PutUint32(h[76:], h.Nonce()+1) }

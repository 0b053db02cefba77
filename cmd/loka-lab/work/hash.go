// Package work is the arithmetic of Bitcoin mining as Stratum hands it out: from the parts of a job and the numbers
// that a miner chose to the hash of a block header, and from a difficulty to the hashes that meet it.
//
// It is written from the definition of the block header and shares no code with the proxy, so that it can judge it.
package work

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Hash is a double SHA-256 in the order in which it is computed; as a number, its first byte is the lowest.
type Hash [32]byte

// DoubleSHA256 is the hash of transactions and block headers.
func DoubleSHA256(b []byte) Hash {
	once := sha256.Sum256(b)
	return sha256.Sum256(once[:])
}

// String gives the form in which block explorers show a hash: from the highest byte down.
func (h Hash) String() string {
	slices.Reverse(h[:])
	return hex.EncodeToString(h[:])
}

// ParseHash is the inverse of String.
func ParseHash(s string) (h Hash, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return h, false
	}
	slices.Reverse(b)
	return Hash(b), true
}

// MerkleRoot climbs from the hash of the coinbase, the leftmost leaf, to the root: each branch is a right neighbour.
func MerkleRoot(coinbase Hash, branches []Hash) Hash {
	root := coinbase
	var pair [64]byte
	for _, branch := range branches {
		copy(pair[:32], root[:])
		copy(pair[32:], branch[:])
		root = DoubleSHA256(pair[:])
	}
	return root
}

// SwapWords turns the hash of the previous block from the order of the header to that of mining.notify, where each of
// the eight 4-byte words is reversed; and back.
func SwapWords(h Hash) Hash {
	for i := 0; i < len(h); i += 4 {
		slices.Reverse(h[i : i+4])
	}
	return h
}

package work

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
)

// difficultyOne is the target at difficulty 1: ffff with 26 zero bytes behind it.
var difficultyOne = new(big.Int).Lsh(big.NewInt(0xffff), 208)

// Target is the highest hash that is good enough, as four words from the highest down.
type Target [4]uint64

// TargetOf computes the target of a difficulty, fractions included, exactly. Difficulties that are too low for 256
// bits, zero and below give the target that every hash meets.
func TargetOf(difficulty float64) Target {
	all := Target{math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64}
	if !(difficulty > 0) {
		return all
	}
	if math.IsInf(difficulty, 1) {
		return Target{}
	}
	exact := new(big.Rat).SetFloat64(difficulty)
	target := new(big.Int).Mul(difficultyOne, exact.Denom())
	target.Quo(target, exact.Num())
	if target.BitLen() > 256 {
		return all
	}
	var b [32]byte
	target.FillBytes(b[:])
	return Target{
		binary.BigEndian.Uint64(b[0:]), binary.BigEndian.Uint64(b[8:]),
		binary.BigEndian.Uint64(b[16:]), binary.BigEndian.Uint64(b[24:]),
	}
}

// MetBy says whether the hash is not above the target.
func (t Target) MetBy(h Hash) bool {
	for i, limit := range t {
		word := binary.LittleEndian.Uint64(h[24-8*i:])
		if word != limit {
			return word < limit
		}
	}
	return true
}

// Difficulty is the highest difficulty that the hash meets.
func (h Hash) Difficulty() float64 {
	slices.Reverse(h[:])
	number := new(big.Int).SetBytes(h[:])
	if number.Sign() == 0 {
		return math.Inf(1)
	}
	difficulty, _ := new(big.Rat).SetFrac(difficultyOne, number).Float64()
	return difficulty
}

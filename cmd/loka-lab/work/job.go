package work

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Job is what mining.notify tells.
type Job struct {
	ID             string
	PrevHash       Hash // in the order of the header
	Coinb1, Coinb2 []byte
	Branches       []Hash
	Version        uint32
	NBits          uint32
	NTime          uint32
	Clean          bool
}

// Params writes the job as the params of mining.notify.
func (j *Job) Params() string {
	id, _ := json.Marshal(j.ID)
	prev := SwapWords(j.PrevHash)
	branches := make([]string, len(j.Branches))
	for i, b := range j.Branches {
		branches[i] = `"` + hex.EncodeToString(b[:]) + `"`
	}
	return fmt.Sprintf(`[%s,"%x","%x","%x",[%s],"%08x","%08x","%08x",%t]`,
		id, prev[:], j.Coinb1, j.Coinb2, strings.Join(branches, ","), j.Version, j.NBits, j.NTime, j.Clean)
}

var errNotJob = errors.New("not the params of mining.notify")

// ParseJob reads the params of mining.notify.
func ParseJob(params []json.RawMessage) (j Job, err error) {
	if len(params) < 9 {
		return j, errNotJob
	}
	var text [8]string
	for i := range text {
		if i != 4 && json.Unmarshal(params[i], &text[i]) != nil {
			return j, errNotJob
		}
	}
	var branches []string
	if json.Unmarshal(params[4], &branches) != nil || json.Unmarshal(params[8], &j.Clean) != nil {
		return j, errNotJob
	}
	r := reader{ok: true}
	j.ID = text[0]
	j.PrevHash = SwapWords(r.hash(text[1]))
	j.Coinb1, j.Coinb2 = r.bytes(text[2]), r.bytes(text[3])
	for _, b := range branches {
		j.Branches = append(j.Branches, r.hash(b))
	}
	j.Version, j.NBits, j.NTime = r.number(text[5]), r.number(text[6]), r.number(text[7])
	if !r.ok {
		return Job{}, errNotJob
	}
	return j, nil
}

// reader reads hex and remembers whether all of it was right.
type reader struct{ ok bool }

func (r *reader) bytes(s string) []byte {
	b, err := hex.DecodeString(s)
	r.ok = r.ok && err == nil
	return b
}

func (r *reader) hash(s string) (h Hash) {
	r.ok = r.ok && copy(h[:], r.bytes(s)) == len(h) && len(s) == 64
	return h
}

func (r *reader) number(s string) uint32 {
	n, err := strconv.ParseUint(s, 16, 32)
	r.ok = r.ok && err == nil && len(s) == 8
	return uint32(n)
}

// Header builds the header that a miner hashes: the coinbase around its extranonces, the merkle root, and the rest.
func (j *Job) Header(extranonce1, extranonce2 []byte, version, ntime, nonce uint32) Header {
	coinbase := make([]byte, 0, len(j.Coinb1)+len(extranonce1)+len(extranonce2)+len(j.Coinb2))
	coinbase = append(append(coinbase, j.Coinb1...), extranonce1...)
	coinbase = append(append(coinbase, extranonce2...), j.Coinb2...)
	return NewHeader(version, j.PrevHash, MerkleRoot(DoubleSHA256(coinbase), j.Branches), ntime, j.NBits, nonce)
}

// RolledVersion is the version that a share was hashed with, as BIP310 says: the bits of the mask are replaced.
func RolledVersion(version, bits, mask uint32) uint32 { return version&^mask | bits&mask }

// Coinbase makes a coinbase transaction of the usual shape in two parts, with room for an extranonce between them.
func Coinbase(height uint32, extranonceSize int, tag string) (coinb1, coinb2 []byte) {
	var h [4]byte
	binary.LittleEndian.PutUint32(h[:], height)
	script := append([]byte{3}, h[:3]...) // the height comes first (BIP34)

	coinb1 = append(coinb1, 2, 0, 0, 0, 1) // version 2, one input
	coinb1 = append(coinb1, make([]byte, 32)...)
	coinb1 = append(coinb1, 0xff, 0xff, 0xff, 0xff, byte(len(script)+extranonceSize+len(tag)))
	coinb1 = append(coinb1, script...)

	coinb2 = append(coinb2, tag...)
	coinb2 = append(coinb2, 0xff, 0xff, 0xff, 0xff, 1)             // sequence; one output
	coinb2 = binary.LittleEndian.AppendUint64(coinb2, 312_500_000) // the subsidy after the fourth halving
	coinb2 = append(coinb2, 22, 0, 20)                             // to a witness key hash
	coinb2 = append(coinb2, "loka-lab pays nobody"...)
	return coinb1, append(coinb2, 0, 0, 0, 0)
}

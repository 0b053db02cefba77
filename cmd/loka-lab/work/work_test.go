package work

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const genesisCoinbase = "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65" +
	"732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff" +
	"0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba" +
	"0b8d578a4c702b6bf11d5fac00000000"

func hash(t *testing.T, s string) Hash {
	t.Helper()
	h, ok := ParseHash(s)
	if !ok {
		t.Fatalf("%q is no hash", s)
	}
	return h
}

// TestGenesis builds the first block as a miner would: the coinbase in two parts around the extranonces.
func TestGenesis(t *testing.T) {
	coinbase, _ := hex.DecodeString(genesisCoinbase)
	j := Job{Coinb1: coinbase[:60], Coinb2: coinbase[70:], NBits: 0x1d00ffff}
	h := j.Header(coinbase[60:64], coinbase[64:70], 1, 1231006505, 2083236893)
	const want = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
	if got := h.Hash().String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !TargetOf(2536).MetBy(h.Hash()) || TargetOf(2537).MetBy(h.Hash()) {
		t.Errorf("difficulty %v, want 2536.4…", h.Hash().Difficulty())
	}
}

// TestBlock100000 has four transactions, so a coinbase has two branches.
func TestBlock100000(t *testing.T) {
	tx := []Hash{
		hash(t, "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87"),
		hash(t, "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4"),
		hash(t, "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4"),
		hash(t, "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d"),
	}
	right := MerkleRoot(tx[2], tx[3:4])
	root := MerkleRoot(tx[0], []Hash{tx[1], right})
	if got, want := root.String(), "f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766"; got != want {
		t.Errorf("merkle root %s, want %s", got, want)
	}
	prev := hash(t, "000000000002d01c1fccc21636b607dfd930d31d01c3a62104612a1719011250")
	h := NewHeader(1, prev, root, 1293623863, 0x1b04864c, 274148111)
	const want = "000000000003ba27aa200b1cecaad478d2b00432346c3f1f3986da1afd33e506"
	if got := h.Hash().String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if difficulty := h.Hash().Difficulty(); difficulty < 14484.16 {
		t.Errorf("difficulty %v is below the network's of that day", difficulty)
	}
}

func TestSwapWords(t *testing.T) {
	var h Hash
	for i := range h {
		h[i] = byte(i)
	}
	swapped := SwapWords(h)
	if got, want := hex.EncodeToString(swapped[:8]), "0302010007060504"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if SwapWords(swapped) != h {
		t.Error("swapping twice is not the identity")
	}
}

// TestTarget compares with arithmetic on whole numbers.
func TestTarget(t *testing.T) {
	for _, difficulty := range []float64{1e-9, 1e-6, 0.00015, 0.5, 1, 1024.0, 8192.1234, 1e12} {
		target := TargetOf(difficulty)
		limit := new(big.Int)
		for _, word := range target {
			limit.Or(limit.Lsh(limit, 64), new(big.Int).SetUint64(word))
		}
		// limit * difficulty <= difficultyOne < (limit+1) * difficulty
		exact := new(big.Rat).SetFloat64(difficulty)
		one := new(big.Rat).SetInt(difficultyOne)
		low := new(big.Rat).Mul(exact, new(big.Rat).SetInt(limit))
		high := new(big.Rat).Mul(exact, new(big.Rat).SetInt(new(big.Int).Add(limit, big.NewInt(1))))
		if low.Cmp(one) > 0 || high.Cmp(one) <= 0 {
			t.Errorf("the target of %v is %x", difficulty, target)
		}
	}
	all := Target{math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64}
	for _, difficulty := range []float64{0, -1, math.NaN(), 1e-10, 5e-324} {
		if got := TargetOf(difficulty); got != all {
			t.Errorf("the target of %v is %x, want all", difficulty, got)
		}
	}
	if got := TargetOf(math.Inf(1)); got != (Target{}) {
		t.Errorf("the target of infinity is %x", got)
	}
}

// TestMetBy compares with big numbers, near the target and far from it.
func TestMetBy(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		target := TargetOf(math.Exp(random.Float64()*60 - 20))
		limit := new(big.Int)
		for _, word := range target {
			limit.Or(limit.Lsh(limit, 64), new(big.Int).SetUint64(word))
		}
		number := new(big.Int).Set(limit)
		switch random.IntN(3) {
		case 0:
			number.Add(number, big.NewInt(int64(random.IntN(3)-1)))
		case 1:
			number.Xor(number, new(big.Int).Lsh(big.NewInt(1), uint(random.IntN(250))))
		}
		var h Hash
		number.FillBytes(h[:])
		slices.Reverse(h[:])
		if got, want := target.MetBy(h), number.Cmp(limit) <= 0; got != want {
			t.Fatalf("%v meets %x: %v", h, target, got)
		}
	}
}

// TestSearch compares with a search one nonce at a time by other means.
func TestSearch(t *testing.T) {
	j := Job{Coinb1: []byte("a"), Coinb2: []byte("b"), Branches: []Hash{{1}, {2}}, Version: 0x20000000, NBits: 0x1d00ffff, NTime: 7}
	target := TargetOf(1e-7)
	h := j.Header([]byte{1}, []byte{2}, j.Version, j.NTime, math.MaxUint32-10)
	if !h.Search(1_000_000, target) {
		t.Fatal("nothing found")
	}
	limit := new(big.Float).Quo(new(big.Float).SetInt(difficultyOne), big.NewFloat(1e-7))
	for nonce := uint32(math.MaxUint32 - 10); ; nonce++ {
		again := j.Header([]byte{1}, []byte{2}, j.Version, j.NTime, nonce)
		first := sha256.Sum256(again[:])
		second := sha256.Sum256(first[:])
		slices.Reverse(second[:])
		if new(big.Float).SetInt(new(big.Int).SetBytes(second[:])).Cmp(limit) <= 0 {
			if nonce != h.Nonce() {
				t.Errorf("found %d, want %d", h.Nonce(), nonce)
			}
			return
		}
		if nonce == h.Nonce() {
			t.Fatalf("found %d, which is no share", nonce)
		}
	}
}

func TestJobParams(t *testing.T) {
	coinb1, coinb2 := Coinbase(850_000, 12, "/lab/")
	j := Job{
		ID: `1386 "5`, PrevHash: DoubleSHA256([]byte("x")), Coinb1: coinb1, Coinb2: coinb2,
		Branches: []Hash{DoubleSHA256([]byte("y"))}, Version: 0x20000000, NBits: 0x17034219, NTime: 0x65f1a2b3, Clean: true,
	}
	var params []json.RawMessage
	if err := json.Unmarshal([]byte(j.Params()), &params); err != nil {
		t.Fatal(err)
	}
	back, err := ParseJob(params)
	if diff := cmp.Diff(j, back); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	for i := range params {
		broken := slices.Clone(params)
		broken[i] = json.RawMessage(`[7]`)
		if _, err := ParseJob(broken); err == nil {
			t.Errorf("params with [7] at %d are a job", i)
		}
		if _, err := ParseJob(params[:i]); err == nil {
			t.Errorf("%d params are a job", i)
		}
	}
}

func TestRolledVersion(t *testing.T) {
	if got := RolledVersion(0x2000e000, 0x00004000, 0x1fffe000); got != 0x20004000 {
		t.Errorf("got %08x: the bits must be replaced, not merged", got)
	}
}

func TestCoinbase(t *testing.T) {
	coinb1, coinb2 := Coinbase(850_000, 12, "/lab/")
	tx := append(append(slices.Clone(coinb1), make([]byte, 12)...), coinb2...)
	script := int(tx[41])
	if end := 42 + script; string(tx[end-5:end]) != "/lab/" || string(tx[end:end+4]) != "\xff\xff\xff\xff" {
		t.Errorf("the script of %d bytes does not end with the tag: %x", script, tx)
	}
	if rest := tx[42+script+4:]; len(rest) != 1+8+1+22+4 {
		t.Errorf("%d bytes behind the input", len(rest))
	}
}

func BenchmarkSearch(b *testing.B) {
	j := Job{Coinb1: []byte("a"), Coinb2: []byte("b")}
	h := j.Header(nil, nil, 1, 2, 3)
	for b.Loop() {
		h.Search(1000, Target{})
	}
}

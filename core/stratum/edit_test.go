package stratum

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestApply(t *testing.T) {
	line := `{"params": ["U", "JOB" ], "id":4}`
	var m Message
	if err := Scan([]byte(line), &m); err != nil {
		t.Fatal(err)
	}
	at, _ := Elements([]byte(line), m.Params, nil)
	got := Apply([]byte("> "), []byte(line), []Edit{{at[0], []byte(`"account.rig7"`)}, {at[1], nil}, {m.ID, []byte(`12`)}})
	if want := `> {"params": ["account.rig7",  ], "id":12}`; string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestApplyIsNaive makes random edits and compares with cutting the line up from behind.
func TestApplyIsNaive(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		line := make([]byte, random.IntN(40))
		for i := range line {
			line[i] = byte('a' + random.IntN(26))
		}
		cuts := make([]int, 2*random.IntN(5))
		for i := range cuts {
			cuts[i] = random.IntN(len(line) + 1)
		}
		slices.Sort(cuts)
		var edits []Edit
		for i := 0; i < len(cuts); i += 2 {
			edits = append(edits, Edit{span(cuts[i], cuts[i+1]), bytes.Repeat([]byte{byte('A' + i)}, random.IntN(4))})
		}
		want := string(line)
		for _, e := range slices.Backward(edits) {
			want = want[:e.Span.From] + string(e.Text) + want[e.Span.To:]
		}
		if got := string(Apply(nil, line, edits)); got != want {
			t.Fatalf("%s with %v: %s, want %s", line, edits, got, want)
		}
	}
}

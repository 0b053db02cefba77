package exchange_test

import (
	"fmt"
	"testing"

	"github.com/loka-proxy/loka/core/exchange"
)

// moved gives a conversation that has gone on with another pool, whose jobs the miner knows
// with 1_ before their ids.
func moved(t *testing.T) *exchange.Exchange {
	t.Helper()
	x := begin(t, silent{})
	up(x, subscribe)
	down(x, subscribed)
	up(x, `{"id":3,"method":"mining.extranonce.subscribe","params":[]}`+"\n")
	up(x, authorize)
	down(x, authorized)
	var out exchange.Out
	l, err := x.Prepare("pool.q", 1023, nil, start, &out)
	if err != nil {
		t.Fatal(err)
	}
	const first = 2_000_000_000 // of loka's own ids
	for _, line := range []string{
		fmt.Sprintf(`{"id":%d,"result":[[],"aa01",4],"error":null}`, first),
		fmt.Sprintf(`{"id":%d,"result":true,"error":null}`, first+2), // behind extranonce.subscribe
		`{"id":null,"method":"mining.notify","params":["7","00","01","02",[],"20000000","1d00ffff","66a0b1c2",true]}`,
	} {
		l.FromPool([]byte(line+"\n"), start, &out)
	}
	if !out.Ready {
		t.Fatalf("the other pool is not ready: %v", out.Unfit)
	}
	if done, err := x.Switch(l, start, &out); !done || err != nil {
		t.Fatal(done, err)
	}
	return x
}

// TestMovedSubmitAllocatesNothing submits for jobs of the pool that the miner was moved to.
func TestMovedSubmitAllocatesNothing(t *testing.T) {
	x := moved(t)
	submit := []byte(`{"id":9,"method":"mining.submit","params":["a.b","1_7","00000001","66a0b1c2","deadbeef"]}` + "\n")
	answer := []byte(`{"id":9,"result":true,"error":null}` + "\n")
	var out exchange.Out
	got := testing.AllocsPerRun(500, func() {
		out.Pool, out.Miner = out.Pool[:0], out.Miner[:0]
		x.FromMiner(submit, start, &out)
		x.FromPool(answer, start, &out)
	})
	if want := `{"id":9,"method":"mining.submit","params":["a.b","7","00000001","66a0b1c2","deadbeef"]}` + "\n"; string(out.Pool) != want {
		t.Errorf("the pool gets %s", out.Pool)
	}
	if got >= 1 && !raceEnabled {
		t.Errorf("%v allocations", got)
	}
}

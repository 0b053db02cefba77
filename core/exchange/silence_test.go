package exchange_test

import (
	"testing"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
)

// TestSilenceIsNoOutage has a pool say nothing for 85 seconds, as real ones do between
// blocks: only an answer that every pool gives makes it one that does not answer.
func TestSilenceIsNoOutage(t *testing.T) {
	for line, owed := range map[string]bool{
		"": false,
		`{"id":4,"method":"mining.submit","params":["a.b","1","2","3","4"]}`:    true,
		`{"id":4,"method":"mining.configure","params":[[],{}]}`:                 true,
		`{"id":4,"method":"mining.extranonce.subscribe","params":[]}`:           false,
		`{"id":4,"method":"mining.suggest_difficulty","params":[8]}`:            false,
		`{"id":4,"method":"mining.suggest_target","params":["00"]}`:             false,
		`{"id":4,"method":"mining.something_that_is_new","params":[]}`:          false,
		`{"id":null,"method":"mining.submit","params":["a.b","1","2","3","4"]}`: false, // a notification
	} {
		x := begin(t, silent{})
		up(x, subscribe)
		down(x, subscribed)
		up(x, authorize)
		down(x, authorized)
		asked := start.Add(85 * time.Second)
		if line != "" {
			x.FromMiner([]byte(line+"\n"), asked, new(exchange.Out))
		}
		if since := x.Leg().Unanswered(); since.IsZero() == owed || owed && !since.Equal(asked) {
			t.Errorf("after %q the pool has owed an answer since %s", line, since)
		}
		x.FromPool([]byte(`{"id":null,"method":"mining.set_difficulty","params":[8]}`+"\n"), asked.Add(time.Second), new(exchange.Out))
		if since := x.Leg().Unanswered(); !since.IsZero() {
			t.Errorf("after %q a pool that speaks is silent since %s", line, since)
		}
	}
}

package exchange_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/rules"
)

// notes counts what a conversation records.
type notes struct {
	what    map[exchange.What]int
	reasons map[string]int
	last    exchange.Record
}

func newNotes() *notes { return &notes{what: map[exchange.What]int{}, reasons: map[string]int{}} }

func (n *notes) Record(r *exchange.Record) {
	n.what[r.What]++
	n.reasons[r.Reason]++
	n.last = *r
}

// silent records nothing, and allocates nothing.
type silent struct{}

func (silent) Record(*exchange.Record) {}

func compile(t testing.TB, list ...rules.Rule) *rules.Program {
	t.Helper()
	for i := range list {
		list[i].Address = fmt.Sprintf("test.%d", i)
		if list[i].Scope == nil {
			list[i].Scope = &rules.Scope{}
		}
	}
	p, errs := rules.Compile(list)
	for _, err := range errs {
		t.Fatal(err)
	}
	return p
}

func text(s string) rules.Source { return rules.Source{Text: s} }

func when(s string) *rules.Source { return &rules.Source{Text: s} }

func set(kind rules.Kind, method, field, value string) rules.Rule {
	return rules.Rule{Kind: kind, Method: method, Set: []rules.Assignment{{Field: field, Value: text(value)}}}
}

var toWallet = set(rules.Request, "mining.authorize", "user", "'W.' + replace(user, '.', '_')")

func begin(t testing.TB, rec exchange.Recorder, list ...rules.Rule) *exchange.Exchange {
	t.Helper()
	return exchange.New(exchange.Config{
		Program: compile(t, list...), Proxy: "proxy.x", Listener: ":1", Pool: "pool.p",
		ClientIP: "192.0.2.1", ClientPort: 5, Session: "s", MaxRequestBytes: 1023, Opened: start,
	}, rec)
}

var start = time.Unix(1_700_000_000, 0)

const (
	subscribe  = `{"id":1,"method":"mining.subscribe","params":["x"]}` + "\n"
	subscribed = `{"id":1,"result":[[["mining.notify","1"]],"f0",4],"error":null}` + "\n"
	authorize  = `{"id":2,"method":"mining.authorize","params":["a.b","p"]}` + "\n"
	authorized = `{"id":2,"result":true,"error":null}` + "\n"
)

// up and down hand over one line and give what comes out on both sides.
func up(x *exchange.Exchange, line string) (pool, miner string) {
	var out exchange.Out
	x.FromMiner([]byte(line), start, &out)
	return string(out.Pool), string(out.Miner)
}

func down(x *exchange.Exchange, line string) (pool, miner string) {
	var out exchange.Out
	x.FromPool([]byte(line), start, &out)
	if out.Answered {
		x.Written(&out)
	}
	return string(out.Pool), string(out.Miner)
}

// TestGivenUpRequests never answers: the oldest requests are given up, their shares
// counted as lost, and a late answer under an id of loka's reaches nobody.
func TestGivenUpRequests(t *testing.T) {
	n := newNotes()
	x := begin(t, n)
	var second string
	for i := range 300 {
		line, _ := up(x, `{"id":4,"method":"mining.submit","params":["a","1","2","3","4"]}`+"\n")
		if i == 1 {
			second = line
		}
	}
	if got := n.what[exchange.ShareLost]; got != 300-256 {
		t.Errorf("%d shares were given up", got)
	}
	var late struct{ ID json.RawMessage }
	if err := json.Unmarshal([]byte(second), &late); err != nil {
		t.Fatal(err)
	}
	if _, miner := down(x, `{"id":`+string(late.ID)+`,"result":true,"error":null}`+"\n"); miner != "" {
		t.Errorf("a late answer reached the miner: %s", miner)
	}
	x.Close("test")
	if got := n.what[exchange.ShareSubmitted] - n.what[exchange.ShareLost]; got != 0 {
		t.Errorf("%d shares are not accounted for", got)
	}
}

// TestAnswersAreMatchedByValue has a pool that writes ids in its own way.
func TestAnswersAreMatchedByValue(t *testing.T) {
	n := newNotes()
	x := begin(t, n)
	for i, forms := range [][2]string{{`7`, `7.0`}, {`"auth"`, `"\u0061uth"`}, {`1e1`, `10`}} {
		up(x, `{"id":`+forms[0]+`,"method":"mining.submit","params":["a","1","2","3","4"]}`+"\n")
		down(x, `{"id":`+forms[1]+`,"result":true}`+"\n")
		if n.what[exchange.ShareAccepted] != i+1 {
			t.Errorf("%s does not answer %s", forms[1], forms[0])
		}
	}
}

func TestResponseRules(t *testing.T) {
	refused := set(rules.Response, "mining.authorize", "error", "[24, 'refused by ' + pool + ' for ' + user, nil]")
	refused.When = when("not ok && password == 'p'")
	x := begin(t, silent{}, refused, rules.Rule{Kind: rules.Response, Method: "mining.foo", Drop: true})
	up(x, authorize)
	_, miner := down(x, `{"id":2,"error":null,"result":false}`+"\n")
	if want := `{"id":2,"error":[24,"refused by pool.p for a.b",null],"result":false}` + "\n"; miner != want {
		t.Errorf("\n got %swant %s", miner, want)
	}
	up(x, authorize)
	if _, miner := down(x, authorized); miner != authorized {
		t.Errorf("got %s", miner)
	}
	up(x, `{"id":3,"method":"mining.foo"}`+"\n")
	if _, miner := down(x, `{"id":3,"result":1}`+"\n"); miner != "" {
		t.Errorf("got %s", miner)
	}
}

// TestUnjudgedNotification has params that no rule can be shown; work must not stop.
func TestUnjudgedNotification(t *testing.T) {
	n := newNotes()
	x := begin(t, n, rules.Rule{Kind: rules.Notification, Method: "mining.notify", When: when("len(params) > 90"), Drop: true})
	for _, params := range []string{`{"a":1}`, `["` + "\xff" + `"]`, `[[[[[[[[[[1]]]]]]]]]]`, `[` + strings.Repeat("1,", 99) + `1]`} {
		line := `{"id":null,"method":"mining.notify","params":` + params + `}` + "\n"
		if _, miner := down(x, line); miner != line {
			t.Errorf("got %q for %q", miner, line)
		}
	}
	if n.what[exchange.Unjudged] != 4 {
		t.Errorf("%d were recorded", n.what[exchange.Unjudged])
	}
}

func TestReconnectIsNotPassedOn(t *testing.T) {
	n := newNotes()
	x := begin(t, n)
	if _, miner := down(x, `{"id":null,"method":"client.reconn\u0065ct","params":["evil.example",3333,0]}`+"\n"); miner != "" {
		t.Errorf("got %s", miner)
	}
	if n.reasons[exchange.RefusedReconnect] != 1 {
		t.Error("it is not counted")
	}
}

// TestLongNames: a name that nobody has is not remembered, and not mapped.
func TestLongNames(t *testing.T) {
	line := `{"id":2,"method":"mining.authorize","params":["` + strings.Repeat("n", 1023) + `","x"]}` + "\n"
	if pool, _ := up(begin(t, silent{}), line); pool != line {
		t.Errorf("without rules it became %q", pool)
	}
	if pool, miner := up(begin(t, silent{}, toWallet), line); pool != "" || miner == "" {
		t.Errorf("mapped, it became %q, %q", pool, miner)
	}
}

// TestSetParamsOnSubmit has a rule give the submit another list, under names that are
// empty or no names: nothing may be sent that was not authorised, and nothing may break.
func TestSetParamsOnSubmit(t *testing.T) {
	for value, want := range map[string]string{
		`filter(params, # != '')`: `[20,"Malformed worker name",null]`,
		`[]`:                      `[20,"Malformed worker name",null]`,
		`[7]`:                     `[20,"Malformed worker name",null]`,
		`params`:                  ``,
	} {
		x := begin(t, silent{}, toWallet, set(rules.Request, "mining.submit", "params", value))
		up(x, `{"id":2,"method":"mining.authorize","params":["","x"]}`+"\n")
		down(x, authorized)
		pool, miner := up(x, `{"id":4,"method":"mining.submit","params":["",""]}`+"\n")
		if want == "" && pool != `{"id":4,"method":"mining.submit","params":["W.",""]}`+"\n" || want != "" && !strings.Contains(miner, want) {
			t.Errorf("%s: %q, %q", value, pool, miner)
		}
	}
}

// TestConstantParams maps the name in a list that is a constant of the policy, which
// must stay what it is.
func TestConstantParams(t *testing.T) {
	x := begin(t, silent{}, toWallet, set(rules.Request, "mining.submit", "params", "['a.b', '1', '2', '3', '4']"))
	up(x, authorize)
	for id := range 3 {
		pool, _ := up(x, fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":["a.b"]}`+"\n", 10+id))
		if !strings.Contains(pool, `["W.a_b","1","2","3","4"]`) {
			t.Errorf("got %s", pool)
		}
	}
}

// TestNamesThatThePoolRefuses: what was mapped holds only once the pool has said yes.
func TestNamesThatThePoolRefuses(t *testing.T) {
	byPassword := set(rules.Request, "mining.authorize", "user", "password + '.' + user")
	x := begin(t, silent{}, byPassword)
	id := 100
	login := func(password, result string) {
		id++
		up(x, fmt.Sprintf(`{"id":%d,"method":"mining.authorize","params":["a","%s"]}`+"\n", id, password))
		if result != "" {
			down(x, fmt.Sprintf(`{"id":%d,"result":%s}`+"\n", id, result))
		}
	}
	share := func() string {
		pool, miner := up(x, `{"id":4,"method":"mining.submit","params":["a"]}`+"\n")
		down(x, `{"id":4,"result":true}`+"\n")
		return pool + miner
	}
	want := func(text string) {
		t.Helper()
		if got := share(); !strings.Contains(got, text) {
			t.Errorf("got %s, not %s", got, text)
		}
	}
	login("W0", "")
	want(`["W0.a"]`) // not answered yet: clients do not all wait
	login("W1", "false")
	want(`["W0.a"]`) // the first may still be accepted
	login("W1", "true")
	want(`["W1.a"]`)
	login("W2", "false")
	want(`["W1.a"]`)
	login("W3", "")
	want(`["W1.a"]`) // ckpool ignores a second authorize
	login("W3", "null")
	want(`["W3.a"]`)
}

// TestRefusedName: nobody may submit under it.
func TestRefusedName(t *testing.T) {
	x := begin(t, silent{}, toWallet)
	up(x, subscribe)
	down(x, subscribed)
	up(x, authorize)
	down(x, `{"id":2,"result":false,"error":null}`+"\n")
	if pool, miner := up(x, `{"id":4,"method":"mining.submit","params":["a.b"]}`+"\n"); pool != "" || !strings.Contains(miner, "Unauthorized") {
		t.Errorf("got %q, %q", pool, miner)
	}
}

// TestTwoAuthorizesInFlight: the pool accepts the first and refuses the second.
func TestTwoAuthorizesInFlight(t *testing.T) {
	x := begin(t, silent{}, toWallet)
	up(x, authorize)
	up(x, strings.Replace(authorize, `"id":2`, `"id":3`, 1))
	down(x, authorized)
	down(x, `{"id":3,"result":null,"error":[20,"already authorized",null]}`+"\n")
	if pool, _ := up(x, `{"id":4,"method":"mining.submit","params":["a.b"]}`+"\n"); !strings.Contains(pool, `"W.a_b"`) {
		t.Errorf("got %q", pool)
	}
}

// TestRouteOnlyBeforeASubscribe: whatever became of the first one.
func TestRouteOnlyBeforeASubscribe(t *testing.T) {
	route := rules.Rule{Kind: rules.Request, Method: "mining.subscribe", When: when("agent == 'go'"), Route: "pool.second"}
	again := []byte(`{"id":9,"method":"mining.subscribe","params":["go"]}` + "\n")
	for name, before := range map[string]func(*exchange.Exchange){
		"unanswered": func(x *exchange.Exchange) { up(x, subscribe) },
		"no id":      func(x *exchange.Exchange) { up(x, strings.Replace(subscribe, `"id":1`, `"id":null`, 1)) },
		"given up": func(x *exchange.Exchange) {
			up(x, subscribe)
			for i := range 300 {
				up(x, fmt.Sprintf(`{"id":%d,"method":"mining.foo"}`+"\n", 100+i))
			}
		},
	} {
		x := begin(t, silent{}, route)
		before(x)
		var out exchange.Out
		x.FromMiner(again, start, &out)
		if out.Route != "" {
			t.Errorf("%s: it is routed to %s", name, out.Route)
		}
	}
	var out exchange.Out
	begin(t, silent{}, route).FromMiner(again, start, &out)
	if out.Route != "pool.second" {
		t.Errorf("routed to %q", out.Route)
	}
}

// TestMemoryOfOneMiner says all that a hostile miner can make a conversation remember.
func TestMemoryOfOneMiner(t *testing.T) {
	long := strings.Repeat("m", 15_000)
	byPassword := set(rules.Request, "mining.authorize", "user", "user + password")
	for name, line := range map[string]func(i int) string{
		"methods": func(i int) string { return fmt.Sprintf(`{"id":%d,"method":"%s%d"}`, i, long, i) },
		"submits": func(i int) string {
			return fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":["%s%d"]}`, i, long, i)
		},
		"names": func(i int) string {
			return fmt.Sprintf(`{"id":%d,"method":"mining.authorize","params":["n%d","%s"]}`, i, i%1024, long[:440])
		},
	} {
		var list []rules.Rule
		if name == "names" {
			list = append(list, byPassword)
		}
		x := begin(t, silent{}, list...)
		up(x, subscribe)
		down(x, subscribed)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range 4000 {
			up(x, line(10+i)+"\n")
			if name == "names" {
				down(x, fmt.Sprintf(`{"id":%d,"result":true}`+"\n", 10+i))
			}
		}
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&after)
		if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 600<<10 && !raceEnabled {
			t.Errorf("%s: %d KiB are held", name, held>>10)
		}
		runtime.KeepAlive(x)
	}
}

// TestLookalikes: some programs compare a method's beginning only, without regard to
// case.
func TestLookalikes(t *testing.T) {
	for _, method := range []string{"mining.auth", "Mining.Authorize", "mining.authorized", "MINING.SUBMIT", "mining.submitx", `mining.authorize\u0000`} {
		line := `{"id":9,"method":"` + method + `","params":["a","x"]}` + "\n"
		x := begin(t, silent{}, toWallet)
		up(x, subscribe)
		down(x, subscribed)
		if pool, _ := up(x, line); pool != "" {
			t.Errorf("with rules %s becomes %q", method, pool)
		}
	}
	for _, method := range []string{"Client.Reconnect", "client.reconnect.", `client.reconnect\u0000`} {
		line := `{"id":null,"method":"` + method + `","params":["evil.example",1]}` + "\n"
		if _, miner := down(begin(t, silent{}, toWallet), line); miner != "" {
			t.Errorf("%s becomes %q", method, miner)
		}
	}
	floor := set(rules.Notification, "mining.set_difficulty", "difficulty", "max(difficulty, 1024)")
	if _, miner := down(begin(t, silent{}, floor), `{"id":null,"method":"mining.set_Difficulty","params":[1]}`+"\n"); miner != "" {
		t.Errorf("got %q", miner)
	}
	for _, line := range []string{`{"id":9,"method":"mining.auth","params":["a"]}` + "\n", `{"id":9,"method":"MINING.SUBMIT","params":["a"]}` + "\n"} {
		if pool, _ := up(begin(t, silent{}), line); pool != line {
			t.Errorf("without rules it becomes %q", pool)
		}
	}
}

// TestInnerCarriageReturn: to a reader that ends lines there this is two messages.
func TestInnerCarriageReturn(t *testing.T) {
	x := begin(t, silent{}, toWallet)
	if pool, _ := up(x, `{"id":1,"method":"mining.ping","params":[`+"\r"+`{"id":2,"method":"mining.authorize","params":["evil","x"]}`+"\r"+`]}`+"\n"); pool != "" {
		t.Errorf("got %q", pool)
	}
}

// TestLargeNotification has far more elements than anyone wants to look at.
func TestLargeNotification(t *testing.T) {
	x := begin(t, silent{}, rules.Rule{Kind: rules.Notification, Method: "mining.notify", When: when("len(merkle_branches) > 20"), Drop: true})
	line := `{"id":null,"method":"mining.notify","params":["j","p","1","2",[` + strings.Repeat("0,", 100_000) + `0],"v","b","t",true]}` + "\n"
	var out exchange.Out
	allocs := testing.AllocsPerRun(1, func() {
		out.Miner = out.Miner[:0]
		x.FromPool([]byte(line), start, &out)
	})
	if string(out.Miner) != line {
		t.Error("it did not pass")
	}
	if allocs > 5000 {
		t.Errorf("%v allocations", allocs)
	}
}

// TestSubscribeGivenUp: answers of our own do not wait for ever.
func TestSubscribeGivenUp(t *testing.T) {
	deny := rules.Rule{Kind: rules.Request, Method: "mining.bar", Deny: &rules.Deny{Code: 20, Message: "no"}}
	x := begin(t, silent{}, deny)
	up(x, subscribe)
	if _, miner := up(x, `{"id":7,"method":"mining.bar"}`+"\n"); miner != "" {
		t.Errorf("before the reply to subscribe: %q", miner)
	}
	got := ""
	for i := range 300 {
		_, miner := up(x, fmt.Sprintf(`{"id":%d,"method":"mining.foo"}`+"\n", 1000+i))
		got += miner
	}
	if !strings.Contains(got, `"no"`) {
		t.Errorf("got %q", got)
	}
}

// TestUnaskedAnswer: what answers nothing, as the first line, is no miner's.
func TestUnaskedAnswer(t *testing.T) {
	for _, line := range []string{`{}`, `{"id":1,"result":true}`, `{"id":1,"method":null}`} {
		var out exchange.Out
		begin(t, silent{}).FromMiner([]byte(line+"\n"), start, &out)
		if len(out.Pool) > 0 || out.Close == "" {
			t.Errorf("%s: %q, %q", line, out.Pool, out.Close)
		}
	}
	x := begin(t, silent{})
	up(x, subscribe)
	down(x, subscribed)
	for line, passes := range map[string]bool{
		`{"id":1,"result":true}`: true, `{"id":1,"method":null,"error":null}`: true,
		`{"id":1,"method":null,"params":["evil"]}`: false, `{"command":"x"}`: false, `{}`: false,
	} {
		if pool, _ := up(x, line+"\n"); (pool != "") != passes {
			t.Errorf("%s: %q", line, pool)
		}
	}
}

// TestTooMuchBeforeSubscribe: what cannot be said again to another pool is not said at all.
func TestTooMuchBeforeSubscribe(t *testing.T) {
	for name, lines := range map[string][]string{
		"many": slices.Repeat([]string{`{"id":7,"method":"mining.configure","params":[]}` + "\n"}, 9),
		"name": {authorize},
		"long": {`{"id":7,"method":"mining.configure","params":["` + strings.Repeat("x", 5000) + `"]}` + "\n"},
	} {
		x := exchange.New(exchange.Config{Program: compile(t), Replays: true, Opened: start}, silent{})
		for _, line := range lines {
			up(x, line)
		}
		if x.Movable() == nil {
			t.Errorf("%s: it would be said to another pool", name)
		}
	}
}

func TestTooManyNames(t *testing.T) {
	x := begin(t, silent{}, toWallet)
	up(x, subscribe)
	down(x, subscribed)
	for i := range 1024 {
		line := fmt.Sprintf(`{"id":null,"method":"mining.authorize","params":["n%d"]}`+"\n", i)
		if pool, _ := up(x, line); pool == "" {
			t.Fatalf("name %d was refused", i)
		}
	}
	if pool, miner := up(x, `{"id":2,"method":"mining.authorize","params":["one more"]}`+"\n"); pool != "" || !strings.Contains(miner, "Too many worker names") {
		t.Errorf("got %q, %q", pool, miner)
	}
	if pool, _ := up(x, `{"id":2,"method":"mining.authorize","params":["n7"]}`+"\n"); pool == "" {
		t.Error("a known name was refused")
	}
}

// TestSetParams keeps the bytes of what a new list has in common with the old.
func TestSetParams(t *testing.T) {
	for value, want := range map[string]string{
		`params[:2]`:                `["\u0041" ,1024.0]`,
		`[params[0], 'new']`:        `["\u0041" ,"new"]`,
		`[]`:                        `[]`,
		`params`:                    `["\u0041" ,1024.0 ,{"a": 1}]`,
		`[1, 2.5, true, nil, 'ü"']`: `[1 ,2.5 ,true ,null ,"ü\""]`,
	} {
		x := begin(t, silent{}, set(rules.Request, "mining.foo", "params", value))
		pool, _ := up(x, `{"params": ["\u0041" ,1024.0 , {"a": 1} ],"id":1,"method":"mining.foo"}`+"\n")
		if want := `{"params": ` + want + `,"id":1,"method":"mining.foo"}` + "\n"; pool != want {
			t.Errorf("%s:\n got %swant %s", value, pool, want)
		}
	}
	x := begin(t, silent{}, set(rules.Request, "mining.foo", "params", "['new']"))
	for line, want := range map[string]string{
		`{"id":1,"method":"mining.foo"}`:                `{"id":1,"method":"mining.foo","params":["new"]}`,
		`{"id":2,"params":null,"method":"mining.foo"}`:  `{"id":2,"params":["new"],"method":"mining.foo"}`,
		`{"id":3,"params": [ ] ,"method":"mining.foo"}`: `{"id":3,"params": ["new"] ,"method":"mining.foo"}`,
	} {
		if pool, _ := up(x, line+"\n"); pool != want+"\n" {
			t.Errorf("%s:\n got %swant %s", line, pool, want)
		}
	}
}

// TestAppendedParam sets a password that the miner did not send.
func TestAppendedParam(t *testing.T) {
	x := begin(t, silent{}, set(rules.Request, "mining.authorize", "password", "'x'"))
	pool, _ := up(x, `{"id":2,"method":"mining.authorize","params":[ "a" ]}`+"\n")
	if want := `{"id":2,"method":"mining.authorize","params":[ "a","x" ]}` + "\n"; pool != want {
		t.Errorf("got %s", pool)
	}
}

// allocations counts those of handing over a line, once the conversation is warm.
func allocations(t *testing.T, list []rules.Rule, line, answer string) float64 {
	t.Helper()
	x := begin(t, silent{}, list...)
	up(x, subscribe)
	down(x, subscribed)
	up(x, authorize)
	down(x, authorized)
	var out exchange.Out
	ask, reply := []byte(line), []byte(answer)
	return testing.AllocsPerRun(500, func() {
		out.Pool, out.Miner = out.Pool[:0], out.Miner[:0]
		x.FromMiner(ask, start, &out)
		x.FromPool(reply, start, &out)
	})
}

func TestForwardingAllocatesNothing(t *testing.T) {
	const (
		submit = `{"params": ["a.b", "1f", "0000000000000001", "66a0b1c2", "deadbeef", "00006000"], "id": 9, "method": "mining.submit"}` + "\n"
		answer = `{"id":9,"result":true,"error":null}` + "\n"
	)
	never := rules.Rule{Kind: rules.Request, Method: "*", When: when("not (method startsWith 'mining.')"), Deny: &rules.Deny{Code: 20, Message: "no"}}
	evil := rules.Rule{Kind: rules.Request, Method: "mining.submit", When: when("user == 'evil'"), Drop: true}
	for name, list := range map[string][]rules.Rule{
		"without rules":               nil,
		"under a mapped name":         {toWallet},
		"with rules that don't match": {toWallet, never, evil},
	} {
		if got := allocations(t, list, submit, answer); got >= 1 && !raceEnabled {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

// FuzzTransparency hands over any bytes, without rules: what comes out is the line, or
// nothing and a reason.
func FuzzTransparency(f *testing.F) {
	for _, line := range []string{subscribe, authorize, subscribed, authorized, "", "{}", `{"id":1,"id":2}`, "[]", `{"Method":"x"}`, `{"id":1,"method":7}`, `{"method":"client.reconnect"}`} {
		f.Add(strings.TrimSuffix(line, "\n"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "\n") {
			return // it would be two
		}
		n := newNotes()
		x := begin(t, n)
		if pool, _ := up(x, line+"\n"); pool != line+"\n" && (pool != "" || n.what[exchange.Refused] != 1) {
			t.Errorf("up: %q became %q", line, pool)
		}
		y := begin(t, n)
		n.what[exchange.Refused] = 0
		if _, miner := down(y, line+"\n"); miner != line+"\n" && (miner != "" || n.what[exchange.Refused] != 1) {
			t.Errorf("down: %q became %q", line, miner)
		}
	})
}

// FuzzRules hands over any bytes under rules that change what they can: what comes out
// is whole lines, each one JSON object.
func FuzzRules(f *testing.F) {
	for _, line := range []string{subscribe, authorize, `{"id":4,"method":"mining.submit","params":["a.b","1","2","3","4"]}`, `{"method":"mining.set_difficulty","params":[1.0]}`, `{"method":"x","params":"y","id":"z"}`} {
		f.Add(strings.TrimSuffix(line, "\n"))
	}
	floor := set(rules.Notification, "mining.set_difficulty", "difficulty", "max(difficulty, 1024)")
	list := []rules.Rule{
		toWallet, floor,
		set(rules.Request, "mining.subscribe", "params", "params[:1]"),
		set(rules.Request, "mining.submit", "nonce", "lower(nonce)"),
		set(rules.Request, "*", "params", "params"),
		set(rules.Notification, "mining.notify", "params", "params[1:]"),
		set(rules.Response, "*", "result", "[result]"),
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "\n") {
			return // it would be two
		}
		x := begin(t, newNotes(), list...)
		var out exchange.Out
		for _, l := range []string{subscribe, authorize, line + "\n", line + "\n"} {
			x.FromMiner([]byte(l), start, &out)
		}
		for _, l := range []string{subscribed, line + "\n", authorized} {
			x.FromPool([]byte(l), start, &out)
		}
		checkLines(t, out.Pool)
		checkLines(t, out.Miner)
	})
}

func checkLines(t *testing.T, all []byte) {
	t.Helper()
	for line := range bytes.Lines(all) {
		if !bytes.HasSuffix(line, []byte("\n")) || !json.Valid(line) || bytes.TrimSpace(line)[0] != '{' {
			t.Errorf("not one JSON object: %q", line)
		}
	}
}

// TestEveryRequestGetsAtMostOneReply has a random miner and a random pool: a request
// gets at most one reply under its id, exactly one when it was answered or refused, and
// every share is accounted for.
func TestEveryRequestGetsAtMostOneReply(t *testing.T) {
	deny := rules.Rule{Kind: rules.Request, Method: "mining.submit", When: when("nonce == 'deny'"), Deny: &rules.Deny{Code: 20, Message: "no"}}
	reply := rules.Rule{Kind: rules.Request, Method: "mining.submit", When: when("nonce == 'reply'"), Reply: &rules.Reply{Result: when("true")}}
	drop := rules.Rule{Kind: rules.Request, Method: "mining.submit", When: when("nonce == 'drop'"), Drop: true}
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 3))
		n := newNotes()
		x := begin(t, n, toWallet, deny, reply, drop)
		up(x, subscribe)
		down(x, subscribed)
		up(x, authorize)
		down(x, authorized)
		converse(t, r, x)
		x.Close("test")
		sum := 0
		for _, w := range []exchange.What{exchange.ShareAccepted, exchange.ShareRejected, exchange.ShareDenied, exchange.ShareReplied, exchange.ShareDropped, exchange.ShareLost} {
			sum += n.what[w]
		}
		if sum != n.what[exchange.ShareSubmitted] {
			t.Errorf("seed %d: %d submitted, %d accounted for", seed, n.what[exchange.ShareSubmitted], sum)
		}
	}
}

func converse(t *testing.T, r *rand.Rand, x *exchange.Exchange) {
	t.Helper()
	var atPool []string          // ids that the pool has not answered
	asked := map[string]int{}    // requests of the miner, by id
	answered := map[string]int{} // replies to it
	expected := map[string]int{} // that it must have got
	note := func(id, miner string) {
		if miner != "" {
			answered[id]++
		}
	}
	for range 300 {
		if r.IntN(2) == 0 || len(atPool) == 0 {
			id := fmt.Sprint(r.IntN(6))
			nonce := []string{"deny", "reply", "drop", "01", "02", "03"}[r.IntN(6)]
			pool, miner := up(x, fmt.Sprintf(`{"id":%s,"method":"mining.submit","params":["a.b","1","2","3","%s"]}`+"\n", id, nonce))
			asked[id]++
			note(id, miner)
			if pool != "" {
				atPool = append(atPool, idOf(t, pool))
			}
			if nonce == "deny" || nonce == "reply" {
				expected[id]++
			}
			continue
		}
		i := r.IntN(len(atPool))
		id := atPool[i]
		atPool = append(atPool[:i], atPool[i+1:]...)
		_, miner := down(x, `{"id":`+id+`,"result":true,"error":null}`+"\n")
		back := idOf(t, miner)
		note(back, miner)
		expected[back]++
	}
	for id, n := range answered {
		if n > asked[id] || n != expected[id] {
			t.Errorf("id %s: %d requests, %d replies, %d expected", id, asked[id], n, expected[id])
		}
	}
}

func idOf(t *testing.T, line string) string {
	t.Helper()
	var m struct{ ID json.RawMessage }
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return string(m.ID)
}

func BenchmarkSubmit(b *testing.B) {
	for name, list := range map[string][]rules.Rule{"transparent": nil, "mapped": {toWallet}} {
		b.Run(name, func(b *testing.B) {
			x := begin(b, silent{}, list...)
			up(x, subscribe)
			down(x, subscribed)
			up(x, authorize)
			down(x, authorized)
			var out exchange.Out
			ask := []byte(`{"params": ["a.b", "1f", "0000000000000001", "66a0b1c2", "deadbeef", "00006000"], "id": 9, "method": "mining.submit"}` + "\n")
			reply := []byte(`{"id":9,"result":true,"error":null}` + "\n")
			b.ReportAllocs()
			for b.Loop() {
				out.Pool, out.Miner = out.Pool[:0], out.Miner[:0]
				x.FromMiner(ask, start, &out)
				x.FromPool(reply, start, &out)
			}
		})
	}
}

package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// The tests of this file are items 1 to 32 of the conformance checklist: what passes
// when no rule says otherwise. Each is named after its item.

func TestC01UntouchedLinesPassByteForByte(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	for _, line := range []string{
		`{"params": ["U", "JOB", "N2", "NTIME", "NONCE", "00006000"], "id": 7, "method": "mining.submit"}`,
		`  {"id" : 8 ,"jsonrpc":"2.0","method":"mining.suggest_difficulty","params":[ 1024.0,1e3 ]}  `,
		`{"id":"\u0061uth","method":"mining.authorize","params":["J\u00fcrgen \"x\"","\\"],"extra":{"a":[null]}}`,
		`{"id":9,"method":"mining.f\u006fo","params":null}`,
	} {
		miner.send(line)
		pool.want(line)
	}
	for _, line := range []string{
		`{"id":7,"result":false,"error":null,"reject-reason":"Stale","x": 1024.0}`,
		`{ "params" : [ 1024.0 ] , "id" : null , "method" : "mining.set_difficulty" }`,
		`{"method":"mining.notify","params":["1386 5","",""],"id":null,"jsonrpc":"2.0"}`,
	} {
		pool.send(line)
		miner.want(line)
	}
}

func TestC02OneLineEndAndNoBlankLines(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	miner.raw("\n\r\n  \n" + authorize + "\n\n\n")
	pool.want(authorize)
	pool.raw("\n\n" + authorized + "\n\n \r\n")
	miner.want(authorized)
	miner.send(submit)
	pool.want(submit)
	pool.send(accepted)
	miner.want(accepted)
}

func TestC03BlankLinesOfAPoolAreSwallowed(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	pool.raw("\n")
	pool.raw("\r\n\t\n" + authorized + "\n\n")
	miner.want(authorized)
	s.wantCount(4, "loka_lines_refused_total", "reason", "blank")
}

func TestC04CarriageReturnsAreTolerated(t *testing.T) {
	s := perform(t, "")
	miner := s.miner()
	miner.raw(subscribe + "\r\n")
	pool := s.accept()
	pool.want(subscribe + "\r")
	pool.raw(subscribed + "\r\n")
	miner.want(subscribed + "\r")
}

func TestC05Segmentation(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	for i := range len(submit) {
		miner.raw(submit[i : i+1])
	}
	miner.raw("\n" + authorize + "\n" + submit[:30])
	pool.want(submit, authorize)
	miner.raw(submit[30:] + "\n")
	line := pool.line() // the id 4 is outstanding: it goes up under another
	if !strings.HasPrefix(line, submit[:len(submit)-2]) {
		t.Errorf("got %s", line)
	}
	pool.raw(accepted[:5])
	pool.raw(accepted[5:] + "\n" + authorized + "\n")
	miner.want(accepted, authorized)
}

func TestC06OrderIsKept(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	var up, down []string
	for i := range 500 {
		up = append(up, fmt.Sprintf(`{"id":%d,"method":"mining.foo","params":["%s"]}`, i+10, strings.Repeat("a", i)))
		down = append(down, fmt.Sprintf(`{"id":null,"method":"mining.bar","params":[%d,"%s"]}`, i, strings.Repeat("b", i)))
	}
	go func() { miner.send(up...) }()
	go func() { pool.send(down...) }()
	pool.want(up...)
	miner.want(down...)
}

func TestC07IDsComeBackExactly(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	for _, id := range []string{`0`, `-3`, `7.5`, `1e3`, `9007199254740993`, `1152921504606846976`, `"auth"`, `"txlist\u0041 1"`, `""`, `4`} {
		miner.send(`{"id":` + id + `,"method":"mining.foo","params":[]}`)
		pool.want(`{"id":` + id + `,"method":"mining.foo","params":[]}`)
		pool.send(`{"id":` + id + `,"result":true,"error":null}`)
		miner.want(`{"id":` + id + `,"result":true,"error":null}`)
	}
	for _, line := range []string{
		`{"id":null,"method":"mining.suggest_target","params":["00"]}`,
		`{"method":"mining.capabilities","params":[]}`,
	} {
		miner.send(line, line)
		pool.want(line, line)
	}
	pool.send(`{"id":null,"result":[],"error":true}`)
	miner.want(`{"id":null,"result":[],"error":true}`)
	s.wantCount(1, "loka_lines_odd_total", "what", "unmatched")
	s.wantCount(0, "loka_lines_refused_total")
}

// TestC07EqualIDs submits three times under id 4 before any answer, as cpuminer does,
// and answers the second first: each verdict must count for its own share.
func TestC07EqualIDs(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	miner.send(submit, submit, submit)
	pool.want(submit)
	ids := []string{"4"}
	for range 2 {
		line := pool.line()
		id := line[strings.LastIndex(line, ":")+1 : len(line)-1]
		if line != strings.Replace(submit, `"id":4`, `"id":`+id, 1) || slices.Contains(ids, id) {
			t.Fatalf("got %s", line)
		}
		ids = append(ids, id)
	}
	pool.send(`{"id":` + ids[1] + `,"result":null,"error":[21,"Job not found",null]}`)
	miner.want(`{"id":4,"result":null,"error":[21,"Job not found",null]}`)
	pool.send(`{"id":` + ids[0] + `,"result":true,"error":null}`)
	pool.send(`{"id":` + ids[2] + `,"result":true,"error":null}`)
	miner.want(accepted, accepted)
	s.wantCount(2, "loka_shares_accepted_total")
	s.wantCount(1, "loka_shares_rejected_total", "reason", "stale")
	s.wantCount(2, "loka_requests_renumbered_total")
	s.conserved()
}

func TestC08NotificationsWithIDs(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	miner.send(submit) // its id is 4
	pool.want(submit)
	notify := `{"jsonrpc": "2.0", "id": 4, "method": "mining.set_difficulty", "params": [1]}`
	pool.send(notify)
	miner.want(notify)
	pool.send(accepted)
	miner.want(accepted)
	s.wantCount(1, "loka_shares_accepted_total")
}

func TestC09UnknownMethodsPass(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	for _, line := range []string{`{"id":5,"method":"mining.hashrate","params":[1]}`, `{"id":6,"method":"eth_submitWork","params":{"a":1}}`, `{"id":7,"method":""}`} {
		miner.send(line)
		pool.want(line)
	}
	for _, line := range []string{`{"id":null,"method":"mining.foo","params":[]}`, `{"method":"mining.set_goal","params":["x",{}]}`} {
		pool.send(line)
		miner.want(line)
	}
}

func TestC10SubscribeParams(t *testing.T) {
	for _, params := range []string{
		`[]`, `["UA"]`, `["UA","sid"]`, `["NiceHash/1.0.0","1700000000000","ab12"]`,
		`["Braiins OS 2019-06-05", null, "stratum.slushpool.com:3333", null]`,
	} {
		s := perform(t, "")
		miner := s.miner()
		miner.send(`{"id":1,"method":"mining.subscribe","params":` + params + `}`)
		s.accept().want(`{"id":1,"method":"mining.subscribe","params":` + params + `}`)
	}
}

func TestC11SubscribeResults(t *testing.T) {
	for _, result := range []string{
		`["mining.notify","ae6812eb4cd7735a302a8a9dd95cf71f"],"f000",4`,
		`[["mining.notify","ab"]],"",4`,
		`[["mining.set_difficulty","1"],["mining.notify","2"]],"06650601bd171b",8.0`,
	} {
		s := perform(t, "")
		miner := s.miner()
		miner.send(subscribe)
		pool := s.accept()
		pool.want(subscribe)
		line := `{"id":1,"result":[` + result + `],"error":null}`
		pool.send(line)
		miner.want(line)
	}
}

func TestC12AuthorizeForms(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	miner.send(`{"id":2,"method":"mining.authorize","params":["john"]}`)
	pool.want(`{"id":2,"method":"mining.authorize","params":["john"]}`)
	pool.send(`{"error": null, "jsonrpc": "2.0", "id": 2, "result": null}`)
	miner.want(`{"error": null, "jsonrpc": "2.0", "id": 2, "result": null}`)
	miner.send(`{"id":3,"method":"mining.submit","params":["john","1","2","3","4"]}`)
	pool.want(`{"id":3,"method":"mining.submit","params":["john","1","2","3","4"]}`)
}

func TestC13ErrorForms(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	forms := map[string]string{ // what stands behind the id, and the reason
		`"result":null,"error":[21,"Job not found",null]`:                   "stale",
		`"result":null,"error":[22,"Duplicate share","Traceback (most…"]`:   "duplicate",
		`"result":null,"error":[23,"Low difficulty share"]`:                 "low_difficulty",
		`"error":{"code":24,"message":"Unauthorized worker"},"result":null`: "unauthorized",
		`"error":{"code":-32601,"message":"no such thing"}`:                 "other",
		`"error":"-1:params not found"`:                                     "other",
		`"result":[],"error":true`:                                          "other",
		`"result":null`:                                                     "other",
		`"result":"true","error":null`:                                      "other",
		`"result":true,"error":null`:                                        "",
		`"result":true`:                                                     "",
	}
	id, want := 100, map[string]float64{}
	for form, reason := range forms {
		id++
		want[reason]++
		miner.send(fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":["j","1","2","3","4"]}`, id))
		pool.line()
		line := fmt.Sprintf(`{"id":%d,%s}`, id, form)
		pool.send(line)
		miner.want(line)
	}
	for reason, n := range want {
		if reason == "" {
			s.wantCount(n, "loka_shares_accepted_total")
		} else {
			s.wantCount(n, "loka_shares_rejected_total", "reason", reason)
		}
	}
	s.conserved()
}

func TestC14RejectReason(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	for i, form := range []string{"Stale", "Duplicate", "Above target"} {
		id := 10 + i
		miner.send(fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":["j","1","2","3","4"]}`, id))
		pool.line()
		line := fmt.Sprintf(`{"reject-reason":"%s","result":false,"error":null,"id":%d}`, form, id)
		pool.send(line)
		miner.want(line)
	}
	for _, reason := range []string{"stale", "duplicate", "low_difficulty"} {
		s.wantCount(1, "loka_shares_rejected_total", "reason", reason)
	}
}

// notify makes a job with a coinbase of some size and a number of merkle branches.
func notify(coinbase, branches int) string {
	list := make([]string, branches)
	for i := range list {
		list[i] = `"` + strings.Repeat("ab", 32) + `"`
	}
	return `{"params":["1f","` + strings.Repeat("0", 64) + `","` + strings.Repeat("c1", coinbase) + `","` + strings.Repeat("c2", 50) +
		`",[` + strings.Join(list, ",") + `],"20000000","1703a30c","66a0b1c2",true],"id":null,"method":"mining.notify"}`
}

func TestC15LargeNotify(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	line := notify(29_000, 12)
	if len(line) < 58_000 {
		t.Fatal("not large")
	}
	pool.send(line)
	miner.want(line)
}

func TestC16MerkleBranches(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	for _, n := range []int{0, 1, 24} {
		pool.send(notify(60, n))
		miner.want(notify(60, n))
	}
}

func TestC17PoolLineTooLong(t *testing.T) {
	s := perform(t, "")
	other, otherPool := s.pair()
	miner, pool := s.pair()
	go func() {
		_, _ = pool.nc.Write([]byte(`{"id":null,"method":"` + strings.Repeat("x", 1<<20) + `"}` + "\n"))
	}()
	miner.wantClosed()
	otherPool.send(notify(60, 2))
	other.want(notify(60, 2))
	s.wantCount(1, "loka_sessions_closed_total", "reason", "pool_line")
	if !strings.Contains(s.log.String(), "pool_line") {
		t.Error("the log does not say why")
	}
}

func TestC18MinerLineTooLong(t *testing.T) {
	s := perform(t, "")
	other, otherPool := s.pair()
	miner, pool := s.pair()
	long := `{"id":5,"method":"mining.foo","params":["` + strings.Repeat("x", 16<<10-44) + `"]}`
	if len(long) != 16<<10 {
		t.Fatal(len(long))
	}
	miner.send(long)
	pool.want(long)
	miner.send(long + " ")
	miner.wantClosed()
	pool.wantClosed()
	other.send(authorize)
	otherPool.want(authorize)
	s.wantCount(1, "loka_sessions_closed_total", "reason", "miner_line")
}

func TestC19PoolSaysSomethingElse(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	pool.send("Invalid JSON, disconnecting")
	pool.send(authorized)
	miner.want(authorized) // the noise is not passed on
	_ = pool.nc.Close()
	miner.wantClosed()
	s.wantCount(1, "loka_lines_refused_total", "reason", "not_json")
}

func TestC20EndOfEitherSide(t *testing.T) {
	ends := map[string]func(*wire){
		"closed":      func(w *wire) { _ = w.nc.Close() },
		"half-closed": func(w *wire) { _ = w.nc.CloseWrite() },
		"reset":       (*wire).reset,
	}
	for name, end := range ends {
		t.Run("miner "+name, func(t *testing.T) {
			s := perform(t, "")
			miner, pool := s.pair()
			start := time.Now()
			end(miner)
			pool.wantClosed()
			if d := time.Since(start); d > 2*time.Second {
				t.Errorf("it took %s", d)
			}
		})
		t.Run("pool "+name, func(t *testing.T) {
			s := perform(t, "")
			miner, pool := s.pair()
			start := time.Now()
			end(pool)
			miner.wantClosed()
			if d := time.Since(start); d > 2*time.Second {
				t.Errorf("it took %s", d)
			}
		})
	}
}

// TestC20LastLinesArrive closes the pool right behind its last line.
func TestC20LastLinesArrive(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	pool.send(notify(60, 1), `{"id":null,"method":"client.show_message","params":["bye"]}`)
	_ = pool.nc.Close()
	miner.want(notify(60, 1), `{"id":null,"method":"client.show_message","params":["bye"]}`)
	miner.wantClosed()
}

// TestC20LastLinesReachASlowMiner has much to be delivered when the pool closes, to a
// miner that goes on talking: a socket that is closed with bytes unread, or that gets
// some afterwards, resets the connection and discards what it had to send.
func TestC20LastLinesReachASlowMiner(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	stop, talked := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(talked)
		tick := time.NewTicker(200 * time.Microsecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_, _ = miner.nc.Write([]byte(`{"id":null,"method":"mining.foo"}` + "\n"))
			case <-stop:
				return
			}
		}
	}()
	line := notify(14_000, 2)
	for range 30 {
		pool.send(line)
	}
	_ = pool.nc.CloseWrite()
	for { // until loka closes
		if _, err := pool.r.Discard(1); err != nil {
			break
		}
	}
	tick := time.NewTicker(20 * time.Millisecond) // the miner talks on, and reads nothing
	defer tick.Stop()
	<-tick.C
	for i := range 30 {
		if got := miner.line(); got != line {
			t.Fatalf("line %d is of %d bytes", i, len(got))
		}
	}
	close(stop)
	<-talked
}

func TestC21Pings(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	pool.send(`{"params":[],"id":42,"method":"mining.ping"}`)
	miner.want(`{"params":[],"id":42,"method":"mining.ping"}`)
	miner.send(`{"id": 42, "result": "pong", "error": null}`, `{"id":43,"method":"pong","params":[]}`)
	pool.want(`{"id": 42, "result": "pong", "error": null}`, `{"id":43,"method":"pong","params":[]}`)
	miner.send(`{"id":44,"method":"mining.ping","params":[]}`)
	pool.want(`{"id":44,"method":"mining.ping","params":[]}`)
	pool.send(`{"id":44,"result":"pong","error":null}`)
	miner.want(`{"id":44,"result":"pong","error":null}`)
}

func TestC22PoolAsksTheMiner(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	for _, line := range []string{`{"id":7,"method":"client.get_version","params":[]}`, `{"id":8,"method":"client.show_message","params":["hi"]}`} {
		pool.send(line)
		miner.want(line)
	}
	for _, line := range []string{`{"id":7,"result":"bfgminer/5.5.0","error":null}`, `{"id": 8, "error": null, "result": true}`} {
		miner.send(line)
		pool.want(line)
	}
}

func TestC23WorkBeforeTheAuthorizeReply(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	miner.send(authorize)
	pool.want(authorize)
	lines := []string{`{"id":null,"method":"mining.set_difficulty","params":[512]}`, notify(60, 12), authorized}
	pool.send(lines...)
	miner.want(lines...)
}

// TestC24NothingBeforeTheSubscribeReply has rules answer requests that the miner sends
// right behind subscribe: cpuminer takes the first line for the reply to subscribe.
func TestC24NothingBeforeTheSubscribeReply(t *testing.T) {
	s := perform(t, `
  request "mining.authorize" "no" {
    deny { message = "no" }
  }
  request "mining.suggest_difficulty" "keep" {
    reply { result = "true" }
  }`)
	miner := s.miner()
	miner.send(subscribe, authorize, `{"id":3,"method":"mining.suggest_difficulty","params":[1]}`)
	pool := s.accept()
	pool.want(subscribe)
	pool.send(subscribed)
	miner.want(subscribed, `{"id":2,"result":null,"error":[20,"no",null]}`, `{"id":3,"result":true,"error":null}`)
}

func TestC25PipelinedHandshake(t *testing.T) {
	s := perform(t, "")
	miner := s.miner()
	burst := []string{
		`{"id":1,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"ffffffff"}]}`,
		`{"id":2,"method":"mining.subscribe","params":["bitaxe/BM1370/v2.x"]}`,
		`{"id":3,"method":"mining.authorize","params":["U","P"]}`,
	}
	miner.send(burst...)
	pool := s.accept()
	pool.want(burst...) // all three, before any answer
	answers := []string{
		`{"id":1,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"},"error":null}`,
		`{"id":2,"result":[[["mining.notify","1"]],"f0000001",8],"error":null}`,
		`{"id":3,"result":true,"error":null}`,
	}
	pool.send(answers...)
	miner.want(answers...)
}

func TestC26UnansweredRequestsStallNothing(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	for range 400 { // NerdMiner repeats this under one id for ever
		miner.send(`{"id":3,"method":"mining.suggest_difficulty","params":[0.00015]}`)
		pool.want(`{"id":3,"method":"mining.suggest_difficulty","params":[0.00015]}`)
	}
	miner.send(`{"id":5,"method":"mining.extranonce.subscribe","params":[]}`, submit)
	pool.want(`{"id":5,"method":"mining.extranonce.subscribe","params":[]}`, submit)
	pool.send(accepted)
	miner.want(accepted)
}

func TestC27LocalAnswersCarryTheIDVerbatim(t *testing.T) {
	s := perform(t, `
  request "mining.foo" "ours" {
    reply { result = "'pong'" }
  }
  request "mining.bar" "never" {
    deny {
      code    = 20
      message = "no \"bars\""
    }
  }`)
	miner, pool := s.pair()
	for _, id := range []string{`"auth"`, `1.50`, `9007199254740993`, `"\u0041"`, `-0`} {
		miner.send(`{"id":`+id+`,"method":"mining.foo","params":[]}`, `{"method":"mining.bar","params":[],"id": `+id+` }`)
		miner.want(`{"id":`+id+`,"result":"pong","error":null}`, `{"id":`+id+`,"result":null,"error":[20,"no \"bars\"",null]}`)
	}
	miner.send(`{"id":null,"method":"mining.foo","params":[]}`, `{"method":"mining.bar"}`, submit)
	pool.want(submit) // and nothing for the two
	pool.send(accepted)
	miner.want(accepted)
}

func TestC28ConfigureReplyGetsNoNewKeys(t *testing.T) {
	s := perform(t, "")
	miner := s.miner()
	configure := `{"id": 196, "method": "mining.configure", "params": [["version-rolling"], {"version-rolling.mask": "1fffe000"}]}`
	answer := `{"id":196,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"},"error":null}`
	miner.send(configure)
	pool := s.accept()
	pool.want(configure)
	pool.send(answer)
	miner.want(answer)
}

func TestC29ForeignProtocolsOpenNoUpstream(t *testing.T) {
	for what, first := range map[string]string{
		"tls":            "\x16\x03\x01\x02\x00\x01\x00",
		"http":           "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"http_connect":   "CONNECT pool.example:3333 HTTP/1.1\r\n\r\n",
		"proxy_protocol": "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + subscribe + "\n",
		"binary":         "\x7f\x01\x02",
		"malformed":      "[" + subscribe + "]\n",
		"ambiguous":      `{"id":1,"method":"a","Method":"b"}` + "\n",
		"":               "",
	} {
		t.Run(what, func(t *testing.T) {
			s := perform(t, "")
			miner := s.miner()
			miner.raw(first)
			if what == "" {
				_ = miner.nc.CloseWrite()
			}
			miner.wantClosed()
			if what != "" {
				s.wantCount(1, "loka_lines_refused_total", "reason", what)
			}
			s.wantCount(1, "loka_sessions_closed_total")
			if n := s.count("loka_dials_total"); n != 0 {
				t.Errorf("%v dials", n)
			}
		})
	}
}

func TestC29PostToAMiningPort(t *testing.T) {
	s := perform(t, "")
	miner := s.miner()
	miner.raw("POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n" + subscribe + "\n")
	miner.wantClosed()
	if n := s.count("loka_dials_total"); n != 0 {
		t.Errorf("%v dials: a browser can be made to send this", n)
	}
}

func TestC30HeartbeatProbe(t *testing.T) {
	s := perform(t, "")
	miner := s.miner()
	miner.send(`{"id":1,"method":"mining.subscribe","params":["bitaxe"]}`, `{"id":2,"method":"mining.authorize","params":["U","P"]}`)
	pool := s.accept()
	pool.line()
	pool.line()
	pool.send(subscribed)
	if !strings.Contains(miner.line(), "mining.notify") {
		t.Error("the probe looks for mining.notify")
	}
	_ = miner.nc.Close()
	pool.wantClosed()
	s.wantCount(0, "loka_sessions")
}

// TestC31SilentPool has a pool that is silent for much longer than it may be before its
// first line.
func TestC31SilentPool(t *testing.T) {
	pool := listen(t)
	p := load(t, `
pool "p" {
  server "a" { address = "stratum+tcp://`+pool.Addr().String()+`" }
  reply_timeout = "150ms"
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = "127.0.0.1:0" }
}`)
	if idle := p.Pools[0].IdleTimeout; idle < 91*time.Second {
		t.Errorf("a pool may be silent for %s only: cgminer itself waits 90 s", idle)
	}
	s := start(t, p)
	s.pool = pool
	miner, poolEnd := s.pair()
	select { // several times the time for a first reply
	case <-time.After(500 * time.Millisecond):
	case <-t.Context().Done():
	}
	poolEnd.send(notify(60, 1))
	miner.want(notify(60, 1))
	miner.send(submit)
	poolEnd.want(submit)
}

func TestC32Latency(t *testing.T) {
	s := perform(t, "")
	miner, pool := s.pair()
	go func() {
		for {
			if _, err := pool.r.ReadString('\n'); err != nil {
				return
			}
			if _, err := pool.nc.Write([]byte(accepted + "\n")); err != nil {
				return
			}
		}
	}()
	var took []time.Duration
	for range 200 {
		start := time.Now()
		miner.send(submit)
		miner.want(accepted)
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	// A delayed acknowledgement or Nagle's algorithm would cost 40 ms.
	if median := took[len(took)/2]; median > 5*time.Millisecond {
		t.Errorf("a submit and its answer take %s", median)
	}
}

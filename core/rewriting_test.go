package core_test

import (
	"fmt"
	"strings"
	"testing"
)

// The tests of this file are items 33 to 43 of the conformance checklist: what rules
// change, and what they leave alone.

const wallet = "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ"

// toWallet is the mapping that the project is known by.
const toWallet = `
  request "mining.subscribe" "only_agent" {
    set { params = "params[:1]" }
  }
  request "mining.authorize" "to_wallet" {
    set { user = "'` + wallet + `.' + replace(user, '.', '_')" }
  }`

// TestTheKnownExample is the conversation of the README.
func TestTheKnownExample(t *testing.T) {
	s := perform(t, toWallet)
	miner := s.miner()
	miner.send(`{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1", "1"]}`)
	pool := s.accept()
	pool.want(`{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1"]}`)
	pool.send(subscribed)
	miner.want(subscribed)
	miner.send(authorize)
	pool.want(`{"id": 2, "method": "mining.authorize", "params": ["` + wallet + `.john_test", "x"]}`)
	pool.send(authorized)
	miner.want(authorized)
	for range 3 {
		miner.send(submit)
		pool.want(strings.Replace(submit, "john.test", wallet+".john_test", 1))
		pool.send(accepted)
		miner.want(accepted)
	}
	s.wantCount(3, "loka_shares_accepted_total")
	if !strings.Contains(s.log.String(), "pool_user="+wallet+".john_test") {
		t.Error("the log does not say what the name was mapped to")
	}
}

func TestC33NamesStickToTheirSubmits(t *testing.T) {
	s := perform(t, toWallet)
	miner, pool := s.pair()
	names := map[string]string{ // the miner's name, and what the pool sees
		"john.test":     "john_test",
		"John-A_b.R1":   "John-A_b_R1",
		"plain":         "plain",
		`q\"uo\u0074e`:  `q\"uote`,
		"ünïcode.wörk":  "ünïcode_wörk",
		"a.b.c":         "a_b_c",
		"percent%20.x":  "percent%20_x",
		"name@domain.x": "name@domain_x",
	}
	id := 10
	for name, mapped := range names {
		id++
		miner.send(fmt.Sprintf(`{"id":%d,"method":"mining.authorize","params":["%s","p"]}`, id, name))
		pool.want(fmt.Sprintf(`{"id":%d,"method":"mining.authorize","params":["%s.%s","p"]}`, id, wallet, mapped))
		pool.send(fmt.Sprintf(`{"id":%d,"result":true,"error":null}`, id))
		miner.want(fmt.Sprintf(`{"id":%d,"result":true,"error":null}`, id))
	}
	for name, mapped := range names { // each keeps its own, in any order
		id++
		miner.send(fmt.Sprintf(`{"params": ["%s", "j", "00", "66a0b1c2", "deadbeef", "00006000"], "id": %d, "method": "mining.submit"}`, name, id))
		pool.want(fmt.Sprintf(`{"params": ["%s.%s", "j", "00", "66a0b1c2", "deadbeef", "00006000"], "id": %d, "method": "mining.submit"}`, wallet, mapped, id))
	}
}

// TestC33UnauthorizedNames submits under a name that was never authorised: the proxy
// maps names, so nobody knows what it would be at the pool.
func TestC33UnauthorizedNames(t *testing.T) {
	s := perform(t, toWallet)
	miner, pool := s.pair()
	miner.send(submit)
	miner.want(`{"id":4,"result":null,"error":[24,"Unauthorized worker",null]}`)
	miner.send(`{"id":5,"method":"mining.submit","params":[7,"1","2","3","4"]}`, `{"id":6,"method":"mining.submit"}`)
	miner.want(`{"id":5,"result":null,"error":[24,"Unauthorized worker",null]}`, `{"id":6,"result":null,"error":[24,"Unauthorized worker",null]}`)
	miner.send(`{"id":7,"method":"mining.authorize","params":["john.test","x"]}`, submit)
	pool.want(`{"id":7,"method":"mining.authorize","params":["`+wallet+`.john_test","x"]}`, strings.Replace(submit, "john.test", wallet+".john_test", 1))
	s.wantCount(3, "loka_shares_denied_total")
	s.wantCount(1, "loka_shares_pending")
	s.conserved()
}

// TestC33RuleOnSubmit has a rule change other params of the submit, and the whole list:
// the name must be mapped all the same.
func TestC33RuleOnSubmit(t *testing.T) {
	s := perform(t, toWallet+`
  request "mining.submit" "five" {
    when = "len(params) > 5"
    set { params = "params[:5]" }
  }
  request "mining.submit" "pad" {
    when = "len(nonce) < 8"
    set { nonce = "('00000000' + nonce)[len(nonce):]" }
  }`)
	miner, pool := s.pair()
	miner.send(authorize)
	pool.line()
	miner.send(`{"id":5,"method":"mining.submit","params":["john.test","j","00","66a0b1c2","9a8b7c","00006000"]}`)
	pool.want(`{"id":5,"method":"mining.submit","params":["` + wallet + `.john_test","j","00","66a0b1c2","009a8b7c"]}`)
}

func TestC34OddNames(t *testing.T) {
	s := perform(t, toWallet+`
  request "mining.authorize" "never" {
    when = "user == '`+wallet+`.evil_one'"
    deny { message = "no" }
  }`)
	miner, pool := s.pair()
	for name, mapped := range map[string]string{
		`a\\b`:              `a\\b`,
		`tab\there`:         `tab\there`,
		`\u00fc`:            `ü`,
		`emoji\ud83d\ude00`: `emoji😀`,
		`</script>&`:        `</script>&`,
		`\u0001`:            `\u0001`,
	} {
		miner.send(`{"id":5,"method":"mining.authorize","params":["` + name + `","x"]}`)
		pool.want(`{"id":5,"method":"mining.authorize","params":["` + wallet + `.` + mapped + `","x"]}`)
		pool.send(`{"id":5,"result":true,"error":null}`)
		miner.want(`{"id":5,"result":true,"error":null}`)
	}
	// However it is written, the rule sees the text.
	for _, name := range []string{`evil.one`, `\u0065vil.one`, `evil\u002eone`} {
		miner.send(`{"id":6,"method":"mining.authorize","params":["` + name + `","x"]}`)
		miner.want(`{"id":6,"result":null,"error":[20,"no",null]}`)
	}
	// What decoders read in different ways is not judged at all.
	for _, name := range []string{"bad\xffutf8", `\ud800`, `evil.one\u0000`} {
		miner.send(`{"id":7,"method":"mining.authorize","params":["` + name + `","x"]}`)
		miner.want(`{"id":7,"result":null,"error":[20,"Malformed params",null]}`)
	}
	miner.send(`{"id":7,"method":"mining.authorize\u0000","params":["evil.one","x"]}`)
	miner.want(`{"id":null,"result":null,"error":[20,"Not a valid request",null]}`)
	for _, user := range []string{`7`, `["john"]`, `{"a":1}`, `true`} {
		miner.send(`{"id":8,"method":"mining.authorize","params":[` + user + `,"x"]}`)
		if got := miner.line(); !strings.HasPrefix(got, `{"id":8,"result":null,"error":[20,"`) {
			t.Errorf("got %s", got)
		}
	}
}

func TestC35AccountAndWorker(t *testing.T) {
	s := perform(t, `
  request "mining.authorize" "parts" {
    set { user = "'acc.' + (worker(user) == '' ? account(user) : worker(user))" }
  }`)
	miner, pool := s.pair()
	for name, mapped := range map[string]string{"john.rig1": "acc.rig1", "john.a.b": "acc.a.b", "john": "acc.john", "john_1": "acc.john_1"} {
		miner.send(`{"id":5,"method":"mining.authorize","params":["` + name + `"]}`)
		pool.want(`{"id":5,"method":"mining.authorize","params":["` + mapped + `"]}`)
		pool.send(`{"id":5,"result":true,"error":null}`)
		miner.want(`{"id":5,"result":true,"error":null}`)
	}
}

func TestC36PasswordOptions(t *testing.T) {
	s := perform(t, `
  request "mining.authorize" "options" {
    set { password = "withoutOption(withOption(password, 'd', '2048'), 'md')" }
  }`)
	miner, pool := s.pair()
	for given, want := range map[string]string{
		"d=64,foo":        "d=2048,foo",
		"foo,d=64;n=x":    "foo,d=2048;n=x",
		"c=BTC,d=1,m=so ": "c=BTC,d=2048,m=so ",
	} {
		miner.send(`{"id":5,"method":"mining.authorize","params":["u","` + given + `"]}`)
		pool.want(`{"id":5,"method":"mining.authorize","params":["u","` + want + `"]}`)
		pool.send(`{"id":5,"result":true,"error":null}`)
		miner.want(`{"id":5,"result":true,"error":null}`)
	}
}

func TestC37AgentAlone(t *testing.T) {
	s := perform(t, `
  request "mining.subscribe" "agent" {
    set { agent = "'loka'" }
  }`)
	miner := s.miner()
	miner.send(`{"id":1,"method":"mining.subscribe","params":["NiceHash/1.0.0" , "17e9", "ab\u0031", 1.50],"x":1}`)
	s.accept().want(`{"id":1,"method":"mining.subscribe","params":["loka" , "17e9", "ab\u0031", 1.50],"x":1}`)
}

func TestC38NumbersKeepTheirForm(t *testing.T) {
	s := perform(t, `
  notification "mining.set_difficulty" "floor" {
    when = "difficulty < 1024"
    set { difficulty = "1024" }
  }
  request "mining.suggest_difficulty" "less" {
    when = "difficulty > 100"
    set { difficulty = "100" }
  }`)
	miner, pool := s.pair()
	for given, want := range map[string]string{
		`16`: `1024`, `16.0`: `1024.0`, `0.0714`: `1024.0`, `65536.50`: `65536.50`, `2e3`: `2e3`, `1024.0`: `1024.0`,
	} {
		pool.send(`{"id":null,"method":"mining.set_difficulty","params":[ ` + given + ` ]}`)
		miner.want(`{"id":null,"method":"mining.set_difficulty","params":[ ` + want + ` ]}`)
	}
	for given, want := range map[string]string{`"0.500000"`: `"0.500000"`, `"500.000000"`: `"100.0"`, `512`: `100`, `512.5`: `100.0`} {
		miner.send(`{"id":9,"method":"mining.suggest_difficulty","params":[` + given + `]}`)
		pool.want(`{"id":9,"method":"mining.suggest_difficulty","params":[` + want + `]}`)
	}
}

func TestC40VersionBitsPass(t *testing.T) {
	s := perform(t, toWallet)
	miner, pool := s.pair()
	miner.send(authorize)
	pool.line()
	for i, bits := range []string{`, "00006000"`, `, "20000000"`, ``, `, "1fffe000", "more"`} {
		miner.send(fmt.Sprintf(`{"params": ["john.test", "j", "00", "66a0b1c2", "deadbeef"%s], "id": %d, "method": "mining.submit"}`, bits, 10+i))
		pool.want(fmt.Sprintf(`{"params": ["%s.john_test", "j", "00", "66a0b1c2", "deadbeef"%s], "id": %d, "method": "mining.submit"}`, wallet, bits, 10+i))
	}
}

// TestC41LongRequests: ckpool drops a client whose line exceeds 1023 bytes.
func TestC41LongRequests(t *testing.T) {
	s := perform(t, toWallet)
	miner, pool := s.pair()
	line := func(n int) string {
		return `{"id":5,"method":"mining.authorize","params":["` + strings.Repeat("u", n) + `",""]}`
	}
	fits := 1023 - len(line(0)) - len(wallet) - 1
	miner.send(line(fits))
	if got := pool.line(); len(got) != 1023 {
		t.Errorf("a line of %d bytes", len(got))
	}
	pool.send(`{"id":5,"result":true,"error":null}`)
	miner.line()
	miner.send(line(fits + 1))
	miner.want(`{"id":5,"result":null,"error":[20,"Request too long for the pool",null]}`)
	s.wantCount(1, "loka_lines_refused_total", "reason", "too_long")
	if !strings.Contains(s.log.String(), "too long") {
		t.Error("the log does not say so")
	}
	long := `{"id":6,"method":"mining.foo","params":["` + strings.Repeat("x", 2000) + `"]}`
	miner.send(long) // no rule made it so
	pool.want(long)
}

func TestC42OtherKeysAreKept(t *testing.T) {
	s := perform(t, toWallet)
	miner, pool := s.pair()
	miner.send(`{"jsonrpc":"2.0" ,"params":["john.test" ,"x"],"extra":{"a": [1.0, "\u0041"]},"method":"mining.authorize","id":2 , "z":null}`)
	pool.want(`{"jsonrpc":"2.0" ,"params":["` + wallet + `.john_test" ,"x"],"extra":{"a": [1.0, "\u0041"]},"method":"mining.authorize","id":2 , "z":null}`)
}

// TestC43FailingRules has an expression that fails at run time, after one that works:
// nothing of the rule may be applied.
func TestC43FailingRules(t *testing.T) {
	body := func(onError string) string {
		return `
  request "mining.authorize" "first" {
    set { password = "'changed'" }
  }
  request "mining.authorize" "fails" {
    ` + onError + `
    set {
      user     = "'` + wallet + `.' + user"
      password = "string(params[5])"
    }
  }`
	}
	t.Run("denies", func(t *testing.T) {
		s := perform(t, body(""))
		miner, pool := s.pair()
		miner.send(authorize)
		if got := miner.line(); !strings.HasPrefix(got, `{"id":2,"result":null,"error":[20,"`) {
			t.Errorf("got %s", got)
		}
		miner.send(submit) // and nobody is authorised
		miner.want(`{"id":4,"result":null,"error":[24,"Unauthorized worker",null]}`)
		miner.send(`{"id":9,"method":"mining.foo"}`)
		pool.want(`{"id":9,"method":"mining.foo"}`)
		s.wantCount(1, "loka_rule_errors_total", "rule", "proxy.x.request.fails")
		if !strings.Contains(s.log.String(), "loka.hcl:") {
			t.Error("the log does not say where the rule is")
		}
	})
	t.Run("skips", func(t *testing.T) {
		s := perform(t, body(`on_error = "skip"`))
		miner, pool := s.pair()
		miner.send(authorize, submit)
		pool.want(strings.Replace(authorize, `"x"`, `"changed"`, 1), submit)
	})
	t.Run("drops", func(t *testing.T) {
		s := perform(t, body(`on_error = "drop"`))
		miner, pool := s.pair()
		miner.send(authorize, `{"id":9,"method":"mining.foo"}`)
		pool.want(`{"id":9,"method":"mining.foo"}`)
	})
	t.Run("forwards a notification", func(t *testing.T) {
		s := perform(t, `
  notification "mining.notify" "fails" {
    when = "params[20] == 1"
    drop {}
  }`)
		miner, pool := s.pair()
		pool.send(notify(60, 2))
		miner.want(notify(60, 2))
		s.wantCount(1, "loka_rule_errors_total")
	})
}

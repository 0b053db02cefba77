package ruletest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/ruletest"
)

const farm = `
variable "secret" {
  default   = "hunt\"er22"
  sensitive = true
}
pool "main" {
  server "a" { address = "stratum+tcp://127.0.0.1:1" }
}
pool "rental" {
  server "a" { address = "stratum+tcp://127.0.0.1:2" }
}
proxy "farm" {
  pool = pool.main
  listener "tcp" { address = "127.0.0.1:3333" }
  connect "ours" {
    when = "client.ip startsWith '203.'"
    deny {}
  }
  request "mining.subscribe" "rented" {
    when = "agent startsWith 'rented'"
    route { pool = pool.rental }
  }
  request "mining.authorize" "known" {
    when = "user == 'nobody'"
    deny { code = 24 }
  }
  request "mining.authorize" "wallet" {
    set {
      user     = "'W.' + user"
      password = "var.secret"
    }
  }
}
`

func load(t testing.TB, text string) *policy.Policy {
	t.Helper()
	file := filepath.Join(t.TempDir(), "loka.hcl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, diags := policy.Load(file, policy.Options{})
	if diags.HasErrors() {
		var b bytes.Buffer
		_ = diags.Write(&b)
		t.Fatalf("the policy does not load:\n%s", b.String())
	}
	return p
}

var opened = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// play gives the conversation of a session the lines of both sides, as a live session
// would, and records it.
func play(t *testing.T, p *policy.Policy, lines ...string) *ruletest.Capture {
	t.Helper()
	dir := t.TempDir()
	tapes, err := ruletest.NewTapes(dir, func(text string, args ...any) { t.Error(text, args) })
	if err != nil {
		t.Fatal(err)
	}
	tape := tapes.Begin(ruletest.Head{
		Proxy: "proxy.farm", Listener: "127.0.0.1:3333", Session: "5f", Opened: opened,
		Client: ruletest.CaptureClient{IP: "192.0.2.1", Port: 5},
	}, func() *policy.Policy { return p })
	c := ruletest.NewConversation(p, p.Proxies[0], ruletest.Miner{Client: policy.Client{IP: "192.0.2.1", Port: 5}, Session: "5f"}, opened, nil)
	c.Connect()
	for i, line := range lines {
		side, text, _ := strings.Cut(line, " ")
		line := []byte(text + "\n")
		var out ruletest.Outcome
		if side == ruletest.FromMiner {
			out = c.FromMiner(line)
		} else {
			out = c.FromPool(line)
		}
		tape.Line(i+1, side == ruletest.FromMiner, opened.Add(time.Duration(i)*time.Second), line, out.Pool, out.Miner[:len(out.Miner)-out.Held])
	}
	tape.Close()
	tapes.Close()
	capture, err := ruletest.ReadCapture(filepath.Join(dir, "5f.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return capture
}

var session = []string{
	`miner {"id":1,"method":"mining.subscribe","params":["cpuminer/2.5.1"]}`,
	`pool {"id":1,"result":[[],"f0",4],"error":null}`,
	`miner {"id":2,"method":"mining.authorize","params":["john","my password"]}`,
	`pool {"id":2,"result":true,"error":null}`,
	`pool {"id":null,"method":"mining.notify","params":["6a1f"]}`,
	`miner {"id":4,"method":"mining.submit","params":["john","6a1f","00","66","de"]}`,
	`miner {"id":4,"method":"mining.submit","params":["john","6a1f","01","66","de"]}`,
	`pool {"id":4,"result":true,"error":null}`,
	`pool {"id":2000000000,"result":false,"error":[23,"Low difficulty",null]}`,
}

// TestCaptureHoldsNoSecret records a session with a password of the miner's and one of
// the policy's, and replays it to the same bytes.
func TestCaptureHoldsNoSecret(t *testing.T) {
	p := load(t, farm)
	capture := play(t, p, session...)
	text := string(capture.Encode())
	for _, secret := range []string{"my password", "hunt", "er22"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the capture:\n%s", secret, text)
		}
	}
	if got := capture.Lines[6]; len(got.Pool) != 1 || !strings.Contains(got.Pool[0], `"id":2000000000`) || got.MS != 6000 {
		t.Errorf("recorded %+v", got)
	}
	now := ruletest.NewReplay(p, p.Proxies[0], capture, nil).All()
	if diff := cmp.Diff(capture, now); diff != "" {
		t.Errorf("the replay differs (-recorded +replayed):\n%s", diff)
	}
}

// TestPasswordsInCaptures tries the places where a password can be.
func TestPasswordsInCaptures(t *testing.T) {
	p := load(t, farm)
	for line, want := range map[string]string{
		`{"id":2,"method":"mining.authorize","params":["john","x"]}`:             ``,
		`{"id":2,"method":"mining.authorize","params":["john","d=1024,x"]}`:      ``,
		`{"id":2,"method":"mining.authorize","params":["john",""]}`:              ``,
		`{"id":2,"method":"mining.authorize","params":["john"]}`:                 ``,
		`{"id":2,"method":"mining.authorize"}`:                                   ``,
		`{"id":2,"method":"mining.submit","params":["john","x1","secret1"]}`:     ``,
		`{"id":2,"method":"mining.authorize","params":["john","secret1"]}`:       `{"id":2,"method":"mining.authorize","params":["john","(redacted)"]}`,
		`{"id":2,"method":"mining.authorize","params":["john","d=1,secret1"]}`:   `{"id":2,"method":"mining.authorize","params":["john","(redacted)"]}`,
		`{"id":2,"method":"mining.authorize","params":["john",["secret1"],"x"]}`: `{"id":2,"method":"mining.authorize","params":["john","(redacted)","x"]}`,
		`{"id":2,"method":"mining.authorize","params":[["john","secret1"]]}`:     `{"id":2,"method":"mining.authorize","params":["(redacted)"]}`,
		`{"id":2,"method":"mining.authorize","params":["u"],"password":"secr1"}`: `(not recorded: 70 bytes that may hold a password)`,
		`{"id":2,"method":"eth_submitLogin","params":["john","secret1"]}`:        `{"id":2,"method":"eth_submitLogin","params":"(redacted)"}`,
		`{"id":2,"method":"login","params":{"login":"w","pass":"secret1"}}`:      `{"id":2,"method":"login","params":"(redacted)"}`,
		`{"id":9,"params":["john","secret1"]}`:                                   `(not recorded: 36 bytes that may hold a password)`,
		`{"id":9,"method":null,"params":["john","secret1"]}`:                     `(not recorded: 50 bytes that may hold a password)`,
		`{"id":9,"result":"cgminer/4.11.1","error":null}`:                        ``,
		`{"id":2,"method":"mining.auth","params":["john","secret1"]}`:            `{"id":2,"method":"mining.auth","params":["john","(redacted)"]}`,
		`{"id":2,"method":"mining.authorize","params":{"p":"secret1"}}`:          `{"id":2,"method":"mining.authorize","params":"(redacted)"}`,
		`{"method":"mining.authorize","params":["secret1"],"params":[]}`:         `(not recorded: 62 bytes that may hold a password)`,
		`{"id":2,"method":"mining.authorize","params":["john","secret1"]`:        `(not recorded: 63 bytes that may hold a password)`,
		`{"id":2,"method":["mining.authorize"],"params":["john","secret1"]}`:     `(not recorded: 66 bytes that may hold a password)`,
	} {
		if want == "" {
			want = line
		}
		if got := play(t, p, "miner "+line).Lines[0].Text; got != want {
			t.Errorf("%s is recorded as\n%s, not\n%s", line, got, want)
		}
	}
}

// TestPasswordInAName has a rule that puts the miner's password into its name.
func TestPasswordInAName(t *testing.T) {
	p := load(t, strings.Replace(farm, "'W.' + user", "'W.' + password + '.' + user", 1))
	escaped := string(play(t, p, `miner {"id":2,"method":"mining.authorize","params":["john","hunter\u0032x"]}`).Encode())
	if strings.Contains(escaped, "hunter") {
		t.Errorf("recorded\n%s", escaped)
	}
	text := string(play(t, p,
		`miner {"id":2,"method":"mining.authorize","params":["john","pass\"word"]}`,
		`miner {"id":3,"method":"mining.submit","params":["john","1","2","3","4"]}`).Encode())
	if strings.Contains(text, "word\"") || strings.Contains(text, "pass") || !strings.Contains(text, `W.(redacted).john`) {
		t.Errorf("recorded\n%s", text)
	}
}

// TestDecodeCapture reads what is none.
func TestDecodeCapture(t *testing.T) {
	const head = `{"v":1,"type":"session","proxy":"p","session":"s","client":{"ip":"::1","port":1},"opened":"2026-01-01T00:00:00Z"}` + "\n"
	for text, want := range map[string]string{
		"":                             "1: there is nothing in it",
		"\n\n":                         "1: there is nothing in it",
		"x":                            "1: not the head of a capture: invalid character 'x' looking for beginning of value",
		`{"v":2,"type":"session"}`:     `1: not the head of a capture, which has "v":1 and "type":"session"`,
		`{"v":"1"}`:                    `1: not the head of a capture: "v" has the wrong type`,
		head + `{"from":"mine"}`:       `2: "from" is "miner" or "pool", not "mine"`,
		head + "\n" + `{"fro":"pool"}`: `3: not a line of a capture: unknown field "fro"`,
		head + `{"ms":-1,"from":"pool","line":""}`:        `2: "ms" is out of range`,
		head + `{"ms":1,"from":"pool","line":"a\nb"}`:     `2: a line has a line break in it`,
		head + `{"ms":1,"from":"pool","line":"a"} {}`:     `2: not a line of a capture: there is more on the line`,
		head + `{"ms":1,"from":"pool","line":["a"]}`:      `2: not a line of a capture: "line" has the wrong type`,
		head + `{"ms":1e400,"from":"pool","line":"a"}`:    `2: not a line of a capture: "ms" has the wrong type`,
		head + `{"ms":1,"from":"pool","line":"a` + "\n{}": `2: not a line of a capture: unexpected EOF`,
	} {
		_, err := ruletest.DecodeCapture(strings.NewReader(text))
		if err == nil || err.Error() != want {
			t.Errorf("%q gives\n%v, not\n%s", text, err, want)
		}
	}
}

// TestDecodeCutCapture reads what is left of a capture after a power cut.
func TestDecodeCutCapture(t *testing.T) {
	whole := string(play(t, load(t, farm), session...).Encode())
	c, err := ruletest.DecodeCapture(strings.NewReader(whole[:len(whole)-20]))
	if err != nil || len(c.Lines) != len(session)-1 {
		t.Errorf("%v, %v", c, err)
	}
}

// TestReplayAtAListener replays a session of the second listener, whose rules look at it.
func TestReplayAtAListener(t *testing.T) {
	p := load(t, strings.Replace(farm, `  listener "tcp" { address = "127.0.0.1:3333" }`,
		"  listener \"tcp\" { address = \"127.0.0.1:4444\" }\n  listener \"tcp\" { address = \"127.0.0.1:3333\" }\n"+
			"  request \"mining.submit\" \"here\" {\n    when = \"listener endsWith ':4444'\"\n    drop {}\n  }", 1))
	c := play(t, p, session...)
	for listener, shares := range map[string]int{"127.0.0.1:3333": 2, "127.0.0.1:4444": 0} {
		c.Listener = listener
		now := ruletest.NewReplay(p, p.Proxies[0], c, nil).All()
		if got := strings.Count(string(now.Encode()), `"pool":["{\"id\":4,`) + strings.Count(string(now.Encode()), `"pool":["{\"id\":2000000000,`); got != shares {
			t.Errorf("at %s %d shares go up, not %d", listener, got, shares)
		}
	}
}

func FuzzDecodeCapture(f *testing.F) {
	p := load(f, farm)
	f.Add([]byte(`{"v":1,"type":"session","proxy":"p","session":"s","client":{"ip":"::1","port":1},"opened":"2026-01-01T00:00:00Z"}` +
		"\n" + `{"ms":1,"from":"miner","line":"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}","pool":["{\"id\":1}"]}` +
		"\n" + `{"ms":1,"from":"pool","line":"{\"id\":1,\"result\":[]}","miner":["{\"id\":1}"]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ruletest.DecodeCapture(bytes.NewReader(text))
		if err != nil {
			return
		}
		again, err := ruletest.DecodeCapture(bytes.NewReader(c.Encode()))
		if err != nil {
			t.Fatalf("what is written is not read: %v", err)
		}
		if !bytes.Equal(again.Encode(), c.Encode()) {
			t.Errorf("%s\nis read again as\n%s", c.Encode(), again.Encode())
		}
		ruletest.NewReplay(p, p.Proxies[0], c, nil).All()
	})
}

// TestDifference puts recorded sessions through two policies.
func TestDifference(t *testing.T) {
	before := load(t, farm)
	after := load(t, strings.NewReplacer(
		"'W.' + user", "'V.' + user", "'nobody'", "'mallory'", "'rented'", "'bmminer'").Replace(farm))
	d := ruletest.Compare(before, after)
	d.Add("a", play(t, before, session...))
	d.Add("b", play(t, before, session...))
	d.Add("c", play(t, before,
		`miner {"id":1,"method":"mining.subscribe","params":["bmminer/2.0.0"]}`,
		`pool {"id":1,"result":[[],"f0",4],"error":null}`,
		`miner {"id":2,"method":"mining.authorize","params":["mallory","x"]}`,
		`pool {"id":2,"result":true,"error":null}`,
		`miner {"id":3,"method":"mining.authorize","params":["nobody","x"]}`))
	d.Add("d", &ruletest.Capture{Head: ruletest.Head{Proxy: "proxy.gone"}})
	var b strings.Builder
	d.Write(&b)
	want := `3 of 4 sessions would change.

Names at the pool
  2 sessions, 2 messages, request mining.authorize
    - W.john
    + V.john
      by proxy.farm.request.wallet

Pools
  1 session, 1 message, request mining.subscribe
    - pool.main
    + pool.rental
      by + proxy.farm.request.rented

Verdicts
  1 session, 1 message, request mining.authorize
    - forward
    + deny 24 Denied by policy
      by - proxy.farm.request.wallet
      by + proxy.farm.request.known
  1 session, 1 message, request mining.authorize
    - deny 24 Denied by policy
    + forward
      by - proxy.farm.request.known
      by + proxy.farm.request.wallet
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

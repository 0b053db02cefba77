package pool

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/loka-proxy/loka/cmd/loka-lab/work"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

// start runs a pool for the time of the test.
func start(t *testing.T, config Config) (*Pool, string) {
	t.Helper()
	if config.Difficulty == 0 {
		config.Difficulty = 1e-8
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := New(config)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p, listener.Addr().String()
}

// client is a miner by hand.
type client struct {
	t           *testing.T
	conn        net.Conn
	in          *bufio.Reader
	job         work.Job
	extranonce1 []byte
	mask        uint32
}

func dial(t *testing.T, address string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &client{t: t, conn: conn, in: bufio.NewReader(conn)}
}

func (c *client) send(format string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.conn, format+"\n", args...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) line() string {
	c.t.Helper()
	line, err := c.in.ReadString('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\n")
}

// want reads lines up to the one that contains part.
func (c *client) want(part string) string {
	c.t.Helper()
	for {
		line := c.line()
		var r request
		var params []json.RawMessage
		if json.Unmarshal([]byte(line), &r) == nil && r.Method != nil && *r.Method == "mining.notify" {
			_ = json.Unmarshal(r.Params, &params)
			job, err := work.ParseJob(params)
			if err != nil {
				c.t.Fatal(line, err)
			}
			c.job = job
		}
		if strings.Contains(line, part) {
			return line
		}
	}
}

// login goes as far as the first job.
func (c *client) login(user string) {
	c.t.Helper()
	c.send(`{"id":1,"method":"mining.subscribe","params":["test"]}`)
	reply := c.want(`"id":1`)
	var m struct{ Result []json.RawMessage }
	var extranonce1 string
	if json.Unmarshal([]byte(reply), &m) != nil || len(m.Result) != 3 || json.Unmarshal(m.Result[1], &extranonce1) != nil {
		c.t.Fatal(reply)
	}
	c.extranonce1, _ = hex.DecodeString(extranonce1)
	c.send(`{"id":2,"method":"mining.authorize","params":[%q,"x"]}`, user)
	c.want(`"id":2`)
	if c.job.ID == "" {
		c.want(`mining.notify`)
	}
}

// share finds a share of the current job, with bits in the version, and returns the params of its submit.
func (c *client) share(user string, difficulty float64, extranonce2 string, bits uint32) string {
	raw, _ := hex.DecodeString(extranonce2)
	version := work.RolledVersion(c.job.Version, bits, c.mask)
	h := c.job.Header(c.extranonce1, raw, version, c.job.NTime, 0)
	if !h.Search(100_000_000, work.TargetOf(difficulty)) {
		c.t.Fatal("no share")
	}
	params := fmt.Sprintf(`%q,%q,%q,"%08x","%08x"`, user, c.job.ID, extranonce2, c.job.NTime, h.Nonce())
	if c.mask != 0 {
		params += fmt.Sprintf(`,"%08x"`, bits)
	}
	return params
}

// submit returns the code of the verdict, 0 if accepted.
func (c *client) submit(params string) int {
	c.t.Helper()
	c.send(`{"method": "mining.submit", "params": [%s], "id":4}`, params)
	var m struct {
		Result *bool
		Error  []any
	}
	line := c.want(`"id":4`)
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		c.t.Fatal(line, err)
	}
	if m.Error == nil && m.Result != nil && *m.Result {
		return 0
	}
	return int(m.Error[0].(float64))
}

func TestVerdicts(t *testing.T) {
	p, address := start(t, Config{Branches: 3})
	c := dial(t, address)
	if got := c.submit(`"u","j","00","00000000","00000000"`); got != notSubscribed {
		t.Errorf("a submit before subscribe gets %d", got)
	}
	c.login("u.1")
	const en2 = "0000000000000001"
	good := c.share("u.1", 1e-8, en2, 0)
	for _, step := range []struct {
		what, params string
		want         int
	}{
		{"a good share", good, 0},
		{"the same again", good, duplicate},
		{"the same in capitals", strings.Replace(good, en2, strings.ToUpper(en2), 1), duplicate},
		{"another name", c.share("u.2", 1e-8, en2, 0), unauthorized},
		{"an unknown job", strings.Replace(good, c.job.ID, "nope", 1), stale},
		{"a short extranonce2", c.share("u.1", 1e-8, "00000002", 0), other},
		{"an odd extranonce2", strings.Replace(good, en2, "000000000000001", 1), other},
		{"an old ntime", strings.Replace(good, fmt.Sprintf("%08x", c.job.NTime), "00000001", 1), other},
		{"a short nonce", strings.Replace(good, `"`+strings.Split(good, `"`)[9]+`"`, `"1a"`, 1), other},
		{"version bits not negotiated", good + `,"00002000"`, other},
		{"a wrong nonce", badNonceOf(c, good), lowDifficulty},
		{"four params", `"u.1","j","00","00000000"`, other},
		{"numbers", `"u.1","j","00",1,2`, other},
	} {
		if got := c.submit(step.params); got != step.want {
			t.Errorf("%s (%s) gets %d, want %d", step.what, step.params, got, step.want)
		}
	}
	stats := p.Stats()
	if stats.Submitted != 14 || stats.Accepted != 1 || stats.RejectedTotal() != 13 || stats.Rejected[duplicate] != 2 {
		t.Errorf("%+v", stats)
	}
	if w := stats.Workers["u.1"]; w.Accepted != 1 || w.Difficulty != 1e-8 || w.Rejected[stale] != 1 {
		t.Errorf("%+v", w)
	}
	if shares := p.Shares(); len(shares) != 14 || shares[1].Code != 0 || shares[1].Extranonce2 != en2 || shares[2].Code != duplicate {
		t.Errorf("%+v", shares)
	}
}

// badNonceOf replaces the nonce by one that is no share.
func badNonceOf(c *client, params string) string {
	fields := strings.Split(params, `"`)
	extranonce2, _ := hex.DecodeString(fields[5])
	for nonce := uint32(0); ; nonce++ {
		h := c.job.Header(c.extranonce1, extranonce2, c.job.Version, c.job.NTime, nonce)
		if !work.TargetOf(1e-8).MetBy(h.Hash()) {
			fields[9] = fmt.Sprintf("%08x", nonce)
			return strings.Join(fields, `"`)
		}
	}
}

func TestStaleAfterClean(t *testing.T) {
	p, address := start(t, Config{})
	c := dial(t, address)
	c.login("u")
	first := c.share("u", 1e-8, "0000000000000001", 0)
	again := c.share("u", 1e-8, "0000000000000002", 0)
	p.Notify(false)
	c.want("mining.notify")
	if got := c.submit(first); got != 0 {
		t.Errorf("a share of the job before, which is still good, gets %d", got)
	}
	p.Notify(true)
	c.want(`true],"id":null,"method":"mining.notify"`)
	if got := c.submit(again); got != stale {
		t.Errorf("a share from before a clean job gets %d", got)
	}
	if got := c.submit(c.share("u", 1e-8, "0000000000000001", 0)); got != 0 {
		t.Errorf("a share of the clean job gets %d", got)
	}
}

func TestDifficultyHoldsPerJob(t *testing.T) {
	p, address := start(t, Config{Difficulty: 1e-9})
	c := dial(t, address)
	c.login("u")
	low := ""
	for n := 1; low == ""; n++ { // a share that is good for 1e-9 only
		params := c.share("u", 1e-9, fmt.Sprintf("%016x", n), 0)
		fields := strings.Split(params, `"`)
		nonce, _ := number(fields[9], false)
		extranonce2, _ := hex.DecodeString(fields[5])
		if h := c.job.Header(c.extranonce1, extranonce2, c.job.Version, c.job.NTime, nonce); h.Hash().Difficulty() < 1e-7 {
			low = params
		}
	}
	old := c.job
	p.SetDifficulty(1e-7)
	c.want("mining.notify")
	if got := c.submit(low); got != 0 {
		t.Errorf("a share of the job before the new difficulty gets %d", got)
	}
	if got := c.submit(badNonceOf(c, c.share("u", 1e-7, "0000000000000001", 0))); got != lowDifficulty {
		t.Errorf("a low share of the new job gets %d", got)
	}
	if c.job.ID == old.ID {
		t.Error("no new job came with the difficulty")
	}
}

func TestVersionRolling(t *testing.T) {
	p, address := start(t, Config{VersionMask: 0x1fffe000, Version: 0x2000e000})
	c := dial(t, address)
	c.send(`{"id":9,"method":"mining.configure","params":[["version-rolling","x"],{"version-rolling.mask":"ffffffff"}]}`)
	if got, want := c.line(), `{"result":{"version-rolling":true,"version-rolling.mask":"1fffe000","x":false},"error":null,"id":9}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	c.mask = 0x1fffe000
	c.login("u")
	if got := c.submit(c.share("u", 1e-8, "0000000000000001", 0x00004000)); got != 0 {
		t.Errorf("a share with bits of the mask gets %d", got)
	}
	if got := c.submit(c.share("u", 1e-8, "0000000000000001", 0)); got != 0 {
		t.Errorf("a share with all bits cleared gets %d", got)
	}
	c.mask = 0xffffffff
	if got := c.submit(c.share("u", 1e-8, "0000000000000002", 0x20000001)); got != other {
		t.Errorf("a share with bits outside the mask gets %d", got)
	}
	c.mask = 0
	if got := c.submit(c.share("u", 1e-8, "0000000000000003", 0)); got != other {
		t.Errorf("a share without the bits that were negotiated gets %d", got)
	}
	p.SetVersionMask(0x00ffe000)
	c.want(`"params":["00ffe000"],"id":null,"method":"mining.set_version_mask"`)
	c.mask = 0x1fffe000
	if got := c.submit(c.share("u", 1e-8, "0000000000000004", 0x1f000000)); got != 0 {
		t.Errorf("a share under the mask of its job gets %d", got)
	}
	p.Notify(true)
	c.want("mining.notify")
	if got := c.submit(c.share("u", 1e-8, "0000000000000004", 0x1f000000)); got != other {
		t.Errorf("a share outside the new mask gets %d", got)
	}
}

func TestMaskIsIntersection(t *testing.T) {
	_, address := start(t, Config{VersionMask: 0x1fffe000})
	c := dial(t, address)
	c.send(`{"id":9,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"0000ffff"}]}`)
	c.want(`"version-rolling.mask":"0000e000"`)
	c.send(`{"id":9,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"00000001"}]}`)
	c.want(`{"version-rolling":false}`)
}

func TestExtranonce(t *testing.T) {
	p, address := start(t, Config{Extranonce1Size: 5, Extranonce2Size: 4})
	a, b := dial(t, address), dial(t, address)
	a.login("a")
	b.login("b")
	if string(a.extranonce1) == string(b.extranonce1) || len(a.extranonce1) != 5 {
		t.Errorf("extranonces %x and %x", a.extranonce1, b.extranonce1)
	}
	a.send(`{"id": "xnsub", "method": "mining.extranonce.subscribe", "params": []}`)
	a.want(`{"result":true,"error":null,"id":"xnsub"}`)
	p.SetExtranonce()
	a.extranonce1 = nil
	line := a.want("mining.set_extranonce")
	var r struct{ Params []any }
	_ = json.Unmarshal([]byte(line), &r)
	a.extranonce1, _ = hex.DecodeString(r.Params[0].(string))
	a.want("mining.notify")
	if line := b.line(); strings.Contains(line, "set_extranonce") {
		t.Error("who did not ask for it gets a new extranonce")
	}
	if got := a.submit(a.share("a", 1e-8, "00000001", 0)); got != 0 {
		t.Errorf("a share with the new extranonce gets %d", got)
	}
}

// TestWaitEnds is about a wait that nothing fulfils.
func TestWaitEnds(t *testing.T) {
	p := New(Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Wait(ctx, func(s Stats) bool { return s.Accepted > 0 }); err == nil {
		t.Error("it came true")
	}
}

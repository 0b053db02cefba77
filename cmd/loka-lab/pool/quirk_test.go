package pool

import (
	"io"
	"strings"
	"testing"
	"time"
)

// talk sends lines and reads as many back as are wanted.
func talk(t *testing.T, address string, lines []string, want []string) {
	t.Helper()
	c := dial(t, address)
	for _, line := range lines {
		c.send("%s", line)
	}
	for _, part := range want {
		if got := c.line(); !strings.Contains(got, part) {
			t.Errorf("got %s, want %s in it", got, part)
		}
	}
}

const (
	subscribeLine = `{"id":1,"method":"mining.subscribe","params":["test"]}`
	authorizeLine = `{"id":2,"method":"mining.authorize","params":["u","x"]}`
)

func TestQuirks(t *testing.T) {
	for name, c := range map[string]struct {
		config      Config
		lines, want []string
	}{
		"none": {
			Config{},
			[]string{subscribeLine, `{"id":3,"method":"mining.foo"}`, authorizeLine},
			[]string{`[[["mining.notify","00000001"]],"f0000001",8]`, `[-3,"Method not found",null],"id":3`, `true,"error":null,"id":2`, `[0.00000001],"id":null,"method":"mining.set_difficulty"`, `mining.notify`},
		},
		"authorize first": {
			Config{},
			[]string{authorizeLine, subscribeLine},
			[]string{`"id":2`, `"id":1`, `set_difficulty`, `mining.notify`},
		},
		"early notify": {
			Config{Quirks: Quirks{EarlyNotify: true}},
			[]string{subscribeLine, authorizeLine},
			[]string{`"id":1`, `set_difficulty`, `mining.notify`, `"id":2`},
		},
		"silence": {
			Config{Quirks: Quirks{SilentExtranonce: true, SilentSuggest: true, SilentUnknown: true}},
			[]string{
				subscribeLine, `{"id":3,"method":"mining.extranonce.subscribe","params":[]}`, `{"id":4,"method":"mining.foo"}`,
				`{"id":5,"method":"mining.suggest_difficulty","params":[1]}`, authorizeLine,
				`{"id":6,"method":"mining.suggest_difficulty","params":[1]}`, `{"id":7,"method":"mining.ping"}`,
			},
			[]string{`"id":1`, `"id":2`, `set_difficulty`, `mining.notify`, `set_difficulty`, `"pong"`},
		},
		"suggestion": {
			Config{},
			[]string{`{"id":5,"method":"mining.suggest_difficulty","params":[1]}`, `{"id":null,"method":"mining.suggest_target","params":["ff"]}`, subscribeLine},
			[]string{`true,"error":null,"id":5`, `"id":1`},
		},
		"small job ids": {
			Config{Quirks: Quirks{SmallJobIDs: true}},
			[]string{subscribeLine, authorizeLine},
			[]string{`"id":1`, `"id":2`, `set_difficulty`, `{"params":["0",`},
		},
		"p2pool": {
			Config{Extranonce1Size: -1, Quirks: Quirks{NullAuthorize: true, FlatSubscriptions: true, NotifyIDs: true}},
			[]string{subscribeLine, authorizeLine},
			[]string{`{"result":[["mining.notify","00000001"],"",8],"error":null,"id":1}`, `{"result":null,"error":null,"id":2}`, `"id":1,"method":"mining.set_difficulty"`, `"id":2,"method":"mining.notify"`},
		},
		"mask notice": {
			Config{VersionMask: 0x1fffe000, Quirks: Quirks{MaskNotice: true}},
			[]string{`{"id":0,"method":"mining.configure","params":[["version-rolling"],{}]}`},
			[]string{`"id":0`, `["1fffe000"],"id":null,"method":"mining.set_version_mask"`},
		},
		"questions": {
			Config{Quirks: Quirks{AskVersion: true, Ping: true}},
			[]string{authorizeLine},
			[]string{`"id":2`, `client.get_version`, `mining.ping`},
		},
		"garbage": {
			Config{Quirks: Quirks{Garbage: true}},
			[]string{subscribeLine, authorizeLine},
			[]string{`<html>`, `<html>`},
		},
		"reject reason": {
			Config{Quirks: Quirks{RejectReason: true}},
			[]string{subscribeLine, authorizeLine, `{"id":5,"method":"mining.submit","params":["u","no","","",""]}`},
			[]string{`"id":1`, `"id":2`, `set_difficulty`, `mining.notify`, `{"reject-reason":"Stale","result":false,"error":null,"id":5}`},
		},
		"refused name": {
			Config{Users: []string{"u", "37vu*"}, Refuse: []string{"37vuX.bad"}},
			[]string{
				`{"id":1,"method":"mining.authorize","params":["37vuX.bad"]}`, `{"id":2,"method":"mining.authorize","params":["v"]}`,
				`{"id":3,"method":"mining.authorize","params":["37vuX.rig",""]}`, authorizeLine,
			},
			[]string{`{"result":false,"error":[24,"Unauthorized worker",null],"id":1}`, `[24,`, `{"result":true,"error":null,"id":3}`, `true`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, address := start(t, c.config)
			talk(t, address, c.lines, c.want)
		})
	}
}

// ended fails unless the pool closes the connection, possibly behind some lines.
func ended(t *testing.T, c *client) {
	t.Helper()
	if _, err := io.Copy(io.Discard, c.in); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Error("the connection is still there")
	}
}

func TestDisconnects(t *testing.T) {
	p, address := start(t, Config{Quirks: Quirks{LineLimit: 1024}})
	c := dial(t, address)
	c.send(`{"id":1,"method":"%s"}`, strings.Repeat("x", 1023-len(`{"id":1,"method":""}`)))
	c.want("Method not found")
	c.send(`{"id":1,"method":"%s"}`, strings.Repeat("x", 1025-len(`{"id":1,"method":""}`)))
	ended(t, c)
	if n := p.Stats().TooLong; n != 1 {
		t.Errorf("%d lines were too long", n)
	}
	c = dial(t, address)
	c.send("\n\nGET / HTTP/1.1")
	if got := c.line(); got != "Invalid JSON, disconnecting" {
		t.Error(got)
	}
	ended(t, c)
	c = dial(t, address)
	c.login("u")
	p.Disconnect(0)
	ended(t, c)
	if err := p.Wait(t.Context(), func(s Stats) bool { return s.Open == 0 }); err != nil {
		t.Error(err)
	}
	_, address = start(t, Config{Quirks: Quirks{HangUp: true}})
	ended(t, dial(t, address))
}

func TestBlackHole(t *testing.T) {
	p, address := start(t, Config{Quirks: Quirks{BlackHole: true}})
	c := dial(t, address)
	c.send(subscribeLine)
	if _, err := p.WaitMessage(t.Context(), func(m Message) bool { return m.Method == "mining.subscribe" }); err != nil {
		t.Fatal(err)
	}
	c.send(`nonsense`)
	if got := c.line(); got != "Invalid JSON, disconnecting" {
		t.Errorf("the first line from a black hole is %s", got)
	}
}

func TestReplyDelay(t *testing.T) {
	_, address := start(t, Config{Quirks: Quirks{ReplyDelay: 50 * time.Millisecond}})
	c := dial(t, address)
	began := time.Now()
	c.send(subscribeLine)
	c.send(authorizeLine)
	c.want(`"id":1`)
	c.want(`"id":2`)
	if took := time.Since(began); took < 50*time.Millisecond || took > patience {
		t.Errorf("took %v", took)
	}
}

func TestSmallJobIDsComeBack(t *testing.T) {
	p, address := start(t, Config{Quirks: Quirks{SmallJobIDs: true}})
	c := dial(t, address)
	c.login("u")
	for range 300 {
		p.Notify(false)
		c.want("mining.notify")
	}
	if c.job.ID != "44" {
		t.Errorf("the job after 300 others is %s", c.job.ID)
	}
	if got := c.submit(c.share("u", 1e-8, "0000000000000001", 0)); got != 0 {
		t.Errorf("a share of a job whose id was used before gets %d", got)
	}
}

func TestNotifyInterval(t *testing.T) {
	p, address := start(t, Config{NotifyInterval: time.Millisecond, CleanEvery: 2})
	c := dial(t, address)
	c.login("u")
	c.want(`false],"id":null,"method":"mining.notify"`)
	c.want(`true],"id":null,"method":"mining.notify"`)
	if lines := p.Lines(1, false); len(lines) != 2 || lines[0] != subscribeLine {
		t.Errorf("%q", lines)
	}
}

func TestSend(t *testing.T) {
	p, address := start(t, Config{})
	a, b := dial(t, address), dial(t, address)
	a.login("a")
	b.login("b")
	p.Send(1, `{"only":"a"}`)
	p.Send(0, `{"all":1}`)
	if got := a.line() + a.line() + b.line(); got != `{"only":"a"}{"all":1}{"all":1}` {
		t.Error(got)
	}
}

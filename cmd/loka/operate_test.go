package main

import (
	"encoding/json"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/admin"
)

// operated is a loka with two pools, one of them of two servers, that is ordered about
// through its socket.
type operated struct {
	*process
	main, spare, rental net.Listener
	address             any
	socket              string
}

func runOperated(t *testing.T) *operated {
	t.Helper()
	o := &operated{main: fakePool(t), spare: fakePool(t), rental: fakePool(t), socket: filepath.Join(t.TempDir(), "admin.sock")}
	o.process = launch(t, `
pool "main" {
  server "eu" { address = "stratum+tcp://`+o.main.Addr().String()+`" }
  server "us" { address = "stratum+tcp://`+o.spare.Addr().String()+`" }
}
pool "rental" {
  for_each = toset(["a b"])
  server "a" { address = "stratum+tcp://`+o.rental.Addr().String()+`" }
}
proxy "farm" {
  pool = pool.main
  listener "tcp" { address = "127.0.0.1:0" }
  request "mining.authorize" "map" {
    set { user = "'W.' + user" }
  }
}
proxy "rented" {
  pool = pool.rental["a b"]
  listener "tcp" { address = "127.0.0.1:0" }
}
admin {
  socket  = "`+o.socket+`"
  address = "127.0.0.1:0"
}
`, "--watch", "off")
	o.address = o.await("listening")["address"]
	o.await("loka runs")
	return o
}

// ask runs a command that asks the running loka.
func (o *operated) ask(code int, words string, args ...string) string {
	o.t.Helper()
	return must(o.t, o.t.TempDir(), code, words, append(args, "--admin", "unix:"+o.socket)...)
}

// login logs a miner in at a server.
func (o *operated) login(l net.Listener, name string) *peer {
	o.t.Helper()
	m := dial(o.t, o.address)
	m.send(`{"id":1,"method":"mining.authorize","params":["` + name + `","hunter2"]}`)
	nc, err := l.Accept()
	p := newPeer(o.t, nc, err)
	p.want(`{"id":1,"method":"mining.authorize","params":["W.` + name + `","hunter2"]}`)
	p.send(`{"id":1,"result":true,"error":null}`)
	m.want(`{"id":1,"result":true,"error":null}`)
	return m
}

// wantTable compares a table, where what differs from run to run is masked.
func wantTable(t *testing.T, got, want string) {
	t.Helper()
	for mask, change := range map[string]string{
		`127\.0\.0\.1:\d+`: "ADDR", `[0-9a-f]{12}`: "ID", `(\s)\d+s(\s)`: "${1}AGE${2}", ` +`: " ", `(?m) $`: "",
	} {
		got = regexp.MustCompile(mask).ReplaceAllString(got, change)
	}
	if diff := cmp.Diff(got, strings.TrimPrefix(want, "\n")); diff != "" {
		t.Error(diff)
	}
}

// TestPoolsCommands takes servers and pools out of service and back.
func TestPoolsCommands(t *testing.T) {
	o := runOperated(t)
	john := o.login(o.main, "john")
	wantTable(t, o.ask(0, "", "pools", "list"), `
POOL ENDPOINT ADDRESS STATE SERVICE SESSIONS
pool.main eu stratum+tcp://ADDR up enabled 1
pool.main us stratum+tcp://ADDR unknown enabled 0
pool.rental["a b"] a stratum+tcp://ADDR unknown enabled 0
`)
	o.ask(0, "drained", "pools", "drain", "pool.main", "eu")
	mary := o.login(o.spare, "mary")
	o.ask(1, "Error: pool.main would have no server in service, and its miners nowhere to go; switch it to another pool first", "pools", "drain", "pool.main")
	o.ask(1, `pool.main has no server "as"`, "pools", "disable", "pool.main", "as")
	o.ask(1, `the policy in force has no pool "pool.x"`, "pools", "enable", "pool.x")
	o.ask(0, `"service": "disabled"`, "pools", "disable", "pool.main", "eu", "--json")
	john.wantClosed()
	o.ask(0, `pool.rental["a b"]`, "pools", "switch", "pool.main", `pool.rental["a b"]`)
	mary.wantClosed()
	o.login(o.rental, "john")
	wantTable(t, o.ask(0, "", "pools", "disable", "pool.main"), `
POOL ENDPOINT ADDRESS STATE SERVICE SESSIONS SWITCHED TO
pool.main eu stratum+tcp://ADDR up disabled 0 pool.rental["a b"]
pool.main us stratum+tcp://ADDR up disabled 0 pool.rental["a b"]
`)
	o.ask(0, `pool.main is switched to pool.rental["a b"]`, "policy", "status")
	o.ask(1, "round in a circle", "pools", "switch", `pool.rental["a b"]`, "pool.main")
	o.ask(0, "", "pools", "enable", "pool.main")
	if out := o.ask(0, "", "pools", "switch", "pool.main", "pool.main"); strings.Contains(out, "SWITCHED") {
		t.Errorf("it says\n%s", out)
	}
	o.login(o.main, "john")
	must(t, t.TempDir(), 1, "no loka answers", "pools", "list", "--admin", "unix:"+o.socket+"x")
}

// TestSessionsCommands lists miners, moves them and closes them.
func TestSessionsCommands(t *testing.T) {
	o := runOperated(t)
	john := o.login(o.main, "john")
	mary := o.login(o.main, "mary")
	o.login(o.main, `ev\u001b[31mil`)
	wantTable(t, o.ask(0, "", "sessions", "list"), `
SESSION PROXY REMOTE USER POOL USER POOL ENDPOINT AGE ACCEPTED REJECTED STATE
ID proxy.farm ADDR john W.john pool.main eu AGE 0 0 open
ID proxy.farm ADDR mary W.mary pool.main eu AGE 0 0 open
ID proxy.farm ADDR ev�[31mil W.ev�[31mil pool.main eu AGE 0 0 open
`)
	find := func(user string) core.SessionInfo {
		t.Helper()
		out := o.ask(0, "", "sessions", "list", "--user", user, "--json")
		var list admin.SessionList
		if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Sessions) != 1 || strings.Contains(out, "hunter2") {
			t.Fatalf("%v: %s", err, out)
		}
		return list.Sessions[0]
	}
	id := find("john").Session
	o.ask(0, "close: 1 session\n", "sessions", "close", id)
	john.wantClosed()
	o.await("session closed by an operator")
	early := dial(t, o.address)
	o.ask(0, "move: 3 sessions\n", "sessions", "move", "--all", "--to", `pool.rental["a b"]`)
	mary.wantClosed()
	early.send(subscribe)
	nc, err := o.rental.Accept()
	newPeer(t, nc, err).want(subscribe)
	o.ask(0, "close: 0 sessions\n", "sessions", "close", "--user", "nobody")

	o.ask(1, "there is no session "+id, "sessions", "move", id, "--to", "pool.main")
	o.ask(1, `has no pool "pool.x"`, "sessions", "move", "--proxy", "proxy.farm", "--to", "pool.x")
	o.ask(2, "--to POOL says where to", "sessions", "move", "--all")
	o.ask(2, "which sessions?", "sessions", "close")
	o.ask(2, "not by both", "sessions", "close", id, "--all")
	o.ask(2, "leave it out", "sessions", "close", "--all", "--pool", "pool.main")
}

// TestOrdersNeedTheDoor asks by an address without a token: reading is allowed there.
func TestOrdersNeedTheDoor(t *testing.T) {
	o := runOperated(t)
	var address string
	for _, line := range o.seen {
		if m := regexp.MustCompile(`"url":"http://([^/]*)/metrics"`).FindStringSubmatch(line); m != nil {
			address = m[1]
		}
	}
	o.login(o.main, "john")
	must(t, t.TempDir(), 0, "john", "sessions", "list", "--admin", address)
	must(t, t.TempDir(), 0, "pool.main", "pools", "list", "--admin", address)
	must(t, t.TempDir(), 1, "the policy has no admin token", "sessions", "close", "--all", "--admin", address)
	must(t, t.TempDir(), 1, "the policy has no admin token", "pools", "drain", "pool.main", "eu", "--admin", address)
}

// TestOrdersAreCompleted completes the names of pools, servers and sessions.
func TestOrdersAreCompleted(t *testing.T) {
	o := runOperated(t)
	o.login(o.main, "john")
	complete := func(words string, args ...string) {
		t.Helper()
		must(t, t.TempDir(), 0, words, append([]string{"__complete"}, args...)...)
	}
	at := "unix:" + o.socket
	complete("pool.main\npool.rental[\"a b\"]\n", "pools", "switch", "--admin", at, "")
	complete("eu\tstratum+tcp://", "pools", "drain", "--admin", at, "pool.main", "")
	complete("\t127.0.0.1:", "sessions", "close", "--admin", at, "")
	complete("pool.main\n", "sessions", "move", "--admin", at, "--to", "")
	complete(":4\n", "pools", "drain", "--admin", at+"x", "")
}

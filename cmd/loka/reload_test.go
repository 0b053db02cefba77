package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reloaded is a loka whose policy is edited while a miner is connected.
type reloaded struct {
	*process
	pool    net.Listener
	address any
}

func runEdited(t *testing.T, args ...string) *reloaded {
	t.Helper()
	r := &reloaded{pool: fakePool(t)}
	r.process = launch(t, r.text("A"), args...)
	r.address = r.await("listening")["address"]
	r.await("loka runs")
	return r
}

// text is a policy that maps names to a wallet.
func (r *reloaded) text(wallet string) string {
	return `
pool "main" {
  server "a" { address = "stratum+tcp://` + r.pool.Addr().String() + `" }
}
proxy "farm" {
  pool = pool.main
  listener "tcp" { address = "127.0.0.1:0" }
  request "mining.authorize" "map" {
    set { user = "'` + wallet + `.' + user" }
  }
}
`
}

func (r *reloaded) save(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// login logs a miner in and has it end under a name.
func (r *reloaded) login(name string) *peer {
	r.t.Helper()
	m := dial(r.t, r.address)
	m.send(`{"id":1,"method":"mining.authorize","params":["john","x"]}`)
	nc, err := r.pool.Accept()
	p := newPeer(r.t, nc, err)
	p.want(`{"id":1,"method":"mining.authorize","params":["` + name + `","x"]}`)
	p.send(`{"id":1,"result":true,"error":null}`)
	m.want(`{"id":1,"result":true,"error":null}`)
	return m
}

// TestReload edits a policy, breaks it and mends it. The miner comes back under the new
// name, and a mistake changes nothing and is told once.
func TestReload(t *testing.T) {
	r := runEdited(t)
	first := r.login("A.john")
	r.save(r.text("B"))
	if in := r.await("policy in force"); in["generation"] != 2.0 {
		t.Errorf("in force is %v", in)
	}
	first.wantClosed()
	r.login("B.john")

	r.save(strings.Replace(r.text("C"), "user\"", "usr\"", 1))
	refused := r.awaitRefusal("1 error")
	if at := r.await("Unknown name in expression"); at["at"] != r.file+":9:26" {
		t.Errorf("%v, %v", refused, at)
	}
	r.save(strings.Replace(r.text("C"), "user\"", "usr\"", 1) + "\n# as broken as before\n")
	r.save("half a pol")
	r.awaitRefusal("error")
	r.save(r.text("B"))
	r.await("policy unchanged")
	r.signal(syscall.SIGHUP)
	r.await("policy unchanged")
	r.signal(syscall.SIGTERM)
	if code := r.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if told := strings.Count(strings.Join(r.seen, "\n"), "Unknown name in expression"); told != 1 {
		t.Errorf("a mistake was told %d times", told)
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// awaitRefusal reads the log up to a refusal of generation 2 for a reason.
func (r *reloaded) awaitRefusal(reason string) string {
	r.t.Helper()
	for {
		line := r.next()
		if text := fmt.Sprint(line["@message"]); strings.HasPrefix(text, "policy reload refused, generation 2 (") && strings.Contains(text, reason) {
			return text
		}
	}
}

// TestPolicyCommands asks a running loka about its policy through a socket, and has it
// changed.
func TestPolicyCommands(t *testing.T) {
	r := &reloaded{pool: fakePool(t)}
	socket := filepath.Join(t.TempDir(), "admin.sock")
	door := "admin { socket = \"" + socket + "\" }\n"
	r.process = launch(t, r.text("A")+door, "--watch", "off")
	r.address = r.await("listening")["address"]
	r.await("loka runs")
	ask := func(code int, words string, args ...string) string {
		t.Helper()
		return must(t, t.TempDir(), code, words, append([]string{"policy"}, append(args, "--admin", "unix:"+socket)...)...)
	}
	if out := ask(0, "generation  1\n", "status"); !strings.Contains(out, r.file) {
		t.Errorf("the status is\n%s", out)
	}
	ask(1, "there is no policy to return to", "rollback")
	r.save(r.text("B") + door)
	ask(0, "generation  2\n", "reload")
	r.login("B.john")
	ask(0, "generation  3\n", "rollback")
	r.login("A.john")
	r.save(strings.Replace(r.text("C"), "user\"", "usr\"", 1))
	ask(1, "Error: 1 error; nothing has changed\n\nError: Unknown name in expression\n\n  on "+r.file+":9:26", "reload")
	ask(0, "refused     at 2", "status")
	ask(0, "\"last_error\":{\"at\":", "status", "--json")
	ask(1, "\"diagnostics\":[{\"severity\":\"error\"", "reload", "--json")
	r.login("A.john")
	must(t, t.TempDir(), 1, "no loka answers", "policy", "status", "--admin", "unix:"+socket+"x")
	must(t, t.TempDir(), 0, "ready", "health", "--admin", "unix:"+socket)
}

// TestSystemd plays systemd: it is told when miners are served, when the policy is being
// reloaded and when that is over, and that loka stops.
func TestSystemd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify.sock")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	wantTold := func(want string) {
		t.Helper()
		_ = socket.SetReadDeadline(time.Now().Add(patience))
		buffer := make([]byte, 1<<10)
		n, err := socket.Read(buffer)
		if got := string(buffer[:n]); err != nil || !strings.HasPrefix(got, want) {
			t.Fatalf("systemd is told %q, %v, not %q", got, err, want)
		}
	}
	r := runEdited(t, "--watch", "off")
	wantTold("READY=1")
	r.save("broken")
	r.signal(syscall.SIGHUP)
	wantTold("RELOADING=1\nMONOTONIC_USEC=")
	wantTold("READY=1")
	r.signal(syscall.SIGTERM)
	wantTold("STOPPING=1")
	if code := r.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestReloadTakenPort saves a policy with a listener whose port is in use.
func TestReloadTakenPort(t *testing.T) {
	r := runEdited(t)
	taken := fakePool(t)
	r.save(r.text("B") + `
proxy "more" {
  pool = pool.main
  listener "tcp" { address = "` + taken.Addr().String() + `" }
}
`)
	for !strings.Contains(fmt.Sprint(r.next()["@message"]), "generation 1 (") {
	}
	r.login("A.john")
	_ = taken.Close()
	r.signal(syscall.SIGHUP)
	r.await("policy in force")
	r.login("B.john")
}

// TestReloadWithTests saves policies whose tests fail, and one whose tests do not.
func TestReloadWithTests(t *testing.T) {
	r := runEdited(t, "--test-on-reload", "--watch", "off")
	test := `test "john" {
  request "mining.authorize" {
    params = ["john"]
    expect { pool_user = "B.john" }
  }
}
`
	if err := os.WriteFile(filepath.Join(filepath.Dir(r.file), "loka.test.hcl"), []byte(test), 0o600); err != nil {
		t.Fatal(err)
	}
	r.save(r.text("C"))
	r.signal(syscall.SIGHUP)
	for !strings.Contains(fmt.Sprint(r.next()["@message"]), "loka.test.hcl: john") {
	}
	r.login("A.john")
	r.save(r.text("B"))
	r.signal(syscall.SIGHUP)
	r.await("policy in force")
	r.login("B.john")
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait; no test waits that long unless it fails.
const patience = 20 * time.Second

// process is a loka that runs.
type process struct {
	t    *testing.T
	file string // its policy
	// state is its directory for state.
	state string
	cmd   *exec.Cmd
	log   *bufio.Scanner
	seen  []string
}

// launch starts `loka run` with a policy and waits until it runs.
func launch(t *testing.T, policy string, args ...string) *process {
	t.Helper()
	file := filepath.Join(t.TempDir(), "loka.hcl")
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	return relaunch(t, file, t.TempDir(), args...)
}

// relaunch starts `loka run` with a policy that is there, and what an earlier one has left.
func relaunch(t *testing.T, file, state string, args ...string) *process {
	t.Helper()
	return relaunchFor(t, 3*patience, file, state, args...)
}

// relaunchFor does so for a time, after which it is killed.
func relaunchFor(t *testing.T, limit time.Duration, file, state string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	p := &process{t: t, file: file, state: state, cmd: exec.CommandContext(ctx, "loka", append([]string{"run", "--config", file}, args...)...)}
	p.cmd.Env = append(os.Environ(), "LOKA_LOG_FORMAT=json", "LOKA_LOG_LEVEL=debug", "STATE_DIRECTORY="+state)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.log = bufio.NewScanner(stderr)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("log:\n%s", strings.Join(p.seen, "\n"))
		}
	})
	return p
}

// await reads the log up to a message and gives that line's fields.
func (p *process) await(message string) map[string]any {
	p.t.Helper()
	for {
		if line := p.next(); line["@message"] == message {
			return line
		}
	}
}

// next gives the fields of the next line of the log.
func (p *process) next() map[string]any {
	p.t.Helper()
	if !p.log.Scan() {
		p.t.Fatal("the log has ended")
	}
	p.seen = append(p.seen, p.log.Text())
	var line map[string]any
	if err := json.Unmarshal(p.log.Bytes(), &line); err != nil {
		p.t.Fatalf("not JSON in the log: %s", p.log.Text())
	}
	return line
}

// exit waits for the end and gives the exit code.
func (p *process) exit() int {
	p.t.Helper()
	for p.log.Scan() {
		p.seen = append(p.seen, p.log.Text())
	}
	var ended *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &ended) {
		p.t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// peer is a connection of the test, as a miner or as a pool.
type peer struct {
	t  *testing.T
	nc net.Conn
	r  *bufio.Reader
}

func newPeer(t *testing.T, nc net.Conn, err error) *peer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	return &peer{t, nc, bufio.NewReader(nc)}
}

func dial(t *testing.T, address any) *peer {
	t.Helper()
	nc, err := net.Dial("tcp", fmt.Sprint(address))
	return newPeer(t, nc, err)
}

func (p *peer) send(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.nc, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) want(line string) {
	p.t.Helper()
	if got, err := p.r.ReadString('\n'); got != line+"\n" {
		p.t.Fatalf("\n got %q, %v\nwant %q", got, err, line)
	}
}

func (p *peer) wantClosed() {
	p.t.Helper()
	if rest, err := io.ReadAll(p.r); len(rest) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatalf("not closed: %q, %v", rest, err)
	}
}

// fakePool is a pool that the test plays.
func fakePool(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	return l
}

const (
	subscribe  = `{"id":1,"method":"mining.subscribe","params":["x"]}`
	subscribed = `{"id":1,"result":[[["mining.notify","1"]],"f0",4],"error":null}`
	submit     = `{"id":4,"method":"mining.submit","params":["u","1","2","3","4"]}`
	accepted   = `{"id":4,"result":true,"error":null}`
)

func simplePolicy(pool net.Listener, more string) string {
	return `
pool "p" {
  server "a" { address = "stratum+tcp://` + pool.Addr().String() + `" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = "127.0.0.1:0" }
}
` + more
}

// mine brings a miner to the point where it waits for the answer to a share.
func mine(t *testing.T, address any, l net.Listener) (miner, pool *peer) {
	t.Helper()
	miner = dial(t, address)
	miner.send(subscribe)
	nc, err := l.Accept()
	pool = newPeer(t, nc, err)
	pool.want(subscribe)
	pool.send(subscribed)
	miner.want(subscribed)
	miner.send(submit)
	pool.want(submit)
	return miner, pool
}

// TestTermination stops loka while a share is unanswered: no new miner is taken, the
// answer still arrives, and the exit code is 0.
func TestTermination(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			l := fakePool(t)
			p := launch(t, simplePolicy(l, `drain_timeout = "1m"`))
			address := p.await("listening")["address"]
			p.await("loka runs")
			miner, pool := mine(t, address, l)
			idle := dial(t, address)
			_ = p.cmd.Process.Signal(s)
			p.await("stopping")
			idle.wantClosed()
			if nc, err := net.Dial("tcp", fmt.Sprint(address)); err == nil {
				_ = nc.SetReadDeadline(time.Now().Add(patience))
				if _, err := nc.Read(make([]byte, 1)); err == nil {
					t.Error("a new miner was served")
				}
				_ = nc.Close()
			}
			pool.send(accepted)
			miner.want(accepted)
			miner.wantClosed()
			pool.wantClosed()
			if code := p.exit(); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// TestDrainTimeout has a pool that never answers the share.
func TestDrainTimeout(t *testing.T) {
	l := fakePool(t)
	p := launch(t, simplePolicy(l, `drain_timeout = "100ms"`))
	address := p.await("listening")["address"]
	p.await("loka runs")
	miner, pool := mine(t, address, l)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	miner.wantClosed()
	pool.wantClosed()
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestSecondSignal does not wait for the share.
func TestSecondSignal(t *testing.T) {
	l := fakePool(t)
	p := launch(t, simplePolicy(l, `drain_timeout = "1m"`))
	address := p.await("listening")["address"]
	p.await("loka runs")
	mine(t, address, l)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	p.await("stopping")
	start := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	if code := p.exit(); code == 0 {
		t.Error("it says that it ended in peace")
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("it took %s", d)
	}
}

// get reads a page of the admin address.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestAdminAddress(t *testing.T) {
	l := fakePool(t)
	p := launch(t, simplePolicy(l, `
admin { address = "127.0.0.1:0" }`))
	metrics := fmt.Sprint(p.await("metrics")["url"])
	base := strings.TrimSuffix(metrics, "/metrics")
	address := p.await("listening")["address"]
	p.await("loka runs")
	if code, body := get(t, base+"/healthz"); code != 200 || body != "ok\n" {
		t.Errorf("healthz: %d %q", code, body)
	}
	if code, body := get(t, base+"/readyz"); code != 200 || body != "ready\n" {
		t.Errorf("readyz: %d %q", code, body)
	}
	nc, err := l.Accept() // the dial of readyz
	if err != nil {
		t.Fatal(err)
	}
	_ = nc.Close()
	out, err := exec.Command("loka", "health", "--admin", strings.TrimPrefix(base, "http://")).CombinedOutput()
	if err != nil || string(out) != "ready\n" {
		t.Errorf("loka health: %s, %v", out, err)
	}
	mine(t, address, l)
	_, body := get(t, metrics)
	for _, want := range []string{
		`loka_sessions{listener="127.0.0.1:0",proxy="proxy.x"} 1`,
		`loka_shares_submitted_total{pool="pool.p",proxy="proxy.x"} 1`,
		`loka_shares_pending{pool="pool.p",proxy="proxy.x"} 1`,
		`loka_messages_total{kind="request",method="mining.submit",proxy="proxy.x",verdict="forward"} 1`,
		`loka_dials_total{endpoint="a",pool="pool.p",result="ok"}`,
		`loka_relay_seconds_count{from="miner",proxy="proxy.x"}`,
		`loka_policy_info{`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the metrics do not have %s", want)
		}
	}
}

// siteTemplate is one proxy per pool, of one text.
const siteTemplate = `
variable "pools" { type = map(string) }

pool "site" {
  for_each = var.pools
  server "a" { address = "stratum+tcp://${each.value}" }
}

proxy "site" {
  for_each = var.pools
  pool     = pool.site[each.key]
  listener "tcp" { address = "127.0.0.1:0" }

  use "named" { site = each.key }
}

ruleset "named" {
  variable "site" { type = string }
  request "mining.authorize" "to_site" {
    set { user = "var.site + '.' + user" }
  }
}
`

// checkSite mines through an address and sees the site's own name at its pool.
func checkSite(t *testing.T, address any, l net.Listener, site string) {
	t.Helper()
	miner := dial(t, address)
	miner.send(`{"id":1,"method":"mining.authorize","params":["john","x"]}`)
	nc, err := l.Accept()
	newPeer(t, nc, err).want(`{"id":1,"method":"mining.authorize","params":["` + site + `.john","x"]}`)
}

// TestOneTemplateTwoProxies runs two proxies of one template in one process.
func TestOneTemplateTwoProxies(t *testing.T) {
	one, two := fakePool(t), fakePool(t)
	p := launch(t, siteTemplate, "--var", fmt.Sprintf(`pools={one="%s",two="%s"}`, one.Addr(), two.Addr()))
	first, second := p.await("listening"), p.await("listening")
	if first["proxy"] != `proxy.site["one"]` || second["proxy"] != `proxy.site["two"]` {
		t.Fatalf("%v, %v", first, second)
	}
	checkSite(t, first["address"], one, "one")
	checkSite(t, second["address"], two, "two")
}

// TestOneTemplateTwoProcesses runs the same text twice, with different values.
func TestOneTemplateTwoProcesses(t *testing.T) {
	one, two := fakePool(t), fakePool(t)
	a := launch(t, siteTemplate, "--var", fmt.Sprintf(`pools={one="%s"}`, one.Addr()))
	b := launch(t, siteTemplate, "--var", fmt.Sprintf(`pools={two="%s"}`, two.Addr()))
	checkSite(t, a.await("listening")["address"], one, "one")
	checkSite(t, b.await("listening")["address"], two, "two")
}

// TestSecretsStayOutOfTheLog has a sensitive variable and a miner's password, and logs
// all that there is.
func TestSecretsStayOutOfTheLog(t *testing.T) {
	l := fakePool(t)
	p := launch(t, `
variable "pool_password" {
  type      = string
  sensitive = true
}
pool "p" {
  server "a" { address = "stratum+tcp://`+l.Addr().String()+`" }
}
proxy "x" {
  pool = pool.p
  listener "tcp" { address = "127.0.0.1:0" }
  request "mining.authorize" "password" {
    set { password = "var.pool_password" }
  }
  request "mining.authorize" "fails" {
    on_error = "skip"
    set { password = "string(params[7]) + var.pool_password + password" }
  }
}`, "--var", "pool_password=tops3cret")
	address := p.await("listening")["address"]
	miner := dial(t, address)
	miner.send(`{"id":1,"method":"mining.authorize","params":["john","hunter2"]}`)
	nc, err := l.Accept()
	pool := newPeer(t, nc, err)
	pool.want(`{"id":1,"method":"mining.authorize","params":["john","tops3cret"]}`)
	pool.send(`{"id":1,"result":true,"error":null}`)
	miner.want(`{"id":1,"result":true,"error":null}`)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	all := strings.Join(p.seen, "\n")
	for _, secret := range []string{"tops3cret", "hunter2"} {
		if strings.Contains(all, secret) {
			t.Errorf("%s is in the log", secret)
		}
	}
	if !strings.Contains(all, "a rule failed") {
		t.Error("the failing rule is not in the log")
	}
}

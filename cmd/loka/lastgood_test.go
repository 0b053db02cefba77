package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/policy"
)

// kept is a loka whose policy is kept, and which is started again and again.
type kept struct {
	*reloaded
	more string // of the policy
	args []string
}

func runKept(t *testing.T, more string, args ...string) *kept {
	t.Helper()
	k := &kept{&reloaded{pool: fakePool(t)}, more, args}
	k.process = launch(t, k.text("A")+more, args...)
	k.begun()
	k.await("policy kept")
	return k
}

func (k *kept) begun() {
	k.t.Helper()
	k.address = k.await("listening")["address"]
	k.await("loka runs")
}

// crash ends it as the machine would.
func (k *kept) crash() {
	k.t.Helper()
	k.signal(syscall.SIGKILL)
	k.exit()
}

// again starts it with another policy in its file.
func (k *kept) again(text string, args ...string) {
	k.t.Helper()
	k.save(text)
	k.process = relaunch(k.t, k.file, k.state, append(k.args, args...)...)
}

func (k *kept) broken(wallet string) string {
	return strings.Replace(k.text(wallet), "user\"", "usr\"", 1) + k.more
}

// awaitLastGood reads the log up to where the last good policy serves.
func (k *kept) awaitLastGood(reason string) {
	k.t.Helper()
	for {
		line := k.next()
		if text := fmt.Sprint(line["@message"]); strings.HasPrefix(text, "serving the last good policy (") && strings.HasSuffix(text, reason) && line["@level"] == "error" {
			return
		}
	}
}

// wantFails waits for the end of a start that fails.
func (k *kept) wantFails(code int, words ...string) {
	k.t.Helper()
	var all strings.Builder
	for k.log.Scan() {
		fmt.Fprintln(&all, k.log.Text())
	}
	_ = k.cmd.Wait()
	for _, w := range words {
		if got := k.cmd.ProcessState.ExitCode(); got != code || !strings.Contains(all.String(), w) {
			k.t.Fatalf("it exits with %d, without %q:\n%s", got, w, &all)
		}
	}
}

// TestLastGood starts with a broken policy: that which was in force serves, everybody is
// told, and as soon as the file is mended it is put in force.
func TestLastGood(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "admin.sock")
	k := runKept(t, "admin { socket = \""+socket+"\" }\n")
	ask := func(words string, args ...string) string {
		t.Helper()
		return must(t, t.TempDir(), 0, words, append(args, "--admin", "unix:"+socket)...)
	}
	k.login("A.john")
	k.crash()
	k.again(k.broken("B"))
	k.awaitLastGood("since that of the files cannot be used: 1 error")
	if at := k.await("Unknown name in expression"); at["at"] != k.file+":9:26" {
		t.Errorf("it is at %v", at)
	}
	k.begun()
	k.login("A.john")
	for _, words := range []string{"serving     the last good policy, of 2", "refused     at 2", "Unknown name in expression"} {
		ask(words, "policy", "status")
	}
	var status core.Status
	if err := json.Unmarshal([]byte(ask("", "policy", "status", "--json")), &status); err != nil {
		t.Fatal(err)
	}
	if status.Serving != "last good" || status.KeptAt == nil || status.Refused == nil || status.Files[0] != k.file {
		t.Errorf("the status is %+v", status)
	}
	k.save(k.text("B") + k.more)
	k.await("policy in force")
	k.await("policy kept")
	if out := ask("generation  2", "policy", "status"); strings.Contains(out, "last good") || strings.Contains(out, "refused") {
		t.Errorf("the status is\n%s", out)
	}
	k.login("B.john")
	k.crash()

	k.again(k.broken("C"))
	k.begun()
	k.login("B.john")
	k.save(k.text("B") + k.more) // as it was
	k.await("policy unchanged")
	if out := ask("generation  1", "policy", "status"); strings.Contains(out, "last good") {
		t.Errorf("the status is\n%s", out)
	}
	k.signal(syscall.SIGTERM)
	if code := k.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestLastGoodMetric looks at the metric that alarms are made of.
func TestLastGoodMetric(t *testing.T) {
	k := runKept(t, "admin { address = \"127.0.0.1:0\" }\n")
	k.crash()
	k.again(k.broken("B"))
	url := fmt.Sprint(k.await("metrics")["url"])
	k.begun()
	if _, text := get(t, url); !strings.Contains(text, "loka_policy_last_reload_successful 0") {
		t.Errorf("it says\n%s", text)
	}
	k.save(k.text("A") + k.more)
	k.await("policy unchanged")
	if _, text := get(t, url); !strings.Contains(text, "loka_policy_last_reload_successful 1") {
		t.Errorf("it says\n%s", text)
	}
}

// TestLastGoodWithoutFiles starts with an empty directory, and then with none at all.
func TestLastGoodWithoutFiles(t *testing.T) {
	k := &kept{&reloaded{pool: fakePool(t)}, "", nil}
	dir := filepath.Join(t.TempDir(), "farm")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file, state := filepath.Join(dir, "loka.hcl"), t.TempDir()
	if err := os.WriteFile(file, []byte(k.text("A")), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, empty := range []func(){func() { _ = os.Remove(file) }, func() { _ = os.RemoveAll(dir) }} {
		k.process = relaunch(t, dir, state)
		k.begun()
		k.await("policy kept")
		k.crash()
		empty()
		k.process = relaunch(t, dir, state)
		k.begun()
		k.login("A.john")
		_ = os.Mkdir(dir, 0o700)
		if err := os.WriteFile(file, []byte(k.text("B")), 0o600); err != nil {
			t.Fatal(err)
		}
		if i > 0 { // the directory is found by the look that comes every half minute
			k.signal(syscall.SIGHUP)
		}
		k.await("policy in force")
		k.login("B.john")
		k.crash()
		if err := os.WriteFile(file, []byte(k.text("A")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLastGoodTakenPort starts with a policy whose port is in use.
func TestLastGoodTakenPort(t *testing.T) {
	k := runKept(t, "")
	k.crash()
	taken := fakePool(t)
	more := `
proxy "more" {
  pool = pool.main
  listener "tcp" { address = "` + taken.Addr().String() + `" }
}
`
	k.again(k.text("B") + more)
	k.awaitLastGood("the port is in use by another program, or by another loka")
	k.begun()
	k.login("A.john")
	_ = taken.Close()
	k.signal(syscall.SIGHUP)
	k.await("policy in force")
	k.await("policy kept")
	k.login("B.john")
	k.crash()

	port, err := net.Listen("tcp", taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	k.again(k.text("B") + more) // it is the last good one itself
	k.wantFails(exitStart, "Error: proxy.more: listen on")
	k.again(k.broken("C"))
	k.wantFails(exitStart, "does not load; and the last good policy cannot serve: proxy.more: listen on")
}

// TestLastGoodValues starts with other values: what was kept is not for them.
func TestLastGoodValues(t *testing.T) {
	t.Setenv("LOKA_TEST_SITE", "north")
	k := runKept(t, `
variable "site" { default = env("LOKA_TEST_SITE") }
variable "key" {
  type      = string
  sensitive = true
}
proxy "other" {
  pool = pool.main
  listener "tcp" { address = "127.0.0.1:0" }
  request "mining.authorize" "map" {
    set { password = "var.site + var.key" }
  }
}
`, "--var", "key=hunter2")
	k.crash()
	k.again(k.broken("B"), "--var", "key=hunter3")
	k.wantFails(exitPolicy, "Unknown name in expression")
	t.Setenv("LOKA_VAR_site", "south")
	k.again(k.broken("B"))
	k.wantFails(exitPolicy, "Unknown name in expression")
	_ = os.Unsetenv("LOKA_VAR_site")
	t.Setenv("LOKA_TEST_SITE", "south")
	k.again(k.broken("B"))
	k.wantFails(exitPolicy, "Unknown name in expression", "cannot serve: it was loaded with another value of LOKA_TEST_SITE in the environment")
	t.Setenv("LOKA_TEST_SITE", "north")
	k.again(k.broken("B"))
	k.begun()
	k.login("A.john")
}

// TestLastGoodUnusable starts where what was kept is of no use, or nothing is kept.
func TestLastGoodUnusable(t *testing.T) {
	k := runKept(t, "")
	k.crash()
	names, err := filepath.Glob(filepath.Join(k.state, "last-good", "*"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	for name, want := range map[string]os.FileMode{names[0]: 0o600, filepath.Dir(names[0]): 0o700 | os.ModeDir} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	good, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	stored := `"files":[{"name":"` + k.file + `","content":"cG9vbA=="}]}}` // pool
	for text, reason := range map[string]string{
		string(good[:len(good)/2]):  "is damaged: unexpected end of JSON input",
		`{"format":9,"loka":"9.9"}`: "was kept by loka 9.9 in a form that this one does not read",
		`{"format":1,"loka":"0.1","policy":{"path":"` + k.file + `",` + stored: "it was kept by loka 0.1, and does not load: ",
		strings.Replace(string(good), `"path":"`, `"path":"nowhere/`, 1):       "it does not exist",
	} {
		if err := os.WriteFile(names[0], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		k.again(k.broken("B"))
		k.wantFails(exitPolicy, "Unknown name in expression", "does not load; and the last good policy cannot serve: ", reason)
	}
	if err := os.WriteFile(names[0], good, 0o600); err != nil {
		t.Fatal(err)
	}
	k.again(k.broken("B"), "--state", "off")
	k.wantFails(exitPolicy, "Unknown name in expression")
	k.again(k.broken("B"), "--state", t.TempDir())
	k.wantFails(exitPolicy, "Unknown name in expression")
	k.again(k.text("B"), "--state", names[0])
	k.wantFails(exitStart, "Error: --state: ")
	k.again(k.broken("B"))
	k.begun()
}

// TestNothingIsKept has no directory to keep a policy in: loka runs all the same.
func TestNothingIsKept(t *testing.T) {
	k := &kept{&reloaded{pool: fakePool(t)}, "", nil}
	file := filepath.Join(t.TempDir(), "loka.hcl")
	if err := os.WriteFile(file, []byte(k.text("A")), 0o600); err != nil {
		t.Fatal(err)
	}
	k.process = relaunch(t, file, file)
	k.begun()
	if line := k.await("the policy is not kept for a start with broken files; --state DIR says where it could be"); line["@level"] != "warn" {
		t.Errorf("it says %v", line)
	}
	k.login("A.john")
}

// TestKeptIsBounded keeps policies of many places: the oldest are let go of.
func TestKeptIsBounded(t *testing.T) {
	state, work := t.TempDir(), t.TempDir()
	for i := range maxKept + 5 {
		file := filepath.Join(work, fmt.Sprintf("%d.hcl", i))
		text := "pool \"p\" {\n  server \"a\" { address = \"stratum+tcp://pool.example:3333\" }\n}\nproxy \"x\" {\n  pool = pool.p\n  listener \"tcp\" { address = \":0\" }\n}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		flags := &policyFlags{config: file}
		p, diags := policy.Load(file, flags.options())
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		k, err := newKeeper(state, flags)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.keep(flags, p); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(time.Duration(i-1000) * time.Hour)
		if err := os.Chtimes(k.file, old, old); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if err := os.Rename(k.file, strings.TrimSuffix(k.file, ".json")); err != nil { // a crash has left it
				t.Fatal(err)
			}
		}
		if last, _, err := k.last(); i > 0 && (err != nil || last.Hash != p.Hash) {
			t.Fatal(last, err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(state, "last-good"))
	if err != nil || len(entries) != maxKept {
		t.Errorf("%d files are kept, %v", len(entries), err)
	}
}

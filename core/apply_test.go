package core_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/miner"
	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/policy"
)

// under is a policy with one pool, and proxies x and y with what is in their blocks.
func under(server net.Listener, x string, more ...string) string {
	return `
pool "p" {
  server "a" { address = "stratum+tcp://` + server.Addr().String() + `" }
}
proxy "x" {
  pool = pool.p
` + x + `
}
` + strings.Join(more, "\n")
}

// reconnect is what a miner gets that cannot be told of another pool otherwise.
const reconnect = `{"id":null,"method":"client.reconnect","params":[]}`

const anyPort = `  listener "tcp" { address = "127.0.0.1:0" }
`

func (s *stage) apply(policy string) {
	s.t.Helper()
	if err := s.daemon.Apply(s.t.Context(), load(s.t, policy)); err != nil {
		s.t.Fatal(err)
	}
}

// TestApplyNewRules changes the rules of a living session: they hold from its next
// message, and neither side notices anything else.
func TestApplyNewRules(t *testing.T) {
	l := listen(t)
	s := performPolicy(t, under(l, anyPort))
	s.pool = l
	miner, pool := s.pair()
	miner.send(authorize)
	pool.want(authorize)
	pool.send(authorized)
	miner.want(authorized)

	s.apply(under(l, anyPort+`
  request "mining.submit" "closed" {
    when = "nonce == 'deadbeef'"
    deny {
      code    = 21
      message = "closed"
    }
  }
  notification "client.show_message" "quiet" {
    drop {}
  }`))
	miner.send(submit)
	miner.want(`{"id":4,"result":null,"error":[21,"closed",null]}`)
	pool.send(`{"id":null,"method":"client.show_message","params":["hello"]}`, `{"id":null,"method":"mining.notify","params":["1"]}`)
	miner.want(`{"id":null,"method":"mining.notify","params":["1"]}`)
	s.wantCount(1, "loka_rule_matches_total", "rule", "proxy.x.request.closed")

	s.apply(under(l, anyPort))
	miner.send(submit)
	pool.want(submit)
	pool.send(accepted)
	miner.want(accepted)
	s.wantCount(1, "loka_sessions")
	s.wantCount(1, "loka_policy_info", "generation", "3")
	s.wantCount(1, "loka_policy_info")
	s.conserved()
}

// TestApplyNewName changes what a name is mapped to. A miner that waits for an answer
// gets it, and comes back under the new name; one whose name stays is left alone.
func TestApplyNewName(t *testing.T) {
	l := listen(t)
	mapped := func(to string) string {
		return under(l, anyPort+`
  request "mining.authorize" "map" {
    when = "user startsWith 'john'"
    set { user = "'`+to+`.' + user" }
  }`)
	}
	s := performPolicy(t, mapped("A"))
	s.pool = l
	login := func(name string) (m, p *wire) {
		m, p = s.pair()
		m.send(`{"id":2,"method":"mining.authorize","params":["` + name + `","x"]}`)
		p.line()
		p.send(authorized)
		m.want(authorized)
		return m, p
	}
	john, johns := login("john")
	mary, marys := login("mary")
	john.send(`{"id":4,"method":"mining.submit","params":["john","1","2","3","4"]}`)
	johns.want(`{"id":4,"method":"mining.submit","params":["A.john","1","2","3","4"]}`)

	s.apply(mapped("B"))
	john.want(reconnect)
	johns.send(accepted)
	john.want(accepted)
	john.wantClosed()
	s.wantCount(1, "loka_sessions_closed_total", "reason", "moved")
	again, atPool := s.pair()
	again.send(`{"id":2,"method":"mining.authorize","params":["john","x"]}`)
	atPool.want(`{"id":2,"method":"mining.authorize","params":["B.john","x"]}`)

	mary.send(`{"id":4,"method":"mining.submit","params":["mary","1","2","3","4"]}`)
	marys.want(`{"id":4,"method":"mining.submit","params":["mary","1","2","3","4"]}`)
	s.conserved()
}

// TestApplyParts changes policies so that a miner does not belong where it is. One that
// waits for an answer that never comes does not stay longer than drain_timeout.
func TestApplyParts(t *testing.T) {
	l, other := listen(t), listen(t)
	const rule = `
  request "mining.subscribe" "stay" {
    when = "agent startsWith 'cpuminer'"
    route { pool = pool.q }
  }`
	two := func(x string) string {
		return under(l, anyPort+x, `pool "q" {
  server "a" { address = "stratum+tcp://`+other.Addr().String()+`" }
}`)
	}
	for name, test := range map[string]struct {
		policy, reason string
		told           []string
	}{
		"server":   {strings.ReplaceAll(two("reconnect_grace = \"50ms\"\n"), l.Addr().String(), other.Addr().String()), "moved", []string{reconnect}},
		"route":    {two(rule + "\nreconnect_grace = \"50ms\"\n"), "moved", []string{reconnect}},
		"connect":  {two("\n  connect \"nobody\" {\n    deny {}\n  }"), "policy", nil},
		"listener": {strings.Replace(two(""), `"x"`, `"y"`, 1), "moved", nil},
		"refused":  {two("\n  request \"mining.authorize\" \"nobody\" {\n    deny {}\n  }"), "policy", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := performPolicy(t, two(""))
			s.pool = l
			miner, pool := s.pair()
			miner.send(authorize)
			pool.want(authorize)
			pool.send(authorized)
			miner.want(authorized)
			miner.send(submit)
			pool.want(submit)
			s.apply("drain_timeout = \"50ms\"\n" + test.policy)
			miner.want(test.told...)
			miner.wantClosed()
			s.wantCount(1, "loka_sessions_closed_total", "reason", test.reason)
			s.wantCount(1, "loka_shares_lost_total")
			s.conserved()
		})
	}
}

// TestApplyListeners adds and removes listeners; those that stay keep their socket, and
// a port that is taken refuses the policy as a whole.
func TestApplyListeners(t *testing.T) {
	l, taken := listen(t), listen(t)
	y := func(address string) string {
		return "proxy \"y\" {\n  pool = pool.p\n  listener \"tcp\" { address = \"" + address + "\" }\n}"
	}
	s := performPolicy(t, under(l, anyPort))
	s.pool = l
	miner, pool := s.pair()
	before := s.addr(0)

	err := s.daemon.Apply(t.Context(), load(t, under(l, anyPort+`
  request "*" "nothing" {
    drop {}
  }`, y(taken.Addr().String()))))
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Fatalf("a port in use gives %v", err)
	}
	miner.send(authorize) // the old rules hold
	pool.want(authorize)

	s.apply(under(l, anyPort, y("127.0.0.1:0")))
	if got := s.addr(0); got != before || len(s.daemon.Addrs()) != 2 {
		t.Errorf("the first listener was at %s and is at %s, of %d", before, got, len(s.daemon.Addrs()))
	}
	second := s.addr(1)
	nc, err := net.Dial("tcp", second)
	if err != nil {
		t.Fatal(err)
	}
	guest := newWire(t, nc)
	guest.send(subscribe)
	guests := s.accept()
	guests.want(subscribe)
	guests.send(subscribed)
	guest.want(subscribed)

	s.apply(under(l, anyPort))
	guest.wantClosed()
	if nc, err := net.Dial("tcp", second); err == nil {
		_ = nc.Close()
		t.Error("a listener that was removed takes miners")
	}
	miner.send(submit)
	pool.want(submit)
	s.wantCount(1, "loka_sessions")
}

// TestApplyWhileDialling changes the pool of a miner whose pool is being dialled.
func TestApplyWhileDialling(t *testing.T) {
	slow, l := listen(t), listen(t)
	s := performPolicy(t, under(slow, anyPort))
	miner := s.miner()
	miner.send(subscribe)
	pool := accept(t, slow) // taken, and silent
	pool.want(subscribe)
	s.apply(under(l, anyPort+"reconnect_grace = \"50ms\"\n"))
	pool.send(subscribed)
	miner.want(subscribed)
	if rest, err := io.ReadAll(miner.r); err != nil || len(rest) > 0 && string(rest) != reconnect+"\n" { // whichever is first
		t.Fatalf("the miner hears %q, %v", rest, err)
	}
	s.pool = l
	s.pair()
}

// TestApplyKeepsHealth keeps what is known of a server, and forgets it for one that has
// its name only.
func TestApplyKeepsHealth(t *testing.T) {
	dead, l := listen(t), listen(t)
	_ = dead.Close()
	policy := func(first net.Listener, timeout string) string {
		return strings.Replace(under(l, anyPort), `  server "a"`, "  idle_timeout = \""+timeout+"\"\n  server \"b\" { address = \"stratum+tcp://"+first.Addr().String()+"\" }\n  server \"a\"", 1)
	}
	s := performPolicy(t, policy(dead, "5m"))
	s.pool = l
	s.pair()
	refused := func() float64 { return s.count("loka_dials_total", "result", "refused") }
	if refused() != 1 {
		t.Fatalf("%v dials were refused", refused())
	}
	s.apply(policy(dead, "6m"))
	s.pair()
	if refused() != 1 {
		t.Error("a server that rests was dialled after a reload")
	}
	gone := listen(t)
	_ = gone.Close()
	s.apply(policy(gone, "6m"))
	s.pair()
	if refused() != 2 {
		t.Error("another server of that name was not dialled")
	}
}

// TestApplyUnderLoad puts one policy after the other in force while miners mine. Those
// whose policy does not change for them keep their connection, and every share is
// accounted for.
func TestApplyUnderLoad(t *testing.T) {
	const miners, applies = 40, 50
	p, l := labPool(t, pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, Branches: 3, ShortNonce: true, NotifyInterval: 2 * time.Second})
	policy := func(i int) string {
		return under(l, anyPort+fmt.Sprintf(`
  request "mining.authorize" "map" {
    set { user = "'W.' + user" }
  }
  request "mining.submit" "round" {
    when = "nonce == 'round %d'"
    deny {}
  }`, i))
	}
	s := performPolicy(t, policy(0))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	var all []*miner.Miner
	for i := range miners {
		m := miner.New(miner.Config{Address: s.addr(0), User: fmt.Sprint("rig", i), Kind: miner.Kinds[i%len(miner.Kinds)], Interval: time.Millisecond})
		all = append(all, m)
		wg.Go(func() { _ = m.Run(ctx) })
	}
	s.wantCount(miners, "loka_sessions")
	for i := range applies {
		s.apply(policy(i + 1))
	}
	s.wantCount(miners, "loka_sessions")
	if got := s.count("loka_sessions_opened_total"); got != miners {
		t.Errorf("%v sessions were opened", got)
	}
	cancel()
	wg.Wait()
	s.wantCount(0, "loka_sessions")
	s.conserved()
	for _, m := range all {
		if st := m.Stats(); len(st.Rejected) > 0 || st.Unexpected > 0 {
			t.Errorf("a miner says %+v", st)
		}
	}
	if p.Stats().Accepted == 0 {
		t.Error("nobody has mined")
	}
}

// TestReloader loads policies that are good, the same, broken and refused, and goes back.
func TestReloader(t *testing.T) {
	l := listen(t)
	s := performPolicy(t, under(l, anyPort))
	s.pool = l
	var next string
	var check error
	var watched int
	file := filepath.Join(t.TempDir(), "loka.hcl")
	reloader := core.NewReloader(s.daemon, core.Source{
		Load: func() (*policy.Policy, []string, policy.Diagnostics) {
			if err := os.WriteFile(file, []byte(next), 0o600); err != nil {
				t.Fatal(err)
			}
			p, diags := policy.Load(file, policy.Options{})
			if p != nil {
				p.Hash = fmt.Sprint(len(next)) // not the directory's
			}
			return p, []string{file}, diags
		},
		Check: func(*policy.Policy) error { return check },
		Watch: func(files []string, _ time.Time) { watched += len(files) },
	})
	reload := func(text, wrong string) {
		t.Helper()
		next = text
		err := reloader.Reload(t.Context())
		if wrong == "" && err != nil || wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong)) {
			t.Errorf("reload gives %v, not %q", err, wrong)
		}
	}
	at := func(generation int, refused bool) {
		t.Helper()
		if st := reloader.Status(); st.Generation != generation || (st.Refused != nil) != refused {
			t.Errorf("the status is %+v", st)
		}
		well := 1.0
		if refused {
			well = 0
		}
		s.wantCount(well, "loka_policy_last_reload_successful")
	}
	if err := reloader.Rollback(t.Context()); err == nil {
		t.Error("there is nothing to return to")
	}
	at(1, false)
	second := under(l, anyPort) + "admin { address = \"127.0.0.1:9464\" }\n"
	reload(second, "")
	at(2, false)
	reload("pool", "1 error")
	reload("pool", "1 error")
	at(2, true)
	reload(second, "")
	at(2, false)
	check = errors.New("test failed")
	reload(second+"# x\n", "test failed")
	at(2, true)
	check = nil
	taken := listen(t)
	reload(under(l, "  listener \"tcp\" { address = \""+taken.Addr().String()+"\" }\n"), "in use")
	if why := reloader.Status().Refused; why == nil || !why.Outside {
		t.Errorf("a port in use is the fault of the files: %+v", why)
	}
	if err := reloader.Rollback(t.Context()); err != nil {
		t.Error(err)
	}
	at(3, false)
	if err := reloader.Rollback(t.Context()); err != nil {
		t.Error(err)
	}
	at(4, false)
	s.wantCount(3, "loka_policy_reloads_total", "result", "applied")
	s.wantCount(1, "loka_policy_reloads_total", "result", "unchanged")
	s.wantCount(4, "loka_policy_reloads_total", "result", "refused")
	log := s.log.String()
	for words, times := range map[string]int{
		"generation 2 (": 3, "Argument or block definition required": 1, "this block changes with a restart only": 3, "stays in force: test failed": 1,
	} {
		if got := strings.Count(log, words); got != times {
			t.Errorf("%q is logged %d times, not %d", words, got, times)
		}
	}
	if watched == 0 {
		t.Error("nobody was told what to watch")
	}
	s.pair()
}

// TestApplyManyPartings maps many names anew: the miners are parted with over time, and a
// policy that puts things back keeps those who are still there.
func TestApplyManyPartings(t *testing.T) {
	const miners = 250
	p, l := labPool(t, pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, ShortNonce: true})
	mapped := func(to string) string {
		return under(l, anyPort+"  request \"mining.authorize\" \"map\" {\n    set { user = \"'"+to+".' + user\" }\n  }")
	}
	s := performPolicy(t, mapped("A"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for i := range miners {
		m := miner.New(miner.Config{Address: s.addr(0), User: fmt.Sprint("rig", i), Kind: miner.CPUMiner, Once: true, Interval: time.Second})
		wg.Go(func() { _ = m.Run(ctx) })
	}
	wait := func(ok func(pool.Stats) bool) {
		t.Helper()
		limit, done := context.WithTimeout(ctx, time.Minute)
		defer done()
		if err := p.Wait(limit, ok); err != nil {
			t.Fatal(err)
		}
	}
	wait(func(st pool.Stats) bool { return len(st.Workers) == miners && st.Accepted >= miners })
	s.apply(mapped("B"))
	wait(func(st pool.Stats) bool { return s.count("loka_sessions_closed_total", "reason", "moved") >= 20 })
	s.apply(mapped("A"))
	left := s.count("loka_sessions")
	before := p.Stats().Accepted
	wait(func(st pool.Stats) bool { return float64(st.Accepted-before) > 4*left }) // about four seconds
	if got := s.count("loka_sessions"); got < 50 {                                 // some were on their way out
		t.Errorf("of %v miners who belong where they are %v are left", left, got)
	}
	cancel()
	wg.Wait()
	s.wantCount(0, "loka_sessions")
	s.conserved()
}

// TestApplyBeforeSubscribe puts policies in force between a miner's connection and its
// first line: it goes where the one in force sends it, and stays there.
func TestApplyBeforeSubscribe(t *testing.T) {
	l, other := listen(t), listen(t)
	two := func(server net.Listener, rule string) string {
		return under(server, anyPort+rule, `pool "q" {
  server "a" { address = "stratum+tcp://`+other.Addr().String()+`" }
}`)
	}
	const toQ = `
  request "mining.subscribe" "to_q" {
    route { pool = pool.q }
  }`
	const toP = `
  request "mining.subscribe" "to_p" {
    when = "false"
    route { pool = pool.p }
  }`
	for name, test := range map[string]struct {
		before, after string
		goes          net.Listener
	}{
		"a rule that was there": {two(l, toQ), two(l, toQ) + "# the same\n", other},
		"a new rule":            {two(l, ""), two(l, toQ), other},
		"another server":        {two(l, ""), two(other, ""), other},
		"a rule that is gone":   {two(l, toQ), two(l, ""), l},
		"another home":          {two(l, ""), strings.Replace(two(l, toP), "pool = pool.p", "pool = pool.q", 1), other},
	} {
		t.Run(name, func(t *testing.T) {
			s := performPolicy(t, test.before)
			miner := s.miner()
			s.wantCount(1, "loka_sessions")
			s.apply(test.after)
			miner.send(subscribe)
			pool := accept(t, test.goes)
			pool.want(subscribe)
			pool.send(subscribed)
			miner.want(subscribed)
			miner.send(authorize)
			pool.want(authorize)
			s.wantCount(1, "loka_sessions")
			if n := s.count("loka_dials_total"); n != 1 {
				t.Errorf("%v dials", n)
			}
		})
	}
}

// TestApplyWaitsForNames changes the server while the answer to an authorize is awaited: a
// miner that has to connect again gets it.
func TestApplyWaitsForNames(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort))
	s.pool = l
	miner, pool := s.pair()
	miner.send(authorize)
	pool.want(authorize)
	s.apply(under(other, anyPort+"reconnect_grace = \"50ms\"\n"))
	miner.want(reconnect)
	pool.send(authorized)
	miner.want(authorized)
	miner.wantClosed()
	s.wantCount(1, "loka_sessions_closed_total", "reason", "moved")
}

// TestApplyJudgesAsOfThen keeps miners that were let in at the time by a rule that looks
// at the age of the session, or at an agent that is not known at connect.
func TestApplyJudgesAsOfThen(t *testing.T) {
	l := listen(t)
	text := under(l, anyPort+`
  request "mining.authorize" "late" {
    when = "session.age > 1"
    deny {}
  }`)
	s := performPolicy(t, text)
	s.pool = l
	miner, pool := s.pair()
	miner.send(authorize)
	pool.want(authorize)
	pool.send(authorized)
	miner.want(authorized)
	for began := time.Now(); time.Since(began) < 1100*time.Millisecond; {
		s.apply(text + fmt.Sprintf("# %d\n", time.Since(began)))
	}
	miner.send(submit)
	pool.want(submit)
}

// TestApplyOtherSpelling changes only how an address is written.
func TestApplyOtherSpelling(t *testing.T) {
	l, free := listen(t), listen(t)
	_, port, _ := net.SplitHostPort(free.Addr().String())
	_ = free.Close()
	at := func(address string) string {
		return under(l, "  listener \"tcp\" { address = \""+address+"\" }\n")
	}
	s := performPolicy(t, at(":"+port))
	s.apply(at("0.0.0.0:" + port))
	s.apply(at("[::]:0" + port))
	err := s.daemon.Apply(t.Context(), load(t, at("127.0.0.1:"+port)))
	if err == nil || !strings.Contains(err.Error(), "loka itself listens on") {
		t.Errorf("an address within another gives %v", err)
	}
}

package core_test

import (
	"fmt"
	"strings"
	"testing"
)

const (
	fast       = "reconnect_grace = \"50ms\"\n"
	stable     = "extranonce = \"stable\"\n"
	ping       = `{"id":77,"method":"mining.ping","params":[]}`
	pong       = `{"id":77,"result":"pong","error":null}`
	marker     = `{"id":null,"method":"client.show_message","params":["here"]}`
	rolling    = `{"id":8,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"ffffffff"}]}`
	rollingBut = `{"id":8,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"1fffe000","version-rolling.min-bit-count":4}]}`
)

// hears reads a line that has all the parts.
func (w *wire) hears(parts ...string) string {
	w.t.Helper()
	line := w.line()
	for _, part := range parts {
		if !strings.Contains(line, part) {
			w.t.Fatalf("\n got %s\nwant %s in it", line, part)
		}
	}
	return line
}

// answers sends a reply to a line.
func (w *wire) answers(line, rest string) {
	w.t.Helper()
	w.send(`{"id":` + field(line, "id") + `,` + rest + `}`)
}

const good = `"result":true,"error":null`

// granted is the answer to configure.
func granted(mask string) string {
	return `"result":{"version-rolling":true,"version-rolling.mask":"` + mask + `"},"error":null`
}

func subscription(extranonce1, size string) string {
	return `"result":[[["mining.notify","s2"]],"` + extranonce1 + `",` + size + `],"error":null`
}

func setExtranonce(extranonce1 string, size int) string {
	return fmt.Sprintf(`{"id":null,"method":"mining.set_extranonce","params":["%s",%d]}`, extranonce1, size)
}

// together wants lines that came in one piece.
func (w *wire) together(lines ...string) {
	w.t.Helper()
	w.want(lines[0])
	if rest := len(strings.Join(lines[1:], "\n")) + 1; len(lines) > 1 && w.r.Buffered() < rest {
		w.t.Fatalf("only %d bytes came with the first line, not %d", w.r.Buffered(), rest)
	}
	w.want(lines[1:]...)
}

// rig is a miner of the test's and what it is like.
type rig struct {
	agent     string
	configure string // what it sends, empty for nothing
	mask      string // what A grants
	xnsub     bool
	size      string // of A's extranonce2
}

// hire gives such a miner at work: it has a name, a difficulty of 512 and job 1.
func (s *stage) hire(r rig) (miner, pool *wire) {
	s.t.Helper()
	miner = s.miner()
	hello := `{"id": 1, "method": "mining.subscribe", "params": ["` + r.agent + `"]}`
	if r.configure != "" {
		miner.send(r.configure)
		pool = s.accept()
		pool.want(r.configure)
		pool.answers(r.configure, granted(r.mask))
		miner.line()
	}
	miner.send(hello)
	if pool == nil {
		pool = s.accept()
	}
	pool.answers(pool.line(), subscription("f0000001", r.size))
	miner.line()
	if r.xnsub {
		miner.send(xnsub)
		pool.want(xnsub)
		pool.send(xnsubOK)
		miner.want(xnsubOK)
	}
	miner.send(`{"id":2,"method":"mining.authorize","params":["john","x"]}`)
	pool.line()
	pool.send(yes(2), difficulty("512"), job("1", true))
	miner.want(yes(2), difficulty("512"))
	miner.line()
	return miner, pool
}

// still wants the miner to have got nothing but what A sends it now.
func still(miner, a *wire) {
	miner.t.Helper()
	a.send(marker)
	miner.want(marker)
}

// done has the new pool's lines so far be handled.
func (w *wire) done() {
	w.t.Helper()
	w.send(ping)
	w.want(pong)
}

// able is a miner that can do everything.
var able = rig{agent: "bitaxe/BM1370/v2.9.0", configure: rolling, mask: "1fffe000", xnsub: true, size: "4"}

// TestC44NothingOfBBeforeItIsReady goes through the preparation step by step: the miner
// hears of A alone until the last of them.
func TestC44NothingOfBBeforeItIsReady(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort))
	s.pool = l
	miner, a := s.hire(able)
	s.apply(under(other, anyPort))
	b := accept(t, other)
	configure := b.hears(`"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"1fffe000"}]`)
	hello := b.hears(`"mining.subscribe","params":["bitaxe/BM1370/v2.9.0"]`)
	step := func(lines ...string) {
		t.Helper()
		b.send(lines...)
		b.done()
		still(miner, a)
	}
	step(difficulty("7"), job("0", true)) // some are early
	b.answers(configure, granted("1fffe000"))
	step(`{"id":null,"method":"client.show_message","params":["welcome"]}`)
	b.answers(hello, subscription("aa01", "5"))
	b.hears("mining.extranonce.subscribe")
	login := b.hears("mining.authorize")
	step(difficulty("8"))
	step(job("5", false))
	b.answers(login, good)
	miner.together(setExtranonce("aa01", 5), difficulty("8"), job("1_5", true))
	s.wantCount(1, "loka_moves_total", "way", "extranonce")
}

// TestC44AJobIsWaitedFor where no pool is asked for a name, and the miner has one of A.
func TestC44AJobIsWaitedFor(t *testing.T) {
	l, other := listen(t), listen(t)
	const answered = anyPort + `
  request "mining.authorize" "ours" {
    reply { result = "true" }
  }`
	s := performPolicy(t, under(l, answered))
	s.pool = l
	miner, a := s.pair()
	miner.send(xnsub)
	a.want(xnsub)
	a.send(xnsubOK, job("1", true))
	miner.want(xnsubOK, job("1", true))
	s.apply(under(other, answered))
	b := accept(t, other)
	b.answers(b.hears("mining.subscribe"), subscription("aa01", "5"))
	b.hears("mining.extranonce.subscribe")
	b.done()
	still(miner, a)
	b.send(job("5", true))
	miner.together(setExtranonce("aa01", 5), job("1_5", true))
}

// TestC45LinesComeInOrderAndAtOnce, those of the mask first.
func TestC45LinesComeInOrderAndAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		settings string
		want     []string
	}{
		"pool":   {"", []string{mask("1fff0000"), setExtranonce("aa01", 5), difficulty("8"), job("1_5", true)}},
		"stable": {stable, []string{mask("1fff0000"), difficulty("8"), strings.Replace(job("1_5", true), `"01"`, `"01aa0101"`, 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			l, other := listen(t), listen(t)
			s := performPolicy(t, under(l, anyPort+c.settings))
			s.pool = l
			miner, _ := s.hire(able)
			s.apply(under(other, anyPort+c.settings))
			b := accept(t, other)
			b.admit("1fff0000", "aa01", "5")
			b.send(difficulty("8") + "\n" + job("5", false) + "\n" + job("6", false)) // the last one behind that which is waited for
			next := strings.NewReplacer("1_5", "1_6", "true", "false").Replace(c.want[len(c.want)-1])
			miner.together(append(c.want, next)...)
		})
	}
}

func mask(m string) string {
	return `{"id":null,"method":"mining.set_version_mask","params":["` + m + `"]}`
}

// admit plays a pool until the miner's name is taken.
func (w *wire) admit(mask, extranonce1, size string) {
	w.t.Helper()
	for {
		line := w.line()
		switch {
		case strings.Contains(line, "mining.configure"):
			w.answers(line, granted(mask))
		case strings.Contains(line, "mining.subscribe"):
			w.answers(line, subscription(extranonce1, size))
		case strings.Contains(line, "mining.authorize"):
			w.answers(line, good)
			return
		}
	}
}

// TestC46TheOwnerIsGone answers at once for a pool that has closed, whichever way.
func TestC46TheOwnerIsGone(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort))
	s.pool = l
	miner, a := s.hire(able)
	s.apply(under(other, anyPort))
	b := accept(t, other)
	b.admit("1fffe000", "aa01", "4")
	b.send(job("5", true))
	miner.want(setExtranonce("aa01", 4), difficulty("1"), job("1_5", true))
	miner.send(share(`"four"`, "1", "00000001"))
	a.want(share(`"four"`, "1", "00000001"))
	a.reset()
	miner.want(`{"id":"four","result":null,"error":[21,"Job not found",null]}`)
	miner.send(share("7", "1", "00000002"))
	miner.want(`{"id":7,"result":null,"error":[21,"Job not found",null]}`)
	s.wantCount(1, "loka_shares_lost_total")
	s.wantCount(1, "loka_shares_denied_total")
	s.conserved()
}

// TestC47JobIDs has ids of every kind be the same at both pools, in both ways of moving.
func TestC47JobIDs(t *testing.T) {
	for _, id := range []string{`"1"`, `""`, `"1386 5"`, `17`, `"1_5"`, `"1_"`, `"a\"b"`, `"\u0041"`, `"é"`} {
		for name, settings := range map[string]string{"pool": "", "stable": stable} {
			t.Run(name+id, func(t *testing.T) { equalJobIDs(t, id, settings) })
		}
	}
}

func equalJobIDs(t *testing.T, id, settings string) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+settings))
	s.pool = l
	miner, a := s.hire(rig{agent: "bitaxe/x", xnsub: true, size: "4"})
	job := strings.Replace(job("1", true), `"1"`, id, 1)
	a.send(job)
	atA := jobID(miner.line())
	s.apply(under(other, anyPort+settings))
	b := accept(t, other)
	b.admit("", "aa01", "4")
	b.send(job)
	if settings == "" {
		miner.line()
	}
	miner.line()
	atB := jobID(miner.line())
	if atA == atB {
		t.Fatalf("both jobs are %s", atA)
	}
	submit := func(n int, job string) {
		miner.send(fmt.Sprintf(`{"id":%d,"method":"mining.submit","params":["john",%s,"%s","66a0b1c2","deadbeef"]}`, n, job, map[string]string{"": "00000000", stable: "000000"}[settings]))
	}
	submit(5, atB)
	b.hears(`["john",` + id + `,"`)
	submit(4, atA)
	a.hears(`["john",` + id + `,"`)
	a.send(yes(4))
	miner.want(yes(4))
	b.send(yes(5))
	miner.want(yes(5))
	s.conserved()
}

// jobID is the text of the id in a notify.
func jobID(line string) string {
	_, rest, _ := strings.Cut(line, `"params":[`)
	id, _, _ := strings.Cut(rest, `,"0`)
	return id
}

// TestC48NoExtranonceWithoutAsking: a client that did not ask has to come back, and works
// on meanwhile.
func TestC48NoExtranonceWithoutAsking(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+fast))
	s.pool = l
	miner, a := s.hire(rig{agent: "cgminer/4.11.1", size: "4"})
	s.apply(under(other, anyPort+fast))
	miner.want(reconnect)
	miner.send(share("4", "1", "00000000"))
	a.want(share("4", "1", "00000000"))
	a.send(yes(4))
	miner.want(yes(4))
	miner.wantClosed()
	s.wantCount(1, "loka_moves_total", "way", "reconnect")
	s.conserved()
}

// TestC49SizesOfExtranonce2 holds those of B against what each client copes with.
func TestC49SizesOfExtranonce2(t *testing.T) {
	for _, c := range []struct {
		agent, size string
		fits        bool
	}{
		{"cgminer/4.11.1", "1", false},
		{"cgminer/4.11.1", "2", true},
		{"cgminer/4.11.1", "8", true},
		{"bmminer/2.0.0", "9", false},
		{"whatever", "9", false},
		{"cpuminer-opt/24.5", "1", false},
		{"cpuminer-opt/24.5", "16", true},
		{"cpuminer-opt/24.5", "17", false},
		{"bitaxe/BM1370/v2.9.0", "32", true},
		{"bitaxe/BM1370/v2.9.0", "33", false},
		{"NerdQAxe++/BM1370/v1.0", "12", true},
		{"bfgminer/5.5.0", "1", true},
		{"bfgminer/5.5.0", "0", false},
	} {
		t.Run(c.agent+" "+c.size, func(t *testing.T) {
			l, other := listen(t), listen(t)
			s := performPolicy(t, under(l, anyPort+fast))
			s.pool = l
			miner, _ := s.hire(rig{agent: c.agent, xnsub: true, size: "4"})
			s.apply(under(other, anyPort+fast))
			b := accept(t, other)
			b.answers(b.hears("mining.subscribe"), subscription("aa01", c.size))
			if !c.fits {
				miner.want(reconnect)
				miner.wantClosed()
				s.wantCount(0, "loka_moves_total", "way", "extranonce")
				return
			}
			b.hears("mining.extranonce.subscribe")
			b.answers(b.hears("mining.authorize"), good)
			b.send(job("5", true))
			miner.hears(`"mining.set_extranonce","params":["aa01",` + c.size + `]`)
		})
	}
}

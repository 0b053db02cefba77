package core_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/loka-proxy/loka/core"
)

// midway is a miner whose next pool has its name and has not given work yet.
func midway(t *testing.T, settings string) (s *stage, miner, a, b *wire, apply func(string)) {
	t.Helper()
	l, other := listen(t), listen(t)
	s = performPolicy(t, under(l, anyPort+settings))
	s.pool = l
	miner, a = s.hire(able)
	s.apply(under(other, anyPort+settings))
	b = accept(t, other)
	b.admit("1fffe000", "aa01", "4")
	b.done()
	return s, miner, a, b, func(more string) { s.apply(under(other, anyPort+settings+more)) }
}

// TestPolicyMidway: what was said to the next pool was said under the old rules, so it is
// said anew.
func TestPolicyMidway(t *testing.T) {
	s, miner, a, b, apply := midway(t, stable)
	s.pool = nil
	apply(`
  request "mining.authorize" "map" {
    set { user = "'W.' + user" }
  }`)
	b.send(difficulty("8"), job("5", true))
	b.wantClosed()
	still(miner, a)
}

// TestBackMidway: a miner that belongs where it is again does not move.
func TestBackMidway(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+stable))
	s.pool = l
	miner, a := s.hire(able)
	s.apply(under(other, anyPort+stable))
	b := accept(t, other)
	b.admit("1fffe000", "aa01", "4")
	s.apply(under(l, anyPort+stable))
	b.send(difficulty("8"), job("5", true))
	b.wantClosed()
	still(miner, a)
	s.wantCount(0, "loka_moves_total")
}

// TestEndsMidway ends the session in every way while its next pool is prepared: nothing is
// left of it, and the next pool is not blamed.
func TestEndsMidway(t *testing.T) {
	for name, end := range map[string]func(s *stage, miner *wire){
		"the miner leaves":      func(_ *stage, miner *wire) { _ = miner.nc.Close() },
		"the miner is reset":    func(_ *stage, miner *wire) { miner.reset() },
		"the miner is too long": func(_ *stage, miner *wire) { miner.raw(strings.Repeat("x", 64<<10)) },
		"drain":                 func(s *stage, _ *wire) { s.daemon.Drain(s.t.Context()) },
		"an operator closes it": func(s *stage, _ *wire) {
			list, _ := s.daemon.Sessions(core.SessionFilter{})
			for _, v := range list {
				_ = s.daemon.CloseSession(v.Session)
			}
		},
	} {
		for stage, play := range map[string]func(b *wire){
			"dialled":  func(*wire) {},
			"admitted": func(b *wire) { b.admit("1fffe000", "aa01", "4") },
		} {
			t.Run(name+" "+stage, func(t *testing.T) {
				l, other := listen(t), listen(t)
				s := performPolicy(t, under(l, anyPort+stable))
				s.pool = l
				miner, a := s.hire(able)
				s.apply(under(other, anyPort+stable))
				b := accept(t, other)
				b.hears("mining.configure")
				play(b)
				end(s, miner)
				b.over()
				a.over()
				s.wantCount(0, "loka_sessions")
				s.conserved()
				if strings.Contains(s.log.String(), "server is down") {
					t.Error("a server is blamed")
				}
			})
		}
	}
}

// over waits for the end of the connection, whatever comes before it.
func (w *wire) over() {
	w.t.Helper()
	for {
		if _, err := w.r.ReadString('\n'); err != nil {
			return
		}
	}
}

// TestDrainMidwayWithAShare waits for the answer that the miner waits for, and no longer.
func TestDrainMidwayWithAShare(t *testing.T) {
	s, miner, a, b, _ := midway(t, stable)
	miner.send(share(4, "1", "000000"))
	a.hears("mining.submit")
	drained := make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() { s.daemon.Drain(ctx); close(drained) }()
	s.wantLog("listening")
	b.send(difficulty("8"), job("5", true))
	a.send(yes(4))
	for miner.line() != yes(4) { // of the move, perhaps
	}
	miner.over()
	<-drained
	s.conserved()
}

func (s *stage) wantLog(text string) {
	s.t.Helper()
	if !strings.Contains(s.log.String(), text) {
		s.t.Errorf("the log does not have %q", text)
	}
}

// TestBoundStandsMidway: a session that is to close within a time does, though a move of it
// fails meanwhile.
func TestBoundStandsMidway(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+stable))
	s.pool = l
	miner, a := s.hire(able)
	s.apply(under(other, anyPort+stable))
	b := accept(t, other)
	b.hears("mining.configure")
	miner.send(share(4, "1", "000000"))
	a.hears("mining.submit") // and never answers
	s.apply("drain_timeout = \"300ms\"\n" + under(other, anyPort+stable+"\n  connect \"nobody\" {\n    deny {}\n  }"))
	_ = b.nc.Close()
	miner.over()
	s.wantCount(0, "loka_sessions")
	s.wantCount(1, "loka_sessions_closed_total", "reason", "policy")
	s.wantCount(1, "loka_shares_lost_total")
	s.conserved()
}

// TestCloseStandsMidway: a session that an operator closes ends within its time, though a
// move of it fails meanwhile and its pool says all but what it is asked for.
func TestCloseStandsMidway(t *testing.T) {
	l, other := listen(t), listen(t)
	const soon = "drain_timeout = \"300ms\"\n"
	s := performPolicy(t, soon+under(l, anyPort+stable))
	s.pool = l
	miner, a := s.hire(able)
	s.apply(soon + under(other, anyPort+stable))
	b := accept(t, other)
	b.hears("mining.configure")
	miner.send(share(4, "1", "000000"))
	a.hears("mining.submit") // and never answers
	ok(t, s.daemon.CloseSession(s.only().Session))
	_ = b.nc.Close()
	miner.over()
	s.wantCount(0, "loka_sessions")
	s.wantCount(1, "loka_sessions_closed_total", "reason", "operator")
	s.wantCount(1, "loka_shares_lost_total")
	s.conserved()
}

// TestStormMidway floods the miner's next pool with work: the last of it counts.
func TestStormMidway(t *testing.T) {
	_, miner, a, b, _ := midway(t, "")
	configure := `{"id":8,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"1fffe000"}]}`
	miner.send(configure) // what the miner waits for is of its pool, so it stays there meanwhile
	a.want(configure)
	var storm []string
	for i := range 500 {
		storm = append(storm, difficulty(fmt.Sprint(i+1)), job(fmt.Sprint("j", i), i%2 == 0))
	}
	b.send(storm...)
	b.over()
	still(miner, a)
	a.answers(configure, granted("1fffe000"))
	miner.hears("1fffe000")
}

// TestManyJobsBeforeTheName: a pool may give work before it has answered authorize. The
// newest job is the miner's, at the difficulty that it was given at.
func TestManyJobsBeforeTheName(t *testing.T) {
	for name, c := range map[string]struct{ lines, want []string }{
		"a storm":                         {storm(300), []string{difficulty("300"), job("1_300", true)}},
		"a difficulty behind the job":     {[]string{difficulty("1"), job("1", true), difficulty("2")}, []string{difficulty("1"), job("1_1", true), difficulty("2")}},
		"and another job":                 {[]string{difficulty("1"), job("1", true), difficulty("2"), job("2", false)}, []string{difficulty("2"), job("1_2", true)}},
		"the first difficulty comes late": {[]string{job("1", true), difficulty("2")}, []string{difficulty("2"), job("1_1", true)}},
		"none at all":                     {[]string{job("1", true)}, []string{difficulty("1"), job("1_1", true)}},
		"another extranonce":              {[]string{job("1", true), setExtranonce("bb02", 6), job("2", false)}, []string{difficulty("1"), job("1_2", true)}},
		"another mask":                    {[]string{mask("00ffe000"), job("1", true)}, []string{difficulty("1"), job("1_1", true)}},
		"questions":                       {[]string{ping, `{"id":1,"method":"client.get_version","params":[]}`, job("1", true)}, []string{difficulty("1"), job("1_1", true)}},
	} {
		t.Run(name, func(t *testing.T) {
			l, other := listen(t), listen(t)
			s := performPolicy(t, under(l, anyPort))
			s.pool = l
			miner, _ := s.hire(able)
			s.apply(under(other, anyPort))
			b := accept(t, other)
			b.answers(b.hears("mining.configure"), granted("1fffe000"))
			b.answers(b.hears("mining.subscribe"), subscription("aa01", "4"))
			b.hears("extranonce.subscribe")
			login := b.hears("mining.authorize")
			b.send(c.lines...)
			if name == "questions" {
				b.want(pong, `{"id":1,"result":"bitaxe/BM1370/v2.9.0","error":null}`)
			}
			b.answers(login, good)
			want := []string{setExtranonce("aa01", 4)}
			switch name {
			case "another mask":
				want = append([]string{mask("00ffe000")}, want...)
			case "another extranonce":
				want[0] = setExtranonce("bb02", 6)
			}
			miner.together(append(want, c.want...)...)
		})
	}
}

func storm(n int) (lines []string) {
	for i := range n {
		lines = append(lines, difficulty(fmt.Sprint(i+1)), job(fmt.Sprint(i+1), i%2 == 0))
	}
	return lines
}

// TestJobWaitsForTheNewExtranonce: a job that came before another extranonce is none for it.
func TestJobWaitsForTheNewExtranonce(t *testing.T) {
	_, miner, a, b, _ := midway(t, "")
	b.send(setExtranonce("bb02", 6))
	b.done()
	still(miner, a)
	b.send(job("5", false))
	miner.together(setExtranonce("bb02", 6), difficulty("1"), job("1_5", true))
}

// TestRulesSeeBothViews has rules change what loka changes too: the job id and extranonce2
// of a submit, and the params of a notify.
func TestRulesSeeBothViews(t *testing.T) {
	l, other := listen(t), listen(t)
	settings := stable + `
  notification "mining.notify" "time" {
    set {
      ntime  = "'66a0b1c3'"
      coinb1 = "string(params[2]) + 'ee'"
      job_id = "job_id + '-x'"
    }
  }
  request "mining.submit" "back" {
    set {
      job_id      = "replace(job_id, '-x', '')"
      extranonce2 = "'0' + extranonce2[1:]"
    }
  }`
	s := performPolicy(t, under(l, anyPort+settings))
	s.pool = l
	miner, a := s.hire(rig{agent: "cgminer/4.11.1", size: "4"})
	s.apply(under(other, anyPort+settings))
	b := accept(t, other)
	b.admit("", "aa01", "6")
	b.send(job("5", true))
	miner.want(difficulty("1"))
	miner.hears(`"params":["1_5-x","00","01eeaa010001","02",`, `"66a0b1c3",true]`)
	miner.send(share(4, "1_5-x", "ffffff"), share(5, "1-x", "ffffff"))
	b.hears(`["john","5","0001`, `0fffff","66a0b1c2"`)
	a.hears(`["john","1","`, `0fffff","66a0b1c2"`)
	s.conserved()
}

// TestSlowMinerMidway does not read what tells it of its next pool. It is given up, and the
// pools are not blamed.
func TestSlowMinerMidway(t *testing.T) {
	l, other := listen(t), listen(t)
	settings := strings.Replace(anyPort, "{ address", "{\n    write_timeout = \"200ms\"\n    address", 1) + "\n"
	settings = strings.Replace(settings, "\" }\n", "\"\n  }\n", 1) + stable
	s := performPolicy(t, under(l, settings))
	s.pool = l
	miner, a := s.hire(able)
	_ = miner.nc.SetReadBuffer(4 << 10)
	s.apply(under(other, settings))
	b := accept(t, other)
	b.admit("1fffe000", "aa01", "4")
	var floods sync.WaitGroup
	for _, pool := range []*wire{a, b} {
		floods.Go(func() { // until nobody listens
			text := []byte(difficulty("8") + "\n" + strings.Repeat(job("5", true)+"\n", 100))
			for {
				if _, err := pool.nc.Write(text); err != nil {
					return
				}
			}
		})
	}
	floods.Wait()
	s.wantCount(1, "loka_sessions_closed_total", "reason", "miner_slow")
	s.wantCount(0, "loka_sessions")
	if strings.Contains(s.log.String(), "server is down") {
		t.Error("a server is blamed")
	}
	s.conserved()
}

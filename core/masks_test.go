package core_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestC50Masks moves miners to pools that grant other masks: the miner is told where its
// mask changes, and has to come back where it cannot work.
func TestC50Masks(t *testing.T) {
	for _, c := range []struct {
		name, configure, atA, atB string
		told                      string // empty for nothing
		back                      bool   // it has to connect again
	}{
		{"the same", rolling, "1fffe000", "1fffe000", "", false},
		{"a narrower one", rolling, "1fffe000", "00ffe000", "00ffe000", false},
		{"a wider one", rolling, "00ffe000", "1fffe000", "", false},
		{"one that overlaps", rolling, "00ffe000", "1ff00000", "00f00000", false},
		{"nothing in common", rolling, "00ffe000", "1f000000", "", true},
		{"too few in common", rollingBut, "1fffe000", "0000f000", "", true}, // three of the four are the miner's
		{"just enough bits", rollingBut, "1fffe000", "0001e000", "0001e000", false},
		{"too few bits", rollingBut, "1fffe000", "0000e000", "", true},
	} {
		for _, settings := range []string{"", stable} {
			t.Run(c.name+settings, func(t *testing.T) {
				l, other := listen(t), listen(t)
				s := performPolicy(t, under(l, anyPort+fast+settings))
				s.pool = l
				miner, _ := s.hire(rig{agent: "bitaxe/x", configure: c.configure, mask: c.atA, xnsub: true, size: "4"})
				s.apply(under(other, anyPort+fast+settings))
				b := accept(t, other)
				b.admit(c.atB, "aa01", "4")
				b.send(difficulty("8"), job("5", true))
				if c.back {
					miner.want(reconnect)
					miner.wantClosed()
					return
				}
				if c.told != "" {
					miner.want(mask(c.told))
				}
				if settings == "" {
					miner.hears("mining.set_extranonce")
				}
				miner.want(difficulty("8"))
			})
		}
	}
}

// TestC50NoRollingAtB: a pool that grants none is no place for a miner that rolls.
func TestC50NoRollingAtB(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+fast+stable))
	s.pool = l
	miner, _ := s.hire(able)
	s.apply(under(other, anyPort+fast+stable))
	b := accept(t, other)
	b.answers(b.hears("mining.configure"), `"result":{"version-rolling":false},"error":null`)
	b.admit("", "aa01", "4")
	b.send(difficulty("8"), job("5", true))
	miner.want(reconnect)
	miner.wantClosed()
	s.wantCount(1, "loka_endpoint_up") // it serves others
}

// TestC50MaskOfTheFirstPoolLasts goes by way of a pool with a narrower mask: the miner gets
// back what it had, and no more.
func TestC50MaskOfTheFirstPoolLasts(t *testing.T) {
	l, other, third := listen(t), listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort+stable))
	s.pool = l
	miner, _ := s.hire(able)
	s.apply(under(other, anyPort+stable))
	b := accept(t, other)
	b.admit("0000e000", "aa01", "4")
	b.send(job("5", true))
	miner.want(mask("0000e000"), difficulty("1"))
	miner.line()
	s.apply(under(third, anyPort+stable))
	c := accept(t, third)
	c.hears(`"version-rolling.mask":"1fffe000"`)
	c.send(`{"id":2000000000,"result":{"version-rolling":true,"version-rolling.mask":"ffffffff"},"error":null}`)
	c.admit("", "aa02", "4")
	c.send(job("6", true))
	miner.want(mask("1fffe000"))
}

// TestC50BitsOutsideTheMask are never forwarded, though the miner may be late to learn of
// its mask; those of a share for an earlier pool are as that pool has them.
func TestC50BitsOutsideTheMask(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort))
	s.pool = l
	miner, a := s.hire(able)
	s.apply(under(other, anyPort))
	b := accept(t, other)
	b.admit("0000e000", "aa01", "4")
	b.send(job("5", true))
	miner.want(mask("0000e000"))
	for range 3 {
		miner.line()
	}
	rolled := func(id int, job, bits string) string {
		return strings.Replace(share(id, job, "00000000"), `"]`, `","`+bits+`"]`, 1)
	}
	miner.send(rolled(4, "1_5", "00010000"), rolled(5, "1_5", "00006000"), rolled(6, "1", "00010000"))
	miner.want(`{"id":4,"result":null,"error":[20,"Invalid version mask",null]}`)
	b.want(rolled(5, "5", "00006000"))
	a.want(rolled(6, "1", "00010000"))
	b.send(mask("1fffe000"))
	miner.want(mask("1fffe000"))
	miner.send(rolled(7, "1_5", "00010000"))
	b.want(rolled(7, "5", "00010000"))
}

// TestC50WholeVersions: bmminer does not configure, and sends the whole version where the
// pool takes it (multi_version). That is no roll outside of a mask.
func TestC50WholeVersions(t *testing.T) {
	l, other := listen(t), listen(t)
	s := performPolicy(t, under(l, anyPort))
	s.pool = l
	miner, a := s.hire(rig{agent: "bmminer/2.0.0", xnsub: true, size: "4"})
	miner.send(`{"id": 4, "method": "mining.multi_version", "params": [1]}`)
	a.want(`{"id": 4, "method": "mining.multi_version", "params": [1]}`)
	s.apply(under(other, anyPort))
	b := accept(t, other)
	b.admit("", "aa01", "4")
	b.hears(`"method":"mining.multi_version","params":[1]`)
	b.send(job("5", true))
	miner.want(setExtranonce("aa01", 4), difficulty("1"))
	miner.line()
	whole := func(job string) string {
		return strings.Replace(share(9, job, "00000000"), `"]`, `","20000000"]`, 1)
	}
	miner.send(whole("1_5"))
	b.want(whole("5"))
}

// TestC51ThereAndBack goes to another pool and back to one that gives the same extranonce1
// and the same job again: connections are fresh, and so is the work.
func TestC51ThereAndBack(t *testing.T) {
	for name, settings := range map[string]string{"pool": "", "stable": stable} {
		t.Run(name, func(t *testing.T) {
			l, other := listen(t), listen(t)
			s := performPolicy(t, under(l, anyPort+settings))
			s.pool = l
			miner, _ := s.hire(rig{agent: "bitaxe/x", xnsub: true, size: "8"})
			seen := map[string]bool{}
			for i := range 4 {
				to := other
				if i%2 == 1 {
					to = l
				}
				s.apply(under(to, anyPort+settings))
				p := accept(t, to)
				p.answers(p.hears(`"mining.subscribe","params":["bitaxe/x"]`), subscription(fmt.Sprintf("f%d", i%2), "8"))
				p.admit("", "", "")
				p.send(job("1", true))
				if settings == "" {
					miner.hears("mining.set_extranonce")
				}
				miner.want(difficulty("1"))
				line := miner.hears("mining.notify", "true]")
				id := jobID(line)
				work := strings.Replace(line, id, "", 1)
				if seen[id] || settings != "" && seen[work] {
					t.Errorf("it has done this work before: %s", line)
				}
				seen[id], seen[work] = true, true
			}
		})
	}
}

// TestC53SessionIDs: a pool hears of no other's, whatever the form of the subscribe, and
// one that no pool has given is tolerated.
func TestC53SessionIDs(t *testing.T) {
	for _, c := range []struct{ params, atA, atStableA, atB string }{
		{`["cgminer/4.11.1", "old"]`, `["cgminer/4.11.1", "old"]`, `["cgminer/4.11.1"]`, `["cgminer/4.11.1"]`},
		{`["bOS",null,"pool.example.com:3333",null]`, `["bOS",null,"pool.example.com:3333",null]`, `["bOS",null,"pool.example.com:3333",null]`, `["bOS",null,"pool.example.com:3333",null]`},
		{`["bOS","old","pool.example.com:3333"]`, `["bOS","old","pool.example.com:3333"]`, `["bOS",null,"pool.example.com:3333"]`, `["bOS",null,"pool.example.com:3333"]`},
		{`[]`, `[]`, `[]`, `[]`},
		{``, ``, ``, `[]`},
	} {
		for name, settings := range map[string]string{"pool": "", "stable": stable} {
			t.Run(name+c.params, func(t *testing.T) {
				l, other := listen(t), listen(t)
				s := performPolicy(t, under(l, anyPort+settings))
				s.pool = l
				hello := func(params string) string {
					if params != "" {
						params = `,"params":` + params
					}
					return `{"id":1,"method":"mining.subscribe"` + params + `}`
				}
				miner := s.miner()
				miner.send(hello(c.params))
				a := s.accept()
				a.want(hello(map[string]string{"": c.atA, stable: c.atStableA}[settings]))
				a.send(`{"id":1,` + subscription("f0", "4") + `}`)
				got := miner.line()
				if strings.Contains(got, `"s2"`) == (settings == stable) {
					t.Errorf("the miner gets %s", got)
				}
				miner.send(xnsub)
				if settings == "" {
					a.want(xnsub)
				}
				s.wantCount(1, "loka_messages_total", "method", "mining.extranonce.subscribe", "kind", "request")
				s.apply(under(other, anyPort+settings))
				b := accept(t, other)
				b.hears(`"method":"mining.subscribe","params":` + c.atB + `}`)
			})
		}
	}
}

package core_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// chatter makes random well-formed lines.
type chatter struct{ *rand.Rand }

func (c chatter) pick(list ...string) string { return list[c.IntN(len(list))] }

// space is white space that JSON allows.
func (c chatter) space() string {
	if c.IntN(4) > 0 {
		return ""
	}
	return c.pick(" ", "  ", "\t")
}

// text is a JSON string.
func (c chatter) text() string {
	var b strings.Builder
	b.WriteByte('"')
	for range c.IntN(30) {
		b.WriteString(c.pick("a", "Z", "0", " ", "_", "-", ".", `\"`, `\\`, `\u0041`, `\u00fc`, "ü", "😀", `\n`, `\ud83d\ude00`, "/", "\xff", "<"))
	}
	b.WriteByte('"')
	return b.String()
}

func (c chatter) value(depth int) string {
	switch n := c.IntN(9); {
	case n < 3:
		return c.text()
	case n == 3:
		return c.pick("0", "-1", "1024.0", "1e3", "0.00015", "18446744073709551616", "2E-7", "-0")
	case n == 4:
		return c.pick("true", "false", "null")
	case depth > 3:
		return "1"
	case n < 7:
		return c.list(depth)
	}
	return "{" + c.text() + c.space() + ":" + c.value(depth+1) + "}"
}

func (c chatter) list(depth int) string {
	items := make([]string, c.IntN(6))
	for i := range items {
		items[i] = c.space() + c.value(depth+1) + c.space()
	}
	return "[" + strings.Join(items, ",") + "]"
}

// object joins members in a random order, with an extra one now and then.
func (c chatter) object(members ...string) string {
	if c.IntN(5) == 0 {
		members = append(members, `"x-`+fmt.Sprint(c.IntN(9))+`":`+c.value(2))
	}
	c.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return c.space() + "{" + c.space() + strings.Join(members, c.space()+","+c.space()) + "}" + c.pick("", "", "", " ", "\r")
}

// id makes the n-th id of a kind, so that all are different.
func (c chatter) id(n int) string {
	return c.pick(fmt.Sprint(n), fmt.Sprintf(`"id%d"`, n), fmt.Sprintf("%d.5", n), fmt.Sprint(1<<60+n))
}

// request is a line of a miner.
func (c chatter) request(n int) string {
	if c.IntN(20) == 0 { // an answer to the pool
		return c.object(`"id":`+c.id(n), `"result":`+c.value(0), `"error":null`)
	}
	method := c.pick("mining.submit", "mining.submit", "mining.authorize", "mining.subscribe", "mining.configure", "mining.foo", "x", `mining.sub\u006dit`, "client.get_version")
	id := c.id(n)
	if c.IntN(10) == 0 {
		id = "null"
	}
	members := []string{`"id":` + c.space() + id, `"method":"` + method + `"`}
	if c.IntN(10) > 0 {
		members = append(members, `"params":`+c.pick(c.list(0), c.list(0), c.list(0), c.value(0)))
	}
	return c.object(members...)
}

// announcement is a line of a pool.
func (c chatter) announcement(n int) string {
	if c.IntN(2) == 0 {
		return c.object(`"id":`+c.id(n), `"result":`+c.value(0), `"error":`+c.pick("null", c.value(0)))
	}
	method := c.pick("mining.notify", "mining.set_difficulty", "mining.set_extranonce", "mining.foo", "client.show_message", "mining.ping")
	return c.object(`"id":`+c.pick("null", c.id(n)), `"method":"`+method+`"`, `"params":`+c.list(0))
}

// TestConversationPassesByteForByte sends 100,000 random well-formed lines through a
// proxy without rules, at once in both directions, in random pieces.
func TestConversationPassesByteForByte(t *testing.T) {
	converse(t, rand.Uint64(), 50_000)
}

// converse sends a number of lines each way.
func converse(t *testing.T, seed uint64, lines int) {
	t.Helper()
	t.Logf("seed %d", seed)
	s := perform(t, "")
	miner, pool := s.pair()
	for _, w := range []*wire{miner, pool} { // a slow machine, with the race detector
		_ = w.nc.SetDeadline(time.Now().Add(6 * patience))
	}
	done := make(chan error, 4)
	stream := func(from, to *wire, seed uint64, make func(chatter, int) string) {
		writer, reader := chatter{rand.New(rand.NewPCG(seed, 1))}, chatter{rand.New(rand.NewPCG(seed, 1))}
		pieces := rand.New(rand.NewPCG(seed, 2))
		go func() { done <- write(from, pieces, lines, func(i int) string { return make(writer, i+10) }) }()
		go func() { done <- compare(to, lines, func(i int) string { return make(reader, i+10) }) }()
	}
	stream(miner, pool, seed, chatter.request)
	stream(pool, miner, seed+1, chatter.announcement)
	for range 4 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// write sends lines in pieces of random size.
func write(w *wire, pieces *rand.Rand, lines int, line func(int) string) error {
	var rest []byte
	for i := range lines {
		rest = append(rest, line(i)+"\n"...)
		for len(rest) > 8000 || i == lines-1 && len(rest) > 0 {
			n := min(len(rest), 1+pieces.IntN(6000))
			if _, err := w.nc.Write(rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
		}
	}
	return nil
}

func compare(w *wire, lines int, line func(int) string) error {
	r := bufio.NewReaderSize(w.r, 1<<20)
	for i := range lines {
		got, err := r.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("line %d: %w", i, err)
		}
		if want := line(i) + "\n"; !bytes.Equal(got, []byte(want)) {
			return fmt.Errorf("line %d:\n got %q\nwant %q", i, got, want)
		}
	}
	return nil
}

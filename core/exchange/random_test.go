package exchange_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
)

// world is a conversation with a miner and pools that say anything at any time, and what
// must be true of it. It is replayed by its seed.
type world struct {
	t      *testing.T
	random *rand.Rand
	x      *exchange.Exchange
	notes  *notes
	now    time.Time
	script []string

	current *party
	parties []*party // that are open, the current one and the next among them
	next    *party
	all     int

	stable  bool
	own     string               // the miner's extranonce1, where it is its own
	known   []task               // jobs that the miner has
	waiting map[string]*question // by id, as the miner wrote it
	names   []string             // of the miner
	asked   int
}

// task is a job as the miner has it.
type task struct {
	id    string
	owner *party
	at    int // its number there
	size  int // of extranonce2 there
}

// question is a request of the miner.
type question struct {
	answers int
	most    int
}

// party is a pool's end of a leg.
type party struct {
	number  int
	leg     *exchange.Leg
	nonce   string
	size    int
	jobs    int
	asked   []ask // that it has not answered
	left    bool
	refuses bool // every name
}

// id is how the pool calls its n-th job. Some are a loka themselves.
func (p *party) id(n int) string {
	if p.number%3 == 0 {
		return fmt.Sprint("1_", n)
	}
	return strconv.Itoa(n)
}

// ask is a request as a pool has it.
type ask struct{ id, method string }

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, random: rand.New(rand.NewPCG(seed, 1)), notes: newNotes(), now: start, waiting: map[string]*question{}}
	cfg := exchange.Config{Program: compile(t), Proxy: "x", Listener: ":1", Pool: "0", Session: "s", Opened: start}
	if w.stable = seed%2 == 0; w.stable {
		w.own, cfg.Extranonce1, cfg.Extranonce2Size = "e1", "e1", 3
	}
	w.x = exchange.New(cfg, w.notes)
	w.current = &party{leg: w.x.Leg(), nonce: "f0", size: 4 + w.random.IntN(5)}
	w.current.leg.Owner = w.current
	w.parties = []*party{w.current}
	w.miner("mining.subscribe", `["bitaxe/x"]`)
	w.miner("mining.extranonce.subscribe", `[]`)
	w.answerAll(w.current)
	return w
}

func (w *world) failf(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s\nafter:\n%s", fmt.Sprintf(format, args...), strings.Join(w.script, "\n"))
}

// miner has the miner ask something, and gives its id.
func (w *world) miner(method, params string) string {
	id := strconv.Itoa(w.asked)
	switch w.random.IntN(4) {
	case 0:
		id = `"` + id + `"`
	case 1:
		id = "4" // as cpuminer does
	}
	w.asked++
	q := w.waiting[id]
	if q == nil {
		q = &question{}
		w.waiting[id] = q
	}
	q.most++
	w.hand(nil, fmt.Sprintf(`{"id":%s,"method":%q,"params":%s}`, id, method, params))
	return id
}

// hand hands a line to the conversation, from a party or from the miner, and sees to what
// comes of it.
func (w *world) hand(from *party, line string) {
	w.t.Helper()
	w.now = w.now.Add(time.Millisecond)
	who := "miner"
	if from != nil {
		who = fmt.Sprint("pool ", from.number)
	}
	w.script = append(w.script, who+": "+line)
	var out exchange.Out
	if from == nil {
		w.x.FromMiner([]byte(line+"\n"), w.now, &out)
	} else {
		from.leg.FromPool([]byte(line+"\n"), w.now, &out)
	}
	w.heed(from, &out)
}

func (w *world) heed(from *party, out *exchange.Out) {
	w.t.Helper()
	if out.Answered {
		w.x.Written(out)
	}
	switched := false
	if out.Ready {
		done, err := w.x.Switch(from.leg, w.now, out)
		switch {
		case err != nil:
			w.script = append(w.script, "not switched: "+err.Error())
			defer w.gone(from)
		case done:
			w.script = append(w.script, fmt.Sprint("switched to ", from.number))
			w.current.left, w.current, w.next, switched = true, from, nil, true
		}
	}
	if out.Unfit != nil {
		w.script = append(w.script, "unfit: "+out.Unfit.Error())
		defer w.gone(from)
	}
	w.up(out)
	w.down(from, out.Miner, switched)
}

// up sees to what the pools get.
func (w *world) up(out *exchange.Out) {
	w.t.Helper()
	for i, turn := range out.Turns {
		end := len(out.Pool)
		if i+1 < len(out.Turns) {
			end = out.Turns[i+1].From
		}
		to := w.party(turn.Leg)
		for line := range bytes.Lines(out.Pool[turn.From:end]) {
			if to != nil {
				w.arrive(to, line)
			}
		}
	}
	if len(out.Turns) == 0 && len(out.Pool) > 0 {
		for line := range bytes.Lines(out.Pool) {
			w.arrive(w.current, line)
		}
	}
}

func (w *world) party(l *exchange.Leg) *party {
	if p, ok := l.Owner.(*party); ok && slices.Contains(w.parties, p) {
		return p
	}
	for _, p := range w.parties {
		if p.leg == nil { // it is being made
			p.leg, l.Owner = l, p
			return p
		}
	}
	return nil
}

// arrive checks what a pool gets: a share has to be for a job of its own.
func (w *world) arrive(to *party, line []byte) {
	w.t.Helper()
	w.script = append(w.script, fmt.Sprintf("  to pool %d: %s", to.number, bytes.TrimSpace(line)))
	var m struct {
		ID     json.RawMessage
		Method string
		Params []any
	}
	if err := json.Unmarshal(line, &m); err != nil || bytes.Count(line, []byte("\n")) != 1 {
		w.failf("pool %d gets %q: %v", to.number, line, err)
	}
	if m.Method == "" { // an answer
		return
	}
	if i := slices.IndexFunc(to.asked, func(a ask) bool { return a.id == string(m.ID) }); i >= 0 {
		if !strings.HasPrefix(m.Method, "mining.suggest_") { // which make way for the next
			w.failf("pool %d gets id %s twice", to.number, m.ID)
		}
		to.asked = slices.Delete(to.asked, i, i+1)
	}
	to.asked = append(to.asked, ask{string(m.ID), m.Method})
	if m.Method != "mining.submit" {
		return
	}
	// The miner writes the owner and its job into ntime.
	var owner, job, size int
	_, _ = fmt.Sscanf(m.Params[3].(string), "%d-%d-%d", &owner, &job, &size)
	nonce, _ := m.Params[2].(string)
	if owner != to.number || m.Params[1] != to.id(job) || len(nonce) != 2*size || w.stable && nonce[2*size-8:2*size-6] != w.own {
		w.failf("pool %d gets the share %s", to.number, line)
	}
}

// down checks what the miner gets, and has it learn its jobs.
func (w *world) down(from *party, text []byte, switched bool) {
	w.t.Helper()
	for line := range bytes.Lines(text) {
		w.script = append(w.script, fmt.Sprintf("  to the miner: %s", bytes.TrimSpace(line)))
		var m struct {
			ID     json.RawMessage
			Method *string
			Params []any
		}
		if err := json.Unmarshal(line, &m); err != nil {
			w.failf("the miner gets %q: %v", line, err)
		}
		switch {
		case m.Method == nil:
			q := w.waiting[string(m.ID)]
			if q == nil || q.answers == q.most {
				w.failf("the miner gets an answer that it does not wait for: %s", line)
			}
			q.answers++
		case from != w.current:
			w.failf("the miner gets what pool %d says: %s", from.number, line)
		case *m.Method == "mining.notify":
			w.learn(from, m.Params, switched)
			switched = false
		}
	}
}

// learn takes a job. The pool writes its id and the size of extranonce2 into coinb2.
func (w *world) learn(from *party, params []any, first bool) {
	w.t.Helper()
	id := params[0].(string)
	var at, size int
	_, _ = fmt.Sscanf(params[3].(string), "%d-%d", &at, &size)
	if slices.ContainsFunc(w.known, func(t task) bool { return t.id == id && t.owner != from }) {
		w.failf("pools share job %s", id)
	}
	if first && params[8] != true {
		w.failf("the first job of a pool is not clean: %v", params)
	}
	if coinb1 := params[2].(string); w.stable && (!strings.HasPrefix(coinb1, "01"+from.nonce) || len(coinb1) != len("01"+from.nonce)+2*(size-4)) {
		w.failf("coinb1 is %s", coinb1)
	}
	w.known = append(w.known, task{id, from, at, size})
}

// step does something.
func (w *world) step() {
	w.t.Helper()
	some := w.parties[w.random.IntN(len(w.parties))]
	switch n := w.random.IntN(100); {
	case n < 25:
		w.share()
	case n < 50:
		w.answer(some)
	case n < 65:
		w.job(some)
	case n < 70:
		w.hand(some, fmt.Sprintf(`{"id":null,"method":"mining.set_difficulty","params":[%d]}`, 1+w.random.IntN(9)))
	case n < 74:
		w.authorize()
	case n < 76:
		w.miner("mining.suggest_difficulty", "[5]")
	case n < 78:
		w.miner("mining.get_transactions", "[]")
	case n < 81:
		some.nonce, some.size = fmt.Sprintf("%02x", w.random.IntN(256)), 4+w.random.IntN(5)
		w.hand(some, fmt.Sprintf(`{"id":null,"method":"mining.set_extranonce","params":["%s",%d]}`, some.nonce, some.size))
	case n < 83:
		w.hand(some, `{"id":9,"method":"mining.ping","params":[]}`)
	case n < 84 && some != w.current: // an answer to nothing
		w.hand(some, `{"id":987654,"result":true,"error":null}`)
	case n < 94 && w.next == nil:
		w.prepare()
	case n < 96 && some != w.current, n == 96:
		w.gone(some)
	case n == 97:
		w.now = w.now.Add(20 * time.Second)
	}
}

func (w *world) share() {
	if len(w.known) == 0 {
		return
	}
	j := w.known[max(0, len(w.known)-1-w.random.IntN(12))]
	nonce := strings.Repeat("ab", j.size)
	if w.stable {
		nonce = "abcdef"
	}
	name := "w0"
	if len(w.names) > 0 {
		name = w.names[w.random.IntN(len(w.names))]
	}
	w.miner("mining.submit", fmt.Sprintf(`[%q,%q,%q,"%d-%d-%d","00"]`, name, j.id, nonce, j.owner.number, j.at, j.size))
}

func (w *world) authorize() {
	name := fmt.Sprint("w", w.random.IntN(3))
	w.names = append(w.names, name)
	w.miner("mining.authorize", fmt.Sprintf(`[%q,"x"]`, name))
}

func (w *world) job(p *party) {
	p.jobs++
	w.hand(p, fmt.Sprintf(`{"id":null,"method":"mining.notify","params":[%q,"00","01","%d-%d",[],"2","1","6",%t]}`, p.id(p.jobs), p.jobs, p.size, w.random.IntN(2) == 0))
}

// answer has a pool answer one request, often the first.
func (w *world) answer(p *party) {
	if len(p.asked) == 0 {
		return
	}
	i := w.random.IntN(len(p.asked))
	a := p.asked[i]
	p.asked = slices.Delete(p.asked, i, i+1)
	rest := `"result":true,"error":null`
	switch {
	case a.method == "mining.subscribe":
		rest = fmt.Sprintf(`"result":[[["mining.notify","%d"]],%q,%d],"error":null`, p.number, p.nonce, p.size)
	case a.method == "mining.authorize" && p.refuses, a.method == "mining.submit" && w.random.IntN(3) == 0:
		rest = `"result":null,"error":[21,"no",null]`
	}
	w.hand(p, `{"id":`+a.id+`,`+rest+`}`)
}

func (w *world) answerAll(p *party) {
	for len(p.asked) > 0 {
		w.answer(p)
	}
}

func (w *world) prepare() {
	w.all++
	p := &party{number: w.all, nonce: fmt.Sprintf("%02x", w.random.IntN(256)), size: 4 + w.random.IntN(5), refuses: w.random.IntN(8) == 0}
	w.script = append(w.script, fmt.Sprint("prepare ", p.number))
	w.parties = append(w.parties, p)
	w.next = p
	var out exchange.Out
	l, err := w.x.Prepare(strconv.Itoa(p.number), 0, p, w.now, &out)
	if err != nil {
		w.failf("prepare: %v", err)
	}
	p.leg = l
	w.up(&out)
	if w.random.IntN(2) == 0 { // a pool that is quick
		for w.next == p && len(p.asked) > 0 && slices.Contains(w.parties, p) {
			w.answer(p)
		}
		if w.next == p && slices.Contains(w.parties, p) {
			w.job(p)
		}
	}
}

// gone ends a party's connection.
func (w *world) gone(p *party) {
	w.t.Helper()
	i := slices.Index(w.parties, p)
	if i < 0 || p == w.current && w.random.IntN(2) == 0 {
		return
	}
	w.script = append(w.script, fmt.Sprintf("pool %d is gone", p.number))
	var out exchange.Out
	w.x.Gone(p.leg, "gone", &out)
	w.parties = slices.Delete(w.parties, i, i+1)
	if w.next == p {
		w.next = nil
	}
	w.down(w.current, out.Miner, false)
	if len(w.parties) == 0 {
		w.next = nil
		w.prepare()
	}
}

// settled checks the sum of the shares; with none pending where the conversation has ended.
func (w *world) settled(end bool) {
	w.t.Helper()
	n := w.notes.what
	judged := n[exchange.ShareAccepted] + n[exchange.ShareRejected] + n[exchange.ShareLost]
	local := n[exchange.ShareDenied] + n[exchange.ShareReplied] + n[exchange.ShareDropped]
	if n[exchange.ShareSubmitted] != n[exchange.ShareForwarded]+local || judged > n[exchange.ShareForwarded] || end && judged != n[exchange.ShareForwarded] {
		w.failf("%d shares were submitted, %d forwarded, %d judged or lost, %d settled here", n[exchange.ShareSubmitted], n[exchange.ShareForwarded], judged, local)
	}
}

func play(t *testing.T, seed uint64, steps int) (moved bool) {
	w := newWorld(t, seed)
	for range steps {
		w.step()
		w.settled(false)
	}
	w.x.Close("end")
	w.settled(true)
	return w.current.number > 0
}

// TestRandomConversations plays conversations by their seeds. One that fails is played again
// alone with LOKA_SEED.
func TestRandomConversations(t *testing.T) {
	if text := os.Getenv("LOKA_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		play(t, seed, 300)
		return
	}
	moved := 0
	for seed := range uint64(200) {
		ok := t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			if play(t, seed, 300) {
				moved++
			}
		})
		if !ok {
			break
		}
	}
	if moved < 100 && !t.Failed() {
		t.Errorf("only %d of the conversations have moved", moved)
	}
}

func FuzzConversation(f *testing.F) {
	f.Add(uint64(1), 300)
	f.Add(uint64(2), 300)
	f.Fuzz(func(t *testing.T, seed uint64, steps int) { play(t, seed, min(max(steps, 0), 1000)) })
}

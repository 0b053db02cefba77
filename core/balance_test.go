package core

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/loka-proxy/loka/core/policy"
)

// farm is miners of different sizes at a pool with the strategy weighted.
type farm struct {
	clock  *clock
	pool   *pool
	random *rand.Rand
	miners []*farmMiner
	moves  int
}

// farmMiner does so much work in a second, in shares of its difficulty.
type farmMiner struct {
	rate, difficulty float64
	seat             *seat
}

func newFarm(weights ...int) *farm {
	c := newClock()
	f := &farm{clock: c, pool: poolOf(c, policy.Weighted, weights...), random: rand.New(rand.NewPCG(1, 2))}
	wellness(f.pool)
	return f
}

// arrive brings a miner of a size that has a share every ten seconds.
func (f *farm) arrive(rate float64) {
	f.miners = append(f.miners, &farmMiner{rate: rate, difficulty: 10 * rate, seat: f.pool.choose(nil)})
}

// mine lets seconds pass, and gives what was credited to each server in that time.
func (f *farm) mine(seconds int) []float64 {
	credited := make([]float64, len(f.pool.endpoints))
	for range seconds {
		f.clock.pass(time.Second)
		for _, m := range f.miners {
			if f.random.Float64() < m.rate/m.difficulty { // shares come by chance
				m.seat.endpoint.credit(m.difficulty)
				credited[f.index(m)] += m.difficulty
			}
		}
		f.pool.tick(f.clock.now())
		for i, from := 0, f.random.IntN(len(f.miners)); i < len(f.miners); i++ {
			if m := f.miners[(from+i)%len(f.miners)]; f.pool.better(m.seat.endpoint) {
				m.seat.leave()
				m.seat = f.pool.choose(nil)
				f.moves++
			}
		}
	}
	return credited
}

func (f *farm) index(m *farmMiner) int {
	for i, e := range f.pool.endpoints {
		if e == m.seat.endpoint {
			return i
		}
	}
	panic("at no server")
}

// share is what part of a sum one of its terms is.
func share(list []float64, i int) float64 {
	sum := 0.0
	for _, x := range list {
		sum += x
	}
	return list[i] / sum
}

// TestCrowdIsSpread has many arrive at once, before anybody has a share.
func TestCrowdIsSpread(t *testing.T) {
	f := newFarm(3, 1)
	for range 100 {
		f.arrive(1)
	}
	if got := f.pool.endpoints[0].load.legs; got != 75 {
		t.Errorf("%d of 100 go to the server with three quarters of the weight", got)
	}
	f.mine(5) // one share in two miners: that one has none yet does not make it idle
	for range 100 {
		f.arrive(1)
	}
	if got := f.pool.endpoints[0].load.legs; got < 145 || got > 155 {
		t.Errorf("%d of 200 go to the server with three quarters of the weight", got)
	}
}

// TestWeightedByDifficulty has miners arrive for half an hour, the largest of which does a
// thousand times the work of the smallest: it is the work that comes to be as the weights
// are, and not the number of miners.
func TestWeightedByDifficulty(t *testing.T) {
	f := newFarm(7, 2, 1)
	for range 400 {
		f.arrive(math.Pow(1000, f.random.Float64()))
		f.mine(5)
	}
	f.mine(2 * 3600)
	f.moves = 0
	credited := f.mine(2 * 3600)
	for i, want := range []float64{0.7, 0.2, 0.1} {
		if got := share(credited, i); got < want*(1-band)-0.01 || got > want*(1+band)+0.01 {
			t.Errorf("server %d does %.3f of the work, not %.1f", i, got, want)
		}
	}
	t.Logf("%d moves in two hours", f.moves)
	if f.moves > 40 {
		t.Errorf("%d of 400 miners were moved in two hours of balance", f.moves)
	}
}

// TestBigMinersCount: one that does the work of a hundred has a server for itself.
func TestBigMinersCount(t *testing.T) {
	f := newFarm(1, 1)
	f.arrive(100)
	f.mine(1800)
	for range 100 {
		f.arrive(1)
		f.mine(30)
	}
	credited := f.mine(3600)
	if got := share(credited, 0); got < 0.4 || got > 0.6 {
		t.Errorf("the first server does %.2f of the work", got)
	}
	if alone := f.pool.look(f.clock.now())[f.index(f.miners[0])].load.legs; alone > 35 {
		t.Errorf("the big miner shares its server with %d", alone)
	}
}

// TestBalanceWaits has all miners at one server of two: nobody leaves before that has
// lasted, and then about half of them.
func TestBalanceWaits(t *testing.T) {
	f := newFarm(1, 1)
	f.pool.endpoints[1].aside.Store(true)
	for range 100 {
		f.arrive(1)
	}
	f.mine(3600)
	f.pool.endpoints[1].aside.Store(false)
	f.mine(55)
	if f.moves > 0 {
		t.Fatalf("%d miners left at once", f.moves)
	}
	f.mine(30)
	if f.moves < 40 || f.moves > 60 {
		t.Errorf("%d of 100 miners left", f.moves)
	}
	f.mine(2 * 3600)
	if f.moves > 70 {
		t.Errorf("%d moves", f.moves)
	}
}

// TestANewServerIsNotFlooded is added to one that has been there for hours.
func TestANewServerIsNotFlooded(t *testing.T) {
	f := newFarm(1)
	for range 100 {
		f.arrive(1)
	}
	f.mine(3 * 3600)
	f.pool = newPool(policyOf(policy.Weighted, 1, 1), []*pool{f.pool}, f.clock.options())
	wellness(f.pool)
	for range 100 { // of those who come, it gets those that it lacks, and no more
		f.arrive(1)
	}
	if got := f.pool.endpoints[1].load.legs; got < 90 || got > 110 {
		t.Errorf("it has %d of 200 miners", got)
	}
	f.mine(3 * 3600)
	if got := f.pool.endpoints[1].load.legs; got < 85 || got > 115 || f.moves > 15 {
		t.Errorf("it has %d of 200 miners after %d moves", got, f.moves)
	}
}

// TestNobodyMovesInVain: what one server has too much is less than one miner.
func TestNobodyMovesInVain(t *testing.T) {
	f := newFarm(1, 1)
	f.arrive(100)
	f.arrive(1)
	f.arrive(1)
	f.mine(2 * 3600)
	f.moves = 0
	f.mine(6 * 3600)
	if f.moves > 0 {
		t.Errorf("%d moves", f.moves)
	}
}

// TestATicketIsForOne: who is told to go is counted.
func TestATicketIsForOne(t *testing.T) {
	p := poolOf(newClock(), policy.Weighted, 1, 1)
	e := p.endpoints[0]
	e.leaving.Store(3)
	left := 0
	for range 10 {
		if p.better(e) {
			left++
		}
	}
	if left != 3 {
		t.Errorf("%d miners are told to leave", left)
	}
}

// TestChanceMovesNobody has servers in balance, whose miners have so few shares that their
// credit is off by some miners most of the time.
func TestChanceMovesNobody(t *testing.T) {
	f := newFarm(1, 1)
	for range 200 {
		f.arrive(1)
		f.miners[len(f.miners)-1].difficulty = 100
	}
	f.mine(3 * 3600)
	if f.moves > 0 {
		t.Errorf("%d moves", f.moves)
	}
}

// TestLegsTakeTheirWorkAlong ends legs that have just come, and legs that have been there.
func TestLegsTakeTheirWorkAlong(t *testing.T) {
	c := newClock()
	e := poolOf(c, policy.Weighted, 1).endpoints[0]
	var seats []*seat
	for range 10 {
		seats = append(seats, e.take())
	}
	for range 24 * 60 {
		c.pass(time.Minute)
		e.credit(600)
	}
	before := e.look(c.now()).load
	for range 1000 { // a miner that comes and goes
		s := e.take()
		c.pass(time.Millisecond)
		s.leave()
	}
	after := e.look(c.now()).load
	if math.Abs(after.credit/before.credit-1) > 0.01 || after.unseen > 0.01 || after.legs != 10 {
		t.Errorf("one who comes and goes makes %+v of %+v", after, before)
	}
	for _, s := range seats[:5] {
		s.leave()
	}
	if half := e.look(c.now()).load; math.Abs(half.credit/after.credit-0.5) > 0.01 || half.legs != 5 {
		t.Errorf("half of them leave %+v of %+v", half, after)
	}
	for _, s := range seats[5:] {
		s.leave()
	}
	if none := e.look(c.now()).load; none.credit != 0 || none.unseen != 0 || none.legs != 0 {
		t.Errorf("nobody leaves %+v", none)
	}
}

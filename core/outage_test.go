package core_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/miner"
	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
)

// outage is a pool of two servers, a and b, each behind a relay, and miners that mine.
type outage struct {
	*stage
	a, b     *relay
	atA, atB *pool.Pool
	herd     *herd
}

// ways are how miners may be told of another server, and which kinds understand it.
var ways = map[string][]miner.Kind{"stable": miner.Kinds, "pool": {miner.BFGMiner, miner.ESPMiner}}

// eachWay runs a test in both ways of telling miners, at once: most of the time they wait.
func eachWay(t *testing.T, test func(*testing.T, string)) {
	for way := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			test(t, way)
		})
	}
}

// outageMiners is how many miners an outage concerns.
const outageMiners = 30

// breakable sets miners to work at the first server. Both pool and proxy may have
// settings of their own.
func breakable(t *testing.T, way, ofPool, ofProxy string) *outage {
	t.Helper()
	config := pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, ShortNonce: true, NotifyInterval: time.Second}
	return breakableWith(t, config, way, ofPool, ofProxy)
}

func breakableWith(t *testing.T, config pool.Config, way, ofPool, ofProxy string) *outage {
	t.Helper()
	o := &outage{}
	a, first := labPool(t, config)
	config.Quirks.SmallJobIDs = true
	b, second := labPool(t, config)
	o.a, o.b, o.atA, o.atB = relayTo(t, first), relayTo(t, second), a, b
	o.stage = performPolicy(t, o.text(way, ofPool, ofProxy))
	o.herd = mine(t, outageMiners, miner.Config{
		Address: o.addr(0), Extranonce: true, Interval: 50 * time.Millisecond, LoginTimeout: time.Minute, ReplyTimeout: time.Minute,
	}, ways[way]...)
	o.everyoneMines(o.atA, 1, time.Minute)
	return o
}

func (o *outage) text(way, ofPool, ofProxy string) string {
	return fmt.Sprintf(`
pool "p" {
  server "a" { address = "stratum+tcp://%s" }
  server "b" { address = "stratum+tcp://%s" }
  %s
}
proxy "x" {
  pool       = pool.p
  extranonce = %q
  listener "tcp" { address = "127.0.0.1:0" }
  %s
}`, o.a.address, o.b.address, ofPool, way, ofProxy)
}

// everyoneMines waits until each miner has so many shares more accepted at a pool, and
// gives how long that took.
func (o *outage) everyoneMines(at *pool.Pool, more int, limit time.Duration) time.Duration {
	o.t.Helper()
	began, before := time.Now(), at.Stats().Workers
	ctx, cancel := context.WithTimeout(o.t.Context(), limit)
	defer cancel()
	err := at.Wait(ctx, func(st pool.Stats) bool {
		for i := range outageMiners {
			name := fmt.Sprintf("rig-%d", i)
			if st.Workers[name].Accepted < before[name].Accepted+more {
				return false
			}
		}
		return true
	})
	if err != nil {
		o.t.Fatalf("not everyone mines within %s: %v", limit, err)
	}
	return time.Since(began)
}

// turn is how long it takes until the last of the miners is moved, at the default of
// max_moves_per_second, and patient is what a busy machine may add.
const (
	turn    = outageMiners * time.Second / 100
	patient = 2 * time.Second
)

// movedAtOnce makes sure that no miner was without a job for more than a second and its
// turn, and says how long it was.
func (o *outage) movedAtOnce() {
	o.t.Helper()
	longest := time.Duration(0)
	for _, c := range o.daemon.Moves() {
		longest = max(longest, time.Duration(c.LongestWithoutJobMS)*time.Millisecond)
	}
	o.t.Logf("the longest that a miner had no job is %s", longest)
	if longest > time.Second+turn {
		o.t.Errorf("a miner had no job for %s", longest)
	}
}

// accounted has the miners leave, and makes sure that each kept its connection and had
// one answer to each share: an honest one of a pool, or that it is lost.
func (o *outage) accounted() {
	o.t.Helper()
	o.herd.leave()
	o.wantCount(0, "loka_sessions")
	o.wantCount(0, "loka_shares_pending")
	o.conserved()
	accepted, stale := 0, 0
	for _, m := range o.herd.miners {
		st := m.Stats()
		accepted, stale = accepted+st.Accepted, stale+st.Rejected[21]
		if st.Connects != 1 || st.Unexpected+st.Unanswered > 0 || st.RejectedTotal() != st.Rejected[21] || st.Submitted != st.Accepted+st.RejectedTotal() {
			o.t.Errorf("a miner says %+v", st)
		}
	}
	lost := o.count("loka_shares_lost_total")
	o.t.Logf("%d shares accepted, %d answered with 21, %v lost", accepted, stale, lost)
	if seen := o.count("loka_shares_accepted_total"); seen != float64(accepted) {
		o.t.Errorf("the miners count %d accepted shares, loka %v", accepted, seen)
	}
	if refused := lost + o.count("loka_shares_rejected_total") + o.count("loka_shares_denied_total"); refused != float64(stale) {
		o.t.Errorf("miners were told %d times that a share is stale; loka has counted %v", stale, refused)
	}
}

// TestKilledServer has the server of all miners end, and refuse connections.
func TestKilledServer(t *testing.T) {
	eachWay(t, func(t *testing.T, way string) {
		o := breakable(t, way, "", "")
		o.a.down()
		took := o.everyoneMines(o.atB, 1, time.Second+turn+patient)
		t.Logf("everyone mines at b after %s", took)
		o.movedAtOnce()
		if dials := o.count("loka_dials_total", "endpoint", "a"); dials > 2*outageMiners {
			t.Errorf("%v dials of the server that is down", dials)
		}
		o.wantCount(outageMiners, "loka_moves_total")
		o.accounted()
	})
}

// TestBlackHole has the server of all miners take what comes, and say nothing any more.
func TestBlackHole(t *testing.T) {
	eachWay(t, func(t *testing.T, way string) {
		o := breakable(t, way, "response_timeout = \"1s\"\nreply_timeout = \"5s\"", "")
		o.a.swallows.Store(true)
		const detection = 3 * time.Second // response_timeout, and two looks
		took := o.everyoneMines(o.atB, 1, detection+time.Second+turn+patient)
		t.Logf("everyone mines at b after %s", took)
		o.movedAtOnce()
		o.wantCount(outageMiners, "loka_moves_total")
		o.a.down() // else what was left is waited for
		o.accounted()
	})
}

// TestSlowServer answers late, but not too late: nobody moves, and every share counts.
func TestSlowServer(t *testing.T) {
	eachWay(t, func(t *testing.T, way string) {
		config := pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, ShortNonce: true, NotifyInterval: time.Second}
		config.ReplyDelay = 700 * time.Millisecond
		o := breakableWith(t, config, way, `response_timeout = "2s"`, "")
		o.everyoneMines(o.atA, 15, time.Minute)
		o.wantCount(0, "loka_moves_total")
		o.wantCount(0, "loka_shares_lost_total")
		o.accounted()
		if st := o.atB.Stats(); st.Authorized > 0 {
			t.Errorf("the second server has seen %d names", st.Authorized)
		}
		for _, m := range o.herd.miners {
			if st := m.Stats(); st.RejectedTotal() > 0 {
				t.Errorf("a miner says %+v", st)
			}
		}
	})
}

// flap has a relay go down and up once a second for some seconds; it ends up.
func (r *relay) flap(seconds int) {
	r.t.Helper()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for range seconds {
		<-tick.C
		r.down()
		<-tick.C
		r.up()
	}
}

// TestFlappingServer comes and goes once a second: miners leave it once, and go back once it
// has been up for long enough.
func TestFlappingServer(t *testing.T) {
	eachWay(t, func(t *testing.T, way string) {
		const failback = 3 * time.Second
		o := breakable(t, way, "failback_after = \"3s\"\nhealth_check { interval = \"1s\" }", "")
		o.a.flap(10)
		stopped := time.Now()
		o.everyoneMines(o.atB, 1, time.Minute)
		moves, dials := o.count("loka_moves_total"), o.count("loka_dials_total")
		t.Logf("%v moves and %v dials while it flaps", moves, dials)
		if moves != outageMiners {
			t.Errorf("%v moves of %d miners", moves, outageMiners)
		}
		if dials > 4*outageMiners { // the first, and one or two for the move
			t.Errorf("%v dials", dials)
		}
		o.everyoneMines(o.atA, 1, time.Minute)
		if waited := time.Since(stopped); waited < failback {
			t.Errorf("they are back after %s", waited)
		}
		o.wantCount(2*outageMiners, "loka_moves_total")
		o.accounted()
	})
}

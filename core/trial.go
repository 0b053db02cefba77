package core

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/rules"
)

// trial is a policy that holds for a share of the sessions, beside the one in force, until
// it holds for all or is given up.
type trial struct {
	generation *generation
	rollout    *policy.Rollout
	began      time.Time
	before     rules.Group // what the stable ones had counted when it began
}

// takes reports whether the trial's policy holds for a session. It is the same as long as
// the miner is connected.
func (t *trial) takes(s *session) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s.proxy().name + " " + s.remote))
	return int(h.Sum32()%100) < t.rollout.Percent
}

// governing is the generation that holds for a session.
func (d *Daemon) governing(s *session) *generation {
	if t := d.trial.Load(); t != nil && t.takes(s) {
		return t.generation
	}
	return d.current.Load()
}

// Try puts a policy in force for the share of the sessions that its rollout says. The error
// says why this policy cannot be tried so.
func (d *Daemon) Try(p *policy.Policy) error {
	d.applying.Lock()
	defer d.applying.Unlock()
	now := d.current.Load()
	if err := triable(now.policy, p); err != nil {
		return err
	}
	next := d.generation(p, now)
	if err := d.strands(next); err != nil {
		return err
	}
	d.issued = next.number
	t := &trial{generation: next, rollout: p.Rollout, began: d.opt.Now(), before: now.group(0)}
	d.trial.Store(t)
	d.eachSession(func(s *session) {
		if t.takes(s) {
			s.adopt(next)
		}
	})
	return nil
}

// triable reports why a policy cannot hold for some sessions beside another one.
func triable(now, next *policy.Policy) error {
	var list []string
	if !sameListeners(now, next) {
		list = append(list, "listeners")
	}
	list = append(list, restarts(now, next)...)
	if len(list) > 0 {
		return fmt.Errorf("a rollout changes rules, routes and pools only, and this policy changes %s too; put that in force first, without the block rollout", strings.Join(list, " and "))
	}
	return nil
}

// strands reports which miners of a policy that is to be tried would have nowhere to go,
// because of what operators said. One that comes into force for all ends such orders; for
// the sake of a few miners they are not ended.
func (d *Daemon) strands(next *generation) error {
	for from, to := range d.orders.switches() {
		if next.pools[from] != nil && next.pools[to] == nil {
			return fmt.Errorf("an operator has switched %s to %s, which this policy lacks; undo that first", from, to)
		}
	}
	for _, pp := range next.policy.Pools {
		if d.orders.switches()[pp.Address] == "" && !next.pools[pp.Address].inService() {
			return fmt.Errorf("all servers that %s has in this policy were set aside by an operator; undo that first", pp.Address)
		}
	}
	return nil
}

// sameListeners reports whether two policies have the same proxies with the same listeners.
func sameListeners(a, b *policy.Policy) bool {
	was, is := postsOf(a), postsOf(b)
	if len(was) != len(is) {
		return false
	}
	for key, post := range is {
		if old, ok := was[key]; !ok || old.proxy.Address != post.proxy.Address || *old.listener != *post.listener {
			return false
		}
	}
	return true
}

// groupTally is what the sessions of one generation have counted.
type groupTally struct {
	submitted, accepted, rejected atomic.Int64
	difficulty                    credit

	mu     sync.Mutex
	summed float64 // what was taken out of difficulty
}

// group tells what the sessions under the generation came to.
func (g *generation) group(sessions int) rules.Group {
	t := &g.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	t.summed += t.difficulty.take()
	return rules.Group{
		Sessions: sessions, Submitted: int(t.submitted.Load()), Accepted: int(t.accepted.Load()), Rejected: int(t.rejected.Load()),
		Hashrate: t.summed, // as difficulty, until since makes a rate of it
	}
}

// since makes of what was counted up to two moments what came between.
func since(before, now rules.Group, passed time.Duration) rules.Group {
	now.Submitted -= before.Submitted
	now.Accepted -= before.Accepted
	now.Rejected -= before.Rejected
	now.Hashrate = math.Max(0, now.Hashrate-before.Hashrate) * hashesPerShare / max(1, passed.Seconds())
	if judged := now.Accepted + now.Rejected; judged > 0 {
		now.RejectRate = float64(now.Rejected) / float64(judged)
	}
	return now
}

// count adds a fact of a share to what the generation's sessions have counted.
func (g *generation) count(r *exchange.Record) {
	switch r.What {
	case exchange.ShareSubmitted:
		g.tally.submitted.Add(1)
	case exchange.ShareAccepted:
		g.tally.accepted.Add(1)
		g.tally.difficulty.add(r.Difficulty)
	case exchange.ShareRejected:
		g.tally.rejected.Add(1)
	}
}

// Rollout is how a policy does that holds for some of the sessions first.
type Rollout struct {
	Hash       string      `json:"hash"`
	Generation int         `json:"generation"`
	Percent    int         `json:"percent"`
	Began      time.Time   `json:"began"`
	Until      time.Time   `json:"until"`
	Candidate  rules.Group `json:"candidate"`
	Stable     rules.Group `json:"stable"`
}

// Rollout tells how the policy under trial does; nil where there is none. It waits for
// nobody: a policy that is being put in force may have to resolve a name first.
func (d *Daemon) Rollout() *Rollout {
	t := d.trial.Load()
	if t == nil {
		return nil
	}
	var candidates, stable int
	d.eachSession(func(s *session) {
		if s.proxy().generation == t.generation {
			candidates++
		} else {
			stable++
		}
	})
	passed := d.opt.Now().Sub(t.began)
	return &Rollout{
		Hash: t.generation.policy.Hash, Generation: t.generation.number, Percent: t.rollout.Percent,
		Began: t.began, Until: t.began.Add(t.rollout.For),
		Candidate: since(rules.Group{}, t.generation.group(candidates), passed),
		Stable:    since(t.before, d.current.Load().group(stable), passed),
	}
}

// What is to become of a policy under trial.
var (
	errTrialGoesOn = errors.New("the rollout goes on")
	errTrialWell   = errors.New("the rollout has gone well")
)

// judgeTrial tells what is to become of the policy under trial: errTrialGoesOn,
// errTrialWell, or why it is to be given up.
func (d *Daemon) judgeTrial() (*policy.Policy, error) {
	d.applying.Lock()
	defer d.applying.Unlock()
	r := d.Rollout()
	if r == nil {
		return nil, errTrialGoesOn
	}
	t := d.trial.Load()
	if c := t.rollout.AbortIf; c != nil {
		holds, err := c.Holds(r.Candidate, r.Stable)
		switch {
		case err != nil:
			return t.generation.policy, fmt.Errorf("abort_if could not be worked out: %s", err.Detail)
		case holds:
			return t.generation.policy, fmt.Errorf("abort_if is true: %s, %s", told("candidate", r.Candidate), told("stable", r.Stable))
		}
	}
	if !d.opt.Now().Before(r.Until) {
		return t.generation.policy, errTrialWell
	}
	return t.generation.policy, errTrialGoesOn
}

// told says in words what a group came to.
func told(name string, g rules.Group) string {
	return fmt.Sprintf("%s has %d sessions, %d shares accepted and %d rejected (%.2f %%)", name, g.Sessions, g.Accepted, g.Rejected, 100*g.RejectRate)
}

// endTrial has the policy in force hold for all sessions again.
func (d *Daemon) endTrial() {
	d.applying.Lock()
	defer d.applying.Unlock()
	if d.trial.Load() == nil {
		return
	}
	again := d.generation(d.current.Load().policy, d.current.Load())
	fronts, _, _ := d.match(again) // the same ones
	d.trial.Store(nil)
	if d.swap(again, fronts, nil) {
		d.eachSession(func(s *session) { s.adopt(again) })
	}
}

package core

import "time"

// An endpoint that was down is broken until it settles: until it has been up for the
// pool's failback_after without a break. Till then miners go there only where nothing
// better is, so that one that comes and goes does not take them along each time.

// maxRelapses bounds how much longer an endpoint must be up that did not stay up the last
// times: 16 times as long at most.
const maxRelapses = 4

// soon says how many times failback_after a settled endpoint must last for its past to be
// forgotten.
const soon = 10

// settle makes an endpoint that has been up for long enough a settled one.
func (e *endpoint) settle(now time.Time, after time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch needed := after << e.relapses; {
	case e.broken && e.state == isUp && now.Sub(e.since) >= needed:
		e.broken, e.failures, e.settled = false, 0, now
		e.log.Info("server is stable again", "pool", e.pool, "endpoint", e.server.Name, "up_for", now.Sub(e.since).Round(time.Second).String())
	case !e.broken && e.relapses > 0 && now.Sub(e.settled) > soon*needed:
		e.relapses = 0
	}
}

// relapse notes that the endpoint goes down, and whether that is soon after it settled. The
// lock is held.
func (e *endpoint) relapse(now time.Time) {
	if !e.broken && !e.settled.IsZero() && now.Sub(e.settled) <= soon*e.settled.Sub(e.since) {
		e.relapses = min(e.relapses+1, maxRelapses)
	}
}

// stands reports whether an endpoint has been up for so long without a break.
func (s *sight) stands(now time.Time, after time.Duration) bool {
	return s.class == well && s.up && now.Sub(s.since) >= after
}

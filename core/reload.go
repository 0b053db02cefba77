package core

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loka-proxy/loka/core/policy"
)

// Source is where a Reloader gets policies from.
type Source struct {
	// Load reads the policy. The files are those that were read, whether it loads or not.
	Load func() (p *policy.Policy, files []string, diags policy.Diagnostics)
	// Read, when not nil, reads the policy at another path, or the policy again for an
	// empty one, for somebody who asks what it would change.
	Read func(path string) (*policy.Policy, policy.Diagnostics)
	// Check, when not nil, says why a policy that loads is not to be used, as tests that
	// fail do.
	Check func(p *policy.Policy) error
	// Watch, when not nil, is told which files the last load has read, and when it began.
	Watch func(files []string, began time.Time)
	// Keep, when not nil, is told of each policy that Reload or Rollback has put in force.
	Keep func(p *policy.Policy)
	// LastGood, when not nil, says that the daemon was made with a policy that was in
	// force before, because that of the files could not be used.
	LastGood *LastGood
}

// LastGood tells of a start with a policy that is not that of the files.
type LastGood struct {
	Kept    time.Time // when the policy was in force
	Refused *Refusal  // why that of the files is not
}

// Reloader puts what a Source gives in the place of the policy in force. One at a time: its
// methods may be called from any goroutine, and wait for each other.
type Reloader struct {
	daemon *Daemon
	source Source

	mu     sync.Mutex
	status Status
	before *policy.Policy // what Rollback returns to, or nil
	// tried is the hash of the policy that is under trial, and aborted that of one that was
	// given up: it is not tried again.
	tried, aborted string
	said           map[string]time.Time // refusals that were logged in full, and when
	since          map[string]bool      // refusals since a policy was last in order
	// shown is a copy of status, for those who ask while a policy is being loaded.
	shown atomic.Pointer[Status]
}

// Status is how things stand with the policy.
type Status struct {
	Generation int       `json:"generation"`
	Hash       string    `json:"hash"`
	Files      []string  `json:"files"`
	LoadedAt   time.Time `json:"loaded_at"`
	// Serving is ServingLastGood while the policy in force is one of an earlier run, which
	// was in force at KeptAt, because that of the files cannot be used.
	Serving string     `json:"serving,omitempty"`
	KeptAt  *time.Time `json:"kept_at,omitempty"`
	// Switched gives the pools that operators have switched, and where to.
	Switched map[string]string `json:"switched,omitempty"`
	// Rollout tells of a policy that holds for some of the sessions first.
	Rollout *Rollout `json:"rollout,omitempty"`
	// Refused is the last attempt, if it failed; nil after one that did not.
	Refused *Refusal `json:"last_error,omitempty"`
}

// ServingLastGood is the Serving of a loka that started with broken files.
const ServingLastGood = "last good"

// Refusal says why a policy was not put in force.
type Refusal struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	// Diagnostics are what is wrong with the files, if something is.
	Diagnostics policy.Diagnostics `json:"diagnostics,omitempty"`
	// Outside says that nothing is wrong with the files, so that another attempt may
	// succeed with the same ones, as when a port is in use.
	Outside bool `json:"outside"`
}

// Error gives the reason, for callers that want no more.
func (r *Refusal) Error() string { return r.Reason }

// Outcomes of a reload, as labels.
const (
	reloadApplied   = "applied"
	reloadUnchanged = "unchanged"
	reloadRefused   = "refused"
	reloadTried     = "tried" // it holds for some of the sessions
)

// NewReloader takes over from the policy that a daemon was made with.
func NewReloader(d *Daemon, s Source) *Reloader {
	r := &Reloader{daemon: d, source: s, said: map[string]time.Time{}}
	r.took(d.current.Load().policy)
	if s.LastGood != nil {
		r.servesLastGood(s.LastGood)
	} else {
		d.opt.Meter.Loaded(r.status.LoadedAt)
	}
	return r
}

// servesLastGood says so, where everybody looks.
func (r *Reloader) servesLastGood(l *LastGood) {
	r.status.Serving, r.status.KeptAt = ServingLastGood, &l.Kept
	r.note(l.Refused, fmt.Sprintf("serving the last good policy (%s, in force at %s), since that of the files cannot be used",
		r.status.Hash, l.Kept.Format(time.RFC3339)))
}

// Status tells how things stand.
func (r *Reloader) Status() Status {
	status := *r.shown.Load()
	status.Switched = r.daemon.Switches()
	status.Rollout = r.daemon.Rollout()
	return status
}

// show makes the status known.
func (r *Reloader) show() {
	status := r.status
	r.shown.Store(&status)
}

// Reload loads the policy again and puts it in force, if it is another one. The error is
// a *Refusal, and then nothing has changed.
func (r *Reloader) Reload(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	began := r.daemon.opt.Now()
	p, files, diags := r.source.Load()
	if r.source.Watch != nil {
		r.source.Watch(append(files, r.status.Files...), began) // those in force may come back
	}
	switch {
	case diags.HasErrors():
		return r.refuse(Broken(diags))
	case p.Hash == r.status.Hash:
		r.withdraw("the files say what is in force again")
		r.status.Serving, r.status.KeptAt = "", nil
		r.unchanged()
		return nil
	case p.Hash == r.tried:
		r.unchanged()
		return nil
	case p.Hash == r.aborted:
		return r.refuse(&Refusal{Reason: "the rollout of this policy was given up, and nothing has changed in it since"})
	}
	if r.source.Check != nil {
		if err := r.source.Check(p); err != nil {
			return r.refuse(&Refusal{Reason: err.Error()})
		}
	}
	return r.apply(ctx, p)
}

// Plan tells what the policy at a path would change, or that of the files for an empty
// path. Nothing has changed. The error is a *Refusal.
func (r *Reloader) Plan(path string) (*Plan, error) {
	if r.source.Read == nil {
		return nil, &Refusal{At: r.daemon.opt.Now(), Reason: "this loka reads no other policies"}
	}
	p, diags := r.source.Read(path)
	if diags.HasErrors() {
		why := Broken(diags)
		why.At = r.daemon.opt.Now()
		return nil, why
	}
	return r.daemon.Plan(p), nil
}

// Broken is the refusal of files that do not load.
func Broken(diags policy.Diagnostics) *Refusal {
	reason := "1 error"
	if n := diags.Errors().Len(); n != 1 {
		reason = fmt.Sprintf("%d errors", n)
	}
	return &Refusal{Reason: reason, Diagnostics: diags}
}

// Rollback returns to the policy that was in force before the one that is. The files stay
// as they are; they are looked at again when they change, or somebody asks.
func (r *Reloader) Rollback(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tried != "" {
		r.aborted = r.tried
		r.withdraw("an operator returned to the policy in force")
		return nil
	}
	if r.before == nil {
		return &Refusal{At: r.daemon.opt.Now(), Reason: "there is no policy to return to"}
	}
	return r.apply(ctx, r.before)
}

func (r *Reloader) apply(ctx context.Context, p *policy.Policy) error {
	if p.Rollout != nil && p.Hash != r.tried && p != r.before {
		return r.try(p)
	}
	last := r.daemon.current.Load().policy
	if err := r.daemon.Apply(ctx, p); err != nil {
		return r.refuse(&Refusal{Reason: err.Error(), Outside: true})
	}
	r.before, r.tried, r.aborted = last, "", ""
	r.took(p)
	r.daemon.opt.Meter.Reloaded(reloadApplied, r.status.LoadedAt)
	r.daemon.opt.Log.Info("policy in force", "policy", p.Hash, "generation", r.status.Generation)
	r.warnLater(last, p)
	if r.source.Keep != nil {
		r.source.Keep(p)
	}
	return nil
}

// warnLater tells what a change does not reach before a restart.
func (r *Reloader) warnLater(last, p *policy.Policy) {
	for _, block := range restarts(last, p) {
		r.daemon.opt.Log.Warn("this block changes with a restart only", "block", block)
	}
}

// took notes the policy that is in force from now on.
func (r *Reloader) took(p *policy.Policy) {
	r.since = map[string]bool{}
	r.status = Status{
		Generation: r.daemon.current.Load().number, Hash: p.Hash, Files: p.Files, LoadedAt: r.daemon.opt.Now(),
	}
	r.show()
}

// unchanged notes that the files say what is in force or under trial, which is good news
// after a refusal.
func (r *Reloader) unchanged() {
	r.since, r.status.Refused = map[string]bool{}, nil
	r.show()
	r.daemon.opt.Meter.Reloaded(reloadUnchanged, r.daemon.opt.Now())
	r.daemon.opt.Log.Info("policy unchanged", "policy", r.status.Hash, "generation", r.status.Generation)
}

const (
	// maxSaid bounds the different refusals that are logged in full in saidFor: somebody
	// may look for the reason for so long before it is logged in full again.
	maxSaid = 100
	saidFor = time.Hour
)

// refuse notes a refusal. The same one is logged once, however often files are saved.
func (r *Reloader) refuse(why *Refusal) error {
	r.note(why, fmt.Sprintf("policy reload refused, generation %d (%s) stays in force", r.status.Generation, r.status.Hash))
	return why
}

// note notes and logs a refusal, and what it means. One that comes back after a policy
// that was in order is told in one line, for whoever has just saved that file.
func (r *Reloader) note(why *Refusal, means string) {
	why.At = r.daemon.opt.Now()
	r.status.Refused = why
	r.show()
	r.daemon.opt.Meter.Reloaded(reloadRefused, why.At)
	text := why.Reason + why.Diagnostics.Error()
	if r.since[text] || len(r.since) == maxSaid {
		return
	}
	r.since[text] = true
	if r.toldLately(text, why.At) {
		r.daemon.opt.Log.Info(means + " as before: " + why.Reason)
		return
	}
	r.daemon.opt.Log.Error(means + ": " + why.Reason)
	for _, d := range why.Diagnostics.Errors() {
		r.daemon.opt.Log.Error(d.Summary, "at", d.Position(), "detail", d.Detail)
	}
}

// toldLately reports whether a refusal was logged in full not long ago, or too many were;
// else it is taken to be logged now.
func (r *Reloader) toldLately(text string, now time.Time) bool {
	maps.DeleteFunc(r.said, func(_ string, at time.Time) bool { return now.Sub(at) > saidFor })
	if _, told := r.said[text]; told || len(r.said) == maxSaid {
		return true
	}
	r.said[text] = now
	return false
}

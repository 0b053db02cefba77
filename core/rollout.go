package core

import (
	"context"
	"errors"

	"github.com/loka-proxy/loka/core/policy"
)

// try puts a policy in force for some of the sessions first.
func (r *Reloader) try(p *policy.Policy) error {
	if err := triable(r.daemon.current.Load().policy, p); err != nil { // one that is tried goes on
		return r.refuse(&Refusal{Reason: err.Error()})
	}
	r.withdraw("another policy has come")
	if err := r.daemon.Try(p); err != nil {
		return r.refuse(&Refusal{Reason: err.Error()})
	}
	r.tried, r.aborted = p.Hash, ""
	r.since, r.status.Refused = map[string]bool{}, nil
	r.show()
	r.daemon.opt.Meter.Reloaded(reloadTried, r.daemon.opt.Now())
	r.daemon.opt.Log.Info("policy under trial", "policy", p.Hash, "percent", p.Rollout.Percent, "for", p.Rollout.For.String())
	return nil
}

// withdraw ends a trial, if there is one: the policy in force holds for all.
func (r *Reloader) withdraw(why string) {
	if r.tried == "" {
		return
	}
	r.tried = ""
	r.daemon.endTrial()
	r.status.Generation = r.daemon.current.Load().number
	r.show()
	r.daemon.opt.Log.Info("the rollout ends", "because", why, "policy", r.status.Hash, "generation", r.status.Generation)
}

// Trying reports whether a policy is under trial, so that JudgeRollout is to be called now
// and then.
func (r *Reloader) Trying() bool { return r.daemon.trial.Load() != nil }

// JudgeRollout looks how a policy under trial does: it is put in force for all once its
// time is over, and given up where its abort_if says so.
func (r *Reloader) JudgeRollout(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, what := r.daemon.judgeTrial()
	switch {
	case errors.Is(what, errTrialGoesOn):
	case errors.Is(what, errTrialWell):
		_ = r.apply(ctx, p) // a refusal is noted, and the trial goes on
	default:
		r.aborted = p.Hash
		r.withdraw(what.Error())
		_ = r.refuse(&Refusal{Reason: "the rollout was given up: " + what.Error()})
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/go-hclog"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/policy"
)

// boot is what loka starts with: the policy of the files or, where that cannot be used,
// the last good one.
type boot struct {
	policy *policy.Policy
	// files are those that were read, whether they are what serves or not.
	files []string
	// lastGood is nil if the files are what serves. Otherwise why is what loka would have
	// ended with.
	lastGood *core.LastGood
	why      error
}

// unusable says why loka cannot run a policy here.
type unusable struct{ error }

// run serves a policy until a signal.
func run(ctx context.Context, opt runOptions) error {
	if opt.watch != "auto" && opt.watch != "off" {
		return fmt.Errorf("--watch is auto or off, not %q", opt.watch)
	}
	if err := opt.openState(); err != nil {
		return &failure{code: exitStart, err: err}
	}
	b, err := opt.boot()
	if err != nil {
		return err
	}
	err = serve(ctx, b, opt)
	cannot := (*unusable)(nil)
	if errors.As(err, &cannot) && b.lastGood == nil {
		if b, err = opt.instead(b, &core.Refusal{Reason: cannot.Error(), Outside: true}, &failure{code: exitStart, err: cannot}); err != nil {
			return err
		}
		err = serve(ctx, b, opt)
	}
	if errors.As(err, &cannot) {
		return &failure{code: exitStart, err: neither(b.why, cannot)}
	}
	return err
}

// neither gives both reasons.
func neither(files, last error) error {
	return fmt.Errorf("%w; and the last good policy cannot serve: %w", files, last)
}

// openState finds where the last good policy is kept. That there is no such place ends
// the start only where one was asked for.
func (opt *runOptions) openState() error {
	k, err := newKeeper(opt.state, &opt.flags)
	switch {
	case err == nil:
		opt.keeper = k
	case opt.state != "auto":
		return fmt.Errorf("--state: %w", err)
	default:
		opt.keepless = err
	}
	return nil
}

// boot loads the policy, and says what is wrong with it.
func (opt *runOptions) boot() (*boot, error) {
	b := &boot{}
	load := opt.flags.options()
	load.Files = &b.files
	p, diags := policy.Load(opt.flags.config, load)
	if diags.HasErrors() {
		broken := fmt.Errorf("%s does not load", opt.flags.config)
		last, err := opt.instead(b, core.Broken(diags), &failure{code: exitPolicy, err: broken, silent: true})
		if err == nil { // what is wrong is in the log
			return last, nil
		}
		return nil, errors.Join(diags.Write(os.Stderr), err)
	}
	b.policy = p
	return b, diags.Write(os.Stderr)
}

// instead gives the last good policy in the place of one that cannot be used, or the
// error that loka ends with.
func (opt *runOptions) instead(b *boot, refused *core.Refusal, why *failure) (*boot, error) {
	last, kept, err := opt.keeper.last()
	switch {
	case errors.Is(err, errNoneKept), err == nil && b.policy != nil && b.policy.Hash == last.Hash:
		return nil, why
	case err != nil:
		return nil, &failure{code: why.code, err: neither(why, err)}
	}
	refused.At = opt.began
	return &boot{policy: last, files: b.files, lastGood: &core.LastGood{Kept: kept, Refused: refused}, why: why}, nil
}

// watched gives the files to watch. Where the last good policy serves, what is wrong may
// be that there are no files at all, so the place where they belong is watched as well.
func (b *boot) watched(config string) []string {
	if b.lastGood == nil {
		return b.files
	}
	if info, err := os.Stat(config); err == nil && info.IsDir() {
		config = filepath.Join(config, "loka.hcl")
	}
	return append(append(slices.Clone(b.files), b.policy.Files...), config)
}

// keep gives a function that keeps what is in force, and says so where it cannot.
func (opt *runOptions) keep(log hclog.Logger) func(*policy.Policy) {
	return func(p *policy.Policy) {
		err := opt.keepless
		if err == nil {
			err = opt.keeper.keep(&opt.flags, p)
		}
		switch {
		case err == nil && opt.keeper != nil:
			log.Debug("policy kept", "policy", p.Hash, "file", opt.keeper.file)
		case err != nil:
			log.Warn("the policy is not kept for a start with broken files; --state DIR says where it could be", "error", err)
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/ruletest"
)

// reloads reloads the policy when its files change, and on SIGHUP.
type reloads struct {
	reloader *core.Reloader
	systemd  notifier
	watcher  *policy.Watcher // nil if files are not watched
	hangup   chan os.Signal
	cancel   context.CancelFunc
	ended    sync.WaitGroup
}

// retry is how long after a refusal that is not the files' fault they are tried again.
const retry = 30 * time.Second

// watchPolicy prepares to reload the policy.
func watchPolicy(daemon *core.Daemon, b *boot, opt runOptions, log hclog.Logger) (*reloads, error) {
	r := &reloads{systemd: notifier{log}, hangup: make(chan os.Signal, 1)}
	source := core.Source{Load: opt.flags.reload(log), Read: opt.flags.read, Keep: opt.keep(log), LastGood: b.lastGood}
	if opt.testOnReload {
		source.Check = opt.flags.test
	}
	if opt.watch == "auto" {
		var err error
		if r.watcher, err = policy.NewWatcher(policy.UsualPace); err != nil {
			return nil, fmt.Errorf("watch the policy: %w", err)
		}
		source.Watch = r.watcher.Watch
		r.watcher.Watch(b.watched(opt.flags.config), opt.began)
	}
	r.reloader = core.NewReloader(daemon, source)
	signal.Notify(r.hangup, syscall.SIGHUP)
	return r, nil
}

// start begins to act on changes and signals.
func (r *reloads) start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.ended.Go(func() { r.run(ctx) })
}

func (r *reloads) close() {
	signal.Stop(r.hangup)
	if r.cancel != nil {
		r.cancel()
	}
	r.ended.Wait()
	if r.watcher != nil {
		_ = r.watcher.Close()
	}
}

func (r *reloads) run(ctx context.Context) {
	var changes <-chan struct{}
	if r.watcher != nil {
		changes = r.watcher.Changes()
	}
	again := time.NewTimer(retry)
	if why := r.reloader.Status().Refused; why == nil || !why.Outside {
		again.Stop()
	}
	defer again.Stop()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-second.C:
			if r.reloader.Trying() {
				r.reloader.JudgeRollout(ctx)
			}
			continue
		case <-changes:
		case <-r.hangup:
			r.systemd.reloading()
		case <-again.C:
			if why := r.reloader.Status().Refused; why == nil || !why.Outside {
				continue // somebody has seen to it
			}
		}
		var refused *core.Refusal
		if err := r.reloader.Reload(ctx); errors.As(err, &refused) && refused.Outside {
			again.Reset(retry)
		} else {
			again.Stop()
		}
		r.systemd.ready()
	}
}

// reload gives a function that loads the policy that the flags name. Warnings go to the
// log: they were printed at the start.
func (f *policyFlags) reload(log hclog.Logger) func() (*policy.Policy, []string, policy.Diagnostics) {
	return func() (*policy.Policy, []string, policy.Diagnostics) {
		var files []string
		opt := f.options()
		opt.Files = &files
		p, diags := policy.Load(f.config, opt)
		for _, d := range diags.Warnings() {
			log.Debug(d.Summary, "at", d.Position())
		}
		return p, files, diags
	}
}

// read loads the policy at another path with the same variables, or that of the flags.
func (f *policyFlags) read(path string) (*policy.Policy, policy.Diagnostics) {
	if path == "" {
		path = f.config
	}
	return policy.Load(path, f.options())
}

// test says which tests of the policy fail. It loads the policy once more, with them.
func (f *policyFlags) test(*policy.Policy) error {
	suites, diags := policy.LoadTests(f.config, f.options())
	if diags.HasErrors() {
		return fmt.Errorf("the tests do not load: %w", diags.Errors())
	}
	var failed []error
	for _, suite := range suites {
		for _, file := range suite.Files {
			for _, test := range file.Tests {
				if r := ruletest.Run(test, ruletest.Options{}); !r.Passed() {
					failed = append(failed, fmt.Errorf("test failed: %s: %s", file.Name, test.Name))
				}
			}
		}
	}
	return errors.Join(failed...)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/admin"
	"github.com/loka-proxy/loka/core/meter"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/ruletest"
)

func runCommand() *cobra.Command {
	var flags policyFlags
	var opt runOptions
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run a policy until SIGINT or SIGTERM",
		Long: `Run a policy until SIGINT or SIGTERM.

At the first signal loka stops accepting miners, lets those that are connected get
the answers they wait for (drain_timeout in the policy), and exits with 0. A second
signal ends it at once.

A policy that was in force is kept, with its files and values, in a directory for state,
which only its owner can read. If the files are broken at a later start, or cannot be used,
the one that was kept last serves, and the log, "loka policy status" and
loka_policy_last_reload_successful say so; the files are put in force once they are mended.

Exit codes: 0 it was stopped, 1 the policy does not load, 3 loka cannot run it here (a
port is taken, for instance) or could not go on.`,
		Example: `  loka run
  loka run --config loka.hcl --var wallet=37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opt.flags, opt.began = flags, time.Now()
			return run(cmd.Context(), opt)
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&opt.testOnReload, "test-on-reload", false, "run the tests of a changed policy first, and keep the old one if they fail")
	cmd.Flags().StringVar(&opt.watch, "watch", "auto", "how to see that files change: `auto` (be told, and look every 30 s), or off")
	cmd.Flags().StringVar(&opt.captures, "capture", "", "record every session into this `directory`, for tests, rules trace and rules diff; passwords are left out")
	cmd.Flags().StringVar(&opt.state, "state", "auto", "`directory` for the last good policy; auto is $STATE_DIRECTORY, /var/lib/loka or ~/.local/state/loka; off keeps none")
	completeFlag(cmd, "state", completeDirectories)
	return cmd
}

// runOptions are the flags of run besides those of the policy.
type runOptions struct {
	flags        policyFlags
	began        time.Time // of the first load
	captures     string
	testOnReload bool
	watch        string
	state        string
	keeper       *keeper
	// keepless says why no policy is kept, though it should be.
	keepless error
}

// serve serves a policy until a signal. The error is an *unusable where it could not begin.
func serve(ctx context.Context, b *boot, opt runOptions) error {
	p := b.policy
	log, err := logger(p.Log)
	if err != nil {
		return &failure{code: exitUsage, err: err}
	}
	m := meter.New()
	tapes, err := recorder(opt.captures, log)
	if err != nil {
		return &failure{code: exitStart, err: err}
	}
	if tapes != nil {
		defer tapes.Close()
	}
	daemon := core.New(p, core.Options{Log: log, Meter: m, Now: time.Now, Record: recordInto(tapes)})
	if err := daemon.Listen(ctx); err != nil {
		return &unusable{err}
	}
	reloads, err := watchPolicy(daemon, b, opt, log)
	if err != nil {
		daemon.Drain(ended(ctx))
		return &failure{code: exitStart, err: err}
	}
	defer reloads.close()
	web, err := serveAdmin(ctx, p.Admin, admin.Service{Metrics: m.Gatherer(), Health: daemon, Policy: reloads.reloader, Control: daemon}, log)
	if err != nil {
		daemon.Drain(ended(ctx))
		return &unusable{err}
	}
	// One buffered for each of the two signals that mean something.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	daemon.Serve()
	reloads.start()
	reloads.systemd.ready()
	log.Info("loka runs", "version", version(), "policy", p.Hash)
	if b.lastGood == nil {
		opt.keep(log)(p)
	}

	var broken error
	select {
	case s := <-signals:
		log.Info("stopping", "signal", s.String(), "drain_timeout", daemon.DrainTimeout().String())
	case <-ctx.Done():
	case broken = <-web.broken:
		log.Error("stopping", "error", broken)
	}
	reloads.systemd.stopping()
	stop(ctx, daemon, web, daemon.DrainTimeout(), signals)
	log.Info("stopped")
	if broken != nil {
		return &failure{code: exitStart, err: broken}
	}
	return nil
}

// recorder records sessions into a directory, or is nil where none is named.
func recorder(dir string, log hclog.Logger) (*ruletest.Tapes, error) {
	if dir == "" {
		return nil, nil
	}
	tapes, err := ruletest.NewTapes(dir, log.Warn)
	if err != nil {
		return nil, err
	}
	log.Info("recording sessions", "directory", dir)
	return tapes, nil
}

// recordInto gives each session a tape.
func recordInto(tapes *ruletest.Tapes) func(core.Visit) core.Tape {
	if tapes == nil {
		return nil
	}
	return func(v core.Visit) core.Tape {
		tape := tapes.Begin(ruletest.Head{
			Proxy: v.Proxy, Listener: v.Listener, Session: v.Session, Opened: v.Opened,
			Client: ruletest.CaptureClient{IP: v.ClientIP, Port: v.ClientPort},
		}, v.Policy)
		if tape == nil {
			return nil
		}
		return tape
	}
}

// stop drains the daemon; a signal meanwhile ends the process at once.
func stop(ctx context.Context, daemon *core.Daemon, web *web, wait time.Duration, signals <-chan os.Signal) {
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait)
		defer cancel()
		daemon.Drain(ctx)
		web.close(ctx)
	}()
	select {
	case <-drained:
	case <-signals:
		os.Exit(exitStart)
	}
}

// ended gives a context that is over.
func ended(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// logger makes the log that the policy asks for; the environment overrides it.
func logger(l policy.Log) (hclog.Logger, error) {
	if v := os.Getenv("LOKA_LOG_LEVEL"); v != "" {
		l.Level = v
	}
	if v := os.Getenv("LOKA_LOG_FORMAT"); v != "" {
		l.Format = v
	}
	level := hclog.LevelFromString(l.Level)
	if level == hclog.NoLevel {
		return nil, fmt.Errorf("LOKA_LOG_LEVEL: %q is no level; there are trace, debug, info, warn and error", l.Level)
	}
	if l.Format != "text" && l.Format != "json" {
		return nil, errors.New("LOKA_LOG_FORMAT: must be text or json")
	}
	return hclog.New(&hclog.LoggerOptions{
		Name: "loka", Level: level, Output: os.Stderr,
		JSONFormat: l.Format == "json", Color: hclog.AutoColor, ColorHeaderOnly: true,
		TimeFormat: timeFormat(l.Format),
	}), nil
}

func timeFormat(format string) string {
	if format == "json" {
		return time.RFC3339Nano
	}
	return "15:04:05.000"
}

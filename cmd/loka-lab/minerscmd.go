package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/cmd/loka-lab/miner"
)

// minersOptions are the flags of the miners command.
type minersOptions struct {
	config  miner.Config // of each of them
	kinds   []string
	count   int
	rate    float64
	summary time.Duration
	quiet   bool
}

func newMinersCommand() *cobra.Command {
	var options minersOptions
	command := &cobra.Command{
		Use:   "miners",
		Short: "Run miners that find real shares",
		Long: "Run miners that find real shares. They go on until they are interrupted, or until each of them has its number of shares.\n" +
			"Then the command fails if a reply was missing, or one came that nobody was waiting for.",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			out := &printer{out: command.OutOrStdout()}
			miners, err := makeMiners(options, out)
			if err != nil {
				return err
			}
			return runMiners(command.Context(), miners, options, out)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&options.config.Address, "address", "127.0.0.1:3333", "of the proxy or the pool")
	flags.IntVar(&options.count, "count", 3, "how many")
	flags.StringSliceVar(&options.kinds, "kind", []string{"all"}, "clients that they speak like, in turn: "+kindNames())
	flags.StringVar(&options.config.User, "user", "lab.rig{n}", "name; {n} is the number of the miner")
	flags.StringVar(&options.config.Password, "password", "x", "password")
	flags.Float64Var(&options.rate, "rate", 12, "shares a minute of each miner, at most; 0 for as many as it finds")
	flags.IntVar(&options.config.MaxAccepted, "accepted", 0, "each ends with so many accepted shares")
	flags.IntVar(&options.config.MaxSubmitted, "submitted", 0, "each ends with so many submitted shares")
	flags.Float64Var(&options.config.Suggest, "suggest", 0, "difficulty that those ask for which can")
	flags.BoolVar(&options.config.Extranonce, "extranonce", false, "those ask for set_extranonce which can")
	flags.IntVar(&options.config.SpoilEvery, "spoil-every", 0, "every n-th share is wrong on purpose")
	flags.DurationVar(&options.config.ReplyTimeout, "reply-timeout", 10*time.Second, "after which a share counts as unanswered")
	flags.DurationVar(&options.summary, "summary", 10*time.Second, "time between summaries; 0 for none")
	flags.BoolVar(&options.quiet, "quiet", false, "print summaries only")
	return command
}

func kindNames() string {
	names := make([]string, len(miner.Kinds))
	for i, kind := range miner.Kinds {
		names[i] = string(kind)
	}
	return strings.Join(names, ", ") + "; or all"
}

func makeMiners(options minersOptions, out *printer) ([]*miner.Miner, error) {
	var kinds []miner.Kind
	for _, name := range options.kinds {
		kind, ok := miner.ParseKind(name)
		switch {
		case name == "all":
			kinds = append(kinds, miner.Kinds...)
		case ok:
			kinds = append(kinds, kind)
		default:
			return nil, fmt.Errorf("read --kind %q: want one of %s", name, kindNames())
		}
	}
	if options.count < 1 || len(kinds) == 0 || options.rate < 0 {
		return nil, errors.New("make miners: want a count from 1, a kind, and a rate that is not negative")
	}
	miners := make([]*miner.Miner, options.count)
	for i := range miners {
		config := options.config
		config.Kind = kinds[i%len(kinds)]
		config.User = strings.ReplaceAll(config.User, "{n}", strconv.Itoa(i+1))
		if options.rate > 0 {
			config.Interval = time.Duration(float64(time.Minute) / options.rate)
		}
		if !options.quiet {
			config.Log = func(line string) { out.printf("%s", line) }
		}
		miners[i] = miner.New(config)
	}
	return miners, nil
}

// runMiners runs them all to their end.
func runMiners(ctx context.Context, miners []*miner.Miner, options minersOptions, out *printer) error {
	out.printf("%d miners at %s", len(miners), options.config.Address)
	var running, summaries sync.WaitGroup
	for _, m := range miners {
		running.Go(func() { _ = m.Run(ctx) }) // it ends with its limits or with ctx
	}
	mining, stop := context.WithCancel(ctx)
	summaries.Go(func() {
		var last sum
		every(mining, options.summary, func() {
			all := total(miners)
			out.printf("%s", all.line(last))
			last = all
		})
	})
	running.Wait()
	stop()
	summaries.Wait()
	all := total(miners)
	out.printf("ended: %s", all.line(sum{}))
	if ctx.Err() == nil && (all.Unanswered > 0 || all.Unexpected > 0 || all.WronglyAccepted > 0) {
		return fmt.Errorf("%d shares unanswered, %d replies unexpected, %d spoiled shares accepted", all.Unanswered, all.Unexpected, all.WronglyAccepted)
	}
	return nil
}

// sum is what all miners did together.
type sum struct{ miner.Stats }

func total(miners []*miner.Miner) (all sum) {
	all.Rejected = map[int]int{}
	for _, m := range miners {
		s := m.Stats()
		all.Logins += s.Logins
		all.Failures += s.Failures
		all.Submitted += s.Submitted
		all.Accepted += s.Accepted
		all.Unanswered += s.Unanswered
		all.Unexpected += s.Unexpected
		all.Spoiled += s.Spoiled
		all.WronglyAccepted += s.WronglyAccepted
		for code, n := range s.Rejected {
			all.Rejected[code] += n
		}
		if s.LastError != "" {
			all.LastError = s.LastError
		}
	}
	return all
}

// line tells of the last failure if there were any since the last line.
func (s sum) line(last sum) string {
	text := fmt.Sprintf("%d shares: %d accepted%s | %d logins, %d failures", s.Submitted, s.Accepted, codes(s.Rejected), s.Logins, s.Failures)
	for _, c := range []struct {
		n    int
		what string
	}{{s.Unanswered, "unanswered"}, {s.Unexpected, "unexpected replies"}, {s.Spoiled, "wrong on purpose"}, {s.WronglyAccepted, "of them accepted"}} {
		if c.n > 0 {
			text += fmt.Sprintf(", %d %s", c.n, c.what)
		}
	}
	if s.Failures > last.Failures {
		text += ", the last: " + s.LastError
	}
	return text
}

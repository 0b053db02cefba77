package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
)

// poolOptions are the flags of the pool command that are not simply a part of its config.
type poolOptions struct {
	listen  string
	mask    string
	summary time.Duration
}

func newPoolCommand() *cobra.Command {
	var options poolOptions
	config := pool.Config{Forget: true}
	command := &cobra.Command{
		Use:   "pool",
		Short: "Run a pool that checks every share",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			mask, err := strconv.ParseUint(options.mask, 16, 32)
			if err != nil {
				return fmt.Errorf("read --version-mask %q: want up to eight hex digits", options.mask)
			}
			config.VersionMask = uint32(mask)
			return runPool(command.Context(), config, options, &printer{out: command.OutOrStdout()})
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&options.listen, "listen", "127.0.0.1:3333", "address")
	flags.Float64Var(&config.Difficulty, "difficulty", 0.00001, "of the shares; a CPU finds about 4 million hashes a second, and 1 is 4 billion")
	flags.DurationVar(&config.NotifyInterval, "notify", 30*time.Second, "time between jobs")
	flags.IntVar(&config.CleanEvery, "clean-every", 4, "every n-th job is clean, as after a block")
	flags.IntVar(&config.Branches, "branches", 12, "merkle branches of a job")
	flags.IntVar(&config.Extranonce1Size, "extranonce1-size", 4, "bytes; -1 for none")
	flags.IntVar(&config.Extranonce2Size, "extranonce2-size", 8, "bytes")
	flags.StringVar(&options.mask, "version-mask", "1fffe000", "bits of the version that miners may roll; 0 for none")
	flags.StringSliceVar(&config.Users, "user", nil, "name that is welcome, * for anything; all if none is given")
	flags.StringSliceVar(&config.Refuse, "refuse", nil, "name that is not")
	flags.BoolVar(&config.ShortNonce, "short-nonce", true, "take a nonce that is not padded, as NerdMiner sends it")
	flags.DurationVar(&options.summary, "summary", 10*time.Second, "time between summaries; 0 for none")
	flags.BoolVar(&config.LogShares, "shares", false, "print every accepted share")
	addQuirks(flags, &config.Quirks)
	return command
}

func addQuirks(flags *pflag.FlagSet, quirks *pool.Quirks) {
	flags.BoolVar(&quirks.EarlyNotify, "early-notify", false, "quirk: difficulty and job before the authorize reply (ckpool)")
	flags.BoolVar(&quirks.SilentExtranonce, "silent-extranonce", false, "quirk: no reply to extranonce.subscribe (ckpool)")
	flags.BoolVar(&quirks.SilentSuggest, "silent-suggest", false, "quirk: no reply to suggest_difficulty (ckpool, public-pool)")
	flags.BoolVar(&quirks.SilentUnknown, "silent-unknown", false, "quirk: no reply to unknown methods (ckpool)")
	flags.BoolVar(&quirks.RejectReason, "reject-reason", false, "quirk: result false with a reject-reason (ckpool)")
	flags.BoolVar(&quirks.SmallJobIDs, "small-job-ids", false, "quirk: job ids 0 to 255, over and over (btcpool)")
	flags.IntVar(&quirks.LineLimit, "line-limit", 0, "quirk: hang up on lines over so many bytes (1024 with ckpool)")
	flags.BoolVar(&quirks.NullAuthorize, "null-authorize", false, "quirk: the result of authorize is null (p2pool)")
	flags.BoolVar(&quirks.FlatSubscriptions, "flat-subscriptions", false, "quirk: subscriptions as a flat list (p2pool)")
	flags.BoolVar(&quirks.NotifyIDs, "notify-ids", false, "quirk: notifications have ids (p2pool, eloipool)")
	flags.BoolVar(&quirks.MaskNotice, "mask-notice", false, "quirk: set_version_mask behind the configure reply (btcpool, DATUM)")
	flags.BoolVar(&quirks.AskVersion, "ask-version", false, "quirk: client.get_version behind the authorize reply (eloipool)")
	flags.BoolVar(&quirks.Ping, "ping", false, "quirk: mining.ping with each job (ckpool)")
	flags.DurationVar(&quirks.ReplyDelay, "reply-delay", 0, "quirk: time before each reply")
	flags.BoolVar(&quirks.BlackHole, "black-hole", false, "broken: never answers")
	flags.BoolVar(&quirks.HangUp, "hang-up", false, "broken: closes every connection at once")
	flags.BoolVar(&quirks.Garbage, "garbage", false, "broken: answers what is no JSON")
}

func runPool(ctx context.Context, config pool.Config, options poolOptions, out *printer) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", options.listen)
	if err != nil {
		return err
	}
	config.Log = func(line string) { out.printf("%s", line) }
	p := pool.New(config)
	out.printf("pool at %s: difficulty %g, extranonces of %d and %d bytes, version mask %08x",
		listener.Addr(), config.Difficulty, max(config.Extranonce1Size, 0), config.Extranonce2Size, config.VersionMask)
	began := time.Now()
	serving, stop := context.WithCancel(ctx)
	var summaries sync.WaitGroup
	last := p.Stats()
	summaries.Go(func() {
		every(serving, options.summary, func() {
			now := p.Stats()
			out.printf("%s", poolLine(now, last, options.summary))
			last = now
		})
	})
	err = p.Serve(ctx, listener)
	stop()
	summaries.Wait()
	out.printf("ended after %s", time.Since(began).Round(time.Second))
	for _, line := range poolSummary(p.Stats(), time.Since(began)) {
		out.printf("  %s", line)
	}
	return err
}

// poolLine says what has happened since the last one.
func poolLine(now, last pool.Stats, took time.Duration) string {
	return fmt.Sprintf("%d miners, %d workers | +%d shares accepted, +%d rejected | %s | %d accepted, %d rejected in all",
		now.Open, len(now.Workers), now.Accepted-last.Accepted, now.RejectedTotal()-last.RejectedTotal(),
		hashRate(now.Difficulty-last.Difficulty, took), now.Accepted, now.RejectedTotal())
}

// poolSummary says what has happened at all, and to whom; the workers with the most shares come first.
func poolSummary(s pool.Stats, took time.Duration) []string {
	lines := []string{
		fmt.Sprintf("%d connections, %d authorized, %d refused", s.Connections, s.Authorized, s.Refused),
		fmt.Sprintf("%d shares: %d accepted%s, %s", s.Submitted, s.Accepted, codes(s.Rejected), hashRate(s.Difficulty, took)),
	}
	names := slices.SortedFunc(maps.Keys(s.Workers), func(a, b string) int {
		if s.Workers[a].Accepted != s.Workers[b].Accepted {
			return s.Workers[b].Accepted - s.Workers[a].Accepted
		}
		return strings.Compare(a, b)
	})
	const most = 20
	for i, name := range names {
		if i == most {
			return append(lines, fmt.Sprintf("… and %d more", len(names)-most))
		}
		w := s.Workers[name]
		lines = append(lines, fmt.Sprintf("%-40s %d accepted%s", strconv.Quote(name), w.Accepted, codes(w.Rejected)))
	}
	return lines
}

var codeNames = map[int]string{20: "bad", 21: "stale", 22: "duplicate", 23: "low", 24: "unauthorized", 25: "not subscribed"}

// codes lists rejected shares.
func codes(rejected map[int]int) (text string) {
	for _, code := range slices.Sorted(maps.Keys(rejected)) {
		name := codeNames[code]
		if name == "" {
			name = fmt.Sprintf("rejected with %d", code)
		}
		text += fmt.Sprintf(", %d %s", rejected[code], name)
	}
	return text
}

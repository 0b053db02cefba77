package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/admin"
)

func planCommand() *cobra.Command {
	var a asking
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "plan [NEW]",
		Short: "Tell what a policy would change for the miners that are connected",
		Long: `Tell what a policy would change for the miners that are connected now: which of them move,
how each is told, which have to connect again, and how long that takes. Nothing changes.

NEW is a policy file or directory on the machine that loka runs on; without it, what the
files of the running loka say now. It is loaded with the variables that loka was started with.

A miner is told "by job" where its extranonce is its own (extranonce = "stable"), "by
extranonce" where it asked to be told of another one; both keep their connection. One that
is told "by reconnect" has to connect again.

It reads files, so it needs the token of the block admin, or its socket.

Exit codes: 0 done, 1 the policy does not load, or nobody answers.`,
		Example: "  loka policy plan\n  loka policy plan next/ --admin unix:/run/loka/admin.sock",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return callPlan(cmd.Context(), &a, args, asJSON, cmd.OutOrStdout())
		},
	}
	a.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as it is, in JSON")
	return cmd
}

func callPlan(ctx context.Context, a *asking, args []string, asJSON bool, w io.Writer) error {
	var of admin.PlanOrder
	if len(args) > 0 {
		path, err := filepath.Abs(args[0])
		if err != nil {
			return err
		}
		of.Path = path
	}
	var plan core.Plan
	err := a.askPolicy(ctx, http.MethodPost, "/v1/policy/plan", of, &plan, asJSON, w)
	if err == nil && !asJSON {
		writePlan(w, &plan)
	}
	return err
}

func writePlan(w io.Writer, p *core.Plan) {
	fmt.Fprintf(w, "policy      %s\n", p.Hash)
	if p.Unchanged {
		fmt.Fprintln(w, "            is in force already")
	}
	for _, line := range []struct {
		name string
		list []string
	}{{"opened     ", p.Opened}, {"closed     ", p.Closed}, {"at restart ", p.Restart}} {
		if len(line.list) > 0 {
			fmt.Fprintf(w, "%s %s\n", line.name, strings.Join(line.list, ", "))
		}
	}
	fmt.Fprintf(w, "miners      %s\n", p)
	if len(p.Proxies) > 0 {
		fmt.Fprintln(w)
		_ = writeTable(w, proxyRows(p.Proxies))
	}
	if len(p.Sessions) == 0 {
		return
	}
	rows := [][]string{{"SESSION", "REMOTE", "PROXY", "FROM", "TO", "HOW", "WHY"}}
	for _, s := range p.Sessions {
		rows = append(rows, []string{s.Session, s.Remote, s.Proxy, s.From, cmp.Or(s.To, "-"), s.How, s.Why})
	}
	fmt.Fprintln(w)
	_ = writeTable(w, rows)
}

func proxyRows(list []core.PlanProxy) [][]string {
	rows := [][]string{{"PROXY", "SESSIONS", "STAY", "BY JOB", "BY EXTRANONCE", "BY RECONNECT", "CLOSED", "TAKES", "CONNECTIONS"}}
	for _, px := range list {
		var to []string
		for _, pool := range slices.Sorted(maps.Keys(px.Connections)) {
			to = append(to, fmt.Sprintf("%d to %s", px.Connections[pool], pool))
		}
		takes := time.Duration(px.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
		rows = append(rows, append(numbers(px.Proxy, px.Sessions, px.Stay, px.ByJob, px.ByExtranonce, px.ByReconnect, px.Closed),
			takes.String(), cmp.Or(strings.Join(to, ", "), "-")))
	}
	return rows
}

// numbers is a row that begins with a name.
func numbers(name string, list ...int) []string {
	row := []string{name}
	for _, n := range list {
		row = append(row, strconv.Itoa(n))
	}
	return row
}

func sessionsMovesCommand() *cobra.Command {
	var a asking
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "moves",
		Short: "Tell what came of the last waves of moves",
		Long: `Tell what came of the last waves of moves, the latest first: how many miners were told in
which way, for how long one had no job at most, and which shares for jobs of a pool that was
left were accepted by it all the same, or got no answer.`,
		Example: "  loka sessions moves",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list admin.MoveList
			if err := a.order(cmd.Context(), http.MethodGet, "/v1/moves", nil, &list); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), list)
			}
			return writeMoves(cmd.OutOrStdout(), list.Campaigns)
		},
	}
	a.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as it is, in JSON")
	return cmd
}

func writeMoves(w io.Writer, list []core.Campaign) error {
	rows := [][]string{{"PROXY", "BY JOB", "BY EXTRANONCE", "BY RECONNECT", "FAILED", "SAVED", "LOST", "BEGAN", "TOOK", "WITHOUT JOB"}}
	for _, c := range list {
		took := "-" // it goes on
		if c.Ended != nil {
			took = c.Ended.Sub(c.Began).Round(time.Millisecond).String()
		}
		rows = append(rows, append(numbers(c.Proxy, c.ByJob, c.ByExtranonce, c.ByReconnect, c.Failed, int(c.SharesSaved), int(c.SharesLost)),
			c.Began.Local().Format(time.DateTime), took, (time.Duration(c.LongestWithoutJobMS)*time.Millisecond).String()))
	}
	return writeTable(w, rows)
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/admin"
)

func sessionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "See which miners are connected, move them and close them",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(sessionsListCommand(), sessionsMoveCommand(), sessionsCloseCommand(), sessionsMovesCommand())
	return cmd
}

// which says which sessions are meant: the flags of every command about them.
type which struct{ proxy, pool, user string }

func (w *which) register(cmd *cobra.Command, a *asking) {
	cmd.Flags().StringVar(&w.proxy, "proxy", "", "those of the `proxy`, as in proxy.farm")
	cmd.Flags().StringVar(&w.pool, "pool", "", "those that are connected to the `pool`, as in pool.main")
	cmd.Flags().StringVar(&w.user, "user", "", "those with the `name`, the miner's or the pool's, or what stands before its first dot")
	completeFlag(cmd, "proxy", cobra.NoFileCompletions)
	completeFlag(cmd, "pool", completePools(a))
	completeFlag(cmd, "user", cobra.NoFileCompletions)
}

// ask gives the sessions that are meant, the oldest first.
func (w *which) ask(ctx context.Context, a *asking) ([]core.SessionInfo, error) {
	query := url.Values{"limit": {strconv.Itoa(admin.MostSessions)}}
	for name, value := range map[string]string{"proxy": w.proxy, "pool": w.pool, "user": w.user} {
		if value != "" {
			query.Set(name, value)
		}
	}
	all := []core.SessionInfo{}
	for {
		var list admin.SessionList
		if err := a.order(ctx, http.MethodGet, "/v1/sessions?"+query.Encode(), nil, &list); err != nil {
			return nil, err
		}
		all = append(all, list.Sessions...)
		if list.Next == "" {
			break
		}
		query.Set("after", list.Next)
	}
	slices.SortFunc(all, func(a, b core.SessionInfo) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Session, b.Session))
	})
	return all, nil
}

func sessionsListCommand() *cobra.Command {
	var a asking
	var w which
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the miners that are connected",
		Long: `List the miners that are connected, the oldest first: under which name, from where, to which
server of which pool, since when, with how many shares accepted and rejected. --json tells
more: all names of a miner, and its software.

Exit codes: 0 done, 1 nobody answers.`,
		Example: "  loka sessions list\n  loka sessions list --pool pool.rental --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := w.ask(cmd.Context(), &a)
			if err != nil {
				return err
			}
			return writeSessions(cmd.OutOrStdout(), all, asJSON)
		},
	}
	a.register(cmd)
	w.register(cmd, &a)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func writeSessions(w io.Writer, all []core.SessionInfo, asJSON bool) error {
	if asJSON {
		return writeJSON(w, admin.SessionList{Sessions: all})
	}
	rows := [][]string{{"SESSION", "PROXY", "REMOTE", "USER", "POOL USER", "POOL", "ENDPOINT", "AGE", "ACCEPTED", "REJECTED", "STATE"}}
	for _, s := range all {
		user, poolUser := "-", "-"
		if len(s.Users) > 0 {
			user, poolUser = s.Users[0].User, s.Users[0].PoolUser
		}
		if len(s.Users) > 1 {
			user += fmt.Sprintf(" +%d", len(s.Users)-1)
		}
		age := time.Since(s.Since).Round(time.Second).String()
		rows = append(rows, []string{
			s.Session, s.Proxy, s.Remote, user, poolUser, cmp.Or(s.Pool, "-"), cmp.Or(s.Endpoint, "-"), age,
			strconv.Itoa(s.Accepted), strconv.Itoa(s.Rejected), s.State,
		})
	}
	return writeTable(w, rows)
}

func sessionsMoveCommand() *cobra.Command {
	var to string
	cmd := changeSessions("move", "Have miners go to another pool", `Have miners go to another pool of the policy, whatever its rules say, until their session
ends or a policy comes that lacks the pool. To have all miners of a pool go elsewhere, those
that are still to come too, there is "loka pools switch".`,
		"  loka sessions move 5f03a1b2c3d4 --to pool.rental\n  loka sessions move --pool pool.main --user john --to pool.rental",
		func() (any, error) {
			if to == "" {
				return nil, errors.New("--to POOL says where to")
			}
			return admin.MoveOrder{Pool: to}, nil
		})
	cmd.Flags().StringVar(&to, "to", "", "the `pool` to move to")
	completeFlag(cmd, "to", func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		complete, _ := cmd.GetFlagCompletionFunc("pool")
		return complete(cmd, args, typed)
	})
	return cmd
}

func sessionsCloseCommand() *cobra.Command {
	return changeSessions("close", "Send miners away once they have their answers", `Send miners away once they have the answers that they wait for, or after the drain_timeout
of the policy. Most miners come back at once.`,
		"  loka sessions close 5f03a1b2c3d4\n  loka sessions close --proxy proxy.farm",
		func() (any, error) { return nil, nil })
}

// changeSessions makes a command that orders the same of many sessions.
func changeSessions(use, short, long, example string, order func() (any, error)) *cobra.Command {
	var a asking
	var w which
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:   use + " [SESSION...]",
		Short: short,
		Long: long + `

The sessions are named by their ids, as "loka sessions list" has them, or by what they have
in common; --all means every one.` + operatorNotes,
		Example: example,
		RunE: func(cmd *cobra.Command, ids []string) error {
			body, err := order()
			if err != nil {
				return err
			}
			meant, err := w.meant(cmd.Context(), &a, ids, all)
			if err != nil {
				return err
			}
			done, err := orderSessions(cmd.Context(), &a, use, meant, len(ids) == 0, body)
			if asJSON {
				return errors.Join(writeJSON(cmd.OutOrStdout(), admin.SessionList{Sessions: done}), err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", use, count(len(done), "session", "sessions"))
			return err
		},
		ValidArgsFunction: completeSessions(&a),
	}
	a.register(cmd)
	w.register(cmd, &a)
	cmd.Flags().BoolVar(&all, "all", false, "every session")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// meant gives the ids of the sessions that a command line means. That it names none is a
// mistake: nobody should move every miner by leaving something out.
func (w *which) meant(ctx context.Context, a *asking, ids []string, all bool) ([]string, error) {
	filtered := *w != which{}
	switch {
	case len(ids) > 0 && (filtered || all):
		return nil, errors.New("sessions are named by their ids or by flags, not by both")
	case filtered && all:
		return nil, errors.New("--all means every session; leave it out for those of a proxy, a pool or a user")
	case len(ids) > 0:
		return ids, nil
	case !filtered && !all:
		return nil, errors.New("which sessions? name their ids, or --proxy, --pool, --user or --all")
	}
	list, err := w.ask(ctx, a)
	for _, s := range list {
		if s.State != "leaving" { // it goes in any case
			ids = append(ids, s.Session)
		}
	}
	return ids, err
}

// orderSessions gives an order to one session after the other. Those that were looked up
// and have ended meanwhile do not matter.
func orderSessions(ctx context.Context, a *asking, what string, ids []string, lookedUp bool, body any) ([]core.SessionInfo, error) {
	done := []core.SessionInfo{}
	var failed []error
	for _, id := range ids {
		var s core.SessionInfo
		err := a.order(ctx, http.MethodPost, "/v1/sessions/"+url.PathEscape(id)+"/"+what, body, &s)
		var why *notDone
		switch {
		case err == nil:
			done = append(done, s)
		case !errors.As(err, &why): // nobody answers
			return done, err
		case why.code == http.StatusNotFound && lookedUp && a.gone(ctx, id):
		case lookedUp && why.code != http.StatusConflict: // it would be the same for the others
			return done, err
		case len(failed) < maxFailures:
			failed = append(failed, err)
		}
	}
	if len(failed) > 0 {
		return done, &failure{code: exitPolicy, err: errors.Join(failed...)}
	}
	return done, nil
}

// maxFailures is how many sessions are told of that did not do what was ordered.
const maxFailures = 10

// gone reports whether a session has ended.
func (a *asking) gone(ctx context.Context, id string) bool {
	var why *notDone
	err := a.order(ctx, http.MethodGet, "/v1/sessions/"+url.PathEscape(id), nil, &core.SessionInfo{})
	return errors.As(err, &why) && why.code == http.StatusNotFound
}

// completeSessions completes the ids of sessions.
func completeSessions(a *asking) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) (ids []string, _ cobra.ShellCompDirective) {
		list, _ := (&which{}).ask(cmd.Context(), a)
		for _, s := range list {
			ids = append(ids, s.Session+"\t"+s.Remote)
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}

package main

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/core/admin"
)

// operatorNotes end the help of every command that operators order something with.
const operatorNotes = `

What changes something needs the token of the block admin, or its socket.

Exit codes: 0 done, 1 refused, or nobody answers.`

// orderNotes are for orders on pools, which the file does not know of.
const orderNotes = `

An order holds until it is undone, across policies that have the same pools, and not
across a restart: what is to last belongs in the policy.` + operatorNotes

func poolsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pools",
		Short: "See the pools of a running loka, and take them out of service",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(poolsListCommand(), poolsSwitchCommand(),
		endpointCommand("drain", "Have a server of a pool take no new miners",
			`Have a server of a pool take no new miners. Those that it has stay until they end, or
move for another reason; "loka pools disable" is for the rest. Without a server it is the
whole pool, which has to be switched to another one first.`+orderNotes),
		endpointCommand("disable", "Have a server of a pool take no miners at all",
			`Have a server of a pool take no miners at all. Those that it has get the answers that
they wait for and go to the other servers of the pool, one after the other. Without a
server it is the whole pool, which has to be switched to another one first.`+orderNotes),
		endpointCommand("enable", "Have a server of a pool take miners again",
			`Have a server of a pool take miners again, after "loka pools drain" or "disable". Miners
that went elsewhere stay there. Without a server it is the whole pool.`+operatorNotes),
	)
	return cmd
}

func poolsListCommand() *cobra.Command {
	var a asking
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the pools with their servers, and how they are",
		Long: `List the pools of the policy in force with their servers: whether a server is up, whether
operators have it in service, how many miners are connected to it, and to which other
pool a pool is switched.

Exit codes: 0 done, 1 nobody answers.`,
		Example: "  loka pools list\n  loka pools list --admin unix:/run/loka/admin.sock --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list admin.PoolList
			if err := a.order(cmd.Context(), http.MethodGet, "/v1/pools", nil, &list); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), list)
			}
			return writePools(cmd.OutOrStdout(), list.Pools)
		},
	}
	a.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// writePools writes one line for each server. Where no pool is switched, there is no word
// of it.
func writePools(w io.Writer, pools []core.PoolInfo) error {
	head := []string{"POOL", "ENDPOINT", "ADDRESS", "STATE", "SERVICE", "SESSIONS"}
	rows, switched := [][]string{head}, false
	for _, p := range pools {
		for _, e := range p.Endpoints {
			rows = append(rows, []string{p.Pool, e.Endpoint, e.Address, e.State, e.Service, strconv.Itoa(e.Sessions), p.SwitchedTo})
		}
		switched = switched || p.SwitchedTo != ""
	}
	if switched {
		rows[0] = append(head, "SWITCHED TO")
	}
	return writeTable(w, rows)
}

func poolsSwitchCommand() *cobra.Command {
	var a asking
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "switch FROM TO",
		Short: "Have all miners of a pool go to another one",
		Long: `Have all miners who belong to a pool go to another one, those that are connected and those
that come, until the pool is switched to itself. The switch ends as well with a policy
that lacks one of the two.` + orderNotes,
		Example:           "  loka pools switch pool.main pool.rental\n  loka pools switch pool.main pool.main",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completePools(&a),
		RunE: func(cmd *cobra.Command, args []string) error {
			return orderPool(cmd, &a, "switch", admin.SwitchOrder{From: args[0], To: args[1]}, asJSON)
		},
	}
	a.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// endpointCommand makes one of the commands about a server.
func endpointCommand(use, short, long string) *cobra.Command {
	var a asking
	var asJSON bool
	cmd := &cobra.Command{
		Use:               use + " POOL [ENDPOINT]",
		Short:             short,
		Long:              long,
		Example:           "  loka pools " + use + " pool.main eu\n  loka pools " + use + " 'pool.site[\"braiins\"]' eu",
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: completeEndpoints(&a),
		RunE: func(cmd *cobra.Command, args []string) error {
			order := admin.EndpointOrder{Pool: args[0]}
			if len(args) > 1 {
				order.Endpoint = args[1]
			}
			return orderPool(cmd, &a, use, order, asJSON)
		},
	}
	a.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// orderPool gives an order and shows how the pool stands then.
func orderPool(cmd *cobra.Command, a *asking, what string, order any, asJSON bool) error {
	var pool core.PoolInfo
	if err := a.order(cmd.Context(), http.MethodPost, "/v1/pools/"+what, order, &pool); err != nil {
		return err
	}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), pool)
	}
	return writePools(cmd.OutOrStdout(), []core.PoolInfo{pool})
}

// known asks for the pools, for a completion: without a word where nobody answers.
func (a *asking) known(ctx context.Context) []core.PoolInfo {
	var list admin.PoolList
	_ = a.order(ctx, http.MethodGet, "/v1/pools", nil, &list)
	return list.Pools
}

// completePools completes the names of pools.
func completePools(a *asking) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
		for _, p := range a.known(cmd.Context()) {
			names = append(names, p.Pool)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeEndpoints completes the name of a pool, and then of one of its servers.
func completeEndpoints(a *asking) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) (names []string, _ cobra.ShellCompDirective) {
		if len(args) == 0 {
			return completePools(a)(cmd, args, typed)
		}
		for _, p := range a.known(cmd.Context()) {
			for _, e := range p.Endpoints {
				if p.Pool == args[0] && len(args) == 1 {
					names = append(names, e.Endpoint+"\t"+e.Address)
				}
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

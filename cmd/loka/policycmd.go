package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/core"
	"github.com/loka-proxy/loka/rules"
)

func policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "See and change which policy a running loka has in force",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		policyCall(http.MethodGet, "", "status", "Tell which policy is in force, and why the last one was refused",
			`Tell which policy is in force: its generation and hash, since when, from which files, and
what was wrong with the last one that was refused, if it was.`),
		policyCall(http.MethodPost, "/reload", "reload", "Have the policy files read again and put in force",
			`Have the policy files read again and put in force. A running loka does so by itself when
they change; this says at once what came of it. A policy with a mistake changes nothing.`),
		policyCall(http.MethodPost, "/rollback", "rollback", "Return to the policy that was in force before",
			`Return to the policy that was in force before the one that is. The files stay as they
are; they are read again when they change, or with "loka policy reload".`),
		planCommand(),
	)
	return cmd
}

// policyCall makes one of the commands: all of them ask, and show the status.
func policyCall(method, path, use, short, long string) *cobra.Command {
	var a asking
	var asJSON bool
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Long: long + `

What changes something needs the token of the block admin, or its socket.

Exit codes: 0 done, 1 refused, or nobody answers.`,
		Example: "  loka policy " + use + "\n  loka policy " + use + " --admin unix:/run/loka/admin.sock",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return callPolicy(cmd.Context(), &a, method, "/v1/policy"+path, asJSON, cmd.OutOrStdout())
		},
	}
	a.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as it is, in JSON")
	return cmd
}

func callPolicy(ctx context.Context, a *asking, method, path string, asJSON bool, w io.Writer) error {
	var status core.Status
	err := a.askPolicy(ctx, method, path, nil, &status, asJSON, w)
	if err == nil && !asJSON {
		writeStatus(w, &status)
	}
	return err
}

// askPolicy asks something of the policy, and reads the answer into v. Where that is asked
// for, it is printed as it is. A refusal is an error that tells all of it.
func (a *asking) askPolicy(ctx context.Context, method, path string, order, v any, asJSON bool, w io.Writer) error {
	body, code, err := a.send(ctx, method, path, order)
	switch {
	case err != nil:
		return &failure{code: exitPolicy, err: err}
	case code != http.StatusOK && code != http.StatusConflict:
		return &failure{code: exitPolicy, err: errors.New(printable(strings.TrimSpace(string(body))))}
	case asJSON:
		fmt.Fprintf(w, "%s\n", strings.TrimSpace(string(body)))
	}
	if code == http.StatusConflict {
		return refusedPolicy(body, asJSON)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return &failure{code: exitPolicy, err: fmt.Errorf("this is no answer of loka: %w", err)}
	}
	return nil
}

// refusedPolicy tells why nothing has changed.
func refusedPolicy(body []byte, asJSON bool) error {
	var why core.Refusal
	if err := json.Unmarshal(body, &why); err != nil {
		return &failure{code: exitPolicy, err: fmt.Errorf("this is no answer of loka: %w", err)}
	}
	text := why.Reason + "; nothing has changed"
	if len(why.Diagnostics) > 0 {
		text += "\n\n" + told(&why)
	}
	return &failure{code: exitPolicy, err: errors.New(text), silent: asJSON}
}

func told(why *core.Refusal) string {
	var b strings.Builder
	_ = why.Diagnostics.Write(&b)
	return strings.TrimRight(b.String(), "\n")
}

func writeStatus(w io.Writer, s *core.Status) {
	fmt.Fprintf(w, "generation  %d\npolicy      %s\nin force    since %s\nfiles       %s\n",
		s.Generation, s.Hash, s.LoadedAt.Format(time.RFC3339), strings.Join(s.Files, ", "))
	if s.Serving == core.ServingLastGood && s.KeptAt != nil {
		fmt.Fprintf(w, "serving     the last good policy, of %s: that of the files cannot be used\n", s.KeptAt.Format(time.RFC3339))
	}
	for _, from := range slices.Sorted(maps.Keys(s.Switched)) {
		fmt.Fprintf(w, "operators   %s is switched to %s\n", from, s.Switched[from])
	}
	if r := s.Rollout; r != nil {
		fmt.Fprintf(w, "rollout     of %s, generation %d, for %d %% of the miners until %s\n", r.Hash, r.Generation, r.Percent, r.Until.Format(time.RFC3339))
		for _, g := range []struct {
			name string
			of   rules.Group
		}{{"candidate", r.Candidate}, {"stable", r.Stable}} {
			fmt.Fprintf(w, "  %-9s %d sessions, %d shares accepted, %d rejected (%.2f %%)\n", g.name, g.of.Sessions, g.of.Accepted, g.of.Rejected, 100*g.of.RejectRate)
		}
	}
	if s.Refused == nil {
		return
	}
	fmt.Fprintf(w, "refused     at %s: %s\n", s.Refused.At.Format(time.RFC3339), s.Refused.Reason)
	if len(s.Refused.Diagnostics) > 0 {
		fmt.Fprintf(w, "\n%s\n", told(s.Refused))
	}
}

package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/core/policy"
)

func validateCommand() *cobra.Command {
	var flags policyFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "validate [PATH]",
		Short: "Load and check a policy without running it",
		Long: `Load and check a policy without running it: a file, or a directory of *.hcl. Nothing is
dialled or bound. Every mistake is told in one run, at its place, and so is what can
hardly be meant, as a warning.

Exit codes: 0 the policy is good, with warnings or without, 1 it is not.`,
		Example: `  loka validate /etc/loka
  loka validate loka.hcl --var wallet=37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ
  loka validate --json /etc/loka`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completePolicies,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				flags.config = args[0]
			}
			if asJSON {
				return flags.validateJSON()
			}
			p, err := flags.load()
			if err != nil {
				return err
			}
			fmt.Printf("%s is good: %s\n", flags.config, describe(p))
			return nil
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the diagnostics as JSON")
	return cmd
}

func (f *policyFlags) validateJSON() error {
	_, diags := policy.Load(f.config, f.options())
	if _, err := os.Stdout.Write(append(diags.JSON(), '\n')); err != nil {
		return err
	}
	if diags.HasErrors() {
		return &failure{code: exitPolicy, err: diags, silent: true}
	}
	return nil
}

// describe counts what a policy has.
func describe(p *policy.Policy) string {
	listeners, rules := 0, 0
	for _, px := range p.Proxies {
		listeners += len(px.Listeners)
		rules += len(px.Program.Rules())
	}
	return fmt.Sprintf("%s, %s, %s, %s", count(len(p.Proxies), "proxy", "proxies"), count(listeners, "listener", "listeners"),
		count(len(p.Pools), "pool", "pools"), count(rules, "rule", "rules"))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

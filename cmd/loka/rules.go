package main

import "github.com/spf13/cobra"

func rulesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Test the rules of a policy, and see what they do",
		Long:  "Test the rules of a policy, and see what they do.",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(rulesListCommand(), rulesTestCommand(), rulesTraceCommand(), rulesDiffCommand())
	for _, inner := range cmd.Commands() {
		if inner.Name() != "trace" { // it takes messages
			inner.ValidArgsFunction = completePolicies
		}
	}
	return cmd
}

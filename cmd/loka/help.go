package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/core/policy"
)

// addTopics adds what loka help tells besides the commands. A command that does not run
// is a topic to cobra; where there is a command of a topic's name, its help has both.
func addTopics(root *cobra.Command) {
	for _, topic := range topicCommands() {
		found, _, err := root.Find([]string{topic.Use})
		if err != nil || found == root {
			root.AddCommand(topic)
			continue
		}
		found.Long = strings.TrimSpace(found.Long + "\n\n" + topic.Long)
	}
}

// helpCommand is cobra's, but for a mistake: there is an exit code for one.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND or TOPIC]",
		Short: "Help on a command or a topic",
		Long: `Help on a command or a topic; "loka help topics" lists the topics.

Exit codes: 0 there is help, 2 there is no such command or topic.`,
		Example: "  loka help rules test\n  loka help expressions",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
			found, _, err := cmd.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			for _, inner := range found.Commands() {
				names = append(names, inner.Name()+"\t"+inner.Short)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("there is no command and no topic %q; see \"loka help\" and \"loka help topics\"", strings.Join(args, " "))
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

// topicCommands gives the topics: the reference of the language, and the exit codes.
func topicCommands() []*cobra.Command {
	exit := &cobra.Command{Use: "exit-codes", Short: "Exit codes", Long: strings.TrimSpace(exitCodes)}
	list := []*cobra.Command{exit}
	for _, topic := range policy.Topics() {
		list = append(list, &cobra.Command{Use: topic.Name, Short: topic.Title, Long: strings.TrimSpace(topic.Text())})
	}
	var names strings.Builder
	names.WriteString("There is help on these topics:\n\n")
	for _, cmd := range list {
		fmt.Fprintf(&names, "  loka help %-12s  %s\n", cmd.Use, cmd.Short)
	}
	names.WriteString("\nThe same as Markdown is policies/REFERENCE.md.")
	topics := &cobra.Command{Use: "topics", Short: "What there is help on, besides the commands", Long: names.String()}
	return append(list, topics)
}

const exitCodes = `
Every command exits with

  0  when all is well
  1  when a policy, its tests or another file does not load, or what was asked is not so
  2  when the command line is wrong

and besides

  run         3  the policy is good, but loka cannot run it here, or could not go on: a port
                 that is taken, for instance
  fmt         3  with --check: a file is not formatted
  rules test  2  a test failed, or the coverage is under --fail-under
  health      1  loka cannot serve miners, or nobody answers

A policy with warnings alone is good.
`

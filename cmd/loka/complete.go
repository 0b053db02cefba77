package main

import "github.com/spf13/cobra"

// completeFiles completes the names of files with some endings, and of directories.
func completeFiles(endings ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}

// completePolicies completes what a policy can be: a file *.hcl or a directory.
var completePolicies = completeFiles("hcl")

func completeDirectories(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completeFlag says how the value of a flag is completed. To name a flag that the
// command does not have is a mistake in this program.
func completeFlag(cmd *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err)
	}
}

// Command loka is a Stratum V1 mining proxy whose behaviour is a policy file.
//
//	loka init [DIR]              write a first policy
//	loka run --config DIR        run the policy
//	loka validate [DIR]          say what is wrong with it
//	loka fmt [PATH...]           bring its files into the one layout
//	loka rules test [PATH...]    run its tests
//	loka health [--admin ADDR]   ask a running loka whether it serves miners
//	loka policy status           and which policy it has in force
//	loka pools list              and how its pools are
//	loka sessions list           and which miners are connected
//	loka version
//
// This package reads flags and signals, opens things, and hands them to core.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitPolicy = 1 // the policy does not load
	exitUsage  = 2 // the command line is wrong
	exitStart  = 3 // the policy is good, but loka cannot run it here, or could not go on
	// exitUnformatted is for fmt --check alone.
	exitUnformatted = 3
)

// failure is an error with the exit code that it stands for. A silent one has said
// what it has to say.
type failure struct {
	code   int
	err    error
	silent bool
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func main() {
	os.Exit(execute(context.Background(), os.Args[1:]))
}

// execute runs one command line and gives its exit code.
func execute(ctx context.Context, args []string) int {
	root := rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	f := &failure{code: exitUsage, err: err}
	errors.As(err, &f)
	if !f.silent {
		fmt.Fprintf(os.Stderr, "Error: %v\n", f.err)
	}
	return f.code
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "loka",
		Short: "A Stratum V1 mining proxy whose behaviour is a policy file",
		Long: `loka is a Bitcoin Stratum V1 mining proxy whose behaviour is a policy file. Miners connect
to it, it connects to pools, and the policy says what happens to every message in between.

  loka validate loka.hcl          say what is wrong with a policy
  loka run --config loka.hcl      run it
  loka help topics                the language, the names and the functions`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(initCommand(), runCommand(), validateCommand(), fmtCommand(), rulesCommand(), policyCommand(), poolsCommand(), sessionsCommand(), healthCommand(), versionCommand(), manCommand())
	addTopics(root)
	root.SetHelpCommand(helpCommand())
	return root
}

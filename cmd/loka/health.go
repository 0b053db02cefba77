package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

func healthCommand() *cobra.Command {
	var a asking
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running loka whether it can serve miners",
		Long: `Ask a running loka whether it can serve miners: every listener is bound, and a pool is
reachable. It asks /readyz at the address of the policy's block admin.

Exit codes: 0 it can, 1 it cannot, or nobody answers.`,
		Example: `  loka health
  loka health --admin 127.0.0.1:9464 --timeout 2s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, code, err := a.ask(cmd.Context(), http.MethodGet, "/readyz")
			if err == nil && code != http.StatusOK {
				err = errors.New(strings.TrimSpace(string(body)))
			}
			if err != nil {
				return &failure{code: exitPolicy, err: err}
			}
			fmt.Println("ready")
			return nil
		},
	}
	a.register(cmd)
	return cmd
}

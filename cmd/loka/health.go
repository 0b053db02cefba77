package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func healthCommand() *cobra.Command {
	var address string
	var wait time.Duration
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
			ctx, cancel := context.WithTimeout(cmd.Context(), wait)
			defer cancel()
			if err := askHealth(ctx, address); err != nil {
				return &failure{code: exitPolicy, err: err}
			}
			fmt.Println("ready")
			return nil
		},
	}
	cmd.Flags().StringVar(&address, "admin", "127.0.0.1:9464", "`address` of the admin block of the policy")
	cmd.Flags().DurationVar(&wait, "timeout", 5*time.Second, "how long to wait for the answer")
	return cmd
}

func askHealth(ctx context.Context, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{}} // not through a proxy of the environment
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if res.StatusCode != http.StatusOK {
		return errors.New(strings.TrimSpace(string(body)))
	}
	return nil
}

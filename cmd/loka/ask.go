package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// asking is how a running loka is asked: the flags of every command that does.
type asking struct {
	admin, tokenFile string
	wait             time.Duration
}

func (a *asking) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.admin, "admin", "127.0.0.1:9464", "`address` of the admin block of the policy, or unix:PATH for its socket")
	cmd.Flags().StringVar(&a.tokenFile, "token-file", "", "`file` with the admin token; without it LOKA_ADMIN_TOKEN in the environment")
	cmd.Flags().DurationVar(&a.wait, "timeout", 5*time.Second, "how long to wait for the answer")
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 16 << 20

// ask asks a running loka, and gives the body of its answer, whatever the code.
func (a *asking) ask(ctx context.Context, method, path string) (body []byte, code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.wait)
	defer cancel()
	host, dial := a.admin, (&net.Dialer{}).DialContext
	if socket, ok := strings.CutPrefix(a.admin, "unix:"); ok {
		host = "loka"
		dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+host+path, nil)
	if err != nil {
		return nil, 0, err
	}
	if err := a.authorize(req); err != nil {
		return nil, 0, err
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}} // not through a proxy of the environment
	res, err := client.Do(req)
	if err != nil {
		return nil, 0, fmt.Errorf("no loka answers: %w", err)
	}
	defer res.Body.Close()
	body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return body, res.StatusCode, err
}

// authorize adds the token, if there is one.
func (a *asking) authorize(req *http.Request) error {
	token := os.Getenv("LOKA_ADMIN_TOKEN")
	if a.tokenFile != "" {
		text, err := os.ReadFile(a.tokenFile)
		if err != nil {
			return fmt.Errorf("--token-file: %w", err)
		}
		token = strings.TrimSpace(string(text))
	}
	if token == "" {
		return nil
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("the admin token has characters that cannot be sent")
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return nil
}

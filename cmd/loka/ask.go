package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/core/admin"
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

// order has a running loka do something, and reads its answer into v. What it does not do
// is an error.
func (a *asking) order(ctx context.Context, method, path string, order, v any) error {
	body, code, err := a.send(ctx, method, path, order)
	if err != nil {
		return &failure{code: exitPolicy, err: err}
	}
	if code != http.StatusOK {
		var why admin.Problem
		if json.Unmarshal(body, &why) != nil || why.Error == "" { // from before it was asked
			why.Error = strings.TrimSpace(string(body))
		}
		return &failure{code: exitPolicy, err: &notDone{code, why.Error}}
	}
	if err := json.Unmarshal(body, v); err != nil {
		return &failure{code: exitPolicy, err: fmt.Errorf("this is no answer of loka: %w", err)}
	}
	return nil
}

// notDone says why a running loka did not do what it was asked.
type notDone struct {
	code   int
	reason string
}

func (n *notDone) Error() string { return printable(n.reason) }

// ask asks a running loka, and gives the body of its answer, whatever the code.
func (a *asking) ask(ctx context.Context, method, path string) (body []byte, code int, err error) {
	return a.send(ctx, method, path, nil)
}

// send is ask with something to say: order as JSON, or nothing where it is nil.
func (a *asking) send(ctx context.Context, method, path string, order any) (body []byte, code int, err error) {
	var says io.Reader
	if order != nil {
		text, err := json.Marshal(order)
		if err != nil {
			return nil, 0, err
		}
		says = bytes.NewReader(text)
	}
	ctx, cancel := context.WithTimeout(ctx, a.wait)
	defer cancel()
	host, dial := a.admin, (&net.Dialer{}).DialContext
	if socket, ok := strings.CutPrefix(a.admin, "unix:"); ok {
		host = "loka"
		dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+host+path, says)
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

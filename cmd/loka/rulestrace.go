package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/ruletest"
)

// traceRun is one command line of rules trace.
type traceRun struct {
	policy   policyFlags
	proxy    string
	client   map[string]string
	capture  string
	answers  string
	asJSON   bool
	in       io.Reader
	out, err io.Writer
}

func rulesTraceCommand() *cobra.Command {
	var t traceRun
	cmd := &cobra.Command{
		Use:   "trace [MESSAGE...]",
		Short: "Show what every rule does with a message, or with a whole session",
		Long: `Show what every rule does with a message, or with a whole session.

Each MESSAGE is one line of Stratum; without one they are read from standard input, a
line each of at most 1 MiB. They are one session: a name that is mapped at authorize holds for the
submits behind it. A line without a method is a reply of the pool, to the request above
that has its id; client.*, mining.notify and mining.set_* come from the pool; everything
else comes from the miner. --capture shows a recorded session instead.`,
		Example: `  loka rules trace -c loka.hcl '{"id":1,"method":"mining.authorize","params":["john.test","x"]}'
  loka rules trace --proxy 'proxy.site["braiins"]' --client ip=10.9.0.7 < session.txt
  loka rules trace --answers mining.authorize '{"id":1,"result":false,"error":null}'
  loka rules trace --capture captures/5f03a1.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			t.in, t.out, t.err = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			return t.start(args)
		},
	}
	f := cmd.Flags()
	t.policy.register(cmd)
	f.StringVar(&t.proxy, "proxy", "", "`address` of the proxy that the miner connects to; may be left out if there is one")
	completeFlag(cmd, "proxy", t.completeProxies)
	f.StringToStringVar(&t.client, "client", nil, "the miner, as `ip=…,port=…,agent=…`")
	f.StringVar(&t.capture, "capture", "", "show this recorded session, a `file` of loka run --capture")
	f.StringVar(&t.answers, "answers", "", "`method` that a reply answers if no request among the messages waits for it")
	f.BoolVar(&t.asJSON, "json", false, "print one JSON object for each message")
	return cmd
}

// completeProxies completes the proxies of the policy. One that does not load has none,
// and says nothing: this is no time for it.
func (t *traceRun) completeProxies(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	p, diags := policy.Load(t.policy.config, t.policy.options())
	if diags.HasErrors() {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, proxy := range p.Proxies {
		names = append(names, proxy.Address)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (t *traceRun) start(args []string) error {
	if t.capture != "" && len(args) > 0 {
		return errors.New("--capture takes the place of messages; give one of the two")
	}
	client, err := clientOf(t.client)
	if err != nil {
		return err
	}
	p, err := t.policy.load()
	if err != nil {
		return err
	}
	if t.capture != "" {
		return t.recorded(p)
	}
	proxy, err := proxyNamed(p, t.proxy)
	if err != nil {
		return err
	}
	return t.messages(p, proxy, client, args)
}

// messages traces messages that are typed.
func (t *traceRun) messages(p *policy.Policy, proxy *policy.Proxy, client policy.Client, args []string) error {
	explainer, connected := ruletest.NewExplainer(p, proxy, client, time.Now())
	explainer.Answers = t.answers
	if len(connected.Rules) > 0 {
		t.tell(connected)
	}
	over, left := connected.Verdict != ruletest.Forward, 0
	err := eachLine(t.in, args, func(line string) {
		if over {
			left++
			return
		}
		var traced ruletest.Traced
		traced, over = explainer.Message(line)
		t.tell(traced)
	})
	if over {
		fmt.Fprintf(t.err, "The session ends here; %s behind it.\n", count(left, "message is", "messages are"))
	}
	return err
}

// maxTraceLine bounds a line that is typed.
const maxTraceLine = 1 << 20

// eachLine gives the lines of the arguments or, where there are none, those that are
// read. Blank ones are left out, unless they are arguments.
func eachLine(in io.Reader, args []string, do func(string)) error {
	for _, arg := range args {
		for line := range strings.SplitSeq(strings.TrimSuffix(arg, "\n"), "\n") {
			do(line)
		}
	}
	if len(args) > 0 {
		return nil
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxTraceLine)
	n := 1
	for ; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) != "" {
			do(lines.Text())
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("line %d is longer than %d MiB, which is the most", n, maxTraceLine>>20)
	case err != nil:
		return fmt.Errorf("read the messages: %w", err)
	}
	return nil
}

// recorded traces a recorded session.
func (t *traceRun) recorded(p *policy.Policy) error {
	capture, err := ruletest.ReadCapture(t.capture)
	if err != nil {
		return &failure{code: exitPolicy, err: err}
	}
	name := t.proxy
	if name == "" {
		name = capture.Proxy
		if len(p.Proxies) == 1 {
			name = p.Proxies[0].Address
		}
	}
	proxy, err := proxyNamed(p, name)
	if err != nil {
		return err
	}
	ruletest.TraceCapture(p, proxy, capture, t.tell)
	return nil
}

func (t *traceRun) tell(traced ruletest.Traced) {
	if t.asJSON {
		enc := json.NewEncoder(t.out)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(traced)
		return
	}
	traced.Write(t.out)
	fmt.Fprintln(t.out)
}

// proxyNamed finds a proxy by its address. A policy with one needs no address.
func proxyNamed(p *policy.Policy, name string) (*policy.Proxy, error) {
	var names []string
	for _, proxy := range p.Proxies {
		if proxy.Address == name || name == "" && len(p.Proxies) == 1 {
			return proxy, nil
		}
		names = append(names, proxy.Address)
	}
	slices.Sort(names)
	if name == "" {
		return nil, fmt.Errorf("the policy has %d proxies; say which with --proxy: %s", len(names), strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("the policy has no %s; it has %s", name, strings.Join(names, ", "))
}

// clientOf reads --client.
func clientOf(given map[string]string) (policy.Client, error) {
	c := policy.Client{IP: "127.0.0.1", Port: 40000}
	for key, value := range given {
		var err error
		switch key {
		case "ip":
			var ip netip.Addr
			if ip, err = netip.ParseAddr(value); err != nil {
				err = errors.New("this is no address")
			}
			c.IP = ip.Unmap().String()
		case "port":
			var n uint64
			if n, err = strconv.ParseUint(value, 10, 16); err != nil {
				err = errors.New("this is no port")
			}
			c.Port = int(n)
		case "agent":
			c.Agent = value
		default:
			err = errors.New("there are ip, port and agent")
		}
		if err != nil {
			return c, fmt.Errorf("--client %s=%s: %w", key, value, err)
		}
	}
	return c, nil
}

func rulesDiffCommand() *cobra.Command {
	var values valueFlags
	var captures string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff OLD NEW --capture DIR",
		Short: "Show what a change of the policy would do to recorded sessions",
		Long: `Show what a change of the policy would do to recorded sessions.

Every session that "loka run --capture DIR" has recorded goes through the policy OLD and
through the policy NEW; what would be otherwise is told in groups: names at the pool,
pools, verdicts, messages, each with the rules that it is due to and the number of
sessions. The exit code is 0 whether there is a difference or not.`,
		Example: `  loka rules diff /etc/loka ./loka --capture captures`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := compare(&values, args[0], args[1], captures)
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetEscapeHTML(false)
				return enc.Encode(d)
			}
			d.Write(cmd.OutOrStdout())
			return nil
		},
	}
	values.register(cmd)
	cmd.Flags().StringVar(&captures, "capture", "", "`directory` of recorded sessions, or one file")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	_ = cmd.MarkFlagRequired("capture") // the flag exists
	return cmd
}

// compare replays captures through two policies.
func compare(values *valueFlags, before, after, captures string) (*ruletest.Difference, error) {
	var loaded [2]*policy.Policy
	for i, path := range []string{before, after} {
		p, err := (&policyFlags{config: path, valueFlags: *values}).load()
		if err != nil {
			return nil, err
		}
		loaded[i] = p
	}
	names, err := ruletest.Captures(captures)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, &failure{code: exitPolicy, err: fmt.Errorf("%s holds no captures (*.jsonl)", captures)}
	}
	d := ruletest.Compare(loaded[0], loaded[1])
	for _, name := range names {
		capture, err := ruletest.ReadCapture(name)
		if err != nil {
			d.Skipped = append(d.Skipped, err.Error())
			continue
		}
		d.Add(name, capture)
	}
	if d.Sessions == 0 {
		return nil, &failure{code: exitPolicy, err: fmt.Errorf("no session could be replayed:\n  %s", strings.Join(d.Skipped, "\n  "))}
	}
	return d, nil
}

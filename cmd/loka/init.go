package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
)

func initCommand() *cobra.Command {
	i := initializer{starter: starter{Name: usual.Name, Port: usual.Port, Layout: usual.Layout}}
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a first policy, with a test that passes, to start from",
		Long: `Write a first policy, loka.hcl, and its test, loka.test.hcl, into a directory (the one
that loka is called in, unless another is named). Nothing is overwritten.

What no flag says is asked for, if a person is there to answer; a script gives --pool
and --wallet.

The layout says how miners' names go to the pool:

` + layoutHelp() + `
Exit codes: 0 written, 1 a file is in the way or cannot be written, 2 a flag is wrong
or missing.`,
		Example: `  loka init --pool stratum.braiins.com:3333 --wallet myfarm
  loka init --pool stratum+ssl://pool.example:3443 --wallet bc1q… --port 3334 /etc/loka
  loka init --pool solo.ckpool.org:3333 --layout as-is`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			i.dir = "."
			if len(args) > 0 {
				i.dir = args[0]
			}
			i.given = cmd.Flags().Changed
			i.in, i.out, i.err = bufio.NewReader(cmd.InOrStdin()), cmd.OutOrStdout(), cmd.ErrOrStderr()
			i.asks = isatty.IsTerminal(os.Stdin.Fd())
			return i.run()
		},
	}
	cmd.Flags().StringVar(&i.Pool, "pool", "", "the pool's `address`: host:port, stratum+tcp://host:port or stratum+ssl://host:port")
	cmd.Flags().StringVar(&i.Wallet, "wallet", "", "who is paid: an `address`, or an account at the pool")
	cmd.Flags().StringVar(&i.Port, "port", i.Port, "the `port` that miners connect to")
	cmd.Flags().StringVar(&i.Layout, "layout", i.Layout, "how names go to the pool: "+strings.Join(layoutNames(), ", "))
	cmd.Flags().StringVar(&i.Name, "name", i.Name, "the `name` of the proxy, in logs and metrics")
	return cmd
}

func layoutHelp() string {
	var b strings.Builder
	for _, l := range layouts {
		fmt.Fprintf(&b, "  %-16s %s\n", l.name, l.about)
	}
	return b.String()
}

// initializer is one run of loka init.
type initializer struct {
	starter
	dir      string
	given    func(flag string) bool
	asks     bool // a person is there to answer
	in       *bufio.Reader
	out, err io.Writer
}

func (i *initializer) run() error {
	if err := i.inTheWay(); err != nil {
		return &failure{code: exitPolicy, err: err}
	}
	if err := i.fill(); err != nil {
		return &failure{code: exitUsage, err: err}
	}
	if why := doubt(i.Wallet); i.pays() && why != "" {
		fmt.Fprintf(i.err, "Warning: the wallet %q may be mistyped: %s. Make sure that the pool takes it.\n", i.Wallet, why)
	}
	if err := i.write(); err != nil {
		return &failure{code: exitPolicy, err: err}
	}
	i.sayNext()
	return nil
}

// inTheWay looks for files that belong to a policy: what is written beside them would
// become a part of it.
func (i *initializer) inTheWay() error {
	if err := mayBeDirectory(i.dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(i.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if strings.HasSuffix(name, ".hcl") && !strings.HasSuffix(name, ".vars.hcl") && !strings.HasPrefix(name, ".") {
			return fmt.Errorf("%s is in the way: there is a policy in this directory, and nothing is overwritten", filepath.Join(i.dir, name))
		}
	}
	return nil
}

// mayBeDirectory says why a directory cannot be made where it is to be: something else is
// there, or on the way.
func mayBeDirectory(dir string) error {
	for path := filepath.Clean(dir); ; path = filepath.Dir(path) {
		if _, err := os.Lstat(path); err != nil && path != filepath.Dir(path) {
			continue // what stands on the way is found at the first part that is there
		}
		switch info, err := os.Stat(path); {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%s is a link to something that is not there: name a directory, or one that can be made", path)
		case err == nil && !info.IsDir():
			return fmt.Errorf("%s is a file: name a directory, or one that can be made", path)
		}
		return nil // what else is wrong, its use tells
	}
}

// fill makes the starter one that a policy can be made from.
func (i *initializer) fill() error {
	if err := i.checkFlags(); err != nil {
		return err
	}
	if err := i.complete(); err != nil {
		return err
	}
	return i.problem()
}

// checkFlags looks at the values that flags give, before anything is asked.
func (i *initializer) checkFlags() error {
	for n, q := range i.questions() {
		if !i.given(q.flag) {
			continue
		}
		if err := i.wrong(n); err != nil {
			return fmt.Errorf("--%s: %w", q.flag, err)
		}
	}
	return nil
}

// complete asks for what no flag says, or tells which flags are missing. Where both
// that are needed are given, the rest is as usual.
func (i *initializer) complete() error {
	var missing []string
	for _, q := range i.questions() {
		if q.needed && !i.given(q.flag) && !(q.flag == "wallet" && !i.pays()) {
			missing = append(missing, "--"+q.flag)
		}
	}
	switch {
	case len(missing) == 0:
		return nil
	case !i.asks:
		return fmt.Errorf("nobody is there to answer questions, so %s must be given", strings.Join(missing, " and "))
	}
	return i.ask()
}

// write writes both files, or none.
func (i *initializer) write() error {
	if err := os.MkdirAll(i.dir, 0o755); err != nil {
		return err
	}
	policy, tests := filepath.Join(i.dir, starterPolicy), filepath.Join(i.dir, starterTests)
	if err := create(policy, i.policy()); err != nil {
		return err
	}
	if err := create(tests, i.tests()); err != nil {
		return errors.Join(err, os.Remove(policy))
	}
	return nil
}

// create writes a file that must not be there yet.
func create(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is in the way: nothing is overwritten", name)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(name))
	}
	return nil
}

func (i *initializer) sayNext() {
	fmt.Fprintf(i.out, `Written: %[1]s and %[2]s

Next:

  loka validate %[3]s      says whether the policy is in order
  loka rules test %[3]s    runs its test
  loka run --config %[3]s  runs it

Then point a miner at port %[4]s of this machine, as stratum+tcp://host:%[4]s, with any name and
password. Change %[1]s to your needs, and its test with it.
`, filepath.Join(i.dir, starterPolicy), filepath.Join(i.dir, starterTests), i.dir, i.Port)
}

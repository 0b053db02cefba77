package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/core/exchange"
	"github.com/loka-proxy/loka/core/policy"
	"github.com/loka-proxy/loka/core/ruletest"
)

// exitFailed is the exit code of tests that fail, or cover too little.
const exitFailed = 2

// testRun is one command line of rules test.
type testRun struct {
	values              valueFlags
	paths               []string
	run                 string
	verbose, coverage   bool
	failUnder           float64
	watch, bench        bool
	benchTime           time.Duration
	asJSON, asTAP       bool
	junit               string
	update, failOnEmpty bool

	wanted *regexp.Regexp
	out    io.Writer
}

func rulesTestCommand() *cobra.Command {
	var t testRun
	cmd := &cobra.Command{
		Use:   "test [PATH...]",
		Short: "Run the tests of a policy: *.test.hcl beside it",
		Long: `Run the tests of a policy: the files *.test.hcl beside it.

A PATH is a directory (with all that are below it), a policy file or a test file; without
one it is the current directory. Each test is the session of one miner, and goes through
the same code as a live session does. "loka help tests" tells how tests are written.

Exit code 0: all passed. 1: a policy or a test does not load. 2: a test failed, the
coverage is under --fail-under, or there is no test and --fail-under or --fail-on-empty
is given.`,
		Example: `  loka rules test
  loka rules test /etc/loka --coverage --fail-under 90
  loka rules test policies/pools/braiins.test.hcl --run 'john' -v
  loka rules test --bench > new.txt && benchstat old.txt new.txt`,
		RunE: func(cmd *cobra.Command, args []string) error {
			t.paths, t.out = args, cmd.OutOrStdout()
			return t.start(cmd.Context())
		},
	}
	t.register(cmd)
	return cmd
}

func (t *testRun) register(cmd *cobra.Command) {
	f := cmd.Flags()
	t.values.register(cmd)
	f.StringVar(&t.run, "run", "", "run only the tests whose name matches a `regexp`")
	f.BoolVarP(&t.verbose, "verbose", "v", false, "tell what every rule did, in tests that pass too")
	f.BoolVar(&t.coverage, "coverage", false, "tell which rules matched and which did not")
	f.Float64Var(&t.failUnder, "fail-under", 0, "least `percent` of rules that must be seen both matched and not matched")
	f.BoolVar(&t.watch, "watch", false, "run again when a file changes, until SIGINT")
	f.BoolVar(&t.bench, "bench", false, "measure each rule by itself, on what the rules before it made of the messages of the tests, and each method; as benchstat reads it")
	f.DurationVar(&t.benchTime, "bench-time", 200*time.Millisecond, "how long to measure each")
	f.BoolVar(&t.asJSON, "json", false, "print one JSON object for each test, then the summary")
	f.BoolVar(&t.asTAP, "tap", false, "print TAP, the Test Anything Protocol")
	f.StringVar(&t.junit, "junit-xml", "", "write JUnit's XML to a `file` as well")
	f.BoolVar(&t.update, "update", false, "write golden files anew instead of comparing with them")
	f.BoolVar(&t.failOnEmpty, "fail-on-empty", false, "exit with 2 if there is no test")
	cmd.MarkFlagsMutuallyExclusive("json", "tap", "bench")
	cmd.MarkFlagsMutuallyExclusive("watch", "bench")
}

func (t *testRun) start(ctx context.Context) error {
	if len(t.paths) == 0 {
		t.paths = []string{"."}
	}
	if !(t.failUnder >= 0 && t.failUnder <= 100) { // nor is NaN
		return errors.New("--fail-under is a percentage, from 0 to 100")
	}
	if t.benchTime <= 0 {
		return errors.New("--bench-time is a duration, such as 200ms, and longer than 0")
	}
	wanted, err := regexp.Compile(t.run)
	if err != nil {
		return fmt.Errorf("--run: %w", err)
	}
	t.wanted = wanted
	if t.watch {
		return t.again(ctx)
	}
	_, err = t.once()
	return err
}

// again runs everything whenever a file has changed, until a signal.
func (t *testRun) again(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	w, err := policy.NewWatcher(policy.UsualPace)
	if err != nil {
		return fmt.Errorf("--watch: %w", err)
	}
	defer w.Close()
	for {
		began := time.Now()
		inputs, err := t.once()
		var said *failure
		if err != nil && !(errors.As(err, &said) && said.silent) {
			fmt.Fprintf(os.Stderr, "Error: %v\n", err)
		}
		if len(inputs) == 0 { // there is nothing to wait for
			return err
		}
		w.Watch(inputs, began)
		fmt.Fprintf(os.Stderr, "\n%s: waiting for a change\n\n", began.Format(time.TimeOnly))
		select {
		case <-ctx.Done():
			return nil
		case <-w.Changes():
		}
	}
}

// reporter is one way to tell what came of tests.
type reporter interface {
	Result(*ruletest.Result)
	Summary(ruletest.Summary)
	Coverage(path string, c *ruletest.Coverage)
}

func (t *testRun) reporter() reporter {
	switch {
	case t.asJSON:
		return ruletest.NewJSON(t.out)
	case t.asTAP:
		return ruletest.NewTAP(t.out)
	}
	text := ruletest.NewText(t.out)
	text.Verbose = t.verbose
	return text
}

// once loads and runs everything once, and gives the files that were read.
func (t *testRun) once() (inputs []string, err error) {
	suites, diags := t.load()
	for _, s := range suites {
		inputs = append(inputs, s.Inputs...)
	}
	if err := t.tell(diags); err != nil {
		return inputs, err
	}
	r := &round{testRun: t, report: t.reporter(), bench: ruletest.NewBench()}
	for _, suite := range suites {
		r.suite(suite)
	}
	return inputs, r.conclude()
}

// load loads the tests of every path.
func (t *testRun) load() (suites []*policy.Suite, diags policy.Diagnostics) {
	for _, path := range t.paths {
		list, said := policy.LoadTests(path, t.values.options())
		suites, diags = append(suites, list...), append(diags, said...)
	}
	return suites, diags
}

// tell prints what is wrong with the policies and the tests. Warnings about a policy are
// for validate to tell.
func (t *testRun) tell(diags policy.Diagnostics) error {
	told := diags.Errors()
	for _, d := range diags.Warnings() {
		if d.Range != nil && strings.HasSuffix(d.Range.Filename, ".test.hcl") {
			told = append(told, d)
		}
	}
	if err := told.Write(os.Stderr); err != nil {
		return err
	}
	if diags.HasErrors() {
		return &failure{code: exitPolicy, err: errors.New("the policy or its tests do not load"), silent: true}
	}
	return nil
}

// round is one run of all tests.
type round struct {
	*testRun
	report  reporter
	junit   ruletest.JUnit
	bench   *ruletest.Bench
	summary ruletest.Summary
	covered []coveredSuite
}

type coveredSuite struct {
	path  string
	cover *ruletest.Coverage
}

func (r *round) suite(suite *policy.Suite) {
	cover := ruletest.NewCoverage()
	opt := ruletest.Options{Coverage: cover, Update: r.update}
	if r.testRun.bench {
		opt.Watch = func(t *policy.Test, w exchange.Walk) { r.bench.Watch(t, w) }
	}
	ran := false
	for _, file := range suite.Files {
		for _, test := range file.Tests {
			cover.Add(test.Policy)
			if !r.wanted.MatchString(test.Name) {
				continue
			}
			ran = true
			r.test(ruletest.Run(test, opt))
		}
	}
	if ran {
		r.covered = append(r.covered, coveredSuite{suite.Path, cover})
	}
}

func (r *round) test(result *ruletest.Result) {
	r.summary.Add(result)
	r.junit.Result(result)
	if !r.testRun.bench || !result.Passed() {
		r.report.Result(result)
	}
}

// conclude tells the sum and says what the exit code is.
func (r *round) conclude() error {
	if !r.testRun.bench || r.summary.Failed > 0 {
		r.report.Summary(r.summary)
	}
	if err := r.writeJUnit(); err != nil {
		return err
	}
	low := r.tellCoverage()
	switch {
	case r.summary.Passed+r.summary.Failed == 0:
		return r.empty()
	case r.summary.Failed > 0:
		return &failure{code: exitFailed, err: errors.New("tests failed"), silent: true}
	case low != nil:
		return low
	case r.testRun.bench:
		return r.bench.Write(r.out, r.benchTime)
	}
	return nil
}

func (r *round) empty() error {
	what := "no tests found: tests are blocks test in files *.test.hcl beside the policy"
	if names := r.misnamed(); len(names) > 0 {
		what += "; there are some in " + strings.Join(names, ", ") + ", which have another name"
	}
	if r.run != "" {
		what = fmt.Sprintf("no test has a name that matches %q", r.run)
	}
	switch {
	case r.failUnder > 0:
		return &failure{code: exitFailed, err: fmt.Errorf("%s, and --fail-under wants %g%%", what, r.failUnder)}
	case r.failOnEmpty:
		return &failure{code: exitFailed, err: errors.New(what)}
	}
	fmt.Fprintln(os.Stderr, what)
	return nil
}

// testHead matches the head of a test at the beginning of a line.
var testHead = regexp.MustCompile(`(?m)^test[ \t]+"`)

// misnamed finds files that hold tests, and whose names are not those of tests.
func (r *round) misnamed() (names []string) {
	for _, path := range r.paths {
		files, _ := filepath.Glob(filepath.Join(path, "*.hcl")) // the pattern is well formed
		for _, name := range files {
			if text, err := policy.ReadFile(name); err == nil && !strings.HasSuffix(name, ".test.hcl") && testHead.Match(text) {
				names = append(names, name)
			}
		}
	}
	return names
}

func (r *round) writeJUnit() error {
	if r.testRun.junit == "" {
		return nil
	}
	f, err := os.Create(r.testRun.junit)
	if err != nil {
		return fmt.Errorf("--junit-xml: %w", err)
	}
	return errors.Join(r.junit.Write(f), f.Close())
}

// tellCoverage tells the coverage, and fails where a policy has too little of it.
func (r *round) tellCoverage() error {
	var low error
	for _, c := range r.covered {
		if r.coverage {
			r.report.Coverage(c.path, c.cover)
		}
		if got := c.cover.Percent(c.cover.Covered()); got < r.failUnder {
			low = errors.Join(low, fmt.Errorf("coverage of %s is %.1f%%, and --fail-under wants %g%%", c.path, got, r.failUnder))
		}
	}
	if low == nil {
		return nil
	}
	return &failure{code: exitFailed, err: low}
}

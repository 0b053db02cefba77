package policy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/loka-proxy/loka/rules"
)

// LoadTests reads the tests at a path, and the policies that they test. The path is a
// directory, which is searched with all directories beneath it, a policy file, which is
// tested by the files *.test.hcl beside it, or one file of tests.
//
// A file of tests that includes policy files, or has blocks of a policy itself, brings
// the policy that it tests; any other tests the policy of its directory. There is one
// Suite for each policy that has tests, and none, and no error, where there are no
// tests. If there is any error, the suites have no files of tests, only inputs; the
// diagnostics hold all errors, those of the policies among them. Nothing is run.
func LoadTests(path string, opts Options) ([]*Suite, Diagnostics) {
	if opts.Environ == nil {
		opts.Environ = noEnvironment
	}
	t := &testLoad{report: newReport(), opts: opts, goldens: map[string]bool{}, meter: &meter{left: maxValueBytes}, compiler: rules.NewCompiler()}
	t.find(path)
	for _, s := range t.suites {
		s.read()
	}
	if !t.diags.HasErrors() {
		t.doubtExpectations()
	}
	diags := t.diagnostics()
	var suites []*Suite
	for _, s := range t.suites {
		suite := s.finish()
		switch {
		case diags.HasErrors():
			suites = append(suites, &Suite{Path: suite.Path, Inputs: suite.Inputs})
		case len(suite.Files) > 0:
			suites = append(suites, suite)
		}
	}
	return suites, diags
}

// doubtExpectations warns of tests that pass whatever the policy makes of their messages,
// as long as it lets them pass. It is asked of tests without mistakes.
func (t *testLoad) doubtExpectations() {
	expects := func(s *Step) bool { return len(s.Expect) > 0 || len(s.Asserts) > 0 }
	for _, s := range t.suites {
		for _, file := range s.suite.Files {
			for _, test := range file.Tests {
				if test.Capture == "" && !slices.ContainsFunc(test.Steps, expects) {
					t.warn(test.Range.internal(), "Test without expectations", "This test expects nothing: it only shows that its messages are forwarded. "+
						"Say what becomes of one of them, as in expect { unchanged = true }.")
				}
			}
		}
	}
}

// testLoad carries one load of tests over all the policies that they test.
type testLoad struct {
	*report
	opts   Options
	meter  *meter
	suites []*suiteReader
	// compiler is shared by the builds of the policies, which are alike.
	compiler *rules.Compiler
	// tests and builds are how many there are of them so far; stopped says that there
	// are too many, and that it is told.
	tests, builds int
	stopped       bool
	goldens       map[string]bool
}

// newLoader gives a loader that says what it has to say here.
func (t *testLoad) newLoader() *loader {
	l := newLoader(t.opts, t.report)
	l.meter, l.compiler = t.meter, t.compiler
	return l
}

// find finds the files of tests that a path stands for.
func (t *testLoad) find(path string) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		t.failNowhere("Tests not readable", "%s cannot be read: %s.", path, whyNot(err))
	case info.IsDir():
		t.search(path)
	case isTestFile(path):
		t.gather(filepath.Dir(path), []string{path}, false)
	case isPolicyFile(path):
		names, _ := t.list(filepath.Dir(path))
		t.gather(path, names, true)
	default:
		t.failNowhere("No policy and no tests", "%s is neither: policies are named *.hcl, and tests *.test.hcl.", path)
	}
}

// search gathers the tests of a directory, and then those beneath it.
func (t *testLoad) search(dir string) {
	names, dirs := t.list(dir)
	t.gather(dir, names, false)
	for _, inner := range dirs {
		t.search(inner)
	}
}

// list gives the files of tests in a directory and the directories in it, in the order
// of their names.
func (t *testLoad) list(dir string) (names, dirs []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.failNowhere("Tests not readable", "The directory %s cannot be read: %s.", dir, whyNot(err))
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir() && !strings.HasPrefix(e.Name(), "."):
			dirs = append(dirs, name)
		case !e.IsDir() && isTestFile(name):
			names = append(names, name)
		}
	}
	return names, dirs
}

// gather makes the suites of some files of tests: one for the policy at a path, with
// those that have none of their own, and one for each of the others, unless only the
// policy at the path is asked for.
func (t *testLoad) gather(path string, names []string, only bool) {
	shared := &suiteReader{load: t, path: path}
	var others []*suiteReader
	for _, name := range names {
		scout := t.newLoader()
		src := scout.parsed(name, nil)
		switch {
		case src == nil:
		case !src.hasPolicy():
			shared.tests = append(shared.tests, src)
		case !only:
			others = append(others, &suiteReader{load: t, path: name, tests: []*source{src}, own: true})
		}
	}
	if len(shared.tests) > 0 {
		t.suites = append(t.suites, shared)
	}
	t.suites = append(t.suites, others...)
}

// policyParts are the blocks and arguments that make a file of tests a policy of its
// own.
var policyParts = []string{"include", "drain_timeout", "variable", "locals", "pool", "ruleset", "proxy", "audit", "admin", "log", "rollout"}

// topArgument matches an argument at the beginning of a line.
var topArgument = regexp.MustCompile(`(?m)^(include|drain_timeout)[ \t]*=`)

// hasPolicy reports whether a file of tests has a policy in it. One that does not parse
// is judged by its lines.
func (s *source) hasPolicy() bool {
	if s.body == nil || s.broken {
		return topArgument.Match(s.bytes) || slices.ContainsFunc(s.blocks, func(b blockSpan) bool {
			return len(s.around(b.start)) == 1 && slices.Contains(policyParts, b.kind)
		})
	}
	for name := range s.body.Attributes {
		if slices.Contains(policyParts, name) {
			return true
		}
	}
	for _, b := range s.body.Blocks {
		if slices.Contains(policyParts, b.Type) {
			return true
		}
	}
	return false
}

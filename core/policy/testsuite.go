package policy

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/json"

	"github.com/loka-proxy/loka/rules"
)

// What tests may ask for is bounded, as what a policy may is.
const (
	// maxTests bounds the tests of one load, the instances of a for_each counted one by one.
	maxTests = 10_000
	// maxBuilds bounds how often policies are built, which each different choice of
	// values for their variables needs.
	maxBuilds = 1_000
	// maxTestBytes bounds the values of all tests and what the loops in them make, with
	// the policies, once for each time they are built.
	maxTestBytes = 128 << 20
)

// suiteReader reads the tests of one policy.
type suiteReader struct {
	load  *testLoad
	path  string
	tests []*source
	// own says that the policy is in the file of tests itself.
	own bool
	// files has read the files of the policy; each build makes a policy from them.
	files  *loader
	builds map[string]*build
	suite  Suite
}

// build is the policy under one choice of values for its variables.
type build struct {
	*loader
	// sound says that there was no mistake in it.
	sound     bool
	constants *rules.Scope
	scopes    map[*source]*scope
}

// testValues is what a block variables gives to the policy's variables, in the order of
// the file.
type testValues struct {
	attrs []*hcl.Attribute
	scope *scope
}

// read reads the policy's files, and then all tests.
func (s *suiteReader) read() {
	s.suite.Path = s.path
	s.builds = map[string]*build{}
	s.files = s.load.newLoader()
	s.files.tests = s.tests
	if s.own {
		s.readOwn(s.tests[0])
	} else {
		s.files.readPolicy(s.path)
	}
	s.files.hideRaw()
	if !s.files.readable() || len(s.files.files) == 0 {
		return
	}
	for _, src := range s.tests {
		if !src.broken {
			s.readFile(src)
		}
	}
}

// readOwn reads the policy that is in a file of tests.
func (s *suiteReader) readOwn(src *source) {
	l := s.files
	l.root = filepath.Dir(src.name)
	l.inputs.add(src.name, src.bytes)
	l.take(src)
}

// readFile reads the tests of one file.
func (s *suiteReader) readFile(src *source) {
	s.files.hideValues(src.body)
	content, _ := s.files.contentOf(src.body, testFileBlock)
	r := &testReader{suite: s, src: src, file: &TestFile{Name: src.name}, names: map[string]hcl.Range{}}
	r.values = r.variables(content.Blocks, nil)
	for _, b := range content.Blocks.OfType("test") {
		r.readTest(b)
	}
	if len(r.file.Tests) > 0 {
		s.suite.Files = append(s.suite.Files, r.file)
	}
}

// under gives the policy under the values that a test gives to its variables, or nil
// when there are too many to build. Tests that give the same values share it, unless
// something is wrong with it: then each is told of its own values.
func (s *suiteReader) under(values []testValues, at hcl.Range) *build {
	key, places := s.keys(values)
	if b := s.builds[key]; b != nil && b.sound {
		return b
	}
	if b := s.builds[key+places]; b != nil {
		return b
	}
	if s.load.builds == maxBuilds {
		s.load.stop(at, "Too many values for variables", "Each different choice of values for the variables of a policy is a policy of its own, "+
			"and this is number %d of the tests at hand. Test one directory at a time, or give the same values to several tests.", maxBuilds+1)
		return nil
	}
	s.load.builds++
	b := s.build(values)
	s.builds[key], s.builds[key+places] = b, b
	return b
}

func (s *suiteReader) build(values []testValues) *build {
	l := s.load.newLoader()
	l.inputs, l.root, l.isDirectory = s.files.inputs, s.files.root, s.files.isDirectory
	l.files, l.autoVars, l.tests, l.values = s.files.files, s.files.autoVars, s.tests, values
	for _, src := range l.files {
		s.load.meter.spent += len(src.bytes)
	}
	l.build()
	b := &build{loader: l, sound: !l.diags[l.from:].HasErrors(), constants: l.policyConstants(), scopes: map[*source]*scope{}}
	l.policy.Hash = l.hash()
	l.compact()
	return b
}

// keys gives what tells the values of a test from those of another, and their places.
func (s *suiteReader) keys(values []testValues) (key, places string) {
	last := map[string]string{}
	for _, given := range values {
		for _, attr := range given.attrs {
			s.load.meter.reset()
			value, diags := attr.Expr.Value(given.scope.EvalContext)
			text := "?"
			if !diags.HasErrors() && value.IsWhollyKnown() && !value.ContainsMarked() {
				if encoded, err := json.Marshal(value, cty.DynamicPseudoType); err == nil {
					text = fmt.Sprintf("%x", sha256.Sum256(encoded))
				}
			}
			last[attr.Name] = text
			places += position(attr.Range) + " "
		}
	}
	var parts []string
	for _, name := range sortedNames(last) {
		parts = append(parts, name+" = "+last[name])
	}
	return strings.Join(parts, "\n") + "\n", places
}

// scopeOfTests is what the tests of a file can name.
func (b *build) scopeOfTests(src *source) *scope {
	s := b.scopes[src]
	if s == nil {
		s = b.policyScope(src, lateLocals)
		s.Variables["proxy"] = b.proxies.object()
		b.scopes[src] = s
	}
	return s
}

// stop reports that there is too much of something, once, and ends the reading of tests.
func (t *testLoad) stop(at hcl.Range, summary, detail string, args ...any) {
	if !t.stopped {
		t.fail(at, summary, detail, args...)
	}
	t.stopped = true
}

// finish makes the suite and its policies complete.
func (s *suiteReader) finish() *Suite {
	names, secrets := slices.Clone(s.files.inputs.names), s.load.quoted()
	for _, b := range s.builds {
		b.policy.Files = names
		b.policy.secrets = secrets
	}
	for _, src := range s.tests {
		s.suite.addInput(src.name)
	}
	s.suite.Inputs = append(names[:len(names):len(names)], slices.DeleteFunc(s.suite.Inputs, func(name string) bool {
		return slices.Contains(names, name)
	})...)
	return &s.suite
}

func (s *Suite) addInput(name string) {
	if !slices.Contains(s.Inputs, name) {
		s.Inputs = append(s.Inputs, name)
	}
}

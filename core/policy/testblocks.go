package policy

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// What a test has that does not say otherwise.
var (
	defaultClient   = Client{IP: clientBlock.arg("ip").text(), Port: clientBlock.arg("port").number()}
	defaultClock, _ = time.Parse(time.RFC3339, testBlock.arg("clock").text())
)

// testReader reads the tests of one file.
type testReader struct {
	suite *suiteReader
	src   *source
	file  *TestFile
	// values is what the file gives to the variables of the policy.
	values []testValues
	// names are the names of tests, with the places where they are given.
	names map[string]hcl.Range
}

// readTest reads one block test: one test or, with for_each, one for each element.
func (r *testReader) readTest(b *hcl.Block) {
	l := r.suite.files
	content, _ := l.contentOf(b.Body, testBlock)
	r.checkName(b)
	r.checkSingle(content.Blocks)
	elements, many, ok := r.elements(content)
	if !ok {
		return
	}
	if many && len(elements) == 0 {
		l.warn(b.DefRange, "Test without instances", "The for_each of this test is empty, so nothing is tested.")
	}
	if r.tooMany(b, len(elements)) {
		return
	}
	for _, key := range sortedNames(elements) {
		name, each := b.Labels[0], cty.NilVal
		if many {
			name += " [" + quoteKey(key) + "]"
			each = cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal(key), "value": elements[key]})
		}
		if !r.readInstance(b, content, name, each) {
			return
		}
	}
}

// checkName makes sure that a test can be told from the others by its name.
func (r *testReader) checkName(b *hcl.Block) {
	l, name, at := r.suite.files, b.Labels[0], b.LabelRanges[0]
	if strings.TrimSpace(name) == "" || len(name) > 200 || strings.ContainsFunc(name, unicode.IsControl) {
		l.fail(at, "Malformed name", "The name of a test is one line of text, of 200 bytes at most.")
		return
	}
	if first, taken := r.names[name]; taken {
		l.fail(at, "Name given twice", "There is another test %q in this file, at %s.", name, position(first))
		return
	}
	r.names[name] = at
}

// checkSingle makes sure that there is at most one of the blocks that are no steps.
func (r *testReader) checkSingle(blocks hcl.Blocks) {
	for _, kind := range []string{"client", "variables"} {
		list := blocks.OfType(kind)
		for i := 1; i < len(list); i++ {
			r.suite.files.fail(list[i].DefRange, "Block given twice", "A test has one block %s, and there is one at %s.", kind, position(list[0].DefRange))
		}
	}
}

// elements gives the elements of a test's for_each, by their keys. A test without one is
// a single element.
//
// The for_each is evaluated under the values that the test gives to variables, unless
// these depend on the element. Then it sees those of the file.
func (r *testReader) elements(content *hcl.BodyContent) (elements map[string]cty.Value, many, ok bool) {
	forEach := content.Attributes["for_each"]
	if forEach == nil {
		return map[string]cty.Value{"": cty.NilVal}, false, true
	}
	l, s := r.suite.files, r.constants(cty.NilVal)
	if len(forEach.Expr.Variables()) > 0 {
		values := r.values
		if !namesEach(content.Blocks.OfType("variables")) {
			values = append(values[:len(values):len(values)], r.variables(content.Blocks, s)...)
		}
		b := r.suite.under(values, forEach.Expr.Range())
		if b == nil {
			return nil, true, false
		}
		l, s = b.loader, b.scopeOfTests(r.src)
	}
	elements, ok = l.elements(forEach, s)
	return elements, true, ok
}

func namesEach(blocks hcl.Blocks) bool {
	for _, b := range blocks {
		attrs, _ := b.Body.JustAttributes()
		for _, attr := range attrs {
			for _, traversal := range attr.Expr.Variables() {
				if traversal.RootName() == "each" {
					return true
				}
			}
		}
	}
	return false
}

// constants is the scope of values for variables: functions, and each.
func (r *testReader) constants(each cty.Value) *scope {
	names := map[string]cty.Value{}
	if each != cty.NilVal {
		names["each"] = each
	}
	return r.suite.files.scopeOf(r.src, names)
}

// variables reads the first block variables among some blocks.
func (r *testReader) variables(blocks hcl.Blocks, s *scope) []testValues {
	if s == nil {
		s = r.constants(cty.NilVal)
	}
	list := blocks.OfType("variables")
	if len(list) == 0 {
		return nil
	}
	attrs, diags := list[0].Body.JustAttributes()
	r.suite.files.add(diags)
	return []testValues{{attrs: inOrder(attrs), scope: s}}
}

// tooMany counts tests, and reports whether there are too many of them.
func (r *testReader) tooMany(b *hcl.Block, more int) bool {
	load := r.suite.load
	load.tests += more
	if load.tests > maxTests {
		load.stop(b.DefRange, "Too many tests", "There are more than %d tests here, each instance of a for_each counted. Test one directory at a time.", maxTests)
	}
	return load.stopped
}

// readInstance reads one test. It gives false when there is too much to read.
func (r *testReader) readInstance(b *hcl.Block, content *hcl.BodyContent, name string, each cty.Value) bool {
	if load := r.suite.load; load.meter.spent > maxTestBytes {
		load.stop(b.DefRange, "Tests too large", "The values of all tests, with what the loops in them make and the policies that they test, are bounded to 128 MiB. Test one directory at a time.")
		return false
	}
	values := append(r.values[:len(r.values):len(r.values)], r.variables(content.Blocks, r.constants(each))...)
	policy := r.suite.under(values, b.DefRange)
	if policy == nil {
		return false
	}
	s := policy.scopeOfTests(r.src)
	if each != cty.NilVal {
		s = s.with("each", each)
	}
	t := &instanceReader{
		build: policy, suite: &r.suite.suite, goldens: r.suite.load.goldens, src: r.src, scope: s,
		test: &Test{Name: name, File: r.src.name, Range: *publicRange(b.DefRange), Policy: policy.policy, Client: defaultClient, Clock: defaultClock},
	}
	t.read(b, content)
	r.file.Tests = append(r.file.Tests, t.test)
	return true
}

// instanceReader reads one test under one build of the policy.
type instanceReader struct {
	*build
	suite *Suite
	// goldens are the golden files of all tests so far.
	goldens map[string]bool
	src     *source
	scope   *scope
	test    *Test
}

func (r *instanceReader) read(b *hcl.Block, content *hcl.BodyContent) {
	args := arguments{r.loader, testBlock, r.scope, content.Attributes}
	r.readProxy(b, args)
	r.readClock(args)
	if clients := content.Blocks.OfType("client"); len(clients) > 0 {
		r.readClient(clients[0])
	}
	r.test.Figures = r.readFigures(content.Blocks)
	r.readCapture(args)
	for _, inner := range content.Blocks {
		if isRule(inner) {
			r.readStep(inner)
		}
	}
	r.checkContents(b, args)
}

// checkContents makes sure that a test has either steps or a capture.
func (r *instanceReader) checkContents(b *hcl.Block, args arguments) {
	capture, golden := args.attrs["capture"], args.attrs["golden"]
	switch {
	case capture != nil && len(r.test.Steps) > 0:
		r.fail(capture.NameRange, "Capture and steps", "A test has steps or replays a capture, and this has both. Make it two tests.")
	case capture == nil && golden != nil:
		r.fail(golden.NameRange, "Golden without a capture", "golden holds what becomes of a capture, and this test has none.")
	case capture == nil && len(r.test.Steps) == 0 && !triesSteps(b):
		r.fail(b.DefRange, "Empty test", "This tests nothing. It needs a step, as in\n\n"+
			"    request \"mining.authorize\" {\n      params = [\"john.test\", \"x\"]\n      expect { unchanged = true }\n    }\n\n"+
			"or a recorded session to replay, as in capture = \"session.jsonl\".")
	}
}

// triesSteps reports whether a test without steps has blocks that were meant to be some:
// what is wrong with them was said.
func triesSteps(b *hcl.Block) bool {
	body, ok := b.Body.(*hclsyntax.Body)
	return ok && slices.ContainsFunc(body.Blocks, func(inner *hclsyntax.Block) bool {
		return !slices.Contains([]string{"client", "variables", upstreamBlock.name, statsBlock.name}, inner.Type)
	})
}

// readProxy finds the proxy that the miner connects to. A policy with one proxy leaves
// no choice.
func (r *instanceReader) readProxy(b *hcl.Block, args arguments) {
	if attr := args.attrs["proxy"]; attr != nil {
		r.test.Proxy = r.proxies.named(r.loader, attr, r.scope)
		return
	}
	addresses := r.proxies.addresses()
	switch {
	case len(addresses) == 1:
		r.test.Proxy = r.policy.Proxies[0]
	case len(addresses) > 1:
		r.fail(b.DefRange, "Test without a proxy", "This policy has more than one proxy, so a test says to which of them the miner connects, as in proxy = %s.\n\n%s",
			r.proxies.example(), listed("Proxies", addresses))
	}
}

func (r *instanceReader) readClock(args arguments) {
	value, ok := args.value("clock", cty.String)
	if !ok {
		return
	}
	clock, err := time.Parse(time.RFC3339, value.AsString())
	if err != nil {
		r.fail(args.at("clock"), "Wrong clock", "clock is a date and a time as in \"2026-01-01T00:00:00Z\" or \"2026-07-01T14:30:00+02:00\".")
		return
	}
	r.test.Clock = clock
}

func (r *instanceReader) readClient(b *hcl.Block) {
	content, _ := r.contentOf(b.Body, clientBlock)
	args := arguments{r.loader, clientBlock, r.scope, content.Attributes}
	client := &r.test.Client
	client.Port = args.number("port")
	client.Agent = args.text("agent")
	value, ok := args.value("ip", cty.String)
	if !ok {
		return
	}
	ip, err := netip.ParseAddr(value.AsString())
	if err != nil || ip.Zone() != "" {
		r.fail(args.at("ip"), "Wrong IP address", "ip is an IPv4 or IPv6 address without a port, as in \"10.1.2.3\" or \"2001:db8::1\".")
		return
	}
	client.IP, client.Named = ip.Unmap().String(), true
}

// readCapture finds the recorded session that a test replays. What is in it is not read
// here; of the golden file, it may be that there is none yet.
func (r *instanceReader) readCapture(args arguments) {
	if name, ok := r.fileNamed(args, "capture"); ok {
		if err := regular(name); err != nil {
			r.failFile(name, whyNot(err), rangeOf(args, "capture"))
			return
		}
		r.test.Capture = name
		r.suite.addInput(name)
	}
	if name, ok := r.fileNamed(args, "golden"); ok {
		if err := regular(name); err != nil && whyNot(err) != notThere {
			r.failFile(name, whyNot(err), rangeOf(args, "golden"))
			return
		}
		r.test.Golden = name
		r.checkGolden(name, args)
		r.suite.addInput(name)
	}
}

// checkGolden makes sure that a golden file is nothing else as well: it is written by the
// program.
func (r *instanceReader) checkGolden(name string, args arguments) {
	other := ""
	switch {
	case name == r.test.Capture:
		other = "the capture itself. Leave golden out, and the capture is what is compared with"
	case r.goldens[name]:
		other = "the golden file of another test"
	case slices.Contains(r.inputs.names, name) || slices.Contains(r.suite.Inputs, name) && filepath.Ext(name) == ".hcl":
		other = "a file of the policy or of its tests"
	}
	if other != "" {
		r.fail(args.at("golden"), "Golden file with another use", "This is %s. A golden file is written by loka, so it needs a name of its own.", other)
	}
	r.goldens[name] = true
}

// fileNamed reads the name of a file, which is relative to the file of tests.
func (r *instanceReader) fileNamed(args arguments, name string) (full string, ok bool) {
	value, ok := args.value(name, cty.String)
	if !ok {
		return "", false
	}
	if strings.TrimSpace(value.AsString()) == "" {
		r.fail(args.at(name), "Wrong value", "%s is the name of a file, and this is empty.", name)
		return "", false
	}
	return beside(r.src, value.AsString()), true
}

func rangeOf(args arguments, name string) *hcl.Range {
	at := args.at(name)
	return &at
}

package policy

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/loka-proxy/loka/rules"
)

// stepReader reads one step of a test.
type stepReader struct {
	*instanceReader
	args arguments
	step *Step
}

// readStep reads one step. A mistake in one part of it leaves the others to be checked.
func (r *instanceReader) readStep(b *hcl.Block) {
	kind := ruleKinds[b.Type]
	content, _ := r.contentOf(b.Body, looseSteps[kind])
	s := &stepReader{r, arguments{r.loader, stepBlocks[kind], r.scope, content.Attributes}, &Step{Kind: kind, Title: b.Type, Range: *publicRange(b.DefRange)}}
	if len(b.Labels) > 0 {
		s.step.Method = b.Labels[0]
		s.step.Title += " " + quoteKey(b.Labels[0])
		s.checkMethod(b)
	}
	if kind == rules.Connect && len(r.test.Steps) > 0 {
		r.fail(b.DefRange, "Connect is not first", "A miner connects once, before its first message: connect is the first step of a test or is left out.")
	}
	s.checkArguments(b)
	s.readMessage()
	s.step.Figures = s.readFigures(content.Blocks)
	s.readBlocks(b, content)
	r.test.Steps = append(r.test.Steps, s.step)
}

// checkMethod makes sure that the label is the method of one message.
func (s *stepReader) checkMethod(b *hcl.Block) {
	at, method := b.LabelRanges[0], s.step.Method
	switch {
	case strings.HasSuffix(method, "*"):
		s.fail(at, "Wrong method", "A step is one message, so its method is written in full.")
	case method == "" || strings.ContainsFunc(method, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '"' || r == '\\' }):
		s.fail(at, "Wrong method", "A method is a word such as \"mining.submit\", without blanks and quotes. For a message with any other, give the whole of it by line.")
	default:
		s.doubtMethod(b, stepDoubts)
	}
}

// checkArguments takes out what is no part of a step's message.
func (s *stepReader) checkArguments(b *hcl.Block) {
	own := stepBlocks[s.step.Kind].names()
	for _, attr := range inOrder(s.args.attrs) {
		if slices.Contains(own, attr.Name) {
			continue
		}
		delete(s.args.attrs, attr.Name)
		detail := fmt.Sprintf("A %s has no %s here.", b.Type, attr.Name)
		switch {
		case s.step.Kind == rules.Response && attr.Name == "line":
			detail = "The line of a response has the id of its request, which the proxy may have changed, so a response is given by result and error."
		case slices.Contains(expectBlocks[s.step.Kind].names(), attr.Name):
			detail += " What is expected of it goes into its block expect."
		}
		s.fail(attr.NameRange, "Argument out of place", "%s\n\n%s", detail, listed("Arguments of a "+b.Type, own))
	}
}

// readMessage reads the parts of the message.
func (s *stepReader) readMessage() {
	s.step.Params, _ = s.plainArgument("params")
	s.step.Result, _ = s.plainArgument("result")
	s.step.Error, _ = s.plainArgument("error")
	if s.args.attrs["after"] != nil {
		s.step.After = s.args.duration("after")
	}
	line := s.args.attrs["line"]
	if line == nil {
		return
	}
	s.step.Line = s.line(s.args)
	s.doubtLine(line.Expr.Range())
	if params := s.args.attrs["params"]; params != nil {
		s.fail(params.NameRange, "Line and params", "line is the whole message, with its params. Give one of the two.")
	}
}

// doubtLine warns of a line with another method than the step's. The line is what is sent,
// and the rest of the step is about the other message.
func (s *stepReader) doubtLine(at hcl.Range) {
	var message struct {
		Method string `json:"method"`
	}
	err := json.Unmarshal([]byte(s.step.Line), &message)
	if err == nil && message.Method != "" && s.step.Method != "" && message.Method != s.step.Method {
		s.warn(at, "Line of another method", "The method in this line is %q, and that of the step is %q. What is sent is the line, so give the step its method, or mend the line.", message.Method, s.step.Method)
	}
}

// plainArgument reads an argument that may be anything that JSON has.
func (s *stepReader) plainArgument(name string) (value any, ok bool) {
	attr := s.args.attrs[name]
	if attr == nil {
		return nil, false
	}
	return s.plain(attr)
}

func (s *stepReader) plain(attr *hcl.Attribute) (value any, ok bool) {
	at := attr.Expr.Range()
	found := s.bounded(attr.Name, s.eval(attr.Expr, s.scope), &at)
	s.meter.spent += sizeOf(found, maxValueBytes)
	if !found.IsWhollyKnown() {
		return nil, false
	}
	value = plain(found)
	if !isFinite(value) {
		s.fail(at, "Number too large", "A message has no number as large as one of these.")
		return nil, false
	}
	return value, true
}

// isFinite reports whether all numbers of a value can be written in JSON.
func isFinite(value any) bool {
	switch value := value.(type) {
	case float64:
		return !math.IsInf(value, 0)
	case []any:
		for _, element := range value {
			if !isFinite(element) {
				return false
			}
		}
	case map[string]any:
		for _, element := range value {
			if !isFinite(element) {
				return false
			}
		}
	}
	return true
}

// line reads the argument line: a whole line, without its end. That of a heredoc, in
// which a line is best written, is taken off.
func (s *stepReader) line(args arguments) string {
	value, ok := args.value("line", cty.String)
	if !ok {
		return ""
	}
	text := value.AsString()
	s.meter.spent += len(text)
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	switch {
	case text == "":
		s.fail(args.at("line"), "Wrong line", "line is a whole message, and this is empty.")
	case strings.Contains(text, "\n"):
		s.fail(args.at("line"), "Wrong line", "line is one line, and this has a line break in it. Each further message is a step of its own.")
	}
	return text
}

// readBlocks reads what is expected of the step.
func (s *stepReader) readBlocks(b *hcl.Block, content *hcl.BodyContent) {
	expects := content.Blocks.OfType("expect")
	for i, inner := range expects {
		if i > 0 {
			s.fail(inner.DefRange, "Block given twice", "A step has one block expect, and there is one at %s.", position(expects[0].DefRange))
			continue
		}
		s.readExpect(inner)
	}
	for _, inner := range content.Blocks.OfType("assert") {
		s.readAssert(b, inner)
	}
}

// readAssert reads a condition and compiles it as that of a rule for the step's message.
func (s *stepReader) readAssert(b, inner *hcl.Block) {
	content, _ := s.contentOf(inner.Body, assertBlock)
	args := arguments{s.loader, assertBlock, s.scope, content.Attributes}
	assert := &Assert{Message: args.text("error_message"), Range: *publicRange(inner.DefRange)}
	if args.isGiven("error_message") && strings.TrimSpace(assert.Message) == "" {
		s.fail(args.at("error_message"), "Wrong error_message", "error_message says what is wrong when the condition is false, and this is empty.")
	}
	attr := args.attrs["condition"]
	if attr == nil {
		return
	}
	condition, ok := s.expression(s.src, attr)
	if !ok {
		return
	}
	origin := &place{src: s.src, rng: inner.DefRange, parts: map[string]hcl.Range{}}
	if len(b.LabelRanges) > 0 {
		origin.parts["method"] = b.LabelRanges[0]
	}
	assert.Program = s.compile([]rules.Rule{{
		Address: s.step.Title, Kind: s.step.Kind, Method: s.step.Method,
		When: &condition, Scope: s.constants, Origin: origin,
	}})
	s.step.Asserts = append(s.step.Asserts, assert)
}

package policy

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// source is one file of a policy, as it was read.
type source struct {
	// name is the file's name as the operator would write it.
	name  string
	bytes []byte
	body  *hclsyntax.Body
	// reported holds the values that could not be read and of which everything is
	// said; see repair.
	reported []hcl.Range
	// unfolded says that a block on one line was read as if it were on several, and folds
	// holds what was taken out of such blocks; see unfold.
	unfolded bool
	folds    []fold
	// broken says that the file, or one that it includes, could not be read, so that
	// nothing else can be said.
	broken bool
	// included says that another file asked for this one. The rulesets and locals of such
	// a file are there for whoever wants them.
	included bool

	blocks []blockSpan
}

// lex finds the blocks of the file, and tells whether it can be parsed. It is given
// the bytes again when a part of them was found to be broken.
func (s *source) lex(content []byte) (parseable bool) {
	tokens, _ := hclsyntax.LexConfig(content, s.name, hcl.InitialPos)
	s.blocks = findBlocks(tokens, len(content))
	return !tooDeep(tokens)
}

// top is what the file has at its top.
func (s *source) top() *blockType {
	if isTestFile(s.name) {
		return testFileBlock
	}
	return policyBlock
}

// blockSpan is the piece of a file that one block takes, from the first letter of its
// type to its closing brace.
type blockSpan struct {
	start, end int
	kind       string
	labels     []string
}

func (b blockSpan) String() string {
	parts := []string{b.kind}
	for _, label := range b.labels {
		parts = append(parts, `"`+label+`"`)
	}
	return strings.Join(parts, " ")
}

// around lists the blocks around a byte of the file, the outermost first. It works on
// the tokens and not on the parsed file, because a place in a file that does not
// parse needs its blocks named more than any other.
func (s *source) around(at int) []blockSpan {
	var chain []blockSpan
	for _, b := range s.blocks {
		if b.start <= at && at < b.end {
			chain = append(chain, b)
		}
	}
	return chain
}

// context names the blocks around a byte of the file. Inner blocks without a label
// say nothing that the quoted line does not.
func (s *source) context(at int) string {
	var parts []string
	for i, b := range s.around(at) {
		if i == 0 || len(b.labels) > 0 {
			parts = append(parts, b.String())
		}
	}
	return strings.Join(parts, ", ")
}

// blockFinder walks over the tokens of a file. open holds the blocks that are not
// closed yet, by their numbers in found, and -1 for any other brace.
type blockFinder struct {
	found []blockSpan
	open  []int
	head  *blockSpan
	fresh bool // the next token begins a line or a body
}

func findBlocks(tokens hclsyntax.Tokens, size int) []blockSpan {
	f := blockFinder{fresh: true}
	for _, tok := range tokens {
		f.token(tok)
	}
	for _, i := range f.open {
		if i >= 0 {
			f.found[i].end = size + 1
		}
	}
	return f.found
}

func (f *blockFinder) token(tok hclsyntax.Token) {
	switch tok.Type {
	case hclsyntax.TokenIdent:
		if f.fresh {
			f.head = &blockSpan{start: tok.Range.Start.Byte, kind: string(tok.Bytes)}
		} else if f.head != nil {
			f.head.labels = append(f.head.labels, string(tok.Bytes))
		}
	case hclsyntax.TokenQuotedLit:
		if f.head != nil {
			f.head.labels = append(f.head.labels, string(tok.Bytes))
		}
	case hclsyntax.TokenOQuote, hclsyntax.TokenCQuote, hclsyntax.TokenComment:
	case hclsyntax.TokenOBrace:
		f.opened()
		return
	case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		f.head = nil
		f.opened()
		return
	case hclsyntax.TokenCBrace, hclsyntax.TokenTemplateSeqEnd:
		f.closed(tok.Range.End.Byte)
	default:
		f.head = nil
	}
	f.fresh = tok.Type == hclsyntax.TokenNewline || f.fresh && tok.Type == hclsyntax.TokenComment ||
		tok.Type == hclsyntax.TokenComment && bytes.HasSuffix(tok.Bytes, []byte("\n"))
}

func (f *blockFinder) opened() {
	number := -1
	if f.head != nil {
		number = len(f.found)
		f.found = append(f.found, *f.head)
	}
	f.open = append(f.open, number)
	f.head, f.fresh = nil, true
}

func (f *blockFinder) closed(at int) {
	f.head = nil
	if len(f.open) == 0 {
		return
	}
	if number := f.open[len(f.open)-1]; number >= 0 {
		f.found[number].end = at
	}
	f.open = f.open[:len(f.open)-1]
}

// line gives the line of the file that holds a byte, and where it begins.
func (s *source) line(at int) (text string, start int) {
	at = min(max(at, 0), len(s.bytes))
	start = bytes.LastIndexByte(s.bytes[:at], '\n') + 1
	end := len(s.bytes)
	if i := bytes.IndexByte(s.bytes[start:], '\n'); i >= 0 {
		end = start + i
	}
	return strings.TrimSuffix(string(s.bytes[start:end]), "\r"), start
}

// pos gives line and column of a byte of the file. Columns count characters as a
// reader sees them (grapheme clusters), as HCL's own do.
func (s *source) pos(at int) hcl.Pos {
	at = min(max(at, 0), len(s.bytes))
	start := bytes.LastIndexByte(s.bytes[:at], '\n') + 1
	pos := hcl.Pos{Line: bytes.Count(s.bytes[:start], []byte("\n")) + 1, Column: 1, Byte: at}
	whole := func(data []byte, _ bool) (int, []byte, error) { return len(data), data, nil }
	scanner := hcl.NewRangeScanner(s.bytes[start:at], s.name, whole)
	if scanner.Scan() {
		pos.Column = scanner.Range().End.Column
	}
	return pos
}

// between gives the range from one byte to another.
func (s *source) between(from, to int) hcl.Range {
	return hcl.Range{Filename: s.name, Start: s.pos(from), End: s.pos(max(from, to))}
}

// snippet quotes the first line of a range.
func (s *source) snippet(rng hcl.Range) *Snippet {
	code, start := s.line(rng.Start.Byte)
	if !utf8.ValidString(code) {
		code = strings.ToValidUTF8(code, "?")
	}
	from := min(max(rng.Start.Byte-start, 0), len(code))
	to := min(max(rng.End.Byte-start, from), len(code))
	return &Snippet{
		Context:        s.context(rng.Start.Byte),
		Code:           code,
		StartLine:      rng.Start.Line,
		HighlightStart: utf8.RuneCountInString(code[:from]),
		HighlightEnd:   utf8.RuneCountInString(code[:to]),
	}
}

// head is the head of the first block of the file, for what is wrong with all of it.
func (s *source) head() hcl.Range {
	if len(s.blocks) == 0 {
		return s.between(0, 0)
	}
	first := s.blocks[0]
	line, start := s.line(first.start)
	return s.between(first.start, start+len(strings.TrimRight(line, " \t{}")))
}

// quote gives the source of a range.
func (s *source) quote(rng hcl.Range) string {
	if !rng.CanSliceBytes(s.bytes) {
		return ""
	}
	return string(rng.SliceBytes(s.bytes))
}

func (s *source) wasReported(rng hcl.Range) bool {
	for _, r := range s.reported {
		if r.Start.Byte <= rng.Start.Byte && rng.Start.Byte <= r.End.Byte {
			return true
		}
	}
	return false
}

// unsound reports whether the file does not parse as it stands.
func (s *source) unsound() bool { return s.broken || s.unfolded || len(s.reported) > 0 }

func position(rng hcl.Range) string {
	return fmt.Sprintf("%s:%d:%d", rng.Filename, rng.Start.Line, rng.Start.Column)
}

package policy

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// HCL has a block on one line for one argument alone, as in set { user = "x" }. Whoever
// writes more on the line, as in request "mining.ping" "p" { drop {} }, means what it
// says. So it is reported, with how it is written, and then read as if it were.

// fold is the content of such a block, which was taken out of the file: it is put back
// into the block whose brace is at a byte of the file.
type fold struct {
	brace int
	body  *hclsyntax.Body
}

// piece is one argument or block of several on a line, with the tokens that it is of. A
// block has pieces in it.
type piece struct {
	tokens hclsyntax.Tokens
	block  bool
	head   int // how many of the tokens come before the brace
	inner  []piece
}

// unfold looks for a block on one line with more in it than one argument. It is reported,
// read, and taken out of the file.
func (l *loader) unfold(src *source, work []byte, diags hcl.Diagnostics) ([]byte, bool) {
	for _, d := range placed(diags) {
		whole := source{name: src.name, bytes: work}
		code, start := whole.line(d.Subject.Start.Byte)
		p, ok := onePiece(code, src.name, whole.pos(start))
		if !ok || !p.folded() {
			continue
		}
		at := hcl.RangeBetween(p.tokens[0].Range, p.tokens[len(p.tokens)-1].Range)
		summary, detail := "Several arguments on one line", "A block on one line has one argument. With more, each goes on a line of its own:"
		if slices.ContainsFunc(p.inner, func(inner piece) bool { return inner.block }) {
			summary, detail = "Block inside a block on one line", "A block inside a block goes on a line of its own:"
		}
		l.fail(at, summary, "%s\n\n%s", detail, p.written("    ", false))
		src.unfolded = true
		fixed := bytes.Clone(work)
		l.takeOut(&p, src, fixed)
		return fixed, true
	}
	return nil, false
}

// onePiece reads a line that is a whole block, with its braces.
func onePiece(code, name string, at hcl.Pos) (p piece, ok bool) {
	tokens, diags := hclsyntax.LexConfig([]byte(code), name, at)
	if diags.HasErrors() {
		return piece{}, false
	}
	for len(tokens) > 0 {
		last := tokens[len(tokens)-1].Type
		if last != hclsyntax.TokenEOF && last != hclsyntax.TokenNewline && last != hclsyntax.TokenComment {
			break
		}
		tokens = tokens[:len(tokens)-1]
	}
	list, ok := pieces(tokens)
	if !ok || len(list) != 1 || !list[0].block {
		return piece{}, false
	}
	return list[0], true
}

// pieces reads arguments and blocks that stand one after the other.
func pieces(tokens hclsyntax.Tokens) (list []piece, ok bool) {
	for len(tokens) > 0 {
		if kind := tokens[0].Type; len(list) > 0 && (kind == hclsyntax.TokenComma || kind == hclsyntax.TokenSemicolon) {
			tokens = tokens[1:]
			continue
		}
		p, rest, ok := firstPiece(tokens)
		if !ok {
			return nil, false
		}
		list, tokens = append(list, p), rest
	}
	return list, true
}

func firstPiece(tokens hclsyntax.Tokens) (p piece, rest hclsyntax.Tokens, ok bool) {
	if len(tokens) < 2 || tokens[0].Type != hclsyntax.TokenIdent {
		return p, nil, false
	}
	if tokens[1].Type == hclsyntax.TokenEqual {
		end := valueEndOf(tokens)
		return piece{tokens: tokens[:end]}, tokens[end:], end > 2
	}
	head := 1
	for head+2 < len(tokens) && tokens[head].Type == hclsyntax.TokenOQuote && tokens[head+2].Type == hclsyntax.TokenCQuote {
		head += 3
	}
	end := closing(tokens, head)
	if end == 0 || tokens[head].Type != hclsyntax.TokenOBrace {
		return p, nil, false
	}
	inner, ok := pieces(tokens[head+1 : end])
	return piece{tokens: tokens[:end+1], block: true, head: head, inner: inner}, tokens[end+1:], ok
}

// depthOf tells how much deeper a token leads into brackets and texts.
func depthOf(kind hclsyntax.TokenType) int {
	switch kind {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		return 1
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenTemplateSeqEnd:
		return -1
	}
	return 0
}

// closing gives the token that closes what the token at a number opens, or 0.
func closing(tokens hclsyntax.Tokens, from int) int {
	depth := 0
	for i := from; i < len(tokens); i++ {
		depth += depthOf(tokens[i].Type)
		if depth == 0 {
			return i
		}
	}
	return 0
}

// valueEndOf gives the end of an argument: where its value is complete and the next name
// begins, or a comma. It is 0 when the value has no end here.
func valueEndOf(tokens hclsyntax.Tokens) int {
	depth, complete := 0, false
	for i := 2; i < len(tokens); i++ {
		kind := tokens[i].Type
		if depth == 0 && (kind == hclsyntax.TokenComma || kind == hclsyntax.TokenSemicolon || complete && kind == hclsyntax.TokenIdent) {
			return i
		}
		if kind == hclsyntax.TokenOHeredoc || kind == hclsyntax.TokenInvalid || kind == hclsyntax.TokenNewline {
			return 0
		}
		depth += depthOf(kind)
		if depth < 0 {
			return 0
		}
		complete = depth == 0 && (kind == hclsyntax.TokenIdent || kind == hclsyntax.TokenNumberLit || depthOf(kind) < 0)
	}
	if depth != 0 {
		return 0
	}
	return len(tokens)
}

// folded reports whether a piece is a block with more in it than one argument.
func (p *piece) folded() bool {
	return len(p.inner) > 1 || len(p.inner) == 1 && p.inner[0].block
}

// withValues are the blocks whose arguments may be secrets.
var withValues = []string{"variable", "variables", "use", "admin", "locals"}

// written writes a piece as it should be. A value that may be a secret is left out.
func (p *piece) written(margin string, bare bool) string {
	if !p.block && bare {
		return margin + string(p.tokens[0].Bytes) + " = …\n"
	}
	bare = bare || slices.Contains(withValues, string(p.tokens[0].Bytes))
	if !p.folded() && !(bare && len(p.inner) > 0) {
		return margin + spelled(p.tokens) + "\n"
	}
	text := margin + spelled(p.tokens[:p.head+1]) + "\n"
	for i := range p.inner {
		text += p.inner[i].written(margin+"  ", bare)
	}
	return text + margin + "}\n"
}

// spelled gives the source of tokens that stand on one line. A value that was emptied is
// left out: something was said of it already.
func spelled(tokens hclsyntax.Tokens) string {
	var b strings.Builder
	for i, tok := range tokens {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", tok.Range.Start.Byte-tokens[i-1].Range.End.Byte))
		}
		if tok.Type == hclsyntax.TokenQuotedLit && strings.TrimSpace(string(tok.Bytes)) == "" {
			b.WriteString("…")
			continue
		}
		b.Write(tok.Bytes)
	}
	return b.String()
}

// takeOut takes what is in a block out of the file, and keeps it for putBack. The pieces
// are parsed one by one, at their own places.
func (l *loader) takeOut(p *piece, src *source, work []byte) {
	if !p.folded() {
		return
	}
	body := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}}
	for i := range p.inner {
		inner := &p.inner[i]
		l.takeOut(inner, src, work)
		from, to := inner.tokens[0].Range.Start, inner.tokens[len(inner.tokens)-1].Range.End
		file, diags := hclsyntax.ParseConfig(bytes.Clone(work[from.Byte:to.Byte]), src.name, from)
		src.broken = !l.add(diags) || src.broken
		if parsed, ok := file.Body.(*hclsyntax.Body); ok {
			body.Blocks = append(body.Blocks, parsed.Blocks...)
			maps.Copy(body.Attributes, parsed.Attributes)
		}
	}
	first, last := p.tokens[p.head].Range.End.Byte, p.tokens[len(p.tokens)-1].Range.Start.Byte
	copy(work[first:], bytes.Repeat([]byte(" "), last-first))
	src.folds = append(src.folds, fold{first - 1, body})
}

// putBack puts what was taken out of blocks back into them, the outermost first.
func (s *source) putBack() {
	for len(s.folds) > 0 {
		last := s.folds[len(s.folds)-1]
		s.folds = s.folds[:len(s.folds)-1]
		if b := blockAt(s.body, last.brace); b != nil {
			b.Body.Blocks = append(b.Body.Blocks, last.body.Blocks...)
			maps.Copy(b.Body.Attributes, last.body.Attributes)
		}
	}
}

// blockAt finds the block whose brace is at a byte.
func blockAt(body *hclsyntax.Body, brace int) *hclsyntax.Block {
	for _, b := range body.Blocks {
		if b.OpenBraceRange.Start.Byte == brace {
			return b
		}
		if found := blockAt(b.Body, brace); found != nil {
			return found
		}
	}
	return nil
}

package policy

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// maxPasses bounds the passes that a file takes until another one changes nothing.
// Where a line break moves a comment, the lines beside it are aligned by the next pass.
const maxPasses = 8

// Format gives the text of a policy, of its tests or of a file of values in the one
// layout that all of them have. Only white space changes: what stands in quotes and in
// heredocs is left alone, and to format twice is to format once.
//
// A text that does not parse has no layout. It comes back as it is, with what is wrong
// with it. name is what the diagnostics call the file.
func Format(src []byte, name string) ([]byte, Diagnostics) {
	if diags := checkSyntax(src, name); diags.HasErrors() {
		return src, diags
	}
	before := lexed(src)
	for text, n := src, 0; n < maxPasses; n++ {
		next := hclwrite.Format(text)
		if !sameTokens(before, lexed(next)) {
			break
		}
		if bytes.Equal(next, text) {
			return text, nil
		}
		text = next
	}
	return src, nil
}

// checkSyntax says why a file does not parse. What is sensitive in a file of values is
// known to the policy alone, so such a file is not quoted at all.
func checkSyntax(content []byte, name string) Diagnostics {
	l := newLoader(Options{Environ: noEnvironment}, newReport())
	src := l.admit(name, content, nil)
	if src == nil {
		return l.diagnostics()
	}
	l.files = []*source{src}
	l.parse(src)
	l.hideRaw()
	if strings.HasSuffix(name, ".vars.hcl") && l.diags.HasErrors() {
		l.hideBytes(src, 0, len(content))
	}
	return l.diagnostics()
}

func lexed(src []byte) hclsyntax.Tokens {
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	return tokens
}

// sameTokens reports whether two texts differ in nothing but the white space between
// their tokens. The line that ends a heredoc may be indented.
func sameTokens(a, b hclsyntax.Tokens) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		same := bytes.Equal(a[i].Bytes, b[i].Bytes) ||
			a[i].Type == hclsyntax.TokenCHeredoc && bytes.Equal(bytes.TrimSpace(a[i].Bytes), bytes.TrimSpace(b[i].Bytes))
		if a[i].Type != b[i].Type || !same {
			return false
		}
	}
	return true
}

// ReadFile reads a file that Format is for: a regular one, of no more than a policy may
// have. The error says in words why it cannot be read.
func ReadFile(name string) ([]byte, error) {
	content, err := readBounded(name, maxPolicyBytes)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %s", name, whyNot(err))
	}
	return content, nil
}

package policy

import "github.com/hashicorp/hcl/v2/hclsyntax"

// The HCL parser calls itself for each bracket and for each operator of an expression,
// and so does the evaluation. A file that goes deeper than these is no policy, and
// would exhaust the stack, which ends the process.
const (
	maxDepth = 100
	maxLinks = 1000
)

// nesting follows the brackets and the operators of a file.
type nesting struct {
	open []hclsyntax.TokenType
	// links counts what makes an expression deeper without a bracket that stays open.
	links int
}

func tooDeep(tokens hclsyntax.Tokens) bool {
	var n nesting
	for _, tok := range tokens {
		n.token(tok.Type)
		if len(n.open) > maxDepth || n.links > maxLinks {
			return true
		}
	}
	return false
}

func (n *nesting) token(kind hclsyntax.TokenType) {
	switch kind {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen,
		hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote:
		n.open = append(n.open, kind)
		n.links++
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote:
		n.open = n.open[:max(len(n.open)-1, 0)]
	case hclsyntax.TokenTemplateSeqEnd:
		n.open = n.open[:max(len(n.open)-1, 0)]
		n.links = 0
	case hclsyntax.TokenComma:
		n.links = 0
	case hclsyntax.TokenNewline:
		if len(n.open) == 0 || n.open[len(n.open)-1] == hclsyntax.TokenOBrace {
			n.links = 0
		}
	case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit, hclsyntax.TokenComment:
	default:
		n.links++
	}
}

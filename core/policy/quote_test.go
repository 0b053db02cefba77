package policy

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// TestQuote has texts that try to break out of their quotes, and reads them back.
func TestQuote(t *testing.T) {
	for _, text := range []string{
		"", "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ", `a"b`, `a\`, `\"`, "${var.x}", "%{if true}", "$${x}", "a\nb", "\t\x00\u2028", "Ünal ⛏",
		`"` + "\n}\nadmin {\n  address = \"0.0.0.0:1\"\n}\n#",
	} {
		quoted := Quote(text)
		if strings.ContainsAny(quoted, "\n") {
			t.Errorf("%q is more than one line: %q", text, quoted)
		}
		expr, diags := hclsyntax.ParseExpression([]byte(quoted), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Errorf("%q is written %s: %v", text, quoted, diags)
			continue
		}
		if value, _ := expr.Value(nil); value.AsString() != text {
			t.Errorf("%q is written %s and read as %#v", text, quoted, value)
		}
	}
}

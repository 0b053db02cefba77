package policy

import (
	"strings"
	"testing"
)

// show writes diagnostics as an operator sees them.
func show(t *testing.T, ds Diagnostics) string {
	t.Helper()
	var b strings.Builder
	if err := ds.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

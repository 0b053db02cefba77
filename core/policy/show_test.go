package policy

import (
	"os"
	"path/filepath"
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

// seeds gives the policies of testdata.
func seeds(f *testing.F) []string {
	f.Helper()
	names, err := filepath.Glob("testdata/*/*.hcl")
	if err != nil || len(names) == 0 {
		f.Fatalf("no policies: %v", err)
	}
	var list []string
	for _, name := range names {
		list = append(list, seed(f, name))
	}
	return list
}

// seed gives a file to begin with. A fuzzed policy must not wander through the file
// system.
func seed(f *testing.F, name string) string {
	f.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		f.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "include", "exclude")
}

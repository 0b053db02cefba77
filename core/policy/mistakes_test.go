package policy

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is said now as what is wanted")

// TestMistakes loads every policy of testdata/mistakes and compares all that is said
// about it with the text beside it.
func TestMistakes(t *testing.T) {
	t.Chdir("testdata/mistakes")
	compareAll(t, "*.hcl", func(name string) Diagnostics {
		_, ds := Load(name, Options{})
		return ds
	})
}

// TestMistakesInTests does the same with the files of tests of testdata/testmistakes.
func TestMistakesInTests(t *testing.T) {
	t.Chdir("testdata/testmistakes")
	compareAll(t, "*.test.hcl", func(name string) Diagnostics {
		_, ds := LoadTests(name, Options{})
		return ds
	})
}

// compareAll compares what is said of each file with the text beside it.
func compareAll(t *testing.T, pattern string, load func(name string) Diagnostics) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, name := range names {
		bare := strings.TrimSuffix(strings.TrimSuffix(name, ".hcl"), ".test")
		t.Run(bare, func(t *testing.T) {
			got := show(t, load(name))
			golden := bare + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("what is said (-want +got):\n%s", diff)
			}
			for _, word := range []string{"cty", "hclsyntax", "interface {", "tuple", "capsule", "*policy", "map[", "%!"} {
				if strings.Contains(got, word) {
					t.Errorf("the word %q is of no meaning to an operator", word)
				}
			}
		})
	}
}

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
	names, err := filepath.Glob("*.hcl")
	if err != nil || len(names) == 0 {
		t.Fatalf("no policies: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(name, ".hcl"), func(t *testing.T) {
			_, ds := Load(name, Options{})
			got := show(t, ds)
			golden := strings.TrimSuffix(name, ".hcl") + ".txt"
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

package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/loka-proxy/loka/core/policy"
)

var fence = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// TestREADMEPolicies loads every policy that README shows.
func TestREADMEPolicies(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
		if block[1] != "hcl" || isTest(block[2]) {
			continue
		}
		found++
		file := filepath.Join(t.TempDir(), "loka.hcl")
		if err := os.WriteFile(file, []byte(block[2]), 0o600); err != nil {
			t.Fatal(err)
		}
		loads(t, file)
		if formatted, _ := policy.Format([]byte(block[2]), file); string(formatted) != block[2] {
			t.Errorf("README has\n%s, which loka fmt would write as\n%s", block[2], formatted)
		}
	}
	if found < 2 {
		t.Errorf("%d policies in README", found)
	}
}

// isTest tells the test in README from its policies.
func isTest(block string) bool { return strings.HasPrefix(block, "test ") }

// TestREADMETest runs the test that README shows against its first policy, and against
// the policy with the mistake that README tells of.
func TestREADMETest(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rules, test, shown string
	for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
		switch {
		case block[1] == "hcl" && isTest(block[2]):
			test = block[2]
		case block[1] == "hcl" && rules == "":
			rules = block[2]
		case strings.HasPrefix(block[2], "loka.test.hcl\n"):
			shown = block[2]
		}
	}
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{"loka.hcl": rules, "loka.test.hcl": test} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out := must(t, ".", 0, "1 passed, 0 failed", "rules", "test"); !strings.Contains(out, "PASS  john.test mines to the wallet") {
		t.Errorf("it says\n%s", out)
	}
	must(t, ".", 0, "", "fmt", "--check")
	if err := os.WriteFile("loka.hcl", []byte(strings.Replace(rules, "'_'", "'-'", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := must(t, ".", 2, "0 passed, 1 failed", "rules", "test"); !strings.HasPrefix(out, shown) || shown == "" {
		t.Errorf("README shows\n%s\nbut this is printed:\n%s", shown, out)
	}
}

// TestREADMEMistake makes the mistake that README shows.
func TestREADMEMistake(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var good, shown string
	for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
		switch {
		case block[1] == "hcl" && good == "":
			good = block[2]
		case strings.HasPrefix(block[2], "Error: "):
			shown = block[2]
		}
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("loka.hcl", []byte(strings.Replace(good, "replace(user,", "replace(usr,", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, diags := policy.Load("loka.hcl", policy.Options{})
	var b bytes.Buffer
	_ = diags.Write(&b)
	if b.String() != shown {
		t.Errorf("README shows\n%s\nbut this is printed:\n%s", shown, b.String())
	}
}

// TestExamples loads every folder of examples that holds a policy.
func TestExamples(t *testing.T) {
	dirs := map[string]bool{}
	err := filepath.WalkDir(filepath.Join(root(t), "examples"), func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".hcl" {
			dirs[filepath.Dir(path)] = true
		}
		return err
	})
	if err != nil || len(dirs) == 0 {
		t.Fatal(err, dirs)
	}
	for dir := range dirs {
		loads(t, dir)
	}
}

// loads fails unless a policy loads without a word.
func loads(t *testing.T, path string, settings ...policy.Setting) {
	t.Helper()
	_, diags := policy.Load(path, policy.Options{Settings: settings})
	if diags.Len() > 0 {
		var b bytes.Buffer
		_ = diags.Write(&b)
		t.Errorf("%s:\n%s", path, b.String())
	}
}

// TestQuickstartIsShort counts the lines of the policy that the project is known by.
func TestQuickstartIsShort(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "examples", "quickstart", "loka.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			n++
		}
	}
	if n >= 15 {
		t.Errorf("the policy has %d lines", n)
	}
}

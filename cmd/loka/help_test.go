package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/core/policy"
)

var update = flag.Bool("update", false, "write what is generated")

// TestReference holds policies/REFERENCE.md to what the language is.
func TestReference(t *testing.T) {
	name := filepath.Join(root(t), "policies", "REFERENCE.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(policy.Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), policy.Reference()); diff != "" {
		t.Errorf("policies/REFERENCE.md is not up to date; write it anew with\n\n  go test ./cmd/loka -run TestReference -update\n\n(-it has +it should have):\n%s", diff)
	}
}

// TestCommandsAreDescribed looks at the help of every command that runs.
func TestCommandsAreDescribed(t *testing.T) {
	var look func(*cobra.Command)
	look = func(cmd *cobra.Command) {
		for _, inner := range cmd.Commands() {
			look(inner)
		}
		if !cmd.Runnable() || cmd.HasSubCommands() || cmd.Name() == "version" {
			return
		}
		if cmd.Short == "" || cmd.Long == "" || !strings.Contains(cmd.Example, "loka ") {
			t.Errorf("%s: short %q, long %q, example %q", cmd.CommandPath(), cmd.Short, cmd.Long, cmd.Example)
		}
		for line := range strings.Lines(cmd.Long + "\n" + cmd.Example) {
			if len(line) > 101 {
				t.Errorf("%s has the line %q", cmd.CommandPath(), line)
			}
		}
	}
	look(rootCommand())
}

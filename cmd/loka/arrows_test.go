package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/loka-proxy/loka/"

// house is the plan of the house: what each package may import of ours and of others,
// and which packages of the standard library it must do without. Arrows point
// downward only. A new package or arrow belongs here first, with a reason to be.
var house = map[string]struct {
	ours      []string
	others    []string
	forbidden []string
}{
	"rules":         {others: []string{"github.com/expr-lang/expr", "github.com/agext/levenshtein"}, forbidden: []string{"net", "os", "io", "time", "database/sql"}},
	"transport":     {forbidden: []string{"database/sql", "encoding/json"}},
	"core/stratum":  {forbidden: []string{"net", "os", "time"}},
	"core/meter":    {others: []string{"github.com/prometheus/client_golang"}, forbidden: []string{"net", "os"}},
	"core/policy":   {ours: []string{"rules", "transport"}, others: []string{"github.com/fsnotify/fsnotify", "github.com/hashicorp/hcl/v2", "github.com/zclconf/go-cty", "github.com/apparentlymart/go-textseg"}, forbidden: []string{"os/exec"}},
	"core/exchange": {ours: []string{"core/stratum", "rules"}, forbidden: []string{"net", "os"}},
	"core": {
		ours:      []string{"core/exchange", "core/meter", "core/policy", "core/stratum", "rules", "transport"},
		others:    []string{"github.com/hashicorp/go-hclog", "golang.org/x/time/rate"},
		forbidden: []string{"database/sql", "encoding/json"},
	},
	"sinks":       {forbidden: []string{"database/sql"}},
	"sinks/jsonl": {},
	"sinks/sqldb": {},
	"core/ruletest": {
		ours:      []string{"core/exchange", "core/policy", "core/stratum", "rules"},
		others:    []string{"github.com/jstemmer/go-junit-report/v2", "github.com/rogpeppe/go-internal"},
		forbidden: []string{"net"},
	},
	"core/admin": {ours: []string{"core"}, others: []string{"github.com/prometheus/client_golang"}},
	"cmd/loka": {
		ours:   []string{"core", "core/admin", "core/exchange", "core/meter", "core/policy", "core/ruletest", "rules", "transport"},
		others: []string{"github.com/coreos/go-systemd/v22/daemon", "github.com/hashicorp/go-hclog", "github.com/mattn/go-isatty", "github.com/rogpeppe/go-internal/diff", "github.com/spf13/cobra", "github.com/spf13/pflag"},
	},
	// The bench is a judge of the proxy, so it shares no code with it.
	"cmd/loka-lab":       {ours: []string{"cmd/loka-lab/pool", "cmd/loka-lab/miner", "cmd/loka-lab/work"}, others: []string{"github.com/spf13/cobra", "github.com/spf13/pflag"}},
	"cmd/loka-lab/pool":  {ours: []string{"cmd/loka-lab/await", "cmd/loka-lab/work"}},
	"cmd/loka-lab/miner": {ours: []string{"cmd/loka-lab/await", "cmd/loka-lab/work"}},
	"cmd/loka-lab/work":  {},
	"cmd/loka-lab/await": {},
}

type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

// TestArrows holds the plan against what the packages import.
func TestArrows(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, module)
		seen = append(seen, name)
		checkRoom(t, name, p.Imports)
	}
	for _, name := range slices.Sorted(maps.Keys(house)) {
		if !slices.Contains(seen, name) {
			t.Errorf("%s is in the plan, but not in the tree", name)
		}
	}
}

func checkRoom(t *testing.T, name string, imports []string) {
	plan, ok := house[name]
	if !ok {
		t.Errorf("%s is not in the plan of the house", name)
		return
	}
	for _, imp := range imports {
		ours, isOurs := strings.CutPrefix(imp, module)
		switch {
		case isOurs:
			if !slices.Contains(plan.ours, ours) {
				t.Errorf("%s imports %s: an arrow that the plan does not have", name, ours)
			}
		case strings.Contains(strings.Split(imp, "/")[0], "."):
			if !slices.ContainsFunc(plan.others, func(o string) bool { return imp == o || strings.HasPrefix(imp, o+"/") }) {
				t.Errorf("%s imports %s, which has its home elsewhere", name, imp)
			}
		case slices.Contains(plan.forbidden, imp):
			t.Errorf("%s imports %s, which it must do without", name, imp)
		}
	}
}

// TestTransportKnowsNoMining keeps the protocol out of the package that moves lines.
func TestTransportKnowsNoMining(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root(t), "transport", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(bytes.ToLower(text), []byte("mining")) {
			t.Errorf("%s speaks of mining", filepath.Base(file))
		}
	}
}

// TestTopLevel holds what lies at the top of the tree.
func TestTopLevel(t *testing.T) {
	want := []string{
		"CHANGELOG.md", "CONTRIBUTING.md", "Dockerfile", "LICENSE", "Makefile", "README.md",
		"cmd", "core", "examples", "go.mod", "go.sum", "policies", "rules", "sinks", "transport",
	}
	entries, err := os.ReadDir(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if name != "bin" && !strings.HasPrefix(name, ".") && !slices.Contains(want, name) {
			t.Errorf("%s does not belong at the top of the tree", name)
		}
	}
}

// root is the top of the checkout.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

//go:build unix

package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFormatKeepsOwner formats a file that belongs to somebody else, where the test may
// give it away, as root may. A proxy could not read its policy any more otherwise.
func TestFormatKeepsOwner(t *testing.T) {
	name := filepath.Join(t.TempDir(), "loka.hcl")
	if err := os.WriteFile(name, []byte("a=1\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(name, 65534, 65533); err != nil {
			t.Fatal(err)
		}
	}
	before := owner(t, name)
	f := formatter{out: &bytes.Buffer{}, err: &bytes.Buffer{}}
	if err := f.run([]string{name}); err != nil || f.changed != 1 {
		t.Fatal(f.changed, err)
	}
	if after := owner(t, name); after != before {
		t.Errorf("owner, group and mode are %v and were %v", after, before)
	}
}

type owned struct {
	user, group uint32
	mode        fs.FileMode
}

func owner(t *testing.T, name string) owned {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	sys := info.Sys().(*syscall.Stat_t)
	return owned{sys.Uid, sys.Gid, info.Mode()}
}

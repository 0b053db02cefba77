package transport

import (
	"os"
	"path/filepath"
	"testing"
)

// TestListenUnix binds a socket, one in the place of one that was left, and none in the
// place of one in use or of another file.
func TestListenUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	l, err := ListenUnix(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v: not for owner and group alone", info.Mode(), err)
	}
	if _, err := ListenUnix(t.Context(), path); err == nil {
		t.Error("a socket in use was taken over")
	}
	l.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(false)
	_ = l.Close()
	if l, err = ListenUnix(t.Context(), path); err != nil {
		t.Fatalf("a socket that was left: %v", err)
	}
	_ = l.Close()
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenUnix(t.Context(), path); err == nil {
		t.Error("a file was taken over")
	}
	if text, err := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("the file is gone: %v", err)
	}
}

//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives a new file the owner and the group of the one that it replaces. Else
// root, who formats the policy of another user, would take it away from the proxy.
func keepOwner(name string, old fs.FileInfo) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	have, ok := info.Sys().(*syscall.Stat_t)
	want, also := old.Sys().(*syscall.Stat_t)
	if !ok || !also || have.Uid == want.Uid && have.Gid == want.Gid {
		return nil
	}
	return os.Chown(name, int(want.Uid), int(want.Gid))
}

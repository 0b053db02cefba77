//go:build !unix

package main

import "io/fs"

// keepOwner has nothing to keep where files have no owner in their mode.
func keepOwner(string, fs.FileInfo) error { return nil }

//go:build !unix

package transport

import "syscall"

// rawReads says that rawRead does not work here; reads block with a buffer held.
const rawReads = false

func rawRead(uintptr, []byte) (int, error) { return 0, syscall.EAGAIN }

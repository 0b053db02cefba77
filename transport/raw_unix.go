//go:build unix

package transport

import "syscall"

// rawReads says that rawRead works here.
const rawReads = true

// rawRead is read(2) on a descriptor that does not block.
func rawRead(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

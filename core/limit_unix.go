//go:build unix

package core

import (
	"math"
	"syscall"
)

// descriptorLimit is how many files and connections the process may have open. Go raises
// it to the most that is allowed when the program starts.
func descriptorLimit() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return math.MaxInt
	}
	return int(min(limit.Cur, math.MaxInt32))
}

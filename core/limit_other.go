//go:build !unix

package core

import "math"

// descriptorLimit is how many files and connections the process may have open.
func descriptorLimit() int { return math.MaxInt }

//go:build race

package rules

// underRace says that times and allocations mean nothing in this build.
const underRace = true

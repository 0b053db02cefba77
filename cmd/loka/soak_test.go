//go:build soak

package main

import "testing"

// TestSoakSwapByFile is the proof of a hot swap as a whole: 500 miners, 20 swaps.
func TestSoakSwapByFile(t *testing.T) { swapByFile(t, 500, 20) }

// TestSoakReloadsUnderLoad reloads a thousand times.
func TestSoakReloadsUnderLoad(t *testing.T) { reloadUnderLoad(t, 1000) }

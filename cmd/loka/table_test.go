package main

import (
	"strings"
	"testing"
)

// TestTableOfOddNames has miners call themselves what would be another row, or do something
// to a terminal.
func TestTableOfOddNames(t *testing.T) {
	var b strings.Builder
	if err := writeTable(&b, [][]string{{"SESSION", "USER"}, {"5f03a1", "john\n5f03a2  mary\t\x1b[2J"}}); err != nil {
		t.Fatal(err)
	}
	if want := "SESSION  USER\n5f03a1   john�5f03a2  mary��[2J\n"; b.String() != want {
		t.Errorf("it is %q", b.String())
	}
}

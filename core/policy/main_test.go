package policy

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes sure that whoever watches files stops to do so.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

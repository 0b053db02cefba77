//go:build soak

package core_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

// soakTime is how long each soak goes on: LOKA_SOAK, or five minutes.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("LOKA_SOAK")
	if text == "" {
		return 5 * time.Minute
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// soak repeats a test with new seeds.
func soak(t *testing.T, once func(*testing.T, uint64)) {
	t.Helper()
	for end := time.Now().Add(soakTime(t)); time.Now().Before(end) && !t.Failed(); {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) { once(t, seed) })
	}
}

func TestSoakComeAndGo(t *testing.T) { soak(t, comeAndGo) }

func TestSoakConversation(t *testing.T) {
	soak(t, func(t *testing.T, seed uint64) { converse(t, seed, 50_000) })
}

func TestSoakThousandMiners(t *testing.T) {
	soak(t, func(t *testing.T, _ uint64) { TestThousandMiners(t) })
}

// TestSoakLateSharesAreLost moves miners away from a pool that has stopped to answer: what
// it was asked before is answered in its place when the late window is over.
func TestSoakLateSharesAreLost(t *testing.T) {
	o := breakable(t, "stable", "", "")
	o.a.swallows.Store(true)
	o.awaitCount(2*outageMiners, "loka_shares_pending")
	o.apply(strings.Replace(o.text("stable", "", ""), o.a.address, o.b.address, 1))
	o.everyoneMines(o.atB, 1, time.Minute)
	began := time.Now()
	o.awaitCount(2*outageMiners, "loka_shares_lost_total", "reason", "late")
	if took := time.Since(began); took < 25*time.Second || took > 40*time.Second {
		t.Errorf("they are lost after %s", took)
	}
	o.accounted()
}

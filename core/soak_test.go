//go:build soak

package core_test

import (
	"fmt"
	"math/rand/v2"
	"os"
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

package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loka-proxy/loka/core/policy"
)

// answering runs loka init with a person who types these lines.
func answering(t *testing.T, lines string, flags ...string) (dir, shown string, err error) {
	t.Helper()
	var out bytes.Buffer
	dir = t.TempDir()
	given := map[string]bool{}
	i := initializer{
		starter: starter{Name: usual.Name, Port: usual.Port, Layout: usual.Layout},
		dir:     dir, asks: true, given: func(flag string) bool { return given[flag] },
		in: bufio.NewReader(strings.NewReader(lines)), out: &out, err: &out,
	}
	for _, flag := range flags {
		name, value, _ := strings.Cut(flag, "=")
		given[name] = true
		for _, q := range i.questions() {
			if q.flag == name {
				*q.value = value
			}
		}
	}
	err = i.run()
	return dir, out.String(), err
}

func written(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, starterPolicy))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestInitAsks answers all questions, some of them wrongly first.
func TestInitAsks(t *testing.T) {
	dir, shown, err := answering(t, strings.Join([]string{
		"eu.pool.example", "eu.pool.example:3333", // the pool
		"nonsense", "wallet", // the layout
		"", "37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ", // the wallet
		"99999", "3334", // the port
		"two words", "rack", // the name
	}, "\n")+"\n")
	if err != nil {
		t.Fatal(err, shown)
	}
	for _, want := range []string{
		"That does not do: The port is missing.", `That does not do: there is no layout "nonsense"`, "That does not do: the wallet is empty",
		"That does not do: a port is a number", "That does not do: The name of a proxy", "Layout [wallet.worker]: ", "[3333]: ", "[farm]: ", "Written: ",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("it does not say %q:\n%s", want, shown)
		}
	}
	for _, want := range []string{`default = "37vu`, `address = "stratum+tcp://eu.pool.example:3333"`, `address = ":3334"`, `proxy "rack"`, `"only_wallet"`} {
		if text := written(t, dir); !strings.Contains(text, want) {
			t.Errorf("there is no %s in\n%s", want, text)
		}
	}
	loads(t, dir)
}

// TestInitTakesTheUsual only answers what has no usual answer.
func TestInitTakesTheUsual(t *testing.T) {
	dir, shown, err := answering(t, "eu.pool.example:3333\n\nmyfarm\n\n\n")
	if err != nil {
		t.Fatal(err, shown)
	}
	for _, want := range []string{`proxy "farm"`, `":3333"`, `"to_wallet"`} {
		if text := written(t, dir); !strings.Contains(text, want) {
			t.Errorf("there is no %s in\n%s", want, text)
		}
	}
}

// TestInitAsksForTheRest asks neither what flags say nor for a wallet that is not used.
func TestInitAsksForTheRest(t *testing.T) {
	dir, shown, err := answering(t, "eu.pool.example:3333\n\n", "layout=as-is", "name=rack")
	if err != nil {
		t.Fatal(err, shown)
	}
	for _, not := range []string{"Layout", "Wallet", "Name"} {
		if strings.Contains(shown, not) {
			t.Errorf("it asks for the %s:\n%s", not, shown)
		}
	}
	loads(t, dir)
}

// TestInitEndOfAnswers ends the answers too early, in the middle of a line and between lines.
func TestInitEndOfAnswers(t *testing.T) {
	for _, lines := range []string{"", "eu.pool.example:3333\n", "eu.pool.example:3333\n\nmyf", "nonsense"} {
		dir, _, err := answering(t, lines)
		var f *failure
		if !errors.As(err, &f) || f.code != exitUsage || !strings.Contains(err.Error(), "nothing is written") {
			t.Errorf("%q: %v", lines, err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) > 0 {
			t.Errorf("%q: %v is written", lines, entries)
		}
	}
}

// TestInitWritesBothOrNone has a file appear while the questions are asked.
func TestInitWritesBothOrNone(t *testing.T) {
	i := initializer{starter: usual, dir: t.TempDir()}
	tests := filepath.Join(i.dir, starterTests)
	if err := os.WriteFile(tests, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := i.write(); err == nil || !strings.Contains(err.Error(), tests+" is in the way") {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(i.dir, starterPolicy)); !errors.Is(err, os.ErrNotExist) {
		t.Error("half of it is written:", err)
	}
}

// TestInitLayouts runs the tests of every layout, with wallets that are hard to write, and
// with such as are the names that the tests have.
func TestInitLayouts(t *testing.T) {
	wallets := []string{
		wallet, strings.ToUpper(wallet), "myfarm", "my.farm", "a", "7", "john", "john.test", "john.rig7", "john~a b", "john-rig7", "johnny",
		"hall1", "hall1.test", "hall1.rig7", "rig7", "rig7.rig7", "John.Rig7", "JOHN", "müll.ähre", "u\u0308", "日本", "x y", "a~b", "a,b",
		"{}", "$", "$$", "${", "%{", "*", "[", "^.$", "x'; y", "<b>c", "&amp;", `\n`, `"x" ${y} %{z} \ '`, strings.Repeat("w", 128),
	}
	for _, name := range layoutNames() {
		for _, wallet := range wallets {
			i := initializer{starter: usual, dir: t.TempDir()}
			i.Layout, i.Wallet = name, wallet
			if !i.pays() {
				i.Wallet = ""
			}
			if err := i.problem(); err != nil {
				t.Fatal(name, wallet, err)
			}
			if err := i.write(); err != nil {
				t.Fatal(name, wallet, err)
			}
			loads(t, i.dir)
			passes(t, i.dir)
			for _, text := range [][]byte{i.policy(), i.tests()} {
				if formatted, _ := policy.Format(text, i.dir); !bytes.Equal(formatted, text) {
					t.Errorf("not formatted:\n%s", text)
				}
			}
			if t.Failed() {
				t.Fatalf("with the layout %s and the wallet %q", name, wallet)
			}
		}
	}
}

// TestInitRefusesWallets knows what is no wallet, and what stands for one.
func TestInitRefusesWallets(t *testing.T) {
	for wallet, want := range map[string]string{
		"": "empty", "  ": "empty", " myfarm": "white space", "myfarm\u00a0": "white space", "a\x00": "no text", "\xff": "no text",
		".": "dot", ".rig7": "dot", "myfarm.": "dot", strings.Repeat("w", 129): "longer",
		"YOUR_WALLET": "stands for", "your-address": "stands for", "<your wallet>": "stands for", "WALLET": "stands for",
		"bc1q…": "stands for", "<address>": "stands for",
	} {
		s := usual
		s.Wallet = wallet
		if err := s.problem(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", wallet, err)
		}
	}
}

// TestDoubt knows what wallets look like.
func TestDoubt(t *testing.T) {
	for wallet, want := range map[string]string{
		wallet: "", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq": "", "NHbVb6ryoiZsEzGiYtqVkZoLFoYbLmPo5gt4": "", "myfarm": "", "my_farm-2": "", "100": "",
		"bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdb": "looks like", "37vuX2XMqtcrobGwxSZJSwJoYyjiH18S0Q": "looks like",
		"37vuX2XMqtcrobGwxSZJSwJoYyjiH18SiQ37vuX2": "looks like", "john.test": "neither", "a b": "neither", "john@example.com": "neither",
	} {
		if got := doubt(wallet); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q", wallet, got)
		}
	}
}

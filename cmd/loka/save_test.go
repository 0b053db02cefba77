package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loka-proxy/loka/cmd/loka-lab/pool"
)

// TestEveryWayToSave saves the policy of a running loka twice in the ways of editors and
// orchestrators. How it is seen that a file system tells nothing of is TestWatchPolls.
func TestEveryWayToSave(t *testing.T) {
	for name, save := range map[string]func(file, text string) error{
		"in place": func(file, text string) error { return os.WriteFile(file, []byte(text), 0o600) },
		"rename over": func(file, text string) error {
			return firstError(os.WriteFile(file+".tmp", []byte(text), 0o600), os.Rename(file+".tmp", file))
		},
		"vim": func(file, text string) error { // it tries whether it may write, and keeps the old file until it has
			dir := filepath.Dir(file)
			return firstError(os.WriteFile(filepath.Join(dir, "4913"), nil, 0o600), os.Remove(filepath.Join(dir, "4913")),
				os.Rename(file, file+"~"), os.WriteFile(file, []byte(text), 0o600), os.Remove(file+"~"))
		},
		"sed -i": func(file, text string) error {
			wallet := text[strings.Index(text, "'")+1 : strings.Index(text, ".'")]
			return exec.Command("sed", "-i", "s/'[A-Z]\\.'/'"+wallet+".'/", file).Run()
		},
		"delete and recreate": func(file, text string) error {
			return firstError(os.Remove(file), os.WriteFile(file, []byte(text), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := runEdited(t)
			for i, wallet := range []string{"B", "C"} {
				if err := save(r.file, r.text(wallet)); err != nil {
					t.Fatal(err)
				}
				r.awaitGeneration(i + 2)
				r.login(wallet + ".john")
			}
		})
	}
	t.Run("kubernetes", func(t *testing.T) {
		dir := t.TempDir()
		r := &reloaded{pool: fakePool(t)}
		turn := func(wallet string) {
			version := filepath.Join(dir, ".."+wallet)
			if err := firstError(os.Mkdir(version, 0o700), os.WriteFile(filepath.Join(version, "loka.hcl"), []byte(r.text(wallet)), 0o600),
				os.Symlink(".."+wallet, filepath.Join(dir, "..data_tmp")), os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data"))); err != nil {
				t.Fatal(err)
			}
		}
		turn("A")
		file := filepath.Join(dir, "loka.hcl")
		if err := os.Symlink("..data/loka.hcl", file); err != nil {
			t.Fatal(err)
		}
		r.process = relaunch(t, file, t.TempDir())
		r.address = r.await("listening")["address"]
		r.await("loka runs")
		for i, wallet := range []string{"B", "C"} {
			turn(wallet)
			r.awaitGeneration(i + 2)
			r.login(wallet + ".john")
		}
	})
}

// firstError gives the first thing that went wrong. All have been tried.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reloaded) awaitGeneration(n int) {
	r.t.Helper()
	for r.await("policy in force")["generation"] != float64(n) {
	}
}

// TestKilledPool kills the process of the first server: the miner mines at the second one,
// over the connection that it has.
func TestKilledPool(t *testing.T) {
	first := exec.Command("loka-lab-pool")
	out, err := first.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = first.Process.Kill(); _ = first.Wait() })
	address := ""
	if _, err := fmt.Fscanln(out, &address); err != nil {
		t.Fatal(err)
	}
	w := newSwapOf(t, func(w *swap) string {
		return strings.Replace(w.text(1), "  server", "  server \"first\" { address = \"stratum+tcp://"+address+"\" }\n  server", 1)
	})
	const miners = 12
	h := w.mine(miners)
	for until := time.Now().Add(patience); w.metric("loka_shares_accepted_total") < 3*miners; {
		if time.Now().After(until) {
			t.Fatal("nobody mines at the first server")
		}
	}
	if err := first.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	w.wait(w.pools[1], func(st pool.Stats) bool { return len(st.Workers) == miners && st.Accepted > 3*miners })
	t.Logf("everyone mines at the second after %s", time.Since(began))
	for _, c := range w.campaigns() {
		if c.LongestWithoutJobMS > 1000+1000*miners/100 || c.ByJob != miners {
			t.Errorf("%+v", c)
		}
	}
	for _, m := range h.miners {
		m.Leave()
	}
	h.done.Wait()
	for _, m := range h.miners {
		if st := m.Stats(); st.Connects != 1 || st.Unexpected+st.Unanswered > 0 || st.Submitted != st.Accepted+st.Rejected[21] {
			t.Errorf("%+v", st)
		}
	}
}

// servePool is a pool of the bench as a process of its own, which says where it listens.
func servePool() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return pool.New(pool.Config{Difficulty: 1e-7, VersionMask: 0x1fffe000, ShortNonce: true}).Serve(context.Background(), l)
}

package policy

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// hasty looks a moment after a hint, and by itself hardly ever.
var hasty = Pace{Quiet: 2 * time.Millisecond, Longest: 20 * time.Millisecond, Poll: time.Hour}

// watched is a directory with a policy that is watched.
type watched struct {
	t   *testing.T
	dir string
	w   *Watcher
}

func watch(t *testing.T, pace Pace, dir string, files ...string) *watched {
	t.Helper()
	w, err := NewWatcher(pace)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	names := make([]string, len(files))
	for i, name := range files {
		names[i] = filepath.Join(dir, name)
	}
	w.Watch(names, time.Now().Add(time.Hour)) // nothing is newer than that
	if slices.ContainsFunc(names, func(name string) bool { _, err := os.Stat(name); return err != nil }) {
		<-w.Changes() // a file that is missing was there when it was read
	}
	return &watched{t, dir, w}
}

func (w *watched) path(name string) string { return filepath.Join(w.dir, name) }

func (w *watched) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *watched) do(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// wantChange waits for a change to be told.
func (w *watched) wantChange(what string) {
	w.t.Helper()
	select {
	case <-w.w.Changes():
	case <-time.After(20 * time.Second):
		w.t.Fatalf("nothing is told after %s", what)
	}
}

// wantNone makes sure that nothing has been told so far, by a look of its own.
func (w *watched) wantNone(what string) {
	w.t.Helper()
	w.w.check()
	select {
	case <-w.w.Changes():
		w.t.Fatalf("a change is told after %s", what)
	default:
	}
}

func policyDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "loka.hcl"), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestWatchEveryWayToChangeAFile changes a file in the ways of editors and tools, twice
// each: a watch of the file itself would be deaf to the second.
func TestWatchEveryWayToChangeAFile(t *testing.T) {
	w := watch(t, hasty, policyDir(t), "loka.hcl", "missing.hcl")
	n := 0
	next := func() string { n++; return string(rune('b' + n)) }
	for range 2 {
		w.write("loka.hcl", next())
		w.wantChange("a write in place")

		w.write("tmp", next())
		w.do(os.Rename(w.path("tmp"), w.path("loka.hcl")))
		w.wantChange("a move over it")

		w.do(os.Rename(w.path("loka.hcl"), w.path("loka.hcl~")))
		w.wantChange("a move away")
		w.write("loka.hcl", next())
		w.wantChange("a file in its place")

		w.do(os.Remove(w.path("loka.hcl")))
		w.wantChange("a removal")
		w.write("loka.hcl", next())
		w.wantChange("a file that is back")
	}
	w.write("missing.hcl", "x")
	w.wantChange("a file that was missing")
	w.write("new.hcl", "")
	w.wantChange("a new policy file")
	w.write("new.test.hcl", "")
	w.wantChange("a new file of tests")
}

// TestWatchTellsNoFalseAlarm touches files, writes them anew with what was in them, and
// writes others.
func TestWatchTellsNoFalseAlarm(t *testing.T) {
	w := watch(t, hasty, policyDir(t), "loka.hcl")
	w.do(os.Chtimes(w.path("loka.hcl"), time.Now(), time.Now()))
	w.write("tmp", "a")
	w.do(os.Rename(w.path("tmp"), w.path("loka.hcl")))
	w.write("notes.txt", "x")
	w.write(".loka.hcl.swp", "x")
	w.write(".hidden.hcl", "x")
	w.wantNone("nothing that counts")
	w.write("tmp", "b")
	w.do(os.Rename(w.path("tmp"), w.path("loka.hcl"))) // in one step, so that nobody sees half of it
	w.wantChange("a change")
	w.wantNone("one change")
}

// TestWatchTurnedLinks turns the link that Kubernetes turns when a ConfigMap changes, which
// no event names the file for, and changes what a link leads to.
func TestWatchTurnedLinks(t *testing.T) {
	dir, far := t.TempDir(), t.TempDir()
	for _, name := range []string{"..1", "..2", "..3"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "loka.hcl"), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"..data": "..1", "loka.hcl": "..data/loka.hcl", "far.hcl": filepath.Join(far, "far.hcl")} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(far, "far.hcl"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := watch(t, hasty, dir, "loka.hcl", "far.hcl")
	for _, to := range []string{"..2", "..3"} {
		w.do(os.Symlink(to, w.path("..data_tmp")))
		w.do(os.Rename(w.path("..data_tmp"), w.path("..data")))
		w.wantChange("a turned link")
	}
	w.do(os.WriteFile(filepath.Join(far, "far.hcl"), []byte("y"), 0o600))
	w.wantChange("a change of what a link leads to")
}

// TestWatchTurnedDirectory turns a link to the whole directory, as those do who keep one
// for each release, and then changes a file in it.
func TestWatchTurnedDirectory(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"v1", "v2", "v3"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "loka.hcl"), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("v1", filepath.Join(dir, "current")); err != nil {
		t.Fatal(err)
	}
	w := watch(t, hasty, dir, "current/loka.hcl")
	for _, to := range []string{"v2", "v3"} {
		w.do(os.Symlink(to, w.path("next")))
		w.do(os.Rename(w.path("next"), w.path("current")))
		w.wantChange("a turned link to a directory")
		w.write("tmp", to+" changed")
		w.do(os.Rename(w.path("tmp"), w.path(to+"/loka.hcl")))
		w.wantChange("a change in the directory that it leads to now")
	}
}

// TestWatchLooksAfterLostEvents has the kernel lose the event of a change.
func TestWatchLooksAfterLostEvents(t *testing.T) {
	w := watch(t, hasty, policyDir(t), "loka.hcl")
	w.do(w.w.events.Remove(w.dir))
	w.write("loka.hcl", "b")
	w.w.events.Errors <- fsnotify.ErrEventOverflow
	w.wantChange("an overflow of events")
}

// TestWatchPolls finds a change in a directory that nothing is told of: it was removed
// and made again.
func TestWatchPolls(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "policy")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "loka.hcl"), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := watch(t, Pace{Quiet: time.Hour, Longest: time.Hour, Poll: 5 * time.Millisecond}, dir, "loka.hcl")
	w.do(os.RemoveAll(dir))
	w.wantChange("the removal of the directory")
	w.do(os.Mkdir(dir, 0o700))
	w.write("loka.hcl", "b")
	w.wantChange("a directory that is back")
}

// TestWatchSinceTheLoad changes a file after it was read and before it is watched.
func TestWatchSinceTheLoad(t *testing.T) {
	w := watch(t, hasty, policyDir(t), "loka.hcl")
	began := time.Now()
	w.write("loka.hcl", "b")
	w.w.Watch([]string{w.path("loka.hcl")}, began)
	w.wantChange("a change during the load")
	w.w.Watch([]string{w.path("loka.hcl")}, time.Now().Add(time.Hour))
	w.wantNone("a load of what is there")
	w.w.Watch([]string{w.path("gone.hcl")}, time.Now().Add(time.Hour))
	w.wantChange("the removal of a file that was read")
	w.w.Watch([]string{w.path("gone.hcl")}, time.Now().Add(time.Hour))
	w.wantNone("a file that was not there before")
	later := time.Now().Add(time.Hour)
	w.do(os.Chtimes(w.path("loka.hcl"), later, later))
	w.w.Watch([]string{w.path("loka.hcl")}, time.Now())
	w.wantNone("a file from the time to come")
}

// TestWatchStormIsOneChange writes again and again: it is told by Longest at the latest.
func TestWatchStormIsOneChange(t *testing.T) {
	w := watch(t, Pace{Quiet: time.Hour, Longest: 30 * time.Millisecond, Poll: time.Hour}, policyDir(t), "loka.hcl")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-w.w.closed:
				return
			default:
				_ = os.WriteFile(w.path("loka.hcl"), []byte{byte(i), byte(i >> 8)}, 0o600)
			}
		}
	}()
	w.wantChange("a storm of writes")
	_ = w.w.Close()
	<-done
	w.w.closed = make(chan struct{}) // for the end of the test, which closes again
}

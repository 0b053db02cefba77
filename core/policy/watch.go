package policy

import (
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Pace is how a Watcher waits. Editors and tools write a file in several steps, so it
// waits for a while of quiet; some file systems tell nothing, so it looks by itself too.
type Pace struct {
	// Quiet is how long nothing must happen after a change, and Longest how long that
	// may put off the look at the files.
	Quiet, Longest time.Duration
	// Poll is how often it looks without being told.
	Poll time.Duration
}

// UsualPace suits people and file systems.
var UsualPace = Pace{Quiet: 200 * time.Millisecond, Longest: 2 * time.Second, Poll: 30 * time.Second}

// Watcher tells when the files of a load may no longer be what was read.
//
// It watches directories, never files: a file that is moved over another, as editors do,
// or a link that is turned, as Kubernetes does, ends the watch of the file itself. What
// happens in them is only a hint to look: what counts is the content of the files, and
// which *.hcl there are. A change that is told may still be none, where it happened while
// the files were read; one that is not told there is not.
type Watcher struct {
	pace    Pace
	events  *fsnotify.Watcher
	changes chan struct{}
	hints   chan struct{} // of our own: to look after a while of quiet
	closed  chan struct{}
	ended   sync.WaitGroup

	mu    sync.Mutex
	files []string
	gone  map[string]bool // files that were not there when they were watched
	seen  [sha256.Size]byte
	// doubtful says that what was seen may not be what the load has read.
	doubtful bool
}

// NewWatcher watches nothing yet. It must be closed.
func NewWatcher(pace Pace) (*Watcher, error) {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	w := &Watcher{pace: pace, events: events, changes: make(chan struct{}, 1), hints: make(chan struct{}, 1), closed: make(chan struct{})}
	w.ended.Go(w.run)
	return w, nil
}

// Changes receives after a change. Several changes may be told as one.
func (w *Watcher) Changes() <-chan struct{} { return w.changes }

// Close ends the watch.
func (w *Watcher) Close() error {
	close(w.closed)
	err := w.events.Close()
	w.ended.Wait()
	return err
}

// Watch watches these files, and no others, from now on: those that a load has read
// which began at a time. What has changed since then is told, after a while of quiet.
func (w *Watcher) Watch(files []string, began time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files = slices.Clone(files)
	w.follow()
	w.seen = w.look()
	if w.changedSince(began) {
		w.doubtful = true
		select {
		case w.hints <- struct{}{}:
		default:
		}
	}
}

// changedSince reports whether a file was written after a time, or is gone that was there
// when these files were watched last. Clocks of file systems are coarse, so a moment
// before counts as well; a time to come says nothing.
func (w *Watcher) changedSince(began time.Time) (changed bool) {
	const coarse = 20 * time.Millisecond
	now := time.Now()
	gone := map[string]bool{}
	for _, name := range w.files {
		info, err := os.Stat(name)
		gone[name] = err != nil
		fresh := err == nil && info.ModTime().After(began.Add(-coarse)) && !info.ModTime().After(now.Add(coarse))
		changed = changed || fresh || gone[name] && !w.gone[name]
	}
	w.gone = gone
	return changed
}

// directories are those of the files, and those of what links among them lead to.
func (w *Watcher) directories() (dirs []string) {
	for _, name := range w.files {
		dirs = append(dirs, filepath.Dir(name))
		if real, err := filepath.EvalSymlinks(name); err == nil {
			dirs = append(dirs, filepath.Dir(real))
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// turnable are the directories of links on the way to the files. Such a link is turned
// where it stands, and nothing happens in the directory that it led to.
func (w *Watcher) turnable() (dirs []string) {
	for _, dir := range w.directories() {
		for parent := filepath.Dir(dir); parent != dir; dir, parent = parent, filepath.Dir(parent) {
			if info, err := os.Lstat(dir); err == nil && info.Mode()&os.ModeSymlink != 0 {
				dirs = append(dirs, parent)
			}
		}
	}
	return dirs
}

// follow has the directories watched, as far as they exist; the poll sees to the others.
// One that is watched already is watched anew: a link may lead elsewhere now.
func (w *Watcher) follow() {
	dirs := append(w.directories(), w.turnable()...)
	for _, dir := range w.events.WatchList() {
		if !slices.Contains(dirs, dir) {
			_ = w.events.Remove(dir)
		}
	}
	for _, dir := range dirs {
		_ = w.events.Add(dir)
	}
}

// look gives a sum over all that counts: the names and contents of the files, and the
// names of the policies and tests beside them.
func (w *Watcher) look() (sum [sha256.Size]byte) {
	h := sha256.New()
	add := func(text string) { _, _ = io.WriteString(h, text+"\x00") }
	for _, name := range w.files {
		content := sha256.Sum256(nil)
		if text, err := readBounded(name, maxDataBytes); err == nil {
			content = sha256.Sum256(text)
		}
		add(name)
		h.Write(content[:])
	}
	for _, dir := range w.directories() {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".hcl") && !strings.HasPrefix(e.Name(), ".") {
				add(filepath.Join(dir, e.Name()))
			}
		}
	}
	h.Sum(sum[:0])
	return sum
}

// check looks whether anything has changed.
func (w *Watcher) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.follow()
	if sum := w.look(); sum != w.seen || w.doubtful {
		w.seen, w.doubtful = sum, false
		w.tell()
	}
}

// tell says that something has changed, unless that is said already and not heard yet.
func (w *Watcher) tell() {
	select {
	case w.changes <- struct{}{}:
	default:
	}
}

// run waits for hints, and looks when there was quiet after one.
func (w *Watcher) run() {
	poll := time.NewTicker(w.pace.Poll)
	defer poll.Stop()
	quiet := time.NewTimer(w.pace.Longest)
	quiet.Stop()        // until there is a hint
	var first time.Time // of the hints that were not followed yet
	for {
		select {
		case <-w.closed:
			return
		case e, ok := <-w.events.Events:
			if !ok || e.Op == fsnotify.Chmod {
				continue
			}
		case <-w.events.Errors: // events were lost; that is a hint too
		case <-w.hints:
		case <-poll.C:
			w.check()
			continue
		case <-quiet.C:
			first = time.Time{}
			w.check()
			continue
		}
		if first.IsZero() {
			first = time.Now()
		}
		quiet.Reset(min(w.pace.Quiet, time.Until(first.Add(w.pace.Longest))))
	}
}

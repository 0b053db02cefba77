package policy

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Stored is all that a load has read: with it, the policy can be loaded again with the
// same result when the files are not what they were. It holds secrets, where the policy
// or the values of its variables do.
type Stored struct {
	// Path is what was loaded, and Settings what it was loaded with.
	Path     string    `json:"path"`
	Settings []Setting `json:"settings,omitempty"`
	// Environ has the variables of the environment that were asked for; nil stands for
	// one that there was not.
	Environ map[string]*string `json:"environ"`
	// Directories and Patterns tell which files were found in a directory, and by a
	// pattern of an include.
	Directories map[string][]string `json:"directories"`
	Patterns    map[string][]string `json:"patterns"`
	Files       []StoredFile        `json:"files"`
}

// StoredFile is a file as it was read.
type StoredFile struct {
	Name    string `json:"name"`
	Content []byte `json:"content"`
}

// Stored gives what the policy was loaded from.
func (p *Policy) Stored() *Stored { return p.stored }

// Load loads the policy again. No file is read.
func (s *Stored) Load() (*Policy, Diagnostics) {
	return Load(s.Path, Options{Settings: s.Settings, Environ: s.lookup, from: s})
}

// Differs tells a variable of the environment that the policy was loaded with and that
// has another value now; empty if there is none.
func (s *Stored) Differs(environ func(name string) (string, bool)) string {
	for _, name := range sortedNames(s.Environ) {
		then := s.Environ[name]
		if now, ok := environ(name); ok != (then != nil) || ok && now != *then {
			return name
		}
	}
	return ""
}

func (s *Stored) lookup(name string) (string, bool) {
	if value := s.Environ[name]; value != nil {
		return *value, true
	}
	return "", false
}

// noting wraps an environment, so that what is asked for is noted.
func (s *Stored) noting(environ func(string) (string, bool)) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := environ(name)
		s.Environ[name] = nil
		if ok {
			s.Environ[name] = &value
		}
		return value, ok
	}
}

// filled gives the notes with the files that were read.
func (s *Stored) filled(in *inputs) *Stored {
	for _, name := range in.names {
		s.Files = append(s.Files, StoredFile{name, in.contents[name]})
	}
	return s
}

// file gives the place of a file among those that were read, or -1.
func (s *Stored) file(name string) int {
	return slices.IndexFunc(s.Files, func(f StoredFile) bool { return f.Name == name })
}

// fetch reads a file that is no larger than a limit.
func (in *inputs) fetch(name string, limit int64) ([]byte, error) {
	if in.from == nil {
		return readBounded(name, limit)
	}
	if at := in.from.file(name); at >= 0 {
		return in.from.Files[at].Content, nil
	}
	return nil, absent(name)
}

func absent(name string) error { return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist} }

// isDirectory tells a directory from a file.
func (in *inputs) isDirectory(name string) (bool, error) {
	if in.from == nil {
		info, err := os.Stat(name)
		return err == nil && info.IsDir(), err
	}
	if _, ok := in.from.Directories[name]; ok {
		return true, nil
	}
	if in.from.file(name) < 0 {
		return false, absent(name)
	}
	return false, nil
}

// list gives the files of a directory that belong to its policy, in the order of their
// names.
func (in *inputs) list(dir string) (names []string, err error) {
	if in.from != nil {
		return in.from.Directories[dir], nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if isAutoVars(name) || isPolicyFile(name) && !e.IsDir() {
			names = append(names, name)
		}
	}
	if in.notes != nil {
		in.notes.Directories[dir] = names
	}
	return names, nil
}

// glob gives the files that a pattern stands for.
func (in *inputs) glob(pattern string) (names []string, err error) {
	if in.from != nil {
		return in.from.Patterns[pattern], nil
	}
	names, err = filepath.Glob(pattern)
	if in.notes != nil {
		in.notes.Patterns[pattern] = names
	}
	return names, err
}

// identity tells files apart that may have several names. Of those that were stored, only
// the name is there that a file was read by: any other means that it was read again.
func (in *inputs) identity(name string) (identity string, again bool) {
	if in.from != nil {
		return name, in.from.file(name) < 0
	}
	if real, err := filepath.EvalSymlinks(name); err == nil {
		identity, _ = filepath.Abs(real)
		return identity, false
	}
	return name, false
}

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loka-proxy/loka/core/policy"
)

// keeper keeps the last good policy, for a start at which the files are broken. Nil
// keeps nothing.
type keeper struct {
	file string // where it is, in a directory of its own
}

// lastGood is a policy that was in force.
type lastGood struct {
	// Format is of this file, not of the policy.
	Format int `json:"format"`
	// Config is the policy's absolute path, and Directory where loka ran, which the names
	// of files are seen from.
	Config    string         `json:"config"`
	Directory string         `json:"directory"`
	Loka      string         `json:"loka"`
	Kept      time.Time      `json:"kept"`
	Hash      string         `json:"hash"`
	Policy    *policy.Stored `json:"policy"`
}

const lastGoodFormat = 1

// Bounds of what is kept. A policy has hardly ever more than some hundred KiB.
const (
	maxKept      = 32
	maxKeptBytes = 64 << 20
)

// newKeeper keeps the policy of the flags in a directory for state, as --state has it.
func newKeeper(state string, flags *policyFlags) (*keeper, error) {
	var err error
	switch state {
	case "", "off":
		return nil, nil
	case "auto":
		state, err = usualState()
	}
	if err != nil {
		return nil, err
	}
	key, err := flags.key(os.Environ())
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(state, "last-good")
	if err := usable(dir); err != nil {
		return nil, err
	}
	return &keeper{filepath.Join(dir, key+".json")}, nil
}

// key names what is run: the policy by its path, and the values that are given to it, so
// that two who run one template never serve each other's pools.
func (f *policyFlags) key(environ []string) (string, error) {
	config, err := filepath.Abs(f.config)
	if err != nil {
		return "", err
	}
	says := []string{config}
	for _, s := range f.settings {
		if s.VarFile != "" {
			if s.VarFile, err = filepath.Abs(s.VarFile); err != nil {
				return "", err
			}
		}
		says = append(says, "var "+s.Var, "file "+s.VarFile)
	}
	environ = slices.DeleteFunc(slices.Clone(environ), func(pair string) bool { return !strings.HasPrefix(pair, "LOKA_VAR_") })
	slices.Sort(environ)
	sum := sha256.Sum256([]byte(strings.Join(append(says, environ...), "\x00")))
	return hex.EncodeToString(sum[:12]), nil
}

// usable makes a directory that is nobody else's, if it is not there, and reports whether
// files can be made in it.
func usable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".try-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// usualState gives the directory for state that systemd gives, or the first of the usual
// ones that can be written.
func usualState() (string, error) {
	if dir, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":"); dir != "" {
		return dir, nil
	}
	const system = "/var/lib/loka"
	err := usable(filepath.Join(system, "last-good"))
	if err == nil {
		return system, nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "loka"), nil
	}
	home, homeless := os.UserHomeDir()
	if homeless != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "state", "loka"), nil
}

// keep keeps a policy that is in force.
func (k *keeper) keep(flags *policyFlags, p *policy.Policy) error {
	if k == nil {
		return nil
	}
	config, err := filepath.Abs(flags.config)
	if err != nil {
		return err
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	text, err := json.Marshal(lastGood{lastGoodFormat, config, here, version(), time.Now(), p.Hash, p.Stored()})
	if err != nil {
		return err
	}
	if len(text) > maxKeptBytes {
		return fmt.Errorf("its files are larger than %d MiB", maxKeptBytes>>20)
	}
	if err := writeSafely(k.file, text); err != nil {
		return err
	}
	return k.prune()
}

// writeSafely writes a file as a whole or not at all, for nobody else to read.
func writeSafely(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// prune removes the oldest where there are too many, and what a crash has left.
func (k *keeper) prune() error {
	dir := filepath.Dir(k.file)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var kept []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		switch {
		case err != nil: // another loka was faster
		case filepath.Ext(e.Name()) == ".json":
			kept = append(kept, info)
		case time.Since(info.ModTime()) > time.Hour:
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	slices.SortFunc(kept, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	for i, info := range kept {
		if i >= maxKept && info.Name() != filepath.Base(k.file) {
			_ = os.Remove(filepath.Join(dir, info.Name()))
		}
	}
	return nil
}

// errNoneKept says that there is no last good policy, as at the first start.
var errNoneKept = errors.New("no policy was in force here before")

// last gives the last good policy, or says why there is none that could serve.
func (k *keeper) last() (*policy.Policy, time.Time, error) {
	if k == nil {
		return nil, time.Time{}, errNoneKept
	}
	good, err := readLastGood(k.file)
	if err != nil {
		return nil, time.Time{}, err
	}
	if name := good.Policy.Differs(os.LookupEnv); name != "" {
		return nil, time.Time{}, fmt.Errorf("it was loaded with another value of %s in the environment", name)
	}
	p, diags := good.Policy.Load()
	if diags.HasErrors() {
		return nil, time.Time{}, fmt.Errorf("it was kept by loka %s, and does not load: %w", good.Loka, diags.Errors())
	}
	p.Files = slices.Clone(p.Files)
	for i, name := range p.Files {
		if !filepath.IsAbs(name) {
			p.Files[i] = filepath.Join(good.Directory, name)
		}
	}
	return p, good.Kept, nil
}

func readLastGood(name string) (*lastGood, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoneKept
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeptBytes+1))
	if err != nil {
		return nil, err
	}
	var good lastGood
	if err := json.Unmarshal(text, &good); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", name, err)
	}
	if good.Format != lastGoodFormat || good.Policy == nil {
		return nil, fmt.Errorf("%s was kept by loka %s in a form that this one does not read", name, good.Loka)
	}
	return &good, nil
}

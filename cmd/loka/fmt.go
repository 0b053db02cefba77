package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/loka-proxy/loka/core/policy"
)

// standardInput is the path that stands for it.
const standardInput = "-"

func fmtCommand() *cobra.Command {
	var f formatter
	cmd := &cobra.Command{
		Use:   "fmt [PATH...]",
		Short: "Bring policy files into the one layout",
		Long: `Bring policies, tests and files of values (*.hcl) into the one layout, and print the
names of the files that changed. Only white space changes, and a byte order mark at the
beginning goes; what stands in quotes and in heredocs is left alone.

A PATH is a file, a directory with all that is below it (names that begin with a dot
aside), or - for standard input to standard output. Without one it is the directory
that loka is called in. A file that does not parse is left as it is, and the others
are formatted.

Exit codes: 0 done, 1 a file does not parse or cannot be read or written, 3 with
--check a file is not formatted.`,
		Example: `  loka fmt /etc/loka
  loka fmt --check --diff policies
  loka fmt - < loka.hcl`,
		ValidArgsFunction: completePolicies,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.in, f.out, f.err = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			return f.run(args)
		},
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing, and exit with 3 if a file is not formatted")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "change nothing, and print what would change")
	return cmd
}

// formatter formats files one after the other and remembers what came of it.
type formatter struct {
	check, diff bool
	in          io.Reader
	out, err    io.Writer
	changed     int
	failed      bool
}

func (f *formatter) run(paths []string) error {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	for _, path := range paths {
		f.told(f.path(path))
	}
	switch {
	case f.failed:
		return &failure{code: exitPolicy, err: errors.New("not all files could be formatted"), silent: true}
	case f.check && f.changed > 0:
		return &failure{code: exitUnformatted, err: errors.New("not all files are formatted"), silent: true}
	}
	return nil
}

// told tells of what failed; the rest goes on.
func (f *formatter) told(err error) {
	if err != nil {
		f.failed = true
		fmt.Fprintf(f.err, "Error: %v\n", err)
	}
}

func (f *formatter) path(path string) error {
	if path == standardInput {
		return f.stream()
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no %s", path)
	case err != nil:
		return err
	case info.IsDir():
		return f.directory(path)
	case filepath.Ext(path) != ".hcl":
		return fmt.Errorf("%s is no *.hcl", path)
	}
	return f.file(path)
}

// directory formats the files of a directory and of those below it.
func (f *formatter) directory(root string) error {
	// A walk does not enter a link, and the root may be one.
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return err
	}
	found := false
	err = filepath.WalkDir(real, func(path string, e fs.DirEntry, err error) error {
		hidden := path != real && strings.HasPrefix(e.Name(), ".")
		switch {
		case err != nil:
			return err
		case hidden && e.IsDir():
			return fs.SkipDir
		case hidden || e.IsDir() || filepath.Ext(path) != ".hcl":
			return nil
		}
		found = true
		f.told(f.file(filepath.Join(root, strings.TrimPrefix(path, real))))
		return nil
	})
	if err == nil && !found {
		return fmt.Errorf("%s holds no *.hcl", root)
	}
	return err
}

func (f *formatter) file(name string) error {
	src, err := policy.ReadFile(name)
	if err != nil {
		return err
	}
	text, ok := f.format(src, name)
	if !ok || bytes.Equal(src, text) {
		return nil
	}
	f.changed++
	if f.diff {
		return f.show(src, text, name)
	}
	if !f.check {
		if err := replaceFile(name, text); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	_, err = fmt.Fprintln(f.out, name)
	return err
}

// stream formats standard input. With --check it prints no text, for there is no file
// that could be looked at.
func (f *formatter) stream() error {
	src, err := io.ReadAll(f.in)
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	text, ok := f.format(src, "stdin")
	if !ok {
		return nil
	}
	if !bytes.Equal(src, text) {
		f.changed++
	}
	switch {
	case f.diff:
		return f.show(src, text, "stdin")
	case f.check:
		return nil
	}
	_, err = f.out.Write(text)
	return err
}

func (f *formatter) format(src []byte, name string) (text []byte, ok bool) {
	text, diags := policy.Format(src, name)
	if diags.HasErrors() {
		f.failed = true
		_ = diags.Write(f.err)
		return nil, false
	}
	return text, true
}

func (f *formatter) show(old, text []byte, name string) error {
	_, err := f.out.Write(diff.Diff(name, old, name+" (formatted)", text))
	return err
}

// replaceFile puts a text in the place of a file in one step, so that nobody ever reads
// half of it. The file keeps its mode and its owner, and a link stays a link.
func replaceFile(name string, text []byte) error {
	name, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Sync(), temp.Close(), keepOwner(temp.Name(), info), os.Chmod(temp.Name(), info.Mode()))
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), name)
}

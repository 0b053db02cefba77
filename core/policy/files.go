package policy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

const (
	// maxPolicyBytes bounds a file that is parsed.
	maxPolicyBytes = 1 << 20
	// maxRepairs is how many mistakes of a file that does not parse are told, and
	// maxReread how many bytes are parsed again to find them.
	maxRepairs = 50
	maxReread  = 4 << 20
	// maxDataBytes bounds what file() reads.
	maxDataBytes = 16 << 20
)

var (
	// errTooLarge says that a file is larger than the place it is read for allows.
	errTooLarge = errors.New("file too large")
	// errNoFile says that something is no file that has an end.
	errNoFile = errors.New("no regular file")
)

// inputs is every file that a load has read. A change to any of them may change the
// policy.
type inputs struct {
	names    []string
	contents map[string][]byte
	// notes are what else the load has learned of the world, and from, when not nil, is
	// what it reads in the place of files.
	notes, from *Stored
}

// read reads a file and remembers it.
func (in *inputs) read(name string, limit int64) ([]byte, error) {
	if content, ok := in.contents[name]; ok {
		return content, nil
	}
	content, err := in.fetch(name, limit)
	if err != nil {
		return nil, err
	}
	in.add(name, content)
	return content, nil
}

// readBounded reads a file that is no larger than a limit.
func readBounded(name string, limit int64) ([]byte, error) {
	if err := regular(name); err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("read %s: %w", name, errTooLarge)
	}
	return content, err
}

func (in *inputs) add(name string, content []byte) {
	in.names = append(in.names, name)
	in.contents[name] = content
}

// regular refuses what is no regular file before it is opened: to open a pipe is to
// wait for whoever writes into it.
func regular(name string) error {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return &fs.PathError{Op: "read", Path: name, Err: syscall.EISDIR}
	case !info.Mode().IsRegular():
		return fmt.Errorf("read %s: %w", name, errNoFile)
	}
	return nil
}

// notThere says that there is no such file.
const notThere = "it does not exist"

// whyNot says in a few words why a file could not be read.
func whyNot(err error) string {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return notThere
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, syscall.EISDIR):
		return "it is a directory"
	case errors.Is(err, errNoFile):
		return "it is no regular file (a pipe, a socket or a device)"
	case errors.Is(err, errTooLarge):
		return "it is too large"
	case errors.As(err, &path):
		return path.Err.Error()
	}
	return err.Error()
}

// isPolicyFile tells policy files from tests and from files of values.
func isPolicyFile(name string) bool {
	base := filepath.Base(name)
	return strings.HasSuffix(base, ".hcl") && !strings.HasSuffix(base, ".test.hcl") &&
		!strings.HasSuffix(base, ".vars.hcl") && !strings.HasPrefix(base, ".")
}

// isAutoVars tells the files of values that belong to a directory.
func isAutoVars(name string) bool {
	base := filepath.Base(name)
	return strings.HasSuffix(base, ".auto.vars.hcl") && !strings.HasPrefix(base, ".")
}

func isTestFile(name string) bool {
	base := filepath.Base(name)
	return strings.HasSuffix(base, ".test.hcl") && !strings.HasPrefix(base, ".")
}

// readPolicy reads the file or the directory that the policy is, with all that it
// includes.
func (l *loader) readPolicy(path string) {
	isDirectory, err := l.inputs.isDirectory(path)
	switch {
	case err != nil:
		l.failNowhere("Policy not readable", "%s cannot be read: %s.", path, whyNot(err))
	case isDirectory:
		l.root, l.isDirectory = path, true
		l.readDirectory(path)
	case !isPolicyFile(path):
		l.failNowhere("Not a policy file", "%s is not a policy: policies are named *.hcl, tests *.test.hcl and files of values *.vars.hcl.", path)
	default:
		l.root = filepath.Dir(path)
		l.readFile(path, nil)
	}
}

func (l *loader) readDirectory(dir string) {
	names, err := l.inputs.list(dir)
	if err != nil {
		l.failNowhere("Policy not readable", "The directory %s cannot be read: %s.", dir, whyNot(err))
		return
	}
	found := false
	for _, name := range names {
		if isAutoVars(name) {
			l.autoVars = append(l.autoVars, name)
			continue
		}
		found = true
		l.readFile(name, nil)
	}
	if !found {
		l.failNoPolicy(dir)
	}
}

func (l *loader) failNoPolicy(dir string) {
	const summary = "No policy here"
	if len(l.tests) > 0 {
		l.fail(l.tests[0].head(), summary, "This tests the policy of its directory, and %s holds no policy file (*.hcl). "+
			"A file of tests can also bring the policy that it tests, as in include = [\"../farm/*.hcl\"].", dir)
		return
	}
	l.failNowhere(summary, "The directory %s holds no policy file (*.hcl; *.test.hcl and *.vars.hcl do not count).", dir)
}

// readFile reads and parses one policy file, once, and then what it includes. from is
// the place that asks for it, or nil.
func (l *loader) readFile(name string, from *hcl.Range) {
	identity, again := l.inputs.identity(name)
	if l.seen[identity] || again {
		return
	}
	l.seen[identity] = true
	if src := l.parsed(name, from); src != nil {
		src.included = from != nil
		l.take(src)
	}
}

// parsed reads and parses a file, or gives nil when it cannot be read.
func (l *loader) parsed(name string, from *hcl.Range) *source {
	src := l.open(name, from)
	if src == nil {
		return nil
	}
	l.parse(src)
	if src.body != nil {
		l.measure(src.body)
	}
	return src
}

// take makes a file part of the policy, with what it includes.
func (l *loader) take(src *source) {
	l.files = append(l.files, src)
	if src.body != nil {
		l.readIncludes(src)
	}
}

// open reads a file that is to be parsed as HCL and makes it known to the report.
func (l *loader) open(name string, from *hcl.Range) *source {
	content, err := l.inputs.read(name, maxPolicyBytes)
	if err != nil {
		l.failFile(name, whyNot(err), from)
		return nil
	}
	return l.admit(name, content, from)
}

// admit makes the text of a file known to the report, unless it is none that can be
// parsed.
func (l *loader) admit(name string, content []byte, from *hcl.Range) *source {
	problem := ""
	switch {
	case len(content) > maxPolicyBytes:
		problem = whyNot(errTooLarge)
	case !utf8.Valid(content):
		problem = "it is not valid UTF-8"
	}
	src := &source{name: name, bytes: content}
	if problem == "" && !src.lex(content) {
		problem = "it is nested too deeply"
	}
	if problem != "" {
		l.failFile(name, problem, from)
		return nil
	}
	l.knows(src)
	return src
}

func (l *loader) failFile(name, problem string, from *hcl.Range) {
	const summary = "File not readable"
	if from == nil {
		l.failNowhere(summary, "%s cannot be read: %s.", name, problem)
		return
	}
	l.fail(*from, summary, "%s cannot be read: %s.", name, problem)
}

// readIncludes follows include = ["…"]. It runs before any variable is known, so the
// list holds plain texts.
func (l *loader) readIncludes(src *source) {
	attr := src.body.Attributes["include"]
	if attr == nil {
		return
	}
	items, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() {
		src.broken = true
		l.fail(attr.Expr.Range(), "Wrong include", `include is a list of file names, as in include = ["pools.hcl", "sites/*.hcl"].`)
		return
	}
	for _, item := range items {
		value, diags := item.Value(nil)
		if diags.HasErrors() || value.Type() != cty.String || value.IsNull() {
			src.broken = true
			l.fail(item.Range(), "Wrong include", "A file name in include is a plain text in quotes: it is read before anything else, so no variable is known yet.")
			continue
		}
		l.include(src, value.AsString(), item.Range())
	}
}

func (l *loader) include(src *source, pattern string, at hcl.Range) {
	before := len(l.diags)
	defer func() { src.broken = src.broken || len(l.diags) > before }()
	full := pattern
	if !filepath.IsAbs(pattern) {
		full = filepath.Join(filepath.Dir(src.name), pattern)
	}
	names, err := l.inputs.glob(full)
	if err != nil {
		l.fail(at, "Wrong include", "The pattern %q is malformed.", pattern)
		return
	}
	matched := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !isPolicyFile(name) })
	switch {
	case len(names) == 0:
		l.fail(at, "Nothing to include", "No file matches %q (looked for %s).", pattern, full)
	case len(matched) == 0:
		l.fail(at, "Nothing to include", "%q matches no policy file: policies are named *.hcl, and *.test.hcl and *.vars.hcl do not count.", pattern)
	}
	for _, name := range matched {
		l.readFile(name, &at)
	}
}

// parse parses a file. A mistake does not hide those that come after it: the line that
// it is on is taken out, and the file parsed again.
func (l *loader) parse(src *source) {
	work := src.bytes
	for n := 0; ; n++ {
		file, diags := hclsyntax.ParseConfig(work, src.name, hcl.InitialPos)
		src.body, _ = file.Body.(*hclsyntax.Body)
		if !diags.HasErrors() {
			src.putBack()
			return
		}
		fixed, ok := l.unfold(src, work, diags)
		if !ok {
			fixed, ok = l.repair(src, work, diags)
		}
		if !ok {
			src.broken = true
			fixed, ok = l.skipLine(src, work, diags)
		}
		if !ok || n == maxRepairs || n*len(work) > maxReread {
			src.broken = true
			l.add(diags[:min(len(diags), maxRepairs)])
			return
		}
		work = fixed
		src.lex(work)
	}
}

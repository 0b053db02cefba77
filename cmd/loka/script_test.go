package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"loka":        func() { os.Exit(execute(context.Background(), os.Args[1:])) },
		"loka-nobody": func() { os.Exit(asNobody(os.Args[1:])) },
		"loka-lab-pool": func() {
			if err := servePool(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		},
	})
}

// asNobody runs loka as a user who is not root.
func asNobody(args []string) int {
	if os.Geteuid() == 0 {
		for _, drop := range []func() error{
			func() error { return syscall.Setgroups(nil) },
			func() error { return syscall.Setgid(65534) },
			func() error { return syscall.Setuid(65534) },
		} {
			if err := drop(); err != nil {
				fmt.Fprintln(os.Stderr, "cannot stop being root:", err)
				return 125
			}
		}
	}
	return execute(context.Background(), args)
}

// TestScripts runs testdata/script/*.txtar: each is one feature or one mistake of a
// user, with the files, the command line and what it prints on one page.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			house, err := filepath.Abs("../../core/policy/testdata/house") // a whole policy, with tests
			if err != nil {
				return err
			}
			e.Setenv("HOUSE", house)
			e.Setenv("STATE_DIRECTORY", filepath.Join(e.WorkDir, "state"))
			// For loka-nobody: the files of a script are no secret.
			for dir := e.WorkDir; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
				if err := os.Chmod(dir, 0o755); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"mode":  mode,
			"taken": taken,
		},
	})
}

// exits CODE COMMAND... runs a command and compares its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	code := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		code = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, not %s", code, args[0])
	}
}

// mode OCTAL FILE compares the mode of a file.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s", args[1], got)
	}
}

// taken VAR binds a port of loopback for as long as the script runs and puts its
// address into a variable.
func taken(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

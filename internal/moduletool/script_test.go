package moduletool_test

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/moduletool"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts and golden files")

// The program of the scripts is this test binary, as a trial child as well.
func TestMain(m *testing.M) {
	actAsDaemon(os.Getenv(standIn))
	testscript.Main(m, map[string]func(){"mesos-module": func() { os.Exit(moduletool.Main()) }})
}

// TestScripts runs testdata/script. There, $SOURCE are the sources of this module,
// $SLAVE is a real mesos-slave, $TOOL a real mesos-module (which, unlike this
// binary, was built with the flags of a daemon).
func TestScripts(t *testing.T) {
	source, err := filepath.Abs("../..")
	require.NoError(t, err)
	bin := binaries(t, source)
	env := goEnv(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, env...)
			e.Vars = append(e.Vars, "SOURCE="+source, "SLAVE="+filepath.Join(bin, "mesos-slave"), "TOOL="+filepath.Join(bin, "mesos-module"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "grow": grow},
	})
}

// binaries builds real programs once for all scripts.
func binaries(t *testing.T, source string) string {
	t.Helper()
	bin := t.TempDir()
	cmd := exec.Command("go", "build", "-o", bin+"/", "./cmd/mesos-slave", "./cmd/mesos-module")
	cmd.Dir = source
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return bin
}

// goEnv lets the go command of the scripts share our caches, and reach nobody.
func goEnv(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	require.NoError(t, err)
	dirs := strings.Fields(string(out))
	require.Len(t, dirs, 2)
	return []string{"GOCACHE=" + dirs[0], "GOMODCACHE=" + dirs[1], "GOPROXY=off", "GOFLAGS=-modcacherw", "GOTOOLCHAIN=local"}
}

// exits runs a command that has to end with an exit code: exits 64 mesos-module …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var ended *exec.ExitError
		if !errors.As(err, &ended) {
			ts.Fatalf("%v", err)
		}
		code = ended.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, and %d was expected", code, want)
	}
}

// grow makes a file larger or smaller: grow FILE SIZE, by a number of bytes from
// its end if it is negative.
func grow(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: grow FILE SIZE")
	}
	path := ts.MkAbs(args[0])
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	if size < 0 {
		info, err := os.Stat(path)
		ts.Check(err)
		size += info.Size()
	}
	ts.Check(os.Truncate(path, size))
}

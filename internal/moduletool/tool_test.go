package moduletool_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/internal/moduletool"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// terminal opens a pseudo-terminal of 200 columns. What is written to it comes out
// of shown.
func terminal(t *testing.T) (tty *os.File, shown *bufio.Reader) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, master.Close()) })
	fd := int(master.Fd())
	require.NoError(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(t, err)
	tty, err = os.OpenFile(filepath.Join("/dev/pts", strconv.Itoa(number)), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, tty.Close()) })
	require.NoError(t, unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 200}))
	return tty, bufio.NewReader(master)
}

func TestTerminal(t *testing.T) {
	firstLines := func(t *testing.T, env map[string]string) string {
		tty, shown := terminal(t)
		var stderr bytes.Buffer
		tool := moduletool.Tool{Stdout: tty, Stderr: &stderr, Env: func(name string) string { return env[name] }}
		ended := make(chan int, 1)
		go func() { ended <- tool.Run(t.Context(), []string{"roles"}) }()
		var lines string
		for range 4 {
			line, err := shown.ReadString('\n')
			require.NoError(t, err)
			lines += line
		}
		go func() { _, _ = io.Copy(io.Discard, shown) }() // a terminal holds less than the table; it ends with the terminal
		require.Equal(t, moduletool.ExitOK, <-ended, stderr.String())
		return lines
	}
	t.Run("tables have lines and colours on a terminal", func(t *testing.T) {
		lines := firstLines(t, nil)
		assert.Contains(t, lines, "│")
		assert.Contains(t, lines, "\x1b[1mROLE\x1b[0m")
	})
	t.Run("NO_COLOR takes the colours and leaves the lines", func(t *testing.T) {
		lines := firstLines(t, map[string]string{"NO_COLOR": "1"})
		assert.Contains(t, lines, "│")
		assert.NotContains(t, lines, "\x1b[")
	})
}

// failing is a standard output that takes nothing.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no room is left") }

func TestAnswersThatCannotBeWritten(t *testing.T) {
	library := filepath.Join(t.TempDir(), "lib.so")
	require.NoError(t, os.WriteFile(library, []byte("bytes"), 0o644))
	for _, args := range [][]string{
		{"roles"}, {"roles", "--format=json"}, {"rules"}, {"rules", "cycle"}, {"rules", "--format=json"},
		{"headers", t.TempDir()}, {"headers", "--format=json", t.TempDir()}, {"new", "--lang=c", "org_example_x", t.TempDir()},
		{"inspect", library}, {"inspect", "--field=module", library}, {"inspect", "--format=json", library},
	} {
		var stderr bytes.Buffer
		tool := moduletool.Tool{Stdout: failing{}, Stderr: &stderr, Env: os.Getenv, Vehicles: one(fake{complete: true})}
		assert.Equal(t, moduletool.ExitFailed, tool.Run(t.Context(), args), args)
		assert.Contains(t, stderr.String(), "no room is left", args)
	}
}

// fake is a vehicle for files of any content.
type fake struct {
	complete bool
	refusal  error
}

func (fake) Name() string { return "fake" }

func (f fake) Recognise(vehicle.File) (vehicle.Description, bool, error) {
	d := vehicle.Description{Vehicle: "fake", Complete: f.complete}
	if f.complete {
		d.Modules = []vehicle.Module{{Name: "org_example_m", Role: "Calculator"}}
	}
	return d, true, f.refusal
}

func (fake) Describe(vehicle.File, vehicle.Description) (vehicle.Description, error) {
	return vehicle.Description{}, errors.New("described in this process")
}

func (fake) Open(context.Context, vehicle.File, vehicle.Description) (vehicle.Library, error) {
	return nil, errors.New("opened in this process")
}

func one(v vehicle.Vehicle) func(string) []vehicle.Vehicle {
	return func(string) []vehicle.Vehicle { return []vehicle.Vehicle{v} }
}

func TestInspectOpensInAChild(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for _, name := range []string{"a.so", "b.so"} {
		paths = append(paths, filepath.Join(dir, name))
		require.NoError(t, os.WriteFile(paths[len(paths)-1], []byte(name), 0o644))
	}
	run := func(t *testing.T, verdict func([]trial.Request) ([]trial.Verdict, error), args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		tool := moduletool.Tool{Stdout: &stdout, Stderr: &stderr, Env: os.Getenv, Vehicles: one(fake{}),
			Trial: func(_ context.Context, all []trial.Request, o trial.Options) ([]trial.Verdict, error) {
				assert.Empty(t, o.Executable, "this program is the child if no daemon is named")
				return verdict(all)
			}}
		code := tool.Run(t.Context(), append([]string{"inspect"}, args...))
		return code, stdout.String(), stderr.String()
	}

	t.Run("one child for all that their bytes do not describe", func(t *testing.T) {
		code, stdout, _ := run(t, func(all []trial.Request) ([]trial.Verdict, error) {
			require.Len(t, all, 2)
			assert.Equal(t, paths[0], all[0].File.Path)
			assert.Equal(t, "fake", all[1].Vehicle)
			return []trial.Verdict{
				{Description: vehicle.Description{Complete: true, Modules: []vehicle.Module{{Name: "org_example_a"}}}},
				{Description: vehicle.Description{Complete: true, Modules: []vehicle.Module{{Name: "org_example_b"}}}},
			}, nil
		}, append([]string{"--field=module"}, paths...)...)
		assert.Equal(t, moduletool.ExitOK, code)
		assert.Equal(t, "org_example_a\norg_example_b\n", stdout)
	})
	t.Run("the guilty one is named, and the other is shown", func(t *testing.T) {
		code, stdout, stderr := run(t, func([]trial.Request) ([]trial.Verdict, error) {
			return []trial.Verdict{
				{Err: &vehicle.Refusal{Rule: finding.LibraryOpens, Problem: "it loops", Mend: "mend the loop"}},
				{Description: vehicle.Description{Complete: true}},
			}, nil
		}, paths...)
		assert.Equal(t, moduletool.ExitFailed, code)
		assert.Equal(t, "mesos-module inspect: library-opens: "+paths[0]+": it loops; mend the loop\n", stderr)
		assert.Contains(t, stdout, "described-by:  its bytes (incomplete)")
		assert.Contains(t, stdout, "described-by:  opening it in a child process")
	})
	t.Run("the daemon's own binary is the child, and decides what fits", func(t *testing.T) {
		self, err := os.Executable()
		require.NoError(t, err)
		var asked, child string
		tool := moduletool.Tool{Stdout: io.Discard, Stderr: io.Discard, Env: os.Getenv,
			Vehicles: func(daemon string) []vehicle.Vehicle {
				asked = daemon
				return []vehicle.Vehicle{fake{}}
			},
			Trial: func(_ context.Context, all []trial.Request, o trial.Options) ([]trial.Verdict, error) {
				child = o.Executable
				return make([]trial.Verdict, len(all)), nil
			}}
		assert.Equal(t, moduletool.ExitOK, tool.Run(t.Context(), []string{"inspect", "--daemon=" + self, paths[0]}))
		assert.Equal(t, self, child)
		assert.Equal(t, self, asked)
	})
	t.Run("no child, no answer", func(t *testing.T) {
		code, stdout, stderr := run(t, func([]trial.Request) ([]trial.Verdict, error) { return nil, errors.New("out of processes") }, paths...)
		assert.Equal(t, moduletool.ExitFailed, code)
		assert.Empty(t, stdout)
		assert.Equal(t, "mesos-module inspect: open libraries in a child process: out of processes\n", stderr)
	})
	t.Run("an error that is no refusal is a finding all the same", func(t *testing.T) {
		var stderr bytes.Buffer
		tool := moduletool.Tool{Stdout: io.Discard, Stderr: &stderr, Env: os.Getenv, Vehicles: one(fake{refusal: errors.New("disk on fire")})}
		assert.Equal(t, moduletool.ExitFailed, tool.Run(t.Context(), []string{"inspect", paths[0]}))
		assert.Equal(t, "mesos-module inspect: library-file: "+paths[0]+": disk on fire\n", stderr.String())
	})
	t.Run("a file that no vehicle wants", func(t *testing.T) {
		var stderr bytes.Buffer
		tool := moduletool.Tool{Stdout: io.Discard, Stderr: &stderr, Env: os.Getenv, Vehicles: func(string) []vehicle.Vehicle { return nil }}
		assert.Equal(t, moduletool.ExitFailed, tool.Run(t.Context(), []string{"inspect", paths[0]}))
		assert.Contains(t, stderr.String(), "library-format: "+paths[0]+": it is no library of modules; name a Go plugin")
	})
}

// standIn makes this binary a daemon that does as the variable says: it links our
// module, as a daemon has to.
const standIn = "MODULETOOL_TEST_DAEMON"

func actAsDaemon(how string) {
	switch how {
	case "hang":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, unix.SIGTERM)
		_, _ = os.Stdout.WriteString("begun\n")
		<-stop
		os.Exit(0)
	case "die":
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	}
}

func TestADaemonThatDoesNotAnswer(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)

	t.Run("is stopped with us", func(t *testing.T) {
		t.Setenv(standIn, "hang")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		read, write := io.Pipe()
		go func() {
			_, _ = bufio.NewReader(read).ReadString('\n')
			cancel()
		}()
		var stderr bytes.Buffer
		tool := moduletool.Tool{Stdout: write, Stderr: &stderr, Env: os.Getenv}
		assert.Equal(t, moduletool.ExitFailed, tool.Run(ctx, []string{"verify", "--daemon=" + self}))
		assert.Equal(t, "mesos-module verify: the daemon "+self+" was stopped before it had answered: context canceled\n", stderr.String())
	})
	t.Run("is told from one that answers", func(t *testing.T) {
		t.Setenv(standIn, "die")
		var stderr bytes.Buffer
		tool := moduletool.Tool{Stdout: io.Discard, Stderr: &stderr, Env: os.Getenv}
		assert.Equal(t, moduletool.ExitFailed, tool.Run(t.Context(), []string{"plan", "--daemon=" + self}))
		assert.Equal(t, "mesos-module plan: the daemon "+self+" did not answer: signal: killed\n", stderr.String())
	})
}

package trial_test

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
)

func faked(path string) trial.Request {
	return trial.Request{File: vehicle.File{Path: path}, Vehicle: "fake"}
}

// problem returns why a library is refused by the rule.
func problem(t *testing.T, rule finding.Rule, v trial.Verdict) string {
	t.Helper()
	var r *vehicle.Refusal
	require.ErrorAs(t, v.Err, &r)
	assert.Equal(t, rule, r.Rule)
	assert.NotEmpty(t, r.Mend)
	return r.Problem
}

func TestVerdicts(t *testing.T) {
	t.Run("no library needs no child", func(t *testing.T) {
		verdicts, err := trial.Run(t.Context(), nil, trial.Options{Executable: "/nowhere"})
		require.NoError(t, err)
		assert.Empty(t, verdicts)
	})

	t.Run("a description crosses whole", func(t *testing.T) {
		request := faked("good")
		request.Description = vehicle.Description{Vehicle: "fake", Build: []vehicle.Setting{{Key: "k", Value: "v"}}}
		v := run(t, request)[0]
		require.NoError(t, v.Err)
		assert.Equal(t, vehicle.Description{
			Vehicle: "fake", Build: []vehicle.Setting{{Key: "k", Value: "v"}}, Complete: true,
			Modules: []vehicle.Module{{Name: "m", Requires: []facade.Requirement{{Module: "n", Version: ">1"}}}},
		}, v.Description)
	})

	t.Run("a refusal crosses whole", func(t *testing.T) {
		var r *vehicle.Refusal
		require.ErrorAs(t, run(t, faked("refused"))[0].Err, &r)
		assert.Equal(t, finding.Handshake, r.Rule)
		assert.Equal(t, "p; m", r.Error())
		assert.EqualError(t, r.Cause, "c")
	})

	t.Run("sizes are bounded", func(t *testing.T) {
		v := run(t, faked("huge"), faked("large"), faked("endless error"))
		assert.Contains(t, problem(t, finding.LibraryOpens, v[0]), "and 8388608 are allowed")
		require.NoError(t, v[1].Err)
		assert.Len(t, v[1].Description.MinMesos, 1<<20)
		assert.Less(t, len(problem(t, finding.LibraryOpens, v[2])), 30<<10)
	})

	t.Run("what Go code does while it is opened is told", func(t *testing.T) {
		v := run(t, faked("good"), faked("goexit"), faked("good"), faked("panic"), faked("panic elsewhere"), faked("exit"), faked("error"), faked("good"))
		for _, i := range []int{0, 2, 7} {
			require.NoError(t, v[i].Err)
		}
		assert.Equal(t, "an initialiser called runtime.Goexit while the library was opened", problem(t, finding.LibraryOpens, v[1]))
		assert.Regexp(t, `^an initialiser panicked while the library was opened: there is no bottom \(\S+/trial_test.fake.Describe, fake_test.go:\d+\)$`, problem(t, finding.LibraryOpens, v[3]))
		assert.True(t, strings.HasPrefix(problem(t, finding.LibraryOpens, v[4]),
			"the library ended the trial process with exit status 2 while it was opened; it said: panic: "), v[4].Err)
		assert.Contains(t, v[4].Err.Error(), "in the background")
		assert.NotContains(t, v[4].Err.Error(), "\x1b")
		assert.Equal(t, "the library ended the trial process with exit status 5 while it was opened", problem(t, finding.LibraryOpens, v[5]))
		assert.Equal(t, "it is broken", problem(t, finding.LibraryOpens, v[6]))
	})

	t.Run("Go code that takes descriptors away is found, whoever notices first", func(t *testing.T) {
		v := run(t, faked("good"), faked("closes low descriptors"), faked("good"), faked("closes what the runtime waits with"), faked("good"))
		for _, i := range []int{0, 2, 4} {
			require.NoError(t, v[i].Err)
		}
		assert.Equal(t, closed, problem(t, finding.LibraryOpens, v[1]))
		says, said, _ := strings.Cut(problem(t, finding.LibraryOpens, v[3]), "; it said: ")
		assert.Equal(t, closed, says)
		assert.Contains(t, said, "runtime: netpoll")
	})

	t.Run("a vehicle that the child does not know is named", func(t *testing.T) {
		v := run(t, trial.Request{Vehicle: "balloon"}, faked("good"))
		assert.Equal(t, `the trial child knows no vehicle "balloon"`, problem(t, finding.LibraryOpens, v[0]))
		require.NoError(t, v[1].Err)
	})
}

func TestNoChild(t *testing.T) {
	for executable, says := range map[string]string{
		"/nowhere":   "no such file or directory",
		"/bin/true":  "exit status 0 before it opened anything; main has to begin with trial.Main",
		"/bin/false": "exit status 1 before it opened anything",
	} {
		t.Run(executable, func(t *testing.T) {
			_, err := trial.Run(t.Context(), []trial.Request{faked("good")}, trial.Options{Executable: executable})
			require.ErrorContains(t, err, says)
			require.ErrorContains(t, err, "trial of 1 libraries")
		})
	}
}

const closed = "the library closed the descriptors of the trial process while it was opened"

// What a native library does to the child while it is opened, and what is said of
// it. Empty: nothing is held against it.
var faults = []struct {
	name, init string
	limit      time.Duration
	says       string
}{
	{"nothing", "", 0, ""},
	{"exits", "exit(0)", 0, "the library ended the trial process with exit status 0 while it was opened"},
	{"exits with a status and a reason", `fprintf(stderr,"no licence\n");exit(3)`, 0,
		"the library ended the trial process with exit status 3 while it was opened; it said: no licence"},
	{"aborts", "abort()", 0, "the library ended the trial process with SIGABRT (aborted) while it was opened"},
	{"dereferences null", "*(volatile int*)0=1", 0, "the library ended the trial process with SIGSEGV (segmentation fault) while it was opened"},
	{"terminates itself", "raise(SIGTERM)", 0, "the library ended the trial process with SIGTERM (terminated) while it was opened"},
	{"kills itself", "raise(SIGKILL)", 0, "the library ended the trial process with SIGKILL (killed) while it was opened"},
	{"loops", "for(;;);", soon, "the library was not open after 150ms"},
	{"sleeps", "sleep(60)", soon, "the library was not open after 150ms"},
	{"stops itself", "raise(SIGSTOP)", soon, "the library was not open after 150ms"},
	{"blocks every signal and loops", "sigset_t all;sigfillset(&all);sigprocmask(SIG_SETMASK,&all,0);for(;;);", soon,
		"the library was not open after 150ms"},
	{"ignores signals", "signal(SIGTERM,SIG_IGN);signal(SIGINT,SIG_IGN);signal(SIGPIPE,SIG_IGN)", 0, ""},
	{"forks, and both go on", "if(fork()<0)exit(91)", 0, ""},
	{"makes itself a daemon", "if(daemon(0,0)!=0)exit(91)", 0, "the library ended the trial process with exit status 0 while it was opened"},
	{"prints a lot, some of which looks like a report", "chatter()", 0, ""},
	{"closes low descriptors", "for(int i=3;i<64;i++)close(i)", 0, closed},
	{"puts a file of its own in the place of another", `dup2(open("/dev/null",O_RDONLY),3)`, 0, closed},
	{"closes every descriptor", "closeall()", 0, closed},
	{"closes every descriptor on a thread of its own", "onthread(closeall)", 0, closed},
	{"writes into every descriptor", "junk()", 0, "the library disturbed the reports of the trial process while it was opened"},
}

func TestNativeFaults(t *testing.T) {
	t.Setenv("LD_LIBRARY_PATH", "/for/the/test")
	good := library(t, "")
	before := descriptors(t)

	for _, f := range faults {
		t.Run("a library that "+f.name, func(t *testing.T) {
			v := run(t, good, within(f.limit, library(t, f.init)), good)
			require.NoError(t, v[0].Err, "the one before")
			require.NoError(t, v[2].Err, "the one after")
			if f.says == "" {
				require.NoError(t, v[1].Err)
				return
			}
			// A child that was disturbed may have come to the next library when
			// its parent hears of it, and what the guilty one said is then gone.
			said := strings.TrimSuffix(problem(t, finding.LibraryOpens, v[1]), "; it said: junk")
			assert.Equal(t, f.says, said)
		})
	}

	t.Run("two guilty ones side by side, and one at the end", func(t *testing.T) {
		exits, aborts := library(t, "exit(3)"), library(t, "abort()")
		v := run(t, exits, aborts, good, good, exits)
		for i, says := range map[int]string{0: "status 3", 1: "SIGABRT", 4: "status 3"} {
			assert.Contains(t, problem(t, finding.LibraryOpens, v[i]), says)
		}
		require.NoError(t, v[2].Err)
		require.NoError(t, v[3].Err)
	})

	t.Run("what an earlier library has printed is not held against a later one", func(t *testing.T) {
		v := run(t, library(t, "chatter()"), library(t, "exit(3)"), library(t, "chatter()"), library(t, `fprintf(stderr,"no licence\n");exit(3)`))
		assert.Equal(t, "the library ended the trial process with exit status 3 while it was opened", problem(t, finding.LibraryOpens, v[1]))
		assert.Equal(t, "the library ended the trial process with exit status 3 while it was opened; it said: no licence", problem(t, finding.LibraryOpens, v[3]))
	})

	t.Run("a symbol that is nowhere is the loader's to report", func(t *testing.T) {
		v := run(t, library(t, "", "-DUNDEFINED", "-Wl,-z,now"), good)
		assert.Contains(t, problem(t, finding.LibraryOpens, v[0]), "nowhere")
		require.NoError(t, v[1].Err)
	})

	t.Run("the surroundings are those of a trial", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		// One that whoever started the daemon has left open.
		raw, err := listener.(*net.TCPListener).File()
		require.NoError(t, err)
		defer raw.Close()
		passed, err := unix.FcntlInt(raw.Fd(), unix.F_DUPFD, 50)
		require.NoError(t, err)
		defer unix.Close(passed)

		require.NoError(t, run(t, library(t, "surroundings()"))[0].Err)
	})

	t.Run("nothing is left behind", func(t *testing.T) {
		assert.Equal(t, before, descriptors(t))
		_, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		assert.ErrorIs(t, err, unix.ECHILD, "there are no children, dead or alive")
	})
}

func descriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

// watch makes a pipe that libraries open to be watched: it ends when the last
// process that has opened it does.
func watch(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "watch")
	require.NoError(t, unix.Mkfifo(path, 0o600))
	t.Setenv("WATCH", path)
	return path
}

// requireEnd requires that nobody holds the pipe open any more.
func requireEnd(t *testing.T, r *os.File) {
	t.Helper()
	_, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
}

func TestOffspringEndsWithTheChild(t *testing.T) {
	r, err := os.OpenFile(watch(t), os.O_RDONLY|unix.O_NONBLOCK, 0)
	require.NoError(t, err)
	v := run(t, library(t, "if(fork()==0){here();for(;;)pause();}"), library(t, "if(fork()==0){here();for(;;)pause();}abort()"))
	require.NoError(t, v[0].Err)
	require.Error(t, v[1].Err)
	requireEnd(t, r)

	t.Run("also when it has left the group", func(t *testing.T) {
		r, err := os.OpenFile(watch(t), os.O_RDONLY|unix.O_NONBLOCK, 0)
		require.NoError(t, err)
		require.NoError(t, run(t, library(t, "escapes()"))[0].Err)
		requireEnd(t, r)
	})
}

func TestCancel(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := trial.Run(ctx, []trial.Request{faked("good")}, trial.Options{})
		require.ErrorIs(t, err, context.Canceled)
	})

	t.Run("while a library is being opened", func(t *testing.T) {
		hangs := library(t, "here();for(;;)pause();")
		pipe := watch(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		result := make(chan error, 1)
		go func() {
			_, err := trial.Run(ctx, []trial.Request{faked("good"), hangs}, trial.Options{})
			result <- err
		}()
		r, err := os.Open(pipe) // waits for the library
		require.NoError(t, err)
		cancel()
		require.ErrorIs(t, <-result, context.Canceled)
		requireEnd(t, r)
	})
}

func build(t *testing.T, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "built")
	said, err := exec.Command("go", append(append([]string{"build"}, args[:len(args)-1]...), "-o", out, args[len(args)-1])...).CombinedOutput()
	require.NoError(t, err, string(said))
	return out
}

func TestInADaemon(t *testing.T) {
	host := build(t, "./testdata/host")

	t.Run("Go plugins are described, and what their initialisers do is told", func(t *testing.T) {
		args := []string{"goplugin", soon.String()}
		for _, name := range []string{"good", "panic", "exit", "goexit"} {
			args = append(args, build(t, "-buildmode=plugin", "./testdata/plugins/"+name))
		}
		args = append(args, args[2], build(t, "-buildmode=plugin", "./testdata/plugins/block"))
		said, err := exec.Command(host, args...).CombinedOutput()
		require.NoError(t, err, string(said))
		lines := strings.Split(string(said), "\n")
		require.Len(t, lines, 7, string(said))
		assert.Equal(t, "good: org_example_adder Calculator", lines[0])
		assert.Contains(t, lines[1], "an initialiser panicked while the library was opened: assignment to entry in nil map (")
		assert.Contains(t, lines[2], "exit status 4 while it was opened; it said: there is no licence file")
		assert.Contains(t, lines[3], "an initialiser called runtime.Goexit")
		assert.Equal(t, lines[0], lines[4])
		assert.Contains(t, lines[5], "was not open after 150ms")
	})

	t.Run("the child dies with the daemon", func(t *testing.T) {
		hangs := library(t, "here();for(;;)pause();")
		pipe := watch(t)
		cmd := exec.Command(host, "native", "1h", hangs.File.Path)
		require.NoError(t, cmd.Start())
		r, err := os.Open(pipe) // waits for the library
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		requireEnd(t, r)
	})
}

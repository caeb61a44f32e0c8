package daemon_test

import (
	"bytes"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what is compared with")

// TestScripts runs the real daemons with real libraries, as testdata/script says.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin, "./cmd/mesos-master", "./cmd/mesos-slave")
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	heed(t, syscall.SIGHUP)
	s := &scripts{root, bin}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Values[processes{}] = map[string]*process{}
			env.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"cc": s.cc, "cxx": s.cxx, "goplugin": s.goplugin, "link": s.link,
			"start": s.start, "begin": s.begin, "await": s.await, "signal": s.signal, "deafen": s.deafen, "ends": s.ends,
			"get": s.get, "rss": s.rss,
		},
	})
}

// heed has this process and those it starts not ignore a signal, as they do where the
// tests run under nohup.
func heed(t *testing.T, s os.Signal) {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, s)
	t.Cleanup(func() { signal.Stop(heard) })
}

// scripts are the commands that the scripts have beyond those of testscript.
type scripts struct{ root, bin string }

// process is a daemon that a script has started.
type process struct {
	cmd    *exec.Cmd
	reader *os.File // what the daemon writes
	out    *lines
}

// processes is the key of a script's daemons by name.
type processes struct{}

// cc OUT SOURCE FLAGS... compiles a C library against the repository's headers.
func (s *scripts) cc(ts *testscript.TestScript, _ bool, args []string) {
	s.compile(ts, "gcc", "-std=c11", args)
}

// cxx OUT SOURCE does so for C++.
func (s *scripts) cxx(ts *testscript.TestScript, _ bool, args []string) {
	s.compile(ts, "g++", "-std=c++17", args)
}

func (s *scripts) compile(ts *testscript.TestScript, compiler, standard string, args []string) {
	source := args[1]
	if rest, ok := strings.CutPrefix(source, "examples/"); ok {
		source = filepath.Join(s.root, "examples", rest)
	} else {
		source = ts.MkAbs(source)
	}
	flags := append([]string{standard, "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared",
		"-I" + filepath.Join(s.root, "facade", "include"), "-o", ts.MkAbs(args[0]), source}, args[2:]...)
	ts.Check(ts.Exec(compiler, flags...))
}

// goplugin OUT PACKAGE builds a Go plugin of a package of this repository.
func (s *scripts) goplugin(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command("go", "build", "-buildmode=plugin", "-o", ts.MkAbs(args[0]), args[1])
	cmd.Dir = s.root
	if out, err := cmd.CombinedOutput(); err != nil {
		ts.Fatalf("%v\n%s", err, out)
	}
}

// link OUT VERSION builds a mesos-slave of another release.
func (s *scripts) link(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command("go", "build", "-ldflags=-X main.mesosVersion="+args[1], "-o", ts.MkAbs(args[0]), "./cmd/mesos-slave")
	cmd.Dir = s.root
	if out, err := cmd.CombinedOutput(); err != nil {
		ts.Fatalf("%v\n%s", err, out)
	}
}

// start NAME PROGRAM ARGS... starts a daemon and waits until it answers.
func (s *scripts) start(ts *testscript.TestScript, _ bool, args []string) {
	s.begin(ts, false, args)
	p := processOf(ts, args[0])
	address, ok := p.out.await(": answers at ")
	if !ok {
		ts.Fatalf("%s ended before it answered:\n%s", args[0], p.out.all())
	}
	ts.Setenv(args[0]+"_URL", strings.TrimSpace(address))
}

// begin does not wait.
func (s *scripts) begin(ts *testscript.TestScript, _ bool, args []string) {
	p := &process{cmd: exec.Command(filepath.Join(s.bin, args[1]), slices.Concat(alone(ts, args[1]), args[2:])...)}
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.Env = []string{"HOME=" + ts.Getenv("HOME"), "LD_LIBRARY_PATH=" + ts.Getenv("LD_LIBRARY_PATH")}
	reader, writer, err := os.Pipe()
	ts.Check(err)
	p.cmd.Stderr = writer
	ts.Check(p.cmd.Start())
	ts.Check(writer.Close())
	p.reader, p.out = reader, newLines(reader)
	ts.Defer(func() {
		_ = p.cmd.Process.Kill() // one that has ended is not there any more
		_ = p.cmd.Wait()
		<-p.out.done
		_ = reader.Close()
	})
	ts.Value(processes{}).(map[string]*process)[args[0]] = p
}

// alone are the flags with which a daemon starts in a test of the module system: a
// slave finds no master.
func alone(ts *testscript.TestScript, daemon string) []string {
	args := []string{"--ip=127.0.0.1", "--port=0"}
	if daemon == "mesos-master" {
		return append(args, "--registry=in_memory")
	}
	return append(args, "--master=127.0.0.1:1", "--work_dir="+ts.MkAbs("work"), "--runtime_dir="+ts.MkAbs("runtime"))
}

// await NAME TEXT waits until a daemon says something.
func (s *scripts) await(ts *testscript.TestScript, _ bool, args []string) {
	p := processOf(ts, args[0])
	if _, ok := p.out.await(args[1]); !ok {
		ts.Fatalf("%s ended without saying %q; it said:\n%s", args[0], args[1], p.out.all())
	}
}

// signal NAME INT|TERM|HUP sends a signal.
func (s *scripts) signal(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}
	ts.Check(processOf(ts, args[0]).cmd.Process.Signal(signals[args[1]]))
}

// deafen NAME closes the pipe that the daemon writes to.
func (s *scripts) deafen(ts *testscript.TestScript, _ bool, args []string) {
	p := processOf(ts, args[0])
	ts.Check(p.reader.Close())
	<-p.out.done
}

// ends NAME STATUS waits for the end of a daemon; what it said is then in NAME.err.
func (s *scripts) ends(ts *testscript.TestScript, _ bool, args []string) {
	p := processOf(ts, args[0])
	<-p.out.done
	_ = p.cmd.Wait() // the status says it
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".err"), []byte(p.out.all()+"\n"), 0o600))
	if got := strconv.Itoa(p.cmd.ProcessState.ExitCode()); got != args[1] {
		ts.Fatalf("%s ended with status %s, want %s; it said:\n%s", args[0], got, args[1], p.out.all())
	}
}

// get NAME PATH asks a daemon; the body is then in the file answer.
func (s *scripts) get(ts *testscript.TestScript, _ bool, args []string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(ts.Getenv(args[0]+"_URL") + args[1])
	ts.Check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("answer"), body, 0o600))
}

// rss NAME MEGABYTES requires that a daemon's resident memory is below.
func (s *scripts) rss(ts *testscript.TestScript, _ bool, args []string) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(processOf(ts, args[0]).cmd.Process.Pid) + "/status")
	ts.Check(err)
	_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
	kilobytes, err := strconv.Atoi(string(bytes.Fields(rest)[0]))
	ts.Check(err)
	limit, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Logf("resident: %d kB", kilobytes)
	if kilobytes >= limit<<10 {
		ts.Fatalf("%s has %d kB resident, want less than %d MB", args[0], kilobytes, limit)
	}
}

func processOf(ts *testscript.TestScript, name string) *process {
	p := ts.Value(processes{}).(map[string]*process)[name]
	if p == nil {
		ts.Fatalf("no daemon %s was started", name)
	}
	return p
}

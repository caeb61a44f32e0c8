package daemon_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
)

// sample is a builtin calculator; nil functions do nothing.
type sample struct {
	name     string
	create   func(ctx context.Context, host facade.Host) error
	compute  func() (int32, error)
	closing  func(ctx context.Context) error
	requires []facade.Requirement
	secret   bool
}

func (s sample) declared() facade.Declared {
	m := facade.Module[calculator.Calculator]{
		Name: s.name, Version: "1.0.0", Requires: s.requires,
		New: func(ctx context.Context, host facade.Host, _ facade.Parameters) (calculator.Calculator, error) {
			if s.create != nil {
				return s, s.create(ctx, host)
			}
			return s, nil
		},
	}
	if s.secret {
		m.Parameters = facade.SchemaOf[struct {
			Pass facade.Secret `mms:"word" doc:"hidden"`
		}]()
	}
	return m
}

func (s sample) Compute(_ context.Context, a byte, b int64) (int32, error) {
	if s.compute != nil {
		return s.compute()
	}
	return int32(a) + int32(b), nil
}

func (s sample) Close(ctx context.Context) error {
	if s.closing != nil {
		return s.closing(ctx)
	}
	return nil
}

func one(s sample) []facade.Declared {
	s.name = "org_example_a"
	return []facade.Declared{s.declared()}
}

const bindA = "--calculator=org_example_a"

func TestLife(t *testing.T) {
	t.Run("phases, table, answers, teardown report, status 0", func(t *testing.T) {
		d := start(t, options(one(sample{}), bindA))
		assert.Equal(t, `{"calculators":[{"module":"org_example_a","result":75}]}`, d.get("/calculators?a=A&b=10"))
		assert.Equal(t, `{"version":"1.12.0"}`, d.get("/slave(1)/version"))
		assert.Contains(t, d.get("/metrics"), `mms_modules{phase="bind"} 1`)
		assert.Contains(t, d.get("/modules/org_example_a"), `"why":"--calculator -> org_example_a"`)
		end := d.stop(syscall.SIGTERM)
		assert.Equal(t, daemon.ExitOK, end.code)
		order(t, end.stderr, "load         begins", "load         done", "verify       done", "instantiate  done: 1 module made",
			"bind         done: 1 module bound", "mesos-slave 1.12.0: 1 module in", "MODULE", "org_example_a  Calculator  1.0.0",
			"answers at", "teardown     begins", "teardown     done", "mesos-slave teardown in", "org_example_a  closed")
	})
	t.Run("the report has the modules in the order in which they are closed, not unbound", func(t *testing.T) {
		end := start(t, options([]facade.Declared{
			sample{name: "org_example_a", requires: []facade.Requirement{{Module: "org_example_b"}}}.declared(),
			sample{name: "org_example_b"}.declared(),
		}, "--calculator=org_example_a,org_example_b")).stop(syscall.SIGTERM)
		order(t, end.stderr, "mesos-slave teardown in", "org_example_a  closed", "org_example_b  closed")
	})
	t.Run("SIGINT stops it as well", func(t *testing.T) {
		assert.Equal(t, daemon.ExitOK, start(t, options(nil)).stop(syscall.SIGINT).code)
	})
	t.Run("SIGHUP does, unless it is ignored from the beginning", func(t *testing.T) {
		heed(t, syscall.SIGHUP)
		assert.Contains(t, daemon.Signals(), syscall.SIGHUP)
		signal.Ignore(syscall.SIGHUP)
		assert.Equal(t, []os.Signal{syscall.SIGINT, syscall.SIGTERM}, daemon.Signals())
	})
	t.Run("the address is in the file as long as it answers there", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "address")
		d := start(t, options(nil, "--address_file="+path))
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, d.url, "http://"+strings.TrimSuffix(string(text), "\n"))
		d.stop(syscall.SIGTERM)
		assert.NoFileExists(t, path)
	})
	t.Run("a link that lies where the address is prepared is not followed", func(t *testing.T) {
		dir := t.TempDir()
		other := filepath.Join(dir, "other")
		require.NoError(t, os.WriteFile(other, []byte("of somebody else"), 0o600))
		require.NoError(t, os.Symlink(other, filepath.Join(dir, "address.new")))
		start(t, options(nil, "--address_file="+filepath.Join(dir, "address"))).stop(syscall.SIGTERM)
		text, err := os.ReadFile(other)
		require.NoError(t, err)
		assert.Equal(t, "of somebody else", string(text))
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Len(t, left, 2, "nothing of the daemon's stays")
	})
	t.Run("quiet says nothing when all is well", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "mesos-slave.log"), 0o600))
		d := begin(t, options(one(sample{}), bindA, "--quiet", "--log_dir="+dir))
		pipe, err := os.Open(filepath.Join(dir, "mesos-slave.log"))
		require.NoError(t, err)
		defer pipe.Close()
		log := newLines(pipe)
		_, ok := log.await(`"msg":"answers"`)
		require.True(t, ok, log.all())
		end := d.stop(syscall.SIGTERM)
		<-log.done
		assert.Equal(t, outcome{code: daemon.ExitOK}, end)
	})
	t.Run("the log has every phase, and at DEBUG what fx does", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "not", "there", "yet")
		start(t, options(one(sample{}), bindA, "--logging_level=DEBUG", "--log_dir="+dir)).stop(syscall.SIGTERM)
		log, err := os.ReadFile(filepath.Join(dir, "mesos-slave.log"))
		require.NoError(t, err)
		order(t, string(log), `"msg":"load begins"`, `"msg":"OnStart hook executed"`, `"msg":"bind ends"`, `"msg":"teardown ends"`)
	})
	t.Run("modules keep state below the work folder", func(t *testing.T) {
		dir, got := filepath.Join(t.TempDir(), "to", "be", "made"), ""
		start(t, options(one(sample{create: func(_ context.Context, h facade.Host) (err error) {
			got, err = h.StateDir()
			return err
		}}), bindA, "--work_dir="+dir)).stop(syscall.SIGTERM)
		assert.Equal(t, filepath.Join(dir, "modules", "module-org_example_a"), got)
	})
}

// order requires that texts stand in this order.
func order(t *testing.T, in string, texts ...string) {
	t.Helper()
	rest := in
	for _, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		require.True(t, ok, "%q does not follow in:\n%s", text, in)
		rest = after
	}
}

func TestFaults(t *testing.T) {
	t.Run("a constructor that fails is status 3, and all is taken back", func(t *testing.T) {
		closed := 0
		o := options([]facade.Declared{
			sample{name: "org_example_a", closing: func(context.Context) error { closed++; return nil }}.declared(),
			sample{name: "org_example_b", create: func(context.Context, facade.Host) error { return errors.New("no luck") }}.declared(),
		}, "--calculator=org_example_a,org_example_b")
		end := ended(t, o)
		assert.Equal(t, daemon.ExitStart, end.code)
		assert.Equal(t, 1, closed)
		order(t, end.stderr, "org_example_b: create failed", "instantiate  failed", "org_example_a  closed", "cannot start", "no luck")
	})
	t.Run("a finding is status 2, with the report", func(t *testing.T) {
		end := ended(t, options(one(sample{}), "--calculator=org_example_x"))
		assert.Equal(t, daemon.ExitFindings, end.code)
		order(t, end.stderr, "verify       failed", "mesos-slave 1.12.0: 1 finding", "1. binding", "org_example_x", "mend:")
	})
	t.Run("a manifest that cannot be read is status 2, every problem at once", func(t *testing.T) {
		end := ended(t, options(nil, `--modules={"librarys": [], "x": 1}`))
		assert.Equal(t, daemon.ExitFindings, end.code)
		order(t, end.stderr, "2 findings", "1. manifest", "2. manifest")
	})
	t.Run("an address that is taken is status 3", func(t *testing.T) {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer taken.Close()
		o := options(one(sample{}), bindA)
		_, port, _ := net.SplitHostPort(taken.Addr().String())
		o.Args[1] = "--port=" + port
		end := ended(t, o)
		assert.Equal(t, daemon.ExitStart, end.code)
		order(t, end.stderr, "cannot start", taken.Addr().String())
		assert.NotContains(t, end.stderr, "load", "something of a module ran before")
	})
	t.Run("a log folder that cannot be made is status 3", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		end := ended(t, options(nil, "--log_dir="+filepath.Join(file, "logs")))
		assert.Equal(t, daemon.ExitStart, end.code)
		assert.Contains(t, end.stderr, "make the folder of the log: mkdir "+file+": not a directory")
	})
	t.Run("a log that is a folder is status 3", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(dir, "mesos-slave.log"), 0o700))
		end := ended(t, options(nil, "--log_dir="+dir))
		assert.Equal(t, daemon.ExitStart, end.code)
		assert.Contains(t, end.stderr, "open the log: open "+filepath.Join(dir, "mesos-slave.log")+": is a directory")
	})
	t.Run("a module that cannot be closed is status 4, and is named", func(t *testing.T) {
		d := start(t, options(one(sample{closing: func(context.Context) error { return errors.New("stuck valve") }}), bindA))
		end := d.stop(syscall.SIGTERM)
		assert.Equal(t, daemon.ExitTeardown, end.code)
		order(t, end.stderr, "org_example_a: close failed", "org_example_a  failed", "close: stuck valve", "not everything could be given back")
	})
	t.Run("one that hangs is left behind within its limit", func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		d := start(t, options(one(sample{closing: func(context.Context) error { <-release; return nil }}), bindA, "--module_close_limit=1ms"))
		end := d.stop(syscall.SIGTERM)
		assert.Equal(t, daemon.ExitTeardown, end.code)
		order(t, end.stderr, "org_example_a: did not come back from close", "org_example_a  abandoned")
	})
	t.Run("a bound module that panics in a call gives its caller an error, and stays bound", func(t *testing.T) {
		d := start(t, options(one(sample{compute: func() (int32, error) { panic("boom") }}), bindA))
		for range 2 {
			assert.Contains(t, d.get("/calculators?a=A&b=10"), "boom")
		}
		assert.Contains(t, d.get("/metrics"), `mms_call_panics_total{module="org_example_a"} 2`)
		end := d.stop(syscall.SIGTERM)
		assert.Equal(t, daemon.ExitOK, end.code)
		assert.Equal(t, 2, strings.Count(end.stderr, "call         module org_example_a: panicked in Compute: boom"))
	})
}

func TestSignals(t *testing.T) {
	t.Run("a start that is interrupted is taken back", func(t *testing.T) {
		inside := make(chan struct{})
		closed := false
		d := begin(t, options([]facade.Declared{
			sample{name: "org_example_a", closing: func(context.Context) error { closed = true; return nil }}.declared(),
			sample{name: "org_example_b", create: func(ctx context.Context, _ facade.Host) error {
				close(inside)
				<-ctx.Done()
				return ctx.Err()
			}}.declared(),
		}, "--calculator=org_example_a,org_example_b"))
		<-inside
		end := d.stop(syscall.SIGTERM)
		assert.Equal(t, daemon.ExitOK, end.code, end.stderr)
		assert.True(t, closed)
		order(t, end.stderr, "the start was interrupted", "org_example_a  closed")
		assert.NotContains(t, end.stderr, "answers at")
	})
	t.Run("a constructor that does not heed it is left behind: status 4", func(t *testing.T) {
		inside, release := make(chan struct{}), make(chan struct{})
		defer close(release)
		d := begin(t, options(one(sample{create: func(context.Context, facade.Host) error {
			close(inside)
			<-release
			return nil
		}}), bindA))
		<-inside
		end := d.stop(syscall.SIGTERM)
		assert.Equal(t, daemon.ExitTeardown, end.code, end.stderr)
		order(t, end.stderr, "org_example_a: did not come back from create and is left behind", "the start was interrupted")
	})
	for signal, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		t.Run("a second "+signal.String()+" ends it at once", func(t *testing.T) {
			inside, release := make(chan struct{}), make(chan struct{})
			d := start(t, options(one(sample{closing: func(context.Context) error {
				close(inside)
				<-release
				return nil
			}}), bindA))
			d.signals <- syscall.SIGTERM
			<-inside
			d.signals <- signal
			d.await("ends at once: a second signal came")
			assert.Equal(t, code, <-d.code)
			close(release) // a process would have ended; here the rest of the daemon goes on
		})
	}
}

func TestFlags(t *testing.T) {
	t.Run("everything that is wrong, in one run, with the names that were meant: status 1", func(t *testing.T) {
		end := ended(t, options(nil, "--callculator=x", "--hostname", "--module_open_limit=0secs", "--format=xml", "--isolation=a,,b"))
		assert.Equal(t, daemon.ExitUsage, end.code)
		for _, text := range []string{"did you mean --calculator?", "--module_open_limit=0secs: want more than 0", "--format=xml", "--isolation"} {
			assert.Contains(t, end.stderr, text)
		}
	})
	t.Run("an IP address is one", func(t *testing.T) {
		o := options(nil)
		o.Args[0] = "--ip=localhost"
		end := ended(t, o)
		assert.Equal(t, daemon.ExitUsage, end.code)
		assert.Contains(t, end.stderr, "--ip=localhost: want an IP address")
	})
	t.Run("a work folder that cannot be one, before anything of a module runs", func(t *testing.T) {
		taken := filepath.Join(t.TempDir(), "taken")
		require.NoError(t, os.WriteFile(taken, nil, 0o600))
		for _, dir := range []string{taken, filepath.Join(taken, "below")} {
			end := ended(t, options(one(sample{}), bindA, "--work_dir="+dir))
			assert.Equal(t, daemon.ExitUsage, end.code)
			assert.Equal(t, "mesos-slave: --work_dir="+dir+": mkdir "+taken+": not a directory\n", end.stderr)
		}
	})
	t.Run("modules and modules_dir exclude each other", func(t *testing.T) {
		assert.Equal(t, daemon.ExitUsage, ended(t, options(nil, "--modules=/a:b", "--modules_dir=/tmp")).code)
	})
	t.Run("auth means a site of this daemon", func(t *testing.T) {
		for d, flag := range map[roles.Daemon]string{roles.Master: "--authenticators", roles.Slave: "--authenticatee"} {
			o := options(nil, "--verify-only", "--auth=org_example_x")
			o.Daemon = d
			end := ended(t, o)
			assert.Equal(t, daemon.ExitFindings, end.code)
			assert.Contains(t, end.stdout, flag)
		}
	})
	t.Run("the environment gives flags too", func(t *testing.T) {
		o := options(one(sample{}), "--verify-only")
		o.Env = []string{"MESOS_CALCULATOR=org_example_x"}
		assert.Contains(t, ended(t, o).stdout, "org_example_x")
	})
	t.Run("a flag of the other daemon is accepted, its module loaded and not used", func(t *testing.T) {
		o := options(one(sample{}), "--verify-only", "--authorizers=org_example_x")
		assert.Contains(t, ended(t, o).stdout, "authorizers")
	})
	t.Run("secrets are in no endpoint, in no log and not on the console", func(t *testing.T) {
		dir := t.TempDir()
		o := options(one(sample{secret: true}), bindA, "--logging_level=DEBUG", "--log_dir="+dir,
			`--modules={"libraries": [{"name": "builtin", "modules": [{"name": "org_example_a", "parameters": [{"key": "word", "value": "hunter2"}]}]}]}`)
		d := start(t, o)
		for _, path := range []string{"/flags", "/modules", "/modules/org_example_a", "/modules/graph.json", "/modules/findings", "/metrics"} {
			assert.NotContains(t, d.get(path), "hunter2", path)
		}
		end := d.stop(syscall.SIGTERM)
		log, err := os.ReadFile(filepath.Join(dir, "mesos-slave.log"))
		require.NoError(t, err)
		assert.NotContains(t, end.stderr+string(log), "hunter2")
		assert.Equal(t, daemon.ExitOK, end.code)
	})
}

func TestVerifyOnly(t *testing.T) {
	t.Run("nothing is made, the report is on standard output: status 0", func(t *testing.T) {
		o := options(one(sample{create: func(context.Context, facade.Host) error { panic("made") }}), bindA)
		for _, spelling := range []string{"--verify-only", "--verify_only", "--Verify-Only=true"} {
			o.Args = append(o.Args[:3:3], spelling)
			end := ended(t, o)
			assert.Equal(t, daemon.ExitOK, end.code)
			assert.Contains(t, end.stdout, "nothing found")
			assert.Empty(t, end.stderr)
		}
	})
	t.Run("the same input gives the same bytes", func(t *testing.T) {
		for _, format := range []string{"text", "json"} {
			o := options(one(sample{}), "--calculator=org_example_x,org_example_a", "--verify-only", "--format="+format)
			first := ended(t, o)
			assert.Equal(t, daemon.ExitFindings, first.code)
			assert.Equal(t, first, ended(t, o))
		}
	})
	t.Run("what is wrong with files and what is wrong with modules, in one run", func(t *testing.T) {
		end := ended(t, options(one(sample{requires: []facade.Requirement{{Module: "org_example_gone"}}}), bindA,
			"--modules=/nowhere/liba.so:org_example_y", "--verify-only"))
		assert.Equal(t, daemon.ExitFindings, end.code)
		order(t, end.stdout, "library-file", "/nowhere/liba.so", "requirement", "org_example_gone")
	})
	t.Run("a signal interrupts it", func(t *testing.T) {
		ctx, cancel := context.WithDeadline(t.Context(), time.Now())
		defer cancel()
		assert.Equal(t, daemon.ExitStart, daemon.Run(ctx, options(nil, "--verify-only")))
	})
}

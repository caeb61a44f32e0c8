package shipped_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
	"github.com/mesos-modules/mms/internal/clustertest"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/modules/calculator/example"
	"github.com/mesos-modules/mms/roles"
)

// faulty is the name of the calculator in C that misbehaves where it is told to.
const faulty = "org_example_faulty"

// crashing builds it: it crashes in the call 0+7, and while it is opened if the file BAD
// is there.
func crashing(t *testing.T) string {
	t.Helper()
	library := filepath.Join(t.TempDir(), "libfaulty.so")
	out, err := exec.Command("gcc", "-std=gnu11", "-fPIC", "-shared", "-I../../facade/include", "../faults/testdata/fault.c",
		"-DCOMPUTE=if(b==7)*(volatile int*)0=1", `-DINIT=if(getenv("BAD")&&access(getenv("BAD"),0)==0)abort()`, "-o", library).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return library
}

// isolating is a manifest of one library in a process of its own, with a module.
func isolating(t *testing.T, library, process, module string) string {
	t.Helper()
	text := fmt.Sprintf(`{"libraries": [{"file": %q, "isolation": "process", "process": {%s}, "modules": [%s]}]}`, library, process, module)
	require.True(t, json.Valid([]byte(text)), text)
	return "--modules=" + text
}

// alone starts a master without a cluster. It is stopped when the test ends, unless it
// has ended before.
func alone(t *testing.T, args ...string) *cluster.Daemon {
	t.Helper()
	d, err := cluster.Start(t.Context(), within(t), cluster.Options{Binary: filepath.Join(programs, "mesos-master"), Args: append([]string{
		"--ip=127.0.0.1", "--port=0", "--registry=in_memory", "--work_dir=" + t.TempDir()}, args...)})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = d.Kill()
		if t.Failed() {
			t.Log(d.Log()[max(0, len(d.Log())-4000):])
		}
	})
	return d
}

// lives is what /modules says of a module that is isolated.
type lives struct {
	Name, Vehicle, Isolation, State string
	Sites                           []string
	PID, Restarts                   int
	Fallback                        string
	LastCause                       string `json:"last_cause"`
}

func modulesOf(t *testing.T, d *cluster.Daemon) (all []lives) {
	t.Helper()
	var body struct{ Modules []lives }
	get(t, "http://"+d.Address+"/modules", &body)
	return body.Modules
}

func moduleOf(t *testing.T, d *cluster.Daemon, name string) lives {
	t.Helper()
	for _, m := range modulesOf(t, d) {
		if m.Name == name {
			return m
		}
	}
	require.Failf(t, "no such module", "%s in %v", name, modulesOf(t, d))
	return lives{}
}

// sum is what the calculators of a daemon make of a question: numbers and errors.
func sums(t *testing.T, d *cluster.Daemon, a, b int) []string {
	t.Helper()
	var body struct {
		Calculators []struct {
			Result *int
			Error  string
		}
	}
	get(t, fmt.Sprintf("http://%s/calculators?a=%03d&b=%d", d.Address, a, b), &body)
	var all []string
	for _, c := range body.Calculators {
		if c.Result != nil {
			all = append(all, strconv.Itoa(*c.Result))
		} else {
			all = append(all, c.Error)
		}
	}
	return all
}

func page(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(text)
}

// again waits until a module has been started again that often.
func again(t *testing.T, d *cluster.Daemon, name string, restarts int) (now lives) {
	t.Helper()
	clustertest.Eventually(t, func() string {
		now = moduleOf(t, d, name)
		if now.State != "running" || now.Restarts != restarts {
			return fmt.Sprintf("%+v", now)
		}
		return ""
	})
	return now
}

// children are the processes that a process has started.
func children(t *testing.T, pid int) (all []clustertest.Process) {
	t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, stat := range found {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if fields[1] != strconv.Itoa(pid) || fields[0] == "Z" {
			continue
		}
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		require.NoError(t, err)
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(stat), "cmdline")) // of one that ends just now
		all = append(all, clustertest.Process{PID: child, Line: strings.ReplaceAll(string(line), "\x00", " ")})
	}
	return all
}

// requireGone waits until none of the processes is there.
func requireGone(t *testing.T, pids ...int) {
	t.Helper()
	clustertest.Eventually(t, func() string {
		for _, pid := range pids {
			state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if err == nil && !strings.Contains(string(state), ") Z ") {
				return fmt.Sprintf("process %d is there: %s", pid, state)
			}
		}
		return ""
	})
}

func exitOf(t *testing.T, d *cluster.Daemon) int {
	t.Helper()
	select {
	case <-d.Ended():
	case <-within(t).Done():
		require.Fail(t, "the daemon goes on")
	}
	err := d.Stop()
	if err == nil {
		return 0
	}
	exit, ok := err.(*exec.ExitError)
	require.True(t, ok, "%v", err)
	return exit.ExitCode()
}

func TestANativeLibraryInAProcess(t *testing.T) {
	t.Parallel()
	d := alone(t, "--calculator="+faulty, isolating(t, crashing(t), `"restart": {"backoff": "1ms"}`, `{"name": "`+faulty+`"}`))
	first := moduleOf(t, d, faulty)
	assert.Equal(t, "process", first.Isolation)
	assert.Equal(t, "running", first.State)
	require.Len(t, children(t, d.PID()), 1)
	assert.Equal(t, first.PID, children(t, d.PID())[0].PID)
	assert.Equal(t, []string{"5"}, sums(t, d, 2, 3))

	t.Run("a crash in a call costs the call", func(t *testing.T) {
		said := sums(t, d, 0, 7)
		require.Len(t, said, 1)
		assert.Contains(t, said[0], faulty)
		assert.Contains(t, said[0], "SIGSEGV")
		now := again(t, d, faulty, 1)
		assert.NotEqual(t, first.PID, now.PID)
		assert.Equal(t, []string{"5"}, sums(t, d, 2, 3))
		requireGone(t, first.PID)
	})
	t.Run("what it is told is to be seen", func(t *testing.T) {
		text := page(t, "http://"+d.Address+"/metrics")
		assert.Regexp(t, `mms_process_lost_total{[^}]*end="signaled"[^}]*} 1\n`, text)
		assert.Regexp(t, `mms_process_restarts_total{[^}]*outcome="ok"[^}]*} 1\n`, text)
		assert.Regexp(t, `mms_module_restarts_total{module="`+faulty+`"} 1\n`, text)
		assert.Contains(t, moduleOf(t, d, faulty).LastCause, "SIGSEGV")
		assert.Contains(t, d.Log(), "libfaulty.so")
	})
	t.Run("the end of the daemon is its end", func(t *testing.T) {
		pid := moduleOf(t, d, faulty).PID
		require.NoError(t, d.Stop())
		requireGone(t, pid)
	})
}

func TestAKilledDaemonLeavesNoProcess(t *testing.T) {
	t.Parallel()
	d := alone(t, "--calculator="+faulty, isolating(t, crashing(t), "", `{"name": "`+faulty+`"}`))
	pid := moduleOf(t, d, faulty).PID
	require.NoError(t, syscall.Kill(d.PID(), syscall.SIGKILL))
	requireGone(t, pid)
}

func TestVerificationLeavesNoProcess(t *testing.T) {
	t.Parallel()
	library := crashing(t)
	out := verified(t, roles.Master, "--calculator="+faulty, isolating(t, library, "", `{"name": "`+faulty+`"}`))
	assert.Contains(t, string(out), faulty)
}

// verified is what a daemon says that verifies modules, and leaves no process behind: all
// that it starts inherit a name of the test's.
func verified(t *testing.T, of roles.Daemon, args ...string) []byte {
	t.Helper()
	mark := t.TempDir()
	cmd := exec.Command(filepath.Join(programs, of.String()), append(args, "--verify_only")...)
	cmd.Env = append(os.Environ(), "TMPDIR="+mark)
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	clustertest.Eventually(t, func() string {
		left, err := clustertest.Processes(mark)
		require.NoError(t, err)
		for _, p := range left {
			return fmt.Sprintf("process %d goes on: %s", p.PID, p.Line)
		}
		return ""
	})
	return out
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy string
		then   func(t *testing.T, d *cluster.Daemon, bad string)
	}{
		{"required", func(t *testing.T, d *cluster.Daemon, _ string) {
			assert.Equal(t, daemon.ExitFailed, exitOf(t, d))
			assert.Contains(t, d.Log(), "stops: module "+faulty)
			assert.Contains(t, d.Log(), "libfaulty.so")
		}},
		{"optional", func(t *testing.T, d *cluster.Daemon, _ string) {
			clustertest.Eventually(t, func() string {
				if m := moduleOf(t, d, faulty); m.State != "unavailable" {
					return m.State
				}
				return ""
			})
			said := sums(t, d, 2, 3)
			require.Len(t, said, 1)
			assert.Contains(t, said[0], "unavailable")
			require.NoError(t, d.Stop())
		}},
		{"fallback: " + example.Name, func(t *testing.T, d *cluster.Daemon, bad string) {
			clustertest.Eventually(t, func() string { return wanted5(sums(t, d, 2, 3)) })
			assert.Equal(t, "fallback", moduleOf(t, d, faulty).State)
			assert.Equal(t, []string{"7"}, sums(t, d, 0, 7), "the other one does not crash")
			require.NoError(t, os.Remove(bad))
			again(t, d, faulty, 1)
			assert.Equal(t, []string{"5"}, sums(t, d, 2, 3))
			require.NoError(t, d.Stop())
		}},
	} {
		t.Run(c.policy, func(t *testing.T) {
			t.Parallel()
			bad := filepath.Join(t.TempDir(), "bad")
			d := alone(t, "--calculator="+faulty, isolating(t, crashing(t),
				fmt.Sprintf(`"environment": {"BAD": %q}, "restart": {"limit": 3, "backoff": "1ms", "longest": "20ms"}`, bad),
				fmt.Sprintf(`{"name": %q, "on_failure": %q}`, faulty, c.policy)))
			require.NoError(t, os.WriteFile(bad, nil, 0o600))
			require.NoError(t, syscall.Kill(moduleOf(t, d, faulty).PID, syscall.SIGKILL))
			c.then(t, d, bad)
		})
	}
}

// wanted5 says what is there instead of the one sum 5.
func wanted5(said []string) string {
	if len(said) == 1 && said[0] == "5" {
		return ""
	}
	return strings.Join(said, ", ")
}

package shipped_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cgroupstest"
	"github.com/mesos-modules/mms/internal/clustertest"
)

// withGroups returns a root group of the test's own, and the flags of an agent that uses
// it.
func withGroups(t *testing.T) (root string, flags []string) {
	t.Helper()
	root = cgroupstest.Root(t)
	return root, []string{"--isolation=cgroups/cpu,cgroups/mem,cgroups/pids", "--cgroups_root=" + root}
}

// limitProcesses is the manifest that bounds them, by upstream's lack of a flag.
const limitProcesses = `--modules={"libraries": [{"name": "builtin", "modules": [{"name": "org_apache_mesos_CgroupsPidsIsolator",
	"parameters": [{"key": "limit", "value": "100"}]}]}]}`

// running is a task that was started and goes on.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	output bytes.Buffer
}

// begin starts a task beside the test.
func begin(t *testing.T, c *clustertest.Cluster, args ...string) *running {
	t.Helper()
	r := &running{t: t, cmd: exec.Command(filepath.Join(c.Bin, "mesos-execute"), append([]string{"--master=" + c.Master.Address}, args...)...)}
	r.cmd.Stdout, r.cmd.Stderr = &r.output, &r.output
	require.NoError(t, r.cmd.Start())
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill() // it has ended if the test went well
		_ = r.cmd.Wait()         // and was waited for
	})
	return r
}

// end waits for the task's and returns all that was said.
func (r *running) end() string {
	r.t.Helper()
	_ = r.cmd.Wait() // a status is what tests look at in the output
	return r.output.String()
}

// theGroup waits for the only group of a container, and a process in it, and returns its
// path.
func theGroup(t *testing.T, root string) string {
	t.Helper()
	var path string
	clustertest.Eventually(t, func() string {
		all := cgroupstest.Groups(t, "pids", root)
		if len(all) != 1 {
			return fmt.Sprintf("there are the groups %q", all)
		}
		path = root + "/" + all[0]
		if text, _ := os.ReadFile(filepath.Join(cgroupstest.Mount, "pids", path, "pids.current")); strings.TrimSpace(string(text)) == "0" {
			return "there is nobody in it"
		}
		return ""
	})
	return path
}

// noGroups waits until all groups are gone.
func noGroups(t *testing.T, root string) {
	t.Helper()
	clustertest.Eventually(t, func() string {
		for _, controller := range cgroupstest.Controllers {
			if left := cgroupstest.Groups(t, controller, root); len(left) > 0 {
				return fmt.Sprintf("the controller %s has %q", controller, left)
			}
		}
		return ""
	})
}

// wait is the beginning of a task that waits for goOn.
const wait = ": > waits; while [ ! -e go ]; do sleep 0.05; done; "

// waiting waits until the only task waits, and returns its sandbox.
func waiting(t *testing.T, c *clustertest.Cluster) (sandbox string) {
	t.Helper()
	clustertest.Eventually(t, func() string {
		found, err := filepath.Glob(filepath.Join(c.Dir, "mesos-slave/slaves/*/frameworks/*/executors/*/runs/latest/waits"))
		require.NoError(t, err)
		if len(found) != 1 {
			return fmt.Sprintf("%d tasks wait", len(found))
		}
		sandbox = filepath.Dir(found[0])
		return ""
	})
	return sandbox
}

// goOn lets a task go on.
func goOn(t *testing.T, sandbox string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(sandbox, "go"), nil, 0o644))
}

func get(t *testing.T, url string, into any) {
	t.Helper()
	answer, err := http.Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.NoError(t, json.NewDecoder(answer.Body).Decode(into))
}

func number(t *testing.T, controller, path, file string) int {
	t.Helper()
	n, err := strconv.Atoi(cgroupstest.Read(t, controller, path, file))
	require.NoError(t, err)
	return n
}

// hog needs more memory than any task here gets, and no more than 200 MB.
const hog = "head -c 200000000 /dev/zero | tail"

func TestATaskThatEatsMemoryIsEnded(t *testing.T) {
	t.Parallel()
	root, flags := withGroups(t)
	c := up(t, nil, flags)
	status, output := c.Run("--name=hog", "--command="+hog, "--resources=cpus:0.5;mem:64")
	assert.NotZero(t, status)
	assert.Contains(t, output, "TASK_FAILED")
	assert.Contains(t, output, "source: SOURCE_AGENT")
	assert.Contains(t, output, "reason: REASON_CONTAINER_LIMITATION_MEMORY")
	assert.Contains(t, output, "message: 'Memory limit exceeded: Requested: 96MB Maximum Used: 96MB", "64 of the task, 32 of its executor")
	assert.Contains(t, output, "total_rss ")
	noGroups(t, root)
}

// A fork bomb that stops at 300 processes; it gets fewer.
const bomb = "i=0; while [ $i -lt 300 ]; do sleep 1000 & i=$((i+1)); done; echo all; wait"

func TestAForkBombMeetsItsLimit(t *testing.T) {
	t.Parallel()
	root, flags := withGroups(t)
	c := up(t, nil, append(flags, limitProcesses))
	task := begin(t, c, "--name=bomb", "--command="+bomb, small)
	group := theGroup(t, root)
	assert.Equal(t, "100", cgroupstest.Read(t, "pids", group, "pids.max"))
	output := task.end()
	assert.Contains(t, output, "TASK_FAILED", "its shell ends when it cannot make a process")
	assert.NotContains(t, output, "\nall\n")
	noGroups(t, root)
	status, output := c.Run("--name=after", "--command=echo hello", small)
	assert.Zero(t, status, "nobody else has noticed")
	assert.Contains(t, output, "hello\n")
}

func TestATaskThatTakesAllProcessorsIsHeldBack(t *testing.T) {
	t.Parallel()
	root, flags := withGroups(t)
	c := up(t, nil, append(flags, "--cgroups_enable_cfs"))
	begin(t, c, "--name=hog", "--command=while :; do :; done", "--resources=cpus:0.1;mem:32")
	group := theGroup(t, root)
	clustertest.Eventually(t, func() string {
		if cgroupstest.Count(t, "cpu", group, "cpu.stat", "nr_throttled") < 3 {
			return "it is not held back"
		}
		return ""
	})
	assert.Equal(t, 20000, number(t, "cpu", group, "cpu.cfs_quota_us"), "0.1 of the task, 0.1 of its executor, in 100 ms")
	periods, used := cgroupstest.Count(t, "cpu", group, "cpu.stat", "nr_periods"), number(t, "cpuacct", group, "cpuacct.usage")
	assert.LessOrEqual(t, used, (periods+3)*60_000_000, "ns; 20 ms a period, and what one processor may overrun")
	var statistics []struct {
		Statistics struct {
			Throttled float64 `json:"cpus_nr_throttled"`
			Processes float64 `json:"processes"`
			Memory    float64 `json:"mem_rss_bytes"`
		} `json:"statistics"`
	}
	get(t, "http://"+c.Slave.Address+"/containers", &statistics)
	require.Len(t, statistics, 1)
	assert.Positive(t, statistics[0].Statistics.Throttled)
	assert.Positive(t, statistics[0].Statistics.Processes)
	assert.Positive(t, statistics[0].Statistics.Memory)
}

// A process that has left its session and dropped its environment is found by its group.
func TestWhatEscapesIsKilledWithItsContainer(t *testing.T) {
	t.Parallel()
	root, flags := withGroups(t)
	c := up(t, nil, flags)
	escape := "setsid env -i sh -c 'echo $$; exec sleep 1000' & " + wait
	task := begin(t, c, "--name=escapes", "--command="+escape, small)
	group := theGroup(t, root)
	var pid int
	clustertest.Eventually(t, func() string {
		text, err := os.ReadFile(filepath.Join(cgroupstest.Mount, "pids", group, "cgroup.procs"))
		require.NoError(t, err)
		for _, word := range strings.Fields(string(text)) {
			line, _ := os.ReadFile("/proc/" + word + "/cmdline") // it may have ended
			if string(line) == "sleep\x001000\x00" {
				pid, err = strconv.Atoi(word)
				require.NoError(t, err)
				return ""
			}
		}
		return "it has not escaped yet"
	})
	goOn(t, waiting(t, c))
	assert.Contains(t, task.end(), "TASK_FINISHED")
	noGroups(t, root)
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestLimitsOutliveTheAgent(t *testing.T) {
	t.Parallel()
	root, flags := withGroups(t)
	c := up(t, nil, append(flags, "--executor_reregistration_timeout=10secs"))
	task := begin(t, c, "--checkpoint", "--name=patient", "--command="+wait+hog, "--resources=cpus:0.5;mem:64")
	group := theGroup(t, root)
	place := waiting(t, c)
	require.NoError(t, c.Slave.Kill())
	stray := filepath.Join(cgroupstest.Mount, "memory", root, "stray")
	require.NoError(t, os.Mkdir(stray, 0o755), "an agent before this one has left it")
	assert.Equal(t, 96<<20, number(t, "memory", group, "memory.limit_in_bytes"))
	require.NoError(t, c.StartSlave(context.WithoutCancel(t.Context())))
	_, err := c.AwaitRegistered(t.Context())
	require.NoError(t, err)
	assert.NoDirExists(t, stray)
	assert.Equal(t, group, theGroup(t, root), "it keeps its group")
	goOn(t, place)
	output := task.end()
	assert.Contains(t, output, "TASK_FAILED")
	assert.Contains(t, output, "reason: REASON_CONTAINER_LIMITATION_MEMORY")
	noGroups(t, root)
}

// A container that was out of memory while no agent ran is ended by the next one.
func TestALimitThatIsMetWhileNoAgentRuns(t *testing.T) {
	t.Parallel()
	root, flags := withGroups(t)
	c := up(t, nil, append(flags, "--executor_reregistration_timeout=10secs"))
	task := begin(t, c, "--checkpoint", "--name=hog", "--command="+wait+hog, "--resources=cpus:0.5;mem:64")
	group := theGroup(t, root)
	place := waiting(t, c)
	require.NoError(t, c.Slave.Kill())
	goOn(t, place)
	clustertest.Eventually(t, func() string {
		if cgroupstest.Count(t, "memory", group, "memory.oom_control", "oom_kill") == 0 {
			return "it is not out of memory"
		}
		return ""
	})
	require.NoError(t, c.StartSlave(context.WithoutCancel(t.Context())))
	_, err := c.AwaitRegistered(t.Context())
	require.NoError(t, err)
	output := task.end()
	assert.Contains(t, output, "TASK_FAILED")
	assert.Contains(t, output, "reason: REASON_CONTAINER_LIMITATION_MEMORY")
	noGroups(t, root)
}

func TestTwoAgentsOnOneMachine(t *testing.T) {
	t.Parallel()
	first, flags := withGroups(t)
	second, others := withGroups(t)
	a := up(t, nil, flags)
	stays := begin(t, a, "--name=stays", "--command="+wait, small)
	group := theGroup(t, first)
	b := up(t, nil, others)
	_, output := b.Run("--name=goes", "--command="+hog, "--resources=cpus:0.5;mem:64")
	assert.Contains(t, output, "REASON_CONTAINER_LIMITATION_MEMORY")
	noGroups(t, second)
	assert.Equal(t, group, theGroup(t, first), "the other agent has left it alone")
	goOn(t, waiting(t, a))
	assert.Contains(t, stays.end(), "TASK_FINISHED")

	same := exec.Command(filepath.Join(programs, "mesos-slave"), "--master="+b.Master.Address, "--work_dir="+t.TempDir(), "--ip=127.0.0.1", "--port=0",
		"--runtime_dir="+t.TempDir(), flags[0], flags[1])
	out, err := same.CombinedOutput()
	require.Error(t, err, "it has the root group of an agent that runs")
	assert.Contains(t, string(out), "another agent on this machine has the group")
}

// Tasks of a group that do not share their executor's control group are limited each on
// its own.
func TestNestedContainersAreLimitedOnTheirOwn(t *testing.T) {
	t.Parallel()
	root, flags := withGroups(t)
	c := up(t, nil, flags)
	_, output := c.Run(`--task_group={"tasks": [
		{"name": "hog", "task_id": {"value": "hog"}, "agent_id": {"value": ""}, "resources": [
			{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}}, {"name": "mem", "type": "SCALAR", "scalar": {"value": 48}}],
		 "container": {"type": "MESOS", "linux_info": {"share_cgroups": false}}, "command": {"value": "` + hog + `"}}]}`)
	assert.Contains(t, output, "TASK_FAILED")
	assert.Contains(t, output, "REASON_CONTAINER_LIMITATION_MEMORY")
	assert.Contains(t, output, "Requested: 48MB")
	noGroups(t, root)
}

package cgroupspids_test

import (
	"bufio"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/cgroupstest"
	root "github.com/mesos-modules/mms/modules/anonymous/cgroups"
	"github.com/mesos-modules/mms/modules/isolator/cgroupspids"
	"github.com/mesos-modules/mms/roles/isolator"
)

func container(name string) *mesosv1.ContainerID { return &mesosv1.ContainerID{Value: &name} }

func with(key, value string) moduletest.Option {
	return moduletest.Parameter(cgroupspids.Name, key, value)
}

func load(t *testing.T, options ...moduletest.Option) (isolator.Isolator, string) {
	t.Helper()
	group := cgroupstest.Root(t)
	k := moduletest.New(t, cgroupspids.Library, append(options, moduletest.With(root.Library), moduletest.Parameter(root.Name, "cgroups_root", group))...)
	i := moduletest.Load[isolator.Isolator](k, cgroupspids.Name)
	require.NoError(t, i.Recover(t.Context(), nil, nil))
	return i, group
}

// bomb is a shell that, when it is told to, starts processes until it cannot, and 60 at
// most.
func bomb(t *testing.T) (pid int32, explode func() string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", `read x; exec 2>&1; i=0; while [ $i -lt 60 ]; do sleep 1000 & i=$((i+1)); done; echo all; wait`)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill() // it may have been killed with its group
		_ = cmd.Wait()         // and this says so
	})
	return int32(cmd.Process.Pid), func() string {
		_, err := in.Write([]byte("\n"))
		require.NoError(t, err)
		line, _ := bufio.NewReader(out).ReadString('\n')
		return line
	}
}

func TestABombMeetsTheLimit(t *testing.T) {
	i, group := load(t, with("limit", "32"))
	_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{})
	require.NoError(t, err)
	require.NoError(t, i.Watch(t.Context(), container("c"), func(l *slave.ContainerLimitation) { assert.Fail(t, "it is only limited", "%v", l) }))
	assert.Equal(t, "32", cgroupstest.Read(t, "pids", group+"/c", "pids.max"))
	pid, explode := bomb(t)
	require.NoError(t, i.Isolate(t.Context(), container("c"), pid))
	assert.Contains(t, explode(), "fork", "the shell says that it cannot")
	assert.Positive(t, cgroupstest.Count(t, "pids", group+"/c", "pids.events", "max"))
	use, err := i.Usage(t.Context(), container("c"))
	require.NoError(t, err)
	assert.LessOrEqual(t, use.GetProcesses(), uint32(32))
	assert.LessOrEqual(t, use.GetThreads(), uint32(32))
	assert.Greater(t, use.GetProcesses(), uint32(25))
	assert.Positive(t, use.GetTimestamp())
	require.NoError(t, i.Update(t.Context(), container("c"), nil, nil))
	require.NoError(t, i.Cleanup(t.Context(), container("c")))
	assert.Empty(t, cgroupstest.Groups(t, "pids", group))
}

func TestABombIsEnded(t *testing.T) {
	i, _ := load(t, with("limit", "32"), with("kill", "true"))
	_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{})
	require.NoError(t, err)
	limitations := make(chan *slave.ContainerLimitation, 10)
	require.NoError(t, i.Watch(t.Context(), container("c"), func(l *slave.ContainerLimitation) { limitations <- l }))
	pid, explode := bomb(t)
	require.NoError(t, i.Isolate(t.Context(), container("c"), pid))
	explode()
	select {
	case l := <-limitations:
		assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION, l.GetReason())
		assert.Equal(t, "Process limit exceeded: no process or thread could be made beyond the 32 that the container may have", l.GetMessage())
	case <-time.After(10 * time.Second):
		require.Fail(t, "no limitation comes")
	}
	require.NoError(t, i.Cleanup(t.Context(), container("c")))
	assert.Empty(t, limitations)
}

func TestWithoutALimitItCounts(t *testing.T) {
	i, group := load(t)
	_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{})
	require.NoError(t, err)
	assert.Equal(t, "max", cgroupstest.Read(t, "pids", group+"/c", "pids.max"))
	cmd := exec.Command("sleep", "1000")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // it was killed with its group
	require.NoError(t, i.Isolate(t.Context(), container("c"), int32(cmd.Process.Pid)))
	use, err := i.Usage(t.Context(), container("c"))
	require.NoError(t, err)
	assert.Equal(t, "1 1", fmt.Sprint(use.GetProcesses(), " ", use.GetThreads()))
	require.NoError(t, i.Cleanup(t.Context(), container("c")))
}

func TestBadParameters(t *testing.T) {
	for _, c := range []struct {
		options []moduletest.Option
		want    string
	}{
		{[]moduletest.Option{with("limit", "31")}, "parameter limit: 31 are too few"},
		{[]moduletest.Option{with("limit", "-1")}, "parameter limit: -1 are too few"},
		{[]moduletest.Option{with("limit", "many")}, `parameter "limit": "many" is no int`},
		{[]moduletest.Option{with("kill", "true")}, "parameter kill: without limit nothing is met"},
	} {
		t.Run(c.want, func(t *testing.T) {
			k := moduletest.New(t, cgroupspids.Library, append(c.options, moduletest.With(root.Library))...)
			_, err := moduletest.TryLoad[isolator.Isolator](k, cgroupspids.Name)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestVersion2(t *testing.T) {
	u, library := cgroupstest.NewUnified(t, root.Name)
	k := moduletest.New(t, cgroupspids.Library, moduletest.With(library), with("limit", "100"), with("kill", "true"))
	i := moduletest.Load[isolator.Isolator](k, cgroupspids.Name)
	_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{})
	require.NoError(t, err)
	assert.Equal(t, "100", u.Read("c", "pids.max"))
	u.Write("c", "cgroup.procs", "10\n11\n")
	u.Write("c", "cgroup.threads", "10\n11\n12\n")
	use, err := i.Usage(t.Context(), container("c"))
	require.NoError(t, err)
	use.Timestamp = nil
	assert.True(t, proto.Equal(&mesosv1.ResourceStatistics{Processes: proto.Uint32(2), Threads: proto.Uint32(3)}, use), use)

	u.Write("c", "pids.events", "max 0\n")
	limitations := make(chan *slave.ContainerLimitation, 10)
	require.NoError(t, i.Watch(t.Context(), container("c"), func(l *slave.ContainerLimitation) { limitations <- l }))
	u.Write("c", "pids.events", "max 1\n")
	select {
	case l := <-limitations:
		assert.Contains(t, l.GetMessage(), "Process limit exceeded")
	case <-time.After(10 * time.Second):
		require.Fail(t, "no limitation comes")
	}
	require.NoError(t, i.Cleanup(t.Context(), container("c")))
}

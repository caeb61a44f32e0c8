package runc_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func resource(name string, value float64) *mesosv1.Resource {
	return &mesosv1.Resource{Name: &name, Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: &value}}
}

// skipWithout skips a test of what only control groups of version 1 show.
func skipWithout(t *testing.T, controller string) {
	if _, err := os.Stat(filepath.Join("/sys/fs/cgroup", controller, "cgroup.procs")); err != nil {
		t.Skip("the host has no control groups of version 1 for " + controller)
	}
}

func (b *bench) group(controller, id, file string) string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join("/sys/fs/cgroup", controller, b.parameters["cgroups_root"], id, file))
	require.NoError(b.t, err)
	return strings.TrimSpace(string(text))
}

func TestMemory(t *testing.T) {
	skipWithout(t, "memory")
	b := newBench(t, nil)
	const eat = "a=0123456789abcdef; while :; do a=$a$a; done"
	for name, command := range map[string]string{"the first process": eat, "another one": "(" + eat + ") & wait; sleep 1000"} {
		t.Run(name+" that needs more than it has ends the container", func(t *testing.T) {
			c := b.container(containerID(strings.ReplaceAll(name, " ", "-")), command)
			c.config.Resources = []*mesosv1.Resource{resource("cpus", 0.5), resource("mem", 40)}
			c.start()
			ended := c.end()
			assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY, ended.GetReason())
			assert.Equal(t, mesosv1.TaskState_TASK_FAILED, ended.GetState())
			assert.Equal(t, "Memory limit exceeded: Requested: 40MB Maximum Used: 40MB", ended.GetMessage())
			assert.InDelta(t, 40, ended.GetLimitedResources()[0].GetScalar().GetValue(), 0)
			c.destroy()
		})
	}
	b.isClean()
}

func TestUpdateAndUsage(t *testing.T) {
	skipWithout(t, "memory")
	skipWithout(t, "cpuacct")
	b := newBench(t, nil)
	c := b.container(containerID("limited"), "echo up; while :; do :; done")
	c.config.Resources = []*mesosv1.Resource{resource("cpus", 0.5), resource("mem", 64)}
	c.start()
	c.await("up")
	assert.Equal(t, "512", b.group("cpu", "limited", "cpu.shares"))
	assert.Equal(t, "67108864", b.group("memory", "limited", "memory.limit_in_bytes"))

	update := func(cpus, mem float64, limits map[string]*mesosv1.Value_Scalar) {
		t.Helper()
		require.NoError(t, b.Update(t.Context(), c.id, []*mesosv1.Resource{resource("cpus", cpus), resource("mem", mem)},
			&mesosv1.OfferFilters_ResourceQuantities{Quantities: limits}))
	}
	update(1, 128, map[string]*mesosv1.Value_Scalar{"cpus": {Value: proto.Float64(2)}})
	assert.Equal(t, "1024", b.group("cpu", "limited", "cpu.shares"))
	assert.Equal(t, "200000", b.group("cpu", "limited", "cpu.cfs_quota_us"))
	assert.Equal(t, "134217728", b.group("memory", "limited", "memory.limit_in_bytes"))
	update(1, 64, nil)
	assert.Equal(t, "134217728", b.group("memory", "limited", "memory.limit_in_bytes"), "what was given is not taken away")
	assert.Equal(t, "67108864", b.group("memory", "limited", "memory.soft_limit_in_bytes"))
	require.NoError(t, b.Update(t.Context(), c.id, nil, nil), "nothing")

	eventually(t, func() bool {
		usage, err := b.Usage(t.Context(), c.id)
		require.NoError(t, err)
		return usage.GetCpusUserTimeSecs() > 0 && usage.GetMemTotalBytes() > 0 && usage.MemRssBytes != nil && usage.GetProcesses() == 1
	})
	status, err := b.Status(t.Context(), c.id)
	require.NoError(t, err)
	assert.Equal(t, uint32(c.pid), status.GetExecutorPid())

	// As an isolator does, which then knows more.
	other := "/sys/fs/cgroup/memory/" + b.parameters["cgroups_root"] + "-isolator"
	require.NoError(t, os.Mkdir(other, 0o755))
	t.Cleanup(func() { assert.NoError(t, os.Remove(other)) })
	require.NoError(t, os.WriteFile(filepath.Join(other, "cgroup.procs"), []byte(strconv.Itoa(c.pid)), 0))
	usage, err := b.Usage(t.Context(), c.id)
	require.NoError(t, err)
	assert.Nil(t, usage.MemTotalBytes)
	assert.NotNil(t, usage.CpusUserTimeSecs)
	c.destroy()
	_, err = b.Usage(t.Context(), c.id)
	require.ErrorContains(t, err, "there is no container")
	_, err = b.Status(t.Context(), c.id)
	require.ErrorContains(t, err, "there is no container")
	require.ErrorContains(t, b.Update(t.Context(), c.id, nil, nil), "there is no container")
	b.isClean()
}

func TestAForkBombIsEnded(t *testing.T) {
	b := newBench(t, nil)
	c := b.container(containerID("bomb"), `echo up; f() { sleep 0.01; f & f & }; f; while :; do sleep 1; done`)
	c.config.Resources = []*mesosv1.Resource{resource("cpus", 0.1), resource("mem", 64)}
	c.launch.Rlimits = nil
	c.start()
	c.await("up")
	c.destroy()
	c.end()
	b.isClean()
}

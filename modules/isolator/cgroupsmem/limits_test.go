package cgroupsmem_test

import (
	"math"
	"os"
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
	"github.com/mesos-modules/mms/modules/isolator/cgroupsmem"
	"github.com/mesos-modules/mms/roles/isolator"
)

const (
	enough = 10 * time.Second
	tick   = 5 * time.Millisecond
)

func mem(n float64) []*mesosv1.Resource {
	return []*mesosv1.Resource{{Name: proto.String("mem"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: &n}}}
}

func limited(n float64) map[string]*mesosv1.Value_Scalar {
	return map[string]*mesosv1.Value_Scalar{"mem": {Value: &n}}
}

func container(name string) *mesosv1.ContainerID { return &mesosv1.ContainerID{Value: &name} }

// load returns the isolator on real groups of version 1.
func load(t *testing.T, options ...moduletest.Option) (isolator.Isolator, string) {
	t.Helper()
	group := cgroupstest.Root(t)
	return loadIn(t, group, options...), group
}

func loadIn(t *testing.T, group string, options ...moduletest.Option) isolator.Isolator {
	t.Helper()
	k := moduletest.New(t, cgroupsmem.Library, append(options,
		moduletest.With(root.Library), moduletest.Parameter(root.Name, "cgroups_root", group))...)
	return moduletest.Load[isolator.Isolator](k, cgroupsmem.Name)
}

// unbounded is how the kernel says that there is no limit.
const unbounded = "9223372036854771712"

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name             string
		requests         []*mesosv1.Resource
		limits           map[string]*mesosv1.Value_Scalar
		soft, hard       string // of version 1
		low, max         string // of version 2
		thenMem, thenMax float64
		then             string // the hard limit after an update, of both
	}{
		{name: "the request is the limit", requests: mem(64), soft: "67108864", hard: "67108864", low: "67108864", max: "67108864",
			thenMem: 128, thenMax: 128, then: "134217728"},
		{name: "it is not lowered while it runs", requests: mem(64), soft: "67108864", hard: "67108864", low: "67108864", max: "67108864",
			thenMem: 48, thenMax: 48, then: "67108864"},
		{name: "32 MB at least", requests: mem(1), soft: "33554432", hard: "33554432", low: "33554432", max: "33554432",
			thenMem: 2, thenMax: 2, then: "33554432"},
		{name: "a limit above the request", requests: mem(64), limits: limited(256), soft: "67108864", hard: "268435456", low: "67108864", max: "268435456",
			thenMem: 96, thenMax: 300, then: "314572800"},
		{name: "without a limit", requests: mem(64), limits: limited(math.Inf(1)), soft: "67108864", hard: unbounded, low: "67108864", max: "max",
			thenMem: 96, thenMax: 300, then: ""},
		{name: "nothing is named", soft: unbounded, hard: unbounded, thenMem: 64, thenMax: math.Inf(1), then: ""},
	} {
		update := func(i isolator.Isolator) error {
			return i.Update(t.Context(), container("c"), mem(c.thenMem), &mesosv1.OfferFilters_ResourceQuantities{Quantities: limited(c.thenMax)})
		}
		t.Run(c.name, func(t *testing.T) {
			t.Run("version 1", func(t *testing.T) {
				i, group := load(t)
				require.NoError(t, i.Recover(t.Context(), nil, nil))
				_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{Resources: c.requests, Limits: c.limits})
				require.NoError(t, err)
				read := func(file string) string { return cgroupstest.Read(t, "memory", group+"/c", file) }
				assert.Equal(t, c.soft, read("memory.soft_limit_in_bytes"))
				assert.Equal(t, c.hard, read("memory.limit_in_bytes"))
				require.NoError(t, update(i))
				if c.then == "" {
					c.then = unbounded
				}
				assert.Equal(t, c.then, read("memory.limit_in_bytes"))
				require.NoError(t, i.Cleanup(t.Context(), container("c")))
			})
			t.Run("version 2", func(t *testing.T) {
				u, library := cgroupstest.NewUnified(t, root.Name)
				i := moduletest.Load[isolator.Isolator](moduletest.New(t, cgroupsmem.Library, moduletest.With(library)), cgroupsmem.Name)
				_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{Resources: c.requests, Limits: c.limits})
				require.NoError(t, err)
				assert.Equal(t, c.low, u.Read("c", "memory.low"))
				assert.Equal(t, c.max, u.Read("c", "memory.max"))
				if c.max == "" {
					return
				}
				u.Write("c", "memory.stat", "anon 0\n")
				u.Write("c", "memory.current", "0")
				require.NoError(t, update(i))
				if c.then == unbounded {
					c.then = "max"
				}
				assert.Equal(t, c.then, u.Read("c", "memory.max"))
			})
		})
	}
}

func TestSwap(t *testing.T) {
	swap := moduletest.Parameter(cgroupsmem.Name, "cgroups_limit_swap", "true")
	t.Run("memory and swap are bounded together", func(t *testing.T) {
		i, group := load(t, swap)
		_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{Resources: mem(64)})
		require.NoError(t, err)
		assert.Equal(t, "67108864", cgroupstest.Read(t, "memory", group+"/c", "memory.memsw.limit_in_bytes"))
		use, err := i.Usage(t.Context(), container("c"))
		require.NoError(t, err)
		assert.NotNil(t, use.MemTotalMemswBytes)
		require.NoError(t, i.Cleanup(t.Context(), container("c")))
	})
	t.Run("there is no such limit of version 2", func(t *testing.T) {
		_, library := cgroupstest.NewUnified(t, root.Name)
		_, err := moduletest.TryLoad[isolator.Isolator](moduletest.New(t, cgroupsmem.Library, moduletest.With(library), swap), cgroupsmem.Name)
		assert.ErrorContains(t, err, "parameter cgroups_limit_swap: there is no limit of memory and swap together in control groups of version 2")
	})
}

// eater takes 128 MB when it is told to, and no more; told means that something comes in.
func eater(t *testing.T) (pid int32, eat func()) {
	t.Helper()
	cmd := exec.Command("sh", "-c", "read x; head -c 134217728 /dev/zero | tail >/dev/null")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill() // it may have been killed with its group
		_ = cmd.Wait()         // and this says so
	})
	return int32(cmd.Process.Pid), func() {
		_, err := in.Write([]byte("\n"))
		require.NoError(t, err)
	}
}

// watched begins to watch and returns what comes of it.
func watched(t *testing.T, i isolator.Isolator, id *mesosv1.ContainerID) <-chan *slave.ContainerLimitation {
	t.Helper()
	limited := make(chan *slave.ContainerLimitation, 10)
	require.NoError(t, i.Watch(t.Context(), id, func(l *slave.ContainerLimitation) { limited <- l }))
	return limited
}

func receive(t *testing.T, from <-chan *slave.ContainerLimitation) *slave.ContainerLimitation {
	t.Helper()
	select {
	case l := <-from:
		return l
	case <-time.After(enough):
		require.Fail(t, "no limitation comes")
		return nil
	}
}

func holdOOM(t *testing.T, l *slave.ContainerLimitation) {
	t.Helper()
	assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY, l.GetReason())
	assert.Contains(t, l.GetMessage(), "Memory limit exceeded: Requested: 64MB Maximum Used: 64MB\n\nMEMORY STATISTICS: \n")
	assert.Contains(t, l.GetMessage(), "\ntotal_rss ")
	require.Len(t, l.GetResources(), 1)
	assert.Equal(t, "mem", l.GetResources()[0].GetName())
	assert.InDelta(t, 64, l.GetResources()[0].GetScalar().GetValue(), 0.001)
}

func TestWhoNeedsMoreIsEnded(t *testing.T) {
	i, group := load(t)
	require.NoError(t, i.Recover(t.Context(), nil, nil))
	_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{Resources: mem(64)})
	require.NoError(t, err)
	limitations := watched(t, i, container("c"))
	pid, eat := eater(t)
	require.NoError(t, i.Isolate(t.Context(), container("c"), pid))
	use, err := i.Usage(t.Context(), container("c"))
	require.NoError(t, err)
	assert.NotNil(t, use.MemRssBytes)
	assert.NotNil(t, use.MemKmemUsageBytes)
	assert.Less(t, use.GetMemTotalBytes(), uint64(64<<20))
	eat()
	holdOOM(t, receive(t, limitations))
	require.Eventually(t, func() bool {
		return cgroupstest.Read(t, "memory", group+"/c", "cgroup.procs") == ""
	}, enough, tick, "nobody is left to report another reason")
	require.NoError(t, i.Cleanup(t.Context(), container("c")))
	assert.Empty(t, limitations, "once")
}

// A container that has needed more while no agent ran is ended by the next one.
func TestWhoNeededMoreWhileNobodyWatchedIsEnded(t *testing.T) {
	group := cgroupstest.Root(t)
	k := moduletest.New(t, cgroupsmem.Library, moduletest.With(root.Library), moduletest.Parameter(root.Name, "cgroups_root", group))
	before := moduletest.Load[isolator.Isolator](k, cgroupsmem.Name)
	require.NoError(t, before.Recover(t.Context(), nil, nil))
	_, err := before.Prepare(t.Context(), container("c"), &slave.ContainerConfig{Resources: mem(64)})
	require.NoError(t, err)
	pid, eat := eater(t)
	require.NoError(t, before.Isolate(t.Context(), container("c"), pid))
	k.Close()
	eat()
	require.Eventually(t, func() bool {
		return cgroupstest.Count(t, "memory", group+"/c", "memory.oom_control", "oom_kill") == 1
	}, enough, tick)

	i := loadIn(t, group)
	require.NoError(t, i.Recover(t.Context(), []*slave.ContainerState{{ContainerId: container("c"), Pid: proto.Uint64(uint64(pid))}}, nil))
	holdOOM(t, receive(t, watched(t, i, container("c"))))
	require.NoError(t, i.Cleanup(t.Context(), container("c")))
}

// What happens to the parent is not the nested container's doing, and the other way
// round.
func TestNestedContainers(t *testing.T) {
	i, group := load(t)
	require.NoError(t, i.Recover(t.Context(), nil, nil))
	parent, nested, sharing := container("p"), container("n"), container("s")
	nested.Parent, sharing.Parent = parent, parent
	_, err := i.Prepare(t.Context(), parent, &slave.ContainerConfig{Resources: mem(64)})
	require.NoError(t, err)
	own := &mesosv1.ContainerInfo{LinuxInfo: &mesosv1.LinuxInfo{ShareCgroups: proto.Bool(false)}}
	_, err = i.Prepare(t.Context(), nested, &slave.ContainerConfig{Resources: mem(48), ContainerInfo: own})
	require.NoError(t, err)
	assert.Equal(t, "50331648", cgroupstest.Read(t, "memory", group+"/p/mesos/n", "memory.limit_in_bytes"))
	_, err = i.Prepare(t.Context(), sharing, &slave.ContainerConfig{})
	require.NoError(t, err)
	ofParent, ofNested := watched(t, i, parent), watched(t, i, nested)
	assert.NoError(t, i.Watch(t.Context(), sharing, nil), "it is watched with its parent")
	use, err := i.Usage(t.Context(), sharing)
	require.NoError(t, err)
	assert.Nil(t, use, "it is measured with its parent")
	require.NoError(t, i.Update(t.Context(), sharing, mem(1), nil))

	pid, eat := eater(t)
	require.NoError(t, i.Isolate(t.Context(), sharing, pid))
	eat()
	holdOOM(t, receive(t, ofParent))
	require.NoError(t, i.Cleanup(t.Context(), sharing))
	require.NoError(t, i.Cleanup(t.Context(), nested))
	require.NoError(t, i.Cleanup(t.Context(), parent))
	assert.Empty(t, ofNested)
}

func TestWhatCannotBeWatchedAnyMore(t *testing.T) {
	i, group := load(t)
	require.NoError(t, i.Recover(t.Context(), nil, nil))
	_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{Resources: mem(64)})
	require.NoError(t, err)
	limitations := watched(t, i, container("c"))
	require.NoError(t, os.Remove(cgroupstest.Mount+"/memory/"+group+"/c"))
	l := receive(t, limitations)
	assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION, l.GetReason())
	assert.Equal(t, "The memory of the container cannot be watched any more: somebody has removed the control group", l.GetMessage())
	_, err = i.Usage(t.Context(), container("c"))
	require.ErrorContains(t, err, "cgroups/mem: measure container c: somebody has removed the control group")
	_, err = i.Prepare(t.Context(), container(""), &slave.ContainerConfig{Resources: mem(64)})
	require.ErrorContains(t, err, "no name for a control group")
	assert.NoError(t, i.Cleanup(t.Context(), container("c")))
}

func TestContainersWithoutGroups(t *testing.T) {
	i, _ := load(t)
	require.NoError(t, i.Recover(t.Context(), []*slave.ContainerState{{ContainerId: container("c")}}, []*mesosv1.ContainerID{container("orphan")}))
	require.NoError(t, i.Watch(t.Context(), container("c"), nil))
	require.NoError(t, i.Update(t.Context(), container("c"), mem(64), nil))
	use, err := i.Usage(t.Context(), container("c"))
	require.NoError(t, err)
	assert.Nil(t, use)
	for _, name := range []string{"c", "orphan", "never-seen"} {
		assert.NoError(t, i.Cleanup(t.Context(), container(name)))
	}
}

func TestVersion2(t *testing.T) {
	u, library := cgroupstest.NewUnified(t, root.Name)
	i := moduletest.Load[isolator.Isolator](moduletest.New(t, cgroupsmem.Library, moduletest.With(library)), cgroupsmem.Name)
	_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{Resources: mem(64)})
	require.NoError(t, err)
	u.Write("c", "memory.stat", "anon 1000\nfile 2000\nkernel 300\nsock 40\nfile_mapped 500\nunevictable 6\n")
	u.Write("c", "memory.current", "67108864")
	u.Write("c", "memory.swap.current", "7")
	u.Write("c", "memory.swap.max", "max")
	use, err := i.Usage(t.Context(), container("c"))
	require.NoError(t, err)
	use.Timestamp = nil
	assert.True(t, proto.Equal(&mesosv1.ResourceStatistics{
		MemTotalBytes: proto.Uint64(64 << 20), MemRssBytes: proto.Uint64(1000), MemAnonBytes: proto.Uint64(1000),
		MemCacheBytes: proto.Uint64(2000), MemFileBytes: proto.Uint64(2000), MemMappedFileBytes: proto.Uint64(500),
		MemUnevictableBytes: proto.Uint64(6), MemKmemUsageBytes: proto.Uint64(300), MemKmemTcpUsageBytes: proto.Uint64(40), MemSwapBytes: proto.Uint64(7),
	}, use), use)

	u.Write("c", "memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n")
	limitations := watched(t, i, container("c"))
	u.Write("c", "memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 0\n")
	u.Write("c", "memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\n")
	l := receive(t, limitations)
	assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY, l.GetReason())
	assert.Contains(t, l.GetMessage(), "Memory limit exceeded: Requested: 64MB Maximum Used: 64MB\n\nMEMORY STATISTICS: \nanon 1000\n")
	require.NoError(t, i.Cleanup(t.Context(), container("c")))
	assert.Empty(t, limitations)
}

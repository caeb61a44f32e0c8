package cgroupscpu_test

import (
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/cgroupstest"
	root "github.com/mesos-modules/mms/modules/anonymous/cgroups"
	"github.com/mesos-modules/mms/modules/isolator/cgroupscpu"
	"github.com/mesos-modules/mms/roles/isolator"
)

func cpus(n float64, revocable bool) *mesosv1.Resource {
	r := &mesosv1.Resource{Name: proto.String("cpus"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: &n}}
	if revocable {
		r.Revocable = &mesosv1.Resource_RevocableInfo{}
	}
	return r
}

func limited(n float64) map[string]*mesosv1.Value_Scalar {
	return map[string]*mesosv1.Value_Scalar{"cpus": {Value: &n}}
}

// cases are requests and limits, and what comes of them.
var cases = []struct {
	name          string
	parameters    [][2]string
	requests      []*mesosv1.Resource
	limits        map[string]*mesosv1.Value_Scalar
	shares, quota string // of version 1
	weight, max   string // of version 2
}{
	{name: "a part of one", requests: []*mesosv1.Resource{cpus(0.5, false)}, shares: "512", quota: "-1", weight: "50"},
	{name: "of several roles", requests: []*mesosv1.Resource{cpus(0.5, false), cpus(1.5, false)}, shares: "2048", quota: "-1", weight: "200"},
	{name: "almost nothing", requests: []*mesosv1.Resource{cpus(0.001, false)}, shares: "2", quota: "-1", weight: "1"},
	{name: "more than the kernel counts", requests: []*mesosv1.Resource{cpus(1000, false)}, shares: "262144", quota: "-1", weight: "10000"},
	{name: "nothing is named", shares: "1024", quota: "-1"},
	{name: "revocable ones", requests: []*mesosv1.Resource{cpus(3, true)}, shares: "30", quota: "-1", weight: "3"},
	{name: "revocable ones like others", parameters: [][2]string{{"revocable_cpu_low_priority", "false"}},
		requests: []*mesosv1.Resource{cpus(3, true)}, shares: "3072", quota: "-1", weight: "300"},
	{name: "bounded by the request", parameters: [][2]string{{"cgroups_enable_cfs", "true"}},
		requests: []*mesosv1.Resource{cpus(0.5, false)}, shares: "512", quota: "50000", weight: "50", max: "50000 100000"},
	{name: "bounded by a limit", requests: []*mesosv1.Resource{cpus(0.5, false)}, limits: limited(2), shares: "512", quota: "200000", weight: "50", max: "200000 100000"},
	{name: "the limit counts", parameters: [][2]string{{"cgroups_enable_cfs", "true"}},
		requests: []*mesosv1.Resource{cpus(0.5, false)}, limits: limited(2), shares: "512", quota: "200000", weight: "50", max: "200000 100000"},
	{name: "without bounds", parameters: [][2]string{{"cgroups_enable_cfs", "true"}},
		requests: []*mesosv1.Resource{cpus(0.5, false)}, limits: limited(math.Inf(1)), shares: "512", quota: "-1", weight: "50", max: "max 100000"},
	{name: "not less than a millisecond", requests: []*mesosv1.Resource{cpus(0.001, false)}, limits: limited(0.001), shares: "2", quota: "1000", weight: "1", max: "1000 100000"},
}

func container(name string) *mesosv1.ContainerID { return &mesosv1.ContainerID{Value: &name} }

func parameters(pairs [][2]string) (all []moduletest.Option) {
	for _, p := range pairs {
		all = append(all, moduletest.Parameter(cgroupscpu.Name, p[0], p[1]))
	}
	return all
}

// load returns the isolator on real groups of version 1.
func load(t *testing.T, pairs ...[2]string) (isolator.Isolator, string) {
	t.Helper()
	group := cgroupstest.Root(t)
	k := moduletest.New(t, cgroupscpu.Library, append(parameters(pairs),
		moduletest.With(root.Library), moduletest.Parameter(root.Name, "cgroups_root", group))...)
	i := moduletest.Load[isolator.Isolator](k, cgroupscpu.Name)
	require.NoError(t, i.Recover(t.Context(), nil, nil))
	return i, group
}

func TestLimits(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Run("version 1", func(t *testing.T) {
				i, group := load(t, c.parameters...)
				_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{Resources: c.requests, Limits: c.limits})
				require.NoError(t, err)
				assert.Equal(t, c.shares, cgroupstest.Read(t, "cpu", group+"/c", "cpu.shares"))
				assert.Equal(t, c.quota, cgroupstest.Read(t, "cpu", group+"/c", "cpu.cfs_quota_us"))
				assert.Equal(t, "100000", cgroupstest.Read(t, "cpu", group+"/c", "cpu.cfs_period_us"))
				require.NoError(t, i.Cleanup(t.Context(), container("c")))
			})
			t.Run("version 2", func(t *testing.T) {
				u, library := cgroupstest.NewUnified(t, root.Name)
				i := moduletest.Load[isolator.Isolator](moduletest.New(t, cgroupscpu.Library, append(parameters(c.parameters), moduletest.With(library))...), cgroupscpu.Name)
				_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{Resources: c.requests, Limits: c.limits})
				require.NoError(t, err)
				assert.Equal(t, c.weight, u.Read("c", "cpu.weight"))
				assert.Equal(t, c.max, u.Read("c", "cpu.max"))
			})
		})
	}
}

func TestUpdate(t *testing.T) {
	i, group := load(t)
	_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{Resources: []*mesosv1.Resource{cpus(1, false)}})
	require.NoError(t, err)
	update := func(n float64, limits map[string]*mesosv1.Value_Scalar) {
		require.NoError(t, i.Update(t.Context(), container("c"), []*mesosv1.Resource{cpus(n, false)}, &mesosv1.OfferFilters_ResourceQuantities{Quantities: limits}))
	}
	update(2, limited(4))
	assert.Equal(t, "2048", cgroupstest.Read(t, "cpu", group+"/c", "cpu.shares"))
	assert.Equal(t, "400000", cgroupstest.Read(t, "cpu", group+"/c", "cpu.cfs_quota_us"))
	update(0.25, limited(0.25))
	assert.Equal(t, "256", cgroupstest.Read(t, "cpu", group+"/c", "cpu.shares"))
	assert.Equal(t, "25000", cgroupstest.Read(t, "cpu", group+"/c", "cpu.cfs_quota_us"))
	assert.ErrorContains(t, i.Update(t.Context(), container("other"), nil, nil), "there is no such container")
	require.NoError(t, i.Cleanup(t.Context(), container("c")))
}

func TestUsage(t *testing.T) {
	t.Run("version 1", func(t *testing.T) {
		i, _ := load(t, [2]string{"cgroups_cpu_enable_pids_and_tids_count", "true"}, [2]string{"cgroups_enable_cfs", "true"})
		_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{Resources: []*mesosv1.Resource{cpus(1, false)}})
		require.NoError(t, err)
		hog := busy(t)
		require.NoError(t, i.Isolate(t.Context(), container("c"), int32(hog)))
		require.Eventually(t, func() bool {
			use, err := i.Usage(t.Context(), container("c"))
			require.NoError(t, err)
			return use.GetCpusUserTimeSecs()+use.GetCpusSystemTimeSecs() > 0.02 && use.GetCpusNrPeriods() > 0
		}, enough, tick)
		use, err := i.Usage(t.Context(), container("c"))
		require.NoError(t, err)
		assert.Equal(t, uint32(1), use.GetProcesses())
		assert.Equal(t, uint32(1), use.GetThreads())
		assert.NotNil(t, use.CpusNrThrottled)
		assert.Positive(t, use.GetTimestamp())
		require.NoError(t, i.Cleanup(t.Context(), container("c")))
	})
	t.Run("version 2", func(t *testing.T) {
		u, library := cgroupstest.NewUnified(t, root.Name)
		i := moduletest.Load[isolator.Isolator](moduletest.New(t, cgroupscpu.Library, moduletest.With(library)), cgroupscpu.Name)
		_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{Resources: []*mesosv1.Resource{cpus(1, false)}})
		require.NoError(t, err)
		u.Write("c", "cpu.stat", "usage_usec 5000000\nuser_usec 3000000\nsystem_usec 2000000\nnr_periods 10\nnr_throttled 4\nthrottled_usec 1500000\n")
		u.Write("c", "cgroup.procs", "")
		use, err := i.Usage(t.Context(), container("c"))
		require.NoError(t, err)
		use.Timestamp = nil
		assert.True(t, proto.Equal(&mesosv1.ResourceStatistics{
			CpusUserTimeSecs: proto.Float64(3), CpusSystemTimeSecs: proto.Float64(2),
			CpusNrPeriods: proto.Uint32(10), CpusNrThrottled: proto.Uint32(4), CpusThrottledTimeSecs: proto.Float64(1.5),
		}, use), use)
	})
}

func TestWhatGoesWrong(t *testing.T) {
	i, group := load(t)
	_, err := i.Prepare(t.Context(), container("c"), &slave.ContainerConfig{Resources: []*mesosv1.Resource{cpus(1, false)}})
	require.NoError(t, err)
	for _, controller := range []string{"cpu", "cpuacct"} {
		require.NoError(t, os.Remove(cgroupstest.Mount+"/"+controller+"/"+group+"/c"))
	}
	err = i.Update(t.Context(), container("c"), []*mesosv1.Resource{cpus(2, false)}, nil)
	require.ErrorIs(t, err, os.ErrNotExist, "the group has vanished")
	require.ErrorContains(t, err, "cgroups/cpu: limit container c")
	assert.NoError(t, i.Cleanup(t.Context(), container("c")))
}

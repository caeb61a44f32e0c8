// Package cgroupscpu is the isolator cgroups/cpu: it gives containers their part of the
// processors, and bounds it where that is asked for.
package cgroupscpu

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	lib "github.com/opencontainers/cgroups"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/isolator/cgroups"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Name is what manifests call the module; Word is upstream's word for it.
const (
	Name = "org_apache_mesos_CgroupsCpuIsolator"
	Word = "cgroups/cpu"
)

// parameters are upstream's flags of the same names.
type parameters struct {
	CFS         bool `mms:"cgroups_enable_cfs" doc:"bound processor time by the request where a task names no limit"`
	Counts      bool `mms:"cgroups_cpu_enable_pids_and_tids_count" doc:"count processes and threads"`
	LowPriority bool `mms:"revocable_cpu_low_priority" default:"true" doc:"give containers with revocable processors little of what is scarce"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Shares out and bounds processor time by control groups.",
		Requires:    cgroups.Requires(),
		Parameters:  facade.SchemaOf[parameters](),
		New:         create,
	},
}}

func create(_ context.Context, host facade.Host, given facade.Parameters) (isolator.Isolator, error) {
	p, err := facade.Decode[parameters](given)
	if err != nil {
		return nil, err
	}
	root, err := facade.RequiredExport[cgroups.Root](host, cgroups.RootModule)
	if err != nil {
		return nil, err
	}
	controllers := []string{"cpu", "cpuacct"}
	if err := root.Provide(controllers[0]); err != nil { // which also finds out the version
		return nil, err
	}
	if root.Unified() {
		controllers = controllers[:1] // there it counts as well
	} else if err := root.Provide(controllers[1]); err != nil {
		return nil, err
	} else if err := bounded(root); p.CFS && err != nil {
		return nil, err
	}
	return cgroups.New(Word, root, host.Logger(), &controller{p}, controllers...), nil
}

// bounded says whether the kernel of version 1 can bound processor time.
func bounded(root cgroups.Root) error {
	if _, err := os.Stat(filepath.Join(root.Top("cpu"), "cpu.cfs_quota_us")); err != nil {
		return fmt.Errorf("parameter cgroups_enable_cfs: the kernel cannot bound processor time (CONFIG_CFS_BANDWIDTH): %w", err)
	}
	return nil
}

// Upstream's figures. The kernel's own bounds are the last of each.
const (
	sharesPerCPU, sharesPerRevocable, sharesMin, sharesMax = 1024, 10, 2, 262144
	weightPerCPU, weightPerRevocable, weightMin, weightMax = 100, 1, 1, 10000

	period   = 100 * time.Millisecond
	quotaMin = time.Millisecond
	quotaMax = 200 * 24 * time.Hour
)

type controller struct{ parameters }

var _ cgroups.Controller = (*controller)(nil)

// Limit implements cgroups.Controller. A container that asks for nothing, such as a
// nested one that is only to be measured, keeps the kernel's defaults.
func (c *controller) Limit(g *cgroups.Group, requests []*mesosv1.Resource, limits map[string]*mesosv1.Value_Scalar) error {
	cpus, ok := cgroups.AmountOf("cpus", requests, limits)
	if !ok {
		return nil
	}
	return g.Set(c.resources(cpus, g.Unified))
}

// resources are the figures for an amount.
func (c *controller) resources(cpus cgroups.Amount, unified bool) *lib.Resources {
	r := &lib.Resources{}
	low := c.LowPriority && cpus.Revocable
	switch {
	case unified && low:
		r.CpuWeight = times(cpus.Request, weightPerRevocable, weightMin, weightMax)
	case unified:
		r.CpuWeight = times(cpus.Request, weightPerCPU, weightMin, weightMax)
	case low:
		r.CpuShares = times(cpus.Request, sharesPerRevocable, sharesMin, sharesMax)
	default:
		r.CpuShares = times(cpus.Request, sharesPerCPU, sharesMin, sharesMax)
	}
	if !c.CFS && !cpus.HasLimit {
		return r
	}
	r.CpuPeriod = uint64(period.Microseconds())
	r.CpuQuota = -1
	if !cpus.Infinite() {
		r.CpuQuota = int64(times(cpus.Most(), float64(period.Microseconds()), uint64(quotaMin.Microseconds()), uint64(quotaMax.Microseconds())))
	}
	return r
}

// times multiplies and keeps the result between the least and the most.
func times(n, by float64, least, most uint64) uint64 {
	if n *= by; n >= float64(most) {
		return most
	}
	return max(uint64(n), least)
}

// Usage implements cgroups.Controller.
func (c *controller) Usage(g *cgroups.Group, out *mesosv1.ResourceStatistics) error {
	stat, err := g.Counts("cpu", "cpu.stat")
	if err != nil {
		return err
	}
	used, unit := stat, time.Microsecond
	user, system, throttled := "user_usec", "system_usec", time.Duration(stat["throttled_usec"])*time.Microsecond
	if !g.Unified {
		if used, err = g.Counts("cpuacct", "cpuacct.stat"); err != nil {
			return err
		}
		user, system, unit = "user", "system", tick
		throttled = time.Duration(stat["throttled_time"])
	}
	out.CpusUserTimeSecs = proto.Float64((time.Duration(used[user]) * unit).Seconds())
	out.CpusSystemTimeSecs = proto.Float64((time.Duration(used[system]) * unit).Seconds())
	if stat["nr_periods"] > 0 || c.CFS {
		out.CpusNrPeriods = proto.Uint32(uint32(stat["nr_periods"]))
		out.CpusNrThrottled = proto.Uint32(uint32(stat["nr_throttled"]))
		out.CpusThrottledTimeSecs = proto.Float64(throttled.Seconds())
	}
	if !c.Counts {
		return nil
	}
	return g.Tasks("cpu", out)
}

// tick is the unit of times in control groups of version 1, the same on every Linux.
const tick = time.Second / 100

// Watch implements cgroups.Controller: who uses too much is slowed down, not ended.
func (*controller) Watch(*cgroups.Group, func(*slave.ContainerLimitation)) (*cgroups.Watch, error) {
	return nil, nil
}

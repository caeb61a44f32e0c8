package spec

import (
	"math"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// The numbers of the isolators cgroups/cpu and cgroups/mem.
const (
	sharesPerCPU = 1024
	minShares    = 2
	period       = 100_000 // of the CPU's quota, in microseconds
	minQuota     = 1_000
	minMemory    = 32 << 20
)

// Resources are the limits of a container that was given requests and may not exceed
// limits: shares of the CPU, a quota where there is a limit, and memory.
func Resources(requests []*mesosv1.Resource, limits map[string]*mesosv1.Value_Scalar) *specs.LinuxResources {
	out := &specs.LinuxResources{}
	if cpus := scalar(requests, "cpus"); cpus > 0 {
		shares := max(minShares, uint64(cpus*sharesPerCPU))
		out.CPU = &specs.LinuxCPU{Shares: &shares}
	}
	if limit := limits["cpus"]; limit != nil && out.CPU != nil {
		quota, every := int64(-1), uint64(period)
		if !math.IsInf(limit.GetValue(), 1) {
			quota = max(minQuota, int64(limit.GetValue()*period))
		}
		out.CPU.Quota, out.CPU.Period = &quota, &every
	}
	if mem := scalar(requests, "mem"); mem > 0 {
		soft := max(minMemory, int64(mem*(1<<20)))
		hard := soft
		if limit := limits["mem"]; limit != nil {
			hard = int64(-1)
			if !math.IsInf(limit.GetValue(), 1) {
				hard = max(minMemory, int64(limit.GetValue()*(1<<20)))
			}
		}
		out.Memory = &specs.LinuxMemory{Reservation: &soft, Limit: &hard}
	}
	return out
}

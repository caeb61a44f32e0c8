package cgroupsmem

import (
	"fmt"
	"log/slog"
	"math"
	"strings"

	lib "github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fscommon"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/isolator/cgroups"
)

// least is what a container has at least, as upstream's.
const least = 32 << 20

type controller struct {
	parameters
	log *slog.Logger
}

var _ cgroups.Controller = (*controller)(nil)

// Limit implements cgroups.Controller. What a container is given is the amount that it
// keeps when others need memory; what it may use at most is only raised while it runs:
// a limit below what it uses already would end it.
//
// A container that is out of memory waits, on version 1, and is not thinned out by the
// kernel: so it ends with the reason, and not with that of the process which happened to
// be killed.
func (c *controller) Limit(g *cgroups.Group, requests []*mesosv1.Resource, limits map[string]*mesosv1.Value_Scalar) error {
	mem, ok := cgroups.AmountOf("mem", requests, limits)
	if !ok {
		return nil
	}
	r := &lib.Resources{MemoryReservation: bytesOf(mem.Request), OomKillDisable: !g.Limited && !g.Unified}
	hard := bytesOf(mem.Most())
	raise := !g.Limited
	if !raise {
		now, err := g.Stats(lib.Memory)
		if err != nil {
			return err
		}
		raise = hard < 0 || uint64(hard) > now.MemoryStats.Usage.Limit
	}
	if raise {
		r.Memory = hard
		if c.LimitSwap {
			r.MemorySwap = hard
		}
	}
	return g.Set(r)
}

// bytesOf reads megabytes; what is infinite is -1, as the library has it.
func bytesOf(megabytes float64) int64 {
	if n := megabytes * (1 << 20); n < math.MaxInt64 {
		return max(int64(n), least)
	}
	return -1
}

// Usage implements cgroups.Controller.
func (c *controller) Usage(g *cgroups.Group, out *mesosv1.ResourceStatistics) error {
	s, err := g.Stats(lib.Memory)
	if err != nil {
		return err
	}
	m := s.MemoryStats
	out.MemTotalBytes = proto.Uint64(m.Usage.Usage)
	set := func(field **uint64, names ...string) {
		for _, name := range names {
			if n, ok := m.Stats[name]; ok {
				*field = proto.Uint64(n)
				return
			}
		}
	}
	// The first is what version 1 calls it, the second version 2.
	set(&out.MemRssBytes, "total_rss", "anon")
	set(&out.MemAnonBytes, "total_rss", "anon")
	set(&out.MemCacheBytes, "total_cache", "file")
	set(&out.MemFileBytes, "total_cache", "file")
	set(&out.MemMappedFileBytes, "total_mapped_file", "file_mapped")
	set(&out.MemUnevictableBytes, "total_unevictable", "unevictable")
	if g.Unified {
		set(&out.MemKmemUsageBytes, "kernel")
		set(&out.MemKmemTcpUsageBytes, "sock")
		out.MemSwapBytes = proto.Uint64(m.SwapOnlyUsage.Usage)
		return nil
	}
	set(&out.MemSwapBytes, "total_swap")
	out.MemKmemUsageBytes = proto.Uint64(m.KernelUsage.Usage)
	out.MemKmemTcpUsageBytes = proto.Uint64(m.KernelTCPUsage.Usage)
	if c.LimitSwap {
		out.MemTotalMemswBytes = proto.Uint64(m.SwapUsage.Usage)
	}
	return nil
}

// Watch implements cgroups.Controller.
func (c *controller) Watch(g *cgroups.Group, sink func(*slave.ContainerLimitation)) (func(), error) {
	folder := g.Folder(memory)
	tell := func(e cgroups.Event) { c.limited(g, e, sink) }
	if g.Unified {
		return cgroups.WatchEvents(folder, "memory.events", "oom_kill", 0, tell)
	}
	return cgroups.WatchOOM(folder, func() (bool, error) { return outOfMemory(folder) }, tell)
}

// outOfMemory says whether a group of version 1 is, by its own limit: one below a group
// that is has never been refused anything.
func outOfMemory(folder string) (bool, error) {
	under, err := fscommon.GetValueByKey(folder, "memory.oom_control", "under_oom")
	if err != nil || under == 0 {
		return false, err
	}
	refused, err := fscommon.GetCgroupParamUint(folder, "memory.failcnt")
	return refused > 0, err
}

// limited says that a container needs more than it may have, and then lets the kernel
// kill in it, so that those who end it have memory to do it.
func (c *controller) limited(g *cgroups.Group, e cgroups.Event, sink func(*slave.ContainerLimitation)) {
	out := &slave.ContainerLimitation{Reason: mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY.Enum()}
	if e.Err != nil {
		out.Reason = mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION.Enum()
		out.Message = proto.String(fmt.Sprintf("The memory of the container cannot be watched any more: %v", e.Err))
		sink(out)
		return
	}
	s, err := g.Stats(lib.Memory)
	if err != nil {
		out.Message = proto.String("Memory limit exceeded")
		c.log.Warn("what a container that is out of memory has used cannot be read", "container", g.Container, "error", err)
	} else {
		out.Message = proto.String(message(g.Folder(memory), s.MemoryStats))
		out.Resources = []*mesosv1.Resource{{
			Name: proto.String("mem"), Type: mesosv1.Value_SCALAR.Enum(),
			Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(float64(used(s.MemoryStats)) / (1 << 20))},
		}}
	}
	sink(out)
	if g.Unified {
		return
	}
	if err := lib.WriteFile(g.Folder(memory), "memory.oom_control", "0"); err != nil {
		c.log.Debug("a container that is out of memory is gone", "container", g.Container, "error", err)
	}
}

// used is the most that was.
func used(m lib.MemoryStats) uint64 { return max(m.Usage.MaxUsage, m.Usage.Usage) }

// message is laid out as upstream's, which people search for.
func message(folder string, m lib.MemoryStats) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Memory limit exceeded: Requested: %v Maximum Used: %v\n\nMEMORY STATISTICS: \n", facade.Bytes(m.Usage.Limit), facade.Bytes(used(m)))
	text, err := lib.ReadFile(folder, "memory.stat")
	if err != nil {
		fmt.Fprintf(&b, "they cannot be read: %v\n", err)
	}
	b.WriteString(text)
	return b.String()
}

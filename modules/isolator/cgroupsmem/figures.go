package cgroupsmem

import (
	"fmt"

	lib "github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fscommon"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// files are where a version of control groups has what we report.
type files struct {
	limit, total, most string
	statistics         []statistic
	others             []other
}

// statistic is a line of memory.stat.
type statistic struct {
	name   string
	fields func(*mesosv1.ResourceStatistics) []**uint64
}

// other is a file with one number; swap says that it is asked for with the limit of it.
type other struct {
	file  string
	swap  bool
	field func(*mesosv1.ResourceStatistics) **uint64
}

type out = *mesosv1.ResourceStatistics

func resident(o out) []**uint64    { return []**uint64{&o.MemRssBytes, &o.MemAnonBytes} }
func cached(o out) []**uint64      { return []**uint64{&o.MemCacheBytes, &o.MemFileBytes} }
func mapped(o out) []**uint64      { return []**uint64{&o.MemMappedFileBytes} }
func unevictable(o out) []**uint64 { return []**uint64{&o.MemUnevictableBytes} }
func swapped(o out) []**uint64     { return []**uint64{&o.MemSwapBytes} }
func kernel(o out) []**uint64      { return []**uint64{&o.MemKmemUsageBytes} }
func sockets(o out) []**uint64     { return []**uint64{&o.MemKmemTcpUsageBytes} }

func filesOf(unified bool) files {
	if unified {
		return files{
			limit: "memory.max", total: "memory.current", most: "memory.peak", // the peak from Linux 5.19 on
			statistics: []statistic{{"anon", resident}, {"file", cached}, {"file_mapped", mapped}, {"unevictable", unevictable}, {"kernel", kernel}, {"sock", sockets}},
			others:     []other{{file: "memory.swap.current", field: func(o out) **uint64 { return &o.MemSwapBytes }}},
		}
	}
	return files{
		limit: "memory.limit_in_bytes", total: "memory.usage_in_bytes", most: "memory.max_usage_in_bytes",
		statistics: []statistic{{"total_rss", resident}, {"total_cache", cached}, {"total_mapped_file", mapped}, {"total_unevictable", unevictable}, {"total_swap", swapped}},
		others: []other{
			{file: "memory.kmem.usage_in_bytes", field: func(o out) **uint64 { return &o.MemKmemUsageBytes }},
			{file: "memory.kmem.tcp.usage_in_bytes", field: func(o out) **uint64 { return &o.MemKmemTcpUsageBytes }},
			{file: "memory.memsw.usage_in_bytes", swap: true, field: func(o out) **uint64 { return &o.MemTotalMemswBytes }},
		},
	}
}

// figures are what is told of a container that needs too much memory. What cannot be read
// is zero: the group may be gone.
type figures struct {
	limit, used uint64 // bytes; the most that was used
	statistics  string // as the kernel has them
}

// readFigures reads no more than it needs: the container goes on meanwhile.
func readFigures(folder string, unified bool) figures {
	names := filesOf(unified)
	var f figures
	f.limit, _ = fscommon.GetCgroupParamUint(folder, names.limit)
	var err error
	if f.used, err = fscommon.GetCgroupParamUint(folder, names.most); err != nil {
		f.used, _ = fscommon.GetCgroupParamUint(folder, names.total)
	}
	f.statistics, _ = lib.ReadFile(folder, "memory.stat")
	return f
}

// message is laid out as upstream's, which people search for.
func (f figures) message() string {
	return fmt.Sprintf("Memory limit exceeded: Requested: %v Maximum Used: %v\n\nMEMORY STATISTICS: \n%s",
		facade.Bytes(f.limit), facade.Bytes(f.used), f.statistics)
}

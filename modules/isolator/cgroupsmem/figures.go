package cgroupsmem

import (
	"fmt"

	lib "github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fscommon"

	"github.com/mesos-modules/mms/facade"
)

// figures are what is told of a container that needs too much memory. What cannot be read
// is zero: the group may be gone.
type figures struct {
	limit, used uint64 // bytes; the most that was used
	statistics  string // as the kernel has them
}

// readFigures reads no more than it needs: the container goes on meanwhile.
func readFigures(folder string, unified bool) figures {
	limit, most, now := "memory.limit_in_bytes", "memory.max_usage_in_bytes", "memory.usage_in_bytes"
	if unified {
		limit, most, now = "memory.max", "memory.peak", "memory.current" // the peak from Linux 5.19 on
	}
	var f figures
	f.limit, _ = fscommon.GetCgroupParamUint(folder, limit)
	var err error
	if f.used, err = fscommon.GetCgroupParamUint(folder, most); err != nil {
		f.used, _ = fscommon.GetCgroupParamUint(folder, now)
	}
	f.statistics, _ = lib.ReadFile(folder, "memory.stat")
	return f
}

// message is laid out as upstream's, which people search for.
func (f figures) message() string {
	return fmt.Sprintf("Memory limit exceeded: Requested: %v Maximum Used: %v\n\nMEMORY STATISTICS: \n%s",
		facade.Bytes(f.limit), facade.Bytes(f.used), f.statistics)
}

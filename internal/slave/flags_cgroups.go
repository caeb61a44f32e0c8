package slave

import (
	"strconv"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/internal/flags"
	cgroupsroot "github.com/mesos-modules/mms/modules/anonymous/cgroups"
	"github.com/mesos-modules/mms/modules/isolator/cgroupscpu"
	"github.com/mesos-modules/mms/modules/isolator/cgroupsmem"
)

// cgroupsFlags are those of the isolators cgroups/... and of what they share.
type cgroupsFlags struct {
	cgroupsHierarchy, cgroupsRoot *flags.Value[string]
	cgroupsDestroyTimeout         *flags.Value[time.Duration]
	cgroupsCFS, cgroupsCounts     *flags.Value[bool]
	cgroupsLimitSwap              *flags.Value[bool]
	revocableLowPriority          *flags.Value[bool]
}

func (f *cgroupsFlags) declareCgroups(g *flags.Group) {
	f.cgroupsHierarchy = g.String("cgroups_hierarchy", "Where control groups are mounted, for the isolators cgroups/cpu, cgroups/mem and cgroups/pids.",
		flags.Default("/sys/fs/cgroup"))
	f.cgroupsRoot = g.String("cgroups_root", "Control group below which containers have theirs. Of two agents on one machine each needs its own.", flags.Default("mesos"))
	f.cgroupsDestroyTimeout = g.Duration("cgroups_destroy_timeout", "Time that the last processes of a container have to end when its control group is removed.",
		flags.Default("1mins"))
	f.cgroupsCFS = g.Bool("cgroups_enable_cfs", "Bound the processor time of containers by what they asked for, also where a task names no limit (cgroups/cpu).")
	f.cgroupsCounts = g.Bool("cgroups_cpu_enable_pids_and_tids_count", "Count processes and threads of containers (cgroups/cpu).")
	f.cgroupsLimitSwap = g.Bool("cgroups_limit_swap", "Bound memory and swap together instead of memory alone (cgroups/mem, control groups of version 1).")
	f.revocableLowPriority = g.Bool("revocable_cpu_low_priority", "Give containers with revocable processors little of what is scarce (cgroups/cpu).", flags.Default("true"))
}

// parametersOfCgroups hands the flags to the modules.
func (f *cgroupsFlags) parametersOfCgroups() map[string]facade.Parameters {
	yes := func(v *flags.Value[bool]) string { return strconv.FormatBool(v.Get()) }
	return map[string]facade.Parameters{
		cgroupsroot.Name: {
			{Key: "cgroups_hierarchy", Value: f.cgroupsHierarchy.Get()}, {Key: "cgroups_root", Value: f.cgroupsRoot.Get()},
			{Key: "cgroups_destroy_timeout", Value: stout.ExactDuration(f.cgroupsDestroyTimeout.Get())},
		},
		cgroupscpu.Name: {
			{Key: "cgroups_enable_cfs", Value: yes(f.cgroupsCFS)}, {Key: "cgroups_cpu_enable_pids_and_tids_count", Value: yes(f.cgroupsCounts)},
			{Key: "revocable_cpu_low_priority", Value: yes(f.revocableLowPriority)},
		},
		cgroupsmem.Name: {{Key: "cgroups_limit_swap", Value: yes(f.cgroupsLimitSwap)}},
	}
}

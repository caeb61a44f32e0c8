package slave

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/modules/isolator/diskdu"
	"github.com/mesos-modules/mms/modules/isolator/networkports"
)

// watchFlags are those of the isolators that look at containers every now and then.
type watchFlags struct {
	containerDiskWatch, containerPortsWatch *flags.Value[time.Duration]
	enforceDiskQuota, enforcePorts          *flags.Value[bool]
	isolatedPorts                           *flags.Value[string]
	agentPortsOnly                          *flags.Value[bool]
}

func (f *watchFlags) declareWatch(g *flags.Group) {
	f.containerDiskWatch = g.Duration("container_disk_watch_interval", "Time between two measurements of a container's disk (disk/du).", flags.Default("15secs"))
	f.enforceDiskQuota = g.Bool("enforce_container_disk_quota", "End containers that take more disk than they were given (disk/du).")
	f.containerPortsWatch = g.Duration("container_ports_watch_interval", "Time between two looks at the ports of containers (network/ports).", flags.Default("30secs"))
	f.enforcePorts = g.Bool("enforce_container_ports", "End containers that listen at ports which they were not given (network/ports).")
	f.isolatedPorts = g.String("container_ports_isolated_range", "Ports that are watched; without it, all. Not with --check_agent_port_range_only (network/ports).",
		flags.Example("[31000-32000]"))
	f.agentPortsOnly = g.Bool("check_agent_port_range_only", "Watch only the ports that this agent offers (network/ports).")
}

// parametersOfWatch hands the flags to the modules. Offered is --resources.
func (f *watchFlags) parametersOfWatch(workDir, offered string) map[string]facade.Parameters {
	yes := func(v *flags.Value[bool]) string { return strconv.FormatBool(v.Get()) }
	disk := facade.Parameters{
		{Key: "container_disk_watch_interval", Value: stout.ExactDuration(f.containerDiskWatch.Get())},
		{Key: "enforce_container_disk_quota", Value: yes(f.enforceDiskQuota)},
	}
	if workDir != "" {
		disk = append(disk, facade.Parameter{Key: "work_dir", Value: workDir})
	}
	ports := facade.Parameters{
		{Key: "container_ports_watch_interval", Value: stout.ExactDuration(f.containerPortsWatch.Get())},
		{Key: "enforce_container_ports", Value: yes(f.enforcePorts)},
		{Key: "check_agent_port_range_only", Value: yes(f.agentPortsOnly)},
		{Key: "agent_ports", Value: portsOf(offered)},
	}
	if f.isolatedPorts.Has() {
		ports = append(ports, facade.Parameter{Key: "container_ports_isolated_range", Value: f.isolatedPorts.Get()})
	}
	return map[string]facade.Parameters{diskdu.Name: disk, networkports.Name: ports}
}

// portsOf are the ports of an agent that offers these resources; empty if it offers none.
func portsOf(offered string) string {
	all, err := resourcesOf(offered, "*", machine{})
	if err != nil {
		return "" // Check reports it
	}
	var ranges []string
	for _, r := range all {
		if r.GetName() != "ports" {
			continue
		}
		for _, one := range r.GetRanges().GetRange() {
			ranges = append(ranges, fmt.Sprintf("%d-%d", one.GetBegin(), one.GetEnd()))
		}
	}
	if len(ranges) == 0 {
		return ""
	}
	return "[" + strings.Join(ranges, ",") + "]"
}

package runc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/cgroups"
	cgroupfs "github.com/opencontainers/cgroups/fs"
	"github.com/opencontainers/cgroups/fs2"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/containerizer/held"
	"github.com/mesos-modules/mms/modules/containerizer/runc/spec"
)

const cgroupMount = "/sys/fs/cgroup"

// Update changes the limits of a container that has its own. Memory is only ever added to
// a limit: a container that uses more would be killed for what was promised to it before.
func (m *Containerizer) Update(ctx context.Context, id *mesosv1.ContainerID, requests []*mesosv1.Resource,
	limits *mesosv1.OfferFilters_ResourceQuantities) error {
	c, err := m.books.Find(id)
	if err != nil {
		return err
	}
	if c.IsDebug() || id.GetParent() != nil && c.Config.GetContainerInfo().GetLinuxInfo().GetShareCgroups() || c.HasEnded() {
		return nil
	}
	wanted := spec.Resources(requests, limits.GetQuantities())
	m.keepMemory(id, wanted)
	if wanted.CPU == nil && wanted.Memory == nil {
		return nil
	}
	if err := m.runtime.update(ctx, runtimeID(id), wanted); err != nil && !c.HasEnded() {
		return fmt.Errorf("change the limits of container %s: %w", held.Key(id), err)
	}
	return nil
}

// keepMemory leaves the limit as it is where the new one is lower.
func (m *Containerizer) keepMemory(id *mesosv1.ContainerID, wanted *specs.LinuxResources) {
	if wanted.Memory == nil || *wanted.Memory.Limit < 0 {
		return
	}
	for _, file := range []string{filepath.Join("memory", m.cgroup(id), "memory.limit_in_bytes"), filepath.Join(m.cgroup(id), "memory.max")} {
		if now, ok := held.ReadNumber(filepath.Join(cgroupMount, file)); ok && int64(now) > *wanted.Memory.Limit {
			kept := int64(now)
			wanted.Memory.Limit = &kept
		}
	}
}

// Usage reads the container's control groups. Where an isolator has moved the container
// to others it knows more, and this says nothing.
func (m *Containerizer) Usage(_ context.Context, id *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error) {
	c, err := m.books.Find(id)
	if err != nil {
		return nil, err
	}
	in, err := m.groups(firstProcess(c))
	if err != nil || c.IsDebug() || c.HasEnded() {
		return nil, err
	}
	out := &mesosv1.ResourceStatistics{Timestamp: proto.Float64(float64(time.Now().UnixNano()) / 1e9)}
	stats, err := m.stats(m.cgroup(id), in)
	if err != nil || stats == nil {
		return nil, err
	}
	if in["cpuacct"] != "" || m.unified {
		cpu := stats.CpuStats.CpuUsage
		out.CpusUserTimeSecs = proto.Float64(float64(cpu.UsageInUsermode) / 1e9)
		out.CpusSystemTimeSecs = proto.Float64(float64(cpu.UsageInKernelmode) / 1e9)
	}
	if in["memory"] != "" || m.unified {
		out.MemTotalBytes = proto.Uint64(stats.MemoryStats.Usage.Usage)
		for _, name := range []string{"total_rss", "anon"} { // of version 1, and 2
			if n, ok := stats.MemoryStats.Stats[name]; ok {
				out.MemRssBytes = proto.Uint64(n)
			}
		}
	}
	if in["pids"] != "" || m.unified {
		out.Processes = proto.Uint32(uint32(stats.PidsStats.Current))
	}
	return out, nil
}

// groups are the paths of a process' control groups, by controller; that of version 2 is
// under the empty name. Nil: there is no such process any more.
func (m *Containerizer) groups(pid int) (map[string]string, error) {
	all, err := cgroups.ParseCgroupFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all, err
}

// stats reads the groups that are the container's own; in loses the others.
func (m *Containerizer) stats(own string, in map[string]string) (*cgroups.Stats, error) {
	config := &cgroups.Cgroup{Resources: &cgroups.Resources{}}
	if m.unified {
		if in[""] != own {
			return nil, nil
		}
		files, err := fs2.NewManager(config, filepath.Join(cgroupMount, own))
		if err != nil {
			return nil, err
		}
		return files.GetStats()
	}
	folders := map[string]string{}
	for controller, path := range in {
		if path != own || controller == "" || strings.HasPrefix(controller, "name=") {
			delete(in, controller)
			continue
		}
		folder := filepath.Join(cgroupMount, controller, path)
		if _, err := os.Stat(folder); err == nil {
			folders[controller] = folder
		}
	}
	if len(folders) == 0 {
		return nil, nil
	}
	files, err := cgroupfs.NewManager(config, folders)
	if err != nil {
		return nil, err
	}
	return files.GetStats()
}

package diskdu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/isolator/persistent"
	"github.com/mesos-modules/mms/roles/isolator"
)

type config struct {
	interval time.Duration
	enforce  bool
	workDir  string
	workers  int
	measure  func(ctx context.Context, root string, excluded []string) (uint64, error)
	log      *slog.Logger

	measured, failed, exceeded facade.Counter
}

// meter measures containers that are nested in no other: the sandboxes of those lie in
// their root's, which answers for all of them.
type meter struct {
	isolator.Unimplemented
	config
	schedule *schedule

	mu         sync.Mutex
	containers map[string]*container
}

var (
	_ isolator.Isolator = (*meter)(nil)
	_ facade.Closer     = (*meter)(nil)
)

func newIsolator(c config) *meter {
	return &meter{config: c, schedule: newSchedule(c.interval, c.workers), containers: map[string]*container{}}
}

// container is one container with its folders: the sandbox first, then its volumes.
type container struct {
	id        string
	directory string
	folders   []*folder

	ctx   context.Context
	sink  func(*slave.ContainerLimitation) // nil: nobody is told, or has been
	early *slave.ContainerLimitation       // what was found before there was a sink
}

// folder is one that is measured. The meter's lock guards it.
type folder struct {
	path     string
	excluded []string
	quota    []*mesosv1.Resource // what was given for it
	job      *job

	known bool // it was measured once
	used  uint64
	mute  bool // that it cannot be measured was said
}

// SupportsStandalone is true: such a container has a sandbox too.
func (*meter) SupportsStandalone(context.Context) (bool, error) { return true, nil }

// Recover takes up the containers. What they were given says the first Update, when their
// executors have come back: until then there is no quota. The first round is spread over
// an interval.
func (m *meter) Recover(_ context.Context, states []*slave.ContainerState, _ []*mesosv1.ContainerID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for n, s := range states {
		if s.GetContainerId().GetParent() != nil {
			continue
		}
		m.give(m.put(s.GetContainerId(), s.GetDirectory()), nil, m.interval*time.Duration(n)/time.Duration(len(states)))
	}
	return nil
}

// Prepare begins to measure.
func (m *meter) Prepare(_ context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.give(m.put(id, config.GetDirectory()), config.GetResources(), 0)
	return nil, nil
}

// Watch notes who is to be told.
func (m *meter) Watch(ctx context.Context, id *mesosv1.ContainerID, sink func(*slave.ContainerLimitation)) error {
	m.mu.Lock()
	c := m.containers[id.GetValue()]
	if c == nil {
		m.mu.Unlock()
		return fmt.Errorf("container %s is not known", id.GetValue())
	}
	c.ctx, c.sink = ctx, sink
	early := c.early
	c.early = nil
	if early != nil {
		c.sink = nil
	}
	m.mu.Unlock()
	if early != nil && ctx.Err() == nil {
		sink(early)
	}
	return nil
}

// Update takes the new quota, and measures at once what it is for.
func (m *meter) Update(_ context.Context, id *mesosv1.ContainerID, requests []*mesosv1.Resource, _ *mesosv1.OfferFilters_ResourceQuantities) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.containers[id.GetValue()]
	if c == nil {
		return fmt.Errorf("container %s is not known", id.GetValue())
	}
	m.give(c, requests, 0)
	return nil
}

// Usage returns what was measured last.
func (m *meter) Usage(_ context.Context, id *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.containers[id.GetValue()]
	if c == nil {
		return nil, nil
	}
	out := &mesosv1.ResourceStatistics{Timestamp: proto.Float64(float64(time.Now().UnixNano()) / 1e9)}
	for n, f := range c.folders {
		one := &mesosv1.DiskStatistics{}
		if limit, ok := limitOf(f.quota); ok {
			one.LimitBytes = proto.Uint64(limit)
		}
		if f.known {
			one.UsedBytes = proto.Uint64(f.used)
		}
		if n == 0 {
			out.DiskLimitBytes, out.DiskUsedBytes = one.LimitBytes, one.UsedBytes
		} else {
			one.Source, one.Persistence = f.quota[0].GetDisk().GetSource(), f.quota[0].GetDisk().GetPersistence()
		}
		out.DiskStatistics = append(out.DiskStatistics, one)
	}
	return out, nil
}

// Cleanup ends the measuring.
func (m *meter) Cleanup(_ context.Context, id *mesosv1.ContainerID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.containers[id.GetValue()]
	if c == nil {
		return nil
	}
	delete(m.containers, id.GetValue())
	for _, f := range c.folders {
		m.schedule.remove(f.job)
	}
	return nil
}

// Close ends all measuring.
func (m *meter) Close(context.Context) error {
	m.schedule.stop()
	return nil
}

func (m *meter) put(id *mesosv1.ContainerID, directory string) *container {
	c := &container{id: id.GetValue(), directory: directory}
	m.containers[c.id] = c
	return c
}

// give makes the folders those that the resources say, which are measured for the first
// time in a while. What cannot be measured is said, and keeps nobody from running.
func (m *meter) give(c *container, resources []*mesosv1.Resource, in time.Duration) {
	sandbox := &folder{path: c.directory}
	wanted := []*folder{sandbox}
	for _, r := range resources {
		switch {
		case r.GetName() != "disk":
		case r.GetDisk().GetPersistence() == nil:
			sandbox.quota = append(sandbox.quota, r)
		default:
			sandbox.excluded = append(sandbox.excluded, filepath.Clean(r.GetDisk().GetVolume().GetContainerPath()))
			volumes, err := persistent.Volumes(m.workDir, []*mesosv1.Resource{r})
			if err != nil {
				m.log.Warn("a persistent volume is not measured", "container", c.id, "error", err)
				continue
			}
			wanted = append(wanted, &folder{path: volumes[0].Path, quota: []*mesosv1.Resource{r}})
		}
	}
	for n, f := range wanted {
		at := slices.IndexFunc(c.folders, func(old *folder) bool { return old.path == f.path })
		if at < 0 {
			f.job = m.schedule.add(in, func(ctx context.Context) { m.look(ctx, c, f) })
			continue
		}
		old := c.folders[at]
		c.folders = slices.Delete(slices.Clone(c.folders), at, at+1)
		old.quota, old.excluded = f.quota, f.excluded
		wanted[n] = old
		m.schedule.hurry(old.job)
	}
	for _, gone := range c.folders {
		m.schedule.remove(gone.job)
	}
	c.folders = wanted
}

// look measures a folder, and holds the result against the quota.
func (m *meter) look(ctx context.Context, c *container, f *folder) {
	m.mu.Lock()
	path, excluded := f.path, f.excluded
	m.mu.Unlock()
	used, err := m.measure(ctx, path, excluded)
	if ctx.Err() != nil {
		return
	}
	m.measured.Add(1)
	m.mu.Lock()
	if errors.Is(err, errMoved) { // who moves things all the time is not let off for it
		used, err = max(used, f.used), nil
	}
	if err != nil {
		said := f.mute
		f.mute = true
		m.mu.Unlock()
		m.failed.Add(1)
		if !said {
			m.log.Warn("a folder cannot be measured; the last figure stands", "container", c.id, "error", err)
		}
		return
	}
	f.known, f.used, f.mute = true, used, false
	limitation, sink := m.judge(c, f)
	m.mu.Unlock()
	if sink != nil {
		m.exceeded.Add(1)
		sink(limitation)
	}
}

// judge returns whom to tell that the container takes too much; nil is nobody.
func (m *meter) judge(c *container, f *folder) (*slave.ContainerLimitation, func(*slave.ContainerLimitation)) {
	limit, ok := limitOf(f.quota)
	if !m.enforce || !ok || f.used <= limit {
		return nil, nil
	}
	l := &slave.ContainerLimitation{
		Resources: f.quota,
		Reason:    mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_DISK.Enum(),
		Message:   proto.String(fmt.Sprintf("Disk usage (%v) exceeds quota (%v)", facade.Bytes(f.used), facade.Bytes(limit))),
	}
	switch {
	case c.ctx == nil:
		c.early = l
		return nil, nil
	case c.ctx.Err() != nil:
		return nil, nil
	}
	sink := c.sink
	c.sink = nil
	return l, sink
}

// limitOf adds up megabytes; false if nothing was given.
func limitOf(quota []*mesosv1.Resource) (uint64, bool) {
	sum := 0.0
	for _, r := range quota {
		sum += r.GetScalar().GetValue()
	}
	return uint64(sum * (1 << 20)), len(quota) > 0
}

package processes

import (
	"context"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Meter is an isolator that only measures: it keeps the first process of each container
// and limits nothing.
type Meter struct {
	isolator.Unimplemented
	fill func(*mesosv1.ResourceStatistics, Use)

	mu   sync.Mutex
	pids map[string]int32
}

var _ isolator.Isolator = (*Meter)(nil)

// NewMeter returns a Meter whose Usage holds what fill makes of the processes' use. Fill is
// called from any number of goroutines.
func NewMeter(fill func(*mesosv1.ResourceStatistics, Use)) *Meter {
	return &Meter{fill: fill, pids: map[string]int32{}}
}

// SupportsNesting is true: a nested container has processes like others.
func (*Meter) SupportsNesting(context.Context) (bool, error) { return true, nil }

// SupportsStandalone is true as well.
func (*Meter) SupportsStandalone(context.Context) (bool, error) { return true, nil }

// Recover takes the processes from the states.
func (m *Meter) Recover(_ context.Context, states []*slave.ContainerState, _ []*mesosv1.ContainerID) error {
	for _, s := range states {
		m.put(s.GetContainerId(), int32(s.GetPid()))
	}
	return nil
}

// Prepare wants nothing.
func (*Meter) Prepare(context.Context, *mesosv1.ContainerID, *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	return nil, nil
}

// Isolate notes the process.
func (m *Meter) Isolate(_ context.Context, id *mesosv1.ContainerID, pid int32) error {
	m.put(id, pid)
	return nil
}

// Usage measures. Of a container without a process it knows nothing.
func (m *Meter) Usage(_ context.Context, id *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error) {
	m.mu.Lock()
	pid := m.pids[key(id)]
	m.mu.Unlock()
	if pid == 0 {
		return nil, nil
	}
	use, err := Measure(pid)
	if err != nil {
		return nil, err
	}
	out := &mesosv1.ResourceStatistics{Timestamp: proto.Float64(float64(time.Now().UnixNano()) / 1e9)}
	m.fill(out, use)
	return out, nil
}

// Cleanup forgets.
func (m *Meter) Cleanup(_ context.Context, id *mesosv1.ContainerID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.pids, key(id))
	return nil
}

func (m *Meter) put(id *mesosv1.ContainerID, pid int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pids[key(id)] = pid
}

func key(id *mesosv1.ContainerID) string {
	if id.GetParent() == nil {
		return id.GetValue()
	}
	return key(id.GetParent()) + "/" + id.GetValue()
}

package runc

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	"github.com/mesos-modules/mms/modules/containerizer/held"
)

// Recover takes up the containers whose folders there are, and ends those that only the
// runtime knows: their folders were deleted, so nobody has their ids any more.
func (m *Containerizer) Recover(ctx context.Context, states []*slave.ContainerState) (*slave.ContainerRecoverInfo, error) {
	out, err := m.books.Recover(states, held.Recovery{Outcome: m.outcome, Pid: firstProcess})
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, c := range m.books.All() {
		known[runtimeID(c.ID)] = true
		if of, ok := imageIn(c); ok {
			m.images.Hold(of)
		}
	}
	all, err := m.runtime.list()
	if err != nil {
		return nil, err
	}
	for _, id := range all {
		if known[id] {
			continue
		}
		m.log.Info("a container that only the runtime knows is ended", "runtime's id", id)
		if err := m.runtime.remove(ctx, id); err != nil {
			m.log.Error("a container that only the runtime knows cannot be ended", "runtime's id", id, "error", err)
		}
	}
	return out, nil
}

package containers

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// State is how far a container has come.
type State int

// The states, in the order in which a container goes through them. It can go to
// destroying from each.
const (
	provisioning State = iota + 1
	preparing
	isolating
	fetching
	running
	destroying
	ended
)

// String is upstream's word.
func (s State) String() string {
	switch s {
	case provisioning:
		return "PROVISIONING"
	case preparing:
		return "PREPARING"
	case isolating:
		return "ISOLATING"
	case fetching:
		return "FETCHING"
	case running:
		return "RUNNING"
	case destroying:
		return "DESTROYING"
	case ended:
		return "ENDED"
	default:
		return fmt.Sprintf("state %d", int(s))
	}
}

// container is one container. What stands below calls is guarded by the service's lock.
type container struct {
	id        *mesosv1.ContainerID
	key       string
	isolators []Isolator // those that have a part in it, in their order

	life   context.Context // ends when it is to be destroyed, or the service is closed
	cancel context.CancelFunc

	watching context.Context // of its limits; ends when it has ended, or with the service
	unwatch  context.CancelFunc

	launched chan struct{} // closed when no step of its launch runs any more
	gone     chan struct{} // closed when it has ended

	// calls is held for reading by what may come at any time, and for writing by what
	// comes one at a time.
	calls sync.RWMutex

	state       State
	engine      Engine // none before one has said that it supports the container
	config      *slave.ContainerConfig
	pid         int32
	made        bool // the containerizer was asked to make it
	useKnown    bool // config says what it may use, and not only what it began with
	prepared    int  // how many isolators were asked to prepare it
	isolated    bool // its isolators can be asked about it
	told        bool // somebody waits for its end, or nobody is to know
	inputBusy   bool
	exit        *slave.ContainerTermination // what the containerizer said
	why         reason                      // of its destruction
	termination *slave.ContainerTermination // once it has ended
}

func (s *Service) newContainer(id *mesosv1.ContainerID, config *slave.ContainerConfig) *container {
	c := &container{
		id: id, key: key(id), config: config, state: provisioning, isolators: s.isolatorsFor(id, config),
		launched: make(chan struct{}), gone: make(chan struct{}),
	}
	c.life, c.cancel = context.WithCancel(s.ctx)
	c.watching, c.unwatch = context.WithCancel(s.ctx)
	return c
}

// isolatorsFor leaves out those that want no part in containers of this kind.
func (s *Service) isolatorsFor(id *mesosv1.ContainerID, config *slave.ContainerConfig) []Isolator {
	var all []Isolator
	for i, one := range s.Isolators {
		if id.GetParent() != nil && !s.nesting[i] || isStandalone(id, config) && !s.standalone[i] {
			continue
		}
		all = append(all, one)
	}
	return all
}

// isStandalone says whether the container belongs to no framework.
func isStandalone(id *mesosv1.ContainerID, config *slave.ContainerConfig) bool {
	return id.GetParent() == nil && config.GetExecutorInfo() == nil && config.GetTaskInfo() == nil
}

// wait returns how the container ended, once it has.
func (s *Service) wait(ctx context.Context, c *container) (*slave.ContainerTermination, error) {
	select {
	case <-c.gone:
		return c.termination, nil // it does not change any more
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.ctx.Done():
		return nil, fmt.Errorf("container %s is left to the next agent: this one stops", c.key)
	}
}

// forget drops a container with everything nested in it. The lock is held.
func (s *Service) forget(c *container) {
	for k := range s.containers {
		if k == c.key || strings.HasPrefix(k, c.key+"/") {
			delete(s.containers, k)
		}
	}
}

// view is what is known of a container at one time.
type view struct {
	*container
	state    State
	engine   Engine
	config   *slave.ContainerConfig
	pid      int32
	useKnown bool
}

// view is for who holds the lock.
func (c *container) view() view {
	return view{container: c, state: c.state, engine: c.engine, config: c.config, pid: c.pid, useKnown: c.useKnown}
}

func (s *Service) view(id *mesosv1.ContainerID) (view, error) {
	c, err := s.find(id)
	if err != nil {
		return view{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.view(), nil
}

// key tells containers apart, and sorts parents before their children.
func key(id *mesosv1.ContainerID) string {
	if id.GetParent() == nil {
		return id.GetValue()
	}
	return key(id.GetParent()) + "/" + id.GetValue()
}

func root(id *mesosv1.ContainerID) *mesosv1.ContainerID {
	for id.GetParent() != nil {
		id = id.GetParent()
	}
	return id
}

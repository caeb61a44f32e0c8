package containers

import (
	"context"
	"errors"
	"fmt"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Recovered is what the last agent's containers have become.
type Recovered struct {
	// Containers live, or have ended while no agent ran: Wait tells. Nested ones are
	// among them, behind their parents.
	Containers []*slave.ContainerState

	// Lost are those that the agent knew and nobody has.
	Lost []*mesosv1.ContainerID

	// Orphans are those that nobody knew. They are being destroyed.
	Orphans []*mesosv1.ContainerID
}

// Recover takes over the containers that the last agent has left, and is called once,
// before any launch. Known are those whose launch it wrote down.
func (s *Service) Recover(ctx context.Context, known []*slave.ContainerState) (Recovered, error) {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	if err := s.capabilities(ctx); err != nil {
		return Recovered{}, err
	}
	var out Recovered
	var found []*container
	var orphans []*container
	has := map[string]bool{}
	for _, e := range s.Engines {
		info, err := e.Containerizer.Recover(ctx, known)
		if err != nil {
			return Recovered{}, fmt.Errorf("containerizer %s: recover: %w", e.Name, err)
		}
		for _, state := range info.GetCheckpointedContainerStates() {
			has[key(state.GetContainerId())] = true
			out.Containers = append(out.Containers, state)
			found = append(found, s.foundAgain(e, state))
		}
		for _, id := range info.GetOrphanContainerIds() {
			out.Orphans = append(out.Orphans, id)
			orphan := s.foundAgain(e, &slave.ContainerState{ContainerId: id})
			orphan.told = true
			orphan.isolators = s.nestable(id) // of which kind it is nobody knows
			orphans = append(orphans, orphan)
		}
	}
	for _, state := range known {
		if !has[key(state.GetContainerId())] {
			out.Lost = append(out.Lost, state.GetContainerId())
		}
	}
	if err := s.recoverIsolators(ctx, out); err != nil {
		return Recovered{}, err
	}
	s.mu.Lock()
	s.recovered = true
	for _, c := range append(found, orphans...) {
		s.containers[c.key] = c
	}
	s.mu.Unlock()
	for _, c := range found {
		if err := s.watch(c); err != nil {
			s.end(c, reason{err: err})
			s.Log.Error("a container cannot be watched and is destroyed", "container", c.key, "error", err)
		}
	}
	for _, c := range orphans {
		s.Log.Info("a container that nobody knows is destroyed", "container", c.key)
		s.end(c, reason{err: errors.New("it is an orphan")})
	}
	return out, nil
}

// capabilities asks each isolator which containers it wants a part in.
func (s *Service) capabilities(ctx context.Context) error {
	s.nesting, s.standalone = make([]bool, len(s.Isolators)), make([]bool, len(s.Isolators))
	var errs []error
	for n, i := range s.Isolators {
		errs = append(errs, s.capabilitiesOf(ctx, n, i))
	}
	return errors.Join(errs...)
}

func (s *Service) capabilitiesOf(ctx context.Context, n int, i isolator.Isolator) error {
	nesting, err := i.SupportsNesting(ctx)
	standalone, other := i.SupportsStandalone(ctx)
	if err = errors.Join(err, other); err != nil {
		return fmt.Errorf("isolator %s: what it supports: %w", s.Isolators[n].Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nesting[n], s.standalone[n] = nesting, standalone
	return nil
}

// foundAgain is a container as it is when it runs.
func (s *Service) foundAgain(e Engine, state *slave.ContainerState) *container {
	directory := state.GetDirectory()
	config := &slave.ContainerConfig{
		ExecutorInfo: state.GetExecutorInfo(), ContainerInfo: state.GetContainerInfo(),
		CommandInfo: state.GetExecutorInfo().GetCommand(), Resources: state.GetExecutorInfo().GetResources(),
		Directory: &directory, EphemeralVolumes: state.GetEphemeralVolumes(),
	}
	c := s.newContainer(state.GetContainerId(), config)
	c.engine, c.pid, c.made, c.isolated, c.state = e, int32(state.GetPid()), true, true, running
	c.prepared = len(c.isolators)
	close(c.launched)
	return c
}

// nestable are the isolators that can have to do with a container of this id.
func (s *Service) nestable(id *mesosv1.ContainerID) []Isolator {
	var all []Isolator
	for n, i := range s.Isolators {
		if id.GetParent() == nil || s.nesting[n] {
			all = append(all, i)
		}
	}
	return all
}

// recoverIsolators tells each isolator of the containers in which it has a part.
func (s *Service) recoverIsolators(ctx context.Context, all Recovered) error {
	var errs []error
	for n, i := range s.Isolators {
		var states []*slave.ContainerState
		var orphans []*mesosv1.ContainerID
		for _, state := range all.Containers {
			if state.GetContainerId().GetParent() == nil || s.nesting[n] {
				states = append(states, state)
			}
		}
		for _, id := range all.Orphans {
			if id.GetParent() == nil || s.nesting[n] {
				orphans = append(orphans, id)
			}
		}
		if err := i.Recover(ctx, states, orphans); err != nil {
			errs = append(errs, fmt.Errorf("isolator %s: recover: %w", i.Name, err))
		}
	}
	return errors.Join(errs...)
}

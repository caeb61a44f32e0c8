package containers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/containerizer"
	"github.com/mesos-modules/mms/roles/isolator"
)

// errPreparing is why containers end that a module has just been working on.
var errPreparing = errors.New("a module was restarted while the container was being made")

// RenewIsolator tells an isolator that takes the place of one that is gone of the
// containers in which it has a part: those that live, as at the start of an agent, and
// what they may use. Of those that the old one had begun to prepare nobody knows how far
// it came: they end, and are orphans to the new one, as are those that are being destroyed.
// n counts from 0 in the order of Config.Isolators.
func (s *Service) RenewIsolator(ctx context.Context, n int, fresh isolator.Isolator) error {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	if !s.isRecovered() {
		return nil // Recover will come to it
	}
	if err := s.capabilitiesOf(ctx, n, fresh); err != nil {
		return err
	}
	name := s.Isolators[n].Name
	alive, orphans := s.concerning(name)
	if err := fresh.Recover(ctx, statesOf(alive), orphans); err != nil {
		return fmt.Errorf("isolator %s: recover: %w", name, err)
	}
	for _, v := range alive {
		c := v.container
		err := fresh.Watch(c.watching, c.id, func(l *slave.ContainerLimitation) { s.limited(c, l) })
		if err == nil && v.useKnown && c.id.GetParent() == nil {
			err = fresh.Update(ctx, c.id, v.config.GetResources(), &mesosv1.OfferFilters_ResourceQuantities{Quantities: v.config.GetLimits()})
		}
		if err != nil {
			return fmt.Errorf("isolator %s: take over container %s: %w", name, c.key, err)
		}
	}
	s.Log.Info("a restarted isolator has taken over", "isolator", name, "containers", len(alive), "orphans", len(orphans))
	return nil
}

func (s *Service) isRecovered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recovered
}

// concerning are the containers in which an isolator has a part, parents first. Those that
// it has begun to prepare end.
func (s *Service) concerning(isolator string) (alive []view, orphans []*mesosv1.ContainerID) {
	var broken []*container
	s.mu.Lock()
	for _, c := range s.inOrder() {
		at := slices.IndexFunc(c.isolators, func(i Isolator) bool { return i.Name == isolator })
		switch {
		case at < 0 || at >= c.prepared || c.state == ended:
		case c.isolated && c.state < destroying:
			alive = append(alive, c.view())
		default:
			orphans = append(orphans, c.id)
			broken = append(broken, c)
		}
	}
	for _, d := range s.owed { // the container itself may be forgotten
		if d.cleanup == isolator && !slices.Contains(broken, d.c) {
			orphans = append(orphans, d.c.id)
		}
	}
	s.mu.Unlock()
	for _, c := range broken {
		s.end(c, reason{err: errPreparing, launch: true}) // nothing, if it is being destroyed
	}
	return alive, orphans
}

// inOrder are all containers, parents before their children. The lock is held.
func (s *Service) inOrder() []*container {
	all := make([]*container, 0, len(s.containers))
	for _, c := range s.containers {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *container) int { return cmp.Compare(a.key, b.key) })
	return all
}

// statesOf are containers as modules are told of them that recover.
func statesOf(views []view) []*slave.ContainerState {
	all := make([]*slave.ContainerState, len(views))
	for i, v := range views {
		all[i] = &slave.ContainerState{
			ContainerId: v.id, Pid: proto.Uint64(uint64(v.pid)), Directory: proto.String(v.config.GetDirectory()),
			ExecutorInfo: v.config.GetExecutorInfo(), ContainerInfo: v.config.GetContainerInfo(), EphemeralVolumes: v.config.GetEphemeralVolumes(),
		}
	}
	return all
}

// RenewContainerizer has a containerizer that takes the place of one that is gone recover
// its containers, as at the start of an agent. Containers that the old one held before
// their start have ended with it. Who is attached to output is told that it is over. n
// counts from 0 in the order of Config.Engines.
func (s *Service) RenewContainerizer(ctx context.Context, n int, fresh containerizer.Containerizer) error {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	if !s.isRecovered() {
		return nil // Recover will come to it
	}
	e := s.Engines[n]
	s.endOutput(e.Name)
	known := s.runBy(e)
	info, err := fresh.Recover(ctx, statesOf(known))
	if err != nil {
		return fmt.Errorf("containerizer %s: recover: %w", e.Name, err)
	}
	found := map[string]bool{}
	for _, state := range info.GetCheckpointedContainerStates() {
		found[key(state.GetContainerId())] = true
	}
	for _, v := range known {
		c := v.container
		if !found[c.key] {
			s.Log.Error("a restarted containerizer does not know a container", "containerizer", e.Name, "container", c.key)
			s.exited(c, nil)
			continue
		}
		if err := fresh.Watch(s.ctx, c.id, func(t *slave.ContainerTermination) { s.exited(c, t) }); err != nil {
			return fmt.Errorf("containerizer %s: take over container %s: %w", e.Name, c.key, err)
		}
	}
	s.orphaned(e, info.GetOrphanContainerIds())
	s.Log.Info("a restarted containerizer has taken over", "containerizer", e.Name, "containers", len(known))
	return nil
}

// runBy are the containers that a containerizer was asked to make, parents first. Those
// that were not started yet end.
func (s *Service) runBy(e Engine) []view {
	var all []view
	var broken []*container
	s.mu.Lock()
	for _, c := range s.inOrder() {
		if c.engine.Name != e.Name || !c.made || c.state == ended {
			continue
		}
		all = append(all, c.view())
		if c.state < running {
			broken = append(broken, c)
		}
	}
	s.mu.Unlock()
	for _, c := range broken {
		s.end(c, reason{err: errPreparing, launch: true})
	}
	return all
}

// orphaned has containers destroyed that nobody knows.
func (s *Service) orphaned(e Engine, ids []*mesosv1.ContainerID) {
	for _, id := range ids {
		s.mu.Lock()
		c := s.containers[key(id)]
		if c == nil {
			c = s.foundAgain(e, &slave.ContainerState{ContainerId: id})
			c.told, c.isolators = true, s.nestable(id)
			s.containers[c.key] = c
		}
		s.mu.Unlock()
		s.end(c, reason{err: errors.New("it is an orphan")})
	}
}

package containers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/outage"
)

// The wait between two attempts to destroy a container grows from the first to the
// second.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// Destroy ends a container, whatever it is doing, and returns how it ended once
// everything is cleaned up. When ctx ends first the destruction goes on. Destroying twice
// is destroying once; of one that has ended, the termination is returned. Who waits for
// the container hears of its end as of any other.
func (s *Service) Destroy(ctx context.Context, id *mesosv1.ContainerID) (*slave.ContainerTermination, error) {
	c, err := s.find(id)
	if err != nil {
		return nil, err
	}
	s.end(c, reason{err: errors.New("it was destroyed meanwhile")})
	return s.wait(ctx, c)
}

// reason is why a container is destroyed.
type reason struct {
	err        error
	launch     bool                       // it could not be launched
	exit       bool                       // its processes have ended
	limitation *slave.ContainerLimitation // it broke a limit
}

// end begins the destruction of a container; the first reason is the one that counts. It
// does not wait for anything: isolators and containerizers call it.
func (s *Service) end(c *container, why reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.state >= destroying || s.ctx.Err() != nil {
		return
	}
	c.state, c.why = destroying, why
	c.cancel()
	s.work.Go(func() { s.destroy(c) })
}

// exited is what the containerizer says of the end of all processes.
func (s *Service) exited(c *container, t *slave.ContainerTermination) {
	s.mu.Lock()
	if c.exit == nil {
		c.exit = t
	}
	s.mu.Unlock()
	s.end(c, reason{err: errors.New("its process ended before it was started"), exit: true})
}

// limited is what an isolator says of a limit. What was broken in the end may be told
// after the end of the processes: by their clean-up at the latest, and then it is why
// they ended.
func (s *Service) limited(c *container, l *slave.ContainerLimitation) {
	why := reason{err: fmt.Errorf("it broke a limit: %s", l.GetMessage()), limitation: l}
	s.end(c, why)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.state == destroying && c.why.exit {
		c.why = why
	}
}

// Breaks returns what tells whether the outermost container that one is in ends because
// it broke a limit. It can be asked at any time, also when the container has ended.
func (s *Service) Breaks(id *mesosv1.ContainerID) func() bool {
	c, err := s.find(root(id))
	if err != nil {
		return func() bool { return false }
	}
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return c.why.limitation != nil
	}
}

// destroy is the state DESTROYING. When the agent stops meanwhile it leaves the rest to
// the next one.
func (s *Service) destroy(c *container) {
	for _, child := range s.children(c) {
		s.end(child, reason{err: errors.New("its parent is destroyed")})
	}
	for _, child := range s.children(c) {
		if _, err := s.wait(s.ctx, child); err != nil {
			return
		}
	}
	select {
	case <-c.launched:
	case <-s.ctx.Done():
		return
	}
	c.calls.Lock()
	defer c.calls.Unlock()
	if c.made {
		s.retry(c, "destroy", c.engine.Containerizer.Destroy)
	}
	for _, i := range slices.Backward(c.isolators) {
		if s.ctx.Err() != nil {
			return
		}
		err := i.Cleanup(s.ctx, c.id)
		if outage.Is(err) && s.ctx.Err() == nil {
			s.oweCleanup(i, c)
		} else if err != nil && s.ctx.Err() == nil {
			s.Log.Error("an isolator failed to clean up after a container", "isolator", i.Name, "container", c.key, "error", err)
		}
	}
	if s.ctx.Err() != nil {
		return
	}
	termination := s.terminationOf(c)
	if c.made {
		if err := c.engine.Containerizer.End(s.ctx, c.id, termination); err != nil && s.ctx.Err() == nil {
			s.Log.Error("a containerizer cannot forget a container", "containerizer", c.engine.Name, "container", c.key, "error", err)
		}
	}
	s.over(c, termination)
}

// retry calls until it works, or the agent stops: a container whose processes cannot be
// ended keeps what it has.
func (s *Service) retry(c *container, what string, call func(context.Context, *mesosv1.ContainerID) error) {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := call(s.ctx, c.id)
		if err == nil || s.ctx.Err() != nil {
			return
		}
		s.Log.Error("a containerizer failed, and will be asked again", "to", what, "containerizer", c.engine.Name,
			"container", c.key, "again after", wait, "error", err)
		select {
		case <-time.After(wait):
		case <-s.ctx.Done():
			return
		}
	}
}

// children returns the containers nested directly in c.
func (s *Service) children(c *container) []*container {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*container
	for k, child := range s.containers {
		if rest, ok := strings.CutPrefix(k, c.key+"/"); ok && !strings.Contains(rest, "/") {
			all = append(all, child)
		}
	}
	return all
}

// terminationOf puts together why the container ended.
func (s *Service) terminationOf(c *container) *slave.ContainerTermination {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &slave.ContainerTermination{}
	if c.exit != nil {
		t = proto.CloneOf(c.exit)
	}
	switch limitation := c.why.limitation; {
	case limitation != nil:
		t.State = mesosv1.TaskState_TASK_FAILED.Enum()
		t.Reason = limitation.Reason
		t.Message = limitation.Message
		t.LimitedResources = limitation.GetResources()
		if t.Reason == nil {
			t.Reason = mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION.Enum()
		}
	case c.why.launch:
		t.State = mesosv1.TaskState_TASK_FAILED.Enum()
		t.Reason = mesosv1.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED.Enum()
		t.Message = proto.String(fmt.Sprintf("Failed to launch container: %v", c.why.err))
	}
	return t
}

// over is the state ENDED.
func (s *Service) over(c *container, t *slave.ContainerTermination) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.state, c.termination = ended, t
	c.unwatch()
	if c.id.GetParent() == nil {
		s.forget(c)
		if !c.told {
			s.keep(c)
		}
	}
	close(c.gone)
}

// keep holds on to a container for the first who waits. The lock is held.
func (s *Service) keep(c *container) {
	s.containers[c.key] = c
	s.untold = append(s.untold, c)
	for len(s.untold) > 0 && (len(s.untold) > maxUntold || s.untold[0].told) {
		if first := s.untold[0]; s.containers[first.key] == first {
			delete(s.containers, first.key)
		}
		s.untold = s.untold[1:]
	}
}

package containers

import (
	"context"
	"fmt"
	"sync"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
)

// Input is the only writer to a container's input. It is for one goroutine.
type Input struct {
	s      *Service
	c      *container
	closed bool
}

// AttachInput takes a container's input, until Close. ErrInputBusy says that somebody
// has it.
func (s *Service) AttachInput(_ context.Context, id *mesosv1.ContainerID) (*Input, error) {
	v, err := s.view(id)
	if err != nil {
		return nil, err
	}
	if v.state != running {
		return nil, fmt.Errorf("container %s is %v: only one that runs has input", v.key, v.state)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v.inputBusy {
		return nil, fmt.Errorf("%w: %s", ErrInputBusy, v.key)
	}
	v.inputBusy = true
	return &Input{s: s, c: v.container}, nil
}

// Write hands on one record and waits until the container takes it; see the role
// Containerizer.
func (i *Input) Write(ctx context.Context, record *agent.ProcessIO) error {
	return i.c.engine.Containerizer.AttachInput(ctx, i.c.id, record)
}

// Close lets others attach. The container's input stays open: empty data ends that.
// Calling it again does nothing.
func (i *Input) Close() {
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	if !i.closed {
		i.closed, i.c.inputBusy = true, false
	}
}

// AttachOutput names a receiver of a container's output and returns when it is attached;
// see the role Containerizer. Where the module goes away, that is the end of the output.
func (s *Service) AttachOutput(ctx context.Context, id *mesosv1.ContainerID, sink func(record *agent.ProcessIO)) error {
	v, err := s.view(id)
	if err != nil {
		return err
	}
	if v.state < isolating || v.state >= destroying {
		return fmt.Errorf("container %s is %v: only one that runs has output", v.key, v.state)
	}
	l := &listener{engine: v.engine.Name, sink: sink}
	s.mu.Lock()
	s.listeners[l] = struct{}{}
	s.mu.Unlock()
	forget := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.listeners, l)
	}
	if err := v.engine.Containerizer.AttachOutput(ctx, v.id, l.hear); err != nil {
		forget()
		return err
	}
	context.AfterFunc(ctx, forget)
	return nil
}

// listener is a receiver of output.
type listener struct {
	engine string // whose output
	mu     sync.Mutex
	over   bool
	sink   func(*agent.ProcessIO)
}

func (l *listener) hear(record *agent.ProcessIO) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.over = record == nil
		l.sink(record)
	}
}

// endOutput tells all who listen to a containerizer's containers that nothing follows.
func (s *Service) endOutput(engine string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		if l.engine == engine {
			delete(s.listeners, l)
			s.work.Go(func() { l.hear(nil) }) // one that is being told something may wait
		}
	}
}

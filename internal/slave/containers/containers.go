// Package containers leads the containers of an agent through their lives.
//
// Of several containerizers, the first that supports a container runs it. Around it the
// service calls the isolators, the container logger, the fetcher and the hooks, in the
// order of the Mesos containerizer:
//
//	PROVISIONING   the sandbox is there
//	PREPARING      isolators prepare, one after another; the logger says where output goes
//	               the process is made and held, its id written down, its end and all
//	               limits watched
//	ISOLATING      isolators isolate the held process, all at once
//	FETCHING       the command's files are fetched, then hooks called
//	RUNNING        the process goes on
//	DESTROYING     nested containers are destroyed, then all processes; isolators clean up
//	               in reverse
//	ENDED          of a nested container, until it is removed or its parent ends
//
// A container can be destroyed in any of these states. What runs then is cancelled and
// waited for, so a module that hangs keeps its container, and no other.
package containers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/containerizer"
	"github.com/mesos-modules/mms/roles/containerlogger"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/isolator"
)

var (
	// ErrUnknown: there is no such container, or it has ended and is forgotten.
	ErrUnknown = errors.New("there is no such container")

	// ErrInputBusy: somebody is attached to the container's input already.
	ErrInputBusy = errors.New("somebody is attached to the input of the container")
)

// Engine is a containerizer with the logger of its containers.
type Engine struct {
	Name          string // for errors
	Containerizer containerizer.Containerizer
	Logger        containerlogger.ContainerLogger
}

// Isolator is an isolator with its name, for errors.
type Isolator struct {
	Name string
	isolator.Isolator
}

// FetchRequest is what the files of a container are fetched for.
type FetchRequest struct {
	Container *mesosv1.ContainerID
	Command   *mesosv1.CommandInfo
	Sandbox   string
	User      string // who the files belong to; empty: the agent's user
}

// Config is what a Service works with.
type Config struct {
	// Engines are tried in this order.
	Engines []Engine

	// Isolators prepare in this order and clean up in reverse.
	Isolators []Isolator

	// Hooks are called in this order.
	Hooks []hook.Hook

	// Fetch brings a command's files; nil: nothing is fetched.
	Fetch func(ctx context.Context, request FetchRequest) error

	// SandboxDirectory is where a container with a root file system of its own sees
	// its sandbox.
	SandboxDirectory string

	// SwitchUser runs containers as their users; else everything runs as the agent.
	SwitchUser bool

	Log *slog.Logger
}

// maxUntold bounds what is kept of containers whose end nobody asks for.
const maxUntold = 1024

// Service runs containers. All methods may be called from any goroutine.
type Service struct {
	Config
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	renewing sync.Mutex // held while modules are told of all containers

	mu                  sync.Mutex
	nesting, standalone []bool // of the isolators, by index; set by Recover
	recovered           bool
	containers          map[string]*container
	owed                []debt
	listeners           map[*listener]struct{} // to the output of containers
	untold              []*container           // without a parent, have ended, and nobody has waited; oldest first
}

// New returns a Service, which does nothing before Recover.
func New(config Config) *Service {
	ctx, cancel := context.WithCancel(context.Background())
	return &Service{Config: config, ctx: ctx, cancel: cancel, containers: map[string]*container{}, listeners: map[*listener]struct{}{}}
}

// Close lets go of all containers, which live on, and waits for the calls that are
// under way, or for ctx.
func (s *Service) Close(ctx context.Context) error {
	s.cancel()
	done := make(chan struct{})
	go func() {
		s.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("containers are still being worked on: %w", ctx.Err())
	}
}

// Containers returns the ids of the containers that have not ended, sorted, parents
// before their children.
func (s *Service) Containers() []*mesosv1.ContainerID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*mesosv1.ContainerID
	for _, c := range s.containers {
		if c.state != ended {
			all = append(all, c.id)
		}
	}
	slices.SortFunc(all, func(a, b *mesosv1.ContainerID) int { return cmp.Compare(key(a), key(b)) })
	return all
}

// Wait returns how a container ended, once it has, and everything about it was cleaned
// up. The error is ErrUnknown, or ctx's. Of a container without a parent, the end is told
// to those who wait when it comes; if there is nobody, to the first who asks later. That
// of a nested one is told until it is removed or its root ends.
func (s *Service) Wait(ctx context.Context, id *mesosv1.ContainerID) (*slave.ContainerTermination, error) {
	c, err := s.find(id)
	if err != nil {
		return nil, err
	}
	return s.tell(ctx, c)
}

// tell waits for the end. An end that is kept for somebody has found him.
func (s *Service) tell(ctx context.Context, c *container) (*slave.ContainerTermination, error) {
	s.mu.Lock()
	c.told = true
	if c.state == ended && c.id.GetParent() == nil && s.containers[c.key] == c {
		s.forget(c)
	}
	s.mu.Unlock()
	return s.wait(ctx, c)
}

// Kill sends a signal to a container's command, and says whether there was one.
func (s *Service) Kill(ctx context.Context, id *mesosv1.ContainerID, signal int32) (bool, error) {
	c, err := s.view(id)
	if err != nil {
		return false, err
	}
	if c.state < isolating || c.state == ended {
		return false, nil
	}
	return c.engine.Containerizer.Kill(ctx, c.id, signal)
}

// Remove forgets a nested container that has ended; one that is not known any more is
// forgotten already. A container without a parent cannot be removed.
func (s *Service) Remove(ctx context.Context, id *mesosv1.ContainerID) error {
	if id.GetParent() == nil {
		return fmt.Errorf("container %s is not nested: it is forgotten when it has ended", key(id))
	}
	if _, err := s.find(root(id)); err != nil {
		return fmt.Errorf("remove container %s: its root: %w", key(id), err)
	}
	c, err := s.view(id)
	if err != nil {
		return nil
	}
	if c.state != ended {
		return fmt.Errorf("container %s is %v: only one that has ended can be removed", c.key, c.state)
	}
	if c.engine.Containerizer != nil {
		if err := c.engine.Containerizer.Remove(ctx, c.id); err != nil {
			return fmt.Errorf("containerizer %s: remove container %s: %w", c.engine.Name, c.key, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(c.container)
	return nil
}

// User returns whom a container runs as; empty if that is not known.
func (s *Service) User(id *mesosv1.ContainerID) string {
	c, err := s.view(id)
	if err != nil {
		return ""
	}
	return c.config.GetUser()
}

// PruneImages deletes the images that no container uses, but for those excluded.
func (s *Service) PruneImages(ctx context.Context, excluded []*mesosv1.Image) error {
	var errs []error
	for _, e := range s.Engines {
		if err := e.Containerizer.PruneImages(ctx, excluded); err != nil {
			errs = append(errs, fmt.Errorf("containerizer %s: prune images: %w", e.Name, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Service) find(id *mesosv1.ContainerID) (*container, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.containers[key(id)]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrUnknown, key(id))
}

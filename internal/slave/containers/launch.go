package containers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/outage"
)

// Launched is how a launch went that did not fail.
type Launched int

const (
	// NotSupported: no containerizer runs containers of this kind.
	NotSupported Launched = iota
	// Success: the container runs.
	Success
	// AlreadyLaunched: there is a container of this id.
	AlreadyLaunched
)

// LaunchRequest is a container to be launched. Its messages are not changed.
type LaunchRequest struct {
	ID     *mesosv1.ContainerID
	Config *slave.ContainerConfig // its directory is there

	// Environment is what the agent hands to executors. The sandbox's path, what
	// isolators want and the command's own environment come over it.
	Environment []*mesosv1.Environment_Variable

	// PIDFile is where the id of the first process is written before it runs
	// anything; empty: nowhere.
	PIDFile string
}

// Launch launches a container and returns when it runs. When it cannot, or is destroyed
// meanwhile, or ctx ends, it returns when everything is cleaned up; who waits for the
// container is told the same.
func (s *Service) Launch(ctx context.Context, request LaunchRequest) (Launched, error) {
	config := proto.CloneOf(request.Config)
	if !s.SwitchUser {
		config.User = nil
	}
	c, err := s.admit(request.ID, config)
	if c == nil {
		return AlreadyLaunched, err
	}
	s.work.Add(1)
	defer s.work.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()

	supported, err := s.choose(ctx, c)
	if err == nil && !supported && ctx.Err() == nil {
		s.discard(c)
		return NotSupported, nil
	}
	if err == nil {
		err = s.steps(ctx, c, request)
	}
	close(c.launched)
	if err == nil {
		return Success, nil
	}
	s.end(c, reason{err: err, launch: true})
	select {
	case <-c.gone:
	case <-s.ctx.Done():
	}
	return NotSupported, fmt.Errorf("launch container %s: %w", c.key, s.cancelledFor(c, err))
}

// cancelledFor is why the container was destroyed, for a step that only knows that it was
// cancelled.
func (s *Service) cancelledFor(c *container, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(err, context.Canceled) && c.why.err != nil && !errors.Is(err, c.why.err) {
		return fmt.Errorf("%w (%w)", c.why.err, err)
	}
	return err
}

// admit enters a container in the books; nil without an error is one that is there
// already.
func (s *Service) admit(id *mesosv1.ContainerID, config *slave.ContainerConfig) (*container, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.recovered {
		return nil, errors.New("no container is launched before those of the last agent are recovered")
	}
	if s.ctx.Err() != nil {
		return nil, errors.New("no container is launched any more: the agent stops")
	}
	if old := s.containers[key(id)]; old != nil && (old.state != ended || id.GetParent() != nil) {
		return nil, nil
	}
	if parent := id.GetParent(); parent != nil {
		p := s.containers[key(parent)]
		if p == nil {
			return nil, fmt.Errorf("launch container %s: its parent: %w", key(id), ErrUnknown)
		}
		if p.state >= destroying {
			return nil, fmt.Errorf("launch container %s: its parent is %v", key(id), p.state)
		}
	}
	c := s.newContainer(id, config)
	c.useKnown = true
	s.containers[c.key] = c
	return c, nil
}

// discard takes back what admit did. Whoever waits already is told that nothing is
// known.
func (s *Service) discard(c *container) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(c)
	c.state, c.termination = ended, &slave.ContainerTermination{}
	c.cancel()
	c.unwatch()
	close(c.launched)
	close(c.gone)
}

// choose asks the containerizers in their order. One that says why it cannot take the
// container keeps no other from it. A nested container goes where its parent is.
func (s *Service) choose(ctx context.Context, c *container) (bool, error) {
	engines := s.Engines
	if parent := c.id.GetParent(); parent != nil {
		p, err := s.view(parent)
		if err != nil {
			return false, fmt.Errorf("its parent: %w", err)
		}
		if p.engine.Containerizer == nil {
			return false, fmt.Errorf("its parent is %v", p.state)
		}
		engines = []Engine{p.engine}
	}
	var errs []error
	for _, e := range engines {
		ok, err := e.Containerizer.Supports(ctx, c.id, c.config)
		if err != nil {
			errs = append(errs, fmt.Errorf("containerizer %s: %w", e.Name, err))
			continue
		}
		if ok {
			s.mu.Lock()
			defer s.mu.Unlock()
			c.engine = e
			return true, nil
		}
	}
	return false, errors.Join(errs...)
}

// steps are the states from PROVISIONING to RUNNING.
func (s *Service) steps(ctx context.Context, c *container, request LaunchRequest) error {
	if info, err := os.Stat(c.config.GetDirectory()); err != nil {
		return fmt.Errorf("the sandbox: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("the sandbox %s is no folder", c.config.GetDirectory())
	}
	for _, step := range []struct {
		state State
		do    func(context.Context, *container, LaunchRequest) error
	}{{preparing, s.prepare}, {isolating, s.isolate}, {fetching, s.fetch}} {
		if err := s.enter(ctx, c, step.state); err != nil {
			return err
		}
		if err := step.do(ctx, c, request); err != nil {
			return err
		}
	}
	// From here on the container may end at any time: what it was started for is done.
	if err := s.enter(ctx, c, running); err != nil {
		return err
	}
	if err := c.engine.Containerizer.Start(ctx, c.id); err != nil {
		return fmt.Errorf("containerizer %s: start: %w", c.engine.Name, err)
	}
	return nil
}

// enter goes to the next state, if the container is still wanted.
func (s *Service) enter(ctx context.Context, c *container, next State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.state >= destroying {
		return c.why.err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("while it was %v: %w", c.state, err)
	}
	c.state = next
	return nil
}

// prepare ends with the process held, and watched.
func (s *Service) prepare(ctx context.Context, c *container, request LaunchRequest) error {
	merged := newMerger()
	for i := s.nextIsolator(c); i != nil; i = s.nextIsolator(c) {
		info, err := i.Prepare(ctx, c.id, c.config)
		if outage.Final(err) {
			s.Log.Warn("a container is launched without an isolator that is lost for good", "isolator", i.Name, "container", c.key, "error", err)
			s.without(c)
			continue
		}
		if err != nil {
			return fmt.Errorf("isolator %s: prepare: %w", i.Name, err)
		}
		merged.add(i.Name, info)
		if err := s.enter(ctx, c, preparing); err != nil {
			return err
		}
	}
	if err := merged.err(); err != nil {
		return err
	}
	files, err := c.engine.Logger.Prepare(ctx, c.id, c.config)
	if err != nil {
		return fmt.Errorf("container logger of containerizer %s: %w", c.engine.Name, err)
	}
	launch := s.complete(merged.out, c.config, request.Environment)
	if err := s.enter(ctx, c, preparing); err != nil {
		return err
	}
	return s.hold(ctx, c, launch, files, request.PIDFile)
}

// nextIsolator is the next one to prepare a container; nil if all have.
func (s *Service) nextIsolator(c *container) *Isolator {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.prepared == len(c.isolators) {
		return nil
	}
	c.prepared++
	return &c.isolators[c.prepared-1]
}

// without leaves out the isolator that was asked last.
func (s *Service) without(c *container) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.prepared--
	c.isolators = slices.Concat(c.isolators[:c.prepared], c.isolators[c.prepared+1:])
}

// hold makes the process and watches it, before it runs anything.
func (s *Service) hold(ctx context.Context, c *container, launch *slave.ContainerLaunchInfo, files *slave.ContainerIO, pidFile string) error {
	s.mu.Lock()
	c.made = true // what a Launch that fails has left behind is taken away by Destroy and End
	s.mu.Unlock()
	pid, err := c.engine.Containerizer.Launch(ctx, c.id, c.config, launch, files)
	if err != nil {
		return fmt.Errorf("containerizer %s: %w", c.engine.Name, err)
	}
	s.mu.Lock()
	c.pid = pid
	s.mu.Unlock()
	if pidFile != "" {
		if err := checkpoint(pidFile, pid); err != nil {
			return fmt.Errorf("write down the process: %w", err)
		}
	}
	return s.watch(c)
}

// checkpoint writes a file that is there as a whole or not at all.
func checkpoint(path string, pid int32) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	part := path + ".part"
	if err := os.WriteFile(part, []byte(strconv.Itoa(int(pid))), 0o644); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// watch names the receivers of the container's end and of its limits.
func (s *Service) watch(c *container) error {
	err := c.engine.Containerizer.Watch(s.ctx, c.id, func(t *slave.ContainerTermination) { s.exited(c, t) })
	if err != nil {
		return fmt.Errorf("containerizer %s: watch: %w", c.engine.Name, err)
	}
	for _, i := range c.isolators {
		err := i.Watch(c.watching, c.id, func(l *slave.ContainerLimitation) { s.limited(c, l) })
		if err != nil {
			return fmt.Errorf("isolator %s: watch: %w", i.Name, err)
		}
	}
	return nil
}

// isolate calls all isolators at once and waits for all.
func (s *Service) isolate(ctx context.Context, c *container, _ LaunchRequest) error {
	errs := make([]error, len(c.isolators))
	var all sync.WaitGroup
	for n, i := range c.isolators {
		all.Go(func() {
			if err := i.Isolate(ctx, c.id, c.pid); err != nil {
				errs[n] = fmt.Errorf("isolator %s: isolate: %w", i.Name, err)
			}
		})
	}
	all.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	c.isolated = true
	return errors.Join(errs...)
}

// fetch brings the command's files and tells the hooks, whose errors change nothing.
func (s *Service) fetch(ctx context.Context, c *container, _ LaunchRequest) error {
	if s.Fetch != nil && len(c.config.GetCommandInfo().GetUris()) > 0 {
		request := FetchRequest{Container: c.id, Command: c.config.GetCommandInfo(),
			Sandbox: c.config.GetDirectory(), User: c.config.GetUser()}
		if err := s.Fetch(ctx, request); err != nil {
			return fmt.Errorf("fetch: %w", err)
		}
	}
	for _, h := range s.Hooks {
		if err := h.SlavePostFetchHook(ctx, c.id, c.config.GetDirectory()); err != nil {
			s.Log.Warn("a hook failed after the files of a container were fetched", "container", c.key, "error", err)
		}
	}
	return nil
}

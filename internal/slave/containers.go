package slave

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/slave/paths"
)

// tokenVariable is where an executor finds its token.
const tokenVariable = "MESOS_EXECUTOR_AUTHENTICATION_TOKEN"

// launch makes a sandbox and launches a container in it.
func (s *Slave) launch(e core.LaunchContainer) {
	id := e.Container.GetValue()
	launching, cancel := context.WithCancel(s.ctx)
	s.launches[id] = cancel
	s.spawn(func(ctx context.Context) {
		defer cancel()
		err := s.launchNow(launching, e)
		if err != nil && ctx.Err() != nil {
			return // the next agent will find it or not
		}
		s.mail.put(question{do: func(*core.Core) { delete(s.launches, id) }})
		s.mail.put(core.Launched{Ticket: e.Ticket, Err: err})
		if err == nil {
			s.watch(ctx, e.Container)
		}
	})
}

func (s *Slave) launchNow(ctx context.Context, e core.LaunchContainer) error {
	if err := makeSandbox(e.Config.GetDirectory(), e.Config.GetUser()); err != nil {
		return fmt.Errorf("make the sandbox: %w", err)
	}
	environment := e.Environment
	if e.Claims != nil {
		secret, err := s.cfg.Secrets.Generate(ctx, &httpauth.Principal{Claims: e.Claims})
		if err != nil {
			return fmt.Errorf("make the executor's token: %w", err)
		}
		environment = append(environment[:len(environment):len(environment)], &mesosv1.Environment_Variable{
			Name: proto.String(tokenVariable), Value: proto.String(string(secret.GetValue().GetData())),
		})
	}
	launched, err := s.cfg.Containers.Launch(ctx, containers.LaunchRequest{
		ID: e.Container, Config: e.Config, Environment: environment, PIDFile: e.PIDFile,
	})
	switch {
	case err != nil:
		return err
	case launched == containers.Success:
		return nil
	case launched == containers.NotSupported:
		return errors.New("no containerizer runs containers of this kind")
	default:
		return fmt.Errorf("there is a container %s already", e.Container.GetValue())
	}
}

// watch waits for the end of a container.
func (s *Slave) watch(ctx context.Context, id *mesosv1.ContainerID) {
	t, err := s.cfg.Containers.Wait(ctx, id)
	if ctx.Err() != nil {
		return
	}
	if errors.Is(err, containers.ErrUnknown) {
		t, err = nil, nil
	}
	s.mail.put(core.Terminated{Container: id, Termination: t, Err: err})
}

// destroy ends a container; who watches it hears of its end. Of one that is being
// launched, the launch ends: it may not be known yet.
func (s *Slave) destroy(id *mesosv1.ContainerID) {
	if cancel, ok := s.launches[id.GetValue()]; ok {
		cancel()
	}
	s.spawn(func(ctx context.Context) {
		if _, err := s.cfg.Containers.Destroy(ctx, id); err != nil && !errors.Is(err, containers.ErrUnknown) && ctx.Err() == nil {
			s.cfg.Log.Error(fmt.Sprintf("container %s could not be destroyed: %v", id.GetValue(), err))
		}
	})
}

// lane is updates of one container, one after another.
type lane struct{ waiting []core.UpdateContainer }

// update changes what a container may use. Updates of one container come in order.
func (s *Slave) update(e core.UpdateContainer) {
	id := e.Container.GetValue()
	if l := s.updates[id]; l != nil {
		l.waiting = append(l.waiting, e)
		return
	}
	s.updates[id] = &lane{}
	s.updateNow(e)
}

func (s *Slave) updateNow(e core.UpdateContainer) {
	s.spawn(func(ctx context.Context) {
		err := s.cfg.Containers.Update(ctx, e.Container, e.Requests, e.Limits)
		s.mail.put(question{do: func(*core.Core) { s.nextUpdate(e.Container.GetValue()) }})
		s.mail.put(core.Updated{Ticket: e.Ticket, Err: err})
	})
}

// nextUpdate lets the next update of a container go on. It runs in the loop.
func (s *Slave) nextUpdate(id string) {
	l := s.updates[id]
	if len(l.waiting) == 0 {
		delete(s.updates, id)
		return
	}
	next := l.waiting[0]
	l.waiting = l.waiting[1:]
	s.updateNow(next)
}

func (s *Slave) status(e core.StatusOf) {
	s.spawn(func(ctx context.Context) {
		breaks := s.cfg.Containers.Breaks(e.Container)
		status, err := s.cfg.Containers.Status(ctx, e.Container)
		if err != nil {
			status = nil // it has just ended, or nobody knows
		}
		s.mail.put(core.ContainerStatus{Ticket: e.Ticket, Status: status, Limited: breaks()})
	})
}

// makeSandbox makes the folder of a run, for its user, and the link to the latest.
func makeSandbox(dir, owner string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if owner != "" && os.Geteuid() == 0 {
		if err := give(dir, owner); err != nil {
			return err
		}
	}
	latest := filepath.Join(filepath.Dir(dir), paths.Latest)
	err := os.Symlink(filepath.Base(dir), latest)
	if !errors.Is(err, os.ErrExist) {
		return err
	}
	if err := os.Remove(latest); err != nil {
		return err
	}
	return os.Symlink(filepath.Base(dir), latest)
}

// give makes a folder somebody's own.
func give(dir, owner string) error {
	u, err := user.Lookup(owner)
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	return os.Lchown(dir, uid, gid)
}

// recover reads what is written down and takes over the containers that live.
func (s *Slave) recover(ctx context.Context) (core.Recovered, error) {
	state, err := s.cfg.Store.Recover(s.cfg.Core.Strict)
	if err != nil {
		return core.Recovered{}, fmt.Errorf("%w; move the folder meta of --work_dir away to begin anew, or start with --no-strict to go on without what cannot be read", err)
	}
	known := knownContainers(s.cfg.Core.WorkDir, state)
	recovered, err := s.cfg.Containers.Recover(ctx, known)
	if err != nil {
		return core.Recovered{}, fmt.Errorf("recover containers: %w", err)
	}
	alive := map[string]bool{}
	for _, c := range recovered.Containers {
		alive[c.GetContainerId().GetValue()] = true
	}
	each(state, func(_ *core.FrameworkState, e *core.ExecutorState) { e.Alive = alive[e.Container.GetValue()] })
	return core.Recovered{State: state}, nil
}

// knownContainers are those whose launch was written down and whose end was not.
func knownContainers(work string, state *core.State) []*slave.ContainerState {
	var known []*slave.ContainerState
	each(state, func(f *core.FrameworkState, e *core.ExecutorState) {
		if e.Completed || e.PID == 0 || state.Rebooted {
			return
		}
		known = append(known, &slave.ContainerState{
			ExecutorInfo: e.Info, ContainerInfo: e.Info.GetContainer(), ContainerId: e.Container, Pid: proto.Uint64(uint64(e.PID)),
			Directory: proto.String(paths.Run(work, state.Agent.GetId().GetValue(), f.Info.GetId().GetValue(),
				e.Info.GetExecutorId().GetValue(), e.Container.GetValue())),
		})
	})
	return known
}

func each(state *core.State, do func(*core.FrameworkState, *core.ExecutorState)) {
	if state == nil {
		return
	}
	for _, f := range state.Frameworks {
		for _, e := range f.Executors {
			do(f, e)
		}
	}
}

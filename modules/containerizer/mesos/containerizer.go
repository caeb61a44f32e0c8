package mesos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/modules/containerizer/held"
	"github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
	"github.com/mesos-modules/mms/roles/containerizer"
)

// Containerizer runs containers as processes.
type Containerizer struct {
	containerizer.Unimplemented
	program  string
	launcher string
	log      *slog.Logger
	exported exported
	books    *held.Books
}

var (
	_ containerizer.Containerizer = (*Containerizer)(nil)
	_ facade.Closer               = (*Containerizer)(nil)
)

func newContainerizer(program, runtime, launcher string, log *slog.Logger) (*Containerizer, error) {
	books, err := held.NewBooks(runtime, log)
	if err != nil {
		return nil, err
	}
	return &Containerizer{program: program, launcher: launcher, log: log, books: books}, nil
}

// Recover implements the role.
func (m *Containerizer) Recover(_ context.Context, states []*slave.ContainerState) (*slave.ContainerRecoverInfo, error) {
	return m.books.Recover(states, held.Recovery{Outcome: outcome, Pid: (*held.Container).Holder})
}

// Launch implements the role.
func (m *Containerizer) Launch(ctx context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig,
	launch *slave.ContainerLaunchInfo, files *slave.ContainerIO) (int32, error) {
	c, err := m.books.Enter(id)
	if err != nil {
		return 0, err
	}
	if err := m.hold(c, config, launch, files); err != nil {
		return 0, errors.Join(err, m.books.Drop(c))
	}
	c.Follow(m.log, outcome)
	return int32(c.Holder()), ctx.Err()
}

// hold makes the folder and the process.
func (m *Containerizer) hold(c *held.Container, config *slave.ContainerConfig, launch *slave.ContainerLaunchInfo, files *slave.ContainerIO) error {
	launch, err := m.withParents(c.ID, config, launch)
	if err != nil {
		return err
	}
	if err := checkNamespaces(m.launcher, c.ID, launch); err != nil {
		return err
	}
	run, err := shimConfig(config, launch, m.sandboxes(c.ID, config))
	if err != nil {
		return err
	}
	in, err := m.namespacesOf(c.ID, launch)
	if err != nil {
		return err
	}
	defer in.close() // the shim has its own
	run.StatusFile, run.EnterRoot = c.StatusFile(), in.root
	if c.Run, err = json.Marshal(run); err != nil {
		return err
	}
	if err := c.Make(config, launch); err != nil {
		return err
	}
	program := held.Program{Path: m.program, Arguments: []string{Program, "launch"}, Start: in.start}
	if in.mounts != nil {
		program.Inherited = []*os.File{in.mounts}
	}
	return c.Fork(program, files)
}

// sandboxes are the container's and those of its parents, the root's first.
func (m *Containerizer) sandboxes(id *mesosv1.ContainerID, config *slave.ContainerConfig) []string {
	all := []string{config.GetDirectory()}
	for up := id.GetParent(); up != nil; up = up.GetParent() {
		if c, err := m.books.Find(up); err == nil {
			all = append([]string{c.Config.GetDirectory()}, all...)
		}
	}
	return all
}

// withParents gives a DEBUG container what its parent was launched with: the
// environment below its own, the working directory, the privileges, and the root if that
// is not the root of a mount namespace, which it may enter.
func (m *Containerizer) withParents(id *mesosv1.ContainerID, config *slave.ContainerConfig,
	launch *slave.ContainerLaunchInfo) (*slave.ContainerLaunchInfo, error) {
	if id.GetParent() == nil {
		return launch, nil
	}
	parent, err := m.books.Find(id.GetParent())
	if err != nil {
		return nil, fmt.Errorf("launch a container in another one: %w", err)
	}
	if config.GetContainerClass() != slave.ContainerClass_DEBUG {
		return launch, nil
	}
	parents, err := parent.LaunchInfo()
	if err != nil {
		return nil, err
	}
	out := proto.CloneOf(launch)
	out.Environment = &mesosv1.Environment{Variables: append(
		append([]*mesosv1.Environment_Variable(nil), parents.GetEnvironment().GetVariables()...),
		launch.GetEnvironment().GetVariables()...)}
	if out.WorkingDirectory == nil {
		out.WorkingDirectory = parents.WorkingDirectory
	}
	if out.EffectiveCapabilities == nil && out.BoundingCapabilities == nil {
		out.EffectiveCapabilities, out.BoundingCapabilities = parents.EffectiveCapabilities, parents.BoundingCapabilities
	}
	if out.NoNewPrivileges == nil {
		out.NoNewPrivileges = parents.NoNewPrivileges
	}
	if out.Rootfs == nil && !has(out.EnterNamespaces, unix.CLONE_NEWNS) {
		out.Rootfs = parents.Rootfs
	}
	return out, nil
}

// Watch implements the role.
func (m *Containerizer) Watch(ctx context.Context, id *mesosv1.ContainerID, sink func(*slave.ContainerTermination)) error {
	c, err := m.books.Find(id)
	if err != nil {
		return err
	}
	c.Watch(ctx, sink)
	return nil
}

// Start implements the role.
func (m *Containerizer) Start(ctx context.Context, id *mesosv1.ContainerID) error {
	c, err := m.books.Find(id)
	if err != nil {
		return err
	}
	return c.Start(ctx)
}

// Status returns the first process.
func (m *Containerizer) Status(_ context.Context, id *mesosv1.ContainerID) (*mesosv1.ContainerStatus, error) {
	c, err := m.books.Find(id)
	if err != nil {
		return nil, err
	}
	return &mesosv1.ContainerStatus{ContainerId: id, ExecutorPid: proto.Uint32(uint32(c.Holder()))}, nil
}

// Kill implements the role.
func (m *Containerizer) Kill(_ context.Context, id *mesosv1.ContainerID, signal int32) (bool, error) {
	c, err := m.books.Find(id)
	if err != nil || c.HasEnded() {
		return false, nil
	}
	if signal < 1 || signal > 64 {
		return false, fmt.Errorf("there is no signal %d", signal)
	}
	if err := c.Tell(shim.Signal, []byte{byte(signal)}); err != nil {
		return false, c.UnlessEnded(err)
	}
	return true, nil
}

// Destroy implements the role.
func (m *Containerizer) Destroy(ctx context.Context, id *mesosv1.ContainerID) error {
	c, err := m.books.Find(id)
	if err != nil {
		return nil
	}
	return c.Destroy(ctx, c.Kill)
}

// End implements the role.
func (m *Containerizer) End(_ context.Context, id *mesosv1.ContainerID, termination *slave.ContainerTermination) error {
	c, err := m.books.Find(id)
	if err != nil {
		return nil
	}
	if keep, err := c.Ended(termination); keep || err != nil {
		return err
	}
	return m.books.Drop(c)
}

// Remove implements the role.
func (m *Containerizer) Remove(_ context.Context, id *mesosv1.ContainerID) error {
	c, err := m.books.Find(id)
	if err != nil {
		return nil
	}
	return m.books.Drop(c)
}

// AttachInput implements the role.
func (m *Containerizer) AttachInput(ctx context.Context, id *mesosv1.ContainerID, record *agent.ProcessIO) error {
	c, err := m.books.Find(id)
	if err != nil {
		return err
	}
	return c.AttachInput(ctx, record)
}

// AttachOutput implements the role.
func (m *Containerizer) AttachOutput(ctx context.Context, id *mesosv1.ContainerID, sink func(*agent.ProcessIO)) error {
	c, err := m.books.Find(id)
	if err != nil {
		return err
	}
	return c.AttachOutput(ctx, sink)
}

// Close lets go of the containers; they go on.
func (m *Containerizer) Close(context.Context) error {
	m.books.Close()
	return nil
}

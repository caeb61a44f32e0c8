package mesos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
	"github.com/mesos-modules/mms/roles/containerizer"
)

// Containerizer knows its containers by their keys.
type Containerizer struct {
	containerizer.Unimplemented
	program  string
	runtime  string
	launcher string
	log      *slog.Logger
	exported exported

	mu         sync.Mutex
	containers map[string]*container
}

var (
	_ containerizer.Containerizer = (*Containerizer)(nil)
	_ facade.Closer               = (*Containerizer)(nil)
)

func newContainerizer(program, runtime, launcher string, log *slog.Logger) (*Containerizer, error) {
	runtime, err := filepath.Abs(runtime)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(runtime, containersFolder), 0o700); err != nil {
		return nil, fmt.Errorf("make the runtime folder: %w", err)
	}
	return &Containerizer{program: program, runtime: runtime, launcher: launcher, log: log, containers: map[string]*container{}}, nil
}

// Launch implements the role.
func (m *Containerizer) Launch(ctx context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig,
	launch *slave.ContainerLaunchInfo, files *slave.ContainerIO) (int32, error) {
	folder, err := folderOf(m.runtime, id)
	if err != nil {
		return 0, err
	}
	launch, err = m.withParents(id, config, launch)
	if err != nil {
		return 0, err
	}
	if err := checkNamespaces(m.launcher, id, launch); err != nil {
		return 0, err
	}
	run, err := shimConfig(config, launch, m.sandboxes(id, config))
	if err != nil {
		return 0, err
	}
	run.StatusFile = filepath.Join(folder, statusFile)
	in, err := m.namespacesOf(id, launch)
	if err != nil {
		return 0, err
	}
	defer in.close() // the shim has its own
	c := newContainer(id, folder)
	c.config, c.run = config, run
	if err := m.add(c); err != nil {
		return 0, err
	}
	if err := m.hold(c, launch, in, files); err != nil {
		m.forget(c)
		return 0, errors.Join(err, os.RemoveAll(folder))
	}
	go c.wait(m.log)
	return int32(c.pid), ctx.Err()
}

// hold makes the folder and the process.
func (m *Containerizer) hold(c *container, launch *slave.ContainerLaunchInfo, in *namespaces, files *slave.ContainerIO) error {
	if err := os.MkdirAll(filepath.Dir(c.folder), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(c.folder, 0o700); err != nil {
		return err
	}
	if err := writeMessage(filepath.Join(c.folder, configFile), c.config); err != nil {
		return err
	}
	if err := writeMessage(filepath.Join(c.folder, launchInfoFile), launch); err != nil {
		return err
	}
	return c.fork(m.program, in, files)
}

// sandboxes are the container's and those of its parents, the root's first.
func (m *Containerizer) sandboxes(id *mesosv1.ContainerID, config *slave.ContainerConfig) []string {
	all := []string{config.GetDirectory()}
	for up := id.GetParent(); up != nil; up = up.GetParent() {
		if c, err := m.find(up); err == nil {
			all = append([]string{c.config.GetDirectory()}, all...)
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
	if _, err := m.find(id.GetParent()); err != nil {
		return nil, fmt.Errorf("launch a container in another one: %w", err)
	}
	if config.GetContainerClass() != slave.ContainerClass_DEBUG {
		return launch, nil
	}
	folder, err := folderOf(m.runtime, id.GetParent())
	if err != nil {
		return nil, err
	}
	parents := &slave.ContainerLaunchInfo{}
	found, err := readMessage(filepath.Join(folder, launchInfoFile), parents)
	if err != nil || !found {
		return nil, errors.Join(fmt.Errorf("it is not known how the parent %s was launched", id.GetParent().GetValue()), err)
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
	c, err := m.find(id)
	if err != nil {
		return err
	}
	c.watch(ctx, sink)
	return nil
}

// Start implements the role.
func (m *Containerizer) Start(ctx context.Context, id *mesosv1.ContainerID) error {
	c, err := m.find(id)
	if err != nil {
		return err
	}
	return c.start(ctx)
}

// Status returns the first process.
func (m *Containerizer) Status(_ context.Context, id *mesosv1.ContainerID) (*mesosv1.ContainerStatus, error) {
	c, err := m.find(id)
	if err != nil {
		return nil, err
	}
	return &mesosv1.ContainerStatus{ContainerId: id, ExecutorPid: proto.Uint32(uint32(c.pid))}, nil
}

// Kill implements the role.
func (m *Containerizer) Kill(_ context.Context, id *mesosv1.ContainerID, signal int32) (bool, error) {
	c, err := m.find(id)
	if err != nil || c.hasEnded() {
		return false, nil
	}
	if signal < 1 || signal > 64 {
		return false, fmt.Errorf("there is no signal %d", signal)
	}
	if err := c.tell(shim.Signal, []byte{byte(signal)}); err != nil {
		return false, c.unlessEnded(err)
	}
	return true, nil
}

// Destroy implements the role.
func (m *Containerizer) Destroy(ctx context.Context, id *mesosv1.ContainerID) error {
	c, err := m.find(id)
	if err != nil {
		return nil
	}
	return c.destroy(ctx)
}

// End implements the role.
func (m *Containerizer) End(_ context.Context, id *mesosv1.ContainerID, termination *slave.ContainerTermination) error {
	c, err := m.find(id)
	if err != nil {
		return nil
	}
	c.release()
	if id.GetParent() != nil && c.config.GetContainerClass() != slave.ContainerClass_DEBUG {
		return writeMessage(filepath.Join(c.folder, terminationFile), termination)
	}
	return m.drop(c)
}

// Remove implements the role.
func (m *Containerizer) Remove(_ context.Context, id *mesosv1.ContainerID) error {
	c, err := m.find(id)
	if err != nil {
		return nil
	}
	return m.drop(c)
}

// drop forgets a container and what is nested in it, on disk too.
func (m *Containerizer) drop(c *container) error {
	m.forget(c)
	return os.RemoveAll(c.folder)
}

// Close lets go of the containers; they go on.
func (m *Containerizer) Close(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.containers {
		c.release()
		c.detach()
	}
	clear(m.containers)
	return nil
}

func (m *Containerizer) find(id *mesosv1.ContainerID) (*container, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.containers[key(id)]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("there is no container %s", key(id))
}

func (m *Containerizer) add(c *container) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.containers[key(c.id)] != nil {
		return fmt.Errorf("there is a container %s already", key(c.id))
	}
	m.containers[key(c.id)] = c
	return nil
}

// forget drops a container and what is nested in it.
func (m *Containerizer) forget(c *container) {
	m.mu.Lock()
	defer m.mu.Unlock()
	root := key(c.id)
	for k := range m.containers {
		if k == root || strings.HasPrefix(k, root+"/") {
			delete(m.containers, k)
		}
	}
}

package runc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/modules/containerizer/held"
	frames "github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
	"github.com/mesos-modules/mms/modules/containerizer/runc/image"
	"github.com/mesos-modules/mms/modules/containerizer/runc/shim"
	"github.com/mesos-modules/mms/roles/containerizer"
)

// Containerizer runs containers by the runtime.
type Containerizer struct {
	containerizer.Unimplemented
	parameters
	runtime *runtime
	images  *image.Store
	books   *held.Books
	unified bool // control groups of version 2
	log     *slog.Logger
}

var (
	_ containerizer.Containerizer = (*Containerizer)(nil)
	_ facade.Closer               = (*Containerizer)(nil)
)

func newContainerizer(p parameters, state string, r *runtime, images *image.Store, log *slog.Logger) (*Containerizer, error) {
	books, err := held.NewBooks(state, log)
	if err != nil {
		return nil, err
	}
	return &Containerizer{parameters: p, runtime: r, images: images, books: books,
		unified: cgroups.IsCgroup2UnifiedMode(), log: log}, nil
}

// Supports takes containers with an image that is there, those in a container of its
// own, and if it is to, those without an image.
func (m *Containerizer) Supports(_ context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig) (bool, error) {
	info := config.GetContainerInfo()
	if info != nil && info.GetType() != mesosv1.ContainerInfo_MESOS {
		return false, nil
	}
	if info.GetMesos().GetImage() == nil {
		return id.GetParent() != nil || m.Containers == "all", nil
	}
	name := imageOf(config)
	if name == "" || m.ImagesDir == "" {
		return false, nil
	}
	if !m.images.Has(name) {
		m.log.Warn("a container wants an image that is not there", "container", held.Key(id), "image", name, "images_dir", m.ImagesDir)
		return false, nil
	}
	return true, nil
}

// Launch implements the role.
func (m *Containerizer) Launch(ctx context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig,
	launch *slave.ContainerLaunchInfo, files *slave.ContainerIO) (int32, error) {
	if id.GetParent() != nil {
		if _, err := m.books.Find(id.GetParent()); err != nil {
			return 0, fmt.Errorf("launch a container in another one: %w", err)
		}
	}
	c, err := m.books.Enter(id)
	if err != nil {
		return 0, err
	}
	pid, err := m.hold(ctx, c, config, launch, files)
	if err != nil {
		c.Abandon()
		return 0, errors.Join(err, m.drop(context.WithoutCancel(ctx), c))
	}
	c.Follow(m.log, m.outcome)
	return int32(pid), ctx.Err()
}

// hold makes the folder, the shim and the container.
func (m *Containerizer) hold(ctx context.Context, c *held.Container, config *slave.ContainerConfig,
	launch *slave.ContainerLaunchInfo, files *slave.ContainerIO) (pid int, err error) {
	if err := c.Make(config, launch); err != nil {
		return 0, err
	}
	run, err := m.bundle(ctx, c, launch)
	if err != nil {
		return 0, err
	}
	text, err := json.Marshal(run)
	if err != nil {
		return 0, err
	}
	if err := c.Fork(held.Program{Path: filepath.Join(m.LauncherDir, Program), Arguments: []string{Program}, Start: apart}, files); err != nil {
		return 0, err
	}
	kind, said, err := c.Ask(ctx, shim.Create, text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("the container's shim: %w", err)
	case kind == shim.Created:
		return strconv.Atoi(string(said))
	case kind == shim.Failed:
		return 0, errors.New(string(said))
	default:
		return 0, fmt.Errorf("the container's shim answers with %d", kind)
	}
}

// apart starts the shim in a mount namespace of its own.
func apart(path string, arguments []string, attr *syscall.ProcAttr) (pid int, err error) {
	attr.Sys.Cloneflags = unix.CLONE_NEWNS
	return syscall.ForkExec(path, arguments, attr)
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
	return &mesosv1.ContainerStatus{ContainerId: id, ExecutorPid: proto.Uint32(uint32(firstProcess(c)))}, nil
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
	if err := c.Tell(frames.Signal, []byte{byte(signal)}); err != nil {
		return false, c.UnlessEnded(err)
	}
	return true, nil
}

// Destroy implements the role. When it returns the runtime knows nothing of the container
// any more.
func (m *Containerizer) Destroy(ctx context.Context, id *mesosv1.ContainerID) error {
	c, err := m.books.Find(id)
	if err != nil {
		return nil
	}
	if err := c.Destroy(ctx, func() { m.force(ctx, c) }); err != nil {
		return err
	}
	if c.IsDebug() {
		return nil
	}
	return m.runtime.remove(ctx, runtimeID(id))
}

// End implements the role.
func (m *Containerizer) End(ctx context.Context, id *mesosv1.ContainerID, termination *slave.ContainerTermination) error {
	c, err := m.books.Find(id)
	if err != nil {
		return nil
	}
	keep, err := c.Ended(termination)
	if keep || err != nil {
		return errors.Join(err, m.strip(c))
	}
	return m.drop(ctx, c)
}

// Remove implements the role.
func (m *Containerizer) Remove(ctx context.Context, id *mesosv1.ContainerID) error {
	c, err := m.books.Find(id)
	if err != nil {
		return nil
	}
	return m.drop(ctx, c)
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

// PruneImages implements the role.
func (m *Containerizer) PruneImages(ctx context.Context, excluded []*mesosv1.Image) error {
	var names []string
	for _, i := range excluded {
		names = append(names, i.GetDocker().GetName()+i.GetAppc().GetName())
	}
	return m.images.Prune(ctx, names)
}

// Close lets go of the containers; they go on.
func (m *Containerizer) Close(context.Context) error {
	m.books.Close()
	return nil
}

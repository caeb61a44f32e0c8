package runc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/containerizer/held"
	frames "github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
	"github.com/mesos-modules/mms/modules/containerizer/runc/shim"
)

// outcome says how a container has ended whose shim has. A shim that was killed has said
// nothing, and left the container to itself.
func (m *Containerizer) outcome(c *held.Container, status *int32) *slave.ContainerTermination {
	t := &slave.ContainerTermination{Status: status}
	if status == nil {
		m.sweep(c)
	}
	if most, ok := held.ReadNumber(filepath.Join(c.Folder, shim.OutOfMemory)); ok {
		limit := megabytes(c.Config)
		t.State = mesosv1.TaskState_TASK_FAILED.Enum()
		t.Reason = mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY.Enum()
		t.Message = proto.String(fmt.Sprintf("Memory limit exceeded: Requested: %gMB Maximum Used: %dMB", limit, most>>20))
		t.LimitedResources = []*mesosv1.Resource{{Name: proto.String("mem"), Type: mesosv1.Value_SCALAR.Enum(),
			Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(limit)}}}
	}
	return t
}

// megabytes is the memory that a container may use.
func megabytes(config *slave.ContainerConfig) (sum float64) {
	if limit := config.GetLimits()["mem"]; limit != nil {
		return limit.GetValue()
	}
	for _, r := range config.GetResources() {
		if r.GetName() == "mem" {
			sum += r.GetScalar().GetValue()
		}
	}
	return sum
}

// sweep ends what a shim has left that was killed.
func (m *Containerizer) sweep(c *held.Container) {
	if c.IsDebug() {
		m.sweepProcess(c)
		return
	}
	if err := m.runtime.remove(context.Background(), runtimeID(c.ID)); err != nil {
		m.log.Error("a container is left by its shim and cannot be ended", "container", held.Key(c.ID), "error", err)
	}
}

// sweepProcess ends a process in another container. Its id may be somebody else's by now:
// what tells it is the other container's control group.
func (m *Containerizer) sweepProcess(c *held.Container) {
	pid, ok := held.ReadNumber(filepath.Join(c.Folder, shim.PidFile))
	in, err := m.around(c)
	if !ok || err != nil || pid <= 1 {
		return
	}
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return // it has ended
	}
	for line := range bytes.Lines(groups) {
		if strings.HasSuffix(strings.TrimSpace(string(line)), ":"+m.cgroup(in.ID)) {
			frames.KillBelow(pid)
			_ = syscall.Kill(pid, syscall.SIGKILL) // gone is as good
			return
		}
	}
}

// force ends a container whose shim does not answer.
func (m *Containerizer) force(ctx context.Context, c *held.Container) {
	c.Kill() // its end is seen, and the rest swept
	if err := ctx.Err(); err != nil {
		m.log.Warn("a container's shim does not answer and was killed", "container", held.Key(c.ID), "error", err)
	}
}

// strip deletes what a nested container needs no more once it has ended; its folder holds
// how it did.
func (m *Containerizer) strip(c *held.Container) error {
	m.release(c)
	var errs []error
	for _, name := range []string{shim.Upper, shim.Work, shim.Lower, imageFile} {
		errs = append(errs, os.RemoveAll(filepath.Join(c.Folder, name)))
	}
	return errors.Join(errs...)
}

// release gives the image back, once.
func (m *Containerizer) release(c *held.Container) {
	if of, ok := imageIn(c); ok && os.Remove(filepath.Join(c.Folder, imageFile)) == nil {
		m.images.Release(of)
	}
}

// drop forgets a container, and so does the runtime.
func (m *Containerizer) drop(ctx context.Context, c *held.Container) error {
	var err error
	if !c.IsDebug() {
		err = m.runtime.remove(ctx, runtimeID(c.ID))
	}
	m.release(c)
	return errors.Join(err, m.books.Drop(c))
}

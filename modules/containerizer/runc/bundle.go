package runc

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/containerizer/held"
	"github.com/mesos-modules/mms/modules/containerizer/runc/image"
	"github.com/mesos-modules/mms/modules/containerizer/runc/shim"
	"github.com/mesos-modules/mms/modules/containerizer/runc/spec"
)

// imageFile holds the digest of the container's image.
const imageFile = "image"

var plain = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// runtimeID is what the runtime calls a container: the values of its id with plus signs
// between, or something as unique where the runtime would not take that.
func runtimeID(id *mesosv1.ContainerID) string {
	var all []string
	for ; id != nil; id = id.GetParent() {
		all = append([]string{id.GetValue()}, all...)
	}
	for _, value := range all {
		if !plain.MatchString(value) || len(all) > 3 {
			sum := sha256.Sum256([]byte(strings.Join(all, "/")))
			return "sha256-" + hex.EncodeToString(sum[:])
		}
	}
	return strings.Join(all, "+")
}

// imageOf is the name of the image that a container wants; empty: none.
func imageOf(config *slave.ContainerConfig) string {
	i := config.GetContainerInfo().GetMesos().GetImage()
	return cmp.Or(i.GetDocker().GetName(), i.GetAppc().GetName())
}

// cgroup is the path of a container's control groups. A nested one is in its parent's, so
// that what its root may use bounds both; in version 2 only one that holds no process can
// hold another, so it stands beside it there.
func (m *Containerizer) cgroup(id *mesosv1.ContainerID) string {
	if id.GetParent() == nil {
		return "/" + filepath.Join(m.CgroupsRoot, runtimeID(id))
	}
	if m.unified {
		return "/" + filepath.Join(m.CgroupsRoot, runtimeID(id))
	}
	return filepath.Join(m.cgroup(id.GetParent()), runtimeID(id))
}

// bundle writes everything that the shim and the runtime need into the container's folder.
func (m *Containerizer) bundle(ctx context.Context, c *held.Container, launch *slave.ContainerLaunchInfo) (*shim.Config, error) {
	run := &shim.Config{Folder: c.Folder, StatusFile: c.StatusFile(), Runtime: m.runtime.program, State: m.runtime.state, ID: runtimeID(c.ID)}
	if tty := c.Config.GetContainerInfo().GetTtyInfo(); tty != nil {
		run.Terminal = true
		run.Rows, run.Columns = uint16(tty.GetWindowSize().GetRows()), uint16(tty.GetWindowSize().GetColumns())
	}
	var err error
	var described any
	var process *specs.Process
	file := shim.ConfigFile
	if c.IsDebug() {
		file = shim.ProcessFile
		run.Debug = true
		process, err = m.debug(c, launch, run)
		described = process
	} else {
		var all *specs.Spec
		if all, err = m.describe(ctx, c, launch, run); err == nil {
			process, described = all.Process, all
		}
	}
	if err != nil {
		return nil, err
	}
	run.Program = process.Args[0]
	text, err := json.Marshal(described)
	if err != nil {
		return nil, err
	}
	return run, held.Replace(filepath.Join(c.Folder, file), text)
}

// describe unpacks the image and describes the container.
func (m *Containerizer) describe(ctx context.Context, c *held.Container, launch *slave.ContainerLaunchInfo, run *shim.Config) (*specs.Spec, error) {
	request := spec.Request{Config: c.Config, Launch: launch, Sandbox: m.SandboxDirectory, Cgroup: m.cgroup(c.ID)}
	if id := c.ID.GetParent(); id != nil {
		parent, err := m.books.Find(id)
		if err != nil {
			return nil, err
		}
		request.Parent = &spec.Parent{Pid: firstProcess(parent), Directory: parent.Config.GetDirectory()}
	}
	if name := imageOf(c.Config); name != "" {
		unpacked, err := m.images.Acquire(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := m.layers(c, unpacked); err != nil {
			m.images.Release(unpacked.Digest)
			return nil, err
		}
		request.Image, run.Overlay = &unpacked.Config, true
	}
	return spec.Build(request)
}

// layers lays down what the root file system is mounted of. From then on the image is
// kept until the folder is dropped.
func (m *Containerizer) layers(c *held.Container, of image.Image) error {
	info, err := os.Stat(of.Root)
	if err != nil {
		return err
	}
	upper := filepath.Join(c.Folder, shim.Upper)
	var owner unix.Stat_t
	return errors.Join(
		os.Symlink(of.Root, filepath.Join(c.Folder, shim.Lower)),
		os.Mkdir(filepath.Join(c.Folder, shim.Work), 0o700),
		os.Mkdir(upper, 0o700),
		// The root folder's own attributes are those of the upper one.
		unix.Stat(of.Root, &owner), os.Chown(upper, int(owner.Uid), int(owner.Gid)), os.Chmod(upper, info.Mode()),
		held.Replace(filepath.Join(c.Folder, imageFile), []byte(of.Digest)),
	)
}

// imageIn returns the image that a container keeps, if it keeps one.
func imageIn(c *held.Container) (digest.Digest, bool) {
	text, err := os.ReadFile(filepath.Join(c.Folder, imageFile))
	if err != nil {
		return "", false
	}
	of := digest.Digest(text)
	return of, of.Validate() == nil
}

// debug describes a process in the nearest container that is one of its own.
func (m *Containerizer) debug(c *held.Container, launch *slave.ContainerLaunchInfo, run *shim.Config) (*specs.Process, error) {
	in, err := m.around(c)
	if err != nil {
		return nil, err
	}
	run.ID = runtimeID(in.ID)
	file := filepath.Join(in.Folder, shim.ConfigFile)
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("it is not known how container %s was launched: %w", held.Key(in.ID), err)
	}
	var parent specs.Spec
	if err := json.Unmarshal(text, &parent); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if parent.Process == nil {
		return nil, fmt.Errorf("%s describes no process", file)
	}
	return spec.Debug(c.Config, launch, parent.Process)
}

// around is the container that a process of the class DEBUG is in.
func (m *Containerizer) around(c *held.Container) (*held.Container, error) {
	for id := c.ID.GetParent(); id != nil; id = id.GetParent() {
		parent, err := m.books.Find(id)
		if err != nil || !parent.IsDebug() {
			return parent, err
		}
	}
	return nil, fmt.Errorf("container %s is of the class DEBUG and in no other", held.Key(c.ID))
}

// firstProcess is the container's first process: the shim, where the runtime has made
// none before the start.
func firstProcess(c *held.Container) int {
	if pid, ok := held.ReadNumber(filepath.Join(c.Folder, shim.PidFile)); ok && !c.IsDebug() {
		return pid
	}
	return c.Holder()
}

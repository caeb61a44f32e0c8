package spec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	securejoin "github.com/cyphar/filepath-securejoin"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// system is what programs in an image expect besides their files.
var system = []specs.Mount{
	{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
	{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
	{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
	{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
	{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
	{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
}

// host are files that a container needs to find others in the host's network.
var host = []string{"/etc/resolv.conf", "/etc/hosts", "/etc/hostname"}

func (r Request) mounts() ([]specs.Mount, error) {
	var all []specs.Mount
	if r.Image == nil {
		// The devices are mounted once more, so that the runtime leaves them as they are.
		all = append(all, specs.Mount{Destination: "/dev", Type: "bind", Source: "/dev", Options: []string{"rbind", "rslave"}})
		if hasPid(r.Launch) {
			all = append(all, system[0])
		}
	} else {
		all = append(all, system...)
		for _, file := range host {
			if _, err := os.Stat(file); err == nil {
				all = append(all, bind(file, file, true))
			}
		}
		all = append(all, bind(r.Config.GetDirectory(), r.Sandbox, false))
		if r.Config.TaskInfo != nil { // the executor is the agent's own program
			program, err := filepath.EvalSymlinks(r.Launch.GetCommand().GetValue())
			if err != nil {
				return nil, fmt.Errorf("the executor: %w", err)
			}
			all = append(all, bind(program, r.Launch.GetCommand().GetValue(), true))
		}
	}
	volumes, err := r.volumes()
	if err != nil {
		return nil, err
	}
	all = append(all, volumes...)
	for _, m := range r.Launch.GetMounts() {
		converted, err := mountOf(m)
		if err != nil {
			return nil, err
		}
		all = append(all, converted)
	}
	return all, nil
}

func hasPid(launch *slave.ContainerLaunchInfo) bool {
	for _, f := range launch.GetCloneNamespaces() {
		if f&unix.CLONE_NEWPID != 0 {
			return true
		}
	}
	return false
}

func bind(source, destination string, readOnly bool) specs.Mount {
	options := []string{"rbind", "rslave"}
	if readOnly {
		options = append(options, "ro")
	}
	return specs.Mount{Destination: destination, Type: "bind", Source: source, Options: options}
}

// volumes are those that the container asks for, and the persistent ones, to which there
// are links in the sandbox.
func (r Request) volumes() ([]specs.Mount, error) {
	var all []specs.Mount
	var errs []error
	for _, v := range r.Config.GetContainerInfo().GetVolumes() {
		source, err := r.source(v)
		if err != nil {
			errs = append(errs, fmt.Errorf("volume %s: %w", v.GetContainerPath(), err))
			continue
		}
		all = append(all, bind(source, r.inside(v.GetContainerPath()), v.GetMode() == mesosv1.Volume_RO))
	}
	if r.Image != nil {
		for _, one := range r.Config.GetResources() {
			if m, ok := r.persistent(one); ok {
				all = append(all, m)
			}
		}
	}
	return all, errors.Join(errs...)
}

// inside is a path as the container sees it: a relative one is in its sandbox.
func (r Request) inside(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	if r.Image == nil {
		return filepath.Join(r.Config.GetDirectory(), path)
	}
	return filepath.Join(r.Sandbox, path)
}

// source is where on the host a volume comes from. Links in a sandbox do not lead out of
// it.
func (r Request) source(v *mesosv1.Volume) (string, error) {
	switch {
	case v.HostPath != nil && v.Source == nil && v.Image == nil:
		return r.onHost(v.GetHostPath())
	case v.Image != nil:
		return "", errors.New("volumes made of images are not supported")
	}
	switch s := v.GetSource(); s.GetType() {
	case mesosv1.Volume_Source_HOST_PATH:
		return r.onHost(s.GetHostPath().GetPath())
	case mesosv1.Volume_Source_SANDBOX_PATH:
		path := s.GetSandboxPath()
		switch path.GetType() {
		case mesosv1.Volume_Source_SandboxPath_SELF:
			return below(r.Config.GetDirectory(), path.GetPath())
		case mesosv1.Volume_Source_SandboxPath_PARENT:
			if r.Parent == nil {
				return "", errors.New("it is to come from the sandbox of the parent, and there is no parent")
			}
			return below(r.Parent.Directory, path.GetPath())
		default:
			return "", fmt.Errorf("a path in the sandbox of %v is not known", path.GetType())
		}
	default:
		return "", fmt.Errorf("volumes of the type %v are not supported", s.GetType())
	}
}

// onHost reads a host path; a relative one is in the sandbox.
func (r Request) onHost(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return below(r.Config.GetDirectory(), path)
	}
	_, err := os.Stat(path)
	return path, err
}

// below makes a folder in a sandbox for its owner, unless there is something.
func below(sandbox, path string) (string, error) {
	real, err := securejoin.SecureJoin(sandbox, path)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(real); err == nil {
		return real, nil
	}
	folder, err := os.Open(sandbox)
	if err != nil {
		return "", err
	}
	defer folder.Close()
	made, err := securejoin.MkdirAllHandle(folder, path, 0o755)
	if err != nil {
		return "", err
	}
	defer made.Close()
	var owner unix.Stat_t
	if err := unix.Fstat(int(folder.Fd()), &owner); err != nil {
		return "", err
	}
	return real, unix.Fchown(int(made.Fd()), int(owner.Uid), int(owner.Gid))
}

// persistent mounts a persistent volume where its link in the sandbox leads.
func (r Request) persistent(one *mesosv1.Resource) (specs.Mount, bool) {
	volume := one.GetDisk().GetVolume()
	path := volume.GetContainerPath()
	if one.GetDisk().GetPersistence() == nil || !filepath.IsLocal(path) || strings.Contains(path, "/") {
		return specs.Mount{}, false
	}
	target, err := os.Readlink(filepath.Join(r.Config.GetDirectory(), path))
	if err != nil {
		return specs.Mount{}, false // no isolator has laid one
	}
	return bind(target, target, volume.GetMode() == mesosv1.Volume_RO), true
}

// mountOf converts a mount that an isolator wants.
func mountOf(m *slave.ContainerMountInfo) (specs.Mount, error) {
	out := specs.Mount{Destination: m.GetTarget(), Type: m.GetType(), Source: m.GetSource()}
	if !filepath.IsAbs(out.Destination) {
		return out, fmt.Errorf("an isolator wants a mount on %q, which is no absolute path", out.Destination)
	}
	flags := m.GetFlags()
	for _, f := range mountFlags {
		if flags&f.flag == f.flag {
			out.Options = append(out.Options, f.name)
			flags &^= f.flag
		}
	}
	if flags != 0 {
		return out, fmt.Errorf("an isolator wants a mount on %s with flags %#x, which the runc containerizer does not know", out.Destination, flags)
	}
	if m.GetFlags()&unix.MS_BIND != 0 {
		out.Type = "bind"
	}
	if options := m.GetOptions(); options != "" {
		out.Options = append(out.Options, strings.Split(options, ",")...)
	}
	return out, nil
}

// mountFlags are the flags that the runtime has words for, those of several bits first.
var mountFlags = []struct {
	flag uint32
	name string
}{
	{unix.MS_BIND | unix.MS_REC, "rbind"}, {unix.MS_BIND, "bind"},
	{unix.MS_SLAVE | unix.MS_REC, "rslave"}, {unix.MS_SLAVE, "slave"},
	{unix.MS_PRIVATE | unix.MS_REC, "rprivate"}, {unix.MS_PRIVATE, "private"},
	{unix.MS_RDONLY, "ro"}, {unix.MS_NOSUID, "nosuid"}, {unix.MS_NODEV, "nodev"}, {unix.MS_NOEXEC, "noexec"},
	{unix.MS_NOATIME, "noatime"}, {unix.MS_STRICTATIME, "strictatime"}, {unix.MS_RELATIME, "relatime"}, {unix.MS_NODIRATIME, "nodiratime"},
}

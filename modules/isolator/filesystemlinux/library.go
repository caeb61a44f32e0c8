// Package filesystemlinux is the isolator filesystem/linux: each container has a mount
// namespace of its own, with volumes, and with a root file system if it asks for an image.
//
// An image is a folder below the parameter images_dir. Containers see it through an
// overlay that takes their changes; the folder itself is not changed. All mounts are made
// by the containerizer in the container's namespace, so the host sees none, and none
// outlives its container.
package filesystemlinux

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Name is what manifests call the module; Word is upstream's word for it.
const (
	Name = "org_apache_mesos_LinuxFilesystemIsolator"
	Word = "filesystem/linux"
)

// containerizer is told that containers can have images, if it is loaded.
const containerizer = "org_apache_mesos_MesosContainerizer"

// imageTaker is what it exports.
type imageTaker interface {
	// TakeImages is called before the first container is launched.
	TakeImages()
}

type parameters struct {
	ImagesDir   string `mms:"images_dir" doc:"the folder of images: an image is the folder of its name there, or the folder rootfs in that; without it, containers have no images"`
	SandboxDir  string `mms:"sandbox_directory" default:"/mnt/mesos/sandbox" doc:"where a container with an image finds its sandbox"`
	WorkDir     string `mms:"work_dir" doc:"the agent's work folder, which holds persistent volumes; without it there are none"`
	LauncherDir string `mms:"launcher_dir" doc:"the folder of the agent's own executors, which a container with an image is given; without it, the folder of the daemon's own binary"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Gives containers a mount namespace with volumes, and a root file system of an image.",
		Requires:    []facade.Requirement{{Module: containerizer, Version: ">=1", Optional: true}},
		Parameters:  facade.SchemaOf[parameters](),
		New:         create,
	},
}}

func create(_ context.Context, host facade.Host, given facade.Parameters) (isolator.Isolator, error) {
	p, err := facade.Decode[parameters](given)
	if err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("mounts are made by root alone: run the agent as root, or take filesystem/posix")
	}
	if err := kernel(); err != nil {
		return nil, err
	}
	if !filepath.IsAbs(p.SandboxDir) {
		return nil, fmt.Errorf("parameter sandbox_directory: %q is not absolute", p.SandboxDir)
	}
	state, err := host.StateDir()
	if err != nil {
		return nil, err
	}
	if p.LauncherDir == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find the folder of the agent's executors: %w; name it with launcher_dir", err)
		}
		p.LauncherDir = filepath.Dir(self)
	}
	f := &filesystem{
		work: p.WorkDir, sandboxAt: filepath.Clean(p.SandboxDir), launcher: filepath.Clean(p.LauncherDir),
		state: filepath.Join(state, "containers"), log: host.Logger(), containers: map[string]*container{},
	}
	if err := f.takeImages(p.ImagesDir, filepath.Join(state, "trial")); err != nil {
		return nil, err
	}
	if f.images != nil {
		if taker, err := facade.RequiredExport[imageTaker](host, containerizer); err == nil {
			f.taker = taker
		} else {
			f.log.Info("the containerizer mesos takes no images: it is not here, or not in this process", "reason", err)
		}
	}
	return f, nil
}

// takeImages looks at the folder of images and finds out whether containers can change
// what they see of it.
func (f *filesystem) takeImages(folder, trial string) error {
	if folder == "" {
		return nil
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	info, err := os.Stat(folder)
	if err == nil && !info.IsDir() {
		err = errors.New("it is no folder")
	}
	if err != nil {
		return fmt.Errorf("parameter images_dir: %s: %w", folder, err)
	}
	f.images = &images{folder: folder}
	if err := tryOverlay(trial); err != nil {
		f.images.readOnly = true
		f.log.Warn("root file systems are read-only: there is no overlay on the agent's state folder", "folder", trial, "reason", err)
	}
	return nil
}

// kernel says what this one lacks.
func kernel() error {
	attr := unix.MountAttr{}
	if err := unix.MountSetattr(-1, "", 0, &attr); errors.Is(err, unix.ENOSYS) {
		return errors.New("this kernel has no mount_setattr: filesystem/linux needs Linux 5.12 or later; take filesystem/posix")
	}
	return nil
}

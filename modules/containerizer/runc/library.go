package runc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/modules/containerizer/runc/image"
	"github.com/mesos-modules/mms/roles/containerizer"
)

// Name is what manifests call the module; Word is the word for it in --containerizers.
const (
	Name = "org_apache_mesos_RuncContainerizer"
	Word = "runc"
)

// Program is the file in launcher_dir that becomes the shim of each container.
const Program = "mesos-runc-shim"

type parameters struct {
	ImagesDir        string       `mms:"images_dir" doc:"the folder of the images: the image NAME:TAG is the one tagged TAG in the OCI layout in the folder NAME, or the one in the folder NAME:TAG; without it, no container has an image"`
	Containers       string       `mms:"containers" default:"images" doc:"images: run the containers that have one; all: run those too that have none, with the host's files"`
	Runtime          string       `mms:"runtime" default:"runc" doc:"the OCI runtime: runc 1.1 or later of the line 1, or what behaves the same"`
	LauncherDir      string       `mms:"launcher_dir" doc:"the folder of mesos-runc-shim; without it, the folder of the daemon's own binary"`
	SandboxDirectory string       `mms:"sandbox_directory" default:"/mnt/mesos/sandbox" doc:"where a container with an image finds its sandbox"`
	CgroupsRoot      string       `mms:"cgroups_root" default:"mesos-runc" doc:"the control group in which those of the containers are"`
	MaxImageSize     facade.Bytes `mms:"max_image_size" default:"10GB" doc:"what an image may unpack to"`
	MaxImageFiles    int          `mms:"max_image_files" default:"1000000" doc:"how many files the layers of an image may have together"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[containerizer.Containerizer]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Runs containers with runc, from images in a folder.",
		Requires:    honoured(),
		Parameters:  facade.SchemaOf[parameters](),
		New:         create,
	},
}}

// honoured are the isolators with which the containerizer works, in the versions that it
// knows: those whose wishes for a launch it carries out, and those that take a container's
// first process and put it into control groups of their own. None has to be there.
func honoured() (all []facade.Requirement) {
	for _, name := range []string{
		"org_apache_mesos_CgroupsCpuIsolator",
		"org_apache_mesos_CgroupsMemIsolator",
		"org_apache_mesos_CgroupsPidsIsolator",
		"org_apache_mesos_EnvironmentSecretIsolator",
		"org_apache_mesos_LinuxCapabilitiesIsolator",
		"org_apache_mesos_NamespacesPidIsolator",
		"org_apache_mesos_PosixFilesystemIsolator",
		"org_apache_mesos_PosixRLimitsIsolator",
	} {
		all = append(all, facade.Requirement{Module: name, Version: ">=1.0 <2", Optional: true})
	}
	return all
}

func create(ctx context.Context, host facade.Host, given facade.Parameters) (containerizer.Containerizer, error) {
	p, err := facade.Decode[parameters](given)
	if err != nil {
		return nil, err
	}
	if err := p.complete(); err != nil {
		return nil, err
	}
	state, err := host.StateDir()
	if err != nil {
		return nil, err
	}
	r, err := newRuntime(ctx, p.Runtime, filepath.Join(state, "runtime"))
	if err != nil {
		return nil, err
	}
	images, err := image.NewStore(p.ImagesDir, filepath.Join(state, "images"),
		image.Limits{Bytes: int64(p.MaxImageSize), Entries: p.MaxImageFiles})
	if err != nil {
		return nil, err
	}
	return newContainerizer(p, state, r, images, host.Logger())
}

// complete checks what was given and finds what was not.
func (p *parameters) complete() error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("parameter %s: %w", key, fmt.Errorf(format, args...)))
	}
	if os.Geteuid() != 0 {
		errs = append(errs, errors.New("the runc containerizer needs root: it mounts, and makes control groups"))
	}
	if p.Containers != "images" && p.Containers != "all" {
		bad("containers", "%q is neither images nor all", p.Containers)
	}
	if p.ImagesDir == "" && p.Containers == "images" {
		bad("images_dir", "without it there are no images, and with containers=images no containers; name the folder, or say containers=all")
	}
	if p.ImagesDir != "" {
		if info, err := os.Stat(p.ImagesDir); err != nil {
			bad("images_dir", "%w", err)
		} else if !info.IsDir() {
			bad("images_dir", "%s is no folder", p.ImagesDir)
		}
	}
	if !filepath.IsAbs(p.SandboxDirectory) || filepath.Clean(p.SandboxDirectory) == "/" {
		bad("sandbox_directory", "%q is no absolute path of a folder", p.SandboxDirectory)
	}
	if !filepath.IsLocal(p.CgroupsRoot) || p.CgroupsRoot == "." {
		bad("cgroups_root", "%q is no path below the root of the control groups", p.CgroupsRoot)
	}
	if p.MaxImageSize < 1 || p.MaxImageFiles < 1 {
		bad("max_image_size, max_image_files", "both are at least 1")
	}
	if p.LauncherDir == "" {
		self, err := os.Executable()
		if err != nil {
			bad("launcher_dir", "find the folder of this program: %w", err)
		}
		p.LauncherDir = filepath.Dir(self)
	}
	if _, err := exec.LookPath(filepath.Join(p.LauncherDir, Program)); err != nil {
		bad("launcher_dir", "%w; build it with: go build -o %s ./cmd/%s, in the module's folder", err, p.LauncherDir, Program)
	}
	return errors.Join(errs...)
}

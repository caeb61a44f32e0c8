// Package mesos is the Mesos containerizer: containers of plain processes, each under a
// shim that holds it, watches it and outlives the agent.
//
// What it knows of its containers is below runtime_dir; see the package held.
package mesos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/containerizer"
)

// Name is what manifests and flags call the module; Word is upstream's word for it.
const (
	Name = "org_apache_mesos_MesosContainerizer"
	Word = "mesos"
)

// Program is the file in launcher_dir that becomes the shim of each container.
const Program = "mesos-containerizer"

// parameters are upstream's flags of the same names.
type parameters struct {
	LauncherDir string `mms:"launcher_dir" doc:"the folder of mesos-containerizer; without it, the folder of the daemon's own binary"`
	RuntimeDir  string `mms:"runtime_dir" doc:"where what is known of running containers is kept, until the host restarts; without it, the module's state folder"`
	Launcher    string `mms:"launcher" doc:"linux makes the namespaces that isolators want, and needs root; posix refuses them; without it, linux for root and posix for others"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[containerizer.Containerizer]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Runs containers as processes, and finds them again after a restart of the agent.",
		Parameters:  facade.SchemaOf[parameters](),
		New:         create,
	},
}}

func create(_ context.Context, host facade.Host, given facade.Parameters) (containerizer.Containerizer, error) {
	p, err := facade.Decode[parameters](given)
	if err != nil {
		return nil, err
	}
	switch p.Launcher {
	case "":
		if p.Launcher = posixLauncher; os.Geteuid() == 0 {
			p.Launcher = linuxLauncher
		}
	case posixLauncher:
	case linuxLauncher:
		if os.Geteuid() != 0 {
			return nil, errors.New("parameter launcher: linux makes namespaces, which only root can; run the agent as root or take posix")
		}
	default:
		return nil, fmt.Errorf("parameter launcher: there is no launcher %q; there are linux and posix", p.Launcher)
	}
	if p.LauncherDir == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find the folder of %s: %w; name it with launcher_dir", Program, err)
		}
		p.LauncherDir = filepath.Dir(self)
	}
	if p.RuntimeDir == "" {
		if p.RuntimeDir, err = host.StateDir(); err != nil {
			return nil, err
		}
	}
	return newContainerizer(filepath.Join(p.LauncherDir, Program), p.RuntimeDir, p.Launcher, host.Logger())
}

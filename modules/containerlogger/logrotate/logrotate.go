// Package logrotate is the container logger that rotates: the output of a container goes
// through a small process of its own, which begins a new file when one is full, and packs
// and removes old ones.
package logrotate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/containerlogger"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_LogrotateContainerLogger"

// Program is the file in launcher_dir that takes the output of one container.
const Program = "mesos-logrotate-logger"

// parameters are those of upstream's module; max_files and compression say in plain words
// what its options for logrotate say.
type parameters struct {
	MaxStdout     facade.Bytes `mms:"max_stdout_size" default:"10MB" doc:"how long a file of standard output gets; at least 4KB"`
	MaxStderr     facade.Bytes `mms:"max_stderr_size" default:"10MB" doc:"how long a file of standard error gets; at least 4KB"`
	StdoutOptions string       `mms:"logrotate_stdout_options" doc:"options as logrotate has them, in lines, for standard output: rotate, compress and size are understood"`
	StderrOptions string       `mms:"logrotate_stderr_options" doc:"the same for standard error"`
	MaxFiles      int          `mms:"max_files" default:"5" doc:"how many files are kept that were rotated away"`
	Compression   string       `mms:"compression" default:"none" doc:"gzip packs files that were rotated away; none leaves them as they are"`
	Prefix        string       `mms:"environment_variable_prefix" default:"CONTAINER_LOGGER_" doc:"beginning of the variables by which a container changes these settings for itself"`
	LauncherDir   string       `mms:"launcher_dir" doc:"the folder of mesos-logrotate-logger; without it, the folder of the daemon's own binary"`
	LogrotatePath string       `mms:"logrotate_path" default:"logrotate" doc:"accepted; the module rotates by itself"`
	WorkerThreads int          `mms:"libprocess_num_worker_threads" default:"8" doc:"accepted; the processes have as many threads as they need"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[containerlogger.ContainerLogger]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Writes the output of containers to files in their sandboxes, which are rotated by size.",
		Parameters:  facade.SchemaOf[parameters](),
		New:         create,
	},
}}

func create(_ context.Context, host facade.Host, given facade.Parameters) (containerlogger.ContainerLogger, error) {
	p, err := facade.Decode[parameters](given)
	if err != nil {
		return nil, err
	}
	standard, unknown, err := p.settings()
	if err != nil {
		return nil, err
	}
	for _, line := range unknown {
		host.Logger().Warn("an option of logrotate has no effect here", "option", line)
	}
	if p.LauncherDir == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find the folder of %s: %w; name it with launcher_dir", Program, err)
		}
		p.LauncherDir = filepath.Dir(self)
	}
	program, err := filepath.Abs(filepath.Join(p.LauncherDir, Program))
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("%w; launcher_dir names the folder of %s", err, Program)
	} else if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return nil, fmt.Errorf("%s is no file that can be executed", program)
	}
	state, err := host.StateDir()
	if err != nil {
		return nil, err
	}
	m := host.Metrics()
	l := &logger{
		program: program, state: state, prefix: p.Prefix, standard: standard, log: host.Logger(), running: map[*process]bool{},
		lost:   m.Counter("lost_bytes", "Bytes of output that could not be written."),
		faults: m.Counter("faults", "Things that went wrong with output, a second counted once for each container."),
	}
	if err := l.sweep(); err != nil {
		host.Logger().Warn("pipes of containers that are gone cannot be removed", "error", err)
	}
	return l, nil
}

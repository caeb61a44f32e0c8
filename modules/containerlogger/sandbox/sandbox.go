// Package sandbox is the container logger that leaves the output in the sandbox: in the
// files stdout and stderr, which belong to the container's user.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/containerlogger"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_SandboxContainerLogger"

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[containerlogger.ContainerLogger]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Writes the output of containers to stdout and stderr in their sandboxes.",
		Parameters:  facade.SchemaOf[struct{}](),
		New: func(context.Context, facade.Host, facade.Parameters) (containerlogger.ContainerLogger, error) {
			return logger{}, nil
		},
	},
}}

// logger has no state, so any number of goroutines may use it.
type logger struct{}

var _ containerlogger.ContainerLogger = logger{}

// Prepare makes the two files.
func (logger) Prepare(_ context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerIO, error) {
	out := filepath.Join(config.GetDirectory(), "stdout")
	err := filepath.Join(config.GetDirectory(), "stderr")
	for _, path := range []string{out, err} {
		if err := touch(path, config.GetUser()); err != nil {
			return nil, fmt.Errorf("the output of container %s: %w", id.GetValue(), err)
		}
	}
	return &slave.ContainerIO{Out: file(out), Err: file(err)}, nil
}

func file(path string) *slave.ContainerIO_IO {
	return &slave.ContainerIO_IO{Type: slave.ContainerIO_IO_PATH.Enum(), Path: proto.String(path)}
}

// touch makes the file if there is none, and gives it to the user. It follows no link:
// the folder may have been somebody's before.
func touch(path, owner string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(give(f, owner), f.Close())
}

// give does nothing for an agent that is not root: it runs everything as itself.
func give(f *os.File, owner string) error {
	if owner == "" || os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup(owner)
	if err != nil {
		if u, err = user.LookupId(owner); err != nil {
			return fmt.Errorf("there is no user %q: %w", owner, err)
		}
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	return f.Chown(uid, gid)
}

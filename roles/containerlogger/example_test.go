package containerlogger_test

import (
	"context"
	"fmt"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/containerlogger"
)

// together writes both streams to one file, and reads nothing.
type together struct{}

func (together) Prepare(_ context.Context, _ *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerIO, error) {
	file := &slave.ContainerIO_IO{
		Type: slave.ContainerIO_IO_PATH.Enum(),
		Path: proto.String(filepath.Join(config.GetDirectory(), "output")),
	}
	return &slave.ContainerIO{Out: file, Err: file}, nil
}

func Example() {
	var logger containerlogger.ContainerLogger = together{}
	files, _ := logger.Prepare(context.Background(), &mesosv1.ContainerID{Value: proto.String("C1")},
		&slave.ContainerConfig{Directory: proto.String("/sandbox")})
	fmt.Println(files.GetIn() == nil, files.GetOut().GetPath(), files.GetErr().GetPath())
	// Output: true /sandbox/output /sandbox/output
}

package containerizer_test

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/containerizer"
)

// dry runs nothing: each container ends well as soon as it is started. A real module
// implements all methods; what this one leaves out panics.
type dry struct {
	containerizer.Containerizer
	sinks map[string]func(*slave.ContainerTermination)
}

func (d *dry) Launch(_ context.Context, id *mesosv1.ContainerID, _ *slave.ContainerConfig, launch *slave.ContainerLaunchInfo,
	_ *slave.ContainerIO) (int32, error) {
	fmt.Println(id.GetValue(), "would run", launch.GetCommand().GetValue())
	return 1, nil
}

func (d *dry) Watch(_ context.Context, id *mesosv1.ContainerID, sink func(*slave.ContainerTermination)) error {
	d.sinks[id.GetValue()] = sink
	return nil
}

func (d *dry) Start(_ context.Context, id *mesosv1.ContainerID) error {
	d.sinks[id.GetValue()](&slave.ContainerTermination{Status: proto.Int32(0)})
	return nil
}

func Example() {
	ctx := context.Background()
	var c containerizer.Containerizer = &dry{sinks: map[string]func(*slave.ContainerTermination){}}
	id := &mesosv1.ContainerID{Value: proto.String("C1")}

	_, _ = c.Launch(ctx, id, nil, &slave.ContainerLaunchInfo{Command: &mesosv1.CommandInfo{Value: proto.String("rm -r /")}}, nil)
	_ = c.Watch(ctx, id, func(t *slave.ContainerTermination) { fmt.Println("status", t.GetStatus()) })
	_ = c.Start(ctx, id)
	// Output:
	// C1 would run rm -r /
	// status 0
}

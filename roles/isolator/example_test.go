package isolator_test

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/isolator"
)

// banner sets a variable in every container and ends those that use too much. A
// real module implements all methods; what this one leaves out panics.
type banner struct {
	isolator.Isolator
	limit func(*slave.ContainerLimitation)
}

func (b *banner) Prepare(_ context.Context, _ *mesosv1.ContainerID,
	config *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	return &slave.ContainerLaunchInfo{Environment: &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{
		{Name: proto.String("BANNER"), Value: proto.String(config.GetDirectory())},
	}}}, nil
}

func (b *banner) Watch(_ context.Context, _ *mesosv1.ContainerID, sink func(*slave.ContainerLimitation)) error {
	b.limit = sink
	return nil
}

// used is what would come from a goroutine that looks at the container.
func (b *banner) used(megabytes int) {
	if megabytes > 32 {
		b.limit(&slave.ContainerLimitation{
			Reason:  mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY.Enum(),
			Message: proto.String(fmt.Sprintf("%d MB used, 32 MB allowed", megabytes)),
		})
	}
}

func Example() {
	ctx := context.Background()
	module := &banner{}
	var i isolator.Isolator = module
	container := &mesosv1.ContainerID{Value: proto.String("C1")}

	launch, _ := i.Prepare(ctx, container, &slave.ContainerConfig{Directory: proto.String("/sandbox")})
	variable := launch.GetEnvironment().GetVariables()[0]
	fmt.Println(variable.GetName(), variable.GetValue())

	_ = i.Watch(ctx, container, func(limitation *slave.ContainerLimitation) {
		fmt.Println(limitation.GetReason(), limitation.GetMessage())
	})
	module.used(31)
	module.used(33)
	// Output:
	// BANNER /sandbox
	// REASON_CONTAINER_LIMITATION_MEMORY 33 MB used, 32 MB allowed
}

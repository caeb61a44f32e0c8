package allocation_test

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// A share says who has how much of what.
func Example() {
	share := &allocation.Share{
		FrameworkId: &mesosv1.FrameworkID{Value: proto.String("F1")},
		AgentId:     &mesosv1.AgentID{Value: proto.String("S1")},
		Resources: []*mesosv1.Resource{{
			Name:   proto.String("cpus"),
			Type:   mesosv1.Value_SCALAR.Enum(),
			Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(2)},
		}},
	}
	cpus := share.GetResources()[0]
	fmt.Println(share.GetFrameworkId().GetValue(), cpus.GetScalar().GetValue(), share.GetAgentId().GetValue())
	// Output: F1 2 S1
}

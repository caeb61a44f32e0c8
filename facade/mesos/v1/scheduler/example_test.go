package scheduler_test

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// A framework subscribes with its first call.
func Example() {
	call := &scheduler.Call{
		Type: scheduler.Call_SUBSCRIBE.Enum(),
		Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: &mesosv1.FrameworkInfo{
			User: proto.String("ann"),
			Name: proto.String("example"),
		}},
	}
	wire, err := proto.Marshal(call)
	fmt.Println(len(wire), err)
	// Output: 20 <nil>
}

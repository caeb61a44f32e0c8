package master_test

import (
	"fmt"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mesos-modules/mms/facade/mesos/v1/master"
)

// This is the one call with a duration of protocol buffers' own kind.
func Example() {
	call := &master.Call{
		Type:       master.Call_DRAIN_AGENT.Enum(),
		DrainAgent: &master.Call_DrainAgent{MaxGracePeriod: &durationpb.Duration{Seconds: 90}},
	}
	fmt.Println(call.GetDrainAgent().GetMaxGracePeriod().AsDuration(), call.GetDrainAgent().GetMarkGone())
	// Output: 1m30s false
}

package maintenance_test

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/maintenance"
)

// Without a duration machines are away for good.
func Example() {
	window := &maintenance.Window{
		MachineIds:     []*mesosv1.MachineID{{Hostname: proto.String("rack1-7")}},
		Unavailability: &mesosv1.Unavailability{Start: &mesosv1.TimeInfo{Nanoseconds: proto.Int64(0)}},
	}
	fmt.Println(window.GetMachineIds()[0].GetHostname(), window.GetUnavailability().Duration == nil)
	// Output: rack1-7 true
}

package resourceprovider_test

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	resourceprovider "github.com/mesos-modules/mms/facade/mesos/v1/resource_provider"
)

// A provider subscribes with what it is; its id comes from the agent.
func Example() {
	call := &resourceprovider.Call{
		Type: resourceprovider.Call_SUBSCRIBE.Enum(),
		Subscribe: &resourceprovider.Call_Subscribe{ResourceProviderInfo: &mesosv1.ResourceProviderInfo{
			Type: proto.String("org.example.storage"),
			Name: proto.String("disks"),
		}},
	}
	fmt.Println(call.GetType(), proto.CheckInitialized(call))
	// Output: SUBSCRIBE <nil>
}

package slave_test

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
)

// A change of the file system is one of several kinds.
func Example() {
	operation := &slave.ContainerFileOperation{
		Operation: slave.ContainerFileOperation_MKDIR.Enum(),
		Parameters: &slave.ContainerFileOperation_Mkdir_{
			Mkdir: &slave.ContainerFileOperation_Mkdir{Target: proto.String("/data"), Recursive: proto.Bool(true)},
		},
	}
	fmt.Println(operation.GetMkdir().GetTarget(), operation.GetSymlink() == nil)
	// Output: /data true
}

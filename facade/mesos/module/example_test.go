package module_test

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/module"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Executor and task have an environment each.
func Example() {
	info := &module.DockerTaskExecutorPrepareInfo{TaskEnvironment: &mesosv1.Environment{
		Variables: []*mesosv1.Environment_Variable{{Name: proto.String("ZONE"), Value: proto.String("b")}},
	}}
	fmt.Println(len(info.GetTaskEnvironment().GetVariables()), len(info.GetExecutorEnvironment().GetVariables()))
	// Output: 1 0
}

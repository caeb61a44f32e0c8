package mesosv1_test

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Getters answer for fields, and whole messages, that are not set.
func Example() {
	task := &mesosv1.TaskInfo{
		Name:   proto.String("hello"),
		TaskId: &mesosv1.TaskID{Value: proto.String("hello.1")},
	}
	fmt.Println(task.GetTaskId().GetValue())
	fmt.Println(task.GetCommand().GetShell(), task.GetCommand().GetUser() == "")

	_, err := proto.Marshal(task)
	fmt.Println(proto.CheckInitialized(task) == nil, err != nil) // agent_id is required
	// Output:
	// hello.1
	// true true
	// false true
}

package validate_test

import (
	"fmt"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/validate"
)

func ExampleTask() {
	id, name := "job/1", "job"
	err := validate.Task(&mesosv1.TaskInfo{Name: &name, TaskId: &mesosv1.TaskID{Value: &id}}, validate.TaskContext{
		KnownTask: func(string) bool { return false },
	})
	fmt.Println(err)
	// Output: Task has an invalid ID: 'job/1' contains invalid characters
}

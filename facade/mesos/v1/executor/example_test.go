package executor_test

import (
	"fmt"

	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
)

// An event without a type reads as UNKNOWN.
func Example() {
	fmt.Println((&executor.Event{}).GetType(), (&executor.Event{Type: executor.Event_LAUNCH.Enum()}).GetType())
	// Output: UNKNOWN LAUNCH
}

package processes_test

import (
	"fmt"
	"os"

	"github.com/mesos-modules/mms/modules/isolator/processes"
)

func ExampleMeasure() {
	use, err := processes.Measure(int32(os.Getpid()))
	fmt.Println(use.Processes >= 1, use.Threads >= use.Processes, use.Resident > 1<<20, err)
	// Output: true true true <nil>
}

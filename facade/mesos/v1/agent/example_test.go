package agent_test

import (
	"fmt"

	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
)

// Output of a container comes in pieces that name their stream.
func Example() {
	piece := &agent.ProcessIO{
		Type: agent.ProcessIO_DATA.Enum(),
		Data: &agent.ProcessIO_Data{Type: agent.ProcessIO_Data_STDOUT.Enum(), Data: []byte("hello")},
	}
	fmt.Printf("%v %s\n", piece.GetData().GetType(), piece.GetData().GetData())
	// Output: STDOUT hello
}

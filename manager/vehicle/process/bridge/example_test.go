package bridge_test

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/manager/vehicle/process/bridge"
	"github.com/mesos-modules/mms/manager/vehicle/process/link"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
	"github.com/mesos-modules/mms/roles/calculator"
)

// A calculator on one side of a link is one on the other.
func Example() {
	ours, theirs, err := link.Pair()
	if err != nil {
		fmt.Println(err)
		return
	}
	module := wire.NewConn(wire.Config{Hello: wire.Hello{Mesos: "1.12.0", Roles: bridge.Roles()}})
	daemon := wire.NewConn(wire.Config{Hello: wire.Hello{Mesos: "1.12.0", Roles: bridge.Roles()}})
	started := make(chan error)
	go func() { started <- module.Start(theirs, link.Options{}) }()
	for _, err := range []error{daemon.Start(ours, link.Options{}), <-started, daemon.Greet(context.Background())} {
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	defer module.Close()
	defer daemon.Close()

	servant, _ := bridge.Servant("Calculator", adder{})
	id := module.Export(servant)
	stub, _ := bridge.Stub("Calculator", daemon.Remote(id))
	n, err := stub.(calculator.Calculator).Compute(context.Background(), 'A', 10)
	fmt.Println(n, err)
	// Output: 75 <nil>
}

package bridge_test

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/manager/vehicle/native/bridge"
	"github.com/mesos-modules/mms/manager/vehicle/native/bridge/internal/objects"
	"github.com/mesos-modules/mms/roles/calculator"
)

// What a library's create returned becomes a Go value of the role.
func ExampleWrap() {
	object := objects.Object("adder")

	instance, err := bridge.Wrap("Calculator", object)
	if err != nil {
		fmt.Println(err)
		return
	}
	n, _ := instance.(calculator.Calculator).Compute(context.Background(), 'A', 10)
	fmt.Println(n)

	_, err = bridge.Wrap("TestModule", object)
	fmt.Println(err)
	// Output:
	// 75
	// the object is of the role "Calculator", and the module declares the role "TestModule"
}

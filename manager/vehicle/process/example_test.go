package process_test

import (
	"fmt"
	"os"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process"
)

func Example() {
	v := process.New(process.Options{})
	info, err := os.Stat("/bin/true")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, mine, err := v.Recognise(vehicle.File{Path: "/bin/true", Size: info.Size(), Mode: info.Mode()})
	fmt.Println("a program that serves no library is one:", mine, err)
	// Output: a program that serves no library is one: false <nil>
}

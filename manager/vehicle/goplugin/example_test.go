package goplugin_test

import (
	"fmt"
	"os"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
)

func Example() {
	self, err := os.Executable()
	if err != nil {
		fmt.Println(err)
		return
	}
	v := goplugin.New("") // plugins for the running binary
	_, ok, err := v.Recognise(vehicle.File{Path: self})
	fmt.Println("a Go program is a plugin:", ok, err)
	// Output: a Go program is a plugin: false <nil>
}

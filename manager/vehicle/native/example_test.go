package native_test

import (
	"fmt"

	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/vehicle/native"
)

func ExampleVehicle_Recognise() {
	f, err := file.Look("testdata/seeds/bare.so", file.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	d, _, err := native.New().Recognise(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range d.Modules {
		fmt.Println(m.Name, m.Version, m.Role, m.Requires[0].Module, m.Requires[0].Version)
	}

	f, err = file.Look("testdata/seeds/plain.so", file.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _, err = native.New().Recognise(f)
	fmt.Println(err)
	// Output:
	// bare 1.2.0 Calculator base >=1.1 <2
	// the library exports no module: it is a plain shared library; put MESOS_MODULE_LIBRARY() and a module into it, and do not hide their symbols ("mesos-module new" shows how)
}

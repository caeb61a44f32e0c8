package mesos_test

import (
	"fmt"

	"github.com/mesos-modules/mms/modules/containerizer/mesos"
)

func Example() {
	module := mesos.Library.Modules[0].Declare()
	fmt.Println(module.Name, mesos.Word)
	for _, p := range module.Parameters.Specs() {
		fmt.Println(p.Key)
	}
	// Output:
	// org_apache_mesos_MesosContainerizer mesos
	// launcher_dir
	// runtime_dir
	// launcher
}

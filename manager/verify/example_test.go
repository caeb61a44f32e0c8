package verify_test

import (
	"fmt"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

func ExampleCheck() {
	in := verify.Input{Daemon: roles.Master, MesosVersion: "1.12.0", MMSVersions: []string{"1"}, Roles: roles.Table(),
		Libraries: []verify.Library{{
			Path: "/opt/libcalc.so",
			Description: vehicle.Description{Vehicle: vehicle.Native, MMSVersion: "1", MesosVersion: "1.12.0", Complete: true,
				Modules: []vehicle.Module{{Name: "org_example_calculator", Role: "Calculator"}}},
			Named: []verify.Named{{Name: "org_example_calculator"}},
		}},
		Bindings: []verify.Binding{{Flag: "calculator", Refs: []verify.Ref{{Name: "org_example_calculatr"}}}},
	}
	for _, f := range verify.Check(in).Findings {
		fmt.Println(f)
	}

	in.Bindings[0].Refs[0].Name = "org_example_calculator"
	fmt.Println(verify.Check(in).Plan.Needed)
	// Output:
	// binding: module org_example_calculatr: --calculator names org_example_calculatr, and no such module is loaded [--calculator -> org_example_calculatr]; did you mean org_example_calculator? Loaded modules of role Calculator: org_example_calculator
	// [org_example_calculator]
}

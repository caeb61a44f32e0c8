package cgroupscpu_test

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/cgroupstest"
	root "github.com/mesos-modules/mms/modules/anonymous/cgroups"
	"github.com/mesos-modules/mms/modules/isolator/cgroupscpu"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	module := cgroupscpu.Library.Modules[0].Declare()
	fmt.Println(module.Name, cgroupscpu.Word, module.Requires[0])
	// Output: org_apache_mesos_CgroupsCpuIsolator cgroups/cpu {org_apache_mesos_CgroupsRoot  >=1.0 <2 false}
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, cgroupscpu.Library, cgroupscpu.Name,
		moduletest.With(root.Library), moduletest.Parameter(root.Name, "cgroups_root", cgroupstest.Root(t)))
}

package cgroupspids_test

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/cgroupstest"
	root "github.com/mesos-modules/mms/modules/anonymous/cgroups"
	"github.com/mesos-modules/mms/modules/isolator/cgroupspids"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	module := cgroupspids.Library.Modules[0].Declare()
	fmt.Println(module.Name, cgroupspids.Word, module.Requires[0])
	// Output: org_apache_mesos_CgroupsPidsIsolator cgroups/pids {org_apache_mesos_CgroupsRoot  >=1.0 <2 false}
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, cgroupspids.Library, cgroupspids.Name,
		moduletest.With(root.Library), moduletest.Parameter(root.Name, "cgroups_root", cgroupstest.Root(t)))
}

package runc_test

import (
	"testing"

	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/containerizer/runc"
)

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, runc.Library, runc.Name,
		moduletest.Parameter(runc.Name, "launcher_dir", launcherDir), moduletest.Parameter(runc.Name, "containers", "all"))
}

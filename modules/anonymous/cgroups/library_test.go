package cgroups_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/cgroupstest"
	"github.com/mesos-modules/mms/modules/anonymous/cgroups"
	isolators "github.com/mesos-modules/mms/modules/isolator/cgroups"
	"github.com/mesos-modules/mms/modules/isolator/cgroupscpu"
	"github.com/mesos-modules/mms/modules/isolator/cgroupsmem"
	"github.com/mesos-modules/mms/modules/isolator/cgroupspids"
	"github.com/mesos-modules/mms/roles/anonymous"
	"github.com/mesos-modules/mms/roles/isolator"
)

func TestMain(m *testing.M) {
	if os.Getenv(asNobody) != "" {
		provideAsNobody()
	}
	goleak.VerifyTestMain(m)
}

func Example() {
	module := cgroups.Library.Modules[0].Declare()
	for _, p := range module.Parameters.Specs() {
		fmt.Println(p.Key, p.Default)
	}
	// Output:
	// cgroups_hierarchy /sys/fs/cgroup
	// cgroups_root mesos
	// cgroups_destroy_timeout 1mins
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, cgroups.Library, cgroups.Name)
}

// What the one side exports is what the other asks for; neither imports the other.
var _ isolators.Root = (*cgroups.Groups)(nil)

func TestAnAgentWithoutControlGroupsCanHaveTheModule(t *testing.T) {
	k := moduletest.New(t, cgroups.Library, moduletest.Parameter(cgroups.Name, "cgroups_hierarchy", "/nowhere"))
	_, err := moduletest.TryLoad[anonymous.Anonymous](k, cgroups.Name)
	assert.NoError(t, err)
}

func TestBadParameters(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"cgroups_hierarchy", "sys/fs/cgroup", `cgroups_hierarchy: "sys/fs/cgroup" is no absolute path`},
		{"cgroups_root", "", `cgroups_root: "" is no name of a group`},
		{"cgroups_root", "../..", `cgroups_root: "../.." is no name of a group`},
		{"cgroups_root", "/mesos", `cgroups_root: "/mesos" is no name of a group`},
		{"cgroups_destroy_timeout", "0secs", "cgroups_destroy_timeout: 0s is no time to wait"},
		{"cgroups_destroy_timeout", "soon", `parameter "cgroups_destroy_timeout": "soon" is no duration`},
	} {
		t.Run(c.key+"="+c.value, func(t *testing.T) {
			_, err := moduletest.TryLoad[anonymous.Anonymous](moduletest.New(t, cgroups.Library, moduletest.Parameter(cgroups.Name, c.key, c.value)), cgroups.Name)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// An isolator that cannot work says so when it is made, with the way out.
func TestIsolatorsSayWhatIsMissing(t *testing.T) {
	for name, library := range map[string]facade.Library{
		cgroupscpu.Name: cgroupscpu.Library, cgroupsmem.Name: cgroupsmem.Library, cgroupspids.Name: cgroupspids.Library,
	} {
		load := func(t *testing.T, options ...moduletest.Option) error {
			_, err := moduletest.TryLoad[isolator.Isolator](moduletest.New(t, library, options...), name)
			return err
		}
		t.Run(name, func(t *testing.T) {
			t.Run("the root module is not there", func(t *testing.T) {
				assert.ErrorContains(t, load(t), cgroups.Name)
			})
			t.Run("its version is another", func(t *testing.T) {
				other := moduletest.StandIn[anonymous.Anonymous](cgroups.Name, "2.0.0", idle{})
				assert.ErrorContains(t, load(t, moduletest.With(other)), ">=1.0 <2")
			})
			t.Run("it hands over nothing", func(t *testing.T) {
				other := moduletest.StandIn[anonymous.Anonymous](cgroups.Name, "1.5.0", idle{})
				assert.ErrorContains(t, load(t, moduletest.With(other)), "exports nothing")
			})
			t.Run("no control groups are mounted", func(t *testing.T) {
				err := load(t, moduletest.With(cgroups.Library), moduletest.Parameter(cgroups.Name, "cgroups_hierarchy", "/nowhere"))
				assert.ErrorContains(t, err, "no control groups are mounted at /nowhere (--cgroups_hierarchy)")
			})
			t.Run("another agent has the same root group", func(t *testing.T) {
				root := moduletest.Parameter(cgroups.Name, "cgroups_root", cgroupstest.Root(t))
				k := moduletest.New(t, library, moduletest.With(cgroups.Library), root)
				moduletest.Load[isolator.Isolator](k, name)
				err := load(t, moduletest.With(cgroups.Library), root)
				require.ErrorContains(t, err, "another agent on this machine has the group")
				assert.ErrorContains(t, err, "--cgroups_root")
				k.Close()
				assert.NoError(t, load(t, moduletest.With(cgroups.Library), root), "it has ended")
			})
		})
	}
}

type idle struct{ anonymous.Unimplemented }

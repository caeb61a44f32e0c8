package namespacespid_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/isolator/namespacespid"
	"github.com/mesos-modules/mms/roles/isolator"
)

func Example() {
	module := namespacespid.Library.Modules[0].Declare()
	fmt.Println(module.Name, namespacespid.Word, module.Requires[0].Module)
	// Output: org_apache_mesos_NamespacesPidIsolator namespaces/pid org_apache_mesos_LinuxFilesystemIsolator
}

// filesystem stands for filesystem/linux.
type filesystem struct {
	isolator.Unimplemented
	bound bool
}

func (*filesystem) Prepare(context.Context, *mesosv1.ContainerID, *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	return nil, nil
}
func (*filesystem) Cleanup(context.Context, *mesosv1.ContainerID) error { return nil }
func (f *filesystem) Export() any                                       { return f }
func (f *filesystem) IsBound() bool                                     { return f.bound }

func with(bound bool, version string) moduletest.Option {
	return moduletest.With(facade.Library{Modules: []facade.Declared{facade.Module[isolator.Isolator]{
		Name: "org_apache_mesos_LinuxFilesystemIsolator", Version: version,
		New: func(context.Context, facade.Host, facade.Parameters) (isolator.Isolator, error) {
			return &filesystem{bound: bound}, nil
		},
	}}})
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, namespacespid.Library, namespacespid.Name, with(true, "1.0.0"))
}

func load(t *testing.T, options ...moduletest.Option) isolator.Isolator {
	return moduletest.Load[isolator.Isolator](moduletest.New(t, namespacespid.Library, options...), namespacespid.Name)
}

func TestWhatItNeeds(t *testing.T) {
	t.Run("filesystem/linux has to be there", func(t *testing.T) {
		err := moduletest.New(t, namespacespid.Library).Start(namespacespid.Name)
		assert.ErrorContains(t, err, "org_apache_mesos_LinuxFilesystemIsolator")
	})
	t.Run("in a version that it knows", func(t *testing.T) {
		err := moduletest.New(t, namespacespid.Library, with(true, "2.0.0")).Start(namespacespid.Name)
		assert.ErrorContains(t, err, ">=1 <2")
	})
	t.Run("and to be bound, before the agent starts", func(t *testing.T) {
		err := load(t, with(false, "1.0.0")).Recover(t.Context(), nil, nil)
		assert.ErrorContains(t, err, "name both in --isolation")
	})
}

func TestNamespaces(t *testing.T) {
	root := &mesosv1.ContainerID{Value: proto.String("root")}
	nested := &mesosv1.ContainerID{Value: proto.String("nested"), Parent: root}
	share := func(yes bool) *mesosv1.LinuxInfo { return &mesosv1.LinuxInfo{SharePidNamespace: &yes} }
	image := &mesosv1.ContainerInfo_MesosInfo{Image: &mesosv1.Image{}}
	own, parents := []int32{unix.CLONE_NEWPID}, []int32{unix.CLONE_NEWPID}
	for about, c := range map[string]struct {
		id           *mesosv1.ContainerID
		info         *mesosv1.ContainerInfo
		class        slave.ContainerClass
		clone, enter []int32
		proc         bool
	}{
		"a container has its own, with its own /proc":        {id: root, clone: own, proc: true},
		"in an image somebody else mounts /proc":             {id: root, info: &mesosv1.ContainerInfo{Mesos: image}, clone: own},
		"one that says so shares the host's":                 {id: root, info: &mesosv1.ContainerInfo{LinuxInfo: share(true)}},
		"one that says it does not has its own":              {id: root, info: &mesosv1.ContainerInfo{LinuxInfo: share(false)}, clone: own, proc: true},
		"a nested one shares its parent's":                   {id: nested, enter: parents, proc: true},
		"a nested one that wants to, too":                    {id: nested, info: &mesosv1.ContainerInfo{LinuxInfo: share(true)}, enter: parents, proc: true},
		"a nested one that says so has its own":              {id: nested, info: &mesosv1.ContainerInfo{LinuxInfo: share(false)}, clone: own, proc: true},
		"one of the class DEBUG has all that its parent has": {id: nested, class: slave.ContainerClass_DEBUG, enter: parents},
	} {
		t.Run(about, func(t *testing.T) {
			i := load(t, with(true, "1.0.0"))
			launch, err := i.Prepare(t.Context(), c.id, &slave.ContainerConfig{ContainerInfo: c.info, ContainerClass: &c.class})
			require.NoError(t, err)
			assert.Equal(t, c.clone, launch.GetCloneNamespaces())
			assert.Equal(t, c.enter, launch.GetEnterNamespaces())
			if !c.proc {
				assert.Empty(t, launch.GetMounts())
				return
			}
			require.Len(t, launch.GetMounts(), 1)
			assert.Equal(t, "/proc proc", launch.GetMounts()[0].GetTarget()+" "+launch.GetMounts()[0].GetType())
		})
	}
	t.Run("the operator can forbid to share the host's", func(t *testing.T) {
		i := load(t, with(true, "1.0.0"), moduletest.Parameter(namespacespid.Name, "disallow_sharing_agent_pid_namespace", "true"))
		_, err := i.Prepare(t.Context(), root, &slave.ContainerConfig{ContainerInfo: &mesosv1.ContainerInfo{LinuxInfo: share(true)}})
		require.ErrorContains(t, err, "--disallow_sharing_agent_pid_namespace forbids")
		_, err = i.Prepare(t.Context(), nested, &slave.ContainerConfig{ContainerInfo: &mesosv1.ContainerInfo{LinuxInfo: share(true)}})
		assert.NoError(t, err, "that of its parent is another thing")
	})
}

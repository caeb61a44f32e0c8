package runc_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/containerizer/runc"
	"github.com/mesos-modules/mms/roles/containerizer"
)

// A container in an image that ends at once, from Launch to End.
func BenchmarkContainer(b *testing.B) {
	const root = "mesos-runc-bench"
	b.Cleanup(func() {
		all, _ := filepath.Glob("/sys/fs/cgroup/*/" + root) // the pattern is a good one
		for _, folder := range all {
			require.NoError(b, os.Remove(folder))
		}
	})
	kit := moduletest.New(b, runc.Library, moduletest.Parameter(runc.Name, "launcher_dir", launcherDir),
		moduletest.Parameter(runc.Name, "images_dir", shellImages(b)), moduletest.Parameter(runc.Name, "cgroups_root", root))
	m := moduletest.Load[containerizer.Containerizer](kit, runc.Name)
	folder := b.TempDir()
	command := &mesosv1.CommandInfo{Value: proto.String("exit 0")}
	for i := 0; b.Loop(); i++ {
		id := containerID("c" + strconv.Itoa(i))
		_, err := m.Launch(b.Context(), id, &slave.ContainerConfig{Directory: &folder, CommandInfo: command, ContainerInfo: inImage("shell:1")},
			&slave.ContainerLaunchInfo{Command: command, WorkingDirectory: &folder}, nil)
		require.NoError(b, err)
		ended := make(chan *slave.ContainerTermination, 1)
		require.NoError(b, m.Watch(b.Context(), id, func(t *slave.ContainerTermination) { ended <- t }))
		require.NoError(b, m.Start(b.Context(), id))
		require.Zero(b, (<-ended).GetStatus())
		require.NoError(b, m.Destroy(b.Context(), id))
		require.NoError(b, m.End(b.Context(), id, &slave.ContainerTermination{}))
	}
}

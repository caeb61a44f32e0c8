package runc_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/privileged"
	"github.com/mesos-modules/mms/internal/testimage"
	"github.com/mesos-modules/mms/modules/containerizer/runc"
)

func TestConformance(t *testing.T) {
	privileged.Root(t, "only root makes mounts and control groups")
	root := "mesos-runc-conformance" + strconv.Itoa(os.Getpid())
	t.Cleanup(func() {
		left, _ := filepath.Glob("/sys/fs/cgroup/*/" + root) // the pattern is a good one
		for _, folder := range left {
			assert.NoError(t, os.Remove(folder), "nothing is left in the control groups")
		}
	})
	launcher, groups := moduletest.Parameter(runc.Name, "launcher_dir", launcherDir), moduletest.Parameter(runc.Name, "cgroups_root", root)
	t.Run("with the host's files", func(t *testing.T) {
		moduletest.Conformance(t, runc.Library, runc.Name, launcher, groups, moduletest.Parameter(runc.Name, "containers", "all"))
	})
	t.Run("in an image", func(t *testing.T) {
		moduletest.Conformance(t, runc.Library, runc.Name, launcher, groups, moduletest.Parameter(runc.Name, "images_dir", shellImages(t)),
			moduletest.ContainerConfig(&slave.ContainerConfig{ContainerInfo: inImage("shell:1")}))
	})
}

// shellImages is a folder with the image shell:1, which has a shell and a few tools.
func shellImages(t testing.TB) string {
	t.Helper()
	images, files := t.TempDir(), filepath.Join(t.TempDir(), "files")
	testimage.Make(t, files, "shell")
	testimage.Layout(t, filepath.Join(images, "shell"), testimage.Image{Tag: "1", Layers: []testimage.Layer{testimage.Gzip(t, testimage.Folder(t, files))}})
	return images
}

func inImage(name string) *mesosv1.ContainerInfo {
	return &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_MESOS.Enum(), Mesos: &mesosv1.ContainerInfo_MesosInfo{
		Image: &mesosv1.Image{Type: mesosv1.Image_DOCKER.Enum(), Docker: &mesosv1.Image_Docker{Name: proto.String(name)}}}}
}

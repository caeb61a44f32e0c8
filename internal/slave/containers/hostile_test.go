package containers_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/internal/testimage"
)

// An image can hold whatever its author wants.
func TestAHostileImage(t *testing.T) {
	l := newLinux(t)
	host := t.TempDir()
	for about, c := range map[string]struct {
		link, to string
		volume   string // where one is mounted; empty: none
		says     string // by whoever gives up; empty: the command runs
	}{
		"whose folder for devices is the host's":            {link: "dev", to: host, says: "a link that leads nowhere is there"},
		"whose folder for devices is above its root":        {link: "dev", to: "../../../../../../../.." + host, says: "a link that leads nowhere is there"},
		"whose folder for the sandbox is the host's":        {link: "mnt", to: host, says: "a link that leads nowhere is there"},
		"whose folder for the sandbox is another one of it": {link: "mnt", to: "/tmp"},
		"whose folder for a volume is the host's":           {link: "evil", to: host, volume: "/evil/x", says: "a link that leads nowhere is there"},
		"whose folder for a volume goes round in circles":   {link: "evil", to: "evil", volume: "/evil/x", says: "too many levels of symbolic links"},
		"whose names are the host's":                        {link: "etc/resolv.conf", to: "/proc/1/root" + host + "/file"},
	} {
		t.Run(about+" does nothing to the host", func(t *testing.T) {
			root := filepath.Join(l.images, "hostile")
			require.NoError(t, os.RemoveAll(root))
			testimage.Make(t, root, "of the image\n")
			require.NoError(t, os.Symlink(c.to, filepath.Join(root, c.link)))
			one := &mesosv1.ContainerID{Value: proto.String(filepath.Base(t.Name()))}
			status, out, errs := l.run(l.in(one, "cat /image; echo kept >kept", func(config *slave.ContainerConfig) {
				config.ContainerInfo = imageOf("hostile")
				if c.volume != "" {
					config.ContainerInfo.Volumes = []*mesosv1.Volume{{ContainerPath: &c.volume, HostPath: proto.String("/usr"), Mode: mesosv1.Volume_RO.Enum()}}
				}
			}))
			if c.says == "" {
				assert.Zero(t, status, errs)
				assert.Equal(t, "of the image\n", out)
				assert.Equal(t, "kept\n", l.output(one, "kept"))
			} else {
				assert.Equal(t, int32(256), status)
				assert.Empty(t, out)
				assert.Contains(t, errs, c.says)
			}
			left, err := os.ReadDir(host)
			require.NoError(t, err)
			assert.Empty(t, left)
			l.nothingLeft()
		})
	}
}

func TestFilesThatChangeWhileAContainerIsLaunched(t *testing.T) {
	l := newLinux(t)
	host := t.TempDir()
	var between func(containers.FetchRequest)
	l.fetch = func(_ context.Context, r containers.FetchRequest) error {
		between(r)
		return nil
	}
	l.begin(nil)
	fetched := func(c *slave.ContainerConfig) {
		c.CommandInfo.Uris = []*mesosv1.CommandInfo_URI{{Value: proto.String("/any")}}
	}
	t.Run("an image that goes", func(t *testing.T) {
		testimage.Make(t, filepath.Join(l.images, "gone"), "")
		between = func(containers.FetchRequest) { assert.NoError(t, os.RemoveAll(filepath.Join(l.images, "gone"))) }
		status, out, errs := l.run(l.in(id("gone"), "echo ran", fetched, func(c *slave.ContainerConfig) { c.ContainerInfo = imageOf("gone") }))
		assert.Equal(t, int32(256), status)
		assert.Empty(t, out)
		assert.Contains(t, errs, "Failed to mount overlay at ")
		assert.Contains(t, errs, "no such file or directory")
		l.nothingLeft()
	})
	t.Run("a folder of a volume that becomes a link to the host", func(t *testing.T) {
		between = func(r containers.FetchRequest) {
			assert.NoError(t, os.Symlink(host, filepath.Join(r.Sandbox, "data")))
		}
		status, _, errs := l.run(l.in(id("target"), "echo ran", fetched, func(c *slave.ContainerConfig) {
			c.ContainerInfo.Volumes = []*mesosv1.Volume{{ContainerPath: proto.String("data"), HostPath: proto.String("/usr"), Mode: mesosv1.Volume_RO.Enum()}}
		}))
		assert.Equal(t, int32(256), status)
		assert.Contains(t, errs, "a link that leads nowhere is there")
	})
	t.Run("a source in the sandbox that becomes a link to the host", func(t *testing.T) {
		between = func(r containers.FetchRequest) {
			source := filepath.Join(r.Sandbox, "source")
			assert.NoError(t, os.Remove(source))
			assert.NoError(t, os.Symlink(host, source))
		}
		status, _, errs := l.run(l.in(id("source"), "echo ran >data/file", fetched, func(c *slave.ContainerConfig) {
			c.ContainerInfo.Volumes = []*mesosv1.Volume{sandboxVolume("data", "source", mesosv1.Volume_Source_SandboxPath_SELF)}
		}))
		assert.Equal(t, int32(256), status)
		assert.Contains(t, errs, "source: no such file or directory")
	})
	t.Run("a folder of the image's changes that becomes a link to the host", func(t *testing.T) {
		between = func(containers.FetchRequest) {
			found, err := filepath.Glob(filepath.Join(l.state, "containers/*/upper"))
			assert.NoError(t, err)
			assert.Len(t, found, 1)
			assert.NoError(t, os.Symlink(host, filepath.Join(found[0], "mnt")))
		}
		status, _, errs := l.run(l.in(id("upper"), "echo ran", fetched))
		assert.Equal(t, int32(256), status)
		assert.Contains(t, errs, "a link that leads nowhere is there")
	})
	left, err := os.ReadDir(host)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestAnImageWithoutOverlay(t *testing.T) {
	testimage.Root(t)
	// The kernel makes no overlay whose changes are kept in another one.
	state, lower, upper := t.TempDir(), t.TempDir(), t.TempDir()
	for _, name := range []string{"/work", "/upper"} {
		require.NoError(t, os.Mkdir(upper+name, 0o755))
	}
	require.NoError(t, unix.Mount("overlay", state, "overlay", 0, "volatile,lowerdir="+lower+",upperdir="+upper+"/upper,workdir="+upper+"/work"))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(state, unix.MNT_DETACH)) })
	l := newLinux(t)
	l.state = state
	l.begin(nil)
	for _, name := range []string{"proc", "sys", "dev", "mnt/mesos/sandbox"} {
		require.NoError(t, os.MkdirAll(filepath.Join(l.images, "tiny", name), 0o755))
	}
	_, out, errs := l.run(l.in(id("one"), "cat /image; touch /new; echo kept >kept; cat kept"))
	assert.Equal(t, "of the image\nkept\n", out)
	assert.Contains(t, errs, "touch: cannot touch '/new': Read-only file system")
}

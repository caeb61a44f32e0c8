package runc_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/privileged"
	"github.com/mesos-modules/mms/internal/testimage"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/modules/containerizer/runc"
)

// faulty is a runtime that does as runc does, but for the steps that a test spoils.
type faulty struct {
	t      *testing.T
	folder string
}

// newFaulty writes the script. What it does in place of a step stands in a file of the
// step's name; what it does before and after, in others.
func newFaulty(t *testing.T) faulty {
	real, err := exec.LookPath("runc")
	require.NoError(t, err)
	f := faulty{t, t.TempDir()}
	script := fmt.Sprintf(`#!/bin/sh
step=none log=/dev/null
previous=
for word; do
	test "$previous" = --log && log=$word
	previous=$word
	case $word in --version|create|start|exec|kill|delete|update) step=$word; break;; esac
done
if [ -e %[1]s/$step ]; then . %[1]s/$step; fi
exec %[2]s "$@"
`, f.folder, real)
	require.NoError(t, os.WriteFile(f.path(), []byte(script), 0o755))
	return f
}

func (f faulty) path() string { return filepath.Join(f.folder, "runtime") }

// spoil has a step do something else.
func (f faulty) spoil(step, script string) {
	f.t.Helper()
	require.NoError(f.t, os.WriteFile(filepath.Join(f.folder, step), []byte(script), 0o644))
}

func (f faulty) mend(step string) {
	f.t.Helper()
	require.NoError(f.t, os.Remove(filepath.Join(f.folder, step)))
}

// complains is what a runtime does that cannot.
const complains = `echo '{"level":"error","msg":"it is spoiled"}' >> $log; echo spoiled >&2; exit 1`

func TestNoRuntime(t *testing.T) {
	said := func(text string) string {
		f := newFaulty(t)
		f.spoil("--version", text)
		return f.path()
	}
	for name, one := range map[string]struct{ runtime, err string }{
		"absent":         {"no-such-runc", "on Debian it is in the package runc"},
		"not a program":  {"/etc/passwd", "permission denied"},
		"another":        {"/bin/echo", "is not runc"},
		"too old":        {said("echo runc version 1.0.3; exit 0"), "is runc 1.0; the containerizer works with runc 1.1"},
		"too new":        {said("echo runc version 2.0.0; exit 0"), "is runc 2.0"},
		"failing":        {said("echo broken >&2; exit 3"), "broken"},
		"failing silent": {said("exit 3"), "exit status 3"},
		"talking much":   {said("head -c 10000000 /dev/zero; exit 0"), "is not runc"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorContains(t, made(t, map[string]string{"runtime": one.runtime}), one.err)
		})
	}
	t.Run("hanging", func(t *testing.T) {
		f := newFaulty(t)
		f.spoil("--version", "echo $$ > "+f.folder+"/pid; sleep 1000")
		err := made(t, map[string]string{"runtime": f.path()}, moduletest.Limits(manifest.Limits{Create: 300 * time.Millisecond}))
		require.ErrorContains(t, err, "--version: the limit of 300ms passed")
		text, err := os.ReadFile(filepath.Join(f.folder, "pid"))
		require.NoError(t, err)
		var pid int
		_, err = fmt.Sscan(string(text), &pid)
		require.NoError(t, err)
		eventually(t, func() bool { return !alive(pid) })
	})
}

// made makes an instance, and returns how that fails.
func made(t *testing.T, parameters map[string]string, more ...moduletest.Option) error {
	t.Helper()
	privileged.Root(t, "the module wants root before all else")
	all := map[string]string{"launcher_dir": launcherDir, "containers": "all"}
	for key, value := range parameters {
		all[key] = value
	}
	options := more
	for key, value := range all {
		options = append(options, moduletest.Parameter(runc.Name, key, value))
	}
	return moduletest.New(t, runc.Library, options...).Start(runc.Name)
}

func TestBadParameters(t *testing.T) {
	for name, one := range map[string]struct {
		parameters map[string]string
		err        string
	}{
		"containers":              {map[string]string{"containers": "some"}, `"some" is neither images nor all`},
		"no images":               {map[string]string{"containers": "images"}, "parameter images_dir: without it there are no images"},
		"images that are nowhere": {map[string]string{"images_dir": "/no/such/folder"}, "no such file"},
		"images that are a file":  {map[string]string{"images_dir": "/etc/passwd"}, "is no folder"},
		"the sandbox":             {map[string]string{"sandbox_directory": "relative"}, "no absolute path"},
		"the sandbox as root":     {map[string]string{"sandbox_directory": "/"}, "no absolute path"},
		"the control groups":      {map[string]string{"cgroups_root": "../.."}, "no path below the root"},
		"the shim":                {map[string]string{"launcher_dir": "/no/such/folder"}, "go build -o /no/such/folder ./cmd/mesos-runc-shim"},
		"no size":                 {map[string]string{"max_image_size": "0B"}, "at least 1"},
		"no files":                {map[string]string{"max_image_files": "-1"}, "at least 1"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorContains(t, made(t, one.parameters), one.err)
		})
	}
}

// What goes wrong with the runtime in each step of a container's life.
func TestTheRuntimeFails(t *testing.T) {
	f := newFaulty(t)
	b := newBench(t, map[string]string{"runtime": f.path()})
	refused := func(c *container, ctx context.Context) error {
		t.Helper()
		_, err := b.Launch(ctx, c.id, c.config, c.launch, c.files)
		require.Error(t, err)
		require.NoError(t, b.Destroy(t.Context(), c.id))
		require.NoError(t, b.End(t.Context(), c.id, &slave.ContainerTermination{}))
		return err
	}
	t.Run("to create a container", func(t *testing.T) {
		f.spoil("create", complains)
		assert.ErrorContains(t, refused(b.container(containerID("create"), "true"), t.Context()), "create: it is spoiled")
		f.spoil("create", "exit 3")
		assert.ErrorContains(t, refused(b.container(containerID("create"), "true"), t.Context()), "it ended with wait status 768")
		f.spoil("create", "exit 0")
		assert.ErrorContains(t, refused(b.container(containerID("create"), "true"), t.Context()), "the container's first process")
		f.spoil("create", "kill -9 $$")
		assert.ErrorContains(t, refused(b.container(containerID("create"), "true"), t.Context()), "it ended with wait status 9")
		f.mend("create")
		b.isClean()
	})
	t.Run("half way through creating it", func(t *testing.T) {
		f.spoil("create", realRuntime(t)+` "$@"; `+complains)
		assert.ErrorContains(t, refused(b.container(containerID("half"), "true"), t.Context()), "it is spoiled")
		f.mend("create")
		b.isClean()
	})
	t.Run("and hangs when it creates one that is not wanted any more", func(t *testing.T) {
		f.spoil("create", "echo $$ > "+f.folder+"/pid; sleep 1000 & wait")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			for ctx.Err() == nil {
				if _, err := os.Stat(filepath.Join(f.folder, "pid")); err == nil {
					cancel()
				}
			}
		}()
		assert.ErrorIs(t, refused(b.container(containerID("hang"), "true"), ctx), context.Canceled)
		var pid int
		text, err := os.ReadFile(filepath.Join(f.folder, "pid"))
		require.NoError(t, err)
		_, err = fmt.Sscan(string(text), &pid)
		require.NoError(t, err)
		assert.False(t, alive(pid), "the runtime goes with its container")
		f.mend("create")
		b.isClean()
	})
	t.Run("to start it", func(t *testing.T) {
		f.spoil("start", complains)
		c := b.container(containerID("start"), "true")
		status, _ := c.run()
		assert.Equal(t, int32(1<<8), status)
		assert.Contains(t, c.text("err"), "start: it is spoiled")
		f.mend("start")
		b.isClean()
	})
	t.Run("to kill what is in it", func(t *testing.T) {
		f.spoil("kill", "exit 1")
		c := b.container(containerID("kill"), "setsid sleep 1000 & echo up; exec sleep 1000")
		c.start()
		c.await("up")
		c.destroy()
		assert.Equal(t, int32(syscall.SIGKILL), c.end().GetStatus(), "the shim does it itself")
		f.mend("kill")
		b.isClean()
	})
	t.Run("to forget it", func(t *testing.T) {
		f.spoil("delete", complains)
		c := b.container(containerID("delete"), "true")
		c.start()
		c.end()
		require.ErrorContains(t, b.Destroy(t.Context(), c.id), "spoiled")
		f.mend("delete")
		c.destroy()
		b.isClean()
	})
	t.Run("to change its limits", func(t *testing.T) {
		f.spoil("update", complains)
		c := b.container(containerID("update"), "echo up; exec sleep 1000")
		c.start()
		require.ErrorContains(t, b.Update(t.Context(), c.id, []*mesosv1.Resource{resource("cpus", 1)}, nil), "spoiled")
		f.mend("update")
		c.destroy()
		b.isClean()
	})
	t.Run("to run a process in it", func(t *testing.T) {
		f.spoil("exec", complains)
		parent := b.container(containerID("parent"), "echo up; exec sleep 1000")
		parent.start()
		c := b.container(containerID("parent", "exec"), "true")
		c.config.ContainerClass, c.config.ContainerInfo = slave.ContainerClass_DEBUG.Enum(), nil
		c.start()
		s := c.attach()
		assert.Equal(t, int32(1<<8), c.end().GetStatus())
		<-s.over
		c.destroy()
		assert.Contains(t, c.text("err"), "exec: it is spoiled")
		f.mend("exec")
		parent.destroy()
		b.isClean()
	})
}

func realRuntime(t *testing.T) string {
	path, err := exec.LookPath("runc")
	require.NoError(t, err)
	return path
}

func TestTheImageIsBroken(t *testing.T) {
	images := t.TempDir()
	layer := testimage.Plain(testimage.Archive(t))
	for _, name := range []string{"cut", "empty"} {
		testimage.Layout(t, filepath.Join(images, name), testimage.Image{Tag: "1", Layers: []testimage.Layer{layer}})
	}
	require.NoError(t, os.WriteFile(filepath.Join(images, "cut/blobs/sha256", strings.TrimPrefix(layer.DiffID, "sha256:")), nil, 0o644))
	b := newBench(t, map[string]string{"images_dir": images})
	for name, why := range map[string]string{"cut:1": "it has 0 bytes", "gone:1": "there is no such image", "../cut:1": "a path below the folder of images"} {
		c := b.container(containerID("broken"), "true")
		c.config.ContainerInfo = inImage(name)
		_, err := b.Launch(t.Context(), c.id, c.config, c.launch, c.files)
		require.ErrorContains(t, err, why)
		b.isClean()
	}
	c := b.container(containerID("empty"), "true")
	c.config.ContainerInfo = inImage("empty:1")
	c.start()
	assert.NotZero(t, c.end().GetStatus())
	assert.Contains(t, c.text("err"), "/bin/sh")
	require.NoError(t, b.PruneImages(t.Context(), nil))
	unpacked := filepath.Join(b.folder(), "images/*")
	all, err := filepath.Glob(unpacked)
	require.NoError(t, err)
	assert.Len(t, all, 1, "it is in use")
	c.destroy()
	require.NoError(t, b.PruneImages(t.Context(), []*mesosv1.Image{c.config.GetContainerInfo().GetMesos().GetImage()}))
	all, err = filepath.Glob(unpacked)
	require.NoError(t, err)
	assert.Len(t, all, 1, "it is excluded")
	require.NoError(t, b.PruneImages(t.Context(), nil))
	all, err = filepath.Glob(unpacked)
	require.NoError(t, err)
	assert.Empty(t, all)
	b.isClean()
}

func TestBadIDsAndSignals(t *testing.T) {
	b := newBench(t, nil)
	for _, id := range []string{"", ".", "..", "a/b", "a\x00"} {
		c := b.container(containerID(id), "true")
		_, err := b.Launch(t.Context(), c.id, c.config, c.launch, c.files)
		require.ErrorContains(t, err, "no name for a folder", "%q", id)
	}
	c := b.container(containerID("an odd name: +=,"), "echo up; exec sleep 1000")
	c.start()
	c.await("up")
	for _, signal := range []int32{-1, 0, 65} {
		_, err := b.Kill(t.Context(), c.id, signal)
		require.ErrorContains(t, err, "there is no signal")
	}
	require.ErrorContains(t, b.Start(t.Context(), c.id), "was started before")
	c.destroy()
	_, err := b.Launch(t.Context(), c.id, c.config, c.launch, &slave.ContainerIO{Out: &slave.ContainerIO_IO{
		Type: slave.ContainerIO_IO_UNKNOWN.Enum()}})
	require.ErrorContains(t, err, "this containerizer knows PATH")
	b.isClean()
}

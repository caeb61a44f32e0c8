package logrotate_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/containerlogger/logrotate"
	"github.com/mesos-modules/mms/roles/containerlogger"
)

func TestFaults(t *testing.T) {
	prepare := func(t *testing.T, config *slave.ContainerConfig) error {
		l, _ := load(t)
		_, err := l.Prepare(t.Context(), id("c"), config)
		return err
	}
	t.Run("a link that was laid there is not followed", func(t *testing.T) {
		folder := t.TempDir()
		elsewhere := filepath.Join(t.TempDir(), "elsewhere")
		require.NoError(t, os.Symlink(elsewhere, folder+"/stdout"))
		err := prepare(t, &slave.ContainerConfig{Directory: &folder})
		require.ErrorContains(t, err, "too many levels of symbolic links")
		assert.NoFileExists(t, elsewhere)
	})
	t.Run("a pipe in the file's place is refused, and holds nobody up", func(t *testing.T) {
		folder := t.TempDir()
		require.NoError(t, syscall.Mkfifo(folder+"/stderr", 0o600))
		assert.ErrorContains(t, prepare(t, &slave.ContainerConfig{Directory: &folder}), "stderr is no plain file")
	})
	t.Run("a sandbox that is not there, a user that is not there", func(t *testing.T) {
		require.ErrorContains(t, prepare(t, &slave.ContainerConfig{Directory: proto.String("/no/such/folder")}), "no such file or directory")
		assert.ErrorContains(t, prepare(t, &slave.ContainerConfig{Directory: proto.String(t.TempDir()), User: proto.String("nobody-at-all")}), `"nobody-at-all"`)
	})
	t.Run("a program that is not there, or is none", func(t *testing.T) {
		for folder, want := range map[string]string{t.TempDir(): "launcher_dir names the folder of mesos-logrotate-logger", "/no": "launcher_dir"} {
			_, err := moduletest.TryLoad[containerlogger.ContainerLogger](moduletest.New(t, logrotate.Library,
				moduletest.Parameter(logrotate.Name, "launcher_dir", folder)), logrotate.Name)
			assert.ErrorContains(t, err, want)
		}
		folder := t.TempDir()
		program := filepath.Join(folder, logrotate.Program)
		require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\nexit 3\n"), 0o755))
		kit := moduletest.New(t, logrotate.Library, moduletest.Parameter(logrotate.Name, "launcher_dir", folder))
		l := moduletest.Load[containerlogger.ContainerLogger](kit, logrotate.Name)
		_, err := l.Prepare(t.Context(), id("c"), &slave.ContainerConfig{Directory: proto.String(t.TempDir())})
		require.ErrorContains(t, err, "mesos-logrotate-logger has ended")
		require.NoError(t, os.Remove(program))
		_, err = l.Prepare(t.Context(), id("c"), &slave.ContainerConfig{Directory: proto.String(t.TempDir())})
		require.ErrorContains(t, err, "launcher_dir names its folder")
	})
	t.Run("a program that is run by hand says that it is not for that", func(t *testing.T) {
		cmd := exec.Command(filepath.Join(launcher, logrotate.Program))
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		assert.Contains(t, string(out), "mesos-logrotate-logger: ")
	})
	t.Run("a program that says nothing is given up with the launch", func(t *testing.T) {
		folder := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(folder, logrotate.Program), []byte("#!/bin/sh\nexec sleep 1000\n"), 0o755))
		kit := moduletest.New(t, logrotate.Library, moduletest.Parameter(logrotate.Name, "launcher_dir", folder))
		l := moduletest.Load[containerlogger.ContainerLogger](kit, logrotate.Name)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := l.Prepare(ctx, id("c"), &slave.ContainerConfig{Directory: proto.String(t.TempDir())})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		kit.Close() // waits for the process
	})
	t.Run("a process that is killed breaks the container's output, and nothing else", func(t *testing.T) {
		l, _ := load(t)
		c := launch(t, l, &slave.ContainerConfig{})
		pids := loggers(t, c.folder)
		require.NotEmpty(t, pids)
		require.NoError(t, syscall.Kill(pids[0], syscall.SIGKILL))
		gone(t, c.folder)
		require.Eventually(t, func() bool { // a process that ends gives its memory back before its files
			_, err := c.out.WriteString("is anybody there?\n")
			return errors.Is(err, syscall.EPIPE)
		}, 20*time.Second, time.Millisecond)
		c.ends(t)
	})
	t.Run("what a killed agent has left is swept, what is young is not", func(t *testing.T) {
		state := t.TempDir()
		kit := moduletest.New(t, logrotate.Library, append(options(nil), moduletest.StateDir(state))...)
		own := stateOf(t, state)
		old, young := filepath.Join(own, "pipes-old"), filepath.Join(own, "pipes-young")
		for _, folder := range []string{old, young} {
			require.NoError(t, os.MkdirAll(folder, 0o700))
			require.NoError(t, syscall.Mkfifo(folder+"/stdout", 0o600))
		}
		require.NoError(t, os.Chtimes(old, time.Now(), time.Now().Add(-time.Hour)))
		moduletest.Load[containerlogger.ContainerLogger](kit, logrotate.Name)
		assert.NoDirExists(t, old)
		assert.DirExists(t, young)
	})
}

// stateOf finds the module's own state folder by making the module once.
func stateOf(t *testing.T, state string) string {
	t.Helper()
	kit := moduletest.New(t, logrotate.Library, append(options(nil), moduletest.StateDir(state))...)
	moduletest.Load[containerlogger.ContainerLogger](kit, logrotate.Name)
	kit.Close()
	found := state
	require.NoError(t, filepath.Walk(state, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.IsDir() {
			found = path
		}
		return err
	}))
	return found
}

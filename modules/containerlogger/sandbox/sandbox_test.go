package sandbox_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/containerlogger/sandbox"
	"github.com/mesos-modules/mms/roles/containerlogger"
)

func Example() {
	module := sandbox.Library.Modules[0].Declare()
	instance, _ := module.New(context.Background(), nil, nil)
	folder, _ := os.MkdirTemp("", "sandbox")
	defer os.RemoveAll(folder)

	files, _ := instance.(containerlogger.ContainerLogger).Prepare(context.Background(),
		&mesosv1.ContainerID{Value: proto.String("C1")}, &slave.ContainerConfig{Directory: proto.String(folder)})
	fmt.Println(files.GetOut().GetType(), filepath.Base(files.GetOut().GetPath()), filepath.Base(files.GetErr().GetPath()))
	// Output: PATH stdout stderr
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, sandbox.Library, sandbox.Name)
}

func prepare(t *testing.T, config *slave.ContainerConfig) (*slave.ContainerIO, error) {
	instance, err := sandbox.Library.Modules[0].Declare().New(t.Context(), nil, nil)
	require.NoError(t, err)
	return instance.(containerlogger.ContainerLogger).Prepare(t.Context(), &mesosv1.ContainerID{Value: proto.String("C1")}, config)
}

func TestPrepare(t *testing.T) {
	t.Run("the files belong to the user", func(t *testing.T) {
		require.Zero(t, os.Geteuid(), "only root gives files away")
		files, err := prepare(t, &slave.ContainerConfig{Directory: proto.String(t.TempDir()), User: proto.String("nobody")})
		require.NoError(t, err)
		for _, path := range []string{files.GetOut().GetPath(), files.GetErr().GetPath()} {
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.NotZero(t, info.Sys().(*syscall.Stat_t).Uid)
		}
	})
	t.Run("a user that is not there is an error that names him", func(t *testing.T) {
		_, err := prepare(t, &slave.ContainerConfig{Directory: proto.String(t.TempDir()), User: proto.String("nobody-at-all")})
		assert.ErrorContains(t, err, `"nobody-at-all"`)
	})
	t.Run("a link that was laid there is not followed", func(t *testing.T) {
		folder := t.TempDir()
		elsewhere := filepath.Join(t.TempDir(), "elsewhere")
		require.NoError(t, os.Symlink(elsewhere, filepath.Join(folder, "stdout")))
		_, err := prepare(t, &slave.ContainerConfig{Directory: proto.String(folder)})
		assert.ErrorIs(t, err, syscall.ELOOP)
		assert.NoFileExists(t, elsewhere)
	})
	t.Run("a sandbox that is not there is an error", func(t *testing.T) {
		_, err := prepare(t, &slave.ContainerConfig{Directory: proto.String(filepath.Join(t.TempDir(), "gone"))})
		assert.ErrorIs(t, err, os.ErrNotExist)
	})
}

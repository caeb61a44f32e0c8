package example_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/anonymous/example"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/anonymous"
)

func parameter(key, value string) moduletest.Option {
	return moduletest.Parameter(example.Name, key, value)
}

func TestConformance(t *testing.T) {
	for name, daemon := range map[string]roles.Daemon{"on the master": roles.Master, "on an agent": roles.Slave} {
		t.Run(name, func(t *testing.T) { moduletest.Conformance(t, example.Library, example.Name, moduletest.On(daemon)) })
	}
}

// host is a daemon's that only logs and has a folder.
type host struct {
	facade.Host
	dir string
}

func (host) Logger() *slog.Logger        { return slog.New(slog.DiscardHandler) }
func (h host) StateDir() (string, error) { return h.dir, nil }

func made(t testing.TB, h facade.Host, p facade.Parameters) anonymous.Anonymous {
	t.Helper()
	instance, err := example.Library.Modules[0].Declare().New(t.Context(), h, p)
	require.NoError(t, err)
	return instance.(anonymous.Anonymous)
}

func TestRun(t *testing.T) {
	read := func(t *testing.T, file string) string {
		t.Helper()
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		return string(text)
	}
	t.Run("the time is there, and new after each interval, until teardown", func(t *testing.T) {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			a := made(t, host{dir: dir}, facade.Parameters{{Key: "interval", Value: "1mins"}})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- a.Run(ctx) }()
			synctest.Wait()
			began := time.Now().UTC()
			file := filepath.Join(dir, "alive")
			assert.Equal(t, began.Format(time.RFC3339)+"\n", read(t, file))
			time.Sleep(59 * time.Second)
			synctest.Wait()
			assert.Equal(t, began.Format(time.RFC3339)+"\n", read(t, file))
			time.Sleep(time.Second)
			synctest.Wait()
			assert.Equal(t, began.Add(time.Minute).Format(time.RFC3339)+"\n", read(t, file))
			cancel()
			require.NoError(t, <-done)
			assert.NoFileExists(t, file)
		})
	})
	t.Run("a folder that is not there stops nothing, and is used when it comes", func(t *testing.T) {
		dir := t.TempDir()
		file := filepath.Join(dir, "later", "alive")
		synctest.Test(t, func(t *testing.T) {
			a := made(t, host{}, facade.Parameters{{Key: "file", Value: file}, {Key: "interval", Value: "1secs"}})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- a.Run(ctx) }()
			synctest.Wait()
			require.NoError(t, os.Mkdir(filepath.Dir(file), 0o700))
			time.Sleep(time.Second)
			synctest.Wait()
			assert.FileExists(t, file)
			require.NoError(t, os.RemoveAll(filepath.Dir(file)))
			cancel()
			require.NoError(t, <-done, "a file that has gone need not be taken away")
		})
	})
}

func TestWrongParameters(t *testing.T) {
	for _, c := range []struct {
		name    string
		options []moduletest.Option
		want    string
	}{
		{"a path that is not absolute", []moduletest.Option{parameter("file", "alive")}, "no absolute path"},
		{"no interval", []moduletest.Option{parameter("interval", "0secs")}, "no time to wait"},
		{"no folder", []moduletest.Option{moduletest.FailStateDir(os.ErrPermission)}, "parameter file is not given"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := moduletest.TryLoad[anonymous.Anonymous](moduletest.New(t, example.Library, c.options...), example.Name)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func Example() {
	dir, _ := os.MkdirTemp("", "alive")
	defer os.RemoveAll(dir)
	instance, _ := example.Library.Modules[0].Declare().New(context.Background(), host{dir: dir}, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // teardown begins at once
	err := instance.(anonymous.Anonymous).Run(ctx)
	left, _ := os.ReadDir(dir)
	fmt.Println(err, len(left))
	// Output: <nil> 0
}

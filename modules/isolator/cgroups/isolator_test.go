package cgroups_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lib "github.com/opencontainers/cgroups"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/cgroupstest"
	"github.com/mesos-modules/mms/modules/isolator/cgroups"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failing is a root module whose calls fail, by name.
type failing struct {
	cgroups.Root
	fails string
	calls []string
}

var errBroken = errors.New("broken")

func (f *failing) call(name string) error {
	f.calls = append(f.calls, name)
	if f.fails == name {
		return errBroken
	}
	return nil
}

func (f *failing) Recover(_ context.Context, holder string, known []*mesosv1.ContainerID) error {
	var names []string
	for _, id := range known {
		names = append(names, id.GetValue())
	}
	return f.call("recover " + holder + " " + strings.Join(names, " "))
}
func (f *failing) Take(_ context.Context, _ string, id *mesosv1.ContainerID) error {
	return f.call("take " + id.GetValue())
}
func (f *failing) Place(_ context.Context, id *mesosv1.ContainerID, _ int32) error {
	return f.call("place " + id.GetValue())
}
func (f *failing) Release(_ context.Context, holder string, id *mesosv1.ContainerID) error {
	return f.call("release " + holder + " " + id.GetValue())
}

// controller notes what is asked of it.
type controller struct {
	limited []bool // whether the group was, at each call
	fails   error
}

func (c *controller) Limit(g *cgroups.Group, _ []*mesosv1.Resource, _ map[string]*mesosv1.Value_Scalar) error {
	c.limited = append(c.limited, g.Limited)
	return c.fails
}

func (c *controller) Usage(_ *cgroups.Group, out *mesosv1.ResourceStatistics) error {
	out.Processes = proto.Uint32(7)
	return c.fails
}

func (c *controller) Watch(*cgroups.Group, func(*slave.ContainerLimitation)) (*cgroups.Watch, error) {
	return nil, c.fails
}

func id(name string) *mesosv1.ContainerID { return &mesosv1.ContainerID{Value: &name} }

func TestWhatTheRootModuleCannotDo(t *testing.T) {
	for _, c := range []struct {
		fails string
		do    func(context.Context, *cgroups.Isolator) error
		want  string
	}{
		{"recover cgroups/x one two", func(ctx context.Context, i *cgroups.Isolator) error {
			return i.Recover(ctx, []*slave.ContainerState{{ContainerId: id("one")}}, []*mesosv1.ContainerID{id("two")})
		}, "cgroups/x: recover control groups: broken"},
		{"take one", func(ctx context.Context, i *cgroups.Isolator) error {
			_, err := i.Prepare(ctx, id("one"), nil)
			return err
		}, "cgroups/x: broken"},
		{"release cgroups/x one", func(ctx context.Context, i *cgroups.Isolator) error { return i.Cleanup(ctx, id("one")) },
			"cgroups/x: container one: broken"},
		{"nothing", func(ctx context.Context, i *cgroups.Isolator) error { return i.Isolate(ctx, id("one"), 4711) },
			"cgroups/x: container one: there is no such container"},
	} {
		t.Run(c.fails, func(t *testing.T) {
			root := &failing{fails: c.fails}
			i := cgroups.New("cgroups/x", root, slog.New(slog.DiscardHandler), &controller{}, "x")
			assert.EqualError(t, c.do(t.Context(), i), c.want)
		})
	}
}

func TestWhatTheControllerCannotDo(t *testing.T) {
	u, _ := cgroupstest.NewUnified(t, cgroups.RootModule)
	c := &controller{}
	i := cgroups.New("cgroups/x", u, slog.New(slog.DiscardHandler), c, "x")
	require.NoError(t, i.Recover(t.Context(), nil, nil))
	_, err := i.Prepare(t.Context(), id("one"), nil)
	require.NoError(t, err)
	require.NoError(t, i.Update(t.Context(), id("one"), nil, nil))
	assert.Equal(t, []bool{false, true}, c.limited)
	c.fails = errBroken
	require.EqualError(t, i.Update(t.Context(), id("one"), nil, nil), "cgroups/x: limit container one: broken")
	require.EqualError(t, i.Watch(t.Context(), id("one"), nil), "cgroups/x: watch container one: broken")
	_, err = i.Usage(t.Context(), id("one"))
	require.EqualError(t, err, "cgroups/x: measure container one: broken")
	_, err = i.Prepare(t.Context(), id("two"), nil)
	require.EqualError(t, err, "cgroups/x: limit container two: broken")
	require.NoError(t, i.Cleanup(t.Context(), id("two")), "the launch has failed")
	c.fails = nil
	use, err := i.Usage(t.Context(), id("one"))
	require.NoError(t, err)
	assert.Equal(t, uint32(7), use.GetProcesses())

	next := &controller{}
	i = cgroups.New("cgroups/x", u, slog.New(slog.DiscardHandler), next, "x")
	require.NoError(t, i.Recover(t.Context(), []*slave.ContainerState{{ContainerId: id("one")}}, nil))
	require.NoError(t, i.Update(t.Context(), id("one"), nil, nil))
	assert.Equal(t, []bool{true}, next.limited, "by the agent before")
}

// A file in a folder stands for one of the kernel's.
func TestWatch(t *testing.T) {
	lib.TestMode = true
	t.Cleanup(func() { lib.TestMode = false })
	begin := func(t *testing.T, every time.Duration) (folder string, w *cgroups.Watch, told chan cgroups.Event) {
		folder, told = t.TempDir(), make(chan cgroups.Event, 10)
		put(t, folder, "max 0\n")
		w, err := cgroups.WatchEvents(folder, "events", "max", every, func(e cgroups.Event) { told <- e })
		require.NoError(t, err)
		t.Cleanup(w.Stop)
		return folder, w, told
	}
	receive := func(t *testing.T, told chan cgroups.Event) cgroups.Event {
		t.Helper()
		select {
		case e := <-told:
			return e
		case <-time.After(10 * time.Second):
			require.Fail(t, "nothing is told")
			return cgroups.Event{}
		}
	}
	t.Run("what happens is told once", func(t *testing.T) {
		folder, w, told := begin(t, 0)
		put(t, folder, "other 5\nmax 0\n")
		put(t, folder, "max 1\n")
		assert.NoError(t, receive(t, told).Err)
		put(t, folder, "max 2\n")
		w.Look()
		w.Stop()
		w.Stop()
		assert.Empty(t, told)
	})
	t.Run("what has happened before is told", func(t *testing.T) {
		folder := t.TempDir()
		put(t, folder, "max 3\n")
		told := make(chan cgroups.Event, 10)
		w, err := cgroups.WatchEvents(folder, "events", "max", 0, func(e cgroups.Event) { told <- e })
		require.NoError(t, err)
		defer w.Stop()
		assert.NoError(t, receive(t, told).Err)
	})
	t.Run("a look does not wait for the kernel", func(t *testing.T) {
		folder, w, told := begin(t, 0)
		w.Look()
		assert.Empty(t, told)
		// Another file in its place: the one that is watched does not change.
		put(t, folder, "max 1\n", "other")
		require.NoError(t, os.Link(filepath.Join(folder, "events"), filepath.Join(folder, "kept")))
		require.NoError(t, os.Rename(filepath.Join(folder, "other"), filepath.Join(folder, "events")))
		w.Look()
		assert.Len(t, told, 1)
	})
	t.Run("what the kernel does not tell is looked at", func(t *testing.T) {
		folder, _, told := begin(t, time.Millisecond)
		put(t, folder, "max 1\n", "other")
		require.NoError(t, os.Link(filepath.Join(folder, "events"), filepath.Join(folder, "kept")))
		require.NoError(t, os.Rename(filepath.Join(folder, "other"), filepath.Join(folder, "events")))
		assert.NoError(t, receive(t, told).Err)
	})
	t.Run("a group that is removed", func(t *testing.T) {
		folder, _, told := begin(t, 0)
		require.NoError(t, os.Remove(filepath.Join(folder, "events")))
		assert.ErrorIs(t, receive(t, told).Err, cgroups.ErrRemoved)
	})
	t.Run("a group that is not there", func(t *testing.T) {
		_, err := cgroups.WatchEvents(t.TempDir(), "events", "max", 0, nil)
		require.ErrorIs(t, err, os.ErrNotExist)
		_, err = cgroups.WatchOOM(t.TempDir(), nil)
		assert.ErrorIs(t, err, os.ErrNotExist)
	})
	t.Run("Stop ends it with nothing told", func(t *testing.T) {
		_, w, told := begin(t, time.Millisecond)
		w.Stop()
		assert.Empty(t, told)
	})
}

// put writes the file of events, or another.
func put(t *testing.T, folder, text string, name ...string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(folder, append(name, "events")[0]), []byte(text), 0o644))
}

package command_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/isolator"
)

// watched launches a container with a program that watches it.
func watched(t *testing.T, ctx context.Context, lines ...string) (isolator.Isolator, chan *slave.ContainerLimitation) {
	t.Helper()
	i, _ := load(t, "watch", script(t, lines...))
	_, err := i.Prepare(ctx, id("c"), config())
	require.NoError(t, err)
	said := make(chan *slave.ContainerLimitation, 8)
	require.NoError(t, i.Watch(ctx, id("c"), func(l *slave.ContainerLimitation) { said <- l }))
	require.NoError(t, i.Isolate(ctx, id("c"), 42))
	return i, said
}

func next(t *testing.T, said chan *slave.ContainerLimitation) *slave.ContainerLimitation {
	t.Helper()
	select {
	case l := <-said:
		return l
	case <-time.After(10 * time.Second):
		require.FailNow(t, "nothing was said")
		return nil
	}
}

func TestWatch(t *testing.T) {
	t.Run("the first line ends the container, and the program with its group", func(t *testing.T) {
		folder := t.TempDir()
		i, said := watched(t, t.Context(), "sleep 1000 & echo $! >"+folder+"/child", "echo",
			`echo '{"reason":"REASON_CONTAINER_LIMITATION_MEMORY","message":"too much","resources":[{"name":"mem","type":"SCALAR","scalar":{"value":1}}]}'`,
			`echo '{"message":"again"}'`, "wait")
		l := next(t, said)
		assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY, l.GetReason())
		assert.Equal(t, "too much", l.GetMessage())
		assert.Len(t, l.GetResources(), 1)
		gone(t, folder+"/child")
		require.NoError(t, i.Cleanup(t.Context(), id("c")))
		assert.Empty(t, said)
	})
	t.Run("what is left out is filled in", func(t *testing.T) {
		_, said := watched(t, t.Context(), "printf '{}'")
		l := next(t, said)
		assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION, l.GetReason())
		assert.NotEmpty(t, l.GetMessage())
	})
	t.Run("a program that ends well has nothing to watch", func(t *testing.T) {
		folder := t.TempDir()
		i, said := watched(t, t.Context(), "touch "+folder+"/began")
		await(t, folder+"/began", "")
		require.NoError(t, i.Cleanup(t.Context(), id("c")))
		assert.Empty(t, said)
	})
	t.Run("a program that closes its output and goes on is let go on", func(t *testing.T) {
		folder := t.TempDir()
		i, said := watched(t, t.Context(), "exec >&-", "sleep 0.05; touch "+folder+"/later; sleep 1000")
		await(t, folder+"/later", "")
		require.NoError(t, i.Cleanup(t.Context(), id("c")))
		assert.Empty(t, said)
	})
	for name, c := range map[string]struct{ script, want string }{
		"any other end":             {"echo no eyes >&2; exit 4", "exit status 4: no eyes"},
		"an end by a signal":        {"kill -9 $$", "signal: killed"},
		"a line that is no message": {"echo hello; sleep 1000", "a line of its output: "},
		"a line that is too long":   {"head -c 70000 /dev/zero | tr '\\0' x; sleep 1000", "longer than 65536 bytes"},
	} {
		t.Run(name+" is a container that is watched no more", func(t *testing.T) {
			i, said := watched(t, t.Context(), c.script)
			l := next(t, said)
			assert.Contains(t, l.GetMessage(), "The container is watched no more: the program /bin/sh of step watch: ")
			assert.Contains(t, l.GetMessage(), c.want)
			assert.NoError(t, i.Cleanup(t.Context(), id("c")))
		})
	}
	t.Run("output that others hold open does not hide the end", func(t *testing.T) {
		_, said := watched(t, t.Context(), "setsid sleep 30 &", "exit 4")
		assert.Contains(t, next(t, said).GetMessage(), "exit status 4")
	})
	t.Run("when ctx ends, nothing is said any more, and the program has gone", func(t *testing.T) {
		folder := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		i, said := watched(t, ctx, "echo $$ >"+folder+"/self", "exec sleep 1000")
		await(t, folder+"/self", "\n")
		cancel()
		gone(t, folder+"/self")
		require.NoError(t, i.Cleanup(t.Context(), id("c")))
		assert.Empty(t, said)
	})
	t.Run("Cleanup ends the program", func(t *testing.T) {
		folder := t.TempDir()
		i, said := watched(t, t.Context(), "echo $$ >"+folder+"/self", "exec sleep 1000")
		await(t, folder+"/self", "\n")
		require.NoError(t, i.Cleanup(t.Context(), id("c")))
		gone(t, folder+"/self")
		assert.Empty(t, said)
	})
}

func TestRecovered(t *testing.T) {
	folder := t.TempDir()
	i, kit := load(t, "watch", script(t, "cat >"+folder+"/watch.part; mv "+folder+"/watch.part "+folder+"/watch; exec sleep 1000"),
		"cleanup", script(t, "echo $MESOS_CONTAINER_ID >>"+folder+"/cleanup"))
	require.NoError(t, i.Recover(t.Context(), []*slave.ContainerState{{ContainerId: id("lives"), Pid: proto.Uint64(7), Directory: proto.String("/s")}},
		[]*mesosv1.ContainerID{id("orphan")}))

	t.Run("is watched at once", func(t *testing.T) {
		require.NoError(t, i.Watch(t.Context(), id("lives"), func(*slave.ContainerLimitation) {}))
		await(t, folder+"/watch", `"pid":7}`+"\n")
	})
	t.Run("and cleaned up like an orphan, and nobody else, and once", func(t *testing.T) {
		for _, one := range []string{"orphan", "orphan", "never-seen", "lives"} {
			require.NoError(t, i.Cleanup(t.Context(), id(one)))
		}
		text, err := os.ReadFile(folder + "/cleanup")
		require.NoError(t, err)
		assert.Equal(t, "orphan\nlives\n", string(text))
	})
	t.Run("a container that was never named cannot be watched", func(t *testing.T) {
		assert.ErrorContains(t, i.Watch(t.Context(), id("never-seen"), func(*slave.ContainerLimitation) {}), "never-seen is not known")
	})
	t.Run("the end of the agent ends what watches", func(t *testing.T) {
		i, again := load(t, "watch", script(t, "echo $$ >"+filepath.Join(folder, "self"), "exec sleep 1000"))
		require.NoError(t, i.Recover(t.Context(), []*slave.ContainerState{{ContainerId: id("lives"), Pid: proto.Uint64(7), Directory: proto.String("/s")}}, nil))
		require.NoError(t, i.Watch(t.Context(), id("lives"), func(*slave.ContainerLimitation) { t.Error("the container goes on") }))
		await(t, folder+"/self", "\n")
		again.Close()
		gone(t, folder+"/self")
	})
	assert.Empty(t, strings.Join(kit.Log(), "\n"))
}

// threads are those of this process.
func threads(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	return len(all)
}

// A thread for each container is what an agent of thousands cannot have.
func TestWatchingTakesNoThreads(t *testing.T) {
	folder := t.TempDir()
	i, _ := load(t, "watch", script(t, "touch "+folder+"/$MESOS_CONTAINER_ID", "exec sleep 1000"))
	before := threads(t)
	const many = 60
	for n := range many {
		one := id(fmt.Sprint("c", n))
		_, err := i.Prepare(t.Context(), one, config())
		require.NoError(t, err)
		require.NoError(t, i.Watch(t.Context(), one, func(*slave.ContainerLimitation) {}))
		require.NoError(t, i.Isolate(t.Context(), one, 42))
	}
	require.Eventually(t, func() bool {
		all, err := os.ReadDir(folder)
		return err == nil && len(all) == many
	}, 20*time.Second, 5*time.Millisecond)
	assert.Less(t, threads(t)-before, many/2)
	for n := range many {
		require.NoError(t, i.Cleanup(t.Context(), id(fmt.Sprint("c", n))))
	}
}

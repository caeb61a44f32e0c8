package networkports

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// nobody counts.
type nobody struct{}

func (nobody) Add(float64) {}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// world is a watcher of a host that is made up: whose sockets are which, and what listens
// where.
type world struct {
	*watcher
	open    map[int][]uint64  // by process
	sockets map[uint64]uint16 // by inode
	away    map[int]bool      // in other networks
	fault   error
	reads   int
	log     strings.Builder
	said    []*slave.ContainerLimitation
}

func made(t *testing.T, name string, enforce bool, test func(t *testing.T, w *world)) {
	t.Run(name, func(t *testing.T) {
		w := &world{open: map[int][]uint64{}, sockets: map[uint64]uint16{}, away: map[int]bool{}}
		w.watcher = newWatcher(config{
			interval: time.Hour, enforce: enforce, watched: ports{{0, 65535}}, log: slog.New(slog.NewTextHandler(&w.log, nil)),
			rounds: nobody{}, failed: nobody{}, violations: nobody{},
			listeners: func(ports) (map[uint64]uint16, error) { w.reads++; return w.sockets, w.fault },
			tree:      func(pid int32) []int { return []int{int(pid), int(pid) + 1} },
			network: func(pid int) string {
				if w.away[pid] {
					return "other"
				}
				return "host"
			},
			owned: func(pid int, sockets map[uint64]uint16, found func(uint16)) {
				for _, inode := range w.open[pid] {
					if port, ok := sockets[inode]; ok {
						found(port)
					}
				}
			},
		})
		test(t, w)
		require.NoError(t, w.Close(t.Context()))
	})
}

func (w *world) sink(l *slave.ContainerLimitation) { w.said = append(w.said, l) }

// listens gives a process a socket.
func (w *world) listens(pid int, port uint16) {
	inode := uint64(pid)<<16 + uint64(port)
	w.sockets[inode] = port
	w.open[pid] = append(w.open[pid], inode)
}

// runs launches a container.
func (w *world) runs(t *testing.T, pid int32, given ports, id *mesosv1.ContainerID) {
	t.Helper()
	c := &slave.ContainerConfig{}
	if given != nil {
		c.Resources = []*mesosv1.Resource{given.resource()}
	}
	_, err := w.Prepare(context.Background(), id, c)
	require.NoError(t, err)
	require.NoError(t, w.Watch(context.Background(), id, w.sink))
	require.NoError(t, w.Isolate(context.Background(), id, pid))
}

func TestRounds(t *testing.T) {
	ctx := context.Background()
	made(t, "what a container was given is its own", true, func(t *testing.T, w *world) {
		w.runs(t, 10, ports{{80, 82}}, id("c"))
		w.listens(10, 80)
		w.listens(11, 82)
		w.listens(99, 4000)
		w.round(ctx)
		assert.Empty(t, w.said)
	})
	made(t, "other ports are not, of any process", true, func(t *testing.T, w *world) {
		w.runs(t, 10, ports{{80, 80}}, id("c"))
		w.runs(t, 20, nil, id("d"))
		for _, port := range []uint16{80, 82, 81, 90} {
			w.listens(11, port)
		}
		w.round(ctx)
		w.round(ctx)
		require.Len(t, w.said, 1)
		assert.Equal(t, "Container is listening on unallocated port(s): [81-82, 90-90]", w.said[0].GetMessage())
		assert.Equal(t, 2, w.reads, "the tables are read once a round, for all")
	})
	made(t, "without enforcement they are logged, once", false, func(t *testing.T, w *world) {
		w.runs(t, 10, nil, id("c"))
		w.listens(10, 80)
		w.round(ctx)
		w.round(ctx)
		assert.Empty(t, w.said)
		assert.Equal(t, 1, strings.Count(w.log.String(), "[80-80]"))
		w.listens(10, 443)
		w.round(ctx)
		assert.Contains(t, w.log.String(), "[80-80, 443-443]")
	})
	made(t, "what nested containers do counts for their root, and what they were given does not", true, func(t *testing.T, w *world) {
		w.runs(t, 10, ports{{80, 80}}, id("group"))
		w.runs(t, 20, ports{{81, 81}}, id("group", "task"))
		w.listens(20, 80)
		w.round(ctx)
		assert.Empty(t, w.said)
		w.listens(20, 81)
		w.round(ctx)
		require.Len(t, w.said, 1)
		assert.Contains(t, w.said[0].GetMessage(), "[81-81]")
		require.NoError(t, w.Cleanup(ctx, id("group", "task")))
		assert.Len(t, w.roots["group"].pids, 1)
	})
	made(t, "other networks are nobody's business", true, func(t *testing.T, w *world) {
		w.runs(t, 10, nil, id("c"))
		w.listens(11, 80)
		w.away[11] = true
		w.round(ctx)
		assert.Empty(t, w.said)

		named := &slave.ContainerConfig{ContainerInfo: &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_MESOS.Enum(),
			NetworkInfos: []*mesosv1.NetworkInfo{{Name: proto.String("cni")}}}}
		_, err := w.Prepare(ctx, id("n"), named)
		require.NoError(t, err)
		require.NoError(t, w.Watch(ctx, id("n"), w.sink))
		require.NoError(t, w.Isolate(ctx, id("n"), 30))
		require.NoError(t, w.Update(ctx, id("n"), nil, nil))
		w.listens(30, 80)
		w.round(ctx)
		assert.Empty(t, w.said)
		assert.NoError(t, w.Cleanup(ctx, id("n")))
	})
	made(t, "Update changes what is its own", true, func(t *testing.T, w *world) {
		w.runs(t, 10, nil, id("c"))
		require.NoError(t, w.Update(ctx, id("c"), []*mesosv1.Resource{ports{{80, 80}}.resource()}, nil))
		w.listens(10, 80)
		w.round(ctx)
		assert.Empty(t, w.said)
		require.NoError(t, w.Update(ctx, id("c"), nil, nil))
		w.round(ctx)
		assert.Len(t, w.said, 1)
	})
	made(t, "of recovered containers nothing is known before the first Update", true, func(t *testing.T, w *world) {
		states := []*slave.ContainerState{{ContainerId: id("c", "task"), Pid: proto.Uint64(20)}, {ContainerId: id("c"), Pid: proto.Uint64(10)}}
		require.NoError(t, w.Recover(ctx, states, []*mesosv1.ContainerID{id("orphan")}))
		require.NoError(t, w.Watch(ctx, id("c"), w.sink))
		w.listens(20, 80)
		w.round(ctx)
		assert.Empty(t, w.said)
		require.NoError(t, w.Update(ctx, id("c"), nil, nil))
		w.round(ctx)
		assert.Len(t, w.said, 1)
		assert.NoError(t, w.Cleanup(ctx, id("orphan")))
	})
	made(t, "when the container ends, nothing is said any more", true, func(t *testing.T, w *world) {
		life, end := context.WithCancel(ctx)
		_, err := w.Prepare(ctx, id("c"), &slave.ContainerConfig{})
		require.NoError(t, err)
		require.NoError(t, w.Watch(life, id("c"), w.sink))
		require.NoError(t, w.Isolate(ctx, id("c"), 10))
		w.listens(10, 80)
		end()
		w.round(ctx)
		require.NoError(t, w.Cleanup(ctx, id("c")))
		require.NoError(t, w.Cleanup(ctx, id("c")))
		w.round(ctx)
		assert.Empty(t, w.said)
		assert.Equal(t, 1, w.reads, "nobody is there to look at")
	})
	made(t, "tables that cannot be read end nobody, and are told once", true, func(t *testing.T, w *world) {
		w.runs(t, 10, nil, id("c"))
		w.listens(10, 80)
		w.fault = errors.New("no tables")
		w.round(ctx)
		w.round(ctx)
		assert.Empty(t, w.said)
		assert.Equal(t, 1, strings.Count(w.log.String(), "no tables"))
		w.fault = nil
		w.round(ctx)
		assert.Len(t, w.said, 1)
	})
}

func TestListenersOfThisHost(t *testing.T) {
	pid, port := listener(t, "127.0.0.1:0", nil)
	sockets, err := listeners(ports{{port, port}})
	require.NoError(t, err)
	require.Len(t, sockets, 1)
	var found []uint16
	for _, one := range tree(pid) {
		owned(one, sockets, func(port uint16) { found = append(found, port) })
	}
	assert.True(t, slices.Contains(found, port))
	assert.NotEmpty(t, network(0))
	assert.Equal(t, network(0), network(int(pid)))
	assert.Empty(t, network(1<<22+1), "there is no such process")
	owned(1<<22+1, sockets, func(uint16) { t.Error("there is no such process") })
}

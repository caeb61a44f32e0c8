package moduletest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/containerizer"
)

// containerizerChecks run shell commands, on which all of them agree.
func containerizerChecks() []check {
	return []check{
		{"Supports takes a command, and changes nothing", func(b *bench) {
			_, m := loaded[containerizer.Containerizer](b)
			r := b.run(m, "supported", "true")
			ok, err := m.Supports(b.Context(), r.id, r.config)
			require.NoError(b, err)
			assert.True(b, ok)
			again, err := m.Supports(b.Context(), r.id, r.config)
			require.NoError(b, err)
			assert.True(b, again)
		}},
		{"Recover finds nothing where nothing was, and no error in ids that it does not know", func(b *bench) {
			_, m := loaded[containerizer.Containerizer](b)
			info, err := m.Recover(b.Context(), []*slave.ContainerState{{
				ContainerId: containerID("unknown"), Pid: proto.Uint64(1), Directory: proto.String(b.TempDir())}})
			require.NoError(b, err)
			assert.Empty(b, info.GetCheckpointedContainerStates())
			assert.Empty(b, info.GetOrphanContainerIds())
		}},
		{"Launch holds the process before it runs anything", func(b *bench) {
			_, m := loaded[containerizer.Containerizer](b)
			r := b.run(m, "held", "touch ran; sleep 1000")
			r.launch()
			assert.NoError(b, syscall.Kill(int(r.pid), 0), "the process that Launch returned is not there")
			r.destroy()
			assert.NoFileExists(b, filepath.Join(r.config.GetDirectory(), "ran"))
		}},
		{"the command runs in its directory with its environment, and its output goes where it should", func(b *bench) {
			_, m := loaded[containerizer.Containerizer](b)
			r := b.run(m, "runs", `touch here; pwd; echo "$GREETING" >&2`)
			r.launch()
			r.start()
			assert.Equal(b, int32(0), r.ended().GetStatus())
			assert.FileExists(b, filepath.Join(r.config.GetDirectory(), "here"))
			if !r.hasImage() {
				assert.Equal(b, r.config.GetDirectory()+"\n", r.read("out"))
			}
			assert.Equal(b, "hello\n", r.read("err"))
			r.destroy()
		}},
		{"the status is as wait gives it", func(b *bench) {
			_, m := loaded[containerizer.Containerizer](b)
			for command, status := range map[string]int32{"exit 3": 3 << 8, "kill -TERM $$": int32(syscall.SIGTERM)} {
				r := b.run(m, "status-"+fmt.Sprint(status), command)
				r.launch()
				r.start()
				t := r.ended()
				require.NotNil(b, t.Status)
				assert.Equal(b, status, t.GetStatus(), command)
				r.destroy()
			}
		}},
		{"a command that cannot be run shows as its end", func(b *bench) {
			_, m := loaded[containerizer.Containerizer](b)
			r := b.run(m, "cannot-run", "")
			r.config.CommandInfo = &mesosv1.CommandInfo{Shell: proto.Bool(false), Value: proto.String("/no/such/program")}
			r.info.Command = r.config.CommandInfo
			r.launch()
			r.start()
			assert.NotZero(b, r.ended().GetStatus())
			assert.Contains(b, r.read("err"), "/no/such/program")
			r.destroy()
		}},
		{"Watch returns at once, and its sink is called once", func(b *bench) {
			_, m := loaded[containerizer.Containerizer](b)
			r := b.run(m, "watched", "sleep 1000")
			b.returns("Watch", r.launch)
			r.start()
			assert.Zero(b, r.calls.Load(), "sink is called while the container lives")
			r.destroy()
			assert.Equal(b, int32(1), r.calls.Load())
		}},
		{"Kill reaches the command, and says whether there is one", func(b *bench) {
			_, m := loaded[containerizer.Containerizer](b)
			r := b.run(m, "killed", `trap "exit 7" USR1; echo ready > ready; while :; do sleep 0.01; done`)
			r.launch()
			r.start()
			b.eventually("the command runs", func() bool { return r.exists("ready") })
			found, err := m.Kill(b.Context(), r.id, int32(syscall.SIGUSR1))
			require.NoError(b, err)
			assert.True(b, found)
			assert.Equal(b, int32(7<<8), r.ended().GetStatus())
			found, err = m.Kill(b.Context(), r.id, int32(syscall.SIGUSR1))
			require.NoError(b, err)
			assert.False(b, found, "it has ended")
			r.destroy()
		}},
		{"Destroy ends all processes, those too that have left their session", func(b *bench) {
			_, m := loaded[containerizer.Containerizer](b)
			r := b.run(m, "left", `setsid sh -c 'echo $$ > one; sleep 1000' & (setsid sh -c 'echo $$ > two; sleep 1000' &) ; sleep 1000`)
			r.launch()
			r.start()
			b.eventually("both run", func() bool { return r.exists("one") && r.exists("two") })
			r.destroy()
			assert.Equal(b, int32(1), r.calls.Load(), "the sink has been called by the time Destroy returns")
			for _, file := range []string{"one", "two"} {
				assert.False(b, alive(r.number(file)), "process %s lives", file)
			}
			require.NoError(b, m.Destroy(b.Context(), r.id), "again")
			require.NoError(b, m.End(b.Context(), r.id, &slave.ContainerTermination{}), "again")
		}},
		{"a launch can end after any call", func(b *bench) {
			_, m := loaded[containerizer.Containerizer](b)
			for ends, call := range []func(*run){func(*run) {}, (*run).make, (*run).launch, func(r *run) { r.launch(); r.start() }} {
				r := b.run(m, fmt.Sprint("ends-after-", ends), "sleep 1000")
				call(r)
				r.destroy()
			}
		}},
		{"Kill, Destroy, End and Remove have nothing to do for a container that is not known, other calls are errors", func(b *bench) {
			_, m := loaded[containerizer.Containerizer](b)
			id := containerID("never-seen")
			found, err := m.Kill(b.Context(), id, 9)
			assert.NoError(b, err)
			assert.False(b, found)
			assert.NoError(b, m.Destroy(b.Context(), id))
			assert.NoError(b, m.End(b.Context(), id, &slave.ContainerTermination{}))
			assert.NoError(b, m.Remove(b.Context(), id))
			assert.Error(b, m.Watch(b.Context(), id, func(*slave.ContainerTermination) {}), "Watch")
			assert.Error(b, m.Start(b.Context(), id), "Start")
		}},
		{"containers are independent of each other", func(b *bench) {
			k, m := loaded[containerizer.Containerizer](b)
			k.Hammer(6, 3, func(ctx context.Context, g, call int) error {
				r := b.run(m, fmt.Sprint("c", g, "-", call), "exit 5")
				if err := r.live(ctx); err != nil {
					return err
				}
				if status := (<-r.termination).GetStatus(); status != 5<<8 {
					return fmt.Errorf("wait status %d", status)
				}
				return nil
			})
		}},
		{"Close lets containers go on, and the next agent recovers them", recovered},
		{"a nested container lives in its parent", nested},
		{"a cancelled ctx is an error or an answer", func(b *bench) {
			k, m := loaded[containerizer.Containerizer](b)
			r := b.run(m, "cancelled", "sleep 1000")
			b.returns("Launch", func() {
				_, _ = m.Launch(ended(), r.id, r.config, r.info, r.files) // an error is an answer
			})
			b.returns("Start", func() { _ = m.Start(ended(), r.id) })
			r.destroy()
			assert.Empty(b, panics(k))
		}},
	}
}

// recovered stops an agent and starts the next.
func recovered(b *bench) {
	folder := b.TempDir()
	k, m := loaded[containerizer.Containerizer](b, StateDir(folder))
	lives, ends, orphan := b.run(m, "lives", "sleep 1000"), b.run(m, "ends", "exit 4"), b.run(m, "orphan", "sleep 1000")
	for _, r := range []*run{lives, ends, orphan} {
		r.launch()
		r.start()
	}
	ends.ended()
	k.Close()
	assert.True(b, alive(int(lives.pid)), "the container ended with its agent")
	assert.Zero(b, lives.calls.Load(), "sink is called after Close")

	_, next := loaded[containerizer.Containerizer](b, StateDir(folder))
	info, err := next.Recover(b.Context(), []*slave.ContainerState{lives.state(), ends.state()})
	require.NoError(b, err)
	for _, r := range []*run{lives, ends, orphan} {
		r.m, r.termination = next, make(chan *slave.ContainerTermination, 2)
		r.calls.Store(0)
		b.Cleanup(func() { _ = next.Destroy(context.Background(), r.id) }) // before the next agent stops
	}
	assert.Len(b, info.GetCheckpointedContainerStates(), 2)
	require.Len(b, info.GetOrphanContainerIds(), 1)
	assert.Equal(b, "orphan", info.GetOrphanContainerIds()[0].GetValue())
	lives.watch()
	ends.watch()
	assert.Equal(b, int32(4<<8), ends.ended().GetStatus(), "of one that ended while there was no agent")
	assert.Zero(b, lives.calls.Load())
	ends.destroy()
	orphan.destroy()
	lives.destroy()
	assert.Equal(b, int32(syscall.SIGKILL), lives.ended().GetStatus())
	for _, r := range []*run{lives, orphan} {
		assert.False(b, alive(int(r.pid)))
	}
}

// nested launches a container in another one.
func nested(b *bench) {
	_, m := loaded[containerizer.Containerizer](b)
	parent, child := b.run(m, "parent", "sleep 1000"), b.run(m, "child", "exit 2")
	child.id.Parent = parent.id
	_, err := m.Launch(b.Context(), child.id, child.config, child.info, child.files)
	assert.Error(b, err, "the parent is not there")
	parent.launch()
	parent.start()
	child.launch()
	child.start()
	assert.Equal(b, int32(2<<8), child.ended().GetStatus())
	child.destroy()
	assert.NoError(b, m.Remove(b.Context(), child.id))
	assert.Zero(b, parent.calls.Load(), "the parent ended with its child")
	parent.destroy()
}

// run is one container with the calls that its life consists of.
type run struct {
	b           *bench
	m           containerizer.Containerizer
	id          *mesosv1.ContainerID
	config      *slave.ContainerConfig
	info        *slave.ContainerLaunchInfo
	files       *slave.ContainerIO
	pid         int32
	calls       atomic.Int32 // of the sink
	termination chan *slave.ContainerTermination
}

// run describes a container and launches nothing.
func (b *bench) run(m containerizer.Containerizer, id, command string) *run {
	b.Helper()
	folder := b.TempDir()
	r := &run{b: b, m: m, id: containerID(id), termination: make(chan *slave.ContainerTermination, 2)}
	r.config = &slave.ContainerConfig{}
	if b.o.container != nil {
		r.config = proto.CloneOf(b.o.container)
	}
	r.config.Directory, r.config.CommandInfo = proto.String(folder), &mesosv1.CommandInfo{Value: proto.String(command)}
	r.info = &slave.ContainerLaunchInfo{
		Command: r.config.CommandInfo, WorkingDirectory: proto.String(folder),
		Environment: &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{
			{Name: proto.String("PATH"), Value: proto.String(os.Getenv("PATH"))},
			{Name: proto.String("GREETING"), Value: proto.String("hello")},
		}},
	}
	file := func(name string) *slave.ContainerIO_IO {
		return &slave.ContainerIO_IO{Type: slave.ContainerIO_IO_PATH.Enum(), Path: proto.String(filepath.Join(folder, name))}
	}
	r.files = &slave.ContainerIO{Out: file("out"), Err: file("err")}
	b.Cleanup(func() { _ = r.m.Destroy(context.Background(), r.id) }) // of a check that failed
	return r
}

// hasImage says whether the container sees other files than the host's.
func (r *run) hasImage() bool { return r.config.GetContainerInfo().GetMesos().GetImage() != nil }

// make is Launch alone, launch the container watched as well.
func (r *run) make() {
	r.b.Helper()
	var err error
	r.pid, err = r.m.Launch(r.b.Context(), r.id, r.config, r.info, r.files)
	require.NoError(r.b, err)
}

func (r *run) launch() {
	r.b.Helper()
	r.make()
	r.watch()
}

func (r *run) watch() {
	r.b.Helper()
	require.NoError(r.b, r.m.Watch(r.b.Context(), r.id, func(t *slave.ContainerTermination) {
		r.calls.Add(1)
		r.termination <- t
	}))
}

func (r *run) start() {
	r.b.Helper()
	require.NoError(r.b, r.m.Start(r.b.Context(), r.id))
}

// live is a whole life. Destroy returns when the sink has been called.
func (r *run) live(ctx context.Context) error {
	if _, err := r.m.Launch(ctx, r.id, r.config, r.info, r.files); err != nil {
		return err
	}
	gone := make(chan struct{})
	err := r.m.Watch(ctx, r.id, func(t *slave.ContainerTermination) {
		r.termination <- t
		close(gone)
	})
	if err != nil {
		return err
	}
	if err := r.m.Start(ctx, r.id); err != nil {
		return err
	}
	<-gone
	if err := r.m.Destroy(ctx, r.id); err != nil {
		return err
	}
	return r.m.End(ctx, r.id, &slave.ContainerTermination{})
}

// ended waits for the sink.
func (r *run) ended() *slave.ContainerTermination {
	r.b.Helper()
	var t *slave.ContainerTermination
	r.b.returns("a container", func() { t = <-r.termination })
	return t
}

func (r *run) destroy() {
	r.b.Helper()
	require.NoError(r.b, r.m.Destroy(r.b.Context(), r.id))
	require.NoError(r.b, r.m.End(r.b.Context(), r.id, &slave.ContainerTermination{}))
}

func (r *run) state() *slave.ContainerState {
	return &slave.ContainerState{ContainerId: r.id, Pid: proto.Uint64(uint64(r.pid)), Directory: r.config.Directory}
}

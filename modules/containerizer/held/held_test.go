package held

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
)

func id(values ...string) (all *mesosv1.ContainerID) {
	for _, v := range values {
		all = &mesosv1.ContainerID{Value: proto.String(v), Parent: all}
	}
	return all
}

func ExampleFolderOf() {
	nested := &mesosv1.ContainerID{Value: proto.String("child"), Parent: &mesosv1.ContainerID{Value: proto.String("parent")}}
	folder, err := FolderOf("/run/mesos", nested)
	fmt.Println(Key(nested), folder, err)
	// Output: parent/child /run/mesos/containers/parent/containers/child <nil>
}

func TestIDsDoNotLeaveTheFolder(t *testing.T) {
	for _, value := range []string{"", ".", "..", "a/b", "a\x00"} {
		for _, one := range []*mesosv1.ContainerID{id(value), id(value, "child"), id("parent", value)} {
			_, err := FolderOf("/run", one)
			assert.ErrorContains(t, err, "no name for a folder", "%q", value)
		}
	}
}

func newBooks(t *testing.T) *Books {
	b, err := NewBooks(t.TempDir(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return b
}

// made is a container with a folder and no holder.
func (b *Books) made(t *testing.T, of *mesosv1.ContainerID, config *slave.ContainerConfig) *Container {
	t.Helper()
	c, err := b.Enter(of)
	require.NoError(t, err)
	config.Directory, config.CommandInfo = proto.String("/sandbox"), &mesosv1.CommandInfo{}
	require.NoError(t, c.Make(config, &slave.ContainerLaunchInfo{User: proto.String("nobody")}))
	return c
}

func TestBooks(t *testing.T) {
	b := newBooks(t)
	parent := b.made(t, id("parent"), &slave.ContainerConfig{})
	child := b.made(t, id("parent", "child"), &slave.ContainerConfig{})
	other := b.made(t, id("parents"), &slave.ContainerConfig{})
	assert.Equal(t, []*Container{parent, child, other}, b.All())
	_, err := b.Enter(id("parent"))
	require.ErrorContains(t, err, "there is a container parent already")
	found, err := b.Find(id("parent", "child"))
	require.NoError(t, err)
	assert.Same(t, child, found)
	launch, err := child.LaunchInfo()
	require.NoError(t, err)
	assert.Equal(t, "nobody", launch.GetUser())
	info, err := os.Stat(child.Folder)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "environments may hold secrets")

	require.NoError(t, b.Drop(parent))
	assert.Equal(t, []*Container{other}, b.All())
	assert.NoDirExists(t, parent.Folder)
	_, err = b.Find(id("parent", "child"))
	require.ErrorContains(t, err, "there is no container parent/child")
	b.Close()
	assert.Empty(t, b.All())
	assert.DirExists(t, other.Folder, "it goes on")
}

func TestAHolderThatCannotBeMade(t *testing.T) {
	b := newBooks(t)
	c := b.made(t, id("c"), &slave.ContainerConfig{})
	require.ErrorContains(t, c.Fork(Program{Path: "/no/such/program"}, nil), "launcher_dir names its folder")
	require.NoError(t, os.Remove(filepath.Join(c.Folder, socketFile)))
	spoiled := errors.New("spoiled")
	err := c.Fork(Program{Path: "/bin/true", Start: func(string, []string, *syscall.ProcAttr) (int, error) { return 0, spoiled }}, nil)
	require.ErrorIs(t, err, spoiled)
	err = c.Fork(Program{Path: "/bin/true"}, &slave.ContainerIO{Out: &slave.ContainerIO_IO{}})
	require.ErrorContains(t, err, "this containerizer knows PATH")
	link := filepath.Join(t.TempDir(), "out")
	require.NoError(t, os.Symlink("/etc/passwd", link))
	err = c.Fork(Program{Path: "/bin/true"}, &slave.ContainerIO{Out: &slave.ContainerIO_IO{Type: slave.ContainerIO_IO_PATH.Enum(), Path: &link}})
	require.ErrorIs(t, err, syscall.ELOOP, "a link may lead anywhere")
	c.Abandon() // nothing to do
	require.ErrorIs(t, c.Make(&slave.ContainerConfig{}, nil), os.ErrExist)
}

func TestAHolderThatSaysNothing(t *testing.T) {
	b := newBooks(t)
	c := b.made(t, id("c"), &slave.ContainerConfig{})
	require.NoError(t, c.Fork(Program{Path: "/bin/sleep", Arguments: []string{"sleep", "1000"}}, nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := c.Ask(ctx, shim.Run, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, c.Start(ctx), context.Canceled)
	ended := make(chan *slave.ContainerTermination, 1)
	c.Watch(t.Context(), func(t *slave.ContainerTermination) { ended <- t })
	c.Follow(b.log, func(_ *Container, status *int32) *slave.ContainerTermination {
		assert.Nil(t, status)
		return &slave.ContainerTermination{Message: proto.String("left")}
	})
	forced := false
	require.NoError(t, c.Destroy(t.Context(), func() { forced = true; c.Kill() }))
	assert.True(t, forced)
	assert.Equal(t, "left", (<-ended).GetMessage())
	require.NoError(t, c.Destroy(t.Context(), nil), "again")
	assert.True(t, c.HasEnded())
	require.ErrorContains(t, c.IsHeld(), "container c has ended")
	again := make(chan *slave.ContainerTermination, 1)
	c.Watch(t.Context(), func(t *slave.ContainerTermination) { again <- t })
	assert.Equal(t, "left", (<-again).GetMessage(), "who comes late is told as well")
}

func TestRecover(t *testing.T) {
	b := newBooks(t)
	debug := &slave.ContainerConfig{ContainerClass: slave.ContainerClass_DEBUG.Enum()}
	ended, said, lost := b.made(t, id("parent"), &slave.ContainerConfig{}), b.made(t, id("parent", "said"), &slave.ContainerConfig{}), b.made(t, id("parent", "lost"), &slave.ContainerConfig{})
	b.made(t, id("parent", "debug"), debug)
	b.made(t, id("orphan"), &slave.ContainerConfig{})
	keep, err := said.Ended(&slave.ContainerTermination{Message: proto.String("of before")})
	require.NoError(t, err)
	assert.True(t, keep)
	keep, err = ended.Ended(nil)
	require.NoError(t, err)
	assert.False(t, keep, "it is not nested")
	require.NoError(t, Replace(ended.StatusFile(), []byte("9\n")))
	require.NoError(t, os.WriteFile(filepath.Join(lost.Folder, terminationFile), []byte("\xff"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(lost.Folder, configFile), []byte("\xff"), 0o600))

	next, err := NewBooks(b.folder, b.log)
	require.NoError(t, err)
	info, err := next.Recover([]*slave.ContainerState{{ContainerId: id("parent")}, {ContainerId: id("unknown")}}, Recovery{
		Outcome: func(_ *Container, status *int32) *slave.ContainerTermination {
			return &slave.ContainerTermination{Status: status}
		},
		Pid: func(*Container) int { return 77 },
	})
	require.NoError(t, err)
	var keys []string
	for _, s := range info.GetCheckpointedContainerStates() {
		keys = append(keys, Key(s.GetContainerId()))
		assert.Equal(t, uint64(77), s.GetPid())
	}
	assert.Equal(t, []string{"parent", "parent/lost", "parent/said"}, keys, "parents first")
	keys = nil
	for _, o := range info.GetOrphanContainerIds() {
		keys = append(keys, Key(o))
	}
	assert.Equal(t, []string{"orphan", "parent/debug"}, keys)
	for _, one := range []struct {
		of   *mesosv1.ContainerID
		want *slave.ContainerTermination
	}{
		{id("parent"), &slave.ContainerTermination{Status: proto.Int32(9)}},
		{id("parent", "said"), &slave.ContainerTermination{Message: proto.String("of before")}},
		{id("parent", "lost"), &slave.ContainerTermination{}},
	} {
		c, err := next.Find(one.of)
		require.NoError(t, err)
		told := make(chan *slave.ContainerTermination, 1)
		c.Watch(t.Context(), func(t *slave.ContainerTermination) { told <- t })
		assert.True(t, proto.Equal(one.want, <-told), Key(one.of))
		require.ErrorContains(t, c.AttachOutput(t.Context(), nil), "no I/O server")
	}
	c, err := next.Find(id("parent", "debug"))
	require.NoError(t, err)
	require.ErrorContains(t, c.AttachOutput(t.Context(), nil), "has ended")
	_, ok := ReadNumber(filepath.Join(c.Folder, "nothing"))
	assert.False(t, ok)
}

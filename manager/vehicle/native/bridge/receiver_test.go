package bridge

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/manager/vehicle/native/bridge/internal/objects"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/isolator"
)

// What mesos/module.h says of a receiver's answers.
const (
	taken  = 0
	closed = 1
	full   = 2
)

const (
	patience = 10 * time.Second
	tick     = time.Millisecond
)

func named(value string) *mesosv1.ContainerID { return &mesosv1.ContainerID{Value: &value} }

func limitation(t *testing.T, message string) []byte {
	t.Helper()
	data, err := proto.Marshal(&slave.ContainerLimitation{Message: &message})
	require.NoError(t, err)
	return data
}

// keeper is an isolator that keeps the receiver it was given last.
func keeper(t *testing.T) isolator.Isolator {
	t.Helper()
	i := wrapped[isolator.Isolator](t, "Isolator", "keeper")
	t.Cleanup(func() { End(i) })
	return i
}

func TestReceivers(t *testing.T) {
	watch := func(t *testing.T, i isolator.Isolator, ctx context.Context) chan string {
		t.Helper()
		said := make(chan string, 100)
		require.NoError(t, i.Watch(ctx, named("c"), func(l *slave.ContainerLimitation) { said <- l.GetMessage() }))
		return said
	}
	t.Run("take what a foreign thread says, in order, as often as it does", func(t *testing.T) {
		said := watch(t, keeper(t), context.Background())
		assert.True(t, objects.Listens())
		for _, text := range []string{"one", "two", strings.Repeat("x", 1<<20)} {
			assert.EqualValues(t, taken, objects.Send(limitation(t, text)))
		}
		assert.Equal(t, "one", <-said)
		assert.Equal(t, "two", <-said)
		assert.Len(t, <-said, 1<<20)
	})
	t.Run("take nothing after ctx has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		i := keeper(t)
		said := watch(t, i, ctx)
		require.EqualValues(t, taken, objects.Send(limitation(t, "in time")))
		assert.Equal(t, "in time", <-said)
		cancel()
		require.Eventually(t, func() bool { return !objects.Listens() }, patience, tick)
		assert.EqualValues(t, closed, objects.Send(limitation(t, "late")))
		again := watch(t, i, context.Background())
		assert.EqualValues(t, taken, objects.Send(limitation(t, "another")))
		assert.Equal(t, "another", <-again)
		assert.Empty(t, said)
	})
	t.Run("are shut from the start if ctx has ended before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		watch(t, keeper(t), ctx)
		assert.False(t, objects.Listens())
		assert.EqualValues(t, closed, objects.Send(limitation(t, "late")))
	})
	t.Run("are shut if the call fails", func(t *testing.T) {
		i := keeper(t)
		err := i.Watch(context.Background(), named("!"), func(*slave.ContainerLimitation) { t.Error("nobody watches") })
		require.EqualError(t, err, "cannot watch")
		assert.False(t, objects.Listens())
	})
	t.Run("survive a call after the object has gone", func(t *testing.T) {
		i := keeper(t)
		said := watch(t, i, context.Background())
		End(i)
		End(i)
		for range 3 {
			assert.False(t, objects.Listens())
			assert.EqualValues(t, closed, objects.Send(limitation(t, "from the grave")))
		}
		assert.Empty(t, said)
		watch(t, i, context.Background())
		assert.False(t, objects.Listens(), "nor is another opened")
	})
	t.Run("report what is no message", func(t *testing.T) {
		i := keeper(t)
		faults := make(chan error, 1)
		Report(i, func(err error) { faults <- err })
		said := watch(t, i, context.Background())
		assert.EqualValues(t, taken, objects.Send([]byte{0xff}))
		assert.ErrorContains(t, <-faults, "Isolator.Watch: the module said later what cannot be used: no mesos.slave.ContainerLimitation: ")
		assert.EqualValues(t, taken, objects.Send(nil))
		assert.Equal(t, "", <-said, "no bytes are an empty message")
	})
	t.Run("bound what lies unread", func(t *testing.T) {
		i := keeper(t)
		entered, leave := make(chan struct{}, 1), make(chan struct{})
		require.NoError(t, i.Watch(context.Background(), named("c"), func(*slave.ContainerLimitation) {
			select {
			case entered <- struct{}{}:
			default:
			}
			<-leave
		}))
		defer close(leave)
		assert.EqualValues(t, full, objects.Send(make([]byte, 64<<20)), "one alone")
		assert.EqualValues(t, taken, objects.Send(limitation(t, "the first")))
		<-entered
		many := limitation(t, strings.Repeat("x", 30<<20))
		assert.EqualValues(t, taken, objects.Send(many))
		assert.EqualValues(t, taken, objects.Send(many))
		assert.EqualValues(t, full, objects.Send(many))
	})
	t.Run("are many at a time, and none knows of the others", func(t *testing.T) {
		i := keeper(t)
		first := watch(t, i, context.Background())
		for range 100 {
			ctx, cancel := context.WithCancel(context.Background())
			watch(t, i, ctx)
			cancel()
		}
		last := watch(t, i, context.Background())
		assert.EqualValues(t, taken, objects.Send(limitation(t, "for the last")))
		assert.Equal(t, "for the last", <-last)
		assert.Empty(t, first)
	})
	t.Run("leave no file open", func(t *testing.T) {
		files := func() int {
			all, err := os.ReadDir("/proc/self/fd")
			require.NoError(t, err)
			return len(all)
		}
		before := files()
		for range 50 {
			i := wrapped[isolator.Isolator](t, "Isolator", "keeper")
			watch(t, i, context.Background())
			End(i)
		}
		assert.LessOrEqual(t, files(), before+1)
	})
}

func TestMessagesAcross(t *testing.T) {
	ctx := context.Background()
	t.Run("a result that is nothing, empty, garbage, or two", func(t *testing.T) {
		i := keeper(t)
		config := &slave.ContainerConfig{CommandInfo: &mesosv1.CommandInfo{}, Directory: proto.String("/")}
		info, err := i.Prepare(ctx, named("n"), config)
		require.NoError(t, err)
		assert.Nil(t, info)
		info, err = i.Prepare(ctx, named("e"), config)
		require.NoError(t, err)
		assert.NotNil(t, info)
		_, err = i.Prepare(ctx, named("g"), config)
		assert.ErrorContains(t, err, "Isolator.Prepare returned what cannot be used: no mesos.slave.ContainerLaunchInfo: ")
		_, err = i.Prepare(ctx, named("t"), config)
		assert.ErrorContains(t, err, "it wrote more than one element, and the result is no list")
		_, err = i.Prepare(ctx, &mesosv1.ContainerID{}, config)
		assert.ErrorContains(t, err, "required field mesos.v1.ContainerID.value not set", "what is not whole does not cross")
	})
	t.Run("nil is not an empty message", func(t *testing.T) {
		h := wrapped[hook.Hook](t, "Hook", "teller")
		executor := &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: proto.String("e")}}
		_, err := h.SlavePreLaunchDockerTaskExecutorDecorator(ctx, nil, executor, "", "", "", &mesosv1.Environment{})
		assert.EqualError(t, err, "task 0, executor 1, environment 1 of 0")
		_, err = h.SlavePreLaunchDockerTaskExecutorDecorator(ctx, nil, executor, "", "", "", nil)
		assert.EqualError(t, err, "task 0, executor 1, environment 0 of 0")
	})
	t.Run("methods that a library is too old for have their defaults", func(t *testing.T) {
		h := wrapped[hook.Hook](t, "Hook", "young")
		assert.EqualError(t, h.MasterSlaveLostHook(ctx, &mesosv1.AgentInfo{Hostname: proto.String("h")}), "the old one is called")
		labels, err := h.SlaveRunTaskLabelDecorator(ctx, nil, nil, nil, nil)
		require.NoError(t, err)
		assert.Nil(t, labels)
		attributes, err := h.SlaveAttributesDecorator(ctx, nil)
		require.NoError(t, err)
		assert.Nil(t, attributes)
		i := keeper(t)
		nests, err := i.SupportsNesting(ctx)
		require.NoError(t, err)
		assert.False(t, nests)
		assert.NoError(t, i.Isolate(ctx, named("c"), 1))
	})
	t.Run("what has nothing to report is left alone", func(t *testing.T) {
		Report(errors.New("no object"), nil)
		End(nil)
	})
}

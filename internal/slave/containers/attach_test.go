package containers_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/slave/containers"
)

// transcript is what came out of a container.
type transcript struct {
	mu       sync.Mutex
	out, err strings.Builder
	ended    chan struct{}
}

func (t *transcript) take(record *agent.ProcessIO) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case record == nil:
		close(t.ended)
	case record.GetData().GetType() == agent.ProcessIO_Data_STDERR:
		t.err.Write(record.GetData().GetData())
	default:
		t.out.Write(record.GetData().GetData())
	}
}

func (t *transcript) output() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out.String()
}

func (r *real) attach(ctx context.Context, c *mesosv1.ContainerID) *transcript {
	r.t.Helper()
	t := &transcript{ended: make(chan struct{})}
	require.NoError(r.t, r.AttachOutput(ctx, c, t.take))
	return t
}

func (r *real) says(t *transcript, text string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return strings.Contains(t.output(), text) }, limit, time.Millisecond, text)
}

func stdin(text string) *agent.ProcessIO {
	return &agent.ProcessIO{Type: agent.ProcessIO_DATA.Enum(), Data: &agent.ProcessIO_Data{Type: agent.ProcessIO_Data_STDIN.Enum(), Data: []byte(text)}}
}

// debug is a container of the class DEBUG in the container "one".
func (r *real) debug(command string) containers.LaunchRequest {
	request := r.request(id("one", "debug"), command)
	request.Config.ContainerClass = slave.ContainerClass_DEBUG.Enum()
	return request
}

func TestADebugContainer(t *testing.T) {
	t.Run("has its parent's environment and folder, and loses no output", func(t *testing.T) {
		r := newReal(t)
		parent := r.request(id("one"), "sleep 1000")
		parent.Environment = variables("OF", "parent", "BOTH", "parent").GetVariables()
		r.launch(parent)
		request := r.debug("pwd; echo $OF $BOTH $MESOS_SANDBOX; echo err >&2")
		request.Config.CommandInfo.Environment = variables("BOTH", "debug")
		r.launch(request)
		said := r.attach(r.ctx(), id("one", "debug"))
		<-said.ended
		directory := parent.Config.GetDirectory()
		assert.Equal(t, directory+"\nparent debug "+directory+"\n", said.output())
		assert.Equal(t, "err\n", said.err.String())
		termination, err := r.Wait(r.ctx(), id("one", "debug"))
		require.NoError(t, err)
		assert.Equal(t, int32(0), termination.GetStatus())
	})
	t.Run("reads until the empty record, over several attachments", func(t *testing.T) {
		r := newReal(t)
		r.launch(r.request(id("one"), "sleep 1000"))
		r.launch(r.debug("cat; echo over"))
		said := r.attach(r.ctx(), id("one", "debug"))
		for _, text := range []string{"first\n", "second\n"} {
			input, err := r.AttachInput(r.ctx(), id("one", "debug"))
			require.NoError(t, err)
			require.NoError(t, input.Write(r.ctx(), &agent.ProcessIO{Type: agent.ProcessIO_CONTROL.Enum(),
				Control: &agent.ProcessIO_Control{Type: agent.ProcessIO_Control_HEARTBEAT.Enum()}}))
			require.NoError(t, input.Write(r.ctx(), stdin(text)))
			r.says(said, text)
			input.Close() // which ends nothing
		}
		input, err := r.AttachInput(r.ctx(), id("one", "debug"))
		require.NoError(t, err)
		require.NoError(t, input.Write(r.ctx(), stdin("")))
		<-said.ended
		assert.Equal(t, "first\nsecond\nover\n", said.output())
	})
	t.Run("has its first words kept for who attaches late", func(t *testing.T) {
		r := newReal(t)
		r.launch(r.request(id("one"), "sleep 1000"))
		r.launch(r.debug("echo first"))
		status := filepath.Join(r.runtime, "containers", "one", "containers", "debug", "status")
		require.Eventually(t, func() bool {
			_, err := os.Stat(status)
			return err == nil
		}, limit, time.Millisecond, "the command has ended")
		said := r.attach(r.ctx(), id("one", "debug"))
		<-said.ended
		assert.Equal(t, "first\n", said.output())
	})
	t.Run("that writes much loses nothing", func(t *testing.T) {
		r := newReal(t)
		r.launch(r.request(id("one"), "sleep 1000"))
		r.launch(r.debug("head -c 3000000 /dev/zero"))
		said := r.attach(r.ctx(), id("one", "debug"))
		<-said.ended
		assert.Equal(t, 3000000, len(said.output()))
	})
	t.Run("to which nobody attaches ends all the same, with its output in its file", func(t *testing.T) {
		r := newReal(t)
		r.launch(r.request(id("one"), "sleep 1000"))
		r.launch(r.debug("echo alone"))
		_, err := r.Destroy(r.ctx(), id("one"))
		require.NoError(t, err)
		assert.Contains(t, []string{"alone\n", ""}, r.output(id("one", "debug"), "stdout"), "it may not have come to it")
	})
	t.Run("goes on when who was attached has gone", func(t *testing.T) {
		r := newReal(t)
		r.launch(r.request(id("one"), "sleep 1000"))
		r.launch(r.debug("read line; echo $line; read line; echo $line"))
		ctx, cancel := context.WithCancel(r.ctx())
		first := r.attach(ctx, id("one", "debug"))
		input, err := r.AttachInput(r.ctx(), id("one", "debug"))
		require.NoError(t, err)
		require.NoError(t, input.Write(r.ctx(), stdin("one\n")))
		r.says(first, "one\n")
		cancel()
		second := r.attach(r.ctx(), id("one", "debug"))
		require.NoError(t, input.Write(r.ctx(), stdin("two\n")))
		<-second.ended
		assert.Equal(t, "two\n", second.output())
		assert.Equal(t, "one\n", first.output())
	})
}

func TestAnAgentThatStopsLeavesWhoIsAttached(t *testing.T) {
	r := newReal(t)
	r.launch(r.request(id("one"), "sleep 1000"))
	r.launch(r.debug("cat"))
	said := r.attach(r.ctx(), id("one", "debug"))
	stop(t, r.Service, r.engine)
	<-said.ended
	r.begin([]*slave.ContainerState{state("one")}) // and ends the containers with the test
}

// terminal is a container with a terminal.
func (r *real) terminal(command string) containers.LaunchRequest {
	request := r.request(id("one"), command)
	request.Config.ContainerInfo = &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_MESOS.Enum(),
		TtyInfo: &mesosv1.TTYInfo{WindowSize: &mesosv1.TTYInfo_WindowSize{Rows: proto.Uint32(24), Columns: proto.Uint32(80)}}}
	return request
}

func TestATerminal(t *testing.T) {
	r := newReal(t)
	r.launch(r.terminal(`test -t 0 && test -t 1 && test -t 2 && echo yes; stty size; trap 'stty size; exit 5' WINCH; echo ready > ready; while :; do sleep 0.01; done`))
	said := r.attach(r.ctx(), id("one"))
	input, err := r.AttachInput(r.ctx(), id("one"))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(r.work, "one", "ready"))
		return err == nil
	}, limit, time.Millisecond)
	require.NoError(t, input.Write(r.ctx(), stdin("")), "which is no end of a terminal's input")
	require.NoError(t, input.Write(r.ctx(), &agent.ProcessIO{Type: agent.ProcessIO_CONTROL.Enum(), Control: &agent.ProcessIO_Control{
		Type:    agent.ProcessIO_Control_TTY_INFO.Enum(),
		TtyInfo: &mesosv1.TTYInfo{WindowSize: &mesosv1.TTYInfo_WindowSize{Rows: proto.Uint32(50), Columns: proto.Uint32(132)}}}}))
	termination, err := r.Wait(r.ctx(), id("one"))
	require.NoError(t, err)
	assert.Equal(t, int32(5<<8), termination.GetStatus())
	<-said.ended
	assert.Equal(t, "yes\r\n24 80\r\n50 132\r\n", r.output(id("one"), "stdout"), "all output goes to the file too")
	assert.Contains(t, said.output(), "50 132\r\n")
}

func TestATerminalThatIsTypedAt(t *testing.T) {
	r := newReal(t)
	r.launch(r.terminal("cat"))
	said := r.attach(r.ctx(), id("one"))
	input, err := r.AttachInput(r.ctx(), id("one"))
	require.NoError(t, err)
	require.NoError(t, input.Write(r.ctx(), stdin("hello\n")))
	r.says(said, "hello\r\nhello\r\n")
	require.NoError(t, input.Write(r.ctx(), stdin("\x04")), "control and D")
	termination, err := r.Wait(r.ctx(), id("one"))
	require.NoError(t, err)
	assert.Equal(t, int32(0), termination.GetStatus())
}

func TestWhatCannotBeAttached(t *testing.T) {
	r := newReal(t)
	r.launch(r.request(id("one"), "sleep 1000"))
	err := r.AttachOutput(r.ctx(), id("one"), func(*agent.ProcessIO) {})
	require.ErrorContains(t, err, "has no I/O server")
	input, err := r.AttachInput(r.ctx(), id("one"))
	require.NoError(t, err)
	require.ErrorContains(t, input.Write(r.ctx(), stdin("x")), "has no I/O server")

	r.launch(r.debug("cat"))
	input, err = r.AttachInput(r.ctx(), id("one", "debug"))
	require.NoError(t, err)
	for about, record := range map[string]*agent.ProcessIO{
		"nothing": {},
		"output":  {Type: agent.ProcessIO_DATA.Enum(), Data: &agent.ProcessIO_Data{Type: agent.ProcessIO_Data_STDOUT.Enum()}},
		"control": {Type: agent.ProcessIO_CONTROL.Enum(), Control: &agent.ProcessIO_Control{}},
	} {
		require.ErrorContains(t, input.Write(r.ctx(), record), "input", about)
	}
}

package runc_test

import (
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
)

// screen collects what somebody attached sees.
type screen struct {
	mu       sync.Mutex
	out, err strings.Builder
	over     chan struct{}
}

// attach attaches to a container's output.
func (c *container) attach() *screen {
	c.b.t.Helper()
	s := &screen{over: make(chan struct{})}
	require.NoError(c.b.t, c.b.AttachOutput(c.b.t.Context(), c.id, func(record *agent.ProcessIO) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case record == nil:
			close(s.over)
		case record.GetData().GetType() == agent.ProcessIO_Data_STDERR:
			s.err.Write(record.GetData().GetData())
		default:
			s.out.Write(record.GetData().GetData())
		}
	}))
	return s
}

func (s *screen) shows(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.out.String(), text)
}

func (c *container) write(data string) {
	c.b.t.Helper()
	require.NoError(c.b.t, c.b.AttachInput(c.b.t.Context(), c.id, &agent.ProcessIO{Type: agent.ProcessIO_DATA.Enum(),
		Data: &agent.ProcessIO_Data{Type: agent.ProcessIO_Data_STDIN.Enum(), Data: []byte(data)}}))
}

func withTerminal(c *container) {
	c.config.ContainerInfo = proto.CloneOf(c.config.ContainerInfo)
	if c.config.ContainerInfo == nil {
		c.config.ContainerInfo = &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_MESOS.Enum()}
	}
	c.config.ContainerInfo.TtyInfo = &mesosv1.TTYInfo{WindowSize: &mesosv1.TTYInfo_WindowSize{Rows: proto.Uint32(33), Columns: proto.Uint32(44)}}
}

func TestATerminal(t *testing.T) {
	b := newBench(t, nil)
	for name, change := range map[string]func(*container){
		"in an image":           withTerminal,
		"with the host's files": func(c *container) { c.config.ContainerInfo = nil; withTerminal(c) },
	} {
		t.Run(name, func(t *testing.T) {
			c := b.container(containerID("tty-"+strings.ReplaceAll(name, " ", "-")), "tty; read line; echo said $line; read line; exit 6")
			c.launch.Environment.Variables[0].Value = proto.String("/bin:/usr/bin")
			change(c)
			c.hold()
			s := c.attach()
			require.NoError(t, b.Start(t.Context(), c.id))
			eventually(t, func() bool { return s.shows("/dev/pts/") })
			c.write("hello\n")
			eventually(t, func() bool { return s.shows("said hello") })
			require.NoError(t, b.AttachInput(t.Context(), c.id, &agent.ProcessIO{Type: agent.ProcessIO_CONTROL.Enum(), Control: &agent.ProcessIO_Control{
				Type: agent.ProcessIO_Control_TTY_INFO.Enum(), TtyInfo: &mesosv1.TTYInfo{WindowSize: &mesosv1.TTYInfo_WindowSize{Rows: proto.Uint32(5), Columns: proto.Uint32(6)}}}}))
			c.write("\n")
			assert.Equal(t, int32(6<<8), c.end().GetStatus())
			<-s.over
			c.destroy()
			assert.Contains(t, c.text("out"), "said hello", "it is in the container's own file too")
		})
	}
	b.isClean()
}

func TestDebug(t *testing.T) {
	b := newBench(t, nil)
	parent := b.container(containerID("parent"), "echo up; export INNER=1; exec sleep 1000")
	parent.launch.Environment.Variables = append(parent.launch.Environment.Variables, variable("OUTER", "parent's"))
	parent.start()
	parent.await("up")
	debug := func(name, command string) *container {
		c := b.container(containerID("parent", name), command)
		c.config.ContainerClass, c.config.ContainerInfo = slave.ContainerClass_DEBUG.Enum(), nil
		c.launch.WorkingDirectory, c.launch.Environment = nil, &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{variable("OWN", "1")}}
		return c
	}
	t.Run("a process in its parent's container", func(t *testing.T) {
		c := debug("process", "cat /image; pwd; echo $OUTER $OWN; cat; echo done >&2; exit 3")
		c.start()
		s := c.attach()
		c.write("through the pipe\n")
		c.write("")
		assert.Equal(t, int32(3<<8), c.end().GetStatus())
		<-s.over
		assert.Equal(t, "shell/mnt/mesos/sandbox\nparent's 1\nthrough the pipe\n", s.out.String())
		assert.Equal(t, "done\n", s.err.String())
		c.destroy()
	})
	t.Run("with a terminal", func(t *testing.T) {
		c := debug("terminal", "tty; read line; echo said $line")
		withTerminal(c)
		c.hold()
		s := c.attach()
		require.NoError(t, b.Start(t.Context(), c.id))
		c.write("hello\n")
		assert.Zero(t, c.end().GetStatus())
		<-s.over
		assert.True(t, s.shows("said hello"))
		c.destroy()
	})
	t.Run("a program that is not there shows as its end", func(t *testing.T) {
		c := debug("nothing", "")
		c.launch.Command = &mesosv1.CommandInfo{Shell: proto.Bool(false), Value: proto.String("/no/such/program")}
		c.start()
		s := c.attach()
		assert.NotZero(t, c.end().GetStatus())
		<-s.over
		assert.Contains(t, s.err.String(), "/no/such/program")
		c.destroy()
	})
	t.Run("signals and an end from outside", func(t *testing.T) {
		c := debug("killed", "echo up; exec sleep 1000")
		c.start()
		s := c.attach()
		eventually(t, func() bool { return s.shows("up") })
		found, err := b.Kill(t.Context(), c.id, int32(syscall.SIGTERM))
		require.NoError(t, err)
		assert.True(t, found)
		assert.Equal(t, int32(syscall.SIGTERM), c.end().GetStatus())
		c.destroy()
		c = debug("destroyed", "setsid sleep 1000 & echo up; exec sleep 1000")
		c.start()
		s = c.attach()
		eventually(t, func() bool { return s.shows("up") })
		c.destroy()
		assert.Equal(t, int32(syscall.SIGKILL), c.end().GetStatus())
		<-s.over
	})
	t.Run("one that was never started", func(t *testing.T) {
		c := debug("held", "true")
		c.hold()
		c.destroy()
		assert.Nil(t, c.end().Status)
	})
	t.Run("the parent has no part in all that", func(t *testing.T) {
		assert.True(t, alive(parent.pid))
		require.ErrorContains(t, b.AttachOutput(t.Context(), parent.id, func(*agent.ProcessIO) {}), "no I/O server")
		_, err := b.Launch(t.Context(), containerID("parent"), parent.config, parent.launch, parent.files)
		require.ErrorContains(t, err, "already")
	})
	parent.destroy()
	b.isClean()
}

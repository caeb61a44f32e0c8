package operator_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/slave/operator"
)

// launcher launches nothing and remembers what it should.
type launcher struct {
	measured
	users   map[string]string // of containers that run
	outcome containers.Launched
	err     error
	last    *slave.ContainerConfig
	request containers.LaunchRequest
}

func (l *launcher) User(id *mesosv1.ContainerID) string { return l.users[id.GetValue()] }

func (l *launcher) Launch(ctx context.Context, request containers.LaunchRequest) (containers.Launched, error) {
	l.request, l.last = request, request.Config
	return l.outcome, errors.Join(l.err, ctx.Err())
}

func TestWhomAContainerRunsAs(t *testing.T) {
	deep := &mesosv1.ContainerID{Value: proto.String("deep"), Parent: &mesosv1.ContainerID{Value: proto.String("mid"), Parent: executorContainer}}
	for name, c := range map[string]struct {
		id                             *mesosv1.ContainerID
		command, mid, root             string // users
		executor, executors, framework string
		stay                           bool
		want                           string
	}{
		"as its command says":                      {id: deep, command: "daemon", mid: "bin", root: "bin", executor: "bin", framework: "bin", want: "daemon"},
		"as its parent does":                       {id: deep, mid: "daemon", root: "bin", executor: "bin", framework: "bin", want: "daemon"},
		"as the executor, if nobody knows":         {id: deep, root: "bin", executor: "daemon", framework: "bin", want: "daemon"},
		"as the executor's command, after restart": {id: nested("x"), executors: "daemon", framework: "bin", want: "daemon"},
		"as the framework, after restart":          {id: nested("x"), framework: "daemon", want: "daemon"},
		"as the agent, if nobody is named":         {id: nested("x")},
		"as the agent, without --switch_user":      {id: deep, command: "bin", mid: "bin", executor: "bin", stay: true},
	} {
		t.Run(name, func(t *testing.T) {
			box := t.TempDir()
			v := empty()
			v.Frameworks = []*core.FrameworkView{{
				Info: &mesosv1.FrameworkInfo{Name: proto.String("f"), User: &c.framework},
				Executors: []*core.ExecutorView{{
					Info: &mesosv1.ExecutorInfo{Command: &mesosv1.CommandInfo{User: &c.executors}}, User: c.executor, Container: executorContainer, Directory: box,
				}},
			}}
			l := &launcher{users: map[string]string{"mid": c.mid, "E": c.root}, outcome: containers.Success}
			s := serve(t, v, l, nil, func(o *operator.Config) { o.SwitchUser = !c.stay })
			command := shell("true")
			if c.command != "" {
				command.User = &c.command
			}
			require.Equal(t, http.StatusOK, s.status(launch(c.id, command, nil)))
			assert.Equal(t, c.want, l.last.GetUser())
			info, err := os.Stat(l.last.GetDirectory())
			require.NoError(t, err)
			if c.want == "daemon" && os.Geteuid() == 0 {
				assert.EqualValues(t, 1, info.Sys().(*syscall.Stat_t).Uid, "its sandbox is its own")
			}
		})
	}
}

func TestWhatALaunchIsTold(t *testing.T) {
	box := t.TempDir()
	v := busy(t)
	v.Frameworks[0].Executors[0].Directory = box
	l := &launcher{outcome: containers.Success}
	s := serve(t, v, l, nil, nil)
	x := &mesosv1.ContainerID{Value: proto.String("x"), Parent: &mesosv1.ContainerID{Value: proto.String("C1")}}

	t.Run("of a container", func(t *testing.T) {
		call := launch(x, shell("true"), terminal())
		call.LaunchContainer.Resources = messages(t, "cpus:1")
		call.LaunchContainer.Limits = map[string]*mesosv1.Value_Scalar{"cpus": {Value: proto.Float64(2)}}
		require.Equal(t, http.StatusOK, s.status(call))
		assert.True(t, proto.Equal(x, l.request.ID))
		assert.Empty(t, l.request.Environment, "nothing of the executor's")
		want := &slave.ContainerConfig{
			CommandInfo: shell("true"), ContainerInfo: terminal(), Resources: messages(t, "cpus:1"),
			Limits: call.GetLaunchContainer().GetLimits(), Directory: proto.String(filepath.Join(box, "containers", "x")),
		}
		assert.True(t, proto.Equal(want, l.last), l.last)
	})

	t.Run("of a session", func(t *testing.T) {
		l.outcome, l.err = containers.NotSupported, errors.New("it is too late")
		assert.Equal(t, http.StatusBadRequest, s.status(session(x, shell("true"), nil)))
		assert.Equal(t, slave.ContainerClass_DEBUG, l.last.GetContainerClass())
	})

	t.Run("without a command", func(t *testing.T) {
		l.outcome, l.err = containers.NotSupported, nil
		_, _, text := s.post(`{"type":"LAUNCH_NESTED_CONTAINER","launch_nested_container":{"container_id":{"value":"x","parent":{"value":"C1"}},"container":{"type":"MESOS"}}}`)
		assert.Equal(t, "The provided ContainerInfo is not supported", text)
		assert.NotNil(t, l.last.GetCommandInfo())
	})

	t.Run("goes on when the client leaves", func(t *testing.T) {
		l.outcome = containers.Success
		held := &holding{launcher: l, entered: make(chan struct{}), released: make(chan struct{}), done: make(chan error, 1)}
		s := serve(t, v, held, nil, nil)
		ctx, cancel := context.WithCancel(t.Context())
		c := s.client(0)
		left := make(chan error, 1)
		go func() { left <- c.Call(ctx, launch(x, shell("true"), nil), &agent.Response{}, nil) }()
		<-held.entered
		cancel()
		assert.Error(t, <-left)
		close(held.released)
		assert.NoError(t, <-held.done)
	})
}

// holding holds a launch up.
type holding struct {
	*launcher
	entered, released chan struct{}
	done              chan error
}

func (h *holding) Launch(ctx context.Context, _ containers.LaunchRequest) (containers.Launched, error) {
	close(h.entered)
	<-h.released
	h.done <- ctx.Err()
	return containers.Success, nil
}

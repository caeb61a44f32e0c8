package nativetest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/handshake"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	ours "github.com/mesos-modules/mms/modules/authenticatee/crammd5"
	theirs "github.com/mesos-modules/mms/modules/authenticator/crammd5"
	"github.com/mesos-modules/mms/modules/hook/labels"
	"github.com/mesos-modules/mms/modules/isolator/command"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/authenticatee"
	"github.com/mesos-modules/mms/roles/authenticator"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/isolator"
)

func faulty[T any](t *testing.T, module, how string, daemon roles.Daemon) T {
	t.Helper()
	file := builds.library(t, "testdata/faults.cpp")
	kit := moduletest.New(t, file, moduletest.Parameter(module, "how", how), moduletest.On(daemon))
	return moduletest.Load[T](kit, module)
}

// everyMethod are calls of each kind: that return nothing, a scalar, texts, bytes, a message, a list of them, and of a sink.
func everyMethod(t *testing.T, how string) map[string]func(context.Context) error {
	t.Helper()
	agent := &mesosv1.AgentInfo{Hostname: proto.String("h")}
	task := &mesosv1.TaskInfo{Name: proto.String("t"), TaskId: &mesosv1.TaskID{Value: proto.String("t")}, AgentId: &mesosv1.AgentID{Value: proto.String("s")}}
	framework := &mesosv1.FrameworkInfo{Name: proto.String("f"), User: proto.String("root")}
	h := faulty[hook.Hook](t, "org_example_hook", how, roles.Master)
	a := faulty[authenticator.Authenticator](t, "org_example_authenticator", how, roles.Master)
	e := faulty[authenticatee.Authenticatee](t, "org_example_authenticatee", how, roles.Slave)
	i := faulty[isolator.Isolator](t, "org_example_isolator", how, roles.Slave)
	return map[string]func(context.Context) error{
		"nothing":  func(ctx context.Context) error { return h.MasterSlaveLostHook(ctx, agent) },
		"a scalar": func(ctx context.Context) error { _, err := i.SupportsNesting(ctx); return err },
		"texts":    func(ctx context.Context) error { _, err := a.Mechanisms(ctx); return err },
		"bytes":    func(ctx context.Context) error { _, err := e.Step(ctx, []byte("x")); return err },
		"a message": func(ctx context.Context) error {
			_, err := h.MasterLaunchTaskLabelDecorator(ctx, task, framework, agent)
			return err
		},
		"messages":          func(ctx context.Context) error { _, err := h.SlaveResourcesDecorator(ctx, agent); return err },
		"lists of messages": func(ctx context.Context) error { return i.Recover(ctx, nil, nil) },
		"a sink": func(ctx context.Context) error {
			return i.Watch(ctx, id("c"), func(*slave.ContainerLimitation) {})
		},
	}
}

func TestNothingThrownGetsOut(t *testing.T) {
	for how, want := range map[string]string{
		"throw": "no disk left", "standard": "beyond the end", "strange": "threw something that is no std::exception", "word": "said in a word",
	} {
		t.Run(how, func(t *testing.T) {
			for kind, call := range everyMethod(t, how) {
				assert.EqualError(t, call(t.Context()), want, kind)
			}
		})
	}
	t.Run("and what goes well goes well", func(t *testing.T) {
		for kind, call := range everyMethod(t, "") {
			if kind == "messages" {
				continue // see below
			}
			assert.NoError(t, call(t.Context()), kind)
		}
	})
}

func TestAHangIsCancelled(t *testing.T) {
	for kind, call := range everyMethod(t, "hang") {
		t.Run(kind, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			err := call(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.ErrorContains(t, err, "told to stop")
		})
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	ctx := t.Context()
	a := faulty[authenticator.Authenticator](t, "org_example_authenticator", "", roles.Master)
	answer, err := a.Start(ctx, "s", "p", "NONE", nil)
	require.NoError(t, err)
	assert.Nil(t, answer)
	answer, err = a.Step(ctx, "s", nil)
	require.NoError(t, err)
	assert.Equal(t, handshake.Answer_Outcome(77), answer.GetOutcome(), "a value that nobody knows is what it is")
	e := faulty[authenticatee.Authenticatee](t, "org_example_authenticatee", "", roles.Slave)
	start, err := e.Start(ctx, "m", "c", &mesosv1.Credential{Principal: proto.String("p")}, nil)
	require.NoError(t, err)
	assert.Nil(t, start)
	_, err = e.Start(ctx, "m", "c", &mesosv1.Credential{}, nil)
	assert.ErrorContains(t, err, "required field")
	h := faulty[hook.Hook](t, "org_example_hook", "", roles.Slave)
	resources, err := h.SlaveResourcesDecorator(ctx, &mesosv1.AgentInfo{Hostname: proto.String("h")})
	require.NoError(t, err, "in C++ what is required is always there")
	require.Len(t, resources, 2)
	assert.Equal(t, mesosv1.Value_SCALAR, resources[0].GetType())
}

// A module that says the same a thousand times, from threads of its own, while it is torn down, and once more when its sink
// is shut.
func TestASinkThatIsCalledAgainAndAgain(t *testing.T) {
	file := builds.library(t, "testdata/faults.cpp")
	for range 5 {
		kit := moduletest.New(t, file, moduletest.On(roles.Slave))
		i := moduletest.Load[isolator.Isolator](kit, "org_example_isolator")
		ctx, cancel := context.WithCancel(t.Context())
		said := make(chan string, 1)
		for range 4 {
			require.NoError(t, i.Watch(ctx, id("c"), func(l *slave.ContainerLimitation) {
				select {
				case said <- l.GetMessage():
				default:
				}
			}))
		}
		assert.Equal(t, "again", <-said)
		cancel()
		kit.Close()
	}
}

// A library that is closed is really gone from memory, so that another build of it can take its place.
func TestLibrariesAreGivenBack(t *testing.T) {
	for module, source := range map[string]string{
		labels.Name: labelsSource, command.Name: commandSource, theirs.Name: authenticatorSource, ours.Name: authenticateeSource,
	} {
		t.Run(source, func(t *testing.T) {
			file := library(t, source)
			options := append(parameters(labels.Name, "set a=1"), commandOptions([]string{"prepare", "/bin/true"})...)
			kit := moduletest.New(t, file, options...)
			switch module {
			case labels.Name:
				moduletest.Load[hook.Hook](kit, module)
			case command.Name:
				moduletest.Load[isolator.Isolator](kit, module)
			case theirs.Name:
				moduletest.Load[authenticator.Authenticator](kit, module)
			default:
				moduletest.Load[authenticatee.Authenticatee](kit, module)
			}
			mapped := func() string {
				text, err := os.ReadFile("/proc/self/maps")
				require.NoError(t, err)
				return string(text)
			}
			assert.Contains(t, mapped(), string(file))
			kit.Close()
			assert.NotContains(t, mapped(), string(file))
		})
	}
}

package core_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/roles/hook"
)

// decorator adds its name to whatever it decorates.
type decorator struct {
	hook.Unimplemented

	name string
	err  error
}

func (d decorator) add(labels *mesosv1.Labels) *mesosv1.Labels {
	return &mesosv1.Labels{Labels: append(labels.GetLabels()[:len(labels.GetLabels()):len(labels.GetLabels())], &mesosv1.Label{Key: &d.name})}
}

func (d decorator) SlaveRunTaskLabelDecorator(_ context.Context, task *mesosv1.TaskInfo, _ *mesosv1.ExecutorInfo,
	_ *mesosv1.FrameworkInfo, _ *mesosv1.AgentInfo) (*mesosv1.Labels, error) {
	return d.add(task.GetLabels()), d.err
}

func (d decorator) SlaveExecutorEnvironmentDecorator(_ context.Context, e *mesosv1.ExecutorInfo) (*mesosv1.Environment, error) {
	all := e.GetCommand().GetEnvironment().GetVariables()
	return &mesosv1.Environment{Variables: append(all[:len(all):len(all)],
		&mesosv1.Environment_Variable{Name: &d.name, Value: proto.String("1")},
		&mesosv1.Environment_Variable{Name: proto.String("MESOS_CHECKPOINT"), Value: &d.name})}, d.err
}

func (d decorator) SlaveTaskStatusDecorator(_ context.Context, _ *mesosv1.FrameworkID, s *mesosv1.TaskStatus) (*mesosv1.TaskStatus, error) {
	return &mesosv1.TaskStatus{Labels: d.add(s.GetLabels()), State: mesosv1.TaskState_TASK_LOST.Enum()}, d.err
}

// hooked is a world whose hooks wait until the test lets them answer.
func hooked(t *testing.T) *world {
	return registered(t, func(w *world) { w.cfg.Hooks, w.answers = true, false })
}

// answer lets the hooks of the one call under way answer.
func (w *world) answer(hooks ...hook.Hook) {
	w.t.Helper()
	call := only[core.CallHooks](w)
	w.look()
	w.do(core.Hooked{Ticket: call.Ticket, Result: call.Do(context.Background(), hooks)})
}

func keys(labels *mesosv1.Labels) string {
	var all []string
	for _, l := range labels.GetLabels() {
		all = append(all, l.GetKey())
	}
	return strings.Join(all, " ")
}

func TestHooks(t *testing.T) {
	a, b := decorator{name: "a"}, decorator{name: "b"}
	t.Run("decorate in order: labels of tasks, environment of executors, statuses", func(t *testing.T) {
		w := hooked(t)
		w.from(run(command("T")))
		w.answer(a, b)
		w.answer(a, b)
		launch := only[core.LaunchContainer](w)
		assert.Equal(t, "a b", keys(launch.Config.GetTaskInfo().GetLabels()))
		env := map[string]string{}
		for _, v := range launch.Environment {
			env[v.GetName()] = v.GetValue()
		}
		assert.Equal(t, "1", env["a"])
		assert.Equal(t, "b", env["MESOS_CHECKPOINT"], "hooks have the last word")

		w.do(core.Launched{Ticket: launch.Ticket})
		w.subscribe("T")
		w.do(core.Updated{Ticket: only[core.UpdateContainer](w).Ticket})
		w.look()
		w.call("T", update("T", "u1", mesosv1.TaskState_TASK_RUNNING))
		w.answer(a, b)
		w.do(core.ContainerStatus{Ticket: only[core.StatusOf](w).Ticket})
		s := told[*wire.StatusUpdateMessage](w)[0].GetUpdate().GetStatus()
		assert.Equal(t, "a b", keys(s.GetLabels()))
		assert.Equal(t, mesosv1.TaskState_TASK_RUNNING, s.GetState(), "the state is not theirs")
	})
	t.Run("one that fails is logged and passed over", func(t *testing.T) {
		w := hooked(t)
		w.from(run(command("T")))
		w.answer(decorator{name: "x", err: errors.New("out of ideas")}, b)
		assert.Contains(t, strings.Join(w.look(), "\n"), "out of ideas")
	})
	t.Run("one that hangs keeps its task, not another executor's", func(t *testing.T) {
		w := hooked(t)
		w.from(run(command("T1")))
		w.look() // its hooks hang
		w.from(run(command("T2")))
		w.answer()
		w.answer()
		assert.Equal(t, "T2", only[core.LaunchContainer](w).Config.GetTaskInfo().GetTaskId().GetValue())
	})
	t.Run("tasks of one executor stay in order", func(t *testing.T) {
		w := hooked(t)
		w.from(run(custom("T1", "E")))
		first := only[core.CallHooks](w)
		w.look()
		w.from(run(custom("T2", "E")))
		w.answer()
		w.wants()
		w.do(core.Hooked{Ticket: first.Ticket})
		v := w.core.View().Frameworks[0]
		require.Len(t, v.Executors, 1)
		assert.Equal(t, []string{"T1", "T2"}, []string{v.Executors[0].Queued[0].GetTaskId().GetValue(), v.Executors[0].Queued[1].GetTaskId().GetValue()})
	})
	t.Run("a task that is killed while they are asked ends, and their answer is nobody's", func(t *testing.T) {
		w := hooked(t)
		w.from(run(custom("T", "E"), func(m *wire.RunTaskMessage) { m.LaunchExecutor = proto.Bool(true) }))
		call := only[core.CallHooks](w)
		w.from(&wire.KillTaskMessage{FrameworkId: frameworkID, TaskId: taskID("T")})
		w.look()
		w.do(core.Hooked{Ticket: call.Ticket})
		for _, l := range w.look() {
			assert.NotContains(t, l, "launch")
		}
	})
	t.Run("an executor's end while its environment is asked for", func(t *testing.T) {
		w := hooked(t)
		w.from(run(command("T")))
		w.answer()
		call := only[core.CallHooks](w)
		w.from(&wire.ShutdownFrameworkMessage{FrameworkId: frameworkID})
		w.look()
		w.do(core.Hooked{Ticket: call.Ticket})
		for _, l := range w.look() {
			assert.NotContains(t, l, "launch T")
		}
		assert.Empty(t, w.core.View().Frameworks)
	})
}

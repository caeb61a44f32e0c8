package core_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/wire"
)

func TestTheEndOfAnExecutor(t *testing.T) {
	start := func(t *testing.T, change ...func(*mesosv1.FrameworkInfo)) *world {
		w := registered(t)
		w.from(run(custom("T", "E"), func(m *wire.RunTaskMessage) { m.Framework = framework(change...) }))
		w.subscribe("E")
		w.look()
		return w
	}
	t.Run("its tasks have failed", func(t *testing.T) {
		w := start(t)
		w.ended("E", &slave.ContainerTermination{Status: proto.Int32(256)})
		const why = " FAILED EXECUTOR_TERMINATED (Executor terminated)"
		w.wants("closestream", "write update T"+why, "to master: StatusUpdate T"+why, "to master: ExitedExecutor E 256")
	})
	t.Run("tasks that waited have failed too", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.look()
		w.ended("E", nil)
		const why = " FAILED EXECUTOR_TERMINATED (Executor terminated)"
		w.wants("write update T"+why, "to master: StatusUpdate T"+why, "to master: ExitedExecutor E -1")
	})
	t.Run("what the container's end says wins", func(t *testing.T) {
		w := start(t)
		w.ended("E", &slave.ContainerTermination{
			Reason:  mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY.Enum(),
			Message: proto.String("too much"), LimitedResources: parse("mem:64"),
		})
		u := told[*wire.StatusUpdateMessage](w)[0].GetUpdate().GetStatus()
		assert.Equal(t, "T FAILED CONTAINER_LIMITATION_MEMORY (too much)", status(u))
		assert.Equal(t, "mem", u.GetLimitation().GetResources()[0].GetName())
	})
	t.Run("of a container that broke a limit, it wins over what the executor saw", func(t *testing.T) {
		w := start(t)
		w.answers = false
		w.call("E", update("T", "u1", mesosv1.TaskState_TASK_FAILED))
		w.do(core.ContainerStatus{Ticket: only[core.StatusOf](w).Ticket, Limited: true})
		w.answers = true
		w.look()
		w.ended("E", &slave.ContainerTermination{
			Reason: mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY.Enum(), Message: proto.String("too much"),
		})
		const why = " FAILED CONTAINER_LIMITATION_MEMORY (too much)"
		w.wants("closestream", "write update T"+why, "to master: StatusUpdate T"+why, "to master: ExitedExecutor E -1")
	})
	t.Run("but a task that has finished has", func(t *testing.T) {
		w := start(t)
		w.answers = false
		w.call("E", update("T", "u1", mesosv1.TaskState_TASK_FINISHED))
		w.do(core.ContainerStatus{Ticket: only[core.StatusOf](w).Ticket, Limited: true})
		w.do(core.Updated{Ticket: only[core.UpdateContainer](w).Ticket})
		u := told[*wire.StatusUpdateMessage](w)[0].GetUpdate().GetStatus()
		assert.Equal(t, mesosv1.TaskState_TASK_FINISHED, u.GetState())
	})
	t.Run("what the agent has noted wins over the rule", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			change []func(*mesosv1.FrameworkInfo)
			happen func(*world)
			want   string
		}{
			{"a container that the QoS controller wants ended", nil, func(w *world) {
				w.do(core.Corrections{Corrections: []*slave.QoSCorrection{{Type: slave.QoSCorrection_KILL.Enum(), Kill: &slave.QoSCorrection_Kill{
					FrameworkId: frameworkID, ExecutorId: &mesosv1.ExecutorID{Value: proto.String("E")},
				}}}})
			}, "T LOST CONTAINER_PREEMPTED (Container preempted by QoS correction)"},
			{"of a partition aware framework", []func(*mesosv1.FrameworkInfo){partitionAware}, func(w *world) {
				w.do(core.Corrections{Corrections: []*slave.QoSCorrection{{Type: slave.QoSCorrection_KILL.Enum(), Kill: &slave.QoSCorrection_Kill{
					FrameworkId: frameworkID, ExecutorId: &mesosv1.ExecutorID{Value: proto.String("E")},
				}}}})
			}, "T GONE CONTAINER_PREEMPTED (Container preempted by QoS correction)"},
			{"a container that could not be updated", nil, func(w *world) {
				w.answers = false
				w.from(run(custom("T2", "E")))
				w.do(core.Updated{Ticket: only[core.UpdateContainer](w).Ticket, Err: errors.New("no memory")})
			}, "T LOST CONTAINER_UPDATE_FAILED (Failed to update resources for container: no memory)"},
		} {
			t.Run(c.name, func(t *testing.T) {
				w := start(t, c.change...)
				c.happen(w)
				only[core.DestroyContainer](w)
				w.ended("E", nil)
				assert.Equal(t, c.want, status(told[*wire.StatusUpdateMessage](w)[0].GetUpdate().GetStatus()))
			})
		}
	})
	t.Run("of a command task the master knows no executor", func(t *testing.T) {
		w := registered(t)
		w.from(run(command("T")))
		w.ended("T", nil)
		assert.Empty(t, told[*wire.ExitedExecutorMessage](w))
	})
	t.Run("a task that had ended before is not told of again", func(t *testing.T) {
		w := start(t)
		w.call("E", update("T", "u1", mesosv1.TaskState_TASK_FINISHED))
		w.look()
		w.ended("E", nil)
		w.wants("closestream", "to master: ExitedExecutor E -1")
	})
}

func TestExecutorsThatDoNotCome(t *testing.T) {
	t.Run("a launch that fails fails the task", func(t *testing.T) {
		w := registered(t, func(w *world) { w.answers = false })
		w.from(run(command("T")))
		ticket := only[core.LaunchContainer](w).Ticket
		w.look()
		w.do(core.Launched{Ticket: ticket, Err: errors.New("no such file")})
		const why = " FAILED CONTAINER_LAUNCH_FAILED (Failed to launch container: no such file)"
		w.wants("write update T"+why, "to master: StatusUpdate T"+why)
	})
	t.Run("one that does not subscribe in time is destroyed", func(t *testing.T) {
		w := registered(t)
		w.from(run(command("T")))
		w.look()
		w.pass(59 * time.Second)
		w.wants()
		w.pass(time.Second)
		w.wants("destroycontainer")
		w.ended("T", nil)
		const why = " FAILED EXECUTOR_REGISTRATION_TIMEOUT (Executor did not register within 1mins)"
		w.wants("write update T"+why, "to master: StatusUpdate T"+why)
	})
}

func TestShutdowns(t *testing.T) {
	executorE := &mesosv1.ExecutorID{Value: proto.String("E")}
	t.Run("an executor is asked, and destroyed when its time is over", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.look()
		w.from(&wire.ShutdownExecutorMessage{FrameworkId: frameworkID, ExecutorId: executorE})
		w.wants("send SHUTDOWN")
		w.pass(5 * time.Second)
		w.wants("destroycontainer")
	})
	t.Run("a framework ends without a word about its tasks", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.look()
		w.from(&wire.ShutdownFrameworkMessage{FrameworkId: frameworkID})
		w.wants("send SHUTDOWN")
		w.call("E", update("T", "u1", mesosv1.TaskState_TASK_KILLED))
		w.wants("answer 202", "send ACKNOWLEDGED u1")
		w.ended("E", nil)
		w.wants("closestream", "to master: ExitedExecutor E -1", "write sentinel of E",
			"collect slaves/A/frameworks/F/executors/E/runs/*", "collect slaves/A/frameworks/F/executors/E",
			"collect meta/slaves/A/frameworks/F/executors/E/runs/*", "collect meta/slaves/A/frameworks/F/executors/E",
			"collect slaves/A/frameworks/F", "collect meta/slaves/A/frameworks/F")
	})
	t.Run("an agent that the master wants gone ends everything, then itself", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.look()
		w.from(&wire.ShutdownMessage{Message: proto.String("marked gone")})
		w.wants("send SHUTDOWN")
		w.ended("E", nil)
		assert.Equal(t, core.Exit{Reason: "everything that ran here has ended"}, only[core.Exit](w))
		assert.Contains(t, w.look(), "write ForgetAgent")
	})
}

func TestMessages(t *testing.T) {
	w := registered(t)
	w.from(run(custom("T", "E")))
	to := &wire.FrameworkToExecutorMessage{SlaveId: agentID, FrameworkId: frameworkID,
		ExecutorId: &mesosv1.ExecutorID{Value: proto.String("E")}, Data: []byte("hello")}
	w.look()
	w.from(to)
	w.wants() // nobody is there yet
	w.subscribe("E")
	w.look()
	w.from(to)
	w.wants("send MESSAGE hello")
	w.call("E", &executor.Call{Type: executor.Call_MESSAGE.Enum(), Message: &executor.Call_Message{Data: []byte("hi")}})
	w.wants("answer 202", "to master: ExecutorToFramework hi")
}

// told are the messages of a type to the master since the last look.
func told[M any](w *world) []M {
	var all []M
	for _, e := range w.effect {
		if to, ok := e.(core.ToMaster); ok {
			if m, ok := to.Message.(M); ok {
				all = append(all, m)
			}
		}
	}
	return all
}

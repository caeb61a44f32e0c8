package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/wire"
)

func TestACommandTask(t *testing.T) {
	w := registered(t)

	w.from(run(command("T")))
	w.wants(
		"keep slaves/A/frameworks/F", "keep meta/slaves/A/frameworks/F",
		"keep slaves/A/frameworks/F/executors/T", "keep meta/slaves/A/frameworks/F/executors/T",
		"write framework F", "write executor T", "write task T", "attach T", "launch T as ann")

	w.subscribe("T")
	w.wants("openstream", "write marker of T", "send SUBSCRIBED",
		"update container to cpus:1.1; mem:96", "send LAUNCH T")

	w.call("T", update("T", "u1", mesosv1.TaskState_TASK_RUNNING))
	w.wants("answer 202", "statusof", "write update T RUNNING", "send ACKNOWLEDGED u1", "to master: StatusUpdate T RUNNING")

	w.call("T", update("T", "u2", mesosv1.TaskState_TASK_FINISHED))
	w.wants("answer 202", "statusof", "update container to cpus:0.1; mem:32", "write update T FINISHED", "send ACKNOWLEDGED u2")

	w.acknowledge("T", "u1")
	w.wants("write acknowledgement of T", "to master: StatusUpdate T FINISHED")

	w.ended("T", &slave.ContainerTermination{Status: proto.Int32(0)})
	w.wants("closestream")

	w.acknowledge("T", "u2")
	w.wants("write acknowledgement of T", "write sentinel of T",
		"collect slaves/A/frameworks/F/executors/T/runs/*", "collect slaves/A/frameworks/F/executors/T",
		"collect meta/slaves/A/frameworks/F/executors/T/runs/*", "collect meta/slaves/A/frameworks/F/executors/T",
		"collect slaves/A/frameworks/F", "collect meta/slaves/A/frameworks/F")
	assert.Empty(t, w.core.View().Frameworks)
}

func TestTheExecutorOfACommandTask(t *testing.T) {
	w := registered(t)
	task := command("T")
	task.Command.Value = proto.String("sleep 1000; echo done")
	task.KillPolicy = &mesosv1.KillPolicy{GracePeriod: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(3 * time.Second))}}
	w.from(run(task))

	launch := only[core.LaunchContainer](w)
	info := launch.Config.GetExecutorInfo()
	assert.Equal(t, "Command Executor (Task: T) (Command: sh -c 'sleep 1000; ...')", info.GetName())
	assert.Equal(t, "T", info.GetSource())
	assert.Equal(t, "/bin/mesos/mesos-executor", info.GetCommand().GetValue())
	assert.Equal(t, []string{"mesos-executor", "--launcher_dir=/bin/mesos"}, info.GetCommand().GetArguments())
	assert.False(t, info.GetCommand().GetShell())
	assert.Equal(t, int64(5*time.Second), info.GetShutdownGracePeriod().GetNanoseconds())
	assert.Equal(t, task, launch.Config.GetTaskInfo())

	env := map[string]string{}
	for _, v := range launch.Environment {
		env[v.GetName()] = v.GetValue()
	}
	assert.Equal(t, map[string]string{
		"LIBPROCESS_PORT": "0", "MESOS_FRAMEWORK_ID": "F", "MESOS_EXECUTOR_ID": "T",
		"MESOS_DIRECTORY": launch.Config.GetDirectory(), "MESOS_SLAVE_ID": "A", "MESOS_SLAVE_PID": "slave(1)@10.0.0.2:5051",
		"MESOS_AGENT_ENDPOINT": "10.0.0.2:5051", "MESOS_CHECKPOINT": "1", "MESOS_HTTP_COMMAND_EXECUTOR": "0",
		"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": "5secs", "MESOS_RECOVERY_TIMEOUT": "15mins", "MESOS_SUBSCRIPTION_BACKOFF_MAX": "2secs",
	}, env)

	t.Run("arguments are shown when there is no shell", func(t *testing.T) {
		w := registered(t)
		task := command("T")
		task.Command = &mesosv1.CommandInfo{Shell: proto.Bool(false), Value: proto.String("/bin/sleep"), Arguments: []string{"sleep", "1"}}
		w.from(run(task))
		assert.Equal(t, "Command Executor (Task: T) (Command: [/bin/sleep, sleep, 1])", only[core.LaunchContainer](w).Config.GetExecutorInfo().GetName())
	})
}

func TestAFrameworkThatDoesNotCheckpoint(t *testing.T) {
	w := registered(t)
	w.from(run(command("T"), func(m *wire.RunTaskMessage) { m.Framework = framework(forgetful) }))
	w.wants("keep slaves/A/frameworks/F", "keep slaves/A/frameworks/F/executors/T", "attach T", "launch T as ann")
	w.subscribe("T")
	w.call("T", update("T", "u1", mesosv1.TaskState_TASK_RUNNING))
	for _, l := range w.look() {
		assert.NotContains(t, l, "write ")
	}
}

func TestWhatIsDropped(t *testing.T) {
	yes, no := proto.Bool(true), proto.Bool(false)
	other := []*wire.ResourceVersionUUID{{Uuid: &mesosv1.UUID{Value: []byte("another version.")}}}
	for _, c := range []struct {
		name    string
		before  func(*world)
		message *wire.RunTaskMessage
		want    []string
	}{
		{"resources of another version", nil, run(command("T"), func(m *wire.RunTaskMessage) { m.ResourceVersionUuids = other }),
			[]string{"to master: StatusUpdate T LOST INVALID_OFFERS (Task assumes outdated resource state)"}},
		{"a partition aware framework hears DROPPED", nil, run(command("T"), func(m *wire.RunTaskMessage) {
			m.ResourceVersionUuids, m.Framework = other, framework(partitionAware)
		}), []string{"to master: StatusUpdate T DROPPED INVALID_OFFERS (Task assumes outdated resource state)"}},
		{"the master is told that the executor it counts on is not there", nil, run(custom("T", "E"), func(m *wire.RunTaskMessage) {
			m.ResourceVersionUuids, m.LaunchExecutor = other, yes
		}), []string{"to master: StatusUpdate T LOST INVALID_OFFERS (Task assumes outdated resource state)", "to master: ExitedExecutor E -1"}},
		{"an executor that should be there and is not", nil, run(custom("T", "E"), func(m *wire.RunTaskMessage) { m.LaunchExecutor = no }),
			[]string{"to master: StatusUpdate T LOST EXECUTOR_TERMINATED (No executor is expected to launch and there is none running)"}},
		{"an executor that should not be there and is", func(w *world) { w.from(run(custom("S", "E"))) },
			run(custom("T", "E"), func(m *wire.RunTaskMessage) { m.LaunchExecutor = yes }),
			[]string{"to master: StatusUpdate T LOST EXECUTOR_TERMINATED (Master wants to launch executor, but one already exists)"}},
		{"a command task with the name of an executor", func(w *world) { w.from(run(custom("S", "T"))) }, run(command("T")),
			[]string{"to master: StatusUpdate T LOST TASK_INVALID (Executor id T of the command task is that of an executor that is there)"}},
		{"an executor that is ending", func(w *world) {
			w.from(run(custom("S", "E")))
			w.from(&wire.ShutdownExecutorMessage{FrameworkId: frameworkID, ExecutorId: &mesosv1.ExecutorID{Value: proto.String("E")}})
		}, run(custom("T", "E")), []string{"to master: StatusUpdate T LOST EXECUTOR_TERMINATED (Executor terminating/terminated)"}},
		{"a draining agent", func(w *world) {
			w.from(run(custom("S", "E")))
			w.from(&wire.DrainSlaveMessage{Config: &mesosv1.DrainConfig{}})
		}, run(command("T")), []string{"to master: StatusUpdate T LOST AGENT_DRAINING (Agent is draining)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := registered(t)
			w.from(run(custom("other", "keeper"), func(m *wire.RunTaskMessage) { m.Framework = c.message.GetFramework() }))
			if c.before != nil {
				c.before(w)
			}
			w.look()
			w.from(c.message)
			w.wants(c.want...)
		})
	}

	t.Run("an update about a dropped task is sent again until it is acknowledged", func(t *testing.T) {
		w := registered(t)
		w.from(run(command("T"), func(m *wire.RunTaskMessage) { m.ResourceVersionUuids = other }))
		w.look()
		w.pass(11 * time.Second)
		w.wants("to master: StatusUpdate T LOST INVALID_OFFERS (Task assumes outdated resource state)")
	})
	t.Run("an executor that has ended, and that the master expects to be launched", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("S", "E")))
		w.ended("E", nil) // its task's end is not acknowledged
		w.look()
		w.from(run(custom("T", "E"), func(m *wire.RunTaskMessage) { m.LaunchExecutor = yes }))
		w.wants("to master: StatusUpdate T LOST EXECUTOR_TERMINATED (Master wants to launch executor, but one already exists)",
			"to master: ExitedExecutor E -1")
	})
	t.Run("a task that is there already is left as it is", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.look()
		w.from(run(custom("T", "E2")))
		w.wants()
	})
	t.Run("ids that leave their folder are left out", func(t *testing.T) {
		w := registered(t)
		w.from(run(command("../T")))
		w.wants()
	})
	t.Run("the version that the agent has announced is accepted", func(t *testing.T) {
		w := newWorld(t)
		w.begin()
		w.do(core.MasterDetected{Leader: &mesosv1.MasterInfo{}, PID: masterPID})
		w.pass(time.Second)
		version := told[*wire.RegisterSlaveMessage](w)[0].GetResourceVersionUuid()
		w.from(&wire.SlaveRegisteredMessage{SlaveId: agentID})
		w.look()
		w.from(run(command("T"), func(m *wire.RunTaskMessage) {
			m.ResourceVersionUuids = []*wire.ResourceVersionUUID{{Uuid: version}}
		}))
		only[core.LaunchContainer](w)
	})
}

func TestTasksOfOneExecutorStayInOrder(t *testing.T) {
	w := registered(t)
	w.from(run(custom("T1", "E")))
	w.from(run(custom("T2", "E")))
	w.look()
	w.subscribe("E")
	w.wants("openstream", "write marker of E", "send SUBSCRIBED",
		"update container to cpus:2.5; mem:160", "send LAUNCH T1", "send LAUNCH T2")

	w.from(run(custom("T3", "E")))
	w.wants("write task T3", "update container to cpus:3.5; mem:224", "send LAUNCH T3")
}

func TestATaskGroup(t *testing.T) {
	w := registered(t)
	kind := mesosv1.ExecutorInfo_DEFAULT
	w.from(&wire.RunTaskGroupMessage{
		Framework: framework(), Executor: &mesosv1.ExecutorInfo{Type: &kind, ExecutorId: &mesosv1.ExecutorID{Value: proto.String("D")},
			FrameworkId: frameworkID, Resources: parse("cpus:0.1;mem:32")},
		TaskGroup: &mesosv1.TaskGroupInfo{Tasks: []*mesosv1.TaskInfo{command("T1"), command("T2")}},
	})
	launch := only[core.LaunchContainer](w)
	assert.Equal(t, "/bin/mesos/mesos-default-executor", launch.Config.GetCommandInfo().GetValue())
	w.look()
	w.subscribe("D")
	w.wants("openstream", "write marker of D", "send SUBSCRIBED", "update container to cpus:2.1; mem:160", "send LAUNCH_GROUP T1 T2")

	t.Run("a kill before its executor is there ends all of it", func(t *testing.T) {
		w := registered(t)
		w.from(&wire.RunTaskGroupMessage{
			Framework: framework(), Executor: &mesosv1.ExecutorInfo{Type: &kind, ExecutorId: &mesosv1.ExecutorID{Value: proto.String("D")},
				Resources: parse("cpus:0.1;mem:32")},
			TaskGroup: &mesosv1.TaskGroupInfo{Tasks: []*mesosv1.TaskInfo{command("T1"), command("T2")}},
		})
		w.look()
		w.from(&wire.KillTaskMessage{FrameworkId: frameworkID, TaskId: taskID("T2")})
		const why = " KILLED TASK_KILLED_DURING_LAUNCH (Task killed while it was queued)"
		w.wants(
			"statusof", "update container to cpus:1.1; mem:96", "write update T1"+why, "to master: StatusUpdate T1"+why,
			"statusof", "update container to cpus:0.1; mem:32", "write update T2"+why, "to master: StatusUpdate T2"+why)
		w.subscribe("D")
		w.wants("openstream", "send SHUTDOWN")
	})
}

func TestKills(t *testing.T) {
	kill := &wire.KillTaskMessage{FrameworkId: frameworkID, TaskId: taskID("T")}
	t.Run("a task at its executor is the executor's to end", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.look()
		w.from(kill)
		w.wants("send KILL T")
	})
	t.Run("a task that nobody has is dropped", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("S", "E")))
		w.look()
		w.from(kill)
		w.wants("to master: StatusUpdate T LOST EXECUTOR_TERMINATED (Cannot find executor)")
	})
	t.Run("a task of an executor that is ending ends with it", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.from(&wire.ShutdownExecutorMessage{FrameworkId: frameworkID, ExecutorId: &mesosv1.ExecutorID{Value: proto.String("E")}})
		w.look()
		w.from(kill)
		w.wants()
	})
	t.Run("a task of an unknown framework is nobody's", func(t *testing.T) {
		w := registered(t)
		w.from(kill)
		w.wants()
	})
	t.Run("of a task that waits, an executor that never had one is ended", func(t *testing.T) {
		w := registered(t)
		w.from(run(command("T")))
		w.look()
		w.from(kill)
		const why = " KILLED TASK_KILLED_DURING_LAUNCH (Task killed while it was queued)"
		w.wants("statusof", "update container to cpus:0.1; mem:32", "write update T"+why, "to master: StatusUpdate T"+why)
		w.pass(6 * time.Second)
		w.wants("destroycontainer")
	})
}

package core_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/wire"
)

// heard are messages that an agent may be sent.
func heard() []proto.Message {
	return []proto.Message{
		&wire.SlaveRegisteredMessage{}, &wire.SlaveReregisteredMessage{}, &wire.PingSlaveMessage{}, &wire.RunTaskMessage{},
		&wire.RunTaskGroupMessage{}, &wire.KillTaskMessage{}, &wire.StatusUpdateAcknowledgementMessage{}, &wire.ShutdownFrameworkMessage{},
		&wire.ShutdownExecutorMessage{}, &wire.UpdateFrameworkMessage{}, &wire.FrameworkToExecutorMessage{}, &wire.CheckpointResourcesMessage{},
		&wire.ApplyOperationMessage{}, &wire.DrainSlaveMessage{}, &wire.ReconcileOperationsMessage{}, &wire.AcknowledgeOperationStatusMessage{},
		&executor.Call{},
	}
}

// FuzzEvents gives an agent with a task whatever a master or an executor could send.
func FuzzEvents(f *testing.F) {
	seed := func(kind byte, m proto.Message) {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(kind, b)
	}
	seed(0, &wire.SlaveRegisteredMessage{SlaveId: agentID})
	seed(3, run(custom("S", "E")))
	seed(4, &wire.RunTaskGroupMessage{Framework: framework(), Executor: custom("", "D").Executor,
		TaskGroup: &mesosv1.TaskGroupInfo{Tasks: []*mesosv1.TaskInfo{command("G")}}})
	seed(5, &wire.KillTaskMessage{FrameworkId: frameworkID, TaskId: taskID("T")})
	seed(8, &wire.ShutdownExecutorMessage{FrameworkId: frameworkID})
	seed(13, &wire.DrainSlaveMessage{Config: &mesosv1.DrainConfig{}})
	call := update("T", "u", mesosv1.TaskState_TASK_RUNNING)
	call.FrameworkId, call.ExecutorId = frameworkID, custom("", "E").Executor.ExecutorId
	seed(16, call)
	f.Fuzz(func(t *testing.T, kind byte, content []byte) {
		kinds := heard()
		m := kinds[int(kind)%len(kinds)]
		if proto.Unmarshal(content, m) != nil {
			return // the link refuses it
		}
		w := registered(t)
		w.full = func(core.Checkpoint) bool { return len(content)%2 == 1 }
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		if call, ok := m.(*executor.Call); ok {
			w.do(core.ExecutorCall{Request: 99, Stream: 99, Call: call})
		} else {
			w.from(m)
		}
		w.from(run(command("C")))
		w.core.View()
		w.core.Measures(func(string, float64) {})
	})
}

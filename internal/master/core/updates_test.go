package core

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/wire"
)

// running is a world with one agent and one task that runs there.
func running(t *testing.T, change ...func(*mesosv1.FrameworkInfo)) (w *world, f, agent string) {
	w = newWorld(t)
	agent = w.register(1)
	f = w.subscribe("s", change...)
	w.launch("s", agent, "t", "cpus:1;mem:32")
	w.status(f, agent, "t", mesosv1.TaskState_TASK_RUNNING)
	w.look()
	return w, f, agent
}

func (w *world) task(name string) *task {
	for f := range w.core.frameworks.values() {
		if t, ok := f.tasks.get(name); ok {
			return t
		}
	}
	return nil
}

func TestStatusUpdates(t *testing.T) {
	t.Run("the last update that is acknowledged takes the task out of the books; an earlier one does not", func(t *testing.T) {
		w, f, agent := running(t)
		first := w.status(f, agent, "t", mesosv1.TaskState_TASK_RUNNING, func(u *wire.StatusUpdate) {
			u.LatestState = mesosv1.TaskState_TASK_FINISHED.Enum()
		})
		assert.Equal(t, mesosv1.TaskState_TASK_FINISHED, w.task("t").info.GetState())
		assert.True(t, w.core.View().Agents[0].Used.Empty(), "the agent knows that it has ended")
		w.acknowledge("s", agent, "t", first)
		require.NotNil(t, w.task("t"), "the end is not acknowledged")
		last := w.status(f, agent, "t", mesosv1.TaskState_TASK_FINISHED)
		w.acknowledge("s", agent, "t", first)
		require.NotNil(t, w.task("t"), "that was another update")
		w.look()
		w.acknowledge("s", agent, "t", last)
		assert.Nil(t, w.task("t"))
		ack := messages[*wire.StatusUpdateAcknowledgementMessage](w, pid(1))
		require.Len(t, ack, 1)
		assert.Equal(t, last, ack[0].GetUuid())
		assert.InDelta(t, 1, w.core.counts["tasks_finished"], 0)
		w.sound()
	})

	t.Run("statuses of one state replace each other, and data is not kept", func(t *testing.T) {
		w, f, agent := running(t)
		w.status(f, agent, "t", mesosv1.TaskState_TASK_RUNNING, func(u *wire.StatusUpdate) {
			u.Status.Healthy, u.Status.Data = proto.Bool(true), []byte("much")
		})
		assert.Equal(t, []byte("much"), w.one("s").GetData())
		statuses := w.task("t").info.GetStatuses()
		require.Len(t, statuses, 1)
		assert.True(t, statuses[0].GetHealthy())
		assert.Nil(t, statuses[0].Data)
	})

	t.Run("the end is the end", func(t *testing.T) {
		w, f, agent := running(t)
		w.status(f, agent, "t", mesosv1.TaskState_TASK_FAILED)
		w.status(f, agent, "t", mesosv1.TaskState_TASK_RUNNING)
		assert.Equal(t, mesosv1.TaskState_TASK_FAILED, w.task("t").info.GetState())
		w.sound()
	})

	t.Run("what is missing is filled in", func(t *testing.T) {
		w, f, agent := running(t)
		w.status(f, agent, "t", mesosv1.TaskState_TASK_RUNNING, func(u *wire.StatusUpdate) {
			u.Status.Uuid, u.Status.AgentId, u.Status.Timestamp = nil, nil, nil
			u.ExecutorId = &mesosv1.ExecutorID{Value: proto.String("e")}
		})
		got := w.one("s")
		assert.Equal(t, agent, got.GetAgentId().GetValue())
		assert.Len(t, got.GetUuid(), 16)
		assert.InDelta(t, 1, got.GetTimestamp(), 0)
		assert.Equal(t, "e", got.GetExecutorId().GetValue())
	})

	t.Run("an end that nobody will acknowledge needs no acknowledgement", func(t *testing.T) {
		w, f, agent := running(t)
		w.status(f, agent, "t", mesosv1.TaskState_TASK_FAILED, func(u *wire.StatusUpdate) { u.Uuid, u.Status.Uuid = nil, nil })
		assert.Nil(t, w.one("s").Uuid)
		assert.Nil(t, w.task("t"))
		w.sound()
	})

	t.Run("a framework that is away misses it, the books do not", func(t *testing.T) {
		w, f, agent := running(t)
		w.do(StreamGone{Stream: "s"})
		w.look()
		w.status(f, agent, "t", mesosv1.TaskState_TASK_FINISHED)
		assert.Empty(t, w.types("s"))
		assert.InDelta(t, 1, w.core.counts["invalid_status_updates"], 0)
		assert.Equal(t, mesosv1.TaskState_TASK_FINISHED, w.task("t").info.GetState())
		w.sound()
	})

	t.Run("what is not known is dropped and counted", func(t *testing.T) {
		w, f, agent := running(t)
		w.status("nobody", agent, "t", mesosv1.TaskState_TASK_FINISHED)
		w.status(f, "nowhere", "t", mesosv1.TaskState_TASK_FINISHED)
		assert.Empty(t, w.types("s"))
		assert.InDelta(t, 2, w.core.counts["invalid_status_updates"], 0)
		w.status(f, agent, "other", mesosv1.TaskState_TASK_FINISHED)
		assert.Equal(t, "other", w.one("s").GetTaskId().GetValue(), "its framework may know it")
	})

	t.Run("operators hear of new states and of checks only", func(t *testing.T) {
		w, f, agent := running(t)
		w.requests++
		w.do(OperatorCall{Request: w.requests, Stream: "o", Call: &master.Call{Type: master.Call_SUBSCRIBE.Enum()}})
		w.look()
		w.status(f, agent, "t", mesosv1.TaskState_TASK_RUNNING)
		assert.Empty(t, w.sent["o"])
		w.status(f, agent, "t", mesosv1.TaskState_TASK_RUNNING, func(u *wire.StatusUpdate) {
			u.Status.Reason = mesosv1.TaskStatus_REASON_TASK_HEALTH_CHECK_STATUS_UPDATED.Enum()
		})
		w.status(f, agent, "t", mesosv1.TaskState_TASK_KILLING)
		assert.Len(t, w.sent["o"], 2)
	})
}

func TestAcknowledge(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(w *world)
		agent string
		sent  int
		count string
	}{
		{"it goes to the agent", func(*world) {}, "M-S0", 1, "valid_status_update_acknowledgements"},
		{"not to one that is not known", func(*world) {}, "M-S9", 0, "invalid_status_update_acknowledgements"},
		{"nor to one that is away", func(w *world) { w.do(AgentExited{PID: pid(1)}) }, "M-S0", 0,
			"invalid_status_update_acknowledgements"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _, _ := running(t)
			c.spoil(w)
			w.look()
			assert.Equal(t, 202, w.answered(w.acknowledge("s", c.agent, "t", []byte("0123456789abcdef"))).Status)
			assert.Len(t, messages[*wire.StatusUpdateAcknowledgementMessage](w, pid(1)), c.sent)
			assert.InDelta(t, 1, w.core.counts[c.count], 0)
			assert.InDelta(t, 1, w.core.counts["messages_status_update_acknowledgement"], 0)
		})
	}

	t.Run("nor for a task of which nothing was sent yet", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		w.subscribe("s")
		w.launch("s", agent, "t", "cpus:1;mem:32")
		w.acknowledge("s", agent, "t", []byte("0123456789abcdef"))
		assert.Empty(t, messages[*wire.StatusUpdateAcknowledgementMessage](w, pid(1)))
	})

	t.Run("one that is refused counts too", func(t *testing.T) {
		w, f, _ := running(t)
		w.call("other", &scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), FrameworkId: &mesosv1.FrameworkID{Value: &f}})
		assert.InDelta(t, 1, w.core.counts["invalid_status_update_acknowledgements"], 0)
	})
}

func TestKill(t *testing.T) {
	t.Run("the agent is asked, with the policy of the call", func(t *testing.T) {
		w, _, _ := running(t)
		call := kill("t")
		call.Kill.KillPolicy = &mesosv1.KillPolicy{GracePeriod: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(7)}}
		w.call("s", call)
		sent := messages[*wire.KillTaskMessage](w, pid(1))
		require.Len(t, sent, 1)
		assert.Equal(t, int64(7), sent[0].GetKillPolicy().GetGracePeriod().GetNanoseconds())
	})

	t.Run("a task of another agent is left alone", func(t *testing.T) {
		w, _, _ := running(t)
		call := kill("t")
		call.Kill.AgentId = &mesosv1.AgentID{Value: proto.String("M-S9")}
		w.call("s", call)
		assert.Empty(t, messages[*wire.KillTaskMessage](w, pid(1)))
		assert.Empty(t, w.types("s"))
	})

	t.Run("an unknown task is reconciled", func(t *testing.T) {
		w, _, _ := running(t, aware)
		w.call("s", kill("x"))
		status := w.one("s")
		assert.Equal(t, mesosv1.TaskState_TASK_UNKNOWN, status.GetState())
		assert.Equal(t, mesosv1.TaskStatus_REASON_RECONCILIATION, status.GetReason())
		assert.InDelta(t, 1, w.core.counts["messages_reconcile_tasks"], 0)
	})

	t.Run("an agent that is away is asked when it is back, if it still has the task", func(t *testing.T) {
		for _, still := range []bool{true, false} {
			w, _, agent := running(t)
			info := w.task("t").info
			w.do(AgentExited{PID: pid(1)})
			w.call("s", kill("t"))
			assert.Empty(t, messages[*wire.KillTaskMessage](w, pid(1)))
			w.reregister(1, agent, func(m *wire.ReregisterSlaveMessage) {
				if still {
					m.Tasks = append(m.Tasks, info)
				}
			})
			assert.Len(t, messages[*wire.KillTaskMessage](w, pid(1)), count(still))
			w.look()
			w.reregister(1, agent, func(m *wire.ReregisterSlaveMessage) { m.Tasks = append(m.Tasks, info) })
			assert.Empty(t, messages[*wire.KillTaskMessage](w, pid(1)), "once")
		}
	})
}

func TestExecutorCalls(t *testing.T) {
	id := func(agent string) (*mesosv1.AgentID, *mesosv1.ExecutorID) {
		return &mesosv1.AgentID{Value: &agent}, &mesosv1.ExecutorID{Value: proto.String("e")}
	}
	w, f, agent := running(t)
	a, e := id(agent)
	w.call("s", &scheduler.Call{Type: scheduler.Call_SHUTDOWN.Enum(), Shutdown: &scheduler.Call_Shutdown{AgentId: a, ExecutorId: e}})
	require.Len(t, messages[*wire.ShutdownExecutorMessage](w, pid(1)), 1)
	w.call("s", &scheduler.Call{Type: scheduler.Call_MESSAGE.Enum(),
		Message: &scheduler.Call_Message{AgentId: a, ExecutorId: e, Data: []byte("hello")}})
	said := messages[*wire.FrameworkToExecutorMessage](w, pid(1))
	require.Len(t, said, 1)
	assert.Equal(t, []byte("hello"), said[0].GetData())
	w.look()
	back := &wire.ExecutorToFrameworkMessage{SlaveId: a, ExecutorId: e, FrameworkId: &mesosv1.FrameworkID{Value: &f}, Data: []byte("hi")}
	w.do(AgentMessage{From: pid(1), To: "master", Message: back})
	require.Equal(t, []string{"MESSAGE"}, w.types("s"))
	assert.Equal(t, []byte("hi"), w.events("s")[0].GetMessage().GetData())

	t.Run("to an agent that is not there nothing is sent", func(t *testing.T) {
		w.T = t
		w.look()
		a, e := id("M-S9")
		w.call("s", &scheduler.Call{Type: scheduler.Call_SHUTDOWN.Enum(), Shutdown: &scheduler.Call_Shutdown{AgentId: a, ExecutorId: e}})
		w.call("s", &scheduler.Call{Type: scheduler.Call_MESSAGE.Enum(),
			Message: &scheduler.Call_Message{AgentId: a, ExecutorId: e}})
		w.do(StreamGone{Stream: "s"})
		w.do(AgentMessage{From: pid(1), To: "master", Message: back})
		assert.Empty(t, messages[*wire.ShutdownExecutorMessage](w, pid(1)))
		assert.Empty(t, w.types("s"))
		for _, name := range []string{"valid_framework_to_executor_messages", "invalid_framework_to_executor_messages",
			"valid_executor_to_framework_messages", "invalid_executor_to_framework_messages"} {
			assert.InDelta(t, 1, w.core.counts[name], 0, name)
		}
	})
}

func TestReconcile(t *testing.T) {
	ask := func(agent string, names ...string) *scheduler.Call {
		call := &scheduler.Call{Type: scheduler.Call_RECONCILE.Enum(), Reconcile: &scheduler.Call_Reconcile{}}
		for _, n := range names {
			task := &scheduler.Call_Reconcile_Task{TaskId: &mesosv1.TaskID{Value: &n}}
			if agent != "" {
				task.AgentId = &mesosv1.AgentID{Value: &agent}
			}
			call.Reconcile.Tasks = append(call.Reconcile.Tasks, task)
		}
		return call
	}

	t.Run("a known task is as its framework was told last, with what was said beside", func(t *testing.T) {
		for _, names := range [][]string{{"t"}, nil} {
			w, f, agent := running(t)
			w.status(f, agent, "t", mesosv1.TaskState_TASK_RUNNING, func(u *wire.StatusUpdate) {
				u.LatestState = mesosv1.TaskState_TASK_FINISHED.Enum()
				u.Status.Healthy = proto.Bool(false)
				u.Status.ContainerStatus = &mesosv1.ContainerStatus{}
				u.Status.CheckStatus = &mesosv1.CheckStatusInfo{}
			})
			w.look()
			w.call("s", ask("", names...))
			status := w.one("s")
			assert.Equal(t, mesosv1.TaskState_TASK_RUNNING, status.GetState())
			assert.Equal(t, mesosv1.TaskStatus_REASON_RECONCILIATION, status.GetReason())
			assert.Equal(t, "Reconciliation: Latest task state", status.GetMessage())
			assert.NotNil(t, status.Healthy)
			assert.NotNil(t, status.ContainerStatus)
			assert.NotNil(t, status.CheckStatus)
			assert.Nil(t, status.Uuid)
		}
	})

	t.Run("an ended task that is not acknowledged is among all", func(t *testing.T) {
		w, f, agent := running(t)
		w.status(f, agent, "t", mesosv1.TaskState_TASK_FINISHED)
		w.look()
		w.call("s", ask(""))
		assert.Equal(t, mesosv1.TaskState_TASK_FINISHED, w.one("s").GetState())
	})

	t.Run("the rest depends on the agent", func(t *testing.T) {
		for _, partitionAware := range []bool{true, false} {
			w := standbyWorld(t)
			w.do(Elected{})
			since := timeInfo(begin)
			w.do(RegistryRecovered{Registry: &wire.Registry{
				Slaves: &wire.Registry_Slaves{Slaves: []*wire.Registry_Slave{{Info: &mesosv1.AgentInfo{
					Hostname: proto.String("h"), Id: &mesosv1.AgentID{Value: proto.String("recovered")}}}}},
				Unreachable: &wire.Registry_UnreachableSlaves{Slaves: []*wire.Registry_UnreachableSlave{{
					Id: &mesosv1.AgentID{Value: proto.String("unreachable")}, Timestamp: since}}},
				Gone: &wire.Registry_GoneSlaves{Slaves: []*wire.Registry_GoneSlave{{
					Id: &mesosv1.AgentID{Value: proto.String("gone")}, Timestamp: since}}},
			}})
			change := func(*mesosv1.FrameworkInfo) {}
			if partitionAware {
				change = aware
			}
			w.subscribe("s", change)
			agent := w.register(1)
			for _, c := range []struct {
				agent string
				state mesosv1.TaskState
			}{
				{"recovered", -1}, {"", -1}, {agent, mesosv1.TaskState_TASK_GONE},
				{"unreachable", mesosv1.TaskState_TASK_UNREACHABLE}, {"gone", mesosv1.TaskState_TASK_GONE_BY_OPERATOR},
				{"other", mesosv1.TaskState_TASK_UNKNOWN},
			} {
				w.look()
				w.call("s", ask(c.agent, "x"))
				if c.state == -1 {
					assert.Empty(t, w.types("s"), "agent %q", c.agent)
					continue
				}
				status := w.one("s")
				want := c.state
				if !partitionAware {
					want = mesosv1.TaskState_TASK_LOST
				}
				assert.Equal(t, want, status.GetState(), "agent %q", c.agent)
				assert.Equal(t, c.agent, status.GetAgentId().GetValue())
				assert.Equal(t, c.agent == "unreachable", status.UnreachableTime != nil)
			}
			w.look()
			operations := &scheduler.Call{Type: scheduler.Call_RECONCILE_OPERATIONS.Enum(),
				ReconcileOperations: &scheduler.Call_ReconcileOperations{}}
			for _, agent := range []string{"recovered", agent, "unreachable", "gone", "other"} {
				operations.ReconcileOperations.Operations = append(operations.ReconcileOperations.Operations,
					&scheduler.Call_ReconcileOperations_Operation{
						OperationId: &mesosv1.OperationID{Value: proto.String("o")}, AgentId: &mesosv1.AgentID{Value: &agent}})
			}
			assert.Equal(t, 202, w.answered(w.call("s", operations)).Status)
			var states []string
			for _, e := range w.events("s") {
				states = append(states, e.GetUpdateOperationStatus().GetStatus().GetState().String())
			}
			assert.Equal(t, []string{"OPERATION_RECOVERING", "OPERATION_UNKNOWN", "OPERATION_UNREACHABLE",
				"OPERATION_GONE_BY_OPERATOR", "OPERATION_UNKNOWN"}, states)
			w.wait(time.Second)
		}
	})
}

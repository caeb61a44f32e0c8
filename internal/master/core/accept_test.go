package core

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/wire"
)

var aware = with(mesosv1.FrameworkInfo_Capability_PARTITION_AWARE)

// one returns the only update that a scheduler was sent since the last look.
func (w *world) one(stream StreamID) *mesosv1.TaskStatus {
	w.Helper()
	all := w.updates(stream)
	require.Len(w, all, 1, "%v", w.log)
	return all[0]
}

func offers(ids ...*mesosv1.OfferID) []*mesosv1.OfferID { return ids }

func TestAcceptInvalidOffers(t *testing.T) {
	for _, c := range []struct {
		name   string
		offers func(w *world, f string) []*mesosv1.OfferID
		says   string
		back   int // how many go back
	}{
		{"no offers", func(*world, string) []*mesosv1.OfferID { return nil }, "No offers specified", 0},
		{"one that is not there", func(w *world, f string) []*mesosv1.OfferID {
			return offers(w.offer(f, "M-S0", "web", "cpus:1"), &mesosv1.OfferID{Value: proto.String("M-O9")})
		}, "Offer M-O9 is no longer valid", 1},
		{"one twice", func(w *world, f string) []*mesosv1.OfferID {
			o := w.offer(f, "M-S0", "web", "cpus:1")
			return offers(o, o)
		}, "Duplicate offer M-O0 in offer list", 1},
		{"somebody else's", func(w *world, f string) []*mesosv1.OfferID {
			return offers(w.offer(w.subscribe("g"), "M-S0", "web", "cpus:1"), w.offer(f, "M-S0", "web", "cpus:1"))
		}, "Offer M-O0 is no longer valid", 1},
		{"of two agents", func(w *world, f string) []*mesosv1.OfferID {
			w.register(2)
			return offers(w.offer(f, "M-S0", "web", "cpus:1"), w.offer(f, "M-S1", "web", "cpus:1"))
		}, "one single agent", 2},
		{"of two roles", func(w *world, f string) []*mesosv1.OfferID {
			return offers(w.offer(f, "M-S0", "web", "cpus:1"), w.offer(f, "M-S0", "batch", "cpus:1"))
		}, "different roles", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, partitionAware := range []bool{false, true} {
				w := newWorld(t)
				agent := w.register(1)
				change := func(*mesosv1.FrameworkInfo) {}
				state, name := mesosv1.TaskState_TASK_LOST, "tasks_lost"
				if partitionAware {
					change, state, name = aware, mesosv1.TaskState_TASK_DROPPED, "tasks_dropped"
				}
				f := w.subscribe("s", change, with(mesosv1.FrameworkInfo_Capability_MULTI_ROLE),
					func(i *mesosv1.FrameworkInfo) { i.Roles = []string{"web", "batch"} })
				ids := c.offers(w, f)
				w.look()
				reserve := &mesosv1.Offer_Operation{Type: mesosv1.Offer_Operation_RESERVE.Enum(),
					Id: &mesosv1.OperationID{Value: proto.String("op")}, Reserve: &mesosv1.Offer_Operation_Reserve{}}
				assert.Equal(t, 202, w.answered(w.call("s", accept(ids, launch(taskInfo("t", agent, "cpus:1")), reserve))).Status)
				status := w.one("s")
				assert.Equal(t, state, status.GetState())
				assert.Equal(t, mesosv1.TaskStatus_REASON_INVALID_OFFERS, status.GetReason())
				assert.Equal(t, mesosv1.TaskStatus_SOURCE_MASTER, status.GetSource())
				assert.Nil(t, status.Uuid)
				assert.Contains(t, status.GetMessage(), "Task launched with invalid offers: ")
				assert.Contains(t, status.GetMessage(), c.says)
				assert.InDelta(t, 1, w.core.counts[name], 0)
				op := w.events("s")[1].GetUpdateOperationStatus().GetStatus()
				assert.Equal(t, mesosv1.OperationState_OPERATION_ERROR, op.GetState())
				assert.Equal(t, "op", op.GetOperationId().GetValue())
				assert.Contains(t, op.GetMessage(), "Operation attempted with invalid offers: ")
				back := 0
				for _, l := range w.look() {
					if len(l) > 27 && l[:26] == "allocator RecoverResources" {
						back++
						assert.NotContains(t, l, "refuse", "without a filter")
					}
				}
				assert.Equal(t, c.back, back)
				w.sound()
			}
		})
	}
}

func TestAccept(t *testing.T) {
	t.Run("an ACCEPT of nothing gives all back with its filters", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		o := w.offer(w.subscribe("s"), agent, "web", "cpus:1")
		w.look()
		call := accept(offers(o), launch())
		call.Accept.Filters = &mesosv1.Filters{RefuseSeconds: proto.Float64(7)}
		w.call("s", call)
		assert.Equal(t, "allocator RecoverResources M-0000 M-S0 cpus(allocated: web):1 allocated=false refuse=7", w.look()[1])
		assert.InDelta(t, 1, w.core.counts["messages_decline_offers"], 0)
		w.sound()
	})

	t.Run("several offers of one agent are one", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		f := w.subscribe("s")
		a, b := w.offer(f, agent, "web", "cpus:1"), w.offer(f, agent, "web", "cpus:1;mem:32")
		w.call("s", accept(offers(a, b), launch(taskInfo("t", agent, "cpus:2;mem:32"))))
		assert.True(t, w.core.frameworks.snapshot()[0].tasks.has("t"))
		w.sound()
	})

	t.Run("each task of a LAUNCH stands for itself, and takes from what is left", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		o := w.offer(w.subscribe("s"), agent, "web", "cpus:1;mem:64")
		w.look()
		w.call("s", accept(offers(o), launch(taskInfo("a", agent, "cpus:0.5;mem:32"), taskInfo("b", agent, "cpus:9;mem:1"),
			taskInfo("c", agent, "cpus:0.5;mem:32"), taskInfo("d", agent, "cpus:0.1")),
			launch(taskInfo("a", agent, "cpus:0.1;mem:1"))))
		var ran []string
		for _, m := range messages[*wire.RunTaskMessage](w, pid(1)) {
			ran = append(ran, m.GetTask().GetTaskId().GetValue())
		}
		assert.Equal(t, []string{"a", "c"}, ran)
		var refused []string
		for _, s := range w.updates("s") {
			assert.Equal(t, mesosv1.TaskState_TASK_ERROR, s.GetState())
			assert.Equal(t, mesosv1.TaskStatus_REASON_TASK_INVALID, s.GetReason())
			refused = append(refused, s.GetTaskId().GetValue())
		}
		assert.Equal(t, []string{"b", "d", "a"}, refused)
		assert.InDelta(t, 3, w.core.counts["tasks_error"], 0)
		assert.InDelta(t, 3, w.core.counts["task_error/source_master/reason_task_invalid"], 0)
		assert.InDelta(t, 2, w.core.counts["messages_launch_tasks"], 0)
		w.sound()
	})

	t.Run("a task is the master's before its agent knows of it", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		w.subscribe("s")
		w.launch("s", agent, "t", "cpus:1;mem:32")
		view := w.core.View()
		task := view.Frameworks[0].Tasks[0]
		assert.Equal(t, mesosv1.TaskState_TASK_STAGING, task.GetState())
		assert.Empty(t, task.GetUser())
		assert.Nil(t, task.ExecutorId, "the agent makes the executor of a command")
		assert.Empty(t, view.Frameworks[0].Executors)
		assert.Equal(t, "cpus(allocated: web):1; mem(allocated: web):32", view.Agents[0].Used.String())
		assert.Equal(t, "web", view.Roles[0].Name)
		assert.Equal(t, "cpus(allocated: web):1; mem(allocated: web):32", view.Roles[0].Allocated.String())
	})

	t.Run("the user is kept if the command names one", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		o := w.offer(w.subscribe("s"), agent, "web", "cpus:1;mem:32")
		task := taskInfo("t", agent, "cpus:1;mem:32")
		task.Command.User = proto.String("nobody")
		w.call("s", accept(offers(o), launch(task)))
		assert.Equal(t, "nobody", w.core.View().Frameworks[0].Tasks[0].GetUser())
	})

	t.Run("what was sent is not changed later", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		f := w.subscribe("s")
		o := w.offer(f, agent, "web", "cpus:1;mem:32")
		task := taskInfo("t", agent, "cpus:1;mem:32")
		before := proto.CloneOf(task)
		w.call("s", accept(offers(o), launch(task)))
		old := w.core.View()
		kept := proto.CloneOf(old.Frameworks[0].Tasks[0])
		w.status(f, agent, "t", mesosv1.TaskState_TASK_RUNNING)
		assert.True(t, proto.Equal(before, task))
		assert.True(t, proto.Equal(kept, old.Frameworks[0].Tasks[0]))
		assert.Equal(t, mesosv1.TaskState_TASK_RUNNING, w.core.View().Frameworks[0].Tasks[0].GetState())
	})

	t.Run("operations of later are refused, with a word if they have an id", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		o := w.offer(w.subscribe("s"), agent, "web", "cpus:1;mem:32")
		w.look()
		create := &mesosv1.Offer_Operation{Type: mesosv1.Offer_Operation_CREATE.Enum(),
			Create: &mesosv1.Offer_Operation_Create{}}
		destroy := &mesosv1.Offer_Operation{Type: mesosv1.Offer_Operation_DESTROY.Enum(),
			Id: &mesosv1.OperationID{Value: proto.String("d")}, Destroy: &mesosv1.Offer_Operation_Destroy{}}
		w.call("s", accept(offers(o), create, destroy, launch(taskInfo("t", agent, "cpus:1;mem:32"))))
		require.Equal(t, []string{"UPDATE_OPERATION_STATUS"}, w.types("s"))
		status := w.events("s")[0].GetUpdateOperationStatus().GetStatus()
		assert.Equal(t, mesosv1.OperationState_OPERATION_ERROR, status.GetState())
		assert.Nil(t, status.Uuid)
		assert.Len(t, messages[*wire.RunTaskMessage](w, pid(1)), 1, "the rest goes on")
		assert.InDelta(t, 2, w.core.counts["operations/error"], 0)
		assert.InDelta(t, 1, w.core.counts["operations/destroy/error"], 0)
	})

	t.Run("an agent from before refined reservations is sent the old form", func(t *testing.T) {
		w := newWorld(t)
		w.do(AgentMessage{From: pid(1), To: "master", Message: &wire.RegisterSlaveMessage{
			Slave: agentInfo(1), Version: proto.String("1.0.0")}})
		o := w.offer(w.subscribe("s"), "M-S0", "web", "cpus:1;mem:32")
		w.call("s", accept(offers(o), launch(taskInfo("t", "M-S0", "cpus:1;mem:32"))))
		run := messages[*wire.RunTaskMessage](w, pid(1))
		require.Len(t, run, 1)
		assert.Equal(t, "*", run[0].GetTask().GetResources()[0].GetRole())
		assert.NotNil(t, run[0].GetTask().GetResources()[0].Role)
		assert.Empty(t, run[0].GetResourceVersionUuids(), "it has not said one")
	})
}

func TestLaunchExecutor(t *testing.T) {
	w := newWorld(t)
	agent := w.register(1)
	f := w.subscribe("s")
	custom := func(name string) *mesosv1.TaskInfo {
		task := taskInfo(name, agent, "cpus:1;mem:32")
		task.Command, task.Executor = nil, customExecutor()
		return task
	}
	o := w.offer(f, agent, "web", "cpus:3;mem:512")
	w.look()
	w.call("s", accept(offers(o), launch(custom("a"), custom("b"))))
	run := messages[*wire.RunTaskMessage](w, pid(1))
	require.Len(t, run, 2)
	assert.True(t, run[0].GetLaunchExecutor())
	assert.False(t, run[1].GetLaunchExecutor(), "it is launched by the first")
	assert.Equal(t, f, run[0].GetTask().GetExecutor().GetFrameworkId().GetValue(), "the master fills that in")
	assert.Equal(t, "web", run[0].GetTask().GetExecutor().GetResources()[0].GetAllocationInfo().GetRole())
	assert.Equal(t, "@0.0.0.0:0", run[0].GetPid())
	assert.Equal(t, "0123456789abcdef", string(run[0].GetResourceVersionUuids()[0].GetUuid().GetValue()))
	view := w.core.View()
	require.Len(t, view.Frameworks[0].Executors, 1)
	assert.Equal(t, "cpus(allocated: web):2.1; mem(allocated: web):96", view.Agents[0].Used.String())
	assert.Equal(t, "e", view.Frameworks[0].Tasks[0].GetExecutorId().GetValue())
	w.sound()

	t.Run("its end gives its resources back and is a FAILURE", func(t *testing.T) {
		w.T = t
		w.look()
		exited := &wire.ExitedExecutorMessage{SlaveId: &mesosv1.AgentID{Value: &agent},
			FrameworkId: &mesosv1.FrameworkID{Value: &f}, ExecutorId: &mesosv1.ExecutorID{Value: proto.String("e")},
			Status: proto.Int32(9)}
		w.do(AgentMessage{From: pid(1), To: "master", Message: exited})
		require.Equal(t, []string{"FAILURE"}, w.types("s"))
		failure := w.events("s")[0].GetFailure()
		assert.Equal(t, "e", failure.GetExecutorId().GetValue())
		assert.Equal(t, int32(9), failure.GetStatus())
		assert.Equal(t, agent, failure.GetAgentId().GetValue())
		w.look()
		w.do(AgentMessage{From: pid(1), To: "master", Message: exited})
		assert.Empty(t, w.types("s"), "once, and never for executors of commands")
		w.sound()
	})
}

func TestLaunchGroup(t *testing.T) {
	start := func(t *testing.T, change ...func(*Config)) (*world, string) {
		w := newWorld(t, change...)
		w.do(AgentMessage{From: pid(1), To: "master", Message: &wire.RegisterSlaveMessage{
			Slave:   &mesosv1.AgentInfo{Hostname: proto.String("host1"), Resources: res("cpus:4;mem:1024;disk:100")},
			Version: proto.String("1.12.0"), AgentCapabilities: modern}})
		return w, "M-S0"
	}

	t.Run("all tasks go in one message, with the executor", func(t *testing.T) {
		w, agent := start(t)
		f := w.subscribe("s")
		o := w.offer(f, agent, "web", "cpus:4;mem:1024;disk:100")
		w.look()
		w.call("s", accept(offers(o), group(f, taskInfo("a", agent, "cpus:1;mem:32"), taskInfo("b", agent, "cpus:1;mem:32"))))
		run := messages[*wire.RunTaskGroupMessage](w, pid(1))
		require.Len(t, run, 1, "%v", w.log)
		assert.Len(t, run[0].GetTaskGroup().GetTasks(), 2)
		assert.True(t, run[0].GetLaunchExecutor())
		assert.Equal(t, "default", run[0].GetTaskGroup().GetTasks()[1].GetExecutor().GetExecutorId().GetValue())
		assert.Equal(t, "web", run[0].GetExecutor().GetResources()[0].GetAllocationInfo().GetRole())
		assert.Equal(t, "default", w.core.View().Frameworks[0].Tasks[0].GetExecutorId().GetValue())
		w.sound()
	})

	t.Run("one bad task and each is told", func(t *testing.T) {
		w, agent := start(t)
		f := w.subscribe("s")
		o := w.offer(f, agent, "web", "cpus:4;mem:1024;disk:100")
		w.look()
		w.call("s", accept(offers(o), group(f, taskInfo("a", agent, "cpus:1;mem:32"), taskInfo("b", agent, "cpus:9;mem:32"))))
		updates := w.updates("s")
		require.Len(t, updates, 2)
		for _, u := range updates {
			assert.Equal(t, mesosv1.TaskState_TASK_ERROR, u.GetState())
			assert.Equal(t, mesosv1.TaskStatus_REASON_TASK_GROUP_INVALID, u.GetReason())
		}
		assert.Empty(t, messages[*wire.RunTaskGroupMessage](w, pid(1)))
		w.sound()
	})

	t.Run("an executor without its framework is refused", func(t *testing.T) {
		w, agent := start(t)
		f := w.subscribe("s")
		o := w.offer(f, agent, "web", "cpus:4;mem:1024;disk:100")
		w.look()
		g := group(f, taskInfo("a", agent, "cpus:1;mem:32"))
		g.LaunchGroup.Executor.FrameworkId = nil
		w.call("s", accept(offers(o), g))
		assert.Equal(t, mesosv1.TaskStatus_REASON_TASK_GROUP_INVALID, w.one("s").GetReason())
	})

	t.Run("one task killed while it was pending and all are", func(t *testing.T) {
		w, agent := start(t, func(c *Config) { c.Hooks = true })
		f := w.subscribe("s")
		o := w.offer(f, agent, "web", "cpus:4;mem:1024;disk:100")
		w.call("s", accept(offers(o), group(f, taskInfo("a", agent, "cpus:1;mem:32"), taskInfo("b", agent, "cpus:1;mem:32"))))
		w.look()
		w.call("s", kill("a"))
		assert.Equal(t, "Killed pending task", w.one("s").GetMessage())
		w.look()
		w.do(Hooked{Ticket: w.hooked[0].Ticket, Result: w.hooked[0].Do(context.Background(), nil)})
		status := w.one("s")
		assert.Equal(t, "b", status.GetTaskId().GetValue())
		assert.Equal(t, mesosv1.TaskState_TASK_KILLED, status.GetState())
		assert.Equal(t, mesosv1.TaskStatus_REASON_TASK_KILLED_DURING_LAUNCH, status.GetReason())
		w.sound()
	})
}

func kill(name string) *scheduler.Call {
	return &scheduler.Call{Type: scheduler.Call_KILL.Enum(), Kill: &scheduler.Call_Kill{TaskId: &mesosv1.TaskID{Value: &name}}}
}

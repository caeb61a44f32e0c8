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

// runs has an agent say that it runs a task of a framework.
func runs(info *mesosv1.FrameworkInfo, tasks ...*mesosv1.Task) func(*wire.ReregisterSlaveMessage) {
	return func(m *wire.ReregisterSlaveMessage) {
		if info != nil {
			m.Frameworks = append(m.Frameworks, info)
		}
		m.Tasks = append(m.Tasks, tasks...)
	}
}

func runningTask(f, agent, name string) *mesosv1.Task {
	return &mesosv1.Task{Name: &name, TaskId: &mesosv1.TaskID{Value: &name}, FrameworkId: &mesosv1.FrameworkID{Value: &f},
		AgentId: &mesosv1.AgentID{Value: &agent}, State: mesosv1.TaskState_TASK_RUNNING.Enum(),
		Resources: parsed("cpus:1;mem:32").Allocate("web").Messages()}
}

func registryOf(agents ...int) *wire.Registry {
	r := &wire.Registry{Slaves: &wire.Registry_Slaves{}}
	for _, n := range agents {
		info := agentInfo(n)
		info.Id = &mesosv1.AgentID{Value: proto.String("L-S" + string(rune('0'+n)))}
		r.Slaves.Slaves = append(r.Slaves.Slaves, &wire.Registry_Slave{Info: info})
	}
	return r
}

// recoveredWorld has a master that has just been elected, with agents in its registry.
func recoveredWorld(t *testing.T, agents []int, change ...func(*Config)) *world {
	w := standbyWorld(t, change...)
	w.do(Elected{})
	w.do(RegistryRecovered{Registry: registryOf(agents...)})
	return w
}

func TestReregisterKnown(t *testing.T) {
	t.Run("it is asked what became of tasks that it does not name", func(t *testing.T) {
		w, f, agent := running(t)
		w.do(AgentExited{PID: pid(1)})
		w.look()
		w.reregister(1, agent)
		said := messages[*wire.SlaveReregisteredMessage](w, pid(1))
		require.Len(t, said, 1)
		require.Len(t, said[0].GetReconciliations(), 1)
		ask := said[0].GetReconciliations()[0]
		assert.Equal(t, f, ask.GetFrameworkId().GetValue())
		require.Len(t, ask.GetStatuses(), 1)
		assert.Equal(t, "t", ask.GetStatuses()[0].GetTaskId().GetValue())
		assert.Equal(t, mesosv1.TaskState_TASK_RUNNING, ask.GetStatuses()[0].GetState())
		assert.NotNil(t, w.task("t"), "it stays until the agent has answered")
		assert.Empty(t, w.types("s"))
		w.sound()
	})

	t.Run("in time nothing happens; too late it is unreachable", func(t *testing.T) {
		for _, late := range []bool{false, true} {
			w, _, agent := running(t)
			w.answerPings = true
			w.wait(15 * time.Second)
			w.do(AgentExited{PID: pid(1)})
			w.wait(9*time.Minute + 59*time.Second)
			if !late {
				w.reregister(1, agent)
			}
			w.wait(time.Hour)
			assert.Equal(t, count(late), w.core.unreachable.len())
			w.sound()
		}
	})

	t.Run("a break withdraws its offers and gives its tasks time, unless their framework wants none", func(t *testing.T) {
		for _, checkpoint := range []bool{true, false} {
			w, f, agent := running(t, func(i *mesosv1.FrameworkInfo) { i.Checkpoint = &checkpoint })
			w.offer(f, agent, "web", "cpus:1")
			w.look()
			w.do(AgentExited{PID: pid(1)})
			if checkpoint {
				assert.Equal(t, []string{"RESCIND"}, w.types("s"))
			} else {
				assert.Equal(t, []string{"RESCIND", "UPDATE"}, w.types("s"))
				status := w.one("s")
				assert.Equal(t, mesosv1.TaskState_TASK_LOST, status.GetState())
				assert.Equal(t, mesosv1.TaskStatus_REASON_AGENT_DISCONNECTED, status.GetReason())
			}
			assert.False(t, w.core.View().Agents[0].Active)
			w.look()
			w.do(AgentExited{PID: pid(1)})
			assert.Empty(t, w.look(), "once")
			w.sound()
		}
	})

	t.Run("another address is refused while it is registered; another port is none", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		w.reregister(2, agent)
		require.Len(t, messages[*wire.ShutdownMessage](w, pid(2)), 1)
		w.look()
		moved := pid(1)
		moved.Name = "slave(2)"
		info := agentInfo(1)
		info.Id = &mesosv1.AgentID{Value: &agent}
		w.do(AgentMessage{From: moved, To: "master", Message: &wire.ReregisterSlaveMessage{Slave: info,
			Version: proto.String("1.12.0"), AgentCapabilities: modern}})
		assert.Len(t, messages[*wire.SlaveReregisteredMessage](w, moved), 1)
		assert.Equal(t, []string{"unlink slave(1)@10.0.0.1:5051", "link slave(2)@10.0.0.1:5051"}, w.look()[:2])
		assert.Equal(t, moved, w.core.View().Agents[0].PID)
		w.sound()
	})

	t.Run("what it says of itself now is in the registry first", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		w.offer(w.subscribe("s"), agent, "web", "cpus:1")
		w.look()
		w.answerStores = false
		w.reregister(1, agent, func(m *wire.ReregisterSlaveMessage) { m.Slave.Resources = res("cpus:8;mem:1024") })
		require.Len(t, w.stores, 1)
		w.reregister(1, agent)
		assert.Len(t, w.stores, 1, "dropped: it will try again")
		w.do(RegistryStored{Ticket: w.stores[0]})
		assert.Equal(t, "cpus:8; mem:1024", w.core.View().Agents[0].Total.String())
		assert.Equal(t, []string{"RESCIND"}, w.types("s"), "what it was offered of may be there no more")
		w.sound()
	})

	t.Run("executors that it does not name are gone", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		o := w.offer(w.subscribe("s"), agent, "web", "cpus:1;mem:64")
		task := taskInfo("t", agent, "cpus:0.1;mem:32")
		task.Command, task.Executor = nil, customExecutor()
		w.call("s", accept(offers(o), launch(task)))
		w.reregister(1, agent)
		assert.Empty(t, w.core.View().Frameworks[0].Executors)
		w.sound()
	})
}

func TestReadmit(t *testing.T) {
	t.Run("an agent from the registry comes back with its frameworks, and nobody is told that tasks live", func(t *testing.T) {
		w := recoveredWorld(t, []int{1})
		info := frameworkInfo(id("L-0000"))
		w.reregister(1, "L-S1", runs(info, runningTask("L-0000", "L-S1", "t")))
		assert.Empty(t, w.changes, "the registry has it as it is")
		view := w.core.View()
		require.Len(t, view.Frameworks, 1)
		assert.True(t, view.Frameworks[0].Recovered)
		assert.False(t, view.Frameworks[0].Connected)
		assert.Len(t, view.Frameworks[0].Tasks, 1)
		assert.Empty(t, view.Recovered)
		assert.Equal(t, "cpus(allocated: web):1; mem(allocated: web):32", view.Agents[0].Used.String())
		w.sound()
		w.look()
		w.subscribe("s", id("L-0000"))
		assert.Equal(t, []string{"SUBSCRIBED", "HEARTBEAT"}, w.types("s"))
		assert.False(t, w.core.View().Frameworks[0].Recovered)
		w.sound()
	})

	t.Run("with another address too: it is not registered", func(t *testing.T) {
		w := recoveredWorld(t, []int{1})
		w.reregister(2, "L-S1")
		require.Len(t, w.changes, 1)
		assert.IsType(t, UpdateAgent{}, w.changes[0])
		assert.Equal(t, 1, w.core.agents.len())
	})

	t.Run("one that was unreachable, or that nobody knows, has its tasks told of", func(t *testing.T) {
		for _, unreachable := range []bool{true, false} {
			w, f, agent := running(t, aware)
			info := w.core.frameworks.snapshot()[0].info
			lived := w.task("t").info
			if unreachable {
				w.wait(75 * time.Second)
				status := w.one("s")
				assert.Equal(t, mesosv1.TaskState_TASK_UNREACHABLE, status.GetState())
				assert.NotNil(t, status.UnreachableTime)
				assert.Equal(t, 1, w.core.frameworks.snapshot()[0].states[mesosv1.TaskState_TASK_UNREACHABLE])
			} else {
				w = newWorld(t)
				w.subscribe("s", aware, id(f))
			}
			w.look()
			w.reregister(1, agent, runs(info, lived))
			assert.IsType(t, MarkAgentReachable{}, w.changes[len(w.changes)-1])
			status := w.one("s")
			assert.Equal(t, mesosv1.TaskState_TASK_RUNNING, status.GetState())
			assert.Equal(t, mesosv1.TaskStatus_REASON_AGENT_REREGISTERED, status.GetReason())
			assert.Nil(t, status.Uuid)
			view := w.core.View()
			assert.Empty(t, view.Frameworks[0].Unreachable)
			assert.Len(t, view.Frameworks[0].Tasks, 1)
			assert.Zero(t, w.core.frameworks.snapshot()[0].states[mesosv1.TaskState_TASK_UNREACHABLE])
			assert.Empty(t, view.Unreachable)
			w.sound()
		}
	})

	t.Run("a task that is over on an unreachable agent is duplicate until then, and not after", func(t *testing.T) {
		w, _, _ := running(t)
		w.wait(75 * time.Second)
		other := w.register(2)
		o := w.offer("M-0000", other, "web", "cpus:1;mem:32")
		w.look()
		w.call("s", accept(offers(o), launch(taskInfo("t", other, "cpus:1;mem:32"))))
		assert.Contains(t, w.one("s").GetMessage(), "duplicate")
	})

	t.Run("frameworks that have ended are ended there, and their tasks not counted", func(t *testing.T) {
		w, f, agent := running(t)
		info, task := w.core.frameworks.snapshot()[0].info, w.task("t").info
		w.wait(75 * time.Second)
		w.call("s", &scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()})
		w.look()
		w.reregister(1, agent, runs(info, task))
		ended := messages[*wire.ShutdownFrameworkMessage](w, pid(1))
		require.Len(t, ended, 1)
		assert.Equal(t, f, ended[0].GetFrameworkId().GetValue())
		assert.Zero(t, w.core.agents.snapshot()[0].tasks.len())
		w.sound()
	})

	t.Run("frameworks that an agent does not describe are known by their id", func(t *testing.T) {
		w := recoveredWorld(t, []int{1})
		w.reregister(1, "L-S1", runs(nil, runningTask("L-0000", "L-S1", "t")))
		assert.Equal(t, 1, w.core.frameworks.len())
		w.subscribe("s", id("L-0000"), func(i *mesosv1.FrameworkInfo) { i.Principal = proto.String("me") })
		assert.Equal(t, "me", w.core.View().Frameworks[0].Info.GetUser())
		w.sound()
	})

	t.Run("a framework that comes back must be who agents say it is", func(t *testing.T) {
		w := recoveredWorld(t, []int{1})
		info := frameworkInfo(id("L-0000"), func(i *mesosv1.FrameworkInfo) { i.Principal = proto.String("owner") })
		w.reregister(1, "L-S1", runs(info, runningTask("L-0000", "L-S1", "t")))
		w.trySubscribe("s", id("L-0000"), func(i *mesosv1.FrameworkInfo) { i.Principal = proto.String("thief") })
		assert.Equal(t, []string{"ERROR"}, w.types("s"))
	})

	t.Run("a task whose id runs elsewhere is killed, and counts until it is dead", func(t *testing.T) {
		w, f, _ := running(t)
		w.reregister(2, "other", runs(nil, runningTask(f, "other", "t")))
		assert.Len(t, messages[*wire.KillTaskMessage](w, pid(2)), 1)
		assert.Equal(t, "cpus(allocated: web):2; mem(allocated: web):64", w.core.View().Frameworks[0].Used.String())
		w.sound()
		w.do(AgentMessage{From: pid(2), To: "master", Message: &wire.UnregisterSlaveMessage{
			SlaveId: &mesosv1.AgentID{Value: proto.String("other")}}})
		assert.NotNil(t, w.task("t"))
		w.sound()
	})

	t.Run("tasks that an agent remembers are in the history of their framework", func(t *testing.T) {
		w, f, _ := running(t)
		info := w.core.frameworks.snapshot()[0].info
		done := runningTask(f, "other", "done")
		w.reregister(2, "other", func(m *wire.ReregisterSlaveMessage) {
			m.CompletedFrameworks = []*wire.Archive_Framework{{FrameworkInfo: info, Tasks: []*mesosv1.Task{done}},
				{FrameworkInfo: frameworkInfo(id("nobody")), Tasks: []*mesosv1.Task{done}}}
		})
		assert.Equal(t, []*mesosv1.Task{done}, w.core.View().Frameworks[0].Completed)
	})

	t.Run("operators hear of frameworks before agents, of agents before tasks", func(t *testing.T) {
		w := recoveredWorld(t, []int{1})
		w.requests++
		w.do(OperatorCall{Request: w.requests, Stream: "o", Call: &master.Call{Type: master.Call_SUBSCRIBE.Enum()}})
		w.reregister(1, "L-S1", runs(frameworkInfo(id("L-0000")), runningTask("L-0000", "L-S1", "t")))
		var types []string
		for _, m := range w.sent["o"] {
			types = append(types, m.(*master.Event).GetType().String())
		}
		assert.Equal(t, []string{"FRAMEWORK_ADDED", "AGENT_ADDED", "TASK_ADDED"}, types)
	})
}

func TestLeave(t *testing.T) {
	for _, c := range []struct {
		name        string
		how         func(w *world, agent string)
		state       mesosv1.TaskState
		aware       mesosv1.TaskState
		reason      mesosv1.TaskStatus_Reason
		awareReason mesosv1.TaskStatus_Reason
		change      RegistryChange
	}{
		{"it unregisters", func(w *world, agent string) {
			w.do(AgentMessage{From: pid(1), To: "master", Message: &wire.UnregisterSlaveMessage{SlaveId: &mesosv1.AgentID{Value: &agent}}})
		}, mesosv1.TaskState_TASK_LOST, mesosv1.TaskState_TASK_LOST, mesosv1.TaskStatus_REASON_AGENT_REMOVED,
			mesosv1.TaskStatus_REASON_AGENT_REMOVED, RemoveAgent{}},
		{"it does not answer", func(w *world, _ string) { w.wait(75 * time.Second) },
			mesosv1.TaskState_TASK_LOST, mesosv1.TaskState_TASK_UNREACHABLE, mesosv1.TaskStatus_REASON_AGENT_REMOVED,
			mesosv1.TaskStatus_REASON_AGENT_REMOVED, MarkAgentUnreachable{}},
		{"an operator marks it gone", func(w *world, agent string) { w.gone(agent) },
			mesosv1.TaskState_TASK_LOST, mesosv1.TaskState_TASK_GONE_BY_OPERATOR, mesosv1.TaskStatus_REASON_AGENT_REMOVED,
			mesosv1.TaskStatus_REASON_AGENT_REMOVED_BY_OPERATOR, MarkAgentGone{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, partitionAware := range []bool{false, true} {
				change, state, reason := func(*mesosv1.FrameworkInfo) {}, c.state, c.reason
				if partitionAware {
					change, state, reason = aware, c.aware, c.awareReason
				}
				w, f, agent := running(t, change)
				w.offer(f, agent, "web", "cpus:1")
				w.look()
				c.how(w, agent)
				var types []string
				var failure *scheduler.Event_Failure
				for _, e := range w.events("s") {
					if e.GetType() != scheduler.Event_HEARTBEAT {
						types = append(types, e.GetType().String())
						failure = e.GetFailure()
					}
				}
				require.Equal(t, []string{"UPDATE", "RESCIND", "FAILURE"}, types)
				status := w.one("s")
				assert.Equal(t, state, status.GetState())
				assert.Equal(t, reason, status.GetReason())
				assert.IsType(t, c.change, w.changes[len(w.changes)-1])
				assert.Equal(t, agent, failure.GetAgentId().GetValue())
				assert.Nil(t, failure.ExecutorId)
				assert.Zero(t, w.core.agents.len())
				assert.True(t, w.core.View().Frameworks[0].Used.Empty())
				w.sound()
			}
		})
	}

	t.Run("only the agent itself unregisters", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		w.do(AgentMessage{From: pid(2), To: "master", Message: &wire.UnregisterSlaveMessage{SlaveId: &mesosv1.AgentID{Value: &agent}}})
		assert.Equal(t, 1, w.core.agents.len())
	})

	t.Run("who leaves while its place in the registry is changing stays until that is done", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		w.offer(w.subscribe("s"), agent, "web", "cpus:1")
		w.look()
		w.answerStores = false
		leave := AgentMessage{From: pid(1), To: "master", Message: &wire.UnregisterSlaveMessage{SlaveId: &mesosv1.AgentID{Value: &agent}}}
		w.do(leave)
		w.do(leave)
		require.Len(t, w.stores, 1)
		w.look()
		assert.Equal(t, 503, w.answered(w.gone(agent)).Status)
		w.do(RegistryStored{Ticket: w.stores[0]})
		assert.Zero(t, w.core.agents.len())
		w.sound()
	})
}

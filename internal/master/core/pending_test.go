package core

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/roles/hook"
)

// decorator is a hook that changes labels and resources, or fails.
type decorator struct {
	hook.Unimplemented
	name string
	err  error
	cpus string
	lost []string
}

func (d *decorator) MasterLaunchTaskLabelDecorator(_ context.Context, task *mesosv1.TaskInfo, _ *mesosv1.FrameworkInfo,
	_ *mesosv1.AgentInfo) (*mesosv1.Labels, error) {
	labels := append([]*mesosv1.Label{}, task.GetLabels().GetLabels()...)
	return &mesosv1.Labels{Labels: append(labels, &mesosv1.Label{Key: &d.name})}, d.err
}

func (d *decorator) MasterLaunchTaskResourceDecorator(_ context.Context, _ *mesosv1.TaskInfo,
	agent []*mesosv1.Resource) ([]*mesosv1.Resource, error) {
	if d.cpus == "" || len(agent) == 0 {
		return nil, d.err
	}
	return res(d.cpus), nil
}

func (d *decorator) MasterSlaveLostHook(_ context.Context, info *mesosv1.AgentInfo) error {
	d.lost = append(d.lost, info.GetHostname())
	return d.err
}

func TestHooks(t *testing.T) {
	hooked := func(c *Config) { c.Hooks = true }

	t.Run("a task is pending while hooks are asked, and its offers are used up", func(t *testing.T) {
		w := newWorld(t, hooked)
		agent := w.register(1)
		o := w.offer(w.subscribe("s"), agent, "web", "cpus:1;mem:32")
		w.call("s", accept(offers(o), launch(taskInfo("t", agent, "cpus:1;mem:32"))))
		view := w.core.View()
		assert.Len(t, view.Frameworks[0].Pending, 1)
		assert.Empty(t, view.Frameworks[0].Tasks)
		assert.Empty(t, view.Frameworks[0].Offers)
		assert.Empty(t, messages[*wire.RunTaskMessage](w, pid(1)))
		w.look()
		w.call("s", &scheduler.Call{Type: scheduler.Call_RECONCILE.Enum(), Reconcile: &scheduler.Call_Reconcile{}})
		assert.Equal(t, mesosv1.TaskState_TASK_STAGING, w.one("s").GetState())
		w.do(Hooked{Ticket: w.hooked[0].Ticket, Result: w.hooked[0].Do(context.Background(),
			[]hook.Hook{&decorator{name: "a"}, &decorator{name: "bad", err: errors.New("no")}, &decorator{name: "b"}})})
		run := messages[*wire.RunTaskMessage](w, pid(1))
		require.Len(t, run, 1)
		labels := run[0].GetTask().GetLabels().GetLabels()
		require.Len(t, labels, 2, "each sees what the one before has made; one that fails is passed over")
		assert.Equal(t, "a", labels[0].GetKey())
		assert.Equal(t, "b", labels[1].GetKey())
		assert.Nil(t, w.core.View().Frameworks[0].Tasks[0].Labels, "labels are for the agent")
		w.sound()
	})

	t.Run("resources of hooks count", func(t *testing.T) {
		w := newWorld(t, hooked)
		agent := w.register(1)
		o := w.offer(w.subscribe("s"), agent, "web", "cpus:2;mem:32")
		w.call("s", accept(offers(o), launch(taskInfo("t", agent, "cpus:9;mem:32"))))
		w.do(Hooked{Ticket: w.hooked[0].Ticket, Result: w.hooked[0].Do(context.Background(),
			[]hook.Hook{&decorator{name: "a", cpus: "cpus:2;mem:32"}})})
		assert.Equal(t, "cpus(allocated: web):2; mem(allocated: web):32", w.core.View().Agents[0].Used.String())
		w.sound()
	})

	t.Run("a task that is killed while it is pending is never sent", func(t *testing.T) {
		w := newWorld(t, hooked)
		agent := w.register(1)
		o := w.offer(w.subscribe("s"), agent, "web", "cpus:1;mem:32")
		w.call("s", accept(offers(o), launch(taskInfo("t", agent, "cpus:1;mem:32"))))
		w.look()
		w.call("s", kill("t"))
		assert.Equal(t, mesosv1.TaskState_TASK_KILLED, w.one("s").GetState())
		w.do(Hooked{Ticket: w.hooked[0].Ticket, Result: w.hooked[0].Do(context.Background(), nil)})
		assert.Empty(t, messages[*wire.RunTaskMessage](w, pid(1)))
		assert.Empty(t, w.core.View().Frameworks[0].Pending)
		w.sound()
	})

	t.Run("an answer that is none leaves tasks as they are", func(t *testing.T) {
		w := newWorld(t, hooked)
		agent := w.register(1)
		o := w.offer(w.subscribe("s"), agent, "web", "cpus:1;mem:32")
		w.call("s", accept(offers(o), launch(taskInfo("t", agent, "cpus:1;mem:32"))))
		w.do(Hooked{Ticket: w.hooked[0].Ticket})
		assert.Len(t, messages[*wire.RunTaskMessage](w, pid(1)), 1)
		w.sound()
	})

	t.Run("they are told of an agent that is lost", func(t *testing.T) {
		w := newWorld(t, hooked)
		agent := w.register(1)
		w.do(AgentMessage{From: pid(1), To: "master", Message: &wire.UnregisterSlaveMessage{SlaveId: &mesosv1.AgentID{Value: &agent}}})
		d := &decorator{err: errors.New("no")}
		assert.Equal(t, []error{d.err}, w.hooked[0].Do(context.Background(), []hook.Hook{d}))
		assert.Equal(t, []string{"host1"}, d.lost)
		assert.Zero(t, w.hooked[0].Ticket, "nobody waits")
	})
}

func TestWhatIsGoneWhenAnAcceptIsAnswered(t *testing.T) {
	for _, c := range []struct {
		name   string
		spoil  func(w *world, agent string)
		state  mesosv1.TaskState
		reason mesosv1.TaskStatus_Reason
	}{
		{"the agent is away", func(w *world, _ string) { w.do(AgentExited{PID: pid(1)}) },
			mesosv1.TaskState_TASK_LOST, mesosv1.TaskStatus_REASON_AGENT_DISCONNECTED},
		{"the agent has gone", func(w *world, agent string) {
			w.do(AgentMessage{From: pid(1), To: "master", Message: &wire.UnregisterSlaveMessage{SlaveId: &mesosv1.AgentID{Value: &agent}}})
		}, mesosv1.TaskState_TASK_LOST, mesosv1.TaskStatus_REASON_AGENT_REMOVED},
		{"the agent has gone and come back", func(w *world, agent string) {
			w.do(AgentMessage{From: pid(1), To: "master", Message: &wire.UnregisterSlaveMessage{SlaveId: &mesosv1.AgentID{Value: &agent}}})
			w.reregister(1, agent)
		}, mesosv1.TaskState_TASK_LOST, mesosv1.TaskStatus_REASON_AGENT_REMOVED},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(c *Config) { c.Hooks = true })
			agent := w.register(1)
			o := w.offer(w.subscribe("s"), agent, "web", "cpus:1;mem:32")
			w.call("s", accept(offers(o), launch(taskInfo("t", agent, "cpus:1;mem:32"))))
			question := w.hooked[0]
			c.spoil(w, agent)
			w.look()
			w.do(Hooked{Ticket: question.Ticket, Result: question.Do(context.Background(), nil)})
			status := w.one("s")
			assert.Equal(t, c.state, status.GetState())
			assert.Equal(t, c.reason, status.GetReason())
			assert.Empty(t, w.core.View().Frameworks[0].Pending)
			w.sound()
		})
	}

	t.Run("the framework has gone", func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.Hooks = true })
		agent := w.register(1)
		f := w.subscribe("s")
		o := w.offer(f, agent, "web", "cpus:1;mem:32")
		w.call("s", accept(offers(o), launch(taskInfo("t", agent, "cpus:1;mem:32"))))
		w.operator(&master.Call{Type: master.Call_TEARDOWN.Enum(), Teardown: &master.Call_Teardown{FrameworkId: &mesosv1.FrameworkID{Value: &f}}})
		w.do(Hooked{Ticket: w.hooked[0].Ticket, Result: w.hooked[0].Do(context.Background(), nil)})
		assert.Empty(t, messages[*wire.RunTaskMessage](w, pid(1)))
		assert.True(t, w.books.agents[agent].used[f].Empty())
		assert.Empty(t, w.books.problems)
	})
}

func TestAuthorizedTasks(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Authorize = true })
	w.do(AgentMessage{From: pid(1), To: "master", Message: &wire.RegisterSlaveMessage{Slave: agentInfo(1),
		Version: proto.String("1.12.0"), AgentCapabilities: modern}})
	w.do(Authorized{Ticket: w.asked[0].Ticket, Allowed: []bool{true}})
	w.trySubscribe("s", func(i *mesosv1.FrameworkInfo) { i.Principal = proto.String("me") })
	w.do(Authorized{Ticket: w.asked[1].Ticket, Allowed: []bool{true}})
	o := w.offer("M-0000", "M-S0", "web", "cpus:1;mem:64")
	w.call("s", accept(offers(o), launch(taskInfo("a", "M-S0", "cpus:0.1;mem:32"), taskInfo("b", "M-S0", "cpus:0.1;mem:32"))))
	requests := w.asked[2].Requests
	require.Len(t, requests, 2)
	assert.Equal(t, authorization.Action_RUN_TASK, requests[0].GetAction())
	assert.Equal(t, "me", requests[0].GetSubject().GetValue())
	assert.Equal(t, "a", requests[0].GetObject().GetTaskInfo().GetTaskId().GetValue())
	w.look()
	w.do(Authorized{Ticket: w.asked[2].Ticket, Allowed: []bool{false, true}})
	status := w.one("s")
	assert.Equal(t, mesosv1.TaskState_TASK_ERROR, status.GetState())
	assert.Equal(t, mesosv1.TaskStatus_REASON_TASK_UNAUTHORIZED, status.GetReason())
	assert.Equal(t, "Not authorized to launch as user 'me'", status.GetMessage())
	assert.Len(t, messages[*wire.RunTaskMessage](w, pid(1)), 1)
	w.sound()

	t.Run("without an answer nothing is allowed, and a group is refused as a whole", func(t *testing.T) {
		w.T = t
		o := w.offer("M-0000", "M-S0", "web", "cpus:1;mem:64")
		w.call("s", accept(offers(o), group("M-0000", taskInfo("c", "M-S0", "cpus:0.1;mem:32"))))
		w.look()
		w.do(Authorized{Ticket: w.asked[3].Ticket, Err: errors.New("out of order")})
		assert.Equal(t, mesosv1.TaskStatus_REASON_TASK_GROUP_UNAUTHORIZED, w.one("s").GetReason())
		assert.Contains(t, w.one("s").GetMessage(), "out of order")
		w.sound()
	})
}

package core

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/wire"
)

// launched is a message that starts tasks, and these.
type launched struct {
	message proto.Message
	tasks   []*task
}

// authorizeTasks asks whether the tasks may run as their users.
func (c *Core) authorizeTasks(a *accepting, then func()) {
	var requests []*authorization.Request
	var asked []*pendingTask
	for _, op := range a.operations {
		for _, p := range op.tasks {
			info := p.info
			if op.info.LaunchGroup != nil && info.Executor == nil {
				info = copyTaskInfo(info)
				info.Executor = op.info.GetLaunchGroup().GetExecutor()
			}
			asked = append(asked, p)
			requests = append(requests, &authorization.Request{
				Subject: subjectOf(a.framework.info),
				Action:  authorization.Action_RUN_TASK.Enum(),
				Object:  &authorization.Object{TaskInfo: info, FrameworkInfo: a.framework.info},
			})
		}
	}
	c.authorize(requests, func(allowed []bool, err error) {
		for i, p := range asked {
			switch {
			case err != nil:
				p.unauthorized = "Authorization failure: " + err.Error()
			case !allowed[i]:
				p.unauthorized = "Not authorized to launch as user '" + userOf(a.framework, requests[i].Object.TaskInfo) + "'"
			}
		}
		then()
	})
}

// userOf is whom a task would run as.
func userOf(f *framework, t *mesosv1.TaskInfo) string {
	switch {
	case t.GetCommand().GetUser() != "":
		return t.GetCommand().GetUser()
	case t.GetExecutor().GetCommand().GetUser() != "":
		return t.GetExecutor().GetCommand().GetUser()
	}
	return f.info.GetUser()
}

// launchTasks launches the tasks of a LAUNCH, each for itself.
func (c *Core) launchTasks(a *accepting, op *operation) {
	f := a.framework
	for _, p := range op.tasks {
		if c.unpend(f, p) {
			continue
		}
		if p.unauthorized != "" {
			c.refuseTask(f, p.info, mesosv1.TaskState_TASK_ERROR, mesosv1.TaskStatus_REASON_TASK_UNAUTHORIZED, p.unauthorized)
			continue
		}
		if op.info.Id != nil {
			c.refuseTask(f, p.info, mesosv1.TaskState_TASK_ERROR, mesosv1.TaskStatus_REASON_TASK_INVALID,
				"The 'id' field of an operation must not be set for a LAUNCH")
			continue
		}
		if err := validate.Task(p.info, taskContext(a)); err != nil {
			reason, text := refusedFor(err)
			c.refuseTask(f, p.info, mesosv1.TaskState_TASK_ERROR, reason, text)
			continue
		}
		c.launchTask(a, p)
	}
}

// launchTask launches a task that is valid.
func (c *Core) launchTask(a *accepting, p *pendingTask) {
	f, agent := a.framework, a.agent
	info := completeTask(p.info, f, a.role)
	starts := true
	if e := info.Executor; e != nil && agent.executorOn(f, e.GetExecutorId().GetValue()) != nil {
		starts = false
	}
	if info.Executor != nil && starts {
		c.takeExecutor(a, info.Executor)
	}
	t := c.takeTask(a, info)
	sent := info
	if p.labels != nil {
		sent = copyTaskInfo(info)
		sent.Labels = p.labels
	}
	a.launch = append(a.launch, launched{tasks: []*task{t}, message: &wire.RunTaskMessage{
		FrameworkId:          f.info.GetId(),
		Framework:            f.info,
		Task:                 taskFor(sent, agent),
		Pid:                  proto.String(libprocess.PID{}.String()),
		LaunchExecutor:       proto.Bool(starts),
		ResourceVersionUuids: agent.resourceVersions(),
	}})
}

// launchGroup launches all tasks of a group, or none.
func (c *Core) launchGroup(a *accepting, op *operation) {
	f, group := a.framework, op.info.GetLaunchGroup()
	killed, unauthorized := false, ""
	for _, p := range op.tasks {
		killed = c.unpend(f, p) || killed
		if unauthorized == "" {
			unauthorized = p.unauthorized
		}
	}
	refuse := func(state mesosv1.TaskState, reason mesosv1.TaskStatus_Reason, text string) {
		for _, p := range op.tasks {
			if !p.killed {
				c.refuseTask(f, p.info, state, reason, text)
			}
		}
	}
	switch {
	case killed:
		refuse(mesosv1.TaskState_TASK_KILLED, mesosv1.TaskStatus_REASON_TASK_KILLED_DURING_LAUNCH,
			"A task within the task group was killed before delivery to the agent")
		return
	case unauthorized != "":
		refuse(mesosv1.TaskState_TASK_ERROR, mesosv1.TaskStatus_REASON_TASK_GROUP_UNAUTHORIZED, unauthorized)
		return
	case op.info.Id != nil:
		refuse(mesosv1.TaskState_TASK_ERROR, mesosv1.TaskStatus_REASON_TASK_GROUP_INVALID,
			"The 'id' field of an operation must not be set for a LAUNCH_GROUP")
		return
	}
	decorated := &mesosv1.TaskGroupInfo{}
	for _, p := range op.tasks {
		decorated.Tasks = append(decorated.Tasks, p.info)
	}
	if err := validate.TaskGroup(decorated, group.GetExecutor(), taskContext(a)); err != nil {
		reason, text := refusedFor(err)
		refuse(mesosv1.TaskState_TASK_ERROR, reason, text)
		return
	}
	agent := a.agent
	executor := completeExecutor(group.GetExecutor(), f, a.role)
	starts := agent.executorOn(f, executor.GetExecutorId().GetValue()) == nil
	if starts {
		c.takeExecutor(a, executor)
	}
	l := launched{}
	sent := &mesosv1.TaskGroupInfo{}
	for _, p := range op.tasks {
		info := copyTaskInfo(p.info)
		info.Executor = executor
		info = completeTask(info, f, a.role)
		l.tasks = append(l.tasks, c.takeTask(a, info))
		if p.labels != nil {
			info = copyTaskInfo(info)
			info.Labels = p.labels
		}
		sent.Tasks = append(sent.Tasks, taskFor(info, agent))
	}
	l.message = &wire.RunTaskGroupMessage{
		Framework:            f.info,
		Executor:             executorFor(executor, agent),
		TaskGroup:            sent,
		LaunchExecutor:       proto.Bool(starts),
		ResourceVersionUuids: agent.resourceVersions(),
	}
	a.launch = append(a.launch, l)
}

// refusedFor is why a task is refused, as its update says it.
func refusedFor(err error) (mesosv1.TaskStatus_Reason, string) {
	if e, ok := errors.AsType[*validate.Error](err); ok {
		return e.Reason, e.Text
	}
	return mesosv1.TaskStatus_REASON_TASK_INVALID, err.Error()
}

func taskContext(a *accepting) validate.TaskContext {
	f, agent := a.framework, a.agent
	return validate.TaskContext{
		Framework:         f.info,
		Agent:             agent.info,
		AgentCapabilities: agent.capabilities,
		KnownTask: func(id string) bool {
			return f.tasks.has(id) || f.unreachable.has(id) || f.pending.has(id)
		},
		RunningExecutor: func(id string) *mesosv1.ExecutorInfo {
			if e := agent.executorOn(f, id); e != nil {
				return e.info
			}
			return nil
		},
		Offered:        a.left,
		AllocationRole: a.role,
	}
}

// takeTask and takeExecutor enter what is launched, and take its resources from what
// is left.
func (c *Core) takeTask(a *accepting, info *mesosv1.TaskInfo) *task {
	r := c.take(a, info.GetResources())
	return c.addTask(newTask(info, a.framework), r, a.framework, a.agent)
}

func (c *Core) takeExecutor(a *accepting, info *mesosv1.ExecutorInfo) {
	c.addExecutor(info, c.take(a, info.GetResources()), a.framework, a.agent)
}

func (c *Core) take(a *accepting, messages []*mesosv1.Resource) resources.Resources {
	r, err := resources.New(messages)
	if err != nil {
		c.log(Error, "resources of framework %s, which were checked, are not valid: %v", a.framework.id, err)
	}
	a.left = a.left.Sub(r)
	return r
}

// resourceVersions says on which version of its resources the agent is to run tasks.
func (a *agent) resourceVersions() []*wire.ResourceVersionUUID {
	if a.resourcesID == nil {
		return nil
	}
	return []*wire.ResourceVersionUUID{{Uuid: a.resourcesID}}
}

// countOperations counts what an ACCEPT asks for.
func (c *Core) countOperations(f *framework, operations []*mesosv1.Offer_Operation) {
	for _, op := range operations {
		f.counts.add("operations", 1)
		f.counts.add("operations/"+operationName(op.GetType()), 1)
		if op.GetType() != mesosv1.Offer_Operation_LAUNCH {
			continue
		}
		if len(op.GetLaunch().GetTaskInfos()) > 0 {
			c.counts.add("messages_launch_tasks", 1)
		} else {
			c.counts.add("messages_decline_offers", 1)
		}
	}
}

func (c *Core) countOperationError(t mesosv1.Offer_Operation_Type) {
	name := operationName(t)
	for _, counter := range []string{"total", "error"} {
		c.counts.add("operations/"+counter, 1)
		c.counts.add(fmt.Sprintf("operations/%s/%s", name, counter), 1)
	}
}

package core

import (
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/resources"
)

// completeTask is a valid task with what the master fills in: whom its resources are
// allocated to, the framework of its executor, the type of its health check.
func completeTask(t *mesosv1.TaskInfo, f *framework, role string) *mesosv1.TaskInfo {
	t = copyTaskInfo(validate.WithHealthCheckType(t))
	t.Resources = allocated(t.Resources, role)
	if t.Executor != nil {
		t.Executor = completeExecutor(t.Executor, f, role)
	}
	return t
}

func completeExecutor(e *mesosv1.ExecutorInfo, f *framework, role string) *mesosv1.ExecutorInfo {
	e = copyExecutorInfo(e)
	e.FrameworkId = f.info.GetId()
	e.Resources = allocated(e.Resources, role)
	return e
}

// allocated are valid messages in the newest shape, allocated to a role. What is there
// and empty stays, since the agent may look for it.
func allocated(messages []*mesosv1.Resource, role string) []*mesosv1.Resource {
	converted, err := resources.Convert(messages, resources.Post)
	if err != nil {
		return messages // of a task that was not checked; nothing is launched with it
	}
	for _, m := range converted {
		if m.AllocationInfo == nil {
			m.AllocationInfo = &mesosv1.Resource_AllocationInfo{Role: proto.String(role)}
		}
	}
	return converted
}

// taskFor and executorFor are what an agent is sent, in the shape it understands.
func taskFor(t *mesosv1.TaskInfo, a *agent) *mesosv1.TaskInfo {
	if a.shape() == resources.Post {
		return t
	}
	t = copyTaskInfo(t)
	t.Resources = inShape(t.Resources, a.shape())
	if t.Executor != nil {
		t.Executor = executorFor(t.Executor, a)
	}
	return t
}

func executorFor(e *mesosv1.ExecutorInfo, a *agent) *mesosv1.ExecutorInfo {
	if a.shape() == resources.Post {
		return e
	}
	e = copyExecutorInfo(e)
	e.Resources = inShape(e.Resources, a.shape())
	return e
}

func inShape(messages []*mesosv1.Resource, shape resources.Shape) []*mesosv1.Resource {
	converted, err := resources.Convert(messages, shape)
	if err != nil {
		return messages
	}
	return converted
}

// newTask is what the master knows of a task that it launches.
func newTask(t *mesosv1.TaskInfo, f *framework) *mesosv1.Task {
	task := &mesosv1.Task{
		Name: t.Name, TaskId: t.TaskId, FrameworkId: f.info.GetId(), AgentId: t.AgentId,
		State:     mesosv1.TaskState_TASK_STAGING.Enum(),
		Resources: t.Resources, Labels: t.Labels, Discovery: t.Discovery, Container: t.Container,
		HealthCheck: t.HealthCheck, KillPolicy: t.KillPolicy, Limits: t.Limits,
	}
	if t.Executor != nil {
		task.ExecutorId = t.Executor.ExecutorId
	}
	switch {
	case t.GetCommand().GetUser() != "":
		task.User = t.Command.User
	case t.GetExecutor().GetCommand().GetUser() != "":
		task.User = t.Executor.Command.User
	}
	return task
}

func copyTaskInfo(t *mesosv1.TaskInfo) *mesosv1.TaskInfo {
	return &mesosv1.TaskInfo{
		Name: t.Name, TaskId: t.TaskId, AgentId: t.AgentId, Resources: t.Resources, Executor: t.Executor,
		Command: t.Command, Container: t.Container, HealthCheck: t.HealthCheck, Check: t.Check, KillPolicy: t.KillPolicy,
		Data: t.Data, Labels: t.Labels, Discovery: t.Discovery, MaxCompletionTime: t.MaxCompletionTime, Limits: t.Limits,
	}
}

func copyExecutorInfo(e *mesosv1.ExecutorInfo) *mesosv1.ExecutorInfo {
	return &mesosv1.ExecutorInfo{
		Type: e.Type, ExecutorId: e.ExecutorId, FrameworkId: e.FrameworkId, Command: e.Command, Container: e.Container,
		Resources: e.Resources, Name: e.Name, Source: e.Source, Data: e.Data, Discovery: e.Discovery,
		ShutdownGracePeriod: e.ShutdownGracePeriod, Labels: e.Labels,
	}
}

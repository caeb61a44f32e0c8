package moduletest

import (
	"context"
	"fmt"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/hook"
)

func hookChecks() []check {
	return []check{
		{"every point may come with messages that say nothing", func(b *bench) {
			k, h := loaded[hook.Hook](b)
			for _, p := range hookPoints(h, "") {
				b.returns(p.name, func() { _ = p.call(b.Context()) }) // an error is an answer
			}
			assert.Empty(b, panics(k))
		}},
		{"every point works for a task, its executor and its agent", func(b *bench) {
			_, h := loaded[hook.Hook](b)
			for _, p := range hookPoints(h, "1") {
				assert.NoError(b, p.call(b.Context()), "%s", p.name)
			}
		}},
		{"calls about different tasks and executors may come from several goroutines", func(b *bench) {
			k, h := loaded[hook.Hook](b)
			k.Hammer(8, 25, func(ctx context.Context, g, call int) error {
				for _, p := range hookPoints(h, fmt.Sprint(g, "-", call)) {
					if p.once {
						continue // nobody calls it twice
					}
					_ = p.call(ctx) // an error is an answer
				}
				return nil
			})
			assert.Empty(b, panics(k))
		}},
		{"a cancelled ctx means that the answer is dropped", func(b *bench) {
			k, h := loaded[hook.Hook](b)
			for _, p := range hookPoints(h, "1") {
				b.returns(p.name, func() { _ = p.call(ended()) })
			}
			assert.Empty(b, panics(k))
		}},
	}
}

// hookPoint is one method with messages for it.
type hookPoint struct {
	name string
	once bool // in the life of a daemon
	call func(context.Context) error
}

// hookPoints are all methods, in the order in which an agent's and a task's life comes
// to them. Messages are made for each call, as they belong to the receiver. With an
// empty id they say nothing.
func hookPoints(h hook.Hook, id string) []hookPoint {
	return []hookPoint{
		{"SlaveResourcesDecorator", true, func(ctx context.Context) error {
			_, err := h.SlaveResourcesDecorator(ctx, hookAgent(id))
			return err
		}},
		{"SlaveAttributesDecorator", true, func(ctx context.Context) error {
			_, err := h.SlaveAttributesDecorator(ctx, hookAgent(id))
			return err
		}},
		{"MasterLaunchTaskResourceDecorator", false, func(ctx context.Context) error {
			_, err := h.MasterLaunchTaskResourceDecorator(ctx, hookTask(id), hookAgent(id).GetResources())
			return err
		}},
		{"MasterLaunchTaskLabelDecorator", false, func(ctx context.Context) error {
			_, err := h.MasterLaunchTaskLabelDecorator(ctx, hookTask(id), hookFramework(id), hookAgent(id))
			return err
		}},
		{"SlaveRunTaskLabelDecorator", false, func(ctx context.Context) error {
			_, err := h.SlaveRunTaskLabelDecorator(ctx, hookTask(id), hookExecutor(id), hookFramework(id), hookAgent(id))
			return err
		}},
		{"SlaveExecutorEnvironmentDecorator", false, func(ctx context.Context) error {
			_, err := h.SlaveExecutorEnvironmentDecorator(ctx, hookExecutor(id))
			return err
		}},
		{"SlavePreLaunchDockerTaskExecutorDecorator of a single command", false, func(ctx context.Context) error {
			_, err := h.SlavePreLaunchDockerTaskExecutorDecorator(ctx, hookTask(id), hookExecutor(id), "mesos-"+id, "/sandbox/"+id, "/mnt/sandbox", &mesosv1.Environment{})
			return err
		}},
		{"SlavePreLaunchDockerTaskExecutorDecorator of another executor", false, func(ctx context.Context) error {
			_, err := h.SlavePreLaunchDockerTaskExecutorDecorator(ctx, nil, hookExecutor(id), "mesos-"+id, "/sandbox/"+id, "/mnt/sandbox", nil)
			return err
		}},
		{"SlavePostFetchHook", false, func(ctx context.Context) error {
			container := &mesosv1.ContainerID{}
			if id != "" {
				container.Value = &id
			}
			return h.SlavePostFetchHook(ctx, container, "/sandbox/"+id)
		}},
		{"SlaveTaskStatusDecorator", false, func(ctx context.Context) error {
			status := &mesosv1.TaskStatus{}
			if id != "" {
				status.TaskId, status.State = hookTask(id).TaskId, mesosv1.TaskState_TASK_RUNNING.Enum()
			}
			_, err := h.SlaveTaskStatusDecorator(ctx, hookFramework(id).GetId(), status)
			return err
		}},
		{"SlaveRemoveExecutorHook", false, func(ctx context.Context) error {
			return h.SlaveRemoveExecutorHook(ctx, hookFramework(id), hookExecutor(id))
		}},
		{"MasterSlaveLostHook", false, func(ctx context.Context) error { return h.MasterSlaveLostHook(ctx, hookAgent(id)) }},
	}
}

func hookTask(id string) *mesosv1.TaskInfo {
	if id == "" {
		return &mesosv1.TaskInfo{}
	}
	return &mesosv1.TaskInfo{
		Name: proto.String("task " + id), TaskId: &mesosv1.TaskID{Value: &id}, AgentId: hookAgent(id).Id,
		Resources: []*mesosv1.Resource{scalar("cpus", 1)},
		Command:   &mesosv1.CommandInfo{Value: proto.String("true")},
		Labels:    &mesosv1.Labels{Labels: []*mesosv1.Label{{Key: proto.String("tier"), Value: proto.String("1")}}},
	}
}

func hookExecutor(id string) *mesosv1.ExecutorInfo {
	if id == "" {
		return &mesosv1.ExecutorInfo{}
	}
	return &mesosv1.ExecutorInfo{
		ExecutorId: &mesosv1.ExecutorID{Value: &id}, FrameworkId: hookFramework(id).Id,
		Command: &mesosv1.CommandInfo{Value: proto.String("true"), Environment: &mesosv1.Environment{
			Variables: []*mesosv1.Environment_Variable{{Name: proto.String("HOME"), Value: proto.String("/")}}}},
	}
}

func hookFramework(id string) *mesosv1.FrameworkInfo {
	if id == "" {
		return &mesosv1.FrameworkInfo{}
	}
	return frameworkOf("framework-"+id, "*")
}

func hookAgent(id string) *mesosv1.AgentInfo {
	if id == "" {
		return &mesosv1.AgentInfo{}
	}
	a := agentOf("agent-" + id)
	a.Resources = []*mesosv1.Resource{scalar("cpus", 4), scalar("mem", 1024)}
	return a
}

package core

import (
	"context"
	"fmt"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/hook"
)

// decorated is what the hooks made of one task.
type decorated struct {
	resources []*mesosv1.Resource // nil: as they were
	labels    *mesosv1.Labels     // likewise
	problems  []string
}

// decorate has the hooks change the tasks of an ACCEPT. What they say of resources is
// in force before the task is checked; labels only go to the agent.
func (c *Core) decorate(a *accepting, then func()) {
	var tasks []*pendingTask
	for _, op := range a.operations {
		tasks = append(tasks, op.tasks...)
	}
	if !c.config.Hooks || len(tasks) == 0 {
		then()
		return
	}
	infos := make([]*mesosv1.TaskInfo, len(tasks))
	for i, p := range tasks {
		infos[i] = p.info
	}
	framework, info := a.framework.info, a.agent.info
	ticket := c.await(func(answer any) {
		made, _ := answer.(Hooked).Result.([]decorated)
		for i, p := range tasks {
			if i >= len(made) {
				c.log(Error, "the hooks have no answer for task %s", p.info.GetTaskId().GetValue())
				continue
			}
			if made[i].resources != nil {
				p.info = copyTaskInfo(p.info)
				p.info.Resources = made[i].resources
			}
			p.labels = made[i].labels
			for _, problem := range made[i].problems {
				c.log(Warning, "task %s: %s", p.info.GetTaskId().GetValue(), problem)
			}
		}
		then()
	})
	c.emit(CallHooks{ticket, "MasterLaunchTask", func(ctx context.Context, hooks []hook.Hook) any {
		made := make([]decorated, len(infos))
		for i, t := range infos {
			made[i] = decorateTask(ctx, hooks, t, framework, info)
		}
		return made
	}})
}

// decorateTask asks one hook after the other; each sees what those before it have
// made. It runs outside of the core.
func decorateTask(ctx context.Context, hooks []hook.Hook, t *mesosv1.TaskInfo, framework *mesosv1.FrameworkInfo,
	agent *mesosv1.AgentInfo) decorated {
	var d decorated
	for _, h := range hooks {
		r, err := h.MasterLaunchTaskResourceDecorator(ctx, t, agent.GetResources())
		switch {
		case err != nil:
			d.problems = append(d.problems, fmt.Sprintf("a hook does not decorate its resources: %v", err))
		case r != nil:
			d.resources = r
			t = copyTaskInfo(t)
			t.Resources = r
		}
	}
	for _, h := range hooks {
		labels, err := h.MasterLaunchTaskLabelDecorator(ctx, t, framework, agent)
		switch {
		case err != nil:
			d.problems = append(d.problems, fmt.Sprintf("a hook does not decorate its labels: %v", err))
		case labels != nil:
			d.labels = labels
			t = copyTaskInfo(t)
			t.Labels = labels
		}
	}
	return d
}

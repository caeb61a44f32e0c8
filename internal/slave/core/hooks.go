package core

import (
	"context"
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/hook"
)

// decorated is what hooks made of something, and what those said that failed.
type decorated[T any] struct {
	value  T
	failed []error
}

// decorate hands a value through all hooks; nothing from one leaves it as it is.
func decorate[T any](hooks []hook.Hook, value T, call func(hook.Hook, T) (T, bool, error)) decorated[T] {
	d := decorated[T]{value: value}
	for _, h := range hooks {
		made, is, err := call(h, d.value)
		switch {
		case err != nil:
			d.failed = append(d.failed, err)
		case is:
			d.value = made
		}
	}
	return d
}

// HookErrors is what hooks said that failed and whose answer nobody waits for.
type HookErrors []error

// settled returns what hooks made of a value, or the value if they were not heard.
func settled[T any](c *Core, what string, e Event, value T) T {
	d, ok := e.(Hooked).Result.(decorated[T])
	if !ok {
		c.log(Warning, "%s: the hooks gave no answer", what)
		return value
	}
	for _, err := range d.failed {
		c.log(Warning, "%s: a hook failed: %v", what, err)
	}
	return d.value
}

// askLabelHooks has the hooks decorate the labels of tasks, each on its own.
func (c *Core) askLabelHooks(l *launch) {
	if !c.cfg.Hooks {
		return
	}
	agent, framework := c.info, l.framework.info
	l.tasks = slices.Clone(l.tasks)
	for i, task := range l.tasks {
		l.asked++
		ticket := c.ask(func(e Event) {
			l.asked--
			labels := settled(c, "SlaveRunTaskLabelDecorator", e, task.GetLabels())
			if labels != task.GetLabels() {
				l.tasks[i] = withLabels(task, labels)
			}
			if slices.Contains(l.framework.pending, l) {
				c.advance(l.framework)
			}
		})
		c.emit(CallHooks{Ticket: ticket, Name: "SlaveRunTaskLabelDecorator", Do: func(ctx context.Context, hooks []hook.Hook) any {
			return decorate(hooks, task.GetLabels(), func(h hook.Hook, labels *mesosv1.Labels) (*mesosv1.Labels, bool, error) {
				made, err := h.SlaveRunTaskLabelDecorator(ctx, withLabels(task, labels), l.executor, framework, agent)
				return made, made != nil, err
			})
		}})
	}
}

func withLabels(t *mesosv1.TaskInfo, labels *mesosv1.Labels) *mesosv1.TaskInfo {
	return &mesosv1.TaskInfo{
		Name: t.Name, TaskId: t.TaskId, AgentId: t.AgentId, Resources: t.Resources, Executor: t.Executor,
		Command: t.Command, Container: t.Container, HealthCheck: t.HealthCheck, Check: t.Check, KillPolicy: t.KillPolicy,
		Data: t.Data, Labels: labels, Discovery: t.Discovery, MaxCompletionTime: t.MaxCompletionTime, Limits: t.Limits,
	}
}

// askEnvironmentHooks has the hooks decorate the environment of an executor.
func (c *Core) askEnvironmentHooks(r *run, then func([]*mesosv1.Environment_Variable)) {
	if !c.cfg.Hooks {
		then(nil)
		return
	}
	given := r.info.GetCommand().GetEnvironment()
	ticket := c.ask(func(e Event) {
		made := settled(c, "SlaveExecutorEnvironmentDecorator", e, given)
		if made == given {
			then(nil)
			return
		}
		then(made.GetVariables())
	})
	info := r.info
	c.emit(CallHooks{Ticket: ticket, Name: "SlaveExecutorEnvironmentDecorator", Do: func(ctx context.Context, hooks []hook.Hook) any {
		return decorate(hooks, given, func(h hook.Hook, env *mesosv1.Environment) (*mesosv1.Environment, bool, error) {
			made, err := h.SlaveExecutorEnvironmentDecorator(ctx, withEnvironment(info, env))
			return made, made != nil, err
		})
	}})
}

func withEnvironment(e *mesosv1.ExecutorInfo, env *mesosv1.Environment) *mesosv1.ExecutorInfo {
	said := copyExecutor(e)
	said.Command = &mesosv1.CommandInfo{Environment: env}
	if c := e.GetCommand(); c != nil {
		said.Command.Uris, said.Command.Shell, said.Command.Value = c.Uris, c.Shell, c.Value
		said.Command.Arguments, said.Command.User = c.Arguments, c.User
	}
	return said
}

// askStatusHooks has the hooks decorate a status. Only labels and container status
// are theirs.
func (c *Core) askStatusHooks(s *status, then func()) {
	if !c.cfg.Hooks {
		then()
		return
	}
	given, framework := s.update.GetStatus(), s.framework.info.GetId()
	ticket := c.ask(func(e Event) {
		if made := settled(c, "SlaveTaskStatusDecorator", e, given); made != given {
			changed := copyStatus(given)
			changed.Labels, changed.ContainerStatus = made.GetLabels(), made.GetContainerStatus()
			s.update = withStatus(s.update, changed)
		}
		then()
	})
	c.emit(CallHooks{Ticket: ticket, Name: "SlaveTaskStatusDecorator", Do: func(ctx context.Context, hooks []hook.Hook) any {
		return decorate(hooks, given, func(h hook.Hook, st *mesosv1.TaskStatus) (*mesosv1.TaskStatus, bool, error) {
			made, err := h.SlaveTaskStatusDecorator(ctx, framework, st)
			if err != nil || made == nil {
				return nil, false, err
			}
			seen := copyStatus(st)
			if made.GetLabels() != nil {
				seen.Labels = made.GetLabels()
			}
			if made.GetContainerStatus() != nil {
				seen.ContainerStatus = made.GetContainerStatus()
			}
			return seen, true, nil
		})
	}})
}

// callRemoveHooks tells the hooks of the end of an executor; nobody waits for them.
func (c *Core) callRemoveHooks(framework *mesosv1.FrameworkInfo, executor *mesosv1.ExecutorInfo) {
	if !c.cfg.Hooks {
		return
	}
	c.emit(CallHooks{Name: "SlaveRemoveExecutorHook", Do: func(ctx context.Context, hooks []hook.Hook) any {
		var failed HookErrors
		for _, h := range hooks {
			if err := h.SlaveRemoveExecutorHook(ctx, framework, executor); err != nil {
				failed = append(failed, err)
			}
		}
		return failed
	}})
}

package core

import (
	"fmt"
	"maps"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/internal/slave/paths"
)

// launchExecutor starts an executor for its first tasks.
func (c *Core) launchExecutor(l *launch) {
	f := l.framework
	r := &run{
		framework: f, id: l.executor.GetExecutorId().GetValue(), info: l.executor, command: l.command,
		container: &mesosv1.ContainerID{Value: proto.String(c.uuidText())}, launching: true,
	}
	r.directory = paths.Run(c.cfg.WorkDir, c.agentID().GetValue(), f.id, r.id, r.container.GetValue())
	r.user = c.userOf(f.info, l)
	f.runs = append(f.runs, r)
	f.byID[r.id] = r
	c.containers[r.container.GetValue()] = r
	r.first = c.enqueue(r, l)
	for _, root := range c.roots(f) {
		c.emit(Keep{Path: paths.Executor(root, c.agentID().GetValue(), f.id, r.id)})
	}
	r.deadline = c.after(c.cfg.ExecutorRegistrationTimeout, func() { c.lateToRegister(r) })
	c.askEnvironmentHooks(r, func(decorated []*mesosv1.Environment_Variable) {
		if r.state == ended {
			return
		}
		c.startContainer(r, l, decorated)
	})
}

// userOf is whom an executor runs as: the task's or executor's own wish before the
// framework's; nobody else than the agent without --switch_user.
func (c *Core) userOf(framework *mesosv1.FrameworkInfo, l *launch) string {
	if !c.cfg.SwitchUser {
		return ""
	}
	for _, user := range []string{l.executor.GetCommand().GetUser(), framework.GetUser()} {
		if user != "" {
			return user
		}
	}
	return c.cfg.DefaultUser
}

// startContainer writes an executor and its first tasks down, and launches it.
func (c *Core) startContainer(r *run, l *launch, decorated []*mesosv1.Environment_Variable) {
	r.begun = true
	start := LaunchContainer{
		Container: r.container, Config: c.containerConfig(r, l), Environment: c.environment(r, decorated),
	}
	if c.cfg.AuthenticateHTTPExecutors {
		start.Claims = claims(r)
	}
	if r.checkpoint() {
		start.PIDFile = paths.ForkedPID(paths.Meta(c.cfg.WorkDir), c.agentID().GetValue(), r.framework.id, r.id, r.container.GetValue())
	}
	start.Ticket = c.ask(func(e Event) { c.launched(r, e.(Launched).Err) })
	attach := Attach{Framework: r.framework.info, Executor: r.info, Container: r.container, Directory: r.directory}
	effects := c.saveTasks(r, r.first, attach, start)
	if f := r.framework; r.checkpoint() {
		effects = []Effect{Write{Checkpoint: SaveExecutor{
			Agent: c.agentID(), Framework: f.info.GetId(), Info: r.info, Container: r.container,
		}, Then: effects}}
		if f.saved != f.info {
			f.saved = f.info // until CheckpointFailed says otherwise
			effects = []Effect{Write{Checkpoint: SaveFramework{Agent: c.agentID(), Info: f.info, For: r.container}, Then: effects}}
		}
	}
	c.log(Info, "launches executor %s of framework %s in container %s", r.id, r.framework.id, r.container.GetValue())
	c.emit(effects...)
}

func claims(r *run) *mesosv1.Labels {
	label := func(key, value string) *mesosv1.Label {
		return &mesosv1.Label{Key: proto.String(key), Value: proto.String(value)}
	}
	return &mesosv1.Labels{Labels: []*mesosv1.Label{
		label("fid", r.framework.id), label("eid", r.id), label("cid", r.container.GetValue()),
	}}
}

func (c *Core) containerConfig(r *run, l *launch) *slave.ContainerConfig {
	config := &slave.ContainerConfig{
		ExecutorInfo: r.info, CommandInfo: r.info.GetCommand(), ContainerInfo: r.info.GetContainer(),
		Resources: r.allocated(true), Limits: maps.Clone(r.limits(true)), Directory: proto.String(r.directory),
	}
	if config.CommandInfo == nil {
		config.CommandInfo = &mesosv1.CommandInfo{}
	}
	if r.command {
		config.TaskInfo = l.tasks[0]
		config.ContainerInfo = l.tasks[0].GetContainer()
	}
	if r.user != "" {
		config.User = proto.String(r.user)
	}
	return config
}

// launched is told how the launch of a container went.
func (c *Core) launched(r *run, err error) {
	r.launching = false
	switch {
	case err != nil:
		c.counts.launchErrors++
		c.note(r, cause{mesosv1.TaskState_TASK_FAILED, mesosv1.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED,
			"Failed to launch container: " + err.Error()})
		c.log(Error, "container %s of executor %s of framework %s was not launched: %v", r.container.GetValue(), r.id, r.framework.id, err)
		c.end(r, nil)
	case r.state == stopping && r.stream == 0: // nobody has asked it to end
		c.destroy(r)
	}
}

// lateToRegister gives up an executor that does not subscribe.
func (c *Core) lateToRegister(r *run) {
	if r.state != registering {
		return
	}
	limit := stout.FormatDuration(c.cfg.ExecutorRegistrationTimeout)
	c.log(Warning, "executor %s of framework %s did not register within %s; ends it", r.id, r.framework.id, limit)
	c.note(r, cause{mesosv1.TaskState_TASK_FAILED, mesosv1.TaskStatus_REASON_EXECUTOR_REGISTRATION_TIMEOUT,
		fmt.Sprintf("Executor did not register within %s", limit)})
	r.state = stopping
	c.destroy(r)
}

// note remembers why an executor ends, unless a reason is known already.
func (c *Core) note(r *run, why cause) {
	if r.cause == nil {
		r.cause = &why
	}
}

// destroy ends a container, once; or its executor at once, if there is none yet.
func (c *Core) destroy(r *run) {
	if !r.begun && r.state != ended {
		c.end(r, nil)
		return
	}
	if !r.destroyed && r.state != ended {
		r.destroyed = true
		c.emit(DestroyContainer{Container: r.container})
	}
}

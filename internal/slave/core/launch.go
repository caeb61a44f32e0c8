package core

import (
	"slices"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/paths"
	"github.com/mesos-modules/mms/internal/wire"
)

// launch is a task or a group on its way to an executor.
type launch struct {
	framework *framework
	executor  *mesosv1.ExecutorInfo
	command   bool // executor was made by the agent for the task
	group     bool
	tasks     []*mesosv1.TaskInfo
	wanted    *bool // whether the master expects the executor to be launched for it
	versions  []*wire.ResourceVersionUUID
	asked     int // hooks that have not answered
}

func (l *launch) has(task string) bool {
	return slices.ContainsFunc(l.tasks, func(t *mesosv1.TaskInfo) bool { return t.GetTaskId().GetValue() == task })
}

func (c *Core) runTask(m *wire.RunTaskMessage) {
	task := m.GetTask()
	framework := m.GetFramework()
	if framework.GetId() == nil {
		framework = proto.CloneOf(framework)
		framework.Id = m.GetFrameworkId()
	}
	l := &launch{tasks: []*mesosv1.TaskInfo{task}, wanted: m.LaunchExecutor, versions: m.GetResourceVersionUuids()}
	if l.command = task.GetCommand() != nil; l.command {
		l.executor = c.commandExecutor(framework, task)
	} else {
		l.executor = withFramework(task.GetExecutor(), framework.GetId())
	}
	c.run(framework, l)
}

func (c *Core) runTaskGroup(m *wire.RunTaskGroupMessage) {
	framework := m.GetFramework()
	executor := withFramework(m.GetExecutor(), framework.GetId())
	if executor.GetType() == mesosv1.ExecutorInfo_DEFAULT {
		executor = c.defaultExecutor(executor, m.GetTaskGroup())
	}
	c.run(framework, &launch{
		executor: executor, group: true, tasks: m.GetTaskGroup().GetTasks(),
		wanted: m.LaunchExecutor, versions: m.GetResourceVersionUuids(),
	})
}

func withFramework(e *mesosv1.ExecutorInfo, id *mesosv1.FrameworkID) *mesosv1.ExecutorInfo {
	if e == nil || e.GetFrameworkId() != nil {
		return e
	}
	e = copyExecutor(e)
	e.FrameworkId = id
	return e
}

// run begins a launch: the hooks see its tasks, then it goes to its executor.
func (c *Core) run(info *mesosv1.FrameworkInfo, l *launch) {
	if c.phase != running {
		c.log(Warning, "%s is left out: the agent is not registered", l)
		return
	}
	if err := l.check(info); err != nil {
		c.log(Error, "%s is left out: %v", l, err)
		return
	}
	f := c.byID[info.GetId().GetValue()]
	switch {
	case f == nil:
		f = c.addFramework(info)
		c.keepFramework(f)
	case f.terminating:
		c.log(Warning, "%s is left out: framework %s is being ended", l, f.id)
		return
	}
	for _, t := range l.tasks {
		if id := t.GetTaskId().GetValue(); f.knows(id) {
			c.log(Error, "%s is left out: there is a task %s of framework %s already", l, id, f.id)
			return
		}
	}
	l.framework = f
	f.pending = append(f.pending, l)
	c.askLabelHooks(l)
	c.advance(f)
}

// check refuses ids that cannot be names of folders, which no master lets through.
func (l *launch) check(info *mesosv1.FrameworkInfo) error {
	ids := []string{info.GetId().GetValue(), l.executor.GetExecutorId().GetValue()}
	for _, t := range l.tasks {
		ids = append(ids, t.GetTaskId().GetValue())
	}
	for _, id := range ids {
		if err := paths.Segment(id); err != nil {
			return err
		}
	}
	return nil
}

// advance launches what the hooks have been asked about. What goes to one executor stays in
// order; others do not wait for it.
func (c *Core) advance(f *framework) {
	held := map[string]bool{}
	var ready []*launch
	f.pending = slices.DeleteFunc(f.pending, func(l *launch) bool {
		executor := l.executor.GetExecutorId().GetValue()
		if l.asked > 0 || held[executor] {
			held[executor] = true
			return false
		}
		ready = append(ready, l)
		return true
	})
	for _, l := range ready {
		c.launch(l)
	}
	c.dismiss(f)
}

// launch hands tasks to their executor, which it starts if there is none.
func (c *Core) launch(l *launch) {
	f, id := l.framework, l.executor.GetExecutorId().GetValue()
	r := f.run(id)
	switch {
	case c.drain != nil:
		c.dropLaunch(l, r, mesosv1.TaskStatus_REASON_AGENT_DRAINING, "Agent is draining")
		return
	case !c.current(l.versions):
		c.dropLaunch(l, r, mesosv1.TaskStatus_REASON_INVALID_OFFERS, "Task assumes outdated resource state")
		return
	case f.info.GetCheckpoint() && !c.saved:
		c.saveAgent()
	}
	if r == nil {
		if l.wanted != nil && !*l.wanted {
			c.dropLaunch(l, r, mesosv1.TaskStatus_REASON_EXECUTOR_TERMINATED, "No executor is expected to launch and there is none running")
			return
		}
		c.launchExecutor(l)
		return
	}
	switch {
	case l.command:
		c.dropLaunch(l, r, mesosv1.TaskStatus_REASON_TASK_INVALID, "Executor id "+id+" of the command task is that of an executor that is there")
	case l.wanted != nil && *l.wanted:
		c.dropLaunch(l, r, mesosv1.TaskStatus_REASON_EXECUTOR_TERMINATED, "Master wants to launch executor, but one already exists")
	case r.state == stopping, r.state == ended:
		c.dropLaunch(l, r, mesosv1.TaskStatus_REASON_EXECUTOR_TERMINATED, "Executor terminating/terminated")
	default:
		q := c.enqueue(r, l)
		if r.state == registered && r.stream != 0 {
			c.emit(c.saveTasks(r, q, c.feed(r, q))...)
		} else {
			c.emit(c.saveTasks(r, q)...)
		}
	}
}

// current says whether a launch was made for the resources as they are.
func (c *Core) current(versions []*wire.ResourceVersionUUID) bool {
	for _, v := range versions {
		if v.GetResourceProviderId() == nil && string(v.GetUuid().GetValue()) != string(c.version) {
			return false
		}
	}
	return true
}

// enqueue has tasks wait for their executor.
func (c *Core) enqueue(r *run, l *launch) *queued {
	q := &queued{tasks: l.tasks, group: l.group}
	for _, t := range l.tasks {
		q.booked = append(q.booked, c.newTask(t, r.framework, r.info))
	}
	r.queue = append(r.queue, q)
	return q
}

// saveTasks are the checkpoints of tasks, each but the first following from the one
// before; then follows from the last.
func (c *Core) saveTasks(r *run, q *queued, then ...Effect) []Effect {
	if !r.checkpoint() {
		return then
	}
	for _, t := range slices.Backward(q.booked) {
		then = []Effect{Write{Checkpoint: SaveTask{At: c.at(r), Task: t}, Then: then}}
	}
	return then
}

// dropLaunch says that tasks will not run. If the master expects an executor for
// them, it hears that there is none.
func (c *Core) dropLaunch(l *launch, r *run, reason mesosv1.TaskStatus_Reason, text string) {
	c.log(Warning, "%s is dropped: %s", l, text)
	for _, t := range l.tasks {
		c.tell(l.framework, nil, &mesosv1.TaskStatus{
			TaskId: t.GetTaskId(), ExecutorId: l.executor.GetExecutorId(),
			State: droppedState(l.framework.info).Enum(), Reason: reason.Enum(), Message: proto.String(text),
		})
	}
	if r == nil || r.state == ended { // of any other the master will hear that it ends
		c.neverLaunched(l)
	}
}

// neverLaunched corrects the books of a master that expects an executor.
func (c *Core) neverLaunched(l *launch) {
	if l.wanted != nil && *l.wanted && !l.command {
		c.exited(l.framework.info.GetId(), l.executor.GetExecutorId(), -1)
	}
}

// exited tells the master of the end of an executor.
func (c *Core) exited(framework *mesosv1.FrameworkID, executor *mesosv1.ExecutorID, status int32) {
	if c.phase == running {
		c.emit(c.toMaster(&wire.ExitedExecutorMessage{
			SlaveId: c.agentID(), FrameworkId: framework, ExecutorId: executor, Status: proto.Int32(status),
		}))
	}
}

// String is for the log.
func (l *launch) String() string {
	text := "task "
	if l.group {
		text = "task group "
	}
	for i, t := range l.tasks {
		if i > 0 {
			text += ", "
		}
		text += t.GetTaskId().GetValue()
	}
	return text
}

package core

import (
	"strings"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

type taskKey struct{ framework, task string }

// task is a task that an agent has, from the moment it is sent there until its last
// update is acknowledged.
type task struct {
	info      *mesosv1.Task // never changed, only replaced
	framework *framework
	agent     *agent
	slot      string              // where it is among the tasks of its framework: its id, if that is not taken
	resources resources.Resources // allocated to a role
	holding   bool                // whether the resources count as used
}

func (t *task) id() string { return t.info.GetTaskId().GetValue() }

func (t *task) key() taskKey { return taskKey{t.framework.id, t.id()} }

// maxStatuses is how many statuses of a task are kept, so that an executor that goes to
// and fro between states does not fill the memory.
const maxStatuses = 64

// stateCount is one more than the largest number of a state.
const stateCount = int(mesosv1.TaskState_TASK_UNKNOWN) + 1

// terminal says whether a task in that state does nothing any more.
func terminal(s mesosv1.TaskState) bool {
	switch s {
	case mesosv1.TaskState_TASK_FINISHED, mesosv1.TaskState_TASK_FAILED, mesosv1.TaskState_TASK_KILLED,
		mesosv1.TaskState_TASK_LOST, mesosv1.TaskState_TASK_ERROR, mesosv1.TaskState_TASK_DROPPED,
		mesosv1.TaskState_TASK_GONE, mesosv1.TaskState_TASK_GONE_BY_OPERATOR:
		return true
	default:
		return false
	}
}

// over says whether a task in that state holds no resources.
func over(s mesosv1.TaskState) bool {
	return terminal(s) || s == mesosv1.TaskState_TASK_UNREACHABLE
}

// addTask enters a task of an agent, with its resources unless it is over.
func (c *Core) addTask(info *mesosv1.Task, r resources.Resources, f *framework, a *agent) *task {
	t := &task{info: info, framework: f, agent: a, resources: r}
	t.slot = t.id()
	if f.tasks.has(t.slot) {
		t.slot += "\x00" + a.id // no id has that
	}
	f.tasks.put(t.slot, t)
	a.tasks.put(t.key(), t)
	f.countState(info.GetState(), 1)
	if !over(info.GetState()) {
		t.holding = true
		c.use(f, a, r)
	}
	return t
}

// use and unuse count resources as used by a framework on an agent.
func (c *Core) use(f *framework, a *agent, r resources.Resources) {
	f.used = f.used.Add(r)
	a.used = a.used.Add(r)
	c.sums.used.add(r, 1)
}

func (c *Core) unuse(f *framework, a *agent, r resources.Resources) {
	f.used = f.used.Sub(r)
	a.used = a.used.Sub(r)
	c.sums.used.add(r, -1)
}

func (f *framework) countState(s mesosv1.TaskState, n int) {
	if i := int(s); i >= 0 && i < stateCount {
		f.states[i] += n
	}
}

// setState enters a status of a task that did not come from its agent, so that nobody
// will acknowledge it.
func (c *Core) setState(t *task, status *mesosv1.TaskStatus) {
	c.enterStatus(t, status, status.GetState(), nil)
}

// enterStatus enters a status of a task. Latest is the newest state the agent knows,
// which may be ahead of the status; with it the task's resources are free. Uuid is what
// the status will be acknowledged with.
func (c *Core) enterStatus(t *task, status *mesosv1.TaskStatus, latest mesosv1.TaskState, uuid []byte) {
	old := t.info.GetState()
	info := copyTask(t.info)
	if terminal(old) {
		latest = old // the end is the end
	}
	info.State = latest.Enum()
	if uuid != nil {
		info.StatusUpdateState, info.StatusUpdateUuid = status.GetState().Enum(), uuid
	}
	news := withoutData(status)
	kept := len(info.Statuses)
	if kept > 0 && info.Statuses[kept-1].GetState() == status.GetState() {
		kept--
	}
	isNew := kept == len(info.Statuses)
	oldest := max(0, kept+1-maxStatuses)
	info.Statuses = append(info.Statuses[oldest:kept:kept], news)
	t.info = info
	t.framework.countState(old, -1)
	t.framework.countState(latest, 1)
	if over(latest) && !over(old) {
		c.countEnd(t.framework, latest, status)
	}
	if over(latest) {
		c.release(t)
	}
	c.watchTaskUpdated(t, status, isNew || old != latest)
}

// release gives the resources of a task back.
func (c *Core) release(t *task) {
	if !t.holding {
		return
	}
	t.holding = false
	c.unuse(t.framework, t.agent, t.resources)
	c.giveBack(t.framework.info.GetId(), t.agent.info.GetId(), t.resources, nil, true)
}

// countEnd counts a task that has come to its end, or out of reach.
func (c *Core) countEnd(f *framework, state mesosv1.TaskState, status *mesosv1.TaskStatus) {
	name := strings.ToLower(state.String())
	if terminal(state) {
		c.counts.add(strings.Replace(name, "task_", "tasks_", 1), 1)
		f.counts.add("tasks/terminal/"+name, 1)
	}
	if status.Reason != nil {
		cause := strings.ToLower(status.GetSource().String() + "/" + status.GetReason().String())
		c.counts.add(name+"/"+strings.ReplaceAll(cause, "_agent", "_slave"), 1)
	}
}

// fate is where a task goes that is taken out of the books.
type fate int

const (
	completed fate = iota
	unreachable
)

// removeTask takes a task out of the books and into the history of its framework.
func (c *Core) removeTask(t *task, to fate) {
	c.release(t)
	f := t.framework
	f.tasks.delete(t.slot)
	t.agent.tasks.delete(t.key())
	f.countState(t.info.GetState(), -1)
	if to == completed {
		f.done.put(t.info, c.config.MaxCompletedTasks)
		return
	}
	f.forgetUnreachable(t.id())
	f.unreachable.put(t.id(), t.info)
	f.countState(t.info.GetState(), 1)
	for f.unreachable.len() > max(c.config.MaxUnreachableTasks, 0) {
		oldest, _ := f.unreachable.first()
		f.forgetUnreachable(oldest)
	}
}

func (f *framework) forgetUnreachable(id string) {
	if t, ok := f.unreachable.get(id); ok {
		f.countState(t.GetState(), -1)
		f.unreachable.delete(id)
	}
}

// copyTask is a copy of a task whose fields can be replaced.
func copyTask(t *mesosv1.Task) *mesosv1.Task {
	return &mesosv1.Task{
		Name: t.Name, TaskId: t.TaskId, FrameworkId: t.FrameworkId, ExecutorId: t.ExecutorId, AgentId: t.AgentId,
		State: t.State, Resources: t.Resources, Statuses: t.Statuses, StatusUpdateState: t.StatusUpdateState,
		StatusUpdateUuid: t.StatusUpdateUuid, Labels: t.Labels, Discovery: t.Discovery, Container: t.Container,
		HealthCheck: t.HealthCheck, KillPolicy: t.KillPolicy, User: t.User, Limits: t.Limits,
	}
}

// withoutData is a status without what may be large and only its framework reads.
func withoutData(s *mesosv1.TaskStatus) *mesosv1.TaskStatus {
	if s.Data == nil {
		return s
	}
	return &mesosv1.TaskStatus{
		TaskId: s.TaskId, State: s.State, Message: s.Message, Source: s.Source, Reason: s.Reason, AgentId: s.AgentId,
		ExecutorId: s.ExecutorId, Timestamp: s.Timestamp, Uuid: s.Uuid, Healthy: s.Healthy, CheckStatus: s.CheckStatus,
		Labels: s.Labels, ContainerStatus: s.ContainerStatus, UnreachableTime: s.UnreachableTime,
		Limitation: s.Limitation,
	}
}

// masterStatus is a status of a known task that the master makes itself. Nobody
// acknowledges those: they have no uuid.
func masterStatus(t *task, state mesosv1.TaskState, reason mesosv1.TaskStatus_Reason, message string,
	at *float64) *mesosv1.TaskStatus {
	return &mesosv1.TaskStatus{
		TaskId:     t.info.GetTaskId(),
		AgentId:    t.info.GetAgentId(),
		ExecutorId: t.info.GetExecutorId(),
		State:      state.Enum(),
		Source:     mesosv1.TaskStatus_SOURCE_MASTER.Enum(),
		Reason:     reason.Enum(),
		Message:    proto.String(message),
		Timestamp:  at,
	}
}

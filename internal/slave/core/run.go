package core

import (
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/slave/paths"
	"github.com/mesos-modules/mms/internal/slave/updates"
)

// runState is how far an executor has come.
//
//	registering -> registered -> stopping -> ended
//	          \_________________/_________/
type runState int

const (
	registering runState = iota // launched, and not subscribed yet
	registered                  // has subscribed, maybe long ago
	stopping                    // is to end
	ended                       // its container is gone; updates may be unacknowledged
)

// run is one life of an executor.
type run struct {
	framework *framework
	id        string
	info      *mesosv1.ExecutorInfo
	container *mesosv1.ContainerID
	directory string
	user      string
	state     runState
	command   bool // made by the agent for one task with a command
	recovered bool // of an agent before this one
	spoken    bool // was ever sent a task
	begun     bool // LaunchContainer is on its way
	launching bool // LaunchContainer is not answered
	destroyed bool // DestroyContainer is on its way
	stream    StreamID
	deadline  *timer // of subscribing, or of ending
	heartbeat *timer
	cause     *cause // why it is ended, if that is known before it has

	first     *queued         // what it was launched for
	queue     []*queued       // not sent yet, in order
	live      []*mesosv1.Task // sent and not terminal
	terminal  []*mesosv1.Task // not acknowledged
	completed []*mesosv1.Task // the last of them
}

// queued is a task, or a group, that waits for its executor.
type queued struct {
	tasks  []*mesosv1.TaskInfo
	group  bool
	booked []*mesosv1.Task // as the books have them, in the same order
}

func (q *queued) has(task string) bool {
	return slices.ContainsFunc(q.tasks, func(t *mesosv1.TaskInfo) bool { return t.GetTaskId().GetValue() == task })
}

// cause is a noted reason of an executor's end.
type cause struct {
	state   mesosv1.TaskState
	reason  mesosv1.TaskStatus_Reason
	message string
}

func (r *run) has(task string) bool {
	return slices.ContainsFunc(r.queue, func(q *queued) bool { return q.has(task) }) ||
		indexOf(r.live, task) >= 0 || indexOf(r.terminal, task) >= 0
}

// tasks are all that are not acknowledged as over: sent, over and waiting ones.
func (r *run) tasks() []*mesosv1.Task {
	all := slices.Concat(r.live, r.terminal)
	for _, q := range r.queue {
		all = append(all, q.booked...)
	}
	return all
}

// unfinished says that something of the run is still to be told or acknowledged.
func (r *run) unfinished() bool { return len(r.queue)+len(r.live)+len(r.terminal) > 0 }

func (r *run) checkpoint() bool { return r.framework.info.GetCheckpoint() }

func indexOf(tasks []*mesosv1.Task, id string) int {
	return slices.IndexFunc(tasks, func(t *mesosv1.Task) bool { return t.GetTaskId().GetValue() == id })
}

// task returns what the books hold of a task that was sent.
func (r *run) task(id string) *mesosv1.Task {
	if i := indexOf(r.live, id); i >= 0 {
		return r.live[i]
	}
	if i := indexOf(r.terminal, id); i >= 0 {
		return r.terminal[i]
	}
	return nil
}

// replace puts a changed task in the place of the old one.
func (r *run) replace(t *mesosv1.Task) {
	if i := indexOf(r.live, t.GetTaskId().GetValue()); i >= 0 {
		if updates.Terminal(t.GetState()) {
			r.live = slices.Delete(r.live, i, i+1)
			r.terminal = append(r.terminal, t)
			return
		}
		r.live[i] = t
		return
	}
	if i := indexOf(r.terminal, t.GetTaskId().GetValue()); i >= 0 {
		r.terminal[i] = t
	}
}

// complete moves a task whose end is acknowledged to those that are only remembered.
func (r *run) complete(id string) {
	if i := indexOf(r.terminal, id); i >= 0 {
		t := r.terminal[i]
		r.terminal = slices.Delete(r.terminal, i, i+1)
		r.remember(t)
	}
}

func (r *run) remember(t *mesosv1.Task) {
	from := max(0, len(r.completed)+1-maxCompletedTasks)
	r.completed = append(r.completed[from:], t)
}

// unqueue takes a task that waits out, with the others of its group.
func (r *run) unqueue(task string) *queued {
	for i, q := range r.queue {
		if q.has(task) {
			r.queue = slices.Delete(r.queue, i, i+1)
			return q
		}
	}
	return nil
}

// allocated is what the container may use: the executor's and its tasks' resources.
// The waiting ones count when the container is made ready for them.
func (r *run) allocated(waiting bool) []*mesosv1.Resource {
	all := slices.Clone(r.info.GetResources())
	for _, t := range r.live {
		all = append(all, t.GetResources()...)
	}
	if waiting {
		for _, q := range r.queue {
			for _, t := range q.tasks {
				all = append(all, t.GetResources()...)
			}
		}
	}
	sum, err := resources.New(all)
	if err != nil {
		return all // the master has let it through
	}
	return sum.Messages()
}

// limits are the limits of all tasks together: of a name that has one, tasks without
// count with what they asked for.
func (r *run) limits(waiting bool) map[string]*mesosv1.Value_Scalar {
	type share struct {
		limits    map[string]*mesosv1.Value_Scalar
		resources []*mesosv1.Resource
	}
	var all []share
	for _, t := range r.live {
		all = append(all, share{t.GetLimits(), t.GetResources()})
	}
	if waiting {
		for _, q := range r.queue {
			for _, t := range q.tasks {
				all = append(all, share{t.GetLimits(), t.GetResources()})
			}
		}
	}
	var sum map[string]*mesosv1.Value_Scalar
	for _, name := range []string{"cpus", "mem"} {
		if !slices.ContainsFunc(all, func(s share) bool { return s.limits[name] != nil }) {
			continue
		}
		total := amount(r.info.GetResources(), name)
		for _, s := range all {
			if l := s.limits[name]; l != nil {
				total += l.GetValue()
			} else {
				total += amount(s.resources, name)
			}
		}
		if sum == nil {
			sum = map[string]*mesosv1.Value_Scalar{}
		}
		sum[name] = &mesosv1.Value_Scalar{Value: &total}
	}
	return sum
}

func amount(messages []*mesosv1.Resource, name string) (sum float64) {
	for _, m := range messages {
		if m.GetName() == name {
			sum += m.GetScalar().GetValue()
		}
	}
	return sum
}

// at says where the run's checkpoints are.
func (c *Core) at(r *run) RunPath {
	return RunPath{Agent: c.agentID(), Framework: r.framework.info.GetId(), Executor: r.info.GetExecutorId(), Container: r.container}
}

// remove forgets a run that has ended and of which all is acknowledged.
func (c *Core) remove(r *run) {
	f := r.framework
	if r.state != ended || r.unfinished() || f.byID[r.id] != r {
		return
	}
	c.log(Info, "executor %s of framework %s is removed", r.id, f.id)
	c.callRemoveHooks(f.info, r.info)
	if r.checkpoint() {
		c.write(SaveSentinel{At: c.at(r)})
	}
	c.collect(r, false)
	delete(f.byID, r.id)
	f.runs = slices.DeleteFunc(f.runs, func(o *run) bool { return o == r })
	f.done = append(f.done, r)
	if over := len(f.done) - c.cfg.MaxCompletedExecutors; over > 0 {
		f.done = f.done[over:]
	}
	c.dismiss(f)
}

// collect hands the folders of a run to the garbage collection. Those of the executor
// as a whole go too: another run takes them back.
func (c *Core) collect(r *run, old bool) {
	agent, framework := c.agentID().GetValue(), r.framework.id
	for _, root := range c.roots(r.framework) {
		c.emit(Collect{Path: paths.Run(root, agent, framework, r.id, r.container.GetValue()), Old: old},
			Collect{Path: paths.Executor(root, agent, framework, r.id), Old: old})
	}
}

// roots are the trees in which a framework has folders.
func (c *Core) roots(f *framework) []string {
	if f.info.GetCheckpoint() {
		return []string{c.cfg.WorkDir, paths.Meta(c.cfg.WorkDir)}
	}
	return []string{c.cfg.WorkDir}
}

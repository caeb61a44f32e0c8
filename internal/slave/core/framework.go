package core

import (
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/paths"
)

// framework is one that has something on this agent.
type framework struct {
	id          string
	info        *mesosv1.FrameworkInfo
	saved       *mesosv1.FrameworkInfo // as it is written down
	terminating bool                   // the master wants it gone

	pending []*launch // tasks whose hooks are asked, in the order in which they came
	runs    []*run    // of executors, in the order in which they were launched
	byID    map[string]*run
	done    []*run // that are over, at most MaxCompletedExecutors
}

// run returns the run of an executor; nil if there is none, or no framework.
func (f *framework) run(executor string) *run {
	if f == nil {
		return nil
	}
	return f.byID[executor]
}

// idle says that nothing of the framework is left to be taken care of.
func (f *framework) idle() bool { return len(f.pending) == 0 && len(f.runs) == 0 }

// holder returns the run that has a task, in whatever state.
func (f *framework) holder(task string) *run {
	for _, r := range f.runs {
		if r.has(task) {
			return r
		}
	}
	return nil
}

// waiting returns what is to be launched with a task.
func (f *framework) waiting(task string) *launch {
	for _, p := range f.pending {
		if p.has(task) {
			return p
		}
	}
	return nil
}

// knows says whether a task is here and not over and acknowledged.
func (f *framework) knows(task string) bool { return f.waiting(task) != nil || f.holder(task) != nil }

// partitionAware says which states a framework understands.
func partitionAware(info *mesosv1.FrameworkInfo) bool {
	return slices.ContainsFunc(info.GetCapabilities(), func(c *mesosv1.FrameworkInfo_Capability) bool {
		return c.GetType() == mesosv1.FrameworkInfo_Capability_PARTITION_AWARE
	})
}

// droppedState is that of a task that was never launched.
func droppedState(info *mesosv1.FrameworkInfo) mesosv1.TaskState {
	if partitionAware(info) {
		return mesosv1.TaskState_TASK_DROPPED
	}
	return mesosv1.TaskState_TASK_LOST
}

// goneState is that of a task that ran and does not any more.
func goneState(info *mesosv1.FrameworkInfo) mesosv1.TaskState {
	if partitionAware(info) {
		return mesosv1.TaskState_TASK_GONE
	}
	return mesosv1.TaskState_TASK_LOST
}

// addFramework takes a framework in, and its folders back from the garbage collection.
func (c *Core) addFramework(info *mesosv1.FrameworkInfo) *framework {
	id := info.GetId().GetValue()
	f := &framework{id: id, info: info, byID: map[string]*run{}}
	c.frameworks = append(c.frameworks, f)
	c.byID[id] = f
	return f
}

func (c *Core) keepFramework(f *framework) {
	agent := c.agentID().GetValue()
	c.emit(Keep{Path: paths.Framework(c.cfg.WorkDir, agent, f.id)})
	if f.info.GetCheckpoint() {
		c.emit(Keep{Path: paths.Framework(paths.Meta(c.cfg.WorkDir), agent, f.id)})
	}
}

// dismiss lets go of a framework of which nothing is left.
func (c *Core) dismiss(f *framework) {
	if !f.idle() || c.byID[f.id] != f {
		return
	}
	if f.terminating {
		c.updates.Forget(f.id)
	}
	agent := c.agentID().GetValue()
	c.emit(Collect{Path: paths.Framework(c.cfg.WorkDir, agent, f.id)})
	if f.info.GetCheckpoint() {
		c.emit(Collect{Path: paths.Framework(paths.Meta(c.cfg.WorkDir), agent, f.id)})
	}
	delete(c.byID, f.id)
	c.frameworks = slices.DeleteFunc(c.frameworks, func(o *framework) bool { return o == f })
	c.completed = append(c.completed, f)
	if len(c.completed) > maxCompletedFrameworks {
		c.completed = slices.Delete(c.completed, 0, 1)
	}
	c.endIfEmpty()
}

// endIfEmpty ends an agent that only waited for its executors.
func (c *Core) endIfEmpty() {
	if c.phase == terminating && len(c.frameworks) == 0 && !c.fatal {
		c.write(ForgetAgent{})
		c.exit(false, "everything that ran here has ended")
	}
}

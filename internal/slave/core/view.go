package core

import (
	"slices"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/libprocess"
)

// View is the agent as it was at one moment. Slices are the view's own, what they
// point to is shared and does not change. It may be read from any number of
// goroutines.
type View struct {
	Taken, Started time.Time
	Recovering     bool // until executors had their time to come back
	Registered     bool // with the master, at this moment

	Info         *mesosv1.AgentInfo // without id before the first registration
	PID          libprocess.PID
	Version      string
	Capabilities []*mesosv1.AgentInfo_Capability

	Master    *mesosv1.MasterInfo // nil: nobody leads
	MasterPID libprocess.PID

	Drain        *mesosv1.DrainConfig
	DrainStarted time.Time

	// Oversubscribed is what is lent out, as it was last estimated.
	Oversubscribed []*mesosv1.Resource

	// Frameworks are those with something on this agent, in the order in which they
	// came; Completed those without, in the order in which they went.
	Frameworks, Completed []*FrameworkView
}

// FrameworkView is one framework.
type FrameworkView struct {
	Info *mesosv1.FrameworkInfo

	// Pending have not got to an executor yet.
	Pending []PendingTask

	// Executors are in the order of their launch, Completed in that of their end.
	Executors, Completed []*ExecutorView
}

// PendingTask is a task and the executor it is for.
type PendingTask struct {
	Task     *mesosv1.TaskInfo
	Executor *mesosv1.ExecutorInfo
}

// ExecutorPhase is how far an executor has come.
type ExecutorPhase int

const (
	ExecutorRegistering ExecutorPhase = iota // launched, and not subscribed
	ExecutorRunning                          // subscribed once
	ExecutorTerminating                      // is to end
	ExecutorTerminated                       // its container is gone
)

// ExecutorView is one run of an executor.
type ExecutorView struct {
	Info      *mesosv1.ExecutorInfo
	Container *mesosv1.ContainerID
	Directory string // its sandbox
	User      string
	Phase     ExecutorPhase
	Generated bool // made by the agent for a task with a command

	// Queued wait for the executor; Launched were sent to it; Terminated have ended
	// and are not acknowledged; Completed are.
	Queued                          []*mesosv1.TaskInfo
	Launched, Terminated, Completed []*mesosv1.Task

	// Resources are what the container may use.
	Resources []*mesosv1.Resource
}

// View takes a view. Its cost is in proportion to the number of tasks.
func (c *Core) View() *View {
	v := &View{
		Taken: c.now, Started: c.cfg.Started, Recovering: c.phase == recovering || c.phase == reconnecting,
		Registered: c.phase == running, Info: c.info, PID: c.self(), Version: c.cfg.Version,
		Capabilities: c.cfg.Features, Master: c.registered.leader, MasterPID: c.registered.master,
		Drain: c.drain, DrainStarted: c.drained, Oversubscribed: c.oversubscribed,
	}
	for _, f := range c.frameworks {
		v.Frameworks = append(v.Frameworks, f.view())
	}
	for _, f := range c.completed {
		v.Completed = append(v.Completed, f.view())
	}
	return v
}

func (f *framework) view() *FrameworkView {
	v := &FrameworkView{Info: f.info}
	for _, l := range f.pending {
		for _, t := range l.tasks {
			v.Pending = append(v.Pending, PendingTask{Task: t, Executor: l.executor})
		}
	}
	for _, r := range f.runs {
		v.Executors = append(v.Executors, r.view())
	}
	for _, r := range f.done {
		v.Completed = append(v.Completed, r.view())
	}
	return v
}

func (r *run) view() *ExecutorView {
	v := &ExecutorView{
		Info: r.info, Container: r.container, Directory: r.directory, User: r.user, Phase: ExecutorPhase(r.state),
		Generated: r.command, Launched: slices.Clone(r.live), Terminated: slices.Clone(r.terminal),
		Completed: slices.Clone(r.completed), Resources: r.allocated(true),
	}
	for _, q := range r.queue {
		v.Queued = append(v.Queued, q.tasks...)
	}
	return v
}

// Recovering says that no executor can be answered yet.
func (c *Core) Recovering() bool { return c.phase == recovering }

package core

import (
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/wire"
)

// Checkpoint is one thing to be written down, below the folder meta of the work
// folder.
type Checkpoint interface{ checkpoint() }

type (
	SaveAgent struct{ Info *mesosv1.AgentInfo }

	// ForgetAgent has the next agent begin anew, with another id.
	ForgetAgent struct{}

	SaveFramework struct {
		Agent *mesosv1.AgentID
		Info  *mesosv1.FrameworkInfo
		For   *mesosv1.ContainerID // whose launch waits for it; nil: nobody's
	}
	SaveExecutor struct {
		Agent     *mesosv1.AgentID
		Framework *mesosv1.FrameworkID
		Info      *mesosv1.ExecutorInfo
		Container *mesosv1.ContainerID
	}
	SaveTask struct {
		At   RunPath
		Task *mesosv1.Task
	}
	SaveMarker   struct{ At RunPath } // http.marker
	SaveSentinel struct{ At RunPath } // executor.sentinel: it has ended

	// SaveUpdate appends to the task.updates of its task.
	SaveUpdate struct {
		At     RunPath
		Task   *mesosv1.TaskID
		Record *wire.StatusUpdateRecord
	}
)

func (SaveAgent) checkpoint()     {}
func (ForgetAgent) checkpoint()   {}
func (SaveFramework) checkpoint() {}
func (SaveExecutor) checkpoint()  {}
func (SaveTask) checkpoint()      {}
func (SaveMarker) checkpoint()    {}
func (SaveSentinel) checkpoint()  {}
func (SaveUpdate) checkpoint()    {}

// RunPath says which run of which executor something belongs to.
type RunPath struct {
	Agent     *mesosv1.AgentID
	Framework *mesosv1.FrameworkID
	Executor  *mesosv1.ExecutorID
	Container *mesosv1.ContainerID
}

// State is what was found on disk at the start; nil if there is nothing.
type State struct {
	Agent      *mesosv1.AgentInfo // with its id; nil: it never registered
	Rebooted   bool               // the host has: no container lives
	Frameworks []*FrameworkState
	Garbage    []string // paths of runs that are over
	Errors     int      // what could not be read, and was left out
}

type FrameworkState struct {
	Info      *mesosv1.FrameworkInfo
	Executors []*ExecutorState
}

// ExecutorState is the latest run of an executor; older runs are garbage.
type ExecutorState struct {
	Info      *mesosv1.ExecutorInfo
	Container *mesosv1.ContainerID
	PID       int // of the container's process; 0: it was never launched
	HTTP      bool
	Completed bool // its sentinel is there
	Alive     bool // the container lives, or its end can still be waited for
	Tasks     []*TaskState
}

// TaskState is a task with the records of its task.updates, in order.
type TaskState struct {
	Task    *mesosv1.Task
	Records []*wire.StatusUpdateRecord
}

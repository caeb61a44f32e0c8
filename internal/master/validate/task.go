package validate

import (
	"errors"
	"fmt"
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// TaskContext is what a task is to fit in with.
type TaskContext struct {
	Framework         *mesosv1.FrameworkInfo // with its id
	Agent             *mesosv1.AgentInfo     // with its id
	AgentCapabilities []*mesosv1.AgentInfo_Capability

	// KnownTask says whether the framework has a task of an id, or one on an
	// unreachable agent.
	KnownTask func(id string) bool

	// RunningExecutor is the framework's executor of an id on the agent; nil if there
	// is none.
	RunningExecutor func(id string) *mesosv1.ExecutorInfo

	// Offered is what is left of the offers, allocated to AllocationRole.
	Offered        resources.Resources
	AllocationRole string
}

// Task says what is wrong with a task of a LAUNCH. The error is an *Error. Resources
// that do not say whom they are allocated to, and an executor that does not name its
// framework, are taken as what the master fills in.
func Task(task *mesosv1.TaskInfo, tc TaskContext) error {
	if err := soleTask(task, tc); err != nil {
		return &Error{Reason: mesosv1.TaskStatus_REASON_TASK_INVALID, Text: err.Error()}
	}
	return nil
}

func soleTask(task *mesosv1.TaskInfo, tc TaskContext) error {
	if err := anyTask(task, tc); err != nil {
		return err
	}
	if !sharesCgroups(task.GetContainer()) {
		return errors.New("Task in a LAUNCH must not set 'share_cgroups' to false")
	}
	if (task.Executor != nil) == (task.Command != nil) {
		return errors.New("Task should have at least one (but not both) of CommandInfo or ExecutorInfo present")
	}
	if task.Executor == nil {
		return fits("task and its executor", task.GetResources(), tc)
	}
	if err := executorOfTask(task, tc); err != nil {
		return err
	}
	total := task.GetResources()
	if tc.RunningExecutor(task.GetExecutor().GetExecutorId().GetValue()) == nil {
		total = slices.Concat(total, task.GetExecutor().GetResources())
	}
	return fits("task and its executor", total, tc)
}

func executorOfTask(task *mesosv1.TaskInfo, tc TaskContext) error {
	e := task.GetExecutor()
	if err := anyExecutor(e, tc, false); err != nil {
		return err
	}
	switch {
	case e.Type != nil && e.GetType() != mesosv1.ExecutorInfo_CUSTOM:
		return errors.New("'ExecutorInfo.type' must be 'CUSTOM'")
	case e.Command == nil:
		return errors.New("'ExecutorInfo.command' must be set")
	case hasShared(e.GetResources()):
		return errors.New("Executor resources should not contain any shared resources")
	}
	return together("Task and its executor", task.GetResources(), e.GetResources())
}

// anyTask looks at what a LAUNCH and a LAUNCH_GROUP ask of a task alike, in Mesos'
// order.
func anyTask(task *mesosv1.TaskInfo, tc TaskContext) error {
	for _, check := range []func(*mesosv1.TaskInfo, TaskContext) error{
		taskID,
		taskAgent,
		killPolicy,
		maxCompletionTime,
		taskCheck,
		taskHealthCheck,
		taskResources,
		taskCommand,
		taskContainer,
		taskLimits,
	} {
		if err := check(task, tc); err != nil {
			return err
		}
	}
	return nil
}

func taskID(task *mesosv1.TaskInfo, tc TaskContext) error {
	id := task.GetTaskId().GetValue()
	if err := ID(id); err != nil {
		return fmt.Errorf("Task has an invalid ID: %w", err)
	}
	if tc.KnownTask(id) {
		return fmt.Errorf("Task has duplicate ID: %s", id)
	}
	return nil
}

func taskAgent(task *mesosv1.TaskInfo, tc TaskContext) error {
	if got, want := task.GetAgentId().GetValue(), tc.Agent.GetId().GetValue(); got != want {
		return fmt.Errorf("Task uses invalid agent %s while agent %s is expected", printable(got), want)
	}
	return nil
}

func killPolicy(task *mesosv1.TaskInfo, _ TaskContext) error {
	if task.GetKillPolicy().GetGracePeriod().GetNanoseconds() < 0 {
		return errors.New("Task's 'kill_policy.grace_period' must be non-negative")
	}
	return nil
}

func maxCompletionTime(task *mesosv1.TaskInfo, _ TaskContext) error {
	if task.GetMaxCompletionTime().GetNanoseconds() < 0 {
		return errors.New("Task's 'max_completion_time' must be non-negative")
	}
	return nil
}

func taskCheck(task *mesosv1.TaskInfo, _ TaskContext) error {
	if task.Check == nil {
		return nil
	}
	if err := checkInfo(task.GetCheck()); err != nil {
		return fmt.Errorf("Task uses invalid check: %w", err)
	}
	return nil
}

func taskHealthCheck(task *mesosv1.TaskInfo, _ TaskContext) error {
	if task.HealthCheck == nil {
		return nil
	}
	if err := healthCheck(task.GetHealthCheck()); err != nil {
		return fmt.Errorf("Task uses invalid health check: %w", err)
	}
	return nil
}

func taskResources(task *mesosv1.TaskInfo, tc TaskContext) error {
	messages := task.GetResources()
	if len(messages) == 0 {
		return errors.New("Task uses no resources")
	}
	if err := usable(messages, tc); err != nil {
		return fmt.Errorf("Task uses invalid resources: %w", err)
	}
	if err := uniquePersistence(messages); err != nil {
		return fmt.Errorf("Task uses duplicate persistence ID: %w", err)
	}
	if err := unmixedRevocable(messages); err != nil {
		return fmt.Errorf("Task mixes revocable and non-revocable resources: %w", err)
	}
	return nil
}

func taskCommand(task *mesosv1.TaskInfo, _ TaskContext) error {
	if err := command(task.GetCommand()); err != nil {
		return fmt.Errorf("Task's 'CommandInfo' is invalid: %w", err)
	}
	return nil
}

func taskContainer(task *mesosv1.TaskInfo, _ TaskContext) error {
	if err := containerInfo(task.GetContainer()); err != nil {
		return fmt.Errorf("Task's 'ContainerInfo' is invalid: %w", err)
	}
	return nil
}

func taskLimits(task *mesosv1.TaskInfo, tc TaskContext) error {
	if len(task.GetLimits()) == 0 {
		return nil
	}
	able := slices.ContainsFunc(tc.AgentCapabilities, func(c *mesosv1.AgentInfo_Capability) bool {
		return c.GetType() == mesosv1.AgentInfo_Capability_TASK_RESOURCE_LIMITS
	})
	if !able {
		return fmt.Errorf("Task has resource limits, which agent %s does not support", tc.Agent.GetId().GetValue())
	}
	if err := limits(task.GetLimits(), task.GetResources()); err != nil {
		return fmt.Errorf("Task uses invalid limits: %w", err)
	}
	return nil
}

// usable says what is wrong with resources by themselves and with whom they are
// allocated to.
func usable(messages []*mesosv1.Resource, tc TaskContext) error {
	if err := resourceMessages(messages); err != nil {
		return err
	}
	return oneAllocation(messages, tc.AllocationRole)
}

func hasShared(messages []*mesosv1.Resource) bool {
	return slices.ContainsFunc(messages, func(m *mesosv1.Resource) bool { return m.Shared != nil })
}

// together says what is wrong only with resources of several taken together. whose
// begins the sentence.
func together(whose string, messages ...[]*mesosv1.Resource) error {
	all := slices.Concat(messages...)
	if err := uniquePersistence(all); err != nil {
		return fmt.Errorf("%s use duplicate persistence ID: %w", whose, err)
	}
	if err := unmixedRevocable(all); err != nil {
		return fmt.Errorf("%s mix revocable and non-revocable resources: %w", whose, err)
	}
	return nil
}

// fits holds if what is offered has the valid messages.
func fits(whose string, messages []*mesosv1.Resource, tc TaskContext) error {
	total, err := resources.New(messages)
	if err != nil {
		return err
	}
	if tc.AllocationRole != "" {
		total = total.Allocate(tc.AllocationRole)
	}
	if !tc.Offered.Contains(total) {
		return fmt.Errorf("Total resources %s required by %s is more than available %s", total, whose, tc.Offered)
	}
	return nil
}

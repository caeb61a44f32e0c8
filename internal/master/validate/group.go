package validate

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// The least an executor of a task group must have.
var (
	minCPUs = resources.ScalarOf(0.01)
	minMem  = resources.ScalarOf(32)
)

// TaskGroup says what is wrong with a LAUNCH_GROUP, of which all or nothing is
// launched. The error is an *Error, and meant for each task. The tasks need not
// repeat the executor; whoever does must name the same.
func TaskGroup(group *mesosv1.TaskGroupInfo, executor *mesosv1.ExecutorInfo, tc TaskContext) error {
	if err := taskGroup(group.GetTasks(), executor, tc); err != nil {
		return &Error{Reason: mesosv1.TaskStatus_REASON_TASK_GROUP_INVALID, Text: err.Error()}
	}
	return nil
}

func taskGroup(tasks []*mesosv1.TaskInfo, executor *mesosv1.ExecutorInfo, tc TaskContext) error {
	if len(tasks) == 0 {
		return errors.New("Task group must not be empty")
	}
	seen := make(map[string]bool, len(tasks))
	outside := tc.KnownTask
	tc.KnownTask = func(id string) bool { return seen[id] || outside(id) }
	for _, task := range tasks {
		if err := taskOfGroup(task, tc); err != nil {
			return fmt.Errorf("Task '%s' is invalid: %w", printable(task.GetTaskId().GetValue()), err)
		}
		seen[task.GetTaskId().GetValue()] = true
	}
	if err := sameSharing(tasks); err != nil {
		return err
	}
	if err := executorOfGroup(tasks, executor, tc); err != nil {
		return err
	}
	total := slices.Clone(executor.GetResources())
	for _, task := range tasks {
		total = append(total, task.GetResources()...)
	}
	if err := together("Task group and executor", total); err != nil {
		return err
	}
	if tc.RunningExecutor(executor.GetExecutorId().GetValue()) != nil {
		total = total[len(executor.GetResources()):]
	}
	return fits("task group and its executor", total, tc)
}

func taskOfGroup(task *mesosv1.TaskInfo, tc TaskContext) error {
	if err := anyTask(task, tc); err != nil {
		return err
	}
	container := task.GetContainer()
	networked := len(container.GetNetworkInfos()) > 0
	kind := healthCheckType(task.GetHealthCheck())
	switch {
	case container != nil && container.GetType() == mesosv1.ContainerInfo_DOCKER:
		return errors.New("Docker ContainerInfo is not supported on the task")
	case networked && (kind == mesosv1.HealthCheck_HTTP || kind == mesosv1.HealthCheck_TCP):
		return errors.New("HTTP and TCP health checks are not supported for nested containers with their own network")
	case len(task.GetLimits()) > 0 && sharesCgroups(container):
		return errors.New("Resource limits may be set only for tasks with 'share_cgroups' set to false")
	default:
		return nil
	}
}

// sameSharing holds if all tasks share their executor's cgroups, or none does.
func sameSharing(tasks []*mesosv1.TaskInfo) error {
	for _, task := range tasks {
		if sharesCgroups(task.GetContainer()) != sharesCgroups(tasks[0].GetContainer()) {
			return errors.New("'share_cgroups' must be the same for all tasks of a task group")
		}
	}
	return nil
}

func executorOfGroup(tasks []*mesosv1.TaskInfo, e *mesosv1.ExecutorInfo, tc TaskContext) error {
	if err := anyExecutor(e, tc, true); err != nil {
		return err
	}
	switch {
	case e.Type == nil:
		return errors.New("'ExecutorInfo.type' must be set")
	case e.GetType() == mesosv1.ExecutorInfo_UNKNOWN:
		return errors.New("Unknown executor type")
	case e.Container != nil && e.GetContainer().GetType() == mesosv1.ContainerInfo_DOCKER:
		return errors.New("Docker ContainerInfo is not supported on the executor")
	}
	for _, task := range tasks {
		if task.Executor != nil && !proto.Equal(task.GetExecutor(), e) {
			return fmt.Errorf("The `ExecutorInfo` of task '%s' is different from executor '%s'",
				task.GetTaskId().GetValue(), e.GetExecutorId().GetValue())
		}
	}
	return executorMinimum(e)
}

func executorMinimum(e *mesosv1.ExecutorInfo) error {
	has, err := resources.New(e.GetResources())
	if err != nil {
		return err
	}
	id := e.GetExecutorId().GetValue()
	if cpus, _ := has.Scalar("cpus"); cpus < minCPUs {
		return fmt.Errorf("Executor '%s' uses less CPUs (%s) than the minimum required (%s)", id, cpus, minCPUs)
	}
	if mem, _ := has.Scalar("mem"); mem < minMem {
		return fmt.Errorf("Executor '%s' uses less memory (%s) than the minimum required (%s)", id, mem, minMem)
	}
	if disk, _ := has.Scalar("disk"); disk <= 0 {
		return fmt.Errorf("Executor '%s' uses no disk", id)
	}
	return nil
}

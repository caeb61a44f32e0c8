package core

import (
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// What a command executor needs besides its task. The master does not count it.
const (
	commandExecutorCPUs = 0.1
	commandExecutorMem  = 32
)

// killGrace is what is left between the kill of a task and the end of its executor.
const killGrace = 2e9 // nanoseconds

// commandExecutor makes the executor of a task that is a command.
func (c *Core) commandExecutor(framework *mesosv1.FrameworkInfo, task *mesosv1.TaskInfo) *mesosv1.ExecutorInfo {
	id := task.GetTaskId().GetValue()
	command := task.GetCommand()
	program := filepath.Join(c.cfg.LauncherDir, "mesos-executor")
	e := &mesosv1.ExecutorInfo{
		ExecutorId:  &mesosv1.ExecutorID{Value: proto.String(id)},
		FrameworkId: framework.GetId(),
		Name:        proto.String("Command Executor (Task: " + id + ") (Command: " + commandText(command) + ")"),
		Source:      proto.String(id),
		Command: &mesosv1.CommandInfo{
			Uris: command.GetUris(), Environment: command.GetEnvironment(), User: command.User,
			Shell: proto.Bool(false), Value: proto.String(program),
			Arguments: []string{"mesos-executor", "--launcher_dir=" + c.cfg.LauncherDir},
		},
		Container: task.GetContainer(), Discovery: task.GetDiscovery(), Labels: task.GetLabels(),
		Resources: overhead(task.GetResources()),
	}
	if grace := task.GetKillPolicy().GetGracePeriod(); grace != nil {
		e.ShutdownGracePeriod = &mesosv1.DurationInfo{Nanoseconds: proto.Int64(grace.GetNanoseconds() + killGrace)}
	}
	return e
}

// commandText is a command as the name of its executor shows it.
func commandText(command *mesosv1.CommandInfo) string {
	if !command.GetShell() {
		return "[" + strings.Join(append([]string{command.GetValue()}, command.GetArguments()...), ", ") + "]"
	}
	value := command.GetValue()
	if len(value) > 15 {
		value = strings.ToValidUTF8(value[:12], "") + "..."
	}
	return "sh -c '" + value + "'"
}

// overhead are the resources of a command executor, of the role that its task has.
func overhead(of []*mesosv1.Resource) []*mesosv1.Resource {
	var role *mesosv1.Resource_AllocationInfo
	if len(of) > 0 {
		role = of[0].GetAllocationInfo()
	}
	scalar := func(name string, amount float64) *mesosv1.Resource {
		return &mesosv1.Resource{
			Name: proto.String(name), Type: mesosv1.Value_SCALAR.Enum(),
			Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(amount)}, AllocationInfo: role,
		}
	}
	return []*mesosv1.Resource{scalar("cpus", commandExecutorCPUs), scalar("mem", commandExecutorMem)}
}

// defaultExecutor says what program runs the executor of task groups.
func (c *Core) defaultExecutor(e *mesosv1.ExecutorInfo, _ *mesosv1.TaskGroupInfo) *mesosv1.ExecutorInfo {
	e = copyExecutor(e)
	e.Command = &mesosv1.CommandInfo{
		Shell: proto.Bool(false), Value: proto.String(filepath.Join(c.cfg.LauncherDir, "mesos-default-executor")),
		Arguments: []string{"mesos-default-executor", "--launcher_dir=" + c.cfg.LauncherDir},
	}
	if e.Name == nil {
		e.Name = proto.String("Default Executor (" + e.GetExecutorId().GetValue() + ")")
	}
	return e
}

// Package hook is the role Hook: modules that see what happens to tasks and
// agents, and decorate it.
//
// The interface is provisional until the daemons that call it are there.
package hook

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/module"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Hook is called at fixed points in the life of tasks, executors and agents. A
// module implements the points it wants; all have a default that does nothing.
//
// Who calls. The daemon a method is named after, master or slave, each hook in
// the order of the --hooks flag. A decorator sees what those before it have made.
// Calls about different tasks and executors may come from several goroutines at
// once.
//
// The daemon waits for each call: it has to be quick. A cancelled ctx means that
// the daemon stops or that the task is not wanted any more; what the call returns
// is then dropped.
//
// Decorators return the whole of what they decorate, which replaces it; nil or
// nothing leaves it as it is. An error is reported, and the daemon goes on as if
// nothing was returned, except where a method says otherwise. Messages and slices
// belong to the receiver; nobody changes them any more.
type Hook interface {
	// MasterLaunchTaskLabelDecorator is called for each task that the master
	// launches and returns its labels.
	//
	//mms:since 1.12.0
	//mms:default nil
	MasterLaunchTaskLabelDecorator(ctx context.Context, task *mesosv1.TaskInfo, framework *mesosv1.FrameworkInfo,
		agent *mesosv1.AgentInfo) (*mesosv1.Labels, error)

	// MasterLaunchTaskResourceDecorator is called for each task of an accepted
	// offer, before the task is validated, with the resources of its agent. It
	// returns the task's resources.
	//
	//mms:since 1.12.0
	//mms:default nil
	MasterLaunchTaskResourceDecorator(ctx context.Context, task *mesosv1.TaskInfo,
		agentResources []*mesosv1.Resource) ([]*mesosv1.Resource, error)

	// MasterSlaveLostHook is called when the master has removed an agent.
	//
	//mms:since 1.12.0
	//mms:default
	MasterSlaveLostHook(ctx context.Context, agent *mesosv1.AgentInfo) error

	// SlaveRunTaskLabelDecorator is called for each task that an agent is to
	// run and returns its labels.
	//
	//mms:since 1.12.0
	//mms:default nil
	SlaveRunTaskLabelDecorator(ctx context.Context, task *mesosv1.TaskInfo, executor *mesosv1.ExecutorInfo,
		framework *mesosv1.FrameworkInfo, agent *mesosv1.AgentInfo) (*mesosv1.Labels, error)

	// SlaveExecutorEnvironmentDecorator is called before an executor is
	// launched and returns its environment.
	//
	//mms:since 1.12.0
	//mms:default nil
	SlaveExecutorEnvironmentDecorator(ctx context.Context,
		executor *mesosv1.ExecutorInfo) (*mesosv1.Environment, error)

	// SlavePreLaunchDockerTaskExecutorDecorator is called before a Docker
	// container is launched, with the names of the container, of its sandbox
	// on the host and of the sandbox within, and with the environment so far,
	// or nil. Task is nil if the executor is not of a single command. What it
	// returns is added to the two environments, not put in their place; the
	// hooks are called at once, their answers merged in flag order. An error
	// fails the launch.
	//
	//mms:since 1.12.0
	//mms:default nil
	//mms:optional task, environment
	SlavePreLaunchDockerTaskExecutorDecorator(ctx context.Context, task *mesosv1.TaskInfo,
		executor *mesosv1.ExecutorInfo, containerName, sandboxDirectory, mappedDirectory string,
		environment *mesosv1.Environment) (*module.DockerTaskExecutorPrepareInfo, error)

	// SlavePostFetchHook is called when the files of a container have been
	// fetched into the directory.
	//
	//mms:since 1.12.0
	//mms:default
	SlavePostFetchHook(ctx context.Context, container *mesosv1.ContainerID, directory string) error

	// SlaveRemoveExecutorHook is called when an executor is removed from its
	// agent.
	//
	//mms:since 1.12.0
	//mms:default
	SlaveRemoveExecutorHook(ctx context.Context, framework *mesosv1.FrameworkInfo,
		executor *mesosv1.ExecutorInfo) error

	// SlaveTaskStatusDecorator is called for each status update of a task.
	// Only labels and container status of what it returns are taken.
	//
	//mms:since 1.12.0
	//mms:default nil
	SlaveTaskStatusDecorator(ctx context.Context, framework *mesosv1.FrameworkID,
		status *mesosv1.TaskStatus) (*mesosv1.TaskStatus, error)

	// SlaveResourcesDecorator is called once, when the agent starts, and
	// returns its resources.
	//
	//mms:since 1.12.0
	//mms:default nil
	SlaveResourcesDecorator(ctx context.Context, agent *mesosv1.AgentInfo) ([]*mesosv1.Resource, error)

	// SlaveAttributesDecorator is called once, when the agent starts, and
	// returns its attributes.
	//
	//mms:since 1.12.0
	//mms:default nil
	SlaveAttributesDecorator(ctx context.Context, agent *mesosv1.AgentInfo) ([]*mesosv1.Attribute, error)
}

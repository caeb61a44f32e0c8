package standard

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	agentv1 "github.com/mesos-modules/mms/facade/mesos/v1/agent"
	executorv1 "github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/executor"
	"github.com/mesos-modules/mms/internal/executor/checks"
)

// task is a task that has not ended.
type task struct {
	info      *mesosv1.TaskInfo
	group     *group
	container *mesosv1.ContainerID
	reports   *executor.Reporter

	launched    bool // the agent has made its container
	killing     bool
	graceAtKill time.Duration // what the kill granted that came before the container
	unhealthy   bool          // killed because of its health check
	expired     bool          // killed because of max_completion_time
	escalation  *time.Timer
	expiry      *time.Timer

	checks *checks.Set // nil before it runs
	pause  context.CancelFunc
}

// stop ends what still goes on for a task.
func (t *task) stop() {
	t.pauseChecks()
	for _, timer := range []*time.Timer{t.escalation, t.expiry} {
		if timer != nil {
			timer.Stop()
		}
	}
}

func (t *task) pauseChecks() {
	if t.pause != nil {
		t.pause()
		t.pause = nil
	}
}

// grace is what the task's kill policy grants.
func (t *task) grace() time.Duration {
	if period := t.info.GetKillPolicy().GetGracePeriod(); period != nil {
		return time.Duration(period.GetNanoseconds())
	}
	return defaultGrace
}

// launchGroup has a container made for each task, all at once, and goes on when all answers are there.
func (e *runner) launchGroup(info *mesosv1.TaskGroupInfo) {
	if e.shuttingDown {
		e.warn("shutting down, so a task group is not launched")
		return
	}
	g := &group{}
	for _, i := range info.GetTasks() {
		t := &task{info: i, group: g, container: &mesosv1.ContainerID{Value: proto.String(newID()), Parent: e.container}}
		t.reports = executor.NewReporter(e.session, i, &mesosv1.ContainerStatus{ContainerId: t.container})
		g.tasks = append(g.tasks, t)
		e.session.Launched(i)
		t.reports.Report(mesosv1.TaskState_TASK_STARTING, nil)
	}
	if len(g.tasks) == 0 {
		e.settle()
		return
	}
	e.groups = append(e.groups, g)
	calls := make([]*agentv1.Call_LaunchContainer, len(g.tasks))
	for i, t := range g.tasks {
		calls[i] = e.launchCall(t)
	}
	tasks := slices.Clone(g.tasks)
	go func() {
		failures := make([]error, len(calls))
		var all sync.WaitGroup
		for i, call := range calls {
			all.Go(func() { failures[i] = e.agent.launch(e.ctx, call) })
		}
		all.Wait()
		e.post(func() { e.launchedGroup(tasks, failures) })
	}()
}

// newID is a random UUID as text.
func newID() string {
	id := executor.NewUUID()
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func (e *runner) launchCall(t *task) *agentv1.Call_LaunchContainer {
	command := proto.CloneOf(t.info.GetCommand())
	if command == nil {
		command = &mesosv1.CommandInfo{}
	}
	own := &mesosv1.Environment{}
	add := func(name, value string) {
		if value != "" {
			own.Variables = append(own.Variables, &mesosv1.Environment_Variable{Name: &name, Value: &value})
		}
	}
	add("MESOS_CONTAINER_IP", e.containerIP())
	add("MESOS_ALLOCATION_ROLE", executor.AllocationRole(t.info.GetResources()))
	own.Variables = append(own.Variables, command.GetEnvironment().GetVariables()...)
	if len(own.Variables) > 0 {
		command.Environment = own
	}
	return &agentv1.Call_LaunchContainer{
		ContainerId: t.container, Command: command, Container: containerOf(t.info),
		Resources: t.info.GetResources(), Limits: t.info.GetLimits(),
	}
}

// containerIP is the address of the executor's container: that of the agent, unless it was told another one.
func (e *runner) containerIP() string {
	if ip := e.variables.Get("MESOS_CONTAINER_IP"); ip != "" {
		return ip
	}
	_, address, _ := strings.Cut(e.env.Agent, "://")
	address, _, _ = strings.Cut(address, "/")
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	return host
}

// containerOf is the task's container, with the volumes of its resources: they are in the sandbox of the executor, so
// the task's container gets them from there.
func containerOf(info *mesosv1.TaskInfo) *mesosv1.ContainerInfo {
	container := info.GetContainer()
	for _, r := range info.GetResources() {
		volume := r.GetDisk().GetVolume()
		if volume == nil {
			continue
		}
		if container == info.GetContainer() {
			if container = proto.CloneOf(container); container == nil {
				container = &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_MESOS.Enum()}
			}
		}
		container.Volumes = append(container.Volumes, &mesosv1.Volume{
			Mode: volume.Mode, ContainerPath: volume.ContainerPath,
			Source: &mesosv1.Volume_Source{Type: mesosv1.Volume_Source_SANDBOX_PATH.Enum(), SandboxPath: &mesosv1.Volume_Source_SandboxPath{
				Type: mesosv1.Volume_Source_SandboxPath_PARENT.Enum(), Path: volume.ContainerPath,
			}},
		})
	}
	return container
}

// launchedGroup takes the agent's answers. Those that run are announced before those that failed take them along.
func (e *runner) launchedGroup(tasks []*task, failures []error) {
	for i, t := range tasks {
		if failures[i] == nil {
			e.started(t)
		}
	}
	for i, t := range tasks {
		if failures[i] != nil {
			e.ended(t, mesosv1.TaskState_TASK_FAILED, func(s *mesosv1.TaskStatus) { s.Message = proto.String(answerText(failures[i])) })
		}
	}
}

func (e *runner) started(t *task) {
	t.launched = true
	e.link(t)
	t.reports.Report(mesosv1.TaskState_TASK_RUNNING, nil)
	go func() {
		result, err := e.agent.wait(e.ctx, t.container)
		e.post(func() { e.waited(t, result, err) })
	}()
	if t.killing { // asked for meanwhile
		e.terminate(t)
		return
	}
	if limit := t.info.GetMaxCompletionTime(); limit != nil {
		t.expiry = e.after(time.Duration(limit.GetNanoseconds()), func() {
			t.expired = !t.killing
			e.kill(t, 0)
		})
	}
	e.newChecks(t)
}

// link makes the sandbox of a task's container known by the task's id.
func (e *runner) link(t *task) {
	folder := filepath.Join(e.env.Sandbox, "tasks")
	err := os.MkdirAll(folder, 0o755)
	if err == nil {
		err = os.Symlink(filepath.Join("..", "containers", t.container.GetValue()), filepath.Join(folder, t.info.GetTaskId().GetValue()))
	}
	if err != nil {
		e.warn("the sandbox of task %s gets no name: %v", t.info.GetTaskId().GetValue(), err)
	}
}

func (e *runner) find(id *mesosv1.TaskID) *task {
	for _, g := range e.groups {
		for _, t := range g.tasks {
			if t.info.GetTaskId().GetValue() == id.GetValue() {
				return t
			}
		}
	}
	return nil
}

func (e *runner) killTask(kill *executorv1.Event_Kill) {
	t := e.find(kill.GetTaskId())
	if t == nil {
		e.warn("asked to kill task %q, which is not here", kill.GetTaskId().GetValue())
		return
	}
	grace := t.grace()
	if period := kill.GetKillPolicy().GetGracePeriod(); period != nil {
		grace = time.Duration(period.GetNanoseconds())
	}
	e.kill(t, grace)
}

// kill sends SIGTERM, and SIGKILL after the grace period. A later one changes nothing.
func (e *runner) kill(t *task, grace time.Duration) {
	if t.killing {
		return
	}
	t.killing, t.graceAtKill = true, max(0, grace)
	t.pauseChecks()
	if e.killingState && !t.expired {
		t.reports.Report(mesosv1.TaskState_TASK_KILLING, func(s *mesosv1.TaskStatus) {
			if t.unhealthy {
				s.Healthy = proto.Bool(false)
			}
		})
	}
	if t.launched {
		e.terminate(t)
	}
}

func (e *runner) terminate(t *task) {
	e.signal(t, syscall.SIGTERM)
	t.escalation = e.after(t.graceAtKill, func() { e.signal(t, syscall.SIGKILL) })
}

func (e *runner) signal(t *task, signal syscall.Signal) {
	go func() {
		if err := e.agent.kill(e.ctx, t.container, signal); err != nil && e.ctx.Err() == nil {
			e.warn("signal %d did not reach task %s: %v", signal, t.info.GetTaskId().GetValue(), err)
		}
	}()
}

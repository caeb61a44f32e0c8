package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	executorv1 "github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/executor"
)

const (
	// defaultGrace is from SIGTERM to SIGKILL where the task has no kill policy.
	defaultGrace = 3 * time.Second

	// margin is what a shutdown leaves of the agent's grace period for telling how it ended.
	margin = 2 * time.Second

	// patience is how long the last update waits for its acknowledgement.
	patience = time.Minute
)

// Options are what an executor is started with. The files are the command's.
type Options struct {
	Environ     []string             // as os.Environ gives it
	Task        map[string]string    // more of the task's environment, which the executor itself does not have
	Command     *mesosv1.CommandInfo // in place of the task's; nil: the task's
	In, Out     *os.File
	Err         *os.File
	Diagnostics io.Writer // of the executor itself: only what goes wrong
}

// Run runs the executor until its task is over and the agent knows. The error says why it could not do so; the task
// may have done well then.
func Run(ctx context.Context, options Options) error {
	env, err := executor.Read(options.Environ)
	if err != nil {
		return err
	}
	e := &runner{
		env: env, options: options, inbox: make(chan func()),
		warn: func(format string, args ...any) {
			fmt.Fprintf(options.Diagnostics, "mesos-executor: "+format+"\n", args...)
		},
	}
	e.session, err = executor.NewSession(env, e.warn)
	if err != nil {
		return err
	}
	return e.run(ctx)
}

// runner has one goroutine for its state, run; everybody else posts to its inbox.
type runner struct {
	env     executor.Environment
	options Options
	session *executor.Session
	warn    func(format string, args ...any)
	inbox   chan func()
	ctx     context.Context // of run

	killingState bool // the framework knows TASK_KILLING
	task         *mesosv1.TaskInfo
	process      *process
	checks       context.CancelFunc // ends the checks
	reports      *executor.Reporter

	killed     bool
	expired    bool // killed because of max_completion_time
	unhealthy  bool // killed because of its health check
	killedAt   time.Time
	grace      time.Duration
	escalation *time.Timer // nil before the first kill
	expiry     *time.Timer // nil without max_completion_time
	deadline   *time.Timer // of the last acknowledgement; nil before the last update

	signalled []entry // the processes that signals went to
	terminal  []byte  // uuid of the last update; nil before
	over      bool
	lost      error // why the agent cannot be told
	result    error
}

func (e *runner) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	e.ctx = ctx
	e.checks = func() {}
	link := make(chan error, 1)
	go func() {
		link <- e.session.Run(ctx, func(event *executorv1.Event) error {
			e.post(func() { e.handle(event) })
			return nil
		})
	}()
	connected := (<-chan error)(link)
	for !e.over {
		select {
		case do := <-e.inbox:
			do()
		case err := <-connected:
			connected = nil
			e.disconnected(err)
		case <-ctx.Done():
			e.finish(context.Cause(ctx))
		}
	}
	e.end()
	cancel()
	if connected != nil {
		<-link
	}
	return e.result
}

// post hands the goroutine of run something to do; when run is over it is not done.
func (e *runner) post(do func()) {
	select {
	case e.inbox <- do:
	case <-e.ctx.Done():
	}
}

// after posts when the time has come.
func (e *runner) after(d time.Duration, do func()) *time.Timer {
	return time.AfterFunc(d, func() { e.post(do) })
}

// finish ends run. The first call counts.
func (e *runner) finish(err error) {
	if !e.over {
		e.over, e.result = true, err
	}
}

func stop(timers ...*time.Timer) {
	for _, timer := range timers {
		if timer != nil {
			timer.Stop()
		}
	}
}

// end stops what may still run. What the command leaves behind in its process group goes with it.
func (e *runner) end() {
	e.checks()
	stop(e.escalation, e.expiry, e.deadline)
	if e.process != nil {
		_ = syscall.Kill(-e.process.pid, syscall.SIGKILL)
		killSurvivors(e.signalled)
		<-e.process.ended
	}
}

func (e *runner) handle(event *executorv1.Event) {
	switch event.GetType() {
	case executorv1.Event_SUBSCRIBED:
		e.subscribed(event.GetSubscribed())
	case executorv1.Event_LAUNCH:
		e.launch(event.GetLaunch().GetTask())
	case executorv1.Event_KILL:
		e.killTask(event.GetKill())
	case executorv1.Event_ACKNOWLEDGED:
		if e.terminal != nil && string(event.GetAcknowledged().GetUuid()) == string(e.terminal) {
			e.finish(nil)
		}
	case executorv1.Event_SHUTDOWN:
		e.shutdown()
	case executorv1.Event_LAUNCH_GROUP:
		e.warn("a task group needs the default executor")
		e.shutdown()
	case executorv1.Event_ERROR:
		e.warn("the agent reports: %s", event.GetError().GetMessage())
	case executorv1.Event_MESSAGE, executorv1.Event_HEARTBEAT:
	case executorv1.Event_UNKNOWN:
		e.warn("the agent sent an event that is not known here")
	default:
		e.warn("unexpected event %v", event.GetType())
	}
}

func (e *runner) subscribed(subscribed *executorv1.Event_Subscribed) {
	for _, c := range subscribed.GetFrameworkInfo().GetCapabilities() {
		if c.GetType() == mesosv1.FrameworkInfo_Capability_TASK_KILLING_STATE {
			e.killingState = true
		}
	}
}

// disconnected is told when the session is over, which it is not while the agent may come back.
func (e *runner) disconnected(err error) {
	if e.terminal != nil {
		e.finish(fmt.Errorf("the last update was not acknowledged: %w", err))
		return
	}
	e.lost = err
	if e.process == nil {
		e.finish(err)
		return
	}
	e.warn("%v: ending the task", err)
	e.shutdown()
}

func (e *runner) launch(task *mesosv1.TaskInfo) {
	if e.task != nil {
		e.session.Launched(task)
		e.session.Update(&mesosv1.TaskStatus{
			TaskId: task.GetTaskId(), State: mesosv1.TaskState_TASK_FAILED.Enum(),
			Message: new("Attempted to run multiple tasks using a \"command\" executor"),
		})
		return
	}
	e.task = task
	e.reports = executor.NewReporter(e.session, task, nil)
	e.session.Launched(task)
	e.reports.Report(mesosv1.TaskState_TASK_STARTING, nil)
	environ := e.environ()
	command := task.GetCommand()
	if e.options.Command != nil {
		command = e.options.Command
	}
	p, err := start(command, environ, stdio{e.options.In, e.options.Out, e.options.Err}, task.GetContainer().GetTtyInfo() != nil)
	if err != nil {
		e.warn("%v", err)
		e.reportEnd(mesosv1.TaskState_TASK_FAILED, func(s *mesosv1.TaskStatus) { s.Message = new("Failed to " + err.Error()) })
		return
	}
	e.process = p
	e.reports.Report(mesosv1.TaskState_TASK_RUNNING, nil)
	go func() {
		<-p.ended
		e.post(e.ended)
	}()
	e.checks = e.startChecks(environ)
	if limit := task.GetMaxCompletionTime(); limit != nil {
		e.expiry = e.after(time.Duration(limit.GetNanoseconds()), e.expire)
	}
}

// environ is the command's environment: the executor's own, without what proves the executor, and the task's over it.
func (e *runner) environ() []string {
	var v executor.Variables
	v.AddAll(e.options.Environ)
	v.Unset(executor.TokenVariable)
	if v.Get("PATH") == "" {
		v.Set("PATH", executor.DefaultPath)
	}
	if role := executor.AllocationRole(e.task.GetResources()); role != "" {
		v.Set("MESOS_ALLOCATION_ROLE", role)
	}
	for _, name := range sortedKeys(e.options.Task) {
		v.Set(name, e.options.Task[name])
	}
	v.AddMessage(e.task.GetCommand().GetEnvironment())
	return v.Environ()
}

func (e *runner) ended() {
	e.checks()
	stop(e.escalation, e.expiry)
	status := e.process.status
	if e.lost != nil {
		e.finish(fmt.Errorf("%s, which the agent was not told: %w", executor.Ending(status), e.lost))
		return
	}
	state := mesosv1.TaskState_TASK_FAILED
	switch {
	case e.expired:
	case e.killed:
		state = mesosv1.TaskState_TASK_KILLED
	case status.Exited() && status.ExitStatus() == 0:
		state = mesosv1.TaskState_TASK_FINISHED
	}
	e.reportEnd(state, func(s *mesosv1.TaskStatus) {
		s.Message = new(executor.Ending(status))
		if e.expired {
			s.Reason = mesosv1.TaskStatus_REASON_MAX_COMPLETION_TIME_REACHED.Enum()
		}
		if e.unhealthy {
			s.Healthy = new(false)
		}
	})
}

var errUnacknowledged = errors.New("the agent did not acknowledge the last update in time")

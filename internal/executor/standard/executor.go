package standard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	executorv1 "github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/executor"
	"github.com/mesos-modules/mms/internal/v1client"
)

const (
	// defaultGrace is from SIGTERM to SIGKILL where the task has no kill policy.
	defaultGrace = 3 * time.Second

	// margin is what a shutdown leaves of the agent's grace period for telling how it ended.
	margin = 2 * time.Second

	// patience is how long the last updates wait for their acknowledgements.
	patience = time.Minute
)

// Options are what an executor is started with.
type Options struct {
	Environ     []string  // as os.Environ gives it
	Diagnostics io.Writer // of the executor itself: only what goes wrong
}

// Run runs the executor until its tasks are over and the agent knows.
func Run(ctx context.Context, options Options) error {
	env, err := executor.Read(options.Environ)
	if err != nil {
		return err
	}
	e := &runner{
		env: env, inbox: make(chan func()),
		warn: func(format string, args ...any) {
			fmt.Fprintf(options.Diagnostics, "mesos-default-executor: "+format+"\n", args...)
		},
	}
	e.variables.AddAll(options.Environ)
	if e.session, err = executor.NewSession(env, e.warn); err != nil {
		return err
	}
	e.session.Disconnected = func() { e.post(e.pauseChecks) }
	client, err := v1client.New(env.Client("/api/v1"))
	if err != nil {
		return err
	}
	defer client.Close()
	e.agent = &agent{client: client}
	return e.run(ctx)
}

// runner has one goroutine for its state, run; everybody else posts to its inbox.
type runner struct {
	env       executor.Environment
	variables executor.Variables // of the executor
	session   *executor.Session
	agent     *agent
	warn      func(format string, args ...any)
	inbox     chan func()
	ctx       context.Context // of run

	container    *mesosv1.ContainerID // the executor's own; nil before SUBSCRIBED
	killingState bool                 // the framework knows TASK_KILLING
	connected    bool
	groups       []*group // that have tasks
	shuttingDown bool
	deadline     *time.Timer // of the last acknowledgements; nil while there are tasks
	over         bool
	result       error
}

// group is tasks that live and die together.
type group struct{ tasks []*task }

var errUnacknowledged = errors.New("the agent did not acknowledge the last updates in time")

func (e *runner) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e.ctx = ctx
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
			e.finish(err)
		case <-ctx.Done():
			e.finish(context.Cause(ctx))
		}
	}
	for _, g := range e.groups {
		for _, t := range g.tasks {
			t.stop()
		}
	}
	if e.deadline != nil {
		e.deadline.Stop()
	}
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

func (e *runner) handle(event *executorv1.Event) {
	switch event.GetType() {
	case executorv1.Event_SUBSCRIBED:
		e.subscribed(event.GetSubscribed())
	case executorv1.Event_LAUNCH_GROUP:
		e.launchGroup(event.GetLaunchGroup().GetTaskGroup())
	case executorv1.Event_KILL:
		e.killTask(event.GetKill())
	case executorv1.Event_ACKNOWLEDGED:
		e.settle()
	case executorv1.Event_SHUTDOWN:
		e.shutdown()
	case executorv1.Event_LAUNCH:
		e.warn("this executor runs task groups, not single tasks")
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
	e.container = subscribed.GetContainerId()
	e.connected = true
	for _, c := range subscribed.GetFrameworkInfo().GetCapabilities() {
		if c.GetType() == mesosv1.FrameworkInfo_Capability_TASK_KILLING_STATE {
			e.killingState = true
		}
	}
	for _, g := range e.groups {
		for _, t := range g.tasks {
			e.resumeChecks(t)
		}
	}
}

func (e *runner) pauseChecks() {
	e.connected = false
	for _, g := range e.groups {
		for _, t := range g.tasks {
			t.pauseChecks()
		}
	}
}

// shutdown kills every task, in time to tell the agent before it loses patience.
func (e *runner) shutdown() {
	e.shuttingDown = true
	for _, g := range e.groups {
		for _, t := range g.tasks {
			e.kill(t, min(t.grace(), max(0, e.env.Grace-margin)))
		}
	}
	e.settle()
}

// settle ends the executor when there is nothing left to do and nothing left to tell.
func (e *runner) settle() {
	if len(e.groups) > 0 {
		if e.deadline != nil {
			e.deadline.Stop()
			e.deadline = nil
		}
		return
	}
	if e.session.Owing() == 0 {
		e.finish(nil)
		return
	}
	if e.deadline == nil {
		e.deadline = e.after(patience, func() { e.finish(errUnacknowledged) })
	}
}

package execute

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	schedulerv1 "github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/v1client"
)

const (
	// patience is how long a master is waited for.
	patience = time.Minute

	// silence is how long a stream may say nothing: five heartbeats.
	silence = 75 * time.Second

	// leaving is how long the last calls may take.
	leaving = 2 * time.Second

	retryEvery = 500 * time.Millisecond

	// callTime bounds one call.
	callTime = 30 * time.Second

	// maxCalls is how many calls may wait for a master that is slow.
	maxCalls = 1000
)

// scheduler runs one work. It has one goroutine for its state, run; the others post to its inbox.
type scheduler struct {
	flags  *flagSet
	work   *work
	screen *screen
	client *v1client.Scheduler
	info   *mesosv1.FrameworkInfo // for the goroutine that subscribes
	inbox  chan func()
	ended  chan struct{}          // closed when nothing is taken from the inbox any more
	calls  chan *schedulerv1.Call // to the goroutine that makes them, in order

	ctx       context.Context // of run
	framework *mesosv1.FrameworkID
	launched  bool
	agent     *mesosv1.AgentID
	agentURL  string // http://10.0.0.1:5051/slave(1)
	seen      int    // offers that were too small
	short     bool   // that no offer is large enough has been said
	states    map[string]*mesosv1.TaskStatus
	followers map[string]*follower
	killed    bool
	killTimer *time.Timer
	over      bool
	status    int // exit status, once over
}

func newScheduler(f *flagSet, w *work, screen *screen) (*scheduler, error) {
	address, err := masterAddress(f.master.Get())
	if err != nil {
		return nil, err
	}
	encoding, err := v1client.ParseEncoding(f.contentType.Get())
	if err != nil {
		return nil, err
	}
	client, err := v1client.NewScheduler(v1client.Config{
		Endpoint: "http://" + address + "/api/v1/scheduler", Encoding: encoding,
		Authenticate: f.authentication(), Silence: silence,
	})
	if err != nil {
		return nil, err
	}
	return &scheduler{
		flags: f, work: w, screen: screen, client: client, info: f.framework(), inbox: make(chan func()), ended: make(chan struct{}),
		calls:  make(chan *schedulerv1.Call, maxCalls),
		states: map[string]*mesosv1.TaskStatus{}, followers: map[string]*follower{},
	}, nil
}

// run returns the exit status.
func (s *scheduler) run(ctx context.Context, signals <-chan os.Signal) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	calling, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	s.ctx = ctx
	var listener, caller sync.WaitGroup
	listener.Go(func() { s.listen(ctx) })
	caller.Go(func() { s.makeCalls(calling) })
	ticker := time.NewTicker(progressInterval)
	defer ticker.Stop()
	for !s.over {
		select {
		case do := <-s.inbox:
			do()
		case received := <-signals:
			s.interrupted(received)
		case <-ticker.C:
			s.screen.progress()
		case <-ctx.Done():
			s.finish(exitFailed)
		}
	}
	close(s.ended)
	s.screen.wait("")
	if s.killTimer != nil {
		s.killTimer.Stop()
	}
	if ctx.Err() == nil && !s.leftEarly() {
		s.awaitOutput(signals)
	}
	// The stream is closed after the last call: a framework without one is gone for the master, calls and all.
	leave := time.AfterFunc(leaving, giveUp)
	defer leave.Stop()
	s.call(&schedulerv1.Call{Type: schedulerv1.Call_TEARDOWN.Enum()})
	close(s.calls)
	caller.Wait()
	cancel()
	listener.Wait()
	for _, f := range s.followers {
		f.wait()
	}
	s.client.Close()
	return s.status
}

// leftEarly says whether tasks may still run.
func (s *scheduler) leftEarly() bool {
	for _, id := range s.work.ids() {
		if !terminal(s.states[id].GetState()) {
			return true
		}
	}
	return false
}

// awaitOutput waits until all that the tasks have written is shown, or a signal comes.
func (s *scheduler) awaitOutput(signals <-chan os.Signal) {
	shown := make(chan struct{})
	go func() {
		for _, f := range s.followers {
			f.wait()
		}
		close(shown)
	}()
	select {
	case <-shown:
	case <-signals:
		for _, f := range s.followers {
			f.cancel()
		}
		<-shown
	}
}

// makeCalls makes the calls that wait, one after another, until there will be no more, or ctx ends. The last one is
// TEARDOWN, without which the master would find out that this framework has gone, but what still runs would do so until
// then. If a call does not get through, the next subscription reconciles.
func (s *scheduler) makeCalls(ctx context.Context) {
	for call := range s.calls {
		err := s.makeCall(ctx, call)
		var status *v1client.StatusError
		switch {
		case err == nil, errors.Is(err, v1client.ErrNotSubscribed), ctx.Err() != nil:
		case call.GetType() == schedulerv1.Call_TEARDOWN && errors.As(err, &status): // the framework is gone already
		case call.GetType() == schedulerv1.Call_ACCEPT:
			s.post(func() { s.fail(err) })
		default:
			s.screen.warn("%v: %v", call.GetType(), err)
		}
	}
}

func (s *scheduler) makeCall(ctx context.Context, call *schedulerv1.Call) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return s.client.Call(ctx, call)
}

// call has a call made.
func (s *scheduler) call(call *schedulerv1.Call) {
	select {
	case s.calls <- call:
	default:
		s.screen.warn("%v is not sent: too many calls wait for the master", call.GetType())
	}
}

// post hands the goroutine of run something to do; when run is over it is not done.
func (s *scheduler) post(do func()) {
	select {
	case s.inbox <- do:
	case <-s.ended:
	}
}

// finish ends run. The first call counts.
func (s *scheduler) finish(status int) {
	if !s.over {
		s.over, s.status = true, status
	}
}

func (s *scheduler) fail(err error) {
	s.screen.warn("%v", explain(err))
	s.finish(exitFailed)
}

// listen subscribes, and again whenever the stream has ended.
func (s *scheduler) listen(ctx context.Context) {
	s.screen.wait("waiting for the master at " + s.flags.master.Get())
	away, told := time.Now(), false
	for ctx.Err() == nil {
		err := s.follow(ctx, func() { away, told = time.Time{}, false })
		if ctx.Err() != nil || s.isOver() {
			return // after TEARDOWN the master ends the stream
		}
		if away.IsZero() {
			away = time.Now()
		}
		if !v1client.IsTemporary(err) && !errors.Is(err, v1client.ErrSilent) && !errors.Is(err, errStreamEnded) || time.Since(away) > patience {
			s.post(func() { s.fail(err) })
			return
		}
		if !told {
			told = true
			s.screen.warn("%v\n  Trying again for %v.", explain(err), patience)
			s.screen.wait("waiting for the master at " + s.flags.master.Get())
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
		}
	}
}

func (s *scheduler) isOver() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

var errStreamEnded = errors.New("the master ended the stream of events")

// follow subscribes once and posts events to the end of the stream.
func (s *scheduler) follow(ctx context.Context, heard func()) error {
	stream, err := s.client.Subscribe(ctx, &schedulerv1.Call_Subscribe{FrameworkInfo: s.info})
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		event := &schedulerv1.Event{}
		if err := stream.Next(event); err != nil {
			if errors.Is(err, io.EOF) {
				return errStreamEnded
			}
			return err
		}
		heard()
		if event.GetType() == schedulerv1.Event_SUBSCRIBED {
			s.info.Id = event.GetSubscribed().GetFrameworkId() // for the next time
			s.client.SetFrameworkID(s.info.Id)
		}
		s.post(func() { s.handle(event) })
	}
}

func (s *scheduler) handle(event *schedulerv1.Event) {
	switch event.GetType() {
	case schedulerv1.Event_SUBSCRIBED:
		s.subscribed(event.GetSubscribed())
	case schedulerv1.Event_OFFERS:
		for _, offer := range event.GetOffers().GetOffers() {
			s.offered(offer)
		}
	case schedulerv1.Event_UPDATE:
		s.updated(event.GetUpdate().GetStatus())
	case schedulerv1.Event_FAILURE:
		s.failure(event.GetFailure())
	case schedulerv1.Event_ERROR:
		s.fail(fmt.Errorf("the master refuses: %s", event.GetError().GetMessage()))
	default: // heartbeats, and what does not concern tasks
	}
}

func (s *scheduler) subscribed(subscribed *schedulerv1.Event_Subscribed) {
	s.framework = subscribed.GetFrameworkId()
	s.screen.say("Subscribed with ID %s", subscribed.GetFrameworkId().GetValue())
	if !s.launched {
		s.screen.wait("waiting for an offer of " + s.work.needs.String())
		return
	}
	reconcile := &schedulerv1.Call_Reconcile{}
	for _, task := range s.work.tasks {
		reconcile.Tasks = append(reconcile.Tasks, &schedulerv1.Call_Reconcile_Task{TaskId: task.GetTaskId(), AgentId: s.agent})
	}
	s.call(&schedulerv1.Call{Type: schedulerv1.Call_RECONCILE.Enum(), Reconcile: reconcile})
}

func (s *scheduler) failure(failure *schedulerv1.Event_Failure) {
	switch {
	case failure.GetAgentId().GetValue() != s.agent.GetValue():
	case failure.ExecutorId != nil:
		s.screen.say("Executor '%s' ended with status %d", failure.GetExecutorId().GetValue(), failure.GetStatus())
	default:
		s.screen.say("Agent '%s' is lost", failure.GetAgentId().GetValue())
	}
}

// interrupted kills the tasks, or leaves if that has been asked for already, or there are none.
func (s *scheduler) interrupted(received os.Signal) {
	status := exitSignal
	if number, ok := received.(syscall.Signal); ok {
		status += int(number)
	}
	switch {
	case !s.launched:
		s.finish(status)
	case s.killed:
		s.screen.warn("leaving; what still runs is ended by the master")
		s.finish(status)
	default:
		s.screen.warn("killing the task; once more leaves at once")
		s.kill()
	}
}

// kill asks for the end of all tasks that have not ended.
func (s *scheduler) kill() {
	s.killed = true
	s.screen.wait("waiting for the task's end")
	for _, task := range s.work.tasks {
		if !terminal(s.states[task.GetTaskId().GetValue()].GetState()) {
			s.call(&schedulerv1.Call{Type: schedulerv1.Call_KILL.Enum(), Kill: &schedulerv1.Call_Kill{TaskId: task.GetTaskId(), AgentId: s.agent}})
		}
	}
}

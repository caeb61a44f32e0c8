// Command scheduler is a framework made with mesos-go, a client library of others:
// it runs tasks until all have ended, and says what it hears.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/encoding/codecs"
	"github.com/mesos/mesos-go/api/v1/lib/extras/scheduler/callrules"
	"github.com/mesos/mesos-go/api/v1/lib/extras/scheduler/controller"
	"github.com/mesos/mesos-go/api/v1/lib/extras/scheduler/eventrules"
	"github.com/mesos/mesos-go/api/v1/lib/extras/store"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli/httpsched"
	"github.com/mesos/mesos-go/api/v1/lib/resources"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler/calls"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler/events"
)

type framework struct {
	command, executor, role string
	tasks                   int
	group, kill             bool

	caller   calls.Caller
	id       store.Singleton
	launched int
	states   map[string]mesos.TaskState
	stop     context.CancelFunc
}

func main() {
	master := flag.String("master", "", "host:port")
	codec := flag.String("codec", "protobuf", "protobuf or json")
	f := &framework{states: map[string]mesos.TaskState{}, id: store.NewInMemorySingleton()}
	flag.StringVar(&f.command, "command", "true", "what each task runs")
	flag.StringVar(&f.executor, "executor", "", "path of an executor to run the tasks with")
	flag.StringVar(&f.role, "role", "*", "role to subscribe with")
	flag.BoolVar(&f.group, "group", false, "run the tasks as one group, with the default executor")
	flag.BoolVar(&f.kill, "kill", false, "kill each task as soon as it runs")
	flag.IntVar(&f.tasks, "tasks", 1, "how many tasks to run")
	failover := flag.Duration("failover", 0, "failover timeout; also makes it reconnect")
	flag.Parse()
	if err := f.run(*master, *codec, *failover); err != nil {
		fmt.Fprintln(os.Stderr, "scheduler:", err)
		os.Exit(1)
	}
	want := mesos.TASK_FINISHED
	if f.kill {
		want = mesos.TASK_KILLED
	}
	for _, state := range f.states {
		if state != want {
			os.Exit(2)
		}
	}
}

func (f *framework) run(master, codec string, failover time.Duration) error {
	c := codecs.ByMediaType[codecs.MediaTypeProtobuf]
	if codec == "json" {
		c = codecs.ByMediaType[codecs.MediaTypeJSON]
	}
	client := httpcli.New(httpcli.Endpoint("http://"+master+"/api/v1/scheduler"), httpcli.Codec(c),
		httpcli.Do(httpcli.With(httpcli.Timeout(30*time.Second))))
	ctx, cancel := context.WithCancel(context.Background())
	f.stop = cancel
	f.caller = callrules.New(callrules.WithFrameworkID(store.GetIgnoreErrors(f.id))).Caller(httpsched.NewCaller(client))

	info := &mesos.FrameworkInfo{User: "root", Name: "mesos-go", Checkpoint: new(bool), FailoverTimeout: new(float64)}
	*info.Checkpoint, *info.FailoverTimeout = failover > 0, failover.Seconds()
	if f.role != "*" {
		info.Roles = []string{f.role}
		info.Capabilities = append(info.Capabilities, mesos.FrameworkInfo_Capability{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE})
	}
	rules := eventrules.Rules{
		controller.LiftErrors(),
		controller.TrackSubscription(f.id, failover),
		controller.AckStatusUpdates(f.caller).AndThen(),
		eventrules.HandleF(f.heard),
		eventrules.Handle(events.Handlers{
			scheduler.Event_OFFERS: events.HandlerFunc(f.offers),
			scheduler.Event_UPDATE: events.HandlerFunc(f.update),
		}.Otherwise(nil)),
	}
	err := controller.Run(ctx, info, f.caller,
		controller.WithFrameworkID(store.GetIgnoreErrors(f.id)),
		controller.WithEventHandler(rules))
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (f *framework) heard(_ context.Context, e *scheduler.Event) error {
	switch t := e.GetType(); t {
	case scheduler.Event_SUBSCRIBED:
		fmt.Println("SUBSCRIBED", e.GetSubscribed().GetFrameworkID().GetValue() != "", e.GetSubscribed().GetHeartbeatIntervalSeconds())
	case scheduler.Event_UPDATE:
		s := e.GetUpdate().Status
		fmt.Println("UPDATE", s.TaskID.Value, s.GetState(), s.GetMessage())
	case scheduler.Event_MESSAGE:
		fmt.Printf("MESSAGE %s %s\n", e.GetMessage().ExecutorID.Value, e.GetMessage().Data)
	case scheduler.Event_HEARTBEAT, scheduler.Event_OFFERS:
	default:
		fmt.Println(t)
	}
	return nil
}

func (f *framework) wants() mesos.Resources {
	return mesos.Resources{resources.NewCPUs(0.1).Resource, resources.NewMemory(32).Resource}
}

func (f *framework) offers(ctx context.Context, e *scheduler.Event) error {
	for _, offer := range e.GetOffers().Offers {
		remaining := mesos.Resources(offer.Resources)
		var tasks []mesos.TaskInfo
		var executor mesos.Resources
		if f.group && f.launched < f.tasks {
			if executor = resources.Find(append(f.wants(), resources.NewDisk(32).Resource), remaining...); len(executor) == 0 {
				return fmt.Errorf("offer %s has no room for an executor", offer.ID.Value)
			}
			remaining.Subtract(executor...)
		}
		for f.launched < f.tasks {
			flattened := mesos.Resources(resources.Flatten(remaining))
			if !resources.ContainsAll(flattened, f.wants()) {
				break
			}
			found := resources.Find(f.wants(), remaining...)
			if len(found) == 0 {
				break
			}
			remaining.Subtract(found...)
			f.launched++
			tasks = append(tasks, f.task(fmt.Sprintf("task-%d", f.launched), offer, found))
		}
		var call *scheduler.Call
		if len(tasks) > 0 {
			call = calls.Accept(calls.OfferOperations{f.launch(executor, tasks)}.WithOffers(offer.ID))
		} else {
			call = calls.Decline(offer.ID)
		}
		if err := calls.CallNoData(ctx, f.caller, call.With(calls.RefuseSeconds(time.Second))); err != nil {
			return err
		}
	}
	return nil
}

// launch is the operation for the tasks; executor is what the default executor of a
// group may use.
func (f *framework) launch(executor mesos.Resources, tasks []mesos.TaskInfo) mesos.Offer_Operation {
	if !f.group {
		return calls.OpLaunch(tasks...)
	}
	return calls.OpLaunchGroup(mesos.ExecutorInfo{
		Type: mesos.ExecutorInfo_DEFAULT, ExecutorID: mesos.ExecutorID{Value: "group"},
		FrameworkID: &mesos.FrameworkID{Value: store.GetIgnoreErrors(f.id)()}, Resources: executor,
	}, tasks...)
}

func (f *framework) task(id string, offer mesos.Offer, has mesos.Resources) mesos.TaskInfo {
	task := mesos.TaskInfo{Name: id, TaskID: mesos.TaskID{Value: id}, AgentID: offer.AgentID, Resources: has}
	if f.executor == "" {
		task.Command = &mesos.CommandInfo{Value: &f.command}
		return task
	}
	parts := strings.Fields(f.executor)
	name, noShell := "mesos-go executor", false
	task.Executor = &mesos.ExecutorInfo{
		Type: mesos.ExecutorInfo_CUSTOM, ExecutorID: mesos.ExecutorID{Value: "executor"}, Name: &name,
		Command: &mesos.CommandInfo{Value: &parts[0], Shell: &noShell, Arguments: parts},
	}
	task.Data = []byte(f.command)
	return task
}

func (f *framework) update(ctx context.Context, e *scheduler.Event) error {
	s := e.GetUpdate().Status
	f.states[s.TaskID.Value] = s.GetState()
	if f.kill && s.GetState() == mesos.TASK_RUNNING {
		if err := calls.CallNoData(ctx, f.caller, calls.Kill(s.TaskID.Value, s.AgentID.GetValue())); err != nil {
			return err
		}
	}
	ended := 0
	for _, state := range f.states {
		switch state {
		case mesos.TASK_FINISHED, mesos.TASK_FAILED, mesos.TASK_KILLED, mesos.TASK_LOST, mesos.TASK_ERROR, mesos.TASK_GONE, mesos.TASK_DROPPED:
			ended++
		}
	}
	if ended == f.tasks {
		f.stop()
	}
	return nil
}

package clusterfaults_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/cluster"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/v1client"
)

// point is a named one of a task's life.
type point string

const (
	offerSent    point = "offer sent"
	acceptSent   point = "accept sent"
	atTheAgent   point = "task at the agent"
	launched     point = "executor launched"
	starting     point = "STARTING"
	running      point = "RUNNING"
	terminalSent point = "terminal update sent"
	acknowledged point = "terminal update acknowledged"
)

// framework is a scheduler as its authors are told to write them: it checkpoints, comes
// back under its id, acknowledges what has a uuid, and reconciles until all its tasks
// have ended. It keeps what it was told, and what of that must not have been.
type framework struct {
	client *v1client.Scheduler
	cancel context.CancelFunc
	done   sync.WaitGroup
	faults []string // read after close

	mu       sync.Mutex
	info     *mesosv1.FrameworkInfo
	wanted   []*mesosv1.TaskInfo // to be launched with the next offer
	tasks    map[string]*task
	at       func(point, string)
	trouble  int  // how often somebody was killed
	troubled bool // somebody is gone, or not back yet
	floods   bool // tasks are in one state more than once
	seen     []*mesosv1.TaskStatus
}

// task is what the framework knows of a task.
type task struct {
	id      *mesosv1.TaskID
	agent   *mesosv1.AgentID
	sent    bool // that it is to be launched: whoever asks earlier is told that there is none
	updates []update
	ended   *mesosv1.TaskStatus // the last, if it is the end
}

// update is one that has a uuid.
type update struct {
	status  *mesosv1.TaskStatus
	acked   time.Time // when its acknowledgement was accepted
	trouble int       // how much there had been then
}

// inFlight is how long an update may be on its way that was sent a second time before
// its acknowledgement reached the agent: agents send what waits whenever they are told
// of a framework that is back. Of its own accord an agent waits for ten seconds.
const inFlight = 3 * time.Second

// join starts a framework and returns when it is subscribed.
func join(t *testing.T, c *cluster.Cluster) *framework {
	t.Helper()
	client, err := v1client.NewScheduler(v1client.Config{Endpoint: "http://" + c.Master.Address + "/api/v1/scheduler", Dial: time.Second})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	f := &framework{client: client, cancel: cancel, tasks: map[string]*task{}, at: func(point, string) {}, info: &mesosv1.FrameworkInfo{
		User: proto.String("root"), Name: proto.String("chaos"), Roles: []string{"*"}, Checkpoint: proto.Bool(true), FailoverTimeout: proto.Float64(3600),
		Capabilities: []*mesosv1.FrameworkInfo_Capability{
			{Type: mesosv1.FrameworkInfo_Capability_MULTI_ROLE.Enum()}, {Type: mesosv1.FrameworkInfo_Capability_PARTITION_AWARE.Enum()},
		},
	}}
	f.done.Go(func() { f.follow(ctx) })
	f.done.Go(func() { f.reconcile(ctx) })
	t.Cleanup(f.close)
	eventually(t, func() string {
		if f.id() == nil {
			return "the framework is not subscribed"
		}
		return ""
	})
	return f
}

func (f *framework) id() *mesosv1.FrameworkID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.info.GetId()
}

// close ends the framework, but not what the master knows of it.
func (f *framework) close() {
	f.cancel()
	f.done.Wait()
	f.client.Close()
}

// launch has a task launched with the next offer; at is told when it comes to a point
// that a scheduler sees.
func (f *framework) launch(info *mesosv1.TaskInfo, at func(point, string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wanted, f.at = append(f.wanted, info), at
}

// disturb says that somebody is killed now, or that all are back.
func (f *framework) disturb(gone bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trouble++
	f.troubled = gone
}

// follow subscribes, and again whenever the stream has ended.
func (f *framework) follow(ctx context.Context) {
	for ctx.Err() == nil {
		f.mu.Lock()
		subscribe := &scheduler.Call_Subscribe{FrameworkInfo: proto.CloneOf(f.info)}
		f.mu.Unlock()
		if stream, err := f.client.Subscribe(ctx, subscribe); err == nil {
			for {
				event := &scheduler.Event{}
				if stream.Next(event) != nil {
					break
				}
				f.handle(ctx, event)
			}
			stream.Close()
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// pause waits, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// call makes a call of which nobody waits for more than whether it was accepted.
func (f *framework) call(ctx context.Context, call *scheduler.Call) error {
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return f.client.Call(limited, call)
}

func (f *framework) handle(ctx context.Context, event *scheduler.Event) {
	switch event.GetType() {
	case scheduler.Event_SUBSCRIBED:
		f.mu.Lock()
		f.info.Id = event.GetSubscribed().GetFrameworkId()
		f.client.SetFrameworkID(f.info.GetId())
		f.mu.Unlock()
		f.ask(ctx)
	case scheduler.Event_OFFERS:
		for _, offer := range event.GetOffers().GetOffers() {
			f.offered(ctx, offer)
		}
	case scheduler.Event_UPDATE:
		f.updated(ctx, event.GetUpdate().GetStatus())
	default: // nothing that a framework has to do something about
	}
}

func (f *framework) offered(ctx context.Context, offer *mesosv1.Offer) {
	f.mu.Lock()
	wanted, at := f.wanted, f.at
	f.wanted = nil
	for _, info := range wanted {
		info.AgentId = offer.GetAgentId()
		f.tasks[info.GetTaskId().GetValue()] = &task{id: info.GetTaskId(), agent: offer.GetAgentId()}
	}
	f.mu.Unlock()
	if len(wanted) == 0 {
		_ = f.call(ctx, &scheduler.Call{Type: scheduler.Call_DECLINE.Enum(), Decline: &scheduler.Call_Decline{
			OfferIds: []*mesosv1.OfferID{offer.GetId()}, Filters: &mesosv1.Filters{RefuseSeconds: proto.Float64(0.01)},
		}})
		return
	}
	id := wanted[0].GetTaskId().GetValue()
	at(offerSent, id)
	// Whether it was heard or not, reconciliation tells what became of the tasks.
	_ = f.call(ctx, &scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), Accept: &scheduler.Call_Accept{
		OfferIds: []*mesosv1.OfferID{offer.GetId()}, Filters: &mesosv1.Filters{RefuseSeconds: proto.Float64(0.01)},
		Operations: []*mesosv1.Offer_Operation{{Type: mesosv1.Offer_Operation_LAUNCH.Enum(), Launch: &mesosv1.Offer_Operation_Launch{TaskInfos: wanted}}},
	}})
	f.mu.Lock()
	for _, info := range wanted {
		f.tasks[info.GetTaskId().GetValue()].sent = true
	}
	f.mu.Unlock()
	at(acceptSent, id)
}

func (f *framework) updated(ctx context.Context, status *mesosv1.TaskStatus) {
	id, state := status.GetTaskId().GetValue(), status.GetState()
	f.mu.Lock()
	at, task := f.at, f.tasks[id]
	f.seen = append(f.seen, status)
	if task == nil {
		f.faults = append(f.faults, fmt.Sprintf("%s: %v, of a task that was never launched", id, state))
		f.mu.Unlock()
		return
	}
	if len(status.GetUuid()) > 0 {
		if wrong := task.judge(status, f.trouble, f.troubled); wrong != "" && !f.floods {
			f.faults = append(f.faults, fmt.Sprintf("%s: %v (%v, %s): %s; before it: %s", id, state, status.GetReason(), status.GetMessage(), wrong, task))
		}
	}
	// What only answers a question is no end where a true end has been told.
	if final(state) && (len(status.GetUuid()) > 0 || task.ended == nil) {
		task.ended = status
	}
	f.mu.Unlock()
	switch {
	case len(status.GetUuid()) == 0:
		return
	case state == mesosv1.TaskState_TASK_STARTING:
		at(starting, id)
	case state == mesosv1.TaskState_TASK_RUNNING:
		at(running, id)
	case final(state):
		at(terminalSent, id)
	}
	err := f.call(ctx, &scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), Acknowledge: &scheduler.Call_Acknowledge{
		AgentId: status.GetAgentId(), TaskId: status.GetTaskId(), Uuid: status.GetUuid(),
	}})
	if err != nil {
		return // it will come again
	}
	f.mu.Lock()
	for i := range task.updates {
		if u := &task.updates[i]; bytes.Equal(u.status.GetUuid(), status.GetUuid()) {
			u.acked, u.trouble = time.Now(), f.trouble
		}
	}
	f.mu.Unlock()
	if final(state) {
		at(acknowledged, id)
	}
}

// judge keeps an update, and says what is wrong with its coming now: an update may come
// again until its acknowledgement was carried out, which shows when the next one comes,
// or, where nobody was killed, when it was accepted.
func (k *task) judge(status *mesosv1.TaskStatus, trouble int, troubled bool) string {
	for i, u := range k.updates {
		if !bytes.Equal(u.status.GetUuid(), status.GetUuid()) {
			continue
		}
		switch last := i == len(k.updates)-1; {
		case !last:
			return "it came again after the next one"
		case !u.acked.IsZero() && time.Since(u.acked) > inFlight && u.trouble == trouble && !troubled:
			return "it came again though it was acknowledged and nobody was killed"
		default:
			return ""
		}
	}
	var wrong string
	if n := len(k.updates); n > 0 && rank(status.GetState()) <= rank(k.updates[n-1].status.GetState()) {
		wrong = "it comes after one that is later in a task's life"
	}
	k.updates = append(k.updates, update{status: status})
	if want := rank(status.GetState()) - 1; status.GetState() == mesosv1.TaskState_TASK_FINISHED && len(k.updates)-1 != want {
		wrong = "one before it is lost"
	}
	return wrong
}

// String lists the states.
func (k *task) String() string {
	var text string
	for _, u := range k.updates {
		text += fmt.Sprintf("%v(%x acknowledged: %t) ", u.status.GetState(), u.status.GetUuid()[:2], !u.acked.IsZero())
	}
	return text
}

func rank(state mesosv1.TaskState) int {
	switch state {
	case mesosv1.TaskState_TASK_STARTING:
		return 1
	case mesosv1.TaskState_TASK_RUNNING:
		return 2
	default:
		return 3
	}
}

// final says whether a task in this state will be in no other.
func final(state mesosv1.TaskState) bool {
	switch state {
	case mesosv1.TaskState_TASK_STAGING, mesosv1.TaskState_TASK_STARTING, mesosv1.TaskState_TASK_RUNNING,
		mesosv1.TaskState_TASK_KILLING, mesosv1.TaskState_TASK_UNREACHABLE:
		return false
	default:
		return true
	}
}

// reconcile asks for all tasks that have not ended, again and again.
func (f *framework) reconcile(ctx context.Context) {
	for ctx.Err() == nil {
		pause(ctx, 300*time.Millisecond)
		f.ask(ctx)
	}
}

func (f *framework) ask(ctx context.Context) {
	call := &scheduler.Call{Type: scheduler.Call_RECONCILE.Enum(), Reconcile: &scheduler.Call_Reconcile{}}
	f.mu.Lock()
	for _, k := range f.tasks {
		if k.sent && k.ended == nil {
			call.Reconcile.Tasks = append(call.Reconcile.Tasks, &scheduler.Call_Reconcile_Task{TaskId: k.id, AgentId: k.agent})
		}
	}
	f.mu.Unlock()
	if len(call.Reconcile.Tasks) > 0 {
		_ = f.call(ctx, call) // asked again soon
	}
}

// end is how a task ended; nil if it has not.
func (f *framework) end(id string) *mesosv1.TaskStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.tasks[id]; k != nil {
		return k.ended
	}
	return nil
}

// told is what the framework was told of a task with uuids, in words.
func (f *framework) told(id string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.tasks[id]; k != nil {
		return k.String()
	}
	return "nothing"
}

// wrongs is all that must not have been told so far.
func (f *framework) wrongs() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.faults...)
}

// shell is a task that runs a command.
func shell(id, command string) *mesosv1.TaskInfo {
	all, err := resources.Parse("cpus:0.5;mem:64", "*")
	if err != nil {
		panic(err) // the text stands above
	}
	return &mesosv1.TaskInfo{
		Name: proto.String(id), TaskId: &mesosv1.TaskID{Value: proto.String(id)}, Resources: all.Allocate("*").Messages(),
		Command: &mesosv1.CommandInfo{Value: proto.String(command)},
	}
}

package simulation

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/resources"
)

// framework wants some tasks run, and keeps to the rules: it acknowledges, it comes
// back when its stream breaks, and it reconciles.
type framework struct {
	w     *World
	name  string
	aware bool // of partitions

	id       *mesosv1.FrameworkID
	link     *connection // nil: it has none
	wanted   int
	launched int
	tasks    map[string]*task
	order    []string
	tornDown bool
}

// task is what a framework knows of a task.
type task struct {
	id     string
	agent  *mesosv1.AgentID
	states []mesosv1.TaskState          // in the order of the updates that came from the executor
	seen   map[string]mesosv1.TaskState // by uuid
	over   bool                         // it has come to an end
}

// connection is one subscription.
type connection struct {
	framework *framework
	id        core.StreamID
	up, down  *line
	life      int // of the master
}

// subscribe begins a subscription.
func (f *framework) subscribe() {
	m := f.w.master
	if f.link != nil || f.tornDown {
		return
	}
	if !m.up {
		f.again()
		return
	}
	c := &connection{framework: f, id: core.StreamID(fmt.Sprintf("%x", f.w.uuid())), up: &line{w: f.w}, down: &line{w: f.w}, life: m.life}
	f.link = c
	info := &mesosv1.FrameworkInfo{User: proto.String("user"), Name: &f.name, Id: f.id, Checkpoint: proto.Bool(true),
		FailoverTimeout: proto.Float64((7 * 24 * time.Hour).Seconds())}
	if f.aware {
		info.Capabilities = []*mesosv1.FrameworkInfo_Capability{{Type: mesosv1.FrameworkInfo_Capability_PARTITION_AWARE.Enum()}}
	}
	f.send(c, &scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum(), Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info}}, true)
}

func (f *framework) again() {
	f.w.after(f.w.between(100*time.Millisecond, 2*time.Second), f.subscribe)
}

// send makes a call.
func (f *framework) send(c *connection, call *scheduler.Call, subscribes bool) {
	call.FrameworkId = f.id
	m := f.w.master
	c.up.send(func() {
		if !m.up || m.life != c.life {
			return
		}
		m.request++
		request := m.request
		m.requests[request] = func(status int, text string) {
			if status == 200 || status == 202 {
				return
			}
			if subscribes && status == 503 {
				c.down.send(func() { f.closed(c) })
			} else if status != 403 { // another stream has taken over, or the link is known to be broken
				f.w.wrong("%s: %v is answered %d %s", f.name, call.GetType(), status, text)
			}
		}
		if subscribes {
			m.clients[c.id] = c
		}
		m.handle(core.SchedulerCall{Request: request, Stream: c.id, Call: call})
	})
}

// lost says that the stream has broken; the framework subscribes again.
func (f *framework) lost() {
	if c := f.link; c != nil {
		c.up.cut, c.down.cut, f.link = true, true, nil
		f.again()
	}
}

// broken breaks the stream in a way that both sides see.
func (f *framework) broken() {
	c, m := f.link, f.w.master
	if c == nil {
		return
	}
	f.w.say("the stream of %s breaks", f.name)
	f.lost()
	if m.up && m.life == c.life {
		f.w.after(f.w.between(fastest, time.Second), func() {
			if m.up && m.life == c.life && m.clients[c.id] != nil {
				delete(m.clients, c.id)
				m.handle(core.StreamGone{Stream: c.id})
			}
		})
	}
}

func (f *framework) closed(c *connection) {
	if f.link == c {
		f.lost()
	}
}

func (f *framework) heard(c *connection, e *scheduler.Event) {
	if f.link != c {
		return
	}
	switch e.GetType() {
	case scheduler.Event_SUBSCRIBED:
		if f.id != nil && !proto.Equal(f.id, e.GetSubscribed().GetFrameworkId()) {
			f.w.wrong("%s was %s and is %s", f.name, f.id.GetValue(), e.GetSubscribed().GetFrameworkId().GetValue())
		}
		f.id = e.GetSubscribed().GetFrameworkId()
		f.reconcile()
	case scheduler.Event_OFFERS:
		for _, o := range e.GetOffers().GetOffers() {
			f.offered(c, o)
		}
	case scheduler.Event_UPDATE:
		f.updated(c, e.GetUpdate().GetStatus())
	case scheduler.Event_ERROR:
		if f.w.trace != nil {
			f.w.say("%s hears an error: %s", f.name, e.GetError().GetMessage())
		}
	}
}

// taskResources are what each task gets.
const taskResources = "cpus:1;mem:64"

func (f *framework) offered(c *connection, o *mesosv1.Offer) {
	free, err := resources.New(o.GetResources())
	if err != nil {
		f.w.wrong("%s is offered what is no resource: %v", f.name, err)
		return
	}
	wants, err := resources.Parse(taskResources, "*")
	if err != nil {
		f.w.wrong("%v", err)
		return
	}
	var tasks []*mesosv1.TaskInfo
	for f.launched < f.wanted && len(tasks) < 3 && free.Contains(wants) && !f.w.oneIn(4) {
		free = free.Sub(wants)
		tasks = append(tasks, f.newTask(o))
	}
	if len(tasks) == 0 {
		f.send(c, &scheduler.Call{Type: scheduler.Call_DECLINE.Enum(), Decline: &scheduler.Call_Decline{OfferIds: []*mesosv1.OfferID{o.GetId()}}}, false)
		return
	}
	f.send(c, &scheduler.Call{Type: scheduler.Call_ACCEPT.Enum(), Accept: &scheduler.Call_Accept{
		OfferIds: []*mesosv1.OfferID{o.GetId()},
		Operations: []*mesosv1.Offer_Operation{{Type: mesosv1.Offer_Operation_LAUNCH.Enum(),
			Launch: &mesosv1.Offer_Operation_Launch{TaskInfos: tasks}}},
	}}, false)
}

func (f *framework) newTask(o *mesosv1.Offer) *mesosv1.TaskInfo {
	f.launched++
	t := &task{id: fmt.Sprintf("%s-%d", f.name, f.launched), agent: o.GetAgentId(), seen: map[string]mesosv1.TaskState{}}
	f.tasks[t.id], f.order = t, append(f.order, t.id)
	all, err := resources.Parse(taskResources, "*")
	if err != nil {
		f.w.wrong("%v", err)
	}
	return &mesosv1.TaskInfo{Name: &t.id, TaskId: &mesosv1.TaskID{Value: &t.id}, AgentId: o.GetAgentId(),
		Resources: all.Messages(), Command: &mesosv1.CommandInfo{Value: proto.String("true")}}
}

// updated looks at an update, and acknowledges it.
func (f *framework) updated(c *connection, s *mesosv1.TaskStatus) {
	id, state := s.GetTaskId().GetValue(), s.GetState()
	f.w.say("%s: %s is %v (%v, %s)", f.name, id, state, s.GetReason(), s.GetMessage())
	t := f.tasks[id]
	if t == nil {
		f.w.wrong("%s hears of task %s, which it has not launched", f.name, id)
		return
	}
	if uuid := string(s.GetUuid()); uuid != "" {
		if before, again := t.seen[uuid]; again && before != state {
			f.w.wrong("one update of task %s is %v first and %v then", id, before, state)
		} else if !again {
			t.seen[uuid] = state
			f.inOrder(t, state)
		}
		f.send(c, &scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE.Enum(), Acknowledge: &scheduler.Call_Acknowledge{
			AgentId: s.GetAgentId(), TaskId: s.GetTaskId(), Uuid: s.GetUuid()}}, false)
	}
	if final(state) {
		t.over = true
	}
}

// inOrder holds that updates of one task come in the order in which they were made.
func (f *framework) inOrder(t *task, state mesosv1.TaskState) {
	rank := func(s mesosv1.TaskState) int {
		switch s {
		case mesosv1.TaskState_TASK_STAGING:
			return 0
		case mesosv1.TaskState_TASK_STARTING:
			return 1
		case mesosv1.TaskState_TASK_RUNNING:
			return 2
		default:
			return 3
		}
	}
	if n := len(t.states); n > 0 && rank(state) <= rank(t.states[n-1]) {
		f.w.wrong("task %s is %v after it was %v", t.id, state, t.states)
	}
	t.states = append(t.states, state)
}

// final reports whether a framework need not wait for anything else of a task.
func final(s mesosv1.TaskState) bool {
	switch s {
	case mesosv1.TaskState_TASK_STAGING, mesosv1.TaskState_TASK_STARTING, mesosv1.TaskState_TASK_RUNNING,
		mesosv1.TaskState_TASK_KILLING, mesosv1.TaskState_TASK_UNREACHABLE:
		return false
	default:
		return true
	}
}

// reconcile asks for all tasks that are not over.
func (f *framework) reconcile() {
	var open []*scheduler.Call_Reconcile_Task
	for _, id := range f.order {
		if t := f.tasks[id]; !t.over {
			open = append(open, &scheduler.Call_Reconcile_Task{TaskId: &mesosv1.TaskID{Value: &t.id}, AgentId: t.agent})
		}
	}
	if len(open) > 0 && f.link != nil && f.id != nil {
		f.send(f.link, &scheduler.Call{Type: scheduler.Call_RECONCILE.Enum(), Reconcile: &scheduler.Call_Reconcile{Tasks: open}}, false)
	}
}

// live reconciles now and then.
func (f *framework) live() {
	f.w.after(f.w.between(20*time.Second, 40*time.Second), func() {
		f.reconcile()
		f.live()
	})
}

package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/slave/updates"
	"github.com/mesos-modules/mms/internal/wire"
)

// play is a task's whole life, played by an executor, a master and a scheduler that go
// on whatever happens to the agent.
type play struct {
	*world

	has       bool // the executor has the task
	told      int  // updates it has made: RUNNING, then FINISHED
	stored    int  // those the agent has stored
	over      bool // its process has ended
	connected bool

	final *mesosv1.TaskStatus // at the scheduler
	count map[string]int      // how often a final status came, by uuid
}

// TestAnAgentThatIsKilledAtEachEffect runs a task to its end, once for each effect of
// its life: there the agent is killed, and another takes over. In the end the
// scheduler knows how the task ended, one way and once, and nothing is left anywhere.
func TestAnAgentThatIsKilledAtEachEffect(t *testing.T) {
	const most = 100 // far more than a life has
	points := 0
	for n := 1; points == 0 && n <= most || n <= points; n++ {
		t.Run(fmt.Sprintf("effect %d", n), func(t *testing.T) {
			p := &play{world: registered(t), count: map[string]int{}}
			p.crash = n
			p.from(run(custom("T", "E")))
			for range 30 {
				p.act()
				if p.dead {
					p.again()
				}
			}
			if p.crash > 0 { // the life was shorter: all has been tried
				points = n - 1
			}
			require.NotNil(t, p.final, "the scheduler waits for ever")
			assert.Len(t, p.count, 1, "it ended one way")
			assert.Empty(t, p.core.View().Frameworks, "nothing is left on the agent")
			assert.Empty(t, p.alive, "no container is left")
			if p.has && p.told == 2 {
				assert.Equal(t, mesosv1.TaskState_TASK_FINISHED, p.final.GetState(), "what the executor said counts")
			}
		})
	}
	assert.NotZero(t, points, "its life has an end")
}

// act lets everybody do the next thing.
func (p *play) act() {
	p.hear()
	switch {
	case p.dead:
	case len(p.alive) > 0 && !p.connected:
		p.comeBack()
	case p.has && p.told < 2:
		p.told++
		p.call("E", p.update(p.told))
	case p.has && p.stored == 2 && !p.over:
		p.over = true
		p.ended("E", &slave.ContainerTermination{Status: proto.Int32(0)})
	}
	p.hear()
	if !p.dead {
		p.pass(11 * time.Second)
		p.hear()
	}
}

func (p *play) update(n int) *executor.Call {
	states := []mesosv1.TaskState{mesosv1.TaskState_TASK_RUNNING, mesosv1.TaskState_TASK_FINISHED}
	return update("T", name(n), states[n-1])
}

// comeBack is the executor that subscribes.
func (p *play) comeBack() {
	c := &executor.Call_Subscribe{}
	if p.has && p.stored == 0 {
		c.UnacknowledgedTasks = []*mesosv1.TaskInfo{custom("T", "E")}
	}
	for n := p.stored + 1; n <= p.told; n++ {
		c.UnacknowledgedUpdates = append(c.UnacknowledgedUpdates, p.update(n).GetUpdate())
	}
	p.connected = true
	p.call("E", &executor.Call{Type: executor.Call_SUBSCRIBE.Enum(), Subscribe: c})
}

// again is another agent that takes over, and a master that asks it for what it
// believes to be there.
func (p *play) again() {
	p.connected = false
	p.begin()
	if len(p.alive) > 0 {
		p.comeBack()
	}
	p.pass(time.Minute)
	p.do(leads(masterPID))
	p.pass(2 * time.Second)
	m := &wire.SlaveReregisteredMessage{SlaveId: agentID}
	if p.final == nil {
		m.Reconciliations = []*wire.ReconcileTasksMessage{{FrameworkId: frameworkID, Statuses: []*mesosv1.TaskStatus{
			{TaskId: taskID("T"), State: mesosv1.TaskState_TASK_RUNNING.Enum()},
		}}}
	}
	p.from(m)
	p.hear()
}

// hear gives everybody what the agent has sent; the scheduler acknowledges at once.
func (p *play) hear() {
	for len(p.effect) > 0 {
		all := p.effect
		p.look()
		for _, e := range all {
			switch e := e.(type) {
			case core.Send:
				p.obey(e.Event)
			case core.DestroyContainer:
				delete(p.alive, e.Container.GetValue())
				p.over = true
				p.do(core.Terminated{Container: e.Container})
			case core.ToMaster:
				p.tell(e.Message)
			}
		}
	}
}

func (p *play) obey(e *executor.Event) {
	switch e.GetType() {
	case executor.Event_LAUNCH:
		p.has = true
	case executor.Event_ACKNOWLEDGED:
		for n := 1; n <= p.told; n++ {
			if string(e.GetAcknowledged().GetUuid()[:4]) == name(n) {
				p.stored = max(p.stored, n)
			}
		}
	case executor.Event_SHUTDOWN:
		if !p.over {
			p.over = true
			p.ended("E", nil)
		}
	}
}

func (p *play) tell(m proto.Message) {
	u, ok := m.(*wire.StatusUpdateMessage)
	if !ok {
		return
	}
	s := u.GetUpdate().GetStatus()
	if updates.Terminal(s.GetState()) {
		p.final = s
		p.count[string(s.GetUuid())]++
	}
	p.from(&wire.StatusUpdateAcknowledgementMessage{
		SlaveId: agentID, FrameworkId: frameworkID, TaskId: s.GetTaskId(), Uuid: s.GetUuid(),
	})
}

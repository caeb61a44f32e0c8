package core

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/roles/hook"
)

// chaos does things in no order that makes sense.
type chaos struct {
	*world
	r       *rand.Rand
	streams int
	late    []lateShare // on their way to the master
}

// lateShare is a share with the agent it is of: one that has gone and come back is
// another one, and its shares have overtaken it.
type lateShare struct {
	share *allocation.Share
	of    *agentBooks
}

const chaosAgents, chaosFrameworks = 4, 3

func (c *chaos) step() {
	steps := []func(){
		c.anAgentRegisters, c.anAgentReturns, c.aLinkBreaks, c.anAgentLeaves, c.aFrameworkSubscribes, c.aStreamBreaks,
		c.aTeardown, c.anOffer, c.anOffer, c.anOffer, c.anAccept, c.anAccept, c.anAccept, c.aDecline, c.aStatus, c.aStatus,
		c.aStatus, c.anAcknowledgement, c.anAcknowledgement, c.aKill, c.anExecutorEnds, c.anAgentIsGone, c.timePasses,
		c.someAnswer, c.someAnswer, c.someAnswer, c.oversubscription, c.weights, c.anotherAllocator,
	}
	steps[c.r.IntN(len(steps))]()
}

func (c *chaos) anAgentRegisters() {
	n := c.r.IntN(chaosAgents)
	c.do(AgentMessage{From: pid(n), To: "master", Message: &wire.RegisterSlaveMessage{
		Slave: agentInfo(n), Version: proto.String("1.12.0"), AgentCapabilities: modern,
	}})
}

func (c *chaos) agent() *agent {
	all := c.core.agents.snapshot()
	if len(all) == 0 {
		return nil
	}
	return all[c.r.IntN(len(all))]
}

func (c *chaos) framework() *framework {
	all := c.core.frameworks.snapshot()
	if len(all) == 0 {
		return nil
	}
	return all[c.r.IntN(len(all))]
}

func (c *chaos) task() *task {
	f := c.framework()
	if f == nil || f.tasks.len() == 0 {
		return nil
	}
	return f.tasks.snapshot()[c.r.IntN(f.tasks.len())]
}

// anAgentReturns brings back an agent that is registered, away or unreachable, with
// some of what it had.
func (c *chaos) anAgentReturns() {
	ids := make([]string, 0)
	for id := range c.core.agents.keys() {
		ids = append(ids, id)
	}
	for id := range c.core.unreachable.keys() {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return
	}
	id := ids[c.r.IntN(len(ids))]
	n := c.r.IntN(chaosAgents)
	if a, ok := c.core.agents.get(id); ok {
		n = int(a.pid.Addr.Addr().As4()[3])
	}
	c.reregister(n, id, func(m *wire.ReregisterSlaveMessage) {
		for f := range c.core.frameworks.values() {
			if c.r.IntN(4) == 0 {
				continue
			}
			m.Frameworks = append(m.Frameworks, f.info)
			for t := range f.tasks.values() {
				if t.agent.id == id {
					m.Tasks = append(m.Tasks, t.info)
				}
			}
			for t := range f.unreachable.values() {
				if t.GetAgentId().GetValue() == id && !terminal(t.GetState()) {
					m.Tasks = append(m.Tasks, t)
				}
			}
			for e := range f.executors.values() {
				if e.agent.id == id && c.r.IntN(4) > 0 {
					m.ExecutorInfos = append(m.ExecutorInfos, e.info)
				}
			}
		}
		m.Frameworks = append(m.Frameworks, frameworkInfo(func(i *mesosv1.FrameworkInfo) {
			i.Id = &mesosv1.FrameworkID{Value: proto.String("old")}
		}))
	})
}

func (c *chaos) aLinkBreaks() {
	if a := c.agent(); a != nil {
		c.do(AgentExited{PID: a.pid})
	}
}

func (c *chaos) anAgentLeaves() {
	if a := c.agent(); a != nil && c.r.IntN(3) == 0 {
		c.do(AgentMessage{From: a.pid, To: "master", Message: &wire.UnregisterSlaveMessage{SlaveId: a.info.GetId()}})
	}
}

func (c *chaos) aFrameworkSubscribes() {
	c.streams++
	stream := StreamID(fmt.Sprintf("s%d", c.streams))
	f := c.framework()
	if f != nil && (c.core.frameworks.len() >= chaosFrameworks || c.r.IntN(2) == 0) {
		c.trySubscribe(stream, id(f.id))
		return
	}
	c.trySubscribe(stream, func(i *mesosv1.FrameworkInfo) {
		i.Checkpoint = proto.Bool(c.r.IntN(2) == 0)
		if c.r.IntN(2) == 0 {
			with(mesosv1.FrameworkInfo_Capability_PARTITION_AWARE, mesosv1.FrameworkInfo_Capability_MULTI_ROLE)(i)
			i.Roles = append(i.Roles, "batch")
		}
	})
}

func (c *chaos) aStreamBreaks() {
	if f := c.framework(); f != nil && f.connected() {
		c.do(StreamGone{Stream: f.stream})
	}
}

func (c *chaos) aTeardown() {
	if f := c.framework(); f != nil && c.r.IntN(4) == 0 {
		c.operator(&master.Call{Type: master.Call_TEARDOWN.Enum(), Teardown: &master.Call_Teardown{FrameworkId: f.info.GetId()}})
	}
}

// anOffer takes a share of something free; it may stay on its way for a while.
func (c *chaos) anOffer() {
	a, f := c.agent(), c.framework()
	if a != nil && f != nil && len(f.roles) > 0 {
		part := parsed([]string{"cpus:1;mem:128", "cpus:0.5;mem:64;ports:[31000-31001]", "mem:32"}[c.r.IntN(3)])
		if c.books.agents[a.id].free().Contains(part) {
			share := c.books.share(a.id, f.id, f.roles[c.r.IntN(len(f.roles))], part)
			c.late = append(c.late, lateShare{share, c.books.agents[a.id]})
		}
	}
	if c.r.IntN(2) == 0 {
		c.deliver()
	}
}

func (c *chaos) deliver() {
	var shares []*allocation.Share
	for _, l := range c.late {
		if now, ok := c.books.agents[l.share.GetAgentId().GetValue()]; !ok || now == l.of {
			shares = append(shares, l.share)
		}
	}
	c.late = nil
	c.do(Offered{Shares: shares})
}

func (c *chaos) anAccept() {
	f := c.framework()
	if f == nil || !f.connected() || f.offers.len() == 0 {
		return
	}
	o := f.offers.snapshot()[c.r.IntN(f.offers.len())]
	ids := []*mesosv1.OfferID{o.info.GetId()}
	if c.r.IntN(5) == 0 {
		ids = append(ids, f.offers.snapshot()[c.r.IntN(f.offers.len())].info.GetId())
	}
	c.requests++
	t := taskInfo(fmt.Sprintf("t%d", c.r.IntN(30)), o.agent.id, "cpus:0.1;mem:32")
	var op *mesosv1.Offer_Operation
	switch c.r.IntN(5) {
	case 0:
		op = launch()
	case 1:
		t.Executor, t.Command = customExecutor(), nil
		op = launch(t)
	case 2:
		op = group(f.id, t)
	default:
		op = launch(t)
	}
	c.call(f.stream, accept(ids, op))
}

func customExecutor() *mesosv1.ExecutorInfo {
	return &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: proto.String("e")}, Resources: res("cpus:0.1;mem:32"),
		Command: &mesosv1.CommandInfo{Value: proto.String("executor")}}
}

func group(framework string, tasks ...*mesosv1.TaskInfo) *mesosv1.Offer_Operation {
	return &mesosv1.Offer_Operation{
		Type: mesosv1.Offer_Operation_LAUNCH_GROUP.Enum(),
		LaunchGroup: &mesosv1.Offer_Operation_LaunchGroup{
			TaskGroup: &mesosv1.TaskGroupInfo{Tasks: tasks},
			Executor: &mesosv1.ExecutorInfo{
				Type: mesosv1.ExecutorInfo_DEFAULT.Enum(), ExecutorId: &mesosv1.ExecutorID{Value: proto.String("default")},
				FrameworkId: &mesosv1.FrameworkID{Value: &framework}, Resources: res("cpus:0.1;mem:32;disk:1"),
			},
		},
	}
}

func (c *chaos) aDecline() {
	if f := c.framework(); f != nil && f.connected() && f.offers.len() > 0 {
		o := f.offers.snapshot()[c.r.IntN(f.offers.len())]
		c.call(f.stream, &scheduler.Call{Type: scheduler.Call_DECLINE.Enum(), Decline: &scheduler.Call_Decline{
			OfferIds: []*mesosv1.OfferID{o.info.GetId()},
		}})
	}
}

func (c *chaos) aStatus() {
	states := []mesosv1.TaskState{mesosv1.TaskState_TASK_STARTING, mesosv1.TaskState_TASK_RUNNING,
		mesosv1.TaskState_TASK_FINISHED, mesosv1.TaskState_TASK_FAILED, mesosv1.TaskState_TASK_DROPPED}
	if t := c.task(); t != nil {
		c.status(t.framework.id, t.agent.id, t.id(), states[c.r.IntN(len(states))], func(u *wire.StatusUpdate) {
			if c.r.IntN(3) == 0 {
				u.LatestState = states[c.r.IntN(len(states))].Enum()
			}
		})
	}
}

func (c *chaos) anAcknowledgement() {
	if t := c.task(); t != nil && t.framework.connected() && t.info.StatusUpdateUuid != nil {
		c.acknowledge(t.framework.stream, t.agent.id, t.id(), t.info.GetStatusUpdateUuid())
	}
}

func (c *chaos) aKill() {
	f := c.framework()
	if f == nil || !f.connected() {
		return
	}
	c.call(f.stream, &scheduler.Call{Type: scheduler.Call_KILL.Enum(), Kill: &scheduler.Call_Kill{
		TaskId: &mesosv1.TaskID{Value: proto.String(fmt.Sprintf("t%d", c.r.IntN(30)))},
	}})
}

func (c *chaos) anExecutorEnds() {
	if a := c.agent(); a != nil && a.executors.len() > 0 {
		e := a.executors.snapshot()[c.r.IntN(a.executors.len())]
		c.do(AgentMessage{From: a.pid, To: "master", Message: &wire.ExitedExecutorMessage{SlaveId: a.info.GetId(),
			FrameworkId: e.framework.info.GetId(), ExecutorId: e.info.GetExecutorId(), Status: proto.Int32(1)}})
	}
}

func (c *chaos) anAgentIsGone() {
	if a := c.agent(); a != nil && c.r.IntN(4) == 0 {
		c.operator(&master.Call{Type: master.Call_MARK_AGENT_GONE.Enum(),
			MarkAgentGone: &master.Call_MarkAgentGone{AgentId: a.info.GetId()}})
	}
}

func (c *chaos) timePasses() {
	c.wait(time.Duration(c.r.IntN(100)) * time.Second)
}

// someAnswer answers the oldest question there is.
func (c *chaos) someAnswer() {
	switch {
	case len(c.stores) > 0 && c.r.IntN(2) == 0:
		ticket := c.stores[0]
		c.stores = c.stores[1:]
		stored := RegistryStored{Ticket: ticket}
		if c.r.IntN(10) == 0 {
			stored.Refused, stored.Err = true, errors.New("no")
		}
		c.do(stored)
	case len(c.asked) > 0 && c.r.IntN(2) == 0:
		e := c.asked[0]
		c.asked = c.asked[1:]
		allowed := make([]bool, len(e.Requests))
		for i := range allowed {
			allowed[i] = c.r.IntN(10) > 0
		}
		c.do(Authorized{Ticket: e.Ticket, Allowed: allowed})
	case len(c.hooked) > 0:
		e := c.hooked[0]
		c.hooked = c.hooked[1:]
		c.do(Hooked{Ticket: e.Ticket, Result: e.Do(context.Background(), []hook.Hook{})})
	}
}

func (c *chaos) oversubscription() {
	if a := c.agent(); a != nil {
		m := &wire.UpdateSlaveMessage{SlaveId: a.info.GetId()}
		if c.r.IntN(2) == 0 {
			m.OversubscribedResources = res("cpus:1")
			m.OversubscribedResources[0].Revocable = &mesosv1.Resource_RevocableInfo{}
		}
		c.do(AgentMessage{From: a.pid, To: "master", Message: m})
	}
}

func (c *chaos) weights() {
	if c.r.IntN(4) == 0 {
		c.operator(&master.Call{Type: master.Call_UPDATE_WEIGHTS.Enum(), UpdateWeights: &master.Call_UpdateWeights{
			WeightInfos: []*mesosv1.WeightInfo{{Role: proto.String("web"), Weight: proto.Float64(2)}},
		}})
	}
}

// anotherAllocator takes the place of the one that was there, with whose books its
// shares are gone that are on their way.
func (c *chaos) anotherAllocator() {
	if c.r.IntN(3) == 0 {
		c.late = nil
		c.do(AllocatorRenewed{})
	}
}

func (c *chaos) settle() {
	for len(c.stores)+len(c.asked)+len(c.hooked) > 0 {
		c.someAnswer()
	}
	c.deliver()
	c.sound()
	if c.Failed() {
		c.FailNow()
	}
}

// TestSame does the same twice: the same events give the same effects, byte for byte.
func TestSame(t *testing.T) {
	play := func() []string {
		c := &chaos{r: rand.New(rand.NewPCG(7, 7))}
		c.world = newWorld(t, func(config *Config) { config.Authorize, config.Hooks = true, true })
		for range 2000 {
			c.step()
		}
		return c.log
	}
	one, two := play(), play()
	require.Greater(t, len(one), 1000)
	require.Equal(t, one, two)
}

// TestChaos does many things in random order and looks now and then whether master
// and allocator agree about what is used where.
func TestChaos(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			c := &chaos{r: rand.New(rand.NewPCG(seed, 1))}
			c.world = newWorld(t, func(config *Config) {
				config.Authorize = seed%2 == 0
				config.Hooks = seed%3 == 0
				config.OfferTimeout = 30 * time.Second
				config.MaxUnreachableTasks = 3
				config.MaxCompletedTasks = 5
				config.MaxCompletedFrameworks = 2
				if seed%4 == 0 {
					config.AgentRemovalRate = Rate{N: 1, Per: time.Minute}
				}
			})
			c.answerStores = seed%5 == 0
			for n := range 600 {
				c.step()
				if n%20 == 19 {
					c.settle()
				}
				c.log, c.effects = nil, nil
				clear(c.sent)
			}
			c.settle()
		})
	}
}

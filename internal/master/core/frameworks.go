package core

import (
	"slices"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/resources"
)

// framework is one framework, from its subscription, or from the first agent that
// reports it to a new master, until it leaves the list of completed ones.
//
//	recovered --SUBSCRIBE--> connected <--SUBSCRIBE, stream breaks--> disconnected
//
// From each state it can be removed.
type framework struct {
	id    string
	info  *mesosv1.FrameworkInfo // never changed, only replaced
	roles []string

	stream    StreamID // empty: not connected
	active    bool     // in the allocator
	recovered bool     // reported by agents, not subscribed yet
	bare      bool     // recovered, and nothing is known but its id

	suppressed  table[string, bool]
	constraints *scheduler.OfferConstraints

	registered, reregistered, unregistered time.Time

	pending     table[string, *pendingTask] // accepted, not sent to the agent yet
	tasks       table[string, *task]
	unreachable table[string, *mesosv1.Task]
	done        history // completed tasks
	executors   table[executorKey, *executor]
	offers      table[string, *offer]
	inverse     table[string, *inverseOffer]

	used, offered resources.Resources
	states        [stateCount]int // of tasks, unreachable ones too

	failover  *timer
	heartbeat *timer
	counts    counters
}

// history keeps the last tasks of a framework. Of one id there may be several.
type history struct{ tasks []*mesosv1.Task }

func (h *history) put(t *mesosv1.Task, limit int) {
	h.tasks = append(h.tasks, t)
	if over := len(h.tasks) - max(limit, 0); over > 0 {
		clear(h.tasks[:over])
		h.tasks = h.tasks[over:]
	}
}

func (f *framework) connected() bool { return f.stream != "" }

// can says whether the framework has a capability.
func (f *framework) can(capability mesosv1.FrameworkInfo_Capability_Type) bool {
	return slices.ContainsFunc(f.info.GetCapabilities(), func(c *mesosv1.FrameworkInfo_Capability) bool {
		return c.GetType() == capability
	})
}

func (f *framework) partitionAware() bool {
	return f.can(mesosv1.FrameworkInfo_Capability_PARTITION_AWARE)
}

// lost is the state that frameworks without PARTITION_AWARE see as TASK_LOST.
func (f *framework) lost(state mesosv1.TaskState) mesosv1.TaskState {
	if f.partitionAware() {
		return state
	}
	return mesosv1.TaskState_TASK_LOST
}

func (f *framework) shape() resources.Shape {
	if f.can(mesosv1.FrameworkInfo_Capability_RESERVATION_REFINEMENT) {
		return resources.Post
	}
	return resources.Pre
}

func (f *framework) failoverTimeout() time.Duration {
	return seconds(f.info.GetFailoverTimeout())
}

func (f *framework) suppressedRoles() []string { return slices.Collect(f.suppressed.keys()) }

// newFrameworkID is the id of the next framework.
func (c *Core) newFrameworkID() *mesosv1.FrameworkID {
	id := frameworkID(c.config.Info.GetId(), c.frameworkCount)
	c.frameworkCount++
	return id
}

// addFramework enters a framework. It is told to the allocator as active if it is
// connected.
func (c *Core) addFramework(info *mesosv1.FrameworkInfo, stream StreamID, suppressed []string,
	constraints *scheduler.OfferConstraints) *framework {
	f := &framework{
		id:          info.GetId().GetValue(),
		info:        info,
		stream:      stream,
		active:      stream != "",
		recovered:   stream == "",
		constraints: constraints,
		counts:      newFrameworkCounters(),
	}
	if f.active {
		f.registered = c.now
	}
	c.frameworks.put(f.id, f)
	c.setRoles(f, validate.FrameworkRoles(info))
	f.setSuppressed(suppressed)
	c.allocatorAddFramework(f)
	return f
}

// setRoles enters a framework under its roles.
func (c *Core) setRoles(f *framework, roles []string) {
	for _, role := range f.roles {
		c.leaveRole(f, role)
	}
	f.roles = roles
	for _, role := range roles {
		members, ok := c.audience[role]
		if !ok {
			members = new(table[string, *framework])
			c.audience[role] = members
		}
		members.put(f.id, f)
	}
}

func (c *Core) leaveRole(f *framework, role string) {
	members := c.audience[role]
	members.delete(f.id)
	if members.len() == 0 {
		delete(c.audience, role)
	}
}

func (f *framework) setSuppressed(roles []string) {
	f.suppressed = table[string, bool]{}
	for _, role := range roles {
		f.suppressed.put(role, true)
	}
}

// FrameworkOf returns the id of the framework that is connected by a stream; nil if
// there is none.
func (c *Core) FrameworkOf(id StreamID) *mesosv1.FrameworkID {
	s := c.streams[id]
	if s == nil || s.framework == nil {
		return nil
	}
	return s.framework.info.GetId()
}

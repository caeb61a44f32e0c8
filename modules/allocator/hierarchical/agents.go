package hierarchical

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// AddSlave implements the role.
func (a *Allocator) AddSlave(_ context.Context, info *mesosv1.AgentInfo, capabilities []*mesosv1.AgentInfo_Capability,
	unavailability *mesosv1.Unavailability, total []*mesosv1.Resource, used []*allocation.Share) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begun(); err != nil {
		return err
	}
	id := info.GetId().GetValue()
	if id == "" {
		return fmt.Errorf("agent on %s has no id", info.GetHostname())
	}
	if a.agentsByID[id] != nil {
		return fmt.Errorf("agent %s is there already", id)
	}
	sum, parts, err := readAgent(id, total, used)
	if err != nil {
		return err
	}
	ag := &agent{id: id, active: true, place: len(a.agents), filters: filters{tally: &a.tally}}
	a.agents = append(a.agents, ag)
	a.agentsByID[id] = ag
	a.setTotal(ag, sum)
	a.describe(ag, info, capabilities)
	a.addUsed(ag, parts)
	if unavailability != nil {
		ag.maintenance = newMaintenance(unavailability)
	}
	a.recovered(a.now())
	a.want(ag)
	return nil
}

func readAgent(id string, total []*mesosv1.Resource, used []*allocation.Share) (resources.Resources, []part, error) {
	sum, err := resources.New(total)
	if err != nil {
		return sum, nil, fmt.Errorf("total resources of agent %s: %w", id, err)
	}
	parts, err := readShares(used)
	return sum, parts, err
}

func (a *Allocator) addUsed(ag *agent, parts []part) {
	for _, p := range parts {
		a.take(ag, p.framework, p.role, p.resources)
		a.use(ag, p.resources)
	}
}

// describe replaces what an agent is, but for its resources.
func (a *Allocator) describe(ag *agent, info *mesosv1.AgentInfo, capabilities []*mesosv1.AgentInfo_Capability) {
	ag.info = info
	ag.hierarchical, ag.forbids = false, multiRole
	for _, c := range capabilities {
		switch c.GetType() {
		case mesosv1.AgentInfo_Capability_MULTI_ROLE:
			ag.forbids = 0
		case mesosv1.AgentInfo_Capability_HIERARCHICAL_ROLE:
			ag.hierarchical = true
		default: // the others do not concern offers
		}
	}
	ag.remote = info.GetDomain().GetFaultDomain() != nil && regionOf(info.GetDomain()) != a.options.region
	ag.demand(a.options.filterGPUs)
}

// RemoveSlave implements the role.
func (a *Allocator) RemoveSlave(_ context.Context, id *mesosv1.AgentID) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	ag, err := a.agent(id)
	if err != nil {
		return err
	}
	a.unuse(ag, ag.used)
	for len(ag.shares) > 0 {
		s := ag.shares[0]
		a.give(ag, s, s.has)
	}
	a.setTotal(ag, resources.Resources{})
	for _, f := range a.frameworks {
		delete(f.noInverse, ag.id)
	}
	ag.filters.clear()
	delete(a.agentsByID, ag.id)
	last := len(a.agents) - 1
	a.agents[ag.place] = a.agents[last]
	a.agents[ag.place].place = ag.place
	a.agents[last] = nil
	a.agents = a.agents[:last]
	a.run.remove(ag)
	return nil
}

// UpdateSlave implements the role.
func (a *Allocator) UpdateSlave(_ context.Context, info *mesosv1.AgentInfo, capabilities []*mesosv1.AgentInfo_Capability,
	total []*mesosv1.Resource) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	ag, err := a.agent(info.GetId())
	if err != nil {
		return err
	}
	sum, _, err := readAgent(ag.id, total, nil)
	if err != nil {
		return err
	}
	if !resources.EqualAttributes(ag.info.GetAttributes(), info.GetAttributes()) {
		ag.filters.clear()
		for _, f := range a.frameworks {
			delete(f.noInverse, ag.id)
		}
	}
	changed := !ag.total.Equal(sum) || !proto.Equal(ag.info, info)
	hierarchical, forbids := ag.hierarchical, ag.forbids
	a.setTotal(ag, sum)
	a.describe(ag, info, capabilities)
	if changed || hierarchical != ag.hierarchical || forbids != ag.forbids {
		a.want(ag)
	}
	return nil
}

// AddResourceProvider implements the role.
func (a *Allocator) AddResourceProvider(_ context.Context, id *mesosv1.AgentID, total []*mesosv1.Resource, used []*allocation.Share) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	ag, err := a.agent(id)
	if err != nil {
		return err
	}
	more, parts, err := readAgent(ag.id, total, used)
	if err != nil {
		return err
	}
	a.setTotal(ag, ag.total.Add(more))
	a.addUsed(ag, parts)
	a.want(ag)
	return nil
}

// ActivateSlave implements the role. The next run over all agents offers the agent.
func (a *Allocator) ActivateSlave(_ context.Context, id *mesosv1.AgentID) error {
	return a.activate(id, true)
}

// DeactivateSlave implements the role.
func (a *Allocator) DeactivateSlave(_ context.Context, id *mesosv1.AgentID) error {
	return a.activate(id, false)
}

func (a *Allocator) activate(id *mesosv1.AgentID, active bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	ag, err := a.agent(id)
	if err != nil {
		return err
	}
	ag.active = active
	return nil
}

// UpdateWhitelist implements the role.
func (a *Allocator) UpdateWhitelist(_ context.Context, whitelist *allocation.Whitelist) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begun(); err != nil {
		return err
	}
	if whitelist == nil {
		a.whitelist = nil
		return nil
	}
	a.whitelist = map[string]bool{}
	for _, host := range whitelist.GetHostnames() {
		a.whitelist[host] = true
	}
	if len(a.whitelist) == 0 {
		a.log.Warn("the whitelist is empty: no offers will be made")
	}
	return nil
}

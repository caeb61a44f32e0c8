package hierarchical

import (
	"context"
	"errors"
	"fmt"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// RecoverResources implements the role. What an agent had that is not there any more went
// with it.
func (a *Allocator) RecoverResources(_ context.Context, framework *mesosv1.FrameworkID, id *mesosv1.AgentID,
	given []*mesosv1.Resource, filters *mesosv1.Filters, allocated bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begun(); err != nil {
		return err
	}
	r, role, err := readOneRole(given)
	ag := a.agentsByID[id.GetValue()]
	if err != nil || ag == nil || r.Empty() {
		return err
	}
	s, err := a.held(ag, framework.GetValue(), role, r)
	if err != nil {
		return err
	}
	if allocated && ag.used.Contains(r) { // metrics alone tell it from what was offered
		a.unuse(ag, r)
	}
	m := s.member
	a.give(ag, s, r)
	a.trim(ag, role)
	if filters != nil && m != nil && m.subscribed {
		a.refuse(ag, m, r, filters)
	}
	return nil
}

// readOneRole wants resources that are all allocated to one role.
func readOneRole(given []*mesosv1.Resource) (r resources.Resources, role string, err error) {
	if r, err = resources.New(given); err != nil || r.Empty() {
		return r, "", err
	}
	parts := r.ByAllocation()
	if len(parts) != 1 || parts[0].Resources.Len() != r.Len() {
		return r, "", fmt.Errorf("%s are not allocated to one role", r)
	}
	return r, parts[0].Role, nil
}

// held returns the share of which resources are a part.
func (a *Allocator) held(ag *agent, framework, role string, r resources.Resources) (*share, error) {
	s := ag.share(framework, role)
	if s == nil {
		return nil, fmt.Errorf("framework %s has nothing of agent %s in role %s, and so not %s", framework, ag.id, role, r)
	}
	if !s.has.Contains(r) {
		return nil, fmt.Errorf("framework %s has %s of agent %s in role %s, and not %s", framework, s.has, ag.id, role, r)
	}
	return s, nil
}

// TransitionOfferedToAllocated implements the role.
func (a *Allocator) TransitionOfferedToAllocated(_ context.Context, id *mesosv1.AgentID, given []*mesosv1.Resource) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	ag, err := a.agent(id)
	if err != nil {
		return err
	}
	r, err := resources.New(given)
	if err != nil {
		return err
	}
	var all resources.Resources
	for _, s := range ag.shares {
		all = all.Add(s.has)
	}
	if !all.Contains(ag.used.Add(r)) {
		return fmt.Errorf("%s of agent %s are in use already, or were not offered", r, ag.id)
	}
	a.use(ag, r)
	return nil
}

// UpdateAllocation implements the role.
func (a *Allocator) UpdateAllocation(_ context.Context, framework *mesosv1.FrameworkID, id *mesosv1.AgentID,
	offered []*mesosv1.Resource, conversions []*allocation.Conversion) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	ag, err := a.agent(id)
	if err != nil {
		return err
	}
	before, role, err := readOneRole(offered)
	if err != nil {
		return err
	}
	if before.Empty() {
		return errors.New("nothing is offered that operations could change")
	}
	s, err := a.held(ag, framework.GetValue(), role, before)
	if err != nil {
		return err
	}
	after, total := before, ag.total
	for _, m := range conversions {
		c, err := readConversion(m)
		if err != nil {
			return err
		}
		if after, err = after.Convert(c.consumed, c.converted); err != nil {
			return fmt.Errorf("what framework %s was offered: %w", framework.GetValue(), err)
		}
		if c.consumed.Empty() {
			continue // one more user of what is shared, and not more of it
		}
		if total, err = total.Convert(c.consumed.Unallocate(), c.converted.Unallocate()); err != nil {
			return fmt.Errorf("total resources of agent %s: %w", ag.id, err)
		}
	}
	for r := range after.All() {
		if now, _ := r.AllocationRole(); now != role {
			return fmt.Errorf("%s was allocated to role %s before the operations", r, role)
		}
	}
	a.setTotal(ag, total)
	a.exchange(ag, s, before, after)
	a.trim(ag, role)
	return nil
}

type conversion struct{ consumed, converted resources.Resources }

func readConversion(m *allocation.Conversion) (c conversion, err error) {
	if c.consumed, err = resources.New(m.GetConsumed()); err != nil {
		return c, err
	}
	c.converted, err = resources.New(m.GetConverted())
	return c, err
}

// UpdateAvailable implements the role.
func (a *Allocator) UpdateAvailable(_ context.Context, id *mesosv1.AgentID, operations []*mesosv1.Offer_Operation) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	ag, err := a.agent(id)
	if err != nil {
		return err
	}
	free, total := ag.free, ag.total
	for _, op := range operations {
		changes, err := conversionsOf(op)
		if err != nil {
			return fmt.Errorf("operation %s: %w", op.GetType(), err)
		}
		for _, c := range changes {
			if free, err = free.Convert(c.consumed, c.converted); err != nil {
				return fmt.Errorf("free resources of agent %s: %w", ag.id, err)
			}
			if total, err = total.Convert(c.consumed, c.converted); err != nil {
				return fmt.Errorf("total resources of agent %s: %w", ag.id, err)
			}
		}
	}
	a.setTotal(ag, total)
	return nil
}

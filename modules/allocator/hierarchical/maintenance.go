package hierarchical

import (
	"context"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	v1allocator "github.com/mesos-modules/mms/facade/mesos/v1/allocator"
)

// maintenance is when an agent will be away, and what frameworks say to that.
type maintenance struct {
	unavailability *mesosv1.Unavailability
	outstanding    map[string]bool // frameworks that were asked and have not answered
	statuses       map[string]*v1allocator.InverseOfferStatus
}

func newMaintenance(u *mesosv1.Unavailability) *maintenance {
	return &maintenance{unavailability: u, outstanding: map[string]bool{}, statuses: map[string]*v1allocator.InverseOfferStatus{}}
}

// ask asks frameworks for what they have of agents that will be away: of each agent once,
// and for the machine as a whole, so that no resources are named.
func (r *run) ask() {
	asked := map[string][]*allocation.InverseShare{}
	for _, ag := range r.candidates {
		if ag.maintenance == nil {
			continue
		}
		for _, s := range ag.shares {
			f := r.a.frameworks[s.framework]
			if f == nil || !f.active || ag.maintenance.outstanding[f.id] || r.now <= f.noInverse[ag.id] && f.noInverse[ag.id] > 0 {
				continue
			}
			ag.maintenance.outstanding[f.id] = true
			asked[f.id] = append(asked[f.id], &allocation.InverseShare{
				FrameworkId:    &mesosv1.FrameworkID{Value: proto.String(f.id)},
				AgentId:        &mesosv1.AgentID{Value: proto.String(ag.id)},
				Unavailability: proto.CloneOf(ag.maintenance.unavailability),
			})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(asked)) {
		r.a.inverse.give(asked[id])
	}
}

// UpdateUnavailability implements the role.
func (a *Allocator) UpdateUnavailability(_ context.Context, id *mesosv1.AgentID, unavailability *mesosv1.Unavailability) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	ag, err := a.agent(id)
	if err != nil {
		return err
	}
	for _, f := range a.frameworks { // all are to think again
		delete(f.noInverse, ag.id)
	}
	ag.maintenance = nil
	if unavailability != nil {
		ag.maintenance = newMaintenance(unavailability)
	}
	a.want(ag)
	return nil
}

// UpdateInverseOffer implements the role. An answer that nobody waits for is ignored, but
// for its filters.
func (a *Allocator) UpdateInverseOffer(_ context.Context, id *mesosv1.AgentID, framework *mesosv1.FrameworkID,
	_ []*mesosv1.Resource, _ *mesosv1.Unavailability, status *v1allocator.InverseOfferStatus, filters *mesosv1.Filters) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	ag, err := a.agent(id)
	if err != nil {
		return err
	}
	f, err := a.framework(framework)
	if err != nil {
		return err
	}
	if m := ag.maintenance; m != nil && m.outstanding[f.id] {
		delete(m.outstanding, f.id)
		if status != nil {
			m.statuses[f.id] = status
		}
	}
	if filters != nil {
		if span := refusalOf(filters); span > 0 {
			f.noInverse[ag.id] = max(f.noInverse[ag.id], a.now()+span)
		}
	}
	return nil
}

// InverseOfferStatuses implements the role.
func (a *Allocator) InverseOfferStatuses(context.Context) ([]*allocation.InverseOfferStatuses, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []*allocation.InverseOfferStatuses
	for _, ag := range a.agents {
		if ag.maintenance == nil {
			continue
		}
		one := &allocation.InverseOfferStatuses{AgentId: &mesosv1.AgentID{Value: proto.String(ag.id)}}
		for _, id := range slices.Sorted(maps.Keys(ag.maintenance.statuses)) {
			one.Statuses = append(one.Statuses, proto.CloneOf(ag.maintenance.statuses[id]))
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(x, y *allocation.InverseOfferStatuses) int {
		return strings.Compare(x.GetAgentId().GetValue(), y.GetAgentId().GetValue())
	})
	return all, nil
}

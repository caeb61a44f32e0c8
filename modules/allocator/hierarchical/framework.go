package hierarchical

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/resources"
)

// framework is what is known of one framework.
type framework struct {
	id        string
	active    bool
	members   map[string]*member // by role
	noInverse map[string]time.Duration

	offers []int32 // of the run under way
}

// capability is a set of what frameworks can do.
type capability uint8

const (
	multiRole capability = 1 << iota
	gpus
	regionAware
)

// sorted are a framework's memberships in the order of the roles.
func (f *framework) sorted() []*member {
	all := make([]*member, 0, len(f.members))
	for _, name := range slices.Sorted(maps.Keys(f.members)) {
		all = append(all, f.members[name])
	}
	return all
}

// subscription is what AddFramework and UpdateFramework say, read.
type subscription struct {
	capabilities capability
	strips       special
	roles        []string
	suppressed   map[string]bool
	minimum      map[string][]resources.Quantities
	constraints  map[string]*constraints
}

func readSubscription(info *mesosv1.FrameworkInfo, suppressed []string, given *scheduler.OfferConstraints) (subscription, error) {
	s := subscription{strips: shared | revocable | refined, suppressed: map[string]bool{}, minimum: map[string][]resources.Quantities{}}
	for _, c := range info.GetCapabilities() {
		switch c.GetType() {
		case mesosv1.FrameworkInfo_Capability_MULTI_ROLE:
			s.capabilities |= multiRole
		case mesosv1.FrameworkInfo_Capability_GPU_RESOURCES:
			s.capabilities |= gpus
		case mesosv1.FrameworkInfo_Capability_REGION_AWARE:
			s.capabilities |= regionAware
		case mesosv1.FrameworkInfo_Capability_SHARED_RESOURCES:
			s.strips &^= shared
		case mesosv1.FrameworkInfo_Capability_REVOCABLE_RESOURCES:
			s.strips &^= revocable
		case mesosv1.FrameworkInfo_Capability_RESERVATION_REFINEMENT:
			s.strips &^= refined
		default: // the others do not concern offers
		}
	}
	s.roles = slices.Clone(info.GetRoles())
	if s.capabilities&multiRole == 0 && len(s.roles) == 0 {
		s.roles = []string{info.GetRole()}
	}
	slices.Sort(s.roles)
	s.roles = slices.Compact(s.roles)
	for _, role := range s.roles {
		if err := resources.ValidateRole(role); err != nil {
			return s, err
		}
	}
	for _, role := range suppressed {
		s.suppressed[role] = true
	}
	for _, role := range slices.Sorted(maps.Keys(info.GetOfferFilters())) {
		filter := info.GetOfferFilters()[role]
		if filter.GetMinAllocatableResources() == nil {
			continue
		}
		minimum, err := readMinimum(filter.GetMinAllocatableResources().GetQuantities())
		if err != nil {
			return s, fmt.Errorf("offer filters of role %s: %w", role, err)
		}
		s.minimum[role] = minimum
	}
	var err error
	s.constraints, err = readConstraints(given)
	return s, err
}

// subscribe makes a framework's memberships what the subscription says, and tells
// whether it may now get what it did not get before.
func (a *Allocator) subscribe(f *framework, s subscription) (more bool) {
	for _, m := range f.sorted() {
		if m.subscribed && !slices.Contains(s.roles, m.role.name) {
			m.subscribed, m.suppressed, m.constraints = false, false, nil
			m.minimum, m.ownMinimum = nil, false
			a.serve(m)
			a.dropFilters(m)
			a.leave(m)
		}
	}
	for _, name := range s.roles {
		m := a.member(f, name)
		revived := m.subscribed && m.suppressed && !s.suppressed[name]
		if revived {
			a.dropFilters(m)
			clear(f.noInverse)
		}
		more = more || revived || !m.subscribed || m.constraints != s.constraints[name]
		m.subscribed, m.suppressed, m.constraints = true, s.suppressed[name], s.constraints[name]
		m.capabilities, m.strips = s.capabilities, s.strips
		m.minimum, m.ownMinimum = s.minimum[name], false
		if _, own := s.minimum[name]; own {
			m.ownMinimum = true
		}
		a.serve(m)
	}
	return more && f.active
}

// AddFramework implements the role. What it uses counts as the agents have it; of what
// no agent knows, it is added to those that are there.
func (a *Allocator) AddFramework(_ context.Context, info *mesosv1.FrameworkInfo, used []*allocation.Share, active bool,
	suppressedRoles []string, given *scheduler.OfferConstraints) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begun(); err != nil {
		return err
	}
	id := info.GetId().GetValue()
	if id == "" {
		return fmt.Errorf("framework %q has no id", info.GetName())
	}
	if a.frameworks[id] != nil {
		return fmt.Errorf("framework %s is there already", id)
	}
	s, err := readSubscription(info, suppressedRoles, given)
	if err != nil {
		return fmt.Errorf("framework %s: %w", id, err)
	}
	parts, err := readShares(used)
	if err != nil {
		return fmt.Errorf("framework %s: %w", id, err)
	}
	f := &framework{id: id, active: active, members: map[string]*member{}, noInverse: map[string]time.Duration{}}
	a.frameworks[id] = f
	a.subscribe(f, s)
	a.adopt(f)
	for _, p := range parts {
		ag := a.agentsByID[p.agent]
		if ag == nil || ag.share(id, p.role) != nil {
			continue // comes, or has come, with the agent
		}
		a.take(ag, id, p.role, p.resources)
		a.use(ag, p.resources)
	}
	if active {
		a.wantAll()
	}
	return nil
}

// adopt makes the shares that agents came with known to the sorters.
func (a *Allocator) adopt(f *framework) {
	if a.strangers[f.id] == 0 {
		return
	}
	delete(a.strangers, f.id)
	for _, ag := range a.agents {
		for _, s := range ag.shares {
			if s.framework != f.id {
				continue
			}
			has := s.has
			s.has = resources.Resources{} // not counted against itself
			own, ofRole, _ := ag.count(s, has)
			s.has = has
			s.member = a.member(f, s.role.name)
			s.member.shares++
			a.charge(s.member, own, ofRole)
		}
	}
}

// part is resources of one agent and role, with a framework.
type part struct {
	agent, framework, role string
	resources              resources.Resources
}

func readShares(all []*allocation.Share) ([]part, error) {
	var parts []part
	for _, s := range all {
		r, err := resources.New(s.GetResources())
		if err != nil {
			return nil, fmt.Errorf("resources in use on agent %s: %w", s.GetAgentId().GetValue(), err)
		}
		sum := 0
		for _, p := range r.ByAllocation() {
			parts = append(parts, part{s.GetAgentId().GetValue(), s.GetFrameworkId().GetValue(), p.Role, p.Resources})
			sum += p.Resources.Len()
		}
		if sum != r.Len() {
			return nil, fmt.Errorf("of the resources in use on agent %s, some are not allocated to a role: %s", s.GetAgentId().GetValue(), r)
		}
	}
	return parts, nil
}

// RemoveFramework implements the role.
func (a *Allocator) RemoveFramework(_ context.Context, id *mesosv1.FrameworkID) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, err := a.framework(id)
	if err != nil {
		return err
	}
	for _, ag := range a.agents {
		if m := ag.maintenance; m != nil {
			delete(m.outstanding, f.id)
			delete(m.statuses, f.id)
		}
		for _, s := range ag.shares {
			if s.framework == f.id {
				a.disown(ag, s)
			}
		}
	}
	for _, m := range f.sorted() {
		m.subscribed = false
		a.serve(m)
		a.leave(m)
	}
	delete(a.frameworks, f.id)
	return nil
}

// disown makes a share that of a framework that is not there.
func (a *Allocator) disown(ag *agent, s *share) {
	has := s.has
	s.has = resources.Resources{}
	own, ofRole, _ := ag.count(s, has)
	s.has = has
	a.discharge(s.member, own, ofRole)
	s.member.shares--
	s.member = nil
	a.estrange(s.framework, 1)
}

// ActivateFramework implements the role.
func (a *Allocator) ActivateFramework(_ context.Context, id *mesosv1.FrameworkID) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, err := a.framework(id)
	if err != nil {
		return err
	}
	f.active = true
	for _, m := range f.members {
		a.serve(m)
	}
	a.wantAll()
	return nil
}

// DeactivateFramework implements the role. Its filters go: it may come back as another.
func (a *Allocator) DeactivateFramework(_ context.Context, id *mesosv1.FrameworkID) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, err := a.framework(id)
	if err != nil {
		return err
	}
	f.active = false
	for _, m := range f.members {
		a.serve(m)
		a.dropFilters(m)
	}
	clear(f.noInverse)
	return nil
}

// UpdateFramework implements the role. Roles that are not suppressed any more are
// revived.
func (a *Allocator) UpdateFramework(_ context.Context, info *mesosv1.FrameworkInfo, suppressedRoles []string,
	given *scheduler.OfferConstraints) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, err := a.framework(info.GetId())
	if err != nil {
		return err
	}
	s, err := readSubscription(info, suppressedRoles, given)
	if err != nil {
		return fmt.Errorf("framework %s: %w", f.id, err)
	}
	if a.subscribe(f, s) {
		a.wantAll()
	}
	return nil
}

// SuppressOffers implements the role.
func (a *Allocator) SuppressOffers(_ context.Context, id *mesosv1.FrameworkID, roles []string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	members, err := a.subscribed(id, roles)
	if err != nil {
		return err
	}
	for _, m := range members {
		m.suppressed = true
		a.serve(m)
	}
	return nil
}

// ReviveOffers implements the role.
func (a *Allocator) ReviveOffers(_ context.Context, id *mesosv1.FrameworkID, roles []string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	members, err := a.subscribed(id, roles)
	if err != nil {
		return err
	}
	clear(a.frameworks[id.GetValue()].noInverse)
	for _, m := range members {
		a.dropFilters(m)
		m.suppressed = false
		a.serve(m)
	}
	a.wantAll()
	return nil
}

// subscribed are a framework's memberships in some of its roles; without roles in all.
func (a *Allocator) subscribed(id *mesosv1.FrameworkID, roles []string) ([]*member, error) {
	f, err := a.framework(id)
	if err != nil {
		return nil, err
	}
	if len(roles) == 0 {
		return slices.DeleteFunc(f.sorted(), func(m *member) bool { return !m.subscribed }), nil
	}
	members := make([]*member, 0, len(roles))
	for _, role := range roles {
		m := f.members[role]
		if m == nil || !m.subscribed {
			return nil, fmt.Errorf("framework %s has not subscribed to role %s", f.id, role)
		}
		members = append(members, m)
	}
	return members, nil
}

// framework returns a framework that was added.
func (a *Allocator) framework(id *mesosv1.FrameworkID) (*framework, error) {
	if err := a.begun(); err != nil {
		return nil, err
	}
	f := a.frameworks[id.GetValue()]
	if f == nil {
		return nil, fmt.Errorf("framework %s is not known: it was not added, or has been removed", id.GetValue())
	}
	return f, nil
}

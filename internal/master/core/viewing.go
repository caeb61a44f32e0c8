package core

import (
	"maps"
	"slices"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// View takes the state as it is now.
func (c *Core) View() *View {
	v := &View{
		Taken: c.now, Started: c.config.Started, Elected: c.elected,
		Info: c.config.Info, Leader: c.leader, Recovering: c.phase == recovering,
		Roles: c.roleViews(),
	}
	v.Frameworks = make([]*FrameworkView, 0, c.frameworks.len())
	for f := range c.frameworks.values() {
		v.Frameworks = append(v.Frameworks, f.view())
	}
	for f := range c.completed.values() {
		v.Completed = append(v.Completed, f.view())
	}
	v.Agents = make([]*AgentView, 0, c.agents.len())
	for a := range c.agents.values() {
		v.Agents = append(v.Agents, a.view())
	}
	for r := range c.recovered.values() {
		v.Recovered = append(v.Recovered, r.info)
	}
	for id := range c.unreachable.keys() {
		since, _ := c.unreachable.get(id)
		v.Unreachable = append(v.Unreachable, &UnreachableAgent{ID: &mesosv1.AgentID{Value: &id}, Since: since})
	}
	for id := range c.gone.keys() {
		v.Gone = append(v.Gone, &mesosv1.AgentID{Value: &id})
	}
	return v
}

func (f *framework) view() *FrameworkView {
	v := &FrameworkView{
		Info: f.info, Active: f.active, Connected: f.connected(), Recovered: f.recovered,
		Registered: f.registered, Reregistered: f.reregistered, Unregistered: f.unregistered,
		Suppressed: f.suppressedRoles(), Constraints: f.constraints,
		Unreachable: f.unreachable.snapshot(), Completed: slices.Clone(f.done.tasks),
		Used: f.used, Offered: f.offered,
	}
	for p := range f.pending.values() {
		v.Pending = append(v.Pending, p.info)
	}
	if n := f.tasks.len(); n > 0 {
		v.Tasks = make([]*mesosv1.Task, 0, n)
	}
	for t := range f.tasks.values() {
		v.Tasks = append(v.Tasks, t.info)
	}
	for e := range f.executors.values() {
		v.Executors = append(v.Executors, ExecutorView{Agent: e.agent.info.GetId(), Info: e.info})
	}
	for o := range f.offers.values() {
		v.Offers = append(v.Offers, o.info)
	}
	for o := range f.inverse.values() {
		v.InverseOffers = append(v.InverseOffers, o.info)
	}
	return v
}

func (a *agent) view() *AgentView {
	return &AgentView{
		Info: a.info, PID: a.pid, Version: a.version, Capabilities: a.capabilities,
		Active: a.active, Connected: a.connected, Deactivated: a.deactivated,
		Registered: a.registered, Reregistered: a.reregistered,
		Total: a.total, Used: a.used, Offered: a.offered, Providers: a.providers,
	}
}

// roleViews are the known roles with what frameworks have in them. A role knows what
// is below it.
func (c *Core) roleViews() []*RoleView {
	roles := make(map[string]*RoleView)
	know := func(name string) *RoleView {
		r, ok := roles[name]
		if !ok {
			r = &RoleView{Name: name, Weight: 1}
			if w, ok := c.weights.get(name); ok {
				r.Weight = w
			}
			r.Quota, _ = c.quotas.get(name)
			roles[name] = r
		}
		return r
	}
	for name, members := range c.audience {
		r := know(name)
		for f := range members.values() {
			r.Frameworks = append(r.Frameworks, f.info.GetId())
		}
	}
	for name := range c.weights.keys() {
		know(name)
	}
	for name := range c.quotas.keys() {
		know(name)
	}
	for f := range c.frameworks.values() {
		for _, part := range f.used.ByAllocation() {
			r := know(part.Role)
			r.Allocated = r.Allocated.Add(part.Resources)
			if !slices.Contains(f.roles, part.Role) { // left, but for what runs there
				r.Frameworks = append(r.Frameworks, f.info.GetId())
			}
		}
		for _, part := range f.offered.ByAllocation() {
			r := know(part.Role)
			r.Offered = r.Offered.Add(part.Resources)
		}
	}
	for a := range c.agents.values() {
		for _, part := range a.base.ByReservation() {
			r := know(part.Role)
			r.Reserved = r.Reserved.Add(part.Resources)
		}
	}
	return withAncestors(roles, know)
}

// withAncestors adds what each role has to all above it.
func withAncestors(roles map[string]*RoleView, know func(string) *RoleView) []*RoleView {
	type sums struct{ allocated, offered, reserved resources.Resources }
	own := make(map[string]sums, len(roles))
	names := slices.Sorted(maps.Keys(roles))
	for _, name := range names {
		r := roles[name]
		own[name] = sums{r.Allocated, r.Offered, r.Reserved}
	}
	for _, name := range names {
		for at := strings.LastIndexByte(name, '/'); at > 0; at = strings.LastIndexByte(name[:at], '/') {
			r := know(name[:at])
			r.Allocated = r.Allocated.Add(own[name].allocated)
			r.Offered = r.Offered.Add(own[name].offered)
			r.Reserved = r.Reserved.Add(own[name].reserved)
		}
	}
	all := make([]*RoleView, 0, len(roles))
	for _, name := range slices.Sorted(maps.Keys(roles)) {
		all = append(all, roles[name])
	}
	return all
}

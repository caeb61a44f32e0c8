package hierarchical

import (
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/resources"
)

// step is one call, or some time, at random.
func (w *world) step() {
	all := []struct {
		name string
		do   func() string
	}{
		{"add framework", w.addFramework}, {"add agent", w.addAgent}, {"recover", w.recover}, {"recover", w.recover}, {"recover", w.recover},
		{"remove framework", w.removeFramework}, {"remove agent", w.removeAgent}, {"update framework", w.updateFramework},
		{"activity", w.activity}, {"suppress or revive", w.suppressOrRevive}, {"update agent", w.updateAgent}, {"quota", w.setQuota},
		{"weight", w.setWeight}, {"time", w.passTime}, {"time", w.passTime}, {"transition", w.transition}, {"mistake", w.mistake},
		{"reserve", w.reserve}, {"add provider", w.addProvider},
	}
	one := all[w.rng.IntN(len(all))]
	w.steps = append(w.steps, one.name)
	w.steps[len(w.steps)-1] += " " + one.do()
}

func (w *world) addFramework() string {
	id := fmt.Sprintf("f%d", w.rng.IntN(6))
	if w.frameworks[id] != nil {
		return "that is there"
	}
	roles, suppressed := w.subscription()
	w.frameworks[id] = &player{active: w.rng.IntN(5) > 0}
	w.frameworks[id].subscribe(roles, suppressed)
	w.must(w.a.AddFramework(w.t.Context(), infoOf(id, roles), nil, w.frameworks[id].active, suppressed, nil))
	return fmt.Sprint(id, roles, suppressed)
}

func (w *world) removeFramework() string {
	id := pick(w, w.frameworks)
	if id == "" || w.rng.IntN(3) > 0 {
		return ""
	}
	w.must(w.a.RemoveFramework(w.t.Context(), &mesosv1.FrameworkID{Value: &id}))
	delete(w.frameworks, id)
	w.forget(func(h holding) bool { return h.framework == id })
	return id
}

func (w *world) updateFramework() string {
	id := pick(w, w.frameworks)
	if id == "" {
		return ""
	}
	f := w.frameworks[id]
	roles, suppressed := w.subscription()
	before := *f
	f.subscribe(roles, suppressed)
	w.forget(func(h holding) bool {
		gone := !slices.Contains(roles, h.role)
		revived := slices.Contains(before.roles, h.role) && before.suppressed[h.role] && !f.suppressed[h.role]
		return h.framework == id && (gone || revived)
	})
	w.must(w.a.UpdateFramework(w.t.Context(), infoOf(id, roles), suppressed, nil))
	return fmt.Sprint(id, roles, suppressed)
}

func (w *world) activity() string {
	if id := pick(w, w.agents); id != "" && w.rng.IntN(2) == 0 {
		at := w.agents[id]
		at.active = !at.active
		if at.active {
			w.must(w.a.ActivateSlave(w.t.Context(), &mesosv1.AgentID{Value: &id}))
		} else {
			w.must(w.a.DeactivateSlave(w.t.Context(), &mesosv1.AgentID{Value: &id}))
		}
		return id
	}
	id := pick(w, w.frameworks)
	if id == "" {
		return ""
	}
	f := w.frameworks[id]
	f.active = !f.active
	if f.active {
		w.must(w.a.ActivateFramework(w.t.Context(), &mesosv1.FrameworkID{Value: &id}))
	} else {
		w.must(w.a.DeactivateFramework(w.t.Context(), &mesosv1.FrameworkID{Value: &id}))
		w.forget(func(h holding) bool { return h.framework == id })
	}
	return id
}

func (w *world) suppressOrRevive() string {
	id := pick(w, w.frameworks)
	if id == "" || len(w.frameworks[id].roles) == 0 {
		return ""
	}
	f := w.frameworks[id]
	role := f.roles[w.rng.IntN(len(f.roles))]
	if w.rng.IntN(2) == 0 {
		f.suppressed[role] = true
		w.must(w.a.SuppressOffers(w.t.Context(), &mesosv1.FrameworkID{Value: &id}, []string{role}))
		return "suppress " + id + " " + role
	}
	delete(f.suppressed, role)
	w.forget(func(h holding) bool { return h.framework == id && h.role == role })
	w.must(w.a.ReviveOffers(w.t.Context(), &mesosv1.FrameworkID{Value: &id}, []string{role}))
	return "revive " + id + " " + role
}

func (w *world) addAgent() string {
	id := fmt.Sprintf("s%d", w.rng.IntN(8))
	if w.agents[id] != nil {
		return "that is there"
	}
	total := parsed(w.t, w.text(9))
	at := &place{total: total, active: true}
	w.agents[id] = at
	var used []*allocation.Share
	if w.rng.IntN(2) == 0 { // by frameworks that are there, or not
		h := holding{fmt.Sprintf("f%d", w.rng.IntN(6)), w.role(), id}
		r := total.AllocatableTo(h.role).Shrink(parsed(w.t, "cpus:2;mem:2").Quantities()).Allocate(h.role)
		if !r.Empty() {
			w.out[h] = r
			used = append(used, &allocation.Share{FrameworkId: &mesosv1.FrameworkID{Value: &h.framework},
				AgentId: &mesosv1.AgentID{Value: &id}, Resources: r.Messages()})
		}
	}
	w.must(w.a.AddSlave(w.t.Context(), &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: &id}, Hostname: &id}, modern, nil, total.Messages(), used))
	return fmt.Sprint(id, " ", total)
}

func (w *world) removeAgent() string {
	id := pick(w, w.agents)
	if id == "" || w.rng.IntN(2) > 0 {
		return ""
	}
	w.must(w.a.RemoveSlave(w.t.Context(), &mesosv1.AgentID{Value: &id}))
	delete(w.agents, id)
	w.forget(func(h holding) bool { return h.agent == id })
	for _, h := range w.holdings() {
		if h.agent == id {
			delete(w.out, h)
		}
	}
	return id
}

func (w *world) updateAgent() string {
	id := pick(w, w.agents)
	if id == "" {
		return ""
	}
	total := parsed(w.t, w.text(9)) // may be less than what is out
	w.agents[id].total = total
	w.must(w.a.UpdateSlave(w.t.Context(), &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: &id}, Hostname: &id}, modern, total.Messages()))
	return fmt.Sprint(id, " ", total)
}

func (w *world) setQuota() string {
	role := []string{"*", "a", "d"}[w.rng.IntN(3)]
	q := &quota.QuotaConfig{Role: &role}
	if w.rng.IntN(2) == 0 {
		q.Guarantees = parsed(w.t, fmt.Sprintf("cpus:%d", w.rng.IntN(20))).Quantities().Message()
	}
	if w.rng.IntN(2) == 0 {
		q.Limits = map[string]*mesosv1.Value_Scalar{"mem": {Value: proto.Float64(float64(w.rng.IntN(30)))}}
	}
	limits, err := resources.NewLimits(q.GetLimits())
	w.must(err)
	w.limits[role] = limits
	text := q.String()
	w.must(w.a.UpdateQuota(w.t.Context(), q))
	return text
}

func (w *world) setWeight() string {
	role, weight := w.role(), float64(1+w.rng.IntN(3))
	w.must(w.a.UpdateWeights(w.t.Context(), []*mesosv1.WeightInfo{{Role: &role, Weight: &weight}}))
	return fmt.Sprint(role, weight)
}

func (w *world) passTime() string {
	d := time.Duration(w.rng.IntN(3000)) * time.Millisecond
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
	return d.String()
}

// recover gives back some of what is out, of a framework that may be gone.
func (w *world) recover() string {
	if len(w.out) == 0 {
		return ""
	}
	h := w.holdings()[w.rng.IntN(len(w.out))]
	r := w.out[h]
	if w.rng.IntN(2) == 0 {
		if part := r.Shrink(parsed(w.t, "cpus:1;mem:2").Quantities()); !part.Empty() {
			r = part
		}
	}
	var filters *mesosv1.Filters
	if w.rng.IntN(2) == 0 {
		filters = &mesosv1.Filters{RefuseSeconds: proto.Float64(float64(w.rng.IntN(4)))}
		f := w.frameworks[h.framework]
		if span := time.Duration(filters.GetRefuseSeconds()) * time.Second; span > 0 && f != nil && slices.Contains(f.roles, h.role) {
			w.refused[h] = append(w.refused[h], refusedOf{r.Unallocate(), time.Now().Add(span)})
		}
	}
	if w.out[h] = w.out[h].Sub(r); w.out[h].Empty() {
		delete(w.out, h)
	}
	w.must(w.a.RecoverResources(w.t.Context(), &mesosv1.FrameworkID{Value: &h.framework}, &mesosv1.AgentID{Value: &h.agent}, r.Messages(), filters, w.rng.IntN(2) == 0))
	return fmt.Sprint(h, " ", r, filters)
}

// transition is refused for what is in use already.
func (w *world) transition() string {
	if len(w.out) == 0 {
		return ""
	}
	h := w.holdings()[w.rng.IntN(len(w.out))]
	err := w.a.TransitionOfferedToAllocated(w.t.Context(), &mesosv1.AgentID{Value: &h.agent}, w.out[h].Messages())
	return fmt.Sprint(h, err)
}

// reserve makes a reservation out of what a framework has, if the agent still has it.
func (w *world) reserve() string {
	if len(w.out) == 0 {
		return ""
	}
	h := w.holdings()[w.rng.IntN(len(w.out))]
	before := w.out[h]
	plain := before.Unreserved().Shrink(parsed(w.t, "cpus:1;mem:1").Quantities())
	if plain.Empty() || h.role == "*" {
		return ""
	}
	dynamic := mesosv1.Resource_ReservationInfo_DYNAMIC
	converted, err := plain.PushReservation(&mesosv1.Resource_ReservationInfo{Type: &dynamic, Role: &h.role})
	w.must(err)
	at := w.agents[h.agent]
	total, gone := at.total.Convert(plain.Unallocate(), converted.Unallocate())
	err = w.a.UpdateAllocation(w.t.Context(), &mesosv1.FrameworkID{Value: &h.framework}, &mesosv1.AgentID{Value: &h.agent}, before.Messages(),
		[]*allocation.Conversion{{Consumed: plain.Messages(), Converted: converted.Messages()}})
	if (err == nil) != (gone == nil) {
		w.fail("reserve %s of %s: %v, and %v", plain, at.total, err, gone)
	}
	if err == nil {
		at.total, w.out[h] = total, before.Sub(plain).Add(converted)
	}
	return fmt.Sprint(h, " ", plain, err)
}

func (w *world) addProvider() string {
	id := pick(w, w.agents)
	if id == "" || w.rng.IntN(3) > 0 {
		return ""
	}
	more := parsed(w.t, w.text(3))
	w.agents[id].total = w.agents[id].total.Add(more)
	w.must(w.a.AddResourceProvider(w.t.Context(), &mesosv1.AgentID{Value: &id}, more.Messages(), nil))
	return fmt.Sprint(id, " ", more)
}

// mistake is a call that is refused, and changes nothing.
func (w *world) mistake() string {
	ctx := w.t.Context()
	nobody, nowhere := &mesosv1.FrameworkID{Value: proto.String("nobody")}, &mesosv1.AgentID{Value: proto.String("nowhere")}
	bad := []*mesosv1.Resource{{Name: proto.String("cpus")}}
	much := func(role string) []*mesosv1.Resource { return parsed(w.t, "cpus:1000").Allocate(role).Messages() }
	id := pick(w, w.agents)
	for name, err := range map[string]error{
		"unknown framework": w.a.RemoveFramework(ctx, nobody),
		"unknown agent":     w.a.RemoveSlave(ctx, nowhere),
		"bad resources": w.a.AddSlave(ctx, &mesosv1.AgentInfo{Id: nowhere}, nil, nil, bad,
			nil),
		"no role": w.a.AddSlave(ctx, &mesosv1.AgentInfo{Id: nowhere}, nil, nil, nil,
			[]*allocation.Share{{FrameworkId: nobody, AgentId: nowhere, Resources: parsed(w.t, "cpus:1").Messages()}}),
		"bad role":       w.a.AddFramework(ctx, infoOf("nobody", []string{"a//b"}), nil, true, nil, nil),
		"bad weight":     w.a.UpdateWeights(ctx, []*mesosv1.WeightInfo{{Role: proto.String("a"), Weight: proto.Float64(0)}}),
		"bad quota":      w.a.UpdateQuota(ctx, &quota.QuotaConfig{Role: proto.String("a"), Limits: map[string]*mesosv1.Value_Scalar{"x": {Value: proto.Float64(-1)}}}),
		"suppress other": w.a.SuppressOffers(ctx, nobody, nil),
	} {
		if err == nil {
			w.fail("%s is no error", name)
		}
	}
	if id == "" {
		return ""
	}
	for name, err := range map[string]error{
		"not held":  w.a.RecoverResources(ctx, nobody, &mesosv1.AgentID{Value: &id}, much("a"), nil, false),
		"not free":  w.a.UpdateAvailable(ctx, &mesosv1.AgentID{Value: &id}, []*mesosv1.Offer_Operation{{Type: mesosv1.Offer_Operation_LAUNCH.Enum()}}),
		"not there": w.a.TransitionOfferedToAllocated(ctx, &mesosv1.AgentID{Value: &id}, much("a")),
		"two roles": w.a.RecoverResources(ctx, nobody, &mesosv1.AgentID{Value: &id}, append(much("a"), much("d")...), nil, false),
		"again":     w.a.AddSlave(ctx, &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: &id}}, nil, nil, nil, nil),
		"no offer":  w.a.UpdateAllocation(ctx, nobody, &mesosv1.AgentID{Value: &id}, much("a"), nil),
	} {
		if err == nil {
			w.fail("%s is no error", name)
		}
	}
	return ""
}

// compare works out all sums anew.
func (w *world) compare() {
	w.t.Helper()
	a := w.a
	a.mu.Lock()
	defer a.mu.Unlock()
	var all, total resources.Quantities
	held, reserved, own := map[string]resources.Quantities{}, map[string]resources.Quantities{}, map[string]resources.Quantities{}
	count := 0
	for _, ag := range a.agents {
		at := w.agents[ag.id]
		if at == nil || !ag.total.Equal(at.total) || ag.active != at.active {
			w.fail("agent %s: books %s, true %v", ag.id, ag.total, at)
		}
		taken := w.taken(ag.id)
		if !ag.taken.Equal(taken) || !ag.free.Equal(ag.total.Sub(taken)) {
			w.fail("agent %s: of %s taken %s and free %s, true taken %s", ag.id, ag.total, ag.taken, ag.free, taken)
		}
		total = total.Add(ag.total.ScalarQuantities())
		for _, part := range ag.total.ByReservation() {
			for _, role := range above(part.Role) {
				reserved[role] = reserved[role].Add(part.Resources.ScalarQuantities())
			}
		}
		for _, s := range ag.shares {
			count++
			if !s.has.Equal(w.out[holding{s.framework, s.role.name, ag.id}]) {
				w.fail("agent %s: %s has %s", ag.id, s.framework, s.has)
			}
			if f := a.frameworks[s.framework]; (f == nil) != (s.member == nil) || f != nil && s.member != f.members[s.role.name] {
				w.fail("agent %s: a share of %s is not its", ag.id, s.framework)
			}
			for _, role := range above(s.role.name) {
				held[role] = held[role].Add(s.has.Filter(chargeable).ScalarQuantities())
			}
			if s.member != nil {
				own[s.role.name+" "+s.framework] = own[s.role.name+" "+s.framework].Add(s.has.ScalarQuantities())
				own[s.role.name] = own[s.role.name].Add(s.has.ScalarQuantities())
			}
		}
		all = all.Add(taken.ScalarQuantities())
	}
	if a.spare.known {
		var sum resources.Quantities
		for _, ag := range a.agents {
			sum = sum.Add(ag.free.Filter(chargeable).ScalarQuantities())
		}
		if !sum.Equal(a.spare.sum) {
			w.fail("spare %s, true %s", a.spare.sum, sum)
		}
	}
	if count != len(w.out) || len(a.agents) != len(w.agents) || len(a.frameworks) != len(w.frameworks) {
		w.fail("%d shares, %d agents, %d frameworks", count, len(a.agents), len(a.frameworks))
	}
	if !all.Equal(a.allocated) || !total.Equal(a.totals.Sum()) {
		w.fail("allocated %s of %s, true %s of %s", a.allocated, a.totals.Sum(), all, total)
	}
	for name, r := range a.roles {
		if !r.held.Equal(held[name]) || !r.reserved.Equal(reserved[name]) || !r.held.Contains(r.used) {
			w.fail("role %s: held %s reserved %s used %s, true held %s reserved %s", name, r.held, r.reserved, r.used, held[name], reserved[name])
		}
		if r.client != nil && !a.sorter.Has(r.client).Equal(own[name]) {
			w.fail("role %s: the sorter has %s, true %s", name, a.sorter.Has(r.client), own[name])
		}
	}
	for id, f := range a.frameworks {
		for name, m := range f.members {
			if !m.role.frameworks.Has(m.client).Equal(own[name+" "+id]) {
				w.fail("%s in %s: the sorter has %s, true %s", id, name, m.role.frameworks.Has(m.client), own[name+" "+id])
			}
		}
	}
}

// above is a role and all that it is below of.
func above(role string) []string {
	all := []string{role}
	for i, c := range role {
		if c == '/' {
			all = append(all, role[:i])
		}
	}
	return all
}

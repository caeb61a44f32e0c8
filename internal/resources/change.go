package resources

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Allocate marks all resources as allocated to role, whoever had them before.
func (r Resources) Allocate(role string) Resources { return r.assign(role, true) }

// Unallocate takes the marks of Allocate away.
func (r Resources) Unallocate() Resources { return r.assign("", false) }

func (r Resources) assign(role string, allocated bool) Resources {
	is := func(each Resource) bool { return each.allocated == allocated && each.role == role }
	if !slices.ContainsFunc(r.list, func(each Resource) bool { return !is(each) }) {
		return r
	}
	list := slices.Clone(r.list)
	one := true // whether all had one role, so that none become alike
	for i := range list {
		one = one && list[i].role == r.list[0].role && list[i].allocated == r.list[0].allocated
		list[i].role, list[i].allocated = role, allocated
	}
	if one {
		return Resources{list}
	}
	return merged(list)
}

// merged adds up a list that nobody else has.
func merged(list []Resource) Resources {
	sum := list[:0]
	for _, each := range list {
		sum = put(sum, &each, len(sum))
	}
	return Resources{sum}
}

// ToUnreserved takes all reservations away.
func (r Resources) ToUnreserved() Resources {
	if !slices.ContainsFunc(r.list, Resource.IsReserved) {
		return r
	}
	list := slices.Clone(r.list)
	for i := range list {
		if list[i].IsReserved() {
			list[i].id = list[i].id.withReservations(nil)
		}
	}
	return merged(list)
}

// PushReservation reserves all resources once more. The message is copied. It
// is an error if the result is not valid, as when the role is not below the one
// of the last reservation.
func (r Resources) PushReservation(reservation *mesosv1.Resource_ReservationInfo) (Resources, error) {
	list := slices.Clone(r.list)
	for i := range list {
		stack := append(slices.Clone(list[i].id.reservations), proto.CloneOf(reservation))
		if err := validateStack(stack); err != nil {
			return Resources{}, fmt.Errorf("resource %s: %w", list[i], err)
		}
		list[i].id = list[i].id.withReservations(stack)
	}
	return merged(list), nil
}

// PopReservation takes the last reservation of each resource away. It is an
// error if one has none.
func (r Resources) PopReservation() (Resources, error) {
	list := slices.Clone(r.list)
	for i := range list {
		if list[i].IsUnreserved() {
			return Resources{}, fmt.Errorf("resource %s has no reservation to take away", list[i])
		}
		stack := list[i].id.reservations
		list[i].id = list[i].id.withReservations(stack[:len(stack)-1])
	}
	return merged(list), nil
}

// StrippedScalars are the scalars with nothing but their name, added up.
func (r Resources) StrippedScalars() Resources {
	var list []Resource
	for i := range r.list {
		if each := &r.list[i]; each.id.kind == mesosv1.Value_SCALAR {
			id, ok := commonOf(each.id.name, each.id.kind)
			if !ok {
				id = (&identity{name: each.id.name, kind: each.id.kind}).finish()
			}
			list = append(list, Resource{id: id, scalar: each.scalar, count: 1})
		}
	}
	return merged(list)
}

// Shuffled is another order, by a function like that of math/rand/v2: the
// package has no chance of its own.
func (r Resources) Shuffled(shuffle func(n int, swap func(i, j int))) Resources {
	list := slices.Clone(r.list)
	shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return Resources{list}
}

// Shrink keeps at most target of each name, first come first served, and
// nothing of names that target does not have. Disks that cannot be divided stay
// whole, if they fit, or go. Shuffle before, so that no kind is preferred.
func (r Resources) Shrink(target Quantities) Resources {
	var list []Resource
	for _, each := range r.list {
		if each.shrink(target.Get(each.id.name)) {
			target = target.Sub(quantity(each.id.name, each.scalar))
			list = append(list, each)
		}
	}
	return Resources{list}
}

// ShrinkToLimits keeps at most the limit of each name, first come first served,
// and all of names without limit. Disks are treated as Shrink does.
func (r Resources) ShrinkToLimits(limits Limits) Resources {
	var list []Resource
	for _, each := range r.list {
		limit, limited := limits.Get(each.id.name)
		if limited {
			if !each.shrink(limit) {
				continue
			}
			limits = limits.Sub(quantity(each.id.name, each.scalar))
		}
		list = append(list, each)
	}
	return Resources{list}
}

// shrink cuts a scalar down to target and says whether something is left that
// fits. Only scalars can be limited.
func (r *Resource) shrink(target Scalar) bool {
	if r.id.kind != mesosv1.Value_SCALAR || target <= 0 {
		return false
	}
	if r.scalar > target {
		if r.id.whole {
			return false
		}
		r.scalar = target
	}
	return true
}

// Find looks for resources of the amount and kind of targets, whoever they are
// reserved for: first for the role of the target, then unreserved, then
// others. found is false if one target is not there as a whole.
func (r Resources) Find(targets Resources) (sum Resources, found bool) {
	for i := range targets.list {
		one, ok := r.findOne(targets.list[i])
		if !ok {
			return Resources{}, false
		}
		sum = sum.Add(one)
	}
	return sum, true
}

func (r Resources) findOne(target Resource) (found Resources, ok bool) {
	order := []func(Resource) bool{Resource.IsUnreserved, func(Resource) bool { return true }}
	if role := target.ReservationRole(); target.IsReserved() {
		order = slices.Insert(order, 0, func(each Resource) bool {
			return each.IsReserved() && each.ReservationRole() == role
		})
	}
	total, missing := r, Resources{[]Resource{target}}.ToUnreserved()
	for _, eligible := range order {
		for _, each := range total.Filter(eligible).list {
			one := Resources{[]Resource{each}}
			bare := one.ToUnreserved()
			switch {
			case bare.Contains(missing):
				rest := missing.list[0]
				rest.id = rest.id.withReservations(each.id.reservations)
				return found.Add(Resources{[]Resource{rest}}), true
			case missing.Contains(bare):
				found, total, missing = found.Add(one), total.Sub(one), missing.Sub(bare)
			}
		}
	}
	return Resources{}, false
}

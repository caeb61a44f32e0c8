package resources

import (
	"cmp"
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Filter keeps the resources that a predicate holds for, such as
// Resource.IsRevocable, in order.
func (r Resources) Filter(keep func(Resource) bool) Resources {
	first := slices.IndexFunc(r.list, func(each Resource) bool { return !keep(each) })
	if first < 0 {
		return r
	}
	list := slices.Clone(r.list[:first])
	for _, each := range r.list[first+1:] {
		if keep(each) {
			list = append(list, each)
		}
	}
	return Resources{list}
}

// Scalars are the resources of type SCALAR.
func (r Resources) Scalars() Resources { return r.Filter(Resource.IsScalar) }

// Unreserved are the resources without a reservation.
func (r Resources) Unreserved() Resources { return r.Filter(Resource.IsUnreserved) }

// Reserved are the resources with a reservation, whoever it is for.
func (r Resources) Reserved() Resources { return r.Filter(Resource.IsReserved) }

// ReservedTo are the resources whose last reservation is for role.
func (r Resources) ReservedTo(role string) Resources {
	return r.Filter(func(each Resource) bool { return each.IsReserved() && each.ReservationRole() == role })
}

// ReservedBelow are the resources whose last reservation is for role or one
// below it.
func (r Resources) ReservedBelow(role string) Resources {
	return r.Filter(func(each Resource) bool { return each.IsReserved() && inSubtree(each.ReservationRole(), role) })
}

// AllocatedBelow are the resources that are allocated to role or one below it.
func (r Resources) AllocatedBelow(role string) Resources {
	return r.Filter(func(each Resource) bool { return inSubtree(each.role, role) })
}

// AllocatableTo are the resources that may be offered to role.
func (r Resources) AllocatableTo(role string) Resources {
	return r.Filter(func(each Resource) bool { return each.Allocatable(role) })
}

// Revocable are the resources that may be taken back at any time.
func (r Resources) Revocable() Resources { return r.Filter(Resource.IsRevocable) }

// NonRevocable are the other ones.
func (r Resources) NonRevocable() Resources { return r.Filter(Resource.IsNonRevocable) }

// Named are the resources of one name.
func (r Resources) Named(name string) Resources {
	return r.Filter(func(each Resource) bool { return each.id.name == name })
}

// HasLike says whether there is anything that differs from one in its value at
// most: of a shared volume, whether there is a use of it.
func (r Resources) HasLike(one Resource) bool {
	for i := range r.list {
		if alike(&r.list[i], &one) {
			return true
		}
	}
	return false
}

// Names are the names that occur, in the order of the alphabet. The caller owns
// them.
func (r Resources) Names() []string {
	names := make([]string, 0, len(r.list))
	for i := range r.list {
		names = append(names, r.list[i].id.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Scalar is the sum of all scalars of a name; found says whether there is any.
func (r Resources) Scalar(name string) (sum Scalar, found bool) {
	for i := range r.list {
		if each := &r.list[i]; each.id.kind == mesosv1.Value_SCALAR && each.id.name == name {
			sum, found = sum.Add(each.scalar), true
		}
	}
	return sum, found
}

// Ranges are all ranges of a name, coalesced; none is nil. The caller owns them.
func (r Resources) Ranges(name string) []Range {
	var sum []Range
	for i := range r.list {
		if r.list[i].id.name == name {
			sum = unite(sum, r.list[i].ranges)
		}
	}
	return slices.Clone(sum)
}

// Set are all items of a name; none is nil. The caller owns them.
func (r Resources) Set(name string) []string {
	var sum []string
	for i := range r.list {
		if r.list[i].id.name == name {
			sum = uniteSets(sum, r.list[i].set)
		}
	}
	return sum
}

// Part is what Resources have for one role.
type Part struct {
	Role      string
	Resources Resources
}

// ByReservation splits what is reserved by the role of the last reservation, in
// the order of the roles. The caller owns the slice.
func (r Resources) ByReservation() []Part {
	return r.Reserved().split(Resource.ReservationRole)
}

// ByAllocation splits what is allocated by role, in the order of the roles. The
// caller owns the slice.
func (r Resources) ByAllocation() []Part {
	allocated := r.Filter(func(each Resource) bool { return each.allocated })
	return allocated.split(func(each Resource) string { return each.role })
}

func (r Resources) split(role func(Resource) string) []Part {
	var parts []Part
	for _, each := range r.list {
		at, found := slices.BinarySearchFunc(parts, role(each), func(p Part, role string) int {
			return cmp.Compare(p.Role, role)
		})
		if !found {
			parts = slices.Insert(parts, at, Part{Role: role(each)})
		}
		parts[at].Resources.list = append(parts[at].Resources.list, each)
	}
	return parts
}

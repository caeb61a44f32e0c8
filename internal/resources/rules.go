package resources

import mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"

// The rules for two resources. Pointers, because the inner loops of the
// allocator pass here; none of the functions keeps or changes one, but for plus
// and minus, which change the values of their first.

// alike says whether two resources differ in their values only.
func alike(a, b *Resource) bool {
	return (a.id == b.id || a.id.key == b.id.key) && a.allocated == b.allocated && a.role == b.role
}

func sameValue(a, b *Resource) bool {
	return a.scalar == b.scalar && includes(a.ranges, b.ranges) && includes(b.ranges, a.ranges) &&
		len(a.set) == len(b.set) && setIncludes(a.set, b.set)
}

// addable says whether a and b make one resource.
func addable(a, b *Resource) bool {
	if !alike(a, b) {
		return false
	}
	if a.id.shared {
		return sameValue(a, b)
	}
	return !a.id.whole
}

// subtractable says whether taking b from a makes sense; a need not have all
// of b.
func subtractable(a, b *Resource) bool {
	return alike(a, b) && (!a.id.whole || sameValue(a, b))
}

// holds says whether b is part of a.
func holds(a, b *Resource) bool {
	if !subtractable(a, b) {
		return false
	}
	if a.id.shared {
		return a.count >= b.count
	}
	return holdsValue(a, b)
}

// holdsValue wants resources that are alike and not shared.
func holdsValue(a, b *Resource) bool {
	switch a.id.kind {
	case mesosv1.Value_SCALAR:
		return a.scalar >= b.scalar
	case mesosv1.Value_RANGES:
		return includes(a.ranges, b.ranges)
	default: // validated: a set
		return setIncludes(a.set, b.set)
	}
}

// empty says whether nothing, or less, is left.
func (r *Resource) empty() bool {
	if r.id.shared && r.count <= 0 {
		return true
	}
	switch r.id.kind {
	case mesosv1.Value_RANGES:
		return len(r.ranges) == 0
	case mesosv1.Value_SET:
		return len(r.set) == 0
	default: // validated: a scalar
		return r.scalar <= 0
	}
}

// plus wants addable resources.
func (r *Resource) plus(o *Resource) {
	if r.id.shared {
		r.count += o.count
		return
	}
	switch r.id.kind {
	case mesosv1.Value_RANGES:
		r.ranges = unite(r.ranges, o.ranges)
	case mesosv1.Value_SET:
		r.set = uniteSets(r.set, o.set)
	default: // validated: a scalar
		r.scalar = r.scalar.Add(o.scalar)
	}
}

// minus wants subtractable resources.
func (r *Resource) minus(o *Resource) {
	if r.id.shared {
		r.count -= o.count
		return
	}
	switch r.id.kind {
	case mesosv1.Value_RANGES:
		r.ranges = without(r.ranges, o.ranges)
	case mesosv1.Value_SET:
		r.set = setWithout(r.set, o.set)
	default: // validated: a scalar
		r.scalar = r.scalar.Sub(o.scalar)
	}
}

package resources

import (
	"slices"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Resource is one of Resources: a value of one name and all that tells it from
// other values of the name. Its methods may be used as predicates of
// Resources.Filter. The zero Resource is none and not to be asked.
type Resource struct {
	id        *identity
	role      string // of the allocation
	ranges    []Range
	set       []string
	scalar    Scalar
	count     int32 // how many use it, if it is shared
	allocated bool
}

// Name is cpus, mem, and so on.
func (r Resource) Name() string { return r.id.name }

// Type is SCALAR, RANGES or SET.
func (r Resource) Type() mesosv1.Value_Type { return r.id.kind }

// Scalar is the amount; 0 unless the type is SCALAR.
func (r Resource) Scalar() Scalar { return r.scalar }

// Ranges are the numbers, coalesced; none unless the type is RANGES. The caller
// owns them.
func (r Resource) Ranges() []Range { return slices.Clone(r.ranges) }

// Set are the items; none unless the type is SET. The caller owns them.
func (r Resource) Set() []string { return slices.Clone(r.set) }

// IsScalar says whether the type is SCALAR.
func (r Resource) IsScalar() bool { return r.id.kind == mesosv1.Value_SCALAR }

// IsReserved says whether there is any reservation.
func (r Resource) IsReserved() bool { return len(r.id.reservations) > 0 }

// IsUnreserved is the opposite of IsReserved.
func (r Resource) IsUnreserved() bool { return !r.IsReserved() }

// IsDynamicallyReserved says whether the last reservation is a DYNAMIC one.
func (r Resource) IsDynamicallyReserved() bool {
	return r.IsReserved() && r.lastReservation().GetType() == mesosv1.Resource_ReservationInfo_DYNAMIC
}

// IsRefined says whether there are two reservations or more.
func (r Resource) IsRefined() bool { return len(r.id.reservations) > 1 }

// IsPersistentVolume says whether the resource is a volume that outlives tasks.
func (r Resource) IsPersistentVolume() bool { return r.id.volume }

// IsRevocable says whether the resource may be taken back at any time.
func (r Resource) IsRevocable() bool { return r.id.revocable }

// IsNonRevocable is the opposite of IsRevocable.
func (r Resource) IsNonRevocable() bool { return !r.id.revocable }

// IsShared says whether several tasks may use the resource at once.
func (r Resource) IsShared() bool { return r.id.shared }

// IsNonShared is the opposite of IsShared.
func (r Resource) IsNonShared() bool { return !r.id.shared }

// HasProvider says whether the resource comes from a resource provider, not
// from the agent itself.
func (r Resource) HasProvider() bool { return r.id.provider != nil }

// ReservationRole is the role of the last reservation, and "*" without one.
func (r Resource) ReservationRole() string {
	if !r.IsReserved() {
		return AnyRole
	}
	return r.lastReservation().GetRole()
}

func (r Resource) lastReservation() *mesosv1.Resource_ReservationInfo {
	return r.id.reservations[len(r.id.reservations)-1]
}

// AllocationRole is the role that the resource is allocated to, if it is.
func (r Resource) AllocationRole() (role string, allocated bool) { return r.role, r.allocated }

// Allocatable says whether the resource may be offered to a role: it is not
// reserved, or reserved for the role or one above it.
func (r Resource) Allocatable(role string) bool {
	return r.IsUnreserved() || inSubtree(role, r.ReservationRole())
}

// Message is the resource as a message in the shape Post. The caller owns it.
func (r Resource) Message() *mesosv1.Resource {
	m := &mesosv1.Resource{Name: proto.String(r.id.name), Type: r.id.kind.Enum()}
	switch r.id.kind {
	case mesosv1.Value_RANGES:
		m.Ranges = rangesMessage(r.ranges)
	case mesosv1.Value_SET:
		m.Set = &mesosv1.Value_Set{Item: slices.Clone(r.set)}
	default: // validated: a scalar
		m.Scalar = &mesosv1.Value_Scalar{Value: proto.Float64(r.scalar.Float())}
	}
	if r.allocated {
		m.AllocationInfo = &mesosv1.Resource_AllocationInfo{Role: proto.String(r.role)}
	}
	for _, reservation := range r.id.reservations {
		m.Reservations = append(m.Reservations, proto.CloneOf(reservation))
	}
	if r.id.disk != nil {
		m.Disk = proto.CloneOf(r.id.disk)
	}
	if r.id.provider != nil {
		m.ProviderId = proto.CloneOf(r.id.provider)
	}
	if r.id.revocable {
		m.Revocable = &mesosv1.Resource_RevocableInfo{}
	}
	if r.id.shared {
		m.Shared = &mesosv1.Resource_SharedInfo{}
	}
	return m
}

// resourceOf copies a valid message of any shape.
func resourceOf(m *mesosv1.Resource) Resource {
	r := Resource{
		id:        identityOf(m),
		role:      m.GetAllocationInfo().GetRole(),
		allocated: m.AllocationInfo != nil,
		ranges:    rangesOf(m.GetRanges()),
		set:       slices.Clone(m.GetSet().GetItem()),
		count:     1,
	}
	if m.Scalar != nil {
		r.scalar = ScalarOf(m.GetScalar().GetValue())
	}
	return r
}

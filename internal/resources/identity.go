package resources

import (
	"encoding/binary"
	"slices"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// identity is what tells a resource from others, but for its allocation, which
// changes all the time. It is made once and shared by all that was calculated
// from the resource, so that in the inner loop comparing is one of pointers.
// Nothing changes it; the messages in it are its own.
type identity struct {
	key          string // the same for what Mesos calls equal, and only for that
	name         string
	kind         mesosv1.Value_Type
	reservations []*mesosv1.Resource_ReservationInfo
	disk         *mesosv1.Resource_DiskInfo
	provider     *mesosv1.ResourceProviderID
	revocable    bool
	shared       bool
	volume       bool // is a persistent volume
	whole        bool // does not merge, and is taken away as a whole or not at all
}

// finish works out the rest from name, kind, reservations, disk, provider and
// marks.
func (id *identity) finish() *identity {
	id.volume = id.disk.GetPersistence() != nil
	id.whole = id.volume || indivisible(id.disk.GetSource())
	id.key = string(id.appendKey(make([]byte, 0, 64)))
	return id
}

// common are the identities of what every agent has. They are the same for all, so that
// fifty thousand agents do not each have their own.
var common = commonIdentities()

type plain struct {
	name string
	kind mesosv1.Value_Type
}

func commonIdentities() map[plain]*identity {
	all := map[plain]*identity{}
	for _, name := range []string{"cpus", "gpus", "mem", "disk", "ports"} {
		kind := mesosv1.Value_SCALAR
		if name == "ports" {
			kind = mesosv1.Value_RANGES
		}
		all[plain{name, kind}] = (&identity{name: name, kind: kind}).finish()
	}
	return all
}

// commonOf returns the common identity of resources that are nothing but a name.
func commonOf(name string, kind mesosv1.Value_Type) (*identity, bool) {
	id, ok := common[plain{name, kind}]
	return id, ok
}

func indivisible(source *mesosv1.Resource_DiskInfo_Source) bool {
	switch source.GetType() {
	case mesosv1.Resource_DiskInfo_Source_MOUNT, mesosv1.Resource_DiskInfo_Source_BLOCK:
		return true
	case mesosv1.Resource_DiskInfo_Source_RAW:
		return source.Id != nil
	default: // PATH; and what has no source
		return false
	}
}

// withReservations is the same resource with other reservations, which it keeps.
func (id *identity) withReservations(reservations []*mesosv1.Resource_ReservationInfo) *identity {
	other := *id
	other.reservations = reservations
	return other.finish()
}

func (id *identity) appendKey(b []byte) []byte {
	b = appendText(b, id.name)
	b = append(b, byte(id.kind), flag(id.revocable), flag(id.shared))
	b = appendOptional(b, id.provider != nil, id.provider.GetValue())
	b = binary.AppendUvarint(b, uint64(len(id.reservations)))
	for _, r := range id.reservations {
		b = append(b, byte(r.GetType()))
		b = appendText(b, r.GetRole())
		b = appendOptional(b, r.Principal != nil, r.GetPrincipal())
		b = appendLabels(b, r.Labels)
	}
	if id.disk == nil {
		return b
	}
	b = append(b, 'd')
	b = appendOptional(b, id.disk.Persistence != nil, id.disk.GetPersistence().GetId())
	source := id.disk.Source
	if source == nil {
		return b
	}
	b = append(b, 's', byte(source.GetType()))
	b = append(b, flag(source.Path != nil), flag(source.Mount != nil))
	b = appendOptional(b, source.GetPath() != nil && source.Path.Root != nil, source.GetPath().GetRoot())
	b = appendOptional(b, source.GetMount() != nil && source.Mount.Root != nil, source.GetMount().GetRoot())
	b = appendOptional(b, source.Vendor != nil, source.GetVendor())
	b = appendOptional(b, source.Id != nil, source.GetId())
	b = appendOptional(b, source.Profile != nil, source.GetProfile())
	return appendLabels(b, source.Metadata)
}

func flag(set bool) byte {
	if set {
		return 1
	}
	return 0
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendOptional(b []byte, set bool, s string) []byte {
	if !set {
		return append(b, 0)
	}
	return appendText(append(b, 1), s)
}

// appendLabels writes labels in order, since theirs does not count.
func appendLabels(b []byte, labels *mesosv1.Labels) []byte {
	if labels == nil {
		return append(b, 0)
	}
	each := make([]string, 0, len(labels.GetLabels()))
	for _, l := range labels.GetLabels() {
		each = append(each, string(appendOptional(appendText(nil, l.GetKey()), l.Value != nil, l.GetValue())))
	}
	slices.Sort(each)
	b = binary.AppendUvarint(append(b, 1), uint64(len(each)))
	for _, l := range each {
		b = appendText(b, l)
	}
	return b
}

// identityOf copies what tells a valid resource from others.
func identityOf(m *mesosv1.Resource) *identity {
	reservations := reservationsOf(m)
	if len(reservations) == 0 && m.Disk == nil && m.ProviderId == nil && m.Revocable == nil && m.Shared == nil {
		if id, ok := commonOf(m.GetName(), m.GetType()); ok {
			return id
		}
	}
	id := &identity{
		name:         m.GetName(),
		kind:         m.GetType(),
		reservations: reservations,
		revocable:    m.Revocable != nil,
		shared:       m.Shared != nil,
	}
	if m.Disk != nil {
		id.disk = proto.CloneOf(m.Disk)
	}
	if m.ProviderId != nil {
		id.provider = proto.CloneOf(m.ProviderId)
	}
	return id.finish()
}

package resources

import (
	"fmt"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// String is for messages and logs, as Mesos prints resources:
// cpus:4; disk(reservations: [(STATIC,web)]):100, and {} for nothing.
func (r Resources) String() string {
	if len(r.list) == 0 {
		return "{}"
	}
	var b []byte
	for i, each := range r.list {
		if i > 0 {
			b = append(b, "; "...)
		}
		b = each.appendTo(b)
	}
	return string(b)
}

// String is for messages and logs, with all that tells the resource from
// others:
// name(allocated: role)(reservations: [(STATIC,role)])[disk]{REV}<SHARED>:value.
func (r Resource) String() string { return string(r.appendTo(nil)) }

func (r Resource) appendTo(b []byte) []byte {
	b = append(b, r.id.name...)
	if r.allocated {
		b = fmt.Appendf(b, "(allocated: %s)", r.role)
	}
	for i, reservation := range r.id.reservations {
		if i == 0 {
			b = append(b, "(reservations: ["...)
		} else {
			b = append(b, ',')
		}
		b = appendReservation(b, reservation)
		if i == len(r.id.reservations)-1 {
			b = append(b, "])"...)
		}
	}
	if r.id.disk != nil {
		b = appendDisk(b, r.id.disk)
	}
	if r.id.revocable {
		b = append(b, "{REV}"...)
	}
	if r.id.shared {
		b = append(b, "<SHARED>"...)
	}
	b = append(b, ':')
	switch r.id.kind {
	case mesosv1.Value_RANGES:
		return appendRanges(b, r.ranges)
	case mesosv1.Value_SET:
		return appendSet(b, r.set)
	default: // validated: a scalar
		return append(b, r.scalar.String()...)
	}
}

func appendReservation(b []byte, r *mesosv1.Resource_ReservationInfo) []byte {
	b = fmt.Appendf(b, "(%s,%s", r.GetType(), r.GetRole())
	if r.Principal != nil {
		b = append(append(b, ','), r.GetPrincipal()...)
	}
	if r.Labels != nil {
		b = append(b, ",{"...)
		for i, label := range r.GetLabels().GetLabels() {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(b, label.GetKey()...)
			if label.Value != nil {
				b = append(append(b, ": "...), label.GetValue()...)
			}
		}
		b = append(b, '}')
	}
	return append(b, ')')
}

// appendDisk writes [MOUNT:/root,id:/host:/container:rw].
func appendDisk(b []byte, disk *mesosv1.Resource_DiskInfo) []byte {
	b = append(b, '[')
	if disk.Source != nil {
		b = appendSource(b, disk.Source)
	}
	if disk.Persistence != nil {
		if disk.Source != nil {
			b = append(b, ',')
		}
		b = append(b, disk.GetPersistence().GetId()...)
	}
	if v := disk.Volume; v != nil {
		b = append(b, ':')
		if v.HostPath != nil {
			b = append(append(b, v.GetHostPath()...), ':')
		}
		b = append(b, v.GetContainerPath()...)
		if v.HostPath != nil && v.Mode != nil {
			b = append(b, map[mesosv1.Volume_Mode]string{mesosv1.Volume_RW: ":rw", mesosv1.Volume_RO: ":ro"}[v.GetMode()]...)
		}
	}
	return append(b, ']')
}

func appendSource(b []byte, source *mesosv1.Resource_DiskInfo_Source) []byte {
	b = append(b, source.GetType().String()...)
	if source.Id != nil || source.Profile != nil {
		return fmt.Appendf(b, "(%s,%s,%s)", source.GetVendor(), source.GetId(), source.GetProfile())
	}
	root := source.GetMount().GetRoot()
	if source.GetType() == mesosv1.Resource_DiskInfo_Source_PATH {
		root = source.GetPath().GetRoot()
	}
	if root != "" {
		b = append(append(b, ':'), root...)
	}
	return b
}

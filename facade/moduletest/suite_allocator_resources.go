package moduletest

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// short prints what was offered: name(reserved,for)[volume or source]{REV}<SHARED>:value,
// each once, in the order of the alphabet.
func short(all []*mesosv1.Resource) string {
	texts := make([]string, len(all))
	for i, r := range all {
		texts[i] = shortName(r) + ":" + shortValue(r)
	}
	slices.Sort(texts)
	return strings.Join(texts, ";")
}

func shortName(r *mesosv1.Resource) string {
	name := r.GetName()
	var roles []string
	for _, reservation := range r.GetReservations() {
		roles = append(roles, reservation.GetRole())
	}
	if len(roles) > 0 {
		name += "(" + strings.Join(roles, ",") + ")"
	}
	switch d := r.GetDisk(); {
	case d.GetPersistence() != nil:
		name += "[" + d.GetPersistence().GetId() + "]"
	case d.GetSource() != nil:
		name += "[" + d.GetSource().GetType().String() + "]"
	}
	if r.Revocable != nil {
		name += "{REV}"
	}
	if r.Shared != nil {
		name += "<SHARED>"
	}
	return name
}

func shortValue(r *mesosv1.Resource) string {
	if r.GetType() != mesosv1.Value_RANGES {
		return fmt.Sprint(r.GetScalar().GetValue())
	}
	var ranges []string
	for _, each := range r.GetRanges().GetRange() {
		ranges = append(ranges, fmt.Sprintf("%d-%d", each.GetBegin(), each.GetEnd()))
	}
	return "[" + strings.Join(ranges, ",") + "]"
}

// revocable makes resources that may be taken back.
func revocable(all []*mesosv1.Resource) []*mesosv1.Resource {
	for _, r := range all {
		r.Revocable = &mesosv1.Resource_RevocableInfo{}
	}
	return all
}

// reserved adds a reservation that a framework or operator makes.
func reserved(role string, all []*mesosv1.Resource) []*mesosv1.Resource {
	for _, r := range all {
		r.Reservations = append(r.Reservations, &mesosv1.Resource_ReservationInfo{
			Type: mesosv1.Resource_ReservationInfo_DYNAMIC.Enum(), Role: &role, Principal: proto.String("operator"),
		})
	}
	return all
}

// volume is a persistent one on the disk of a role, for several tasks at once.
func sharedVolume(id, role string, size float64) *mesosv1.Resource {
	v := reserved(role, []*mesosv1.Resource{scalar("disk", size)})[0]
	v.Disk = &mesosv1.Resource_DiskInfo{
		Persistence: &mesosv1.Resource_DiskInfo_Persistence{Id: &id},
		Volume:      &mesosv1.Volume{ContainerPath: proto.String("data"), Mode: mesosv1.Volume_RW.Enum()},
	}
	v.Shared = &mesosv1.Resource_SharedInfo{}
	return v
}

// disk is one of a source of its own.
func disk(source mesosv1.Resource_DiskInfo_Source_Type, size float64) *mesosv1.Resource {
	d := scalar("disk", size)
	d.Disk = &mesosv1.Resource_DiskInfo{Source: &mesosv1.Resource_DiskInfo_Source{Type: &source}}
	return d
}

package hierarchical

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// conversionsOf is what an operation makes of resources that nobody has.
func conversionsOf(op *mesosv1.Offer_Operation) ([]conversion, error) {
	switch op.GetType() {
	case mesosv1.Offer_Operation_RESERVE:
		return reservation(op.GetReserve().GetSource(), op.GetReserve().GetResources())
	case mesosv1.Offer_Operation_UNRESERVE:
		return reversed(reservation(nil, op.GetUnreserve().GetResources()))
	case mesosv1.Offer_Operation_CREATE:
		return volumes(op.GetCreate().GetVolumes())
	case mesosv1.Offer_Operation_DESTROY:
		return reversed(volumes(op.GetDestroy().GetVolumes()))
	case mesosv1.Offer_Operation_GROW_VOLUME:
		g := op.GetGrowVolume()
		return resize(g.GetVolume(), g.GetAddition().GetScalar().GetValue(), g.GetAddition())
	case mesosv1.Offer_Operation_SHRINK_VOLUME:
		s := op.GetShrinkVolume()
		return resize(s.GetVolume(), -s.GetSubtract().GetValue(), nil)
	default:
		return nil, errors.New("it cannot be applied to resources that are not offered")
	}
}

func convert(consumed, converted []*mesosv1.Resource) (conversion, error) {
	from, err := resources.New(consumed)
	if err != nil {
		return conversion{}, err
	}
	to, err := resources.New(converted)
	return conversion{from.Unallocate(), to.Unallocate()}, err
}

func reversed(all []conversion, err error) ([]conversion, error) {
	for i, c := range all {
		all[i] = conversion{consumed: c.converted, converted: c.consumed}
	}
	return all, err
}

// reservation replaces its source; without one, what is there without the last
// reservation.
func reservation(source, reserved []*mesosv1.Resource) ([]conversion, error) {
	if len(source) > 0 {
		c, err := convert(source, reserved)
		return []conversion{c}, err
	}
	to, err := resources.New(reserved)
	if err != nil {
		return nil, err
	}
	from, err := to.PopReservation()
	return []conversion{{from.Unallocate(), to.Unallocate()}}, err
}

// volumes replace the disk that they are made of, each on its own: no two are alike.
func volumes(all []*mesosv1.Resource) ([]conversion, error) {
	var changes []conversion
	for _, volume := range all {
		if volume.GetDisk().GetPersistence() == nil {
			return nil, fmt.Errorf("%s is no persistent volume", volume.GetName())
		}
		c, err := convert([]*mesosv1.Resource{bareDisk(volume)}, []*mesosv1.Resource{volume})
		if err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// bareDisk is the disk that a volume is made of.
func bareDisk(volume *mesosv1.Resource) *mesosv1.Resource {
	disk := proto.CloneOf(volume)
	disk.Disk.Persistence, disk.Disk.Volume, disk.Shared = nil, nil, nil
	if disk.Disk.Source == nil {
		disk.Disk = nil
	}
	return disk
}

// resize makes a volume larger by an addition, which is used up, or smaller, which leaves
// bare disk.
func resize(volume *mesosv1.Resource, by float64, addition *mesosv1.Resource) ([]conversion, error) {
	if volume.GetDisk().GetPersistence() == nil || volume.Shared != nil {
		return nil, fmt.Errorf("%s is no persistent volume of one user", volume.GetName())
	}
	after := proto.CloneOf(volume)
	after.Scalar = &mesosv1.Value_Scalar{Value: proto.Float64(volume.GetScalar().GetValue() + by)}
	from, to := []*mesosv1.Resource{volume}, []*mesosv1.Resource{after}
	if addition != nil {
		from = append(from, addition)
	} else {
		left := bareDisk(volume)
		left.Scalar = &mesosv1.Value_Scalar{Value: proto.Float64(-by)}
		to = append(to, left)
	}
	c, err := convert(from, to)
	return []conversion{c}, err
}

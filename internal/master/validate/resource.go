package validate

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// resourceMessages says what is wrong with resources wherever they are given: by
// themselves, with their disks, and with what their reservations allow.
func resourceMessages(messages []*mesosv1.Resource) error {
	if len(messages) > resources.MaxResources {
		return fmt.Errorf("invalid resources: %d are too many, the limit is %d", len(messages), resources.MaxResources)
	}
	if err := resources.ValidateAll(messages); err != nil {
		return fmt.Errorf("invalid resources: %w", err)
	}
	for _, m := range messages {
		if err := disk(m); err != nil {
			return fmt.Errorf("invalid DiskInfo: %w", err)
		}
	}
	for _, m := range messages {
		if m.Revocable != nil && dynamic(m) {
			return fmt.Errorf("invalid ReservationInfo: dynamically reserved resource '%s' cannot be created from revocable resources", m.GetName())
		}
	}
	return nil
}

func dynamic(m *mesosv1.Resource) bool {
	if n := len(m.GetReservations()); n > 0 {
		return m.GetReservations()[n-1].GetType() == mesosv1.Resource_ReservationInfo_DYNAMIC
	}
	return m.Reservation != nil
}

// reservationRole is whom a valid resource is reserved for, and "*" if nobody.
func reservationRole(m *mesosv1.Resource) string {
	if n := len(m.GetReservations()); n > 0 {
		return m.GetReservations()[n-1].GetRole()
	}
	return m.GetRole()
}

func disk(m *mesosv1.Resource) error {
	info := m.GetDisk()
	switch {
	case info == nil:
		return nil
	case info.Persistence != nil:
		return persistentVolume(m)
	case info.Volume != nil:
		return errors.New("a volume without 'persistence' is not supported")
	case info.Source == nil:
		return errors.New("DiskInfo is set but empty")
	default:
		return nil
	}
}

func persistentVolume(m *mesosv1.Resource) error {
	info := m.GetDisk()
	switch {
	case m.Revocable != nil:
		return errors.New("persistent volumes cannot be created from revocable resources")
	case reservationRole(m) == resources.AnyRole:
		return errors.New("persistent volumes cannot be created from unreserved resources")
	case info.Volume == nil:
		return errors.New("Expecting 'volume' to be set for persistent volume")
	case info.GetVolume().HostPath != nil:
		return errors.New("Expecting 'host_path' to be unset for persistent volume")
	}
	if err := ID(info.GetPersistence().GetId()); err != nil {
		return fmt.Errorf("persistence ID is invalid: %w", err)
	}
	return nil
}

// uniquePersistence holds if no role has two volumes of one id.
func uniquePersistence(messages []*mesosv1.Resource) error {
	seen := map[[2]string]bool{}
	for _, m := range messages {
		if m.GetDisk().GetPersistence() == nil || m.Shared != nil {
			continue // a shared volume may be named by task and executor
		}
		key := [2]string{reservationRole(m), m.GetDisk().GetPersistence().GetId()}
		if seen[key] {
			return fmt.Errorf("persistence ID '%s' is not unique", key[1])
		}
		seen[key] = true
	}
	return nil
}

// unmixedRevocable holds if what can be taken back at any time is not used beside
// what cannot, under one name.
func unmixedRevocable(messages []*mesosv1.Resource) error {
	revocable := map[string]bool{}
	for _, m := range messages {
		before, seen := revocable[m.GetName()]
		if seen && before != (m.Revocable != nil) {
			return fmt.Errorf("cannot use both revocable and non-revocable '%s' at the same time", m.GetName())
		}
		revocable[m.GetName()] = m.Revocable != nil
	}
	return nil
}

// oneAllocation holds if all that says whom it is allocated to says the same, and
// role if that is not empty. What says nothing is taken as of that role.
func oneAllocation(messages []*mesosv1.Resource, role string) error {
	for _, m := range messages {
		if m.AllocationInfo == nil {
			continue
		}
		to := m.GetAllocationInfo().GetRole()
		if role == "" {
			role = to
		}
		if to != role {
			return fmt.Errorf("resource '%s' is allocated to role '%s', not to '%s'", m.GetName(), printable(to), role)
		}
	}
	return nil
}

// limits says what is wrong with the limits of a task or container: they are of cpus
// and mem only, and nothing is limited to less than what it asked for.
func limits(limits map[string]*mesosv1.Value_Scalar, requests []*mesosv1.Resource) error {
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		if name != "cpus" && name != "mem" {
			return fmt.Errorf("limits of '%s' are not supported: only those of 'cpus' and 'mem' are", printable(name))
		}
		limit := limits[name].GetValue()
		if math.IsNaN(limit) || limit < 0 {
			return fmt.Errorf("the limit of '%s' must not be negative or no number", name)
		}
		if math.IsInf(limit, 1) {
			continue // without limit
		}
		var request resources.Scalar
		for _, m := range requests {
			if m.GetName() == name {
				request = request.Add(resources.ScalarOf(m.GetScalar().GetValue()))
			}
		}
		if resources.ScalarOf(limit) < request {
			return fmt.Errorf("the limit of '%s' (%v) is less than the request (%s)", name, limit, request)
		}
	}
	return nil
}

package resources

import (
	"errors"
	"fmt"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// ValidateAll is Validate for each message. The error names all that are not
// valid, with their place in the list.
func ValidateAll(messages []*mesosv1.Resource) error {
	var all []error
	for i, m := range messages {
		if err := Validate(m); err != nil {
			all = append(all, fmt.Errorf("resource %d, %q, is invalid: %w", i, m.GetName(), err))
		}
	}
	return errors.Join(all...)
}

// Validate says what is wrong first with a resource of any shape. It may be
// empty; that is how a name is said to be there with nothing.
func Validate(m *mesosv1.Resource) error {
	if m.GetName() == "" {
		return errors.New("the name is empty")
	}
	if err := validateValue(m); err != nil {
		return err
	}
	if err := validateDisk(m); err != nil {
		return err
	}
	if err := validateReservations(m); err != nil {
		return err
	}
	if m.Shared != nil && m.GetDisk().GetPersistence() == nil {
		return errors.New("only a persistent volume can be shared")
	}
	return nil
}

func validateValue(m *mesosv1.Resource) error {
	if m.Type == nil {
		return errors.New("the type is missing")
	}
	set := []bool{
		mesosv1.Value_SCALAR: m.Scalar != nil,
		mesosv1.Value_RANGES: m.Ranges != nil,
		mesosv1.Value_SET:    m.Set != nil,
	}
	kind := m.GetType()
	if kind < 0 || int(kind) >= len(set) {
		return fmt.Errorf("type %s is not supported: only SCALAR, RANGES and SET are", kind)
	}
	for other, has := range set {
		if has != (other == int(kind)) {
			return fmt.Errorf("a resource of type %s must have that value and no other", kind)
		}
	}
	switch kind {
	case mesosv1.Value_SCALAR:
		return validateScalar(m.GetName(), m.GetScalar().GetValue())
	case mesosv1.Value_RANGES:
		return validateRanges(m.GetRanges().GetRange())
	default: // SET
		if item, twice := duplicate(m.GetSet().GetItem()); twice {
			return fmt.Errorf("duplicated elements: the set has %q twice", item)
		}
		return nil
	}
}

func validateScalar(name string, v float64) error {
	amount := ScalarOf(v)
	switch {
	case v != 0 && amount <= 0:
		return fmt.Errorf("value %v <= 0, or too small or too large", v)
	case name == "gpus" && amount%1000 != 0:
		return fmt.Errorf("the 'gpus' resource must be an unsigned integer, not %v", v)
	default:
		return nil
	}
}

func validateRanges(messages []*mesosv1.Value_Range) error {
	ranges := make([]Range, 0, len(messages))
	for _, r := range messages {
		if r.GetBegin() > r.GetEnd() {
			return fmt.Errorf("range %d-%d has begin > end", r.GetBegin(), r.GetEnd())
		}
		ranges = append(ranges, Range{r.GetBegin(), r.GetEnd()})
	}
	sortRanges(ranges)
	for i := 1; i < len(ranges); i++ {
		if a, b := ranges[i-1], ranges[i]; b.Begin <= a.End {
			return fmt.Errorf("overlapping ranges %d-%d and %d-%d", a.Begin, a.End, b.Begin, b.End)
		}
	}
	return nil
}

func validateDisk(m *mesosv1.Resource) error {
	if m.Disk == nil {
		return nil
	}
	if m.GetName() != "disk" {
		return fmt.Errorf("DiskInfo should not be set for resource %q", m.GetName())
	}
	source := m.GetDisk().GetSource()
	if source == nil {
		return nil
	}
	switch kind := source.GetType(); kind {
	case mesosv1.Resource_DiskInfo_Source_PATH, mesosv1.Resource_DiskInfo_Source_MOUNT:
		return nil
	case mesosv1.Resource_DiskInfo_Source_BLOCK, mesosv1.Resource_DiskInfo_Source_RAW:
		if source.Mount != nil || source.Path != nil {
			return fmt.Errorf("a disk source of type %s has neither mount nor path", kind)
		}
		return nil
	default:
		return fmt.Errorf("disk source type %s is not supported", kind)
	}
}

func validateReservations(m *mesosv1.Resource) error {
	if len(m.Reservations) == 0 {
		return validatePre(m)
	}
	if err := validateStack(m.Reservations); err != nil {
		return err
	}
	if len(m.Reservations) > 1 {
		if m.Role != nil || m.Reservation != nil {
			return errors.New("role and reservation must not be set beside more than one reservations")
		}
		return nil
	}
	return validateEndpoint(m)
}

// validatePre looks at the old role and reservation.
func validatePre(m *mesosv1.Resource) error {
	if err := ValidateRole(m.GetRole()); err != nil {
		return err
	}
	switch {
	case m.Reservation == nil:
		return nil
	case m.Reservation.Type != nil || m.Reservation.Role != nil:
		return errors.New("type and role must not be set in reservation, only in reservations")
	case m.GetRole() == AnyRole:
		return errors.New(`role "*" cannot be dynamically reserved`)
	default:
		return nil
	}
}

// validateStack looks at reservations on their own.
func validateStack(reservations []*mesosv1.Resource_ReservationInfo) error {
	for i, r := range reservations {
		switch kind := r.GetType(); kind {
		case mesosv1.Resource_ReservationInfo_STATIC:
			if i > 0 {
				return errors.New("a refined reservation cannot be STATIC")
			}
		case mesosv1.Resource_ReservationInfo_DYNAMIC:
		default:
			return fmt.Errorf("the type of each of reservations must be STATIC or DYNAMIC, not %s", kind)
		}
		if r.Role == nil {
			return errors.New("the role of each of reservations must be set")
		}
		if err := ValidateRole(r.GetRole()); err != nil {
			return err
		}
		if r.GetRole() == AnyRole {
			return errors.New(`role "*" cannot be reserved`)
		}
		if i > 0 && !IsStrictSubrole(r.GetRole(), reservations[i-1].GetRole()) {
			return fmt.Errorf("role %q is not a refinement of %q", r.GetRole(), reservations[i-1].GetRole())
		}
	}
	return nil
}

// validateEndpoint looks whether the old fields say the same as the one entry
// of reservations.
func validateEndpoint(m *mesosv1.Resource) error {
	r := m.Reservations[0]
	if m.Role != nil && m.GetRole() != r.GetRole() {
		return fmt.Errorf("role %q does not match role %q in reservations", m.GetRole(), r.GetRole())
	}
	if r.GetType() == mesosv1.Resource_ReservationInfo_STATIC {
		if m.Reservation != nil {
			return errors.New("reservation must not be set beside a STATIC one in reservations")
		}
		return nil
	}
	switch {
	case (m.Role == nil) != (m.Reservation == nil):
		return errors.New("role and reservation must both be set, or neither, beside a DYNAMIC one in reservations")
	case m.Reservation == nil:
		return nil
	case m.Reservation.GetPrincipal() != r.GetPrincipal():
		return fmt.Errorf("reservation's principal %q does not match %q in reservations", m.Reservation.GetPrincipal(), r.GetPrincipal())
	case !sameLabels(m.Reservation.Labels, r.Labels):
		return errors.New("reservation's labels do not match those in reservations")
	default:
		return nil
	}
}

func sameLabels(a, b *mesosv1.Labels) bool {
	if len(a.GetLabels()) == 0 && len(b.GetLabels()) == 0 {
		return true // as if both were unset
	}
	return string(appendLabels(nil, a)) == string(appendLabels(nil, b))
}

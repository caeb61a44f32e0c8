package resources

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Shape is how a message says whom a resource is reserved for. Mesos has had
// one reservation in the fields role and reservation; since reservations can be
// refined there is the list reservations.
type Shape int

const (
	// Post has the list only: agents with the capability
	// RESERVATION_REFINEMENT, frameworks with it, executors.
	Post Shape = iota
	// Pre has the old fields only, role "*" if nothing is reserved: for
	// frameworks without the capability. Refined reservations cannot be said.
	Pre
	// PreIfPossible is Pre where it can be said and Post elsewhere: what an
	// agent sends when it registers, and what it keeps on disk.
	PreIfPossible
	// Endpoint has the list, and the old fields too where Pre has them: answers
	// to operators.
	Endpoint
)

// ErrRefined is in the error for refined reservations that a shape cannot say.
var ErrRefined = errors.New("refined reservations cannot be expressed without reservations")

// MessagesIn is Messages in another shape. The error is ErrRefined, with the
// resource.
func (r Resources) MessagesIn(shape Shape) ([]*mesosv1.Resource, error) {
	messages := r.Messages()
	for _, m := range messages {
		if err := reshape(m, shape); err != nil {
			return nil, err
		}
	}
	return messages, nil
}

// Convert copies valid messages of any shape, with their values as they are,
// and gives the copies one shape. The error is that of Validate, or ErrRefined.
func Convert(messages []*mesosv1.Resource, shape Shape) ([]*mesosv1.Resource, error) {
	if err := ValidateAll(messages); err != nil {
		return nil, err
	}
	converted := make([]*mesosv1.Resource, 0, len(messages))
	for _, m := range messages {
		m = proto.CloneOf(m)
		m.Reservations = reservationsOf(m)
		m.Role, m.Reservation = nil, nil
		if err := reshape(m, shape); err != nil {
			return nil, err
		}
		converted = append(converted, m)
	}
	return converted, nil
}

// reservationsOf are copies of the reservations that a valid message of any
// shape has.
func reservationsOf(m *mesosv1.Resource) []*mesosv1.Resource_ReservationInfo {
	var stack []*mesosv1.Resource_ReservationInfo
	for _, r := range m.Reservations {
		stack = append(stack, proto.CloneOf(r))
	}
	if len(stack) > 0 || m.GetRole() == AnyRole {
		return stack
	}
	r := &mesosv1.Resource_ReservationInfo{Type: mesosv1.Resource_ReservationInfo_STATIC.Enum()}
	if m.Reservation != nil {
		r = proto.CloneOf(m.Reservation)
		r.Type = mesosv1.Resource_ReservationInfo_DYNAMIC.Enum()
	}
	r.Role = proto.String(m.GetRole())
	return append(stack, r)
}

// reshape changes a message of shape Post.
func reshape(m *mesosv1.Resource, shape Shape) error {
	switch shape {
	case Post:
		return nil
	case Pre, PreIfPossible, Endpoint:
	default:
		return fmt.Errorf("there is no shape %d of resources", shape)
	}
	if len(m.Reservations) > 1 {
		if shape == Pre {
			return fmt.Errorf("resource %q: %w", m.GetName(), ErrRefined)
		}
		return nil
	}
	m.Role = proto.String(AnyRole)
	if len(m.Reservations) == 1 {
		r := m.Reservations[0]
		m.Role = proto.String(r.GetRole())
		if r.GetType() == mesosv1.Resource_ReservationInfo_DYNAMIC {
			m.Reservation = proto.CloneOf(r)
			m.Reservation.Type, m.Reservation.Role = nil, nil
		}
	}
	if shape != Endpoint {
		m.Reservations = nil
	}
	return nil
}

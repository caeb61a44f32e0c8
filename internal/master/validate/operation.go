package validate

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Operation says what is wrong with the form of an operation of an ACCEPT: whether it
// has what its type asks for. Tasks and resources in it are not looked at.
func Operation(op *mesosv1.Offer_Operation) error {
	if op.Type == nil {
		return errors.New("Expecting 'type' to be present")
	}
	var payload protoreflect.Name
	switch kind := op.GetType(); kind {
	case mesosv1.Offer_Operation_LAUNCH:
		payload = "launch"
	case mesosv1.Offer_Operation_LAUNCH_GROUP:
		payload = "launch_group"
	case mesosv1.Offer_Operation_RESERVE:
		payload = "reserve"
	case mesosv1.Offer_Operation_UNRESERVE:
		payload = "unreserve"
	case mesosv1.Offer_Operation_CREATE:
		payload = "create"
	case mesosv1.Offer_Operation_DESTROY:
		payload = "destroy"
	case mesosv1.Offer_Operation_GROW_VOLUME:
		payload = "grow_volume"
	case mesosv1.Offer_Operation_SHRINK_VOLUME:
		payload = "shrink_volume"
	case mesosv1.Offer_Operation_CREATE_DISK:
		payload = "create_disk"
	case mesosv1.Offer_Operation_DESTROY_DISK:
		payload = "destroy_disk"
	default:
		return fmt.Errorf("Unknown operation type %s", kind)
	}
	if err := present(op, payload); err != nil {
		return err
	}
	launches := op.GetType() == mesosv1.Offer_Operation_LAUNCH || op.GetType() == mesosv1.Offer_Operation_LAUNCH_GROUP
	if launches && op.Id != nil {
		return fmt.Errorf("Operation of type %s must not have an 'id'", op.GetType())
	}
	return nil
}

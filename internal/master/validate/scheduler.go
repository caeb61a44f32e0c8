package validate

import (
	"errors"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// SchedulerCall says what is wrong with the form of a scheduler's call: what is
// refused with 400 whoever sends it. The answer's text begins with "Failed to
// validate scheduler::Call: ". A call of type UNKNOWN has a form; it is for whoever
// handles calls to say that he does not know it.
func SchedulerCall(call *scheduler.Call) error {
	if err := initialized(call); err != nil {
		return err
	}
	if err := hasType(call); err != nil {
		return err
	}
	if call.GetType() == scheduler.Call_SUBSCRIBE {
		if err := present(call, "subscribe"); err != nil {
			return err
		}
		if call.GetSubscribe().GetFrameworkInfo().GetId().GetValue() != call.GetFrameworkId().GetValue() {
			return errors.New("'framework_id' differs from 'subscribe.framework_info.id'")
		}
		return nil
	}
	if err := present(call, "framework_id"); err != nil {
		return err
	}
	if payload := schedulerPayload(call.GetType()); payload != "" {
		if err := present(call, payload); err != nil {
			return err
		}
	}
	switch call.GetType() {
	case scheduler.Call_ACKNOWLEDGE:
		return uuid(call.GetAcknowledge().GetUuid())
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		if err := uuid(call.GetAcknowledgeOperationStatus().GetUuid()); err != nil {
			return err
		}
		return present(call.GetAcknowledgeOperationStatus(), "agent_id")
	case scheduler.Call_UPDATE_FRAMEWORK:
		if call.GetUpdateFramework().GetFrameworkInfo().GetId().GetValue() != call.GetFrameworkId().GetValue() {
			return errors.New("'framework_id' differs from 'update_framework.framework_info.id'")
		}
		return nil
	default:
		return nil
	}
}

// schedulerPayload is the field that a call of a type must have, if there is one.
func schedulerPayload(kind scheduler.Call_Type) protoreflect.Name {
	switch kind {
	case scheduler.Call_ACCEPT:
		return "accept"
	case scheduler.Call_DECLINE:
		return "decline"
	case scheduler.Call_ACCEPT_INVERSE_OFFERS:
		return "accept_inverse_offers"
	case scheduler.Call_DECLINE_INVERSE_OFFERS:
		return "decline_inverse_offers"
	case scheduler.Call_KILL:
		return "kill"
	case scheduler.Call_SHUTDOWN:
		return "shutdown"
	case scheduler.Call_ACKNOWLEDGE:
		return "acknowledge"
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		return "acknowledge_operation_status"
	case scheduler.Call_RECONCILE:
		return "reconcile"
	case scheduler.Call_RECONCILE_OPERATIONS:
		return "reconcile_operations"
	case scheduler.Call_MESSAGE:
		return "message"
	case scheduler.Call_REQUEST:
		return "request"
	case scheduler.Call_UPDATE_FRAMEWORK:
		return "update_framework"
	default: // TEARDOWN, REVIVE, SUPPRESS and UNKNOWN need none
		return ""
	}
}

package validate

import (
	"errors"
	"fmt"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
)

// ExecutorCall says what is wrong with the form of an executor's call. The answer's
// text begins with "Failed to validate Executor::Call: ".
func ExecutorCall(call *executor.Call) error {
	if err := hasType(call); err != nil {
		return err
	}
	if err := present(call, "executor_id"); err != nil {
		return err
	}
	if err := present(call, "framework_id"); err != nil {
		return err
	}
	if err := initialized(call); err != nil {
		return err
	}
	switch call.GetType() {
	case executor.Call_SUBSCRIBE:
		return present(call, "subscribe")
	case executor.Call_MESSAGE:
		return present(call, "message")
	case executor.Call_UPDATE:
		if err := present(call, "update"); err != nil {
			return err
		}
		return executorUpdate(call, call.GetUpdate().GetStatus())
	default: // HEARTBEAT and UNKNOWN need no more
		return nil
	}
}

func executorUpdate(call *executor.Call, status *mesosv1.TaskStatus) error {
	if status.Uuid == nil {
		return errors.New("Expecting 'uuid' to be present")
	}
	if err := uuid(status.GetUuid()); err != nil {
		return err
	}
	caller := call.GetExecutorId().GetValue()
	switch {
	case status.ExecutorId != nil && status.GetExecutorId().GetValue() != caller:
		return fmt.Errorf("ExecutorID in Call: %s does not match ExecutorID in TaskStatus: %s", caller, status.GetExecutorId().GetValue())
	case status.GetSource() != mesosv1.TaskStatus_SOURCE_EXECUTOR:
		return fmt.Errorf("Received Call from executor %s of framework %s with invalid source, expecting 'SOURCE_EXECUTOR'", caller, call.GetFrameworkId().GetValue())
	case status.GetState() == mesosv1.TaskState_TASK_STAGING:
		return fmt.Errorf("Received TASK_STAGING from executor %s of framework %s which is not allowed", caller, call.GetFrameworkId().GetValue())
	case status.CheckStatus != nil:
		return checkStatus(status.GetCheckStatus())
	default:
		return nil
	}
}

// checkStatus holds if the status has the field of its type; the field may be empty.
func checkStatus(status *mesosv1.CheckStatusInfo) error {
	if status.Type == nil {
		return errors.New("CheckStatusInfo must specify 'type'")
	}
	var set bool
	switch kind := status.GetType(); kind {
	case mesosv1.CheckInfo_COMMAND:
		set = status.Command != nil
	case mesosv1.CheckInfo_HTTP:
		set = status.Http != nil
	case mesosv1.CheckInfo_TCP:
		set = status.Tcp != nil
	default:
		return fmt.Errorf("'%s' is not a valid check's status type", kind)
	}
	if !set {
		return fmt.Errorf("Expecting the field of its type to be set for %s check's status", status.GetType())
	}
	return nil
}

package validate

import (
	"errors"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/mesos-modules/mms/facade/mesos/v1/master"
)

// OperatorCall says what is wrong with the form of an operator's call to the master.
// The answer's text begins with "Failed to validate master::Call: ".
func OperatorCall(call *master.Call) error {
	if err := initialized(call); err != nil {
		return err
	}
	if err := hasType(call); err != nil {
		return err
	}
	if payload := operatorPayload(call.GetType()); payload != "" {
		if err := present(call, payload); err != nil {
			return err
		}
	}
	switch call.GetType() {
	case master.Call_GROW_VOLUME:
		return agentOfVolume(call.GetGrowVolume().AgentId != nil, "grow_volume")
	case master.Call_SHRINK_VOLUME:
		return agentOfVolume(call.GetShrinkVolume().AgentId != nil, "shrink_volume")
	case master.Call_DRAIN_AGENT:
		grace := call.GetDrainAgent().GetMaxGracePeriod()
		if grace.GetSeconds() < 0 || grace.GetNanos() < 0 {
			return errors.New("Expecting 'drain_agent.max_grace_period' to be non-negative")
		}
		return nil
	default:
		return nil
	}
}

func agentOfVolume(set bool, payload string) error {
	if !set {
		return errors.New("Expecting '" + payload + ".agent_id' to be present")
	}
	return nil
}

func operatorPayload(kind master.Call_Type) protoreflect.Name {
	switch kind {
	case master.Call_GET_METRICS:
		return "get_metrics"
	case master.Call_SET_LOGGING_LEVEL:
		return "set_logging_level"
	case master.Call_LIST_FILES:
		return "list_files"
	case master.Call_READ_FILE:
		return "read_file"
	case master.Call_UPDATE_WEIGHTS:
		return "update_weights"
	case master.Call_RESERVE_RESOURCES:
		return "reserve_resources"
	case master.Call_UNRESERVE_RESOURCES:
		return "unreserve_resources"
	case master.Call_CREATE_VOLUMES:
		return "create_volumes"
	case master.Call_DESTROY_VOLUMES:
		return "destroy_volumes"
	case master.Call_GROW_VOLUME:
		return "grow_volume"
	case master.Call_SHRINK_VOLUME:
		return "shrink_volume"
	case master.Call_UPDATE_MAINTENANCE_SCHEDULE:
		return "update_maintenance_schedule"
	case master.Call_START_MAINTENANCE:
		return "start_maintenance"
	case master.Call_STOP_MAINTENANCE:
		return "stop_maintenance"
	case master.Call_DRAIN_AGENT:
		return "drain_agent"
	case master.Call_DEACTIVATE_AGENT:
		return "deactivate_agent"
	case master.Call_REACTIVATE_AGENT:
		return "reactivate_agent"
	case master.Call_UPDATE_QUOTA:
		return "update_quota"
	case master.Call_SET_QUOTA:
		return "set_quota"
	case master.Call_REMOVE_QUOTA:
		return "remove_quota"
	case master.Call_TEARDOWN:
		return "teardown"
	case master.Call_MARK_AGENT_GONE:
		return "mark_agent_gone"
	default: // what only reads, SUBSCRIBE and UNKNOWN need none
		return ""
	}
}

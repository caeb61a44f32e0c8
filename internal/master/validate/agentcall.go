package validate

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
)

// AgentCall says what is wrong with the form of an operator's call to an agent. The
// answer's text begins with "Failed to validate agent::Call: ".
func AgentCall(call *agent.Call) error {
	if err := initialized(call); err != nil {
		return err
	}
	if err := hasType(call); err != nil {
		return err
	}
	payload, nested := agentPayload(call.GetType())
	if payload != "" {
		if err := present(call, payload); err != nil {
			return err
		}
	}
	if id, has := containerOf(call); has {
		if err := ContainerID(id); err != nil {
			return fmt.Errorf("'%s.container_id' is invalid: %w", payload, err)
		}
		if nested && id.GetParent() == nil {
			return fmt.Errorf("Expecting '%s.container_id.parent' to be present", payload)
		}
	}
	switch call.GetType() {
	case agent.Call_LAUNCH_NESTED_CONTAINER:
		c := call.GetLaunchNestedContainer()
		return launchedContainer("launch_nested_container", c.GetCommand(), c.GetContainer())
	case agent.Call_LAUNCH_NESTED_CONTAINER_SESSION:
		c := call.GetLaunchNestedContainerSession()
		return launchedContainer("launch_nested_container_session", c.GetCommand(), c.GetContainer())
	case agent.Call_LAUNCH_CONTAINER:
		return launchContainer(call.GetLaunchContainer())
	case agent.Call_ATTACH_CONTAINER_INPUT:
		return attachInput(call.GetAttachContainerInput())
	default:
		return nil
	}
}

// agentPayload is the field that a call of a type must have, if there is one, and
// whether the container it names must have a parent.
func agentPayload(kind agent.Call_Type) (payload protoreflect.Name, nested bool) {
	switch kind {
	case agent.Call_GET_METRICS:
		return "get_metrics", false
	case agent.Call_SET_LOGGING_LEVEL:
		return "set_logging_level", false
	case agent.Call_LIST_FILES:
		return "list_files", false
	case agent.Call_READ_FILE:
		return "read_file", false
	case agent.Call_LAUNCH_NESTED_CONTAINER:
		return "launch_nested_container", true
	case agent.Call_WAIT_NESTED_CONTAINER:
		return "wait_nested_container", true
	case agent.Call_KILL_NESTED_CONTAINER:
		return "kill_nested_container", true
	case agent.Call_REMOVE_NESTED_CONTAINER:
		return "remove_nested_container", true
	case agent.Call_LAUNCH_NESTED_CONTAINER_SESSION:
		return "launch_nested_container_session", true
	case agent.Call_ATTACH_CONTAINER_INPUT:
		return "attach_container_input", false
	case agent.Call_ATTACH_CONTAINER_OUTPUT:
		return "attach_container_output", false
	case agent.Call_LAUNCH_CONTAINER:
		return "launch_container", false
	case agent.Call_WAIT_CONTAINER:
		return "wait_container", false
	case agent.Call_KILL_CONTAINER:
		return "kill_container", false
	case agent.Call_REMOVE_CONTAINER:
		return "remove_container", false
	case agent.Call_ADD_RESOURCE_PROVIDER_CONFIG:
		return "add_resource_provider_config", false
	case agent.Call_UPDATE_RESOURCE_PROVIDER_CONFIG:
		return "update_resource_provider_config", false
	case agent.Call_REMOVE_RESOURCE_PROVIDER_CONFIG:
		return "remove_resource_provider_config", false
	case agent.Call_MARK_RESOURCE_PROVIDER_GONE:
		return "mark_resource_provider_gone", false
	default: // what only reads, PRUNE_IMAGES and UNKNOWN need none
		return "", false
	}
}

// containerOf is the container that a call names.
func containerOf(call *agent.Call) (id *mesosv1.ContainerID, has bool) {
	switch call.GetType() {
	case agent.Call_LAUNCH_NESTED_CONTAINER:
		return call.GetLaunchNestedContainer().GetContainerId(), true
	case agent.Call_WAIT_NESTED_CONTAINER:
		return call.GetWaitNestedContainer().GetContainerId(), true
	case agent.Call_KILL_NESTED_CONTAINER:
		return call.GetKillNestedContainer().GetContainerId(), true
	case agent.Call_REMOVE_NESTED_CONTAINER:
		return call.GetRemoveNestedContainer().GetContainerId(), true
	case agent.Call_LAUNCH_NESTED_CONTAINER_SESSION:
		return call.GetLaunchNestedContainerSession().GetContainerId(), true
	case agent.Call_ATTACH_CONTAINER_OUTPUT:
		return call.GetAttachContainerOutput().GetContainerId(), true
	case agent.Call_LAUNCH_CONTAINER:
		return call.GetLaunchContainer().GetContainerId(), true
	case agent.Call_WAIT_CONTAINER:
		return call.GetWaitContainer().GetContainerId(), true
	case agent.Call_KILL_CONTAINER:
		return call.GetKillContainer().GetContainerId(), true
	case agent.Call_REMOVE_CONTAINER:
		return call.GetRemoveContainer().GetContainerId(), true
	default:
		return nil, false
	}
}

func launchedContainer(payload string, cmd *mesosv1.CommandInfo, container *mesosv1.ContainerInfo) error {
	if err := command(cmd); err != nil {
		return fmt.Errorf("'%s.command' is invalid: %w", payload, err)
	}
	if container == nil {
		return nil
	}
	if container.GetType() != mesosv1.ContainerInfo_MESOS {
		return fmt.Errorf("'%s.container' is invalid: only ContainerInfo of type MESOS is supported", payload)
	}
	if err := containerInfo(container); err != nil {
		return fmt.Errorf("'%s.container' is invalid: %w", payload, err)
	}
	return nil
}

func launchContainer(call *agent.Call_LaunchContainer) error {
	const payload = "launch_container"
	if err := launchedContainer(payload, call.GetCommand(), call.GetContainer()); err != nil {
		return err
	}
	if err := resourceMessages(call.GetResources()); err != nil {
		return fmt.Errorf("'%s.resources' is invalid: %w", payload, err)
	}
	if err := limits(call.GetLimits(), call.GetResources()); err != nil {
		return fmt.Errorf("'%s.limits' is invalid: %w", payload, err)
	}
	shares := sharesCgroups(call.GetContainer())
	parent := call.GetContainerId().GetParent()
	switch {
	case parent == nil:
		if linux := call.GetContainer().GetLinuxInfo(); linux != nil && linux.ShareCgroups != nil && linux.GetShareCgroups() {
			return errors.New("'share_cgroups' must not be true for a container without parent")
		}
		return standaloneResources(call.GetResources())
	case parent.GetParent() != nil:
		if len(call.GetResources()) > 0 || len(call.GetLimits()) > 0 || !shares {
			return errors.New("a container below a nested one must not set 'resources', 'limits' or 'share_cgroups' to false")
		}
	}
	return nil
}

// standaloneResources holds if nobody else has a claim to the resources: they are
// not in the master's books.
func standaloneResources(messages []*mesosv1.Resource) error {
	for _, m := range messages {
		if len(m.GetReservations()) > 0 || m.GetRole() != "*" || m.Revocable != nil || m.GetDisk().GetPersistence() != nil {
			return fmt.Errorf("resource '%s' of a standalone container must be unreserved, non-revocable and no persistent volume", printable(m.GetName()))
		}
	}
	return nil
}

func attachInput(call *agent.Call_AttachContainerInput) error {
	if call.Type == nil {
		return errors.New("Expecting 'attach_container_input.type' to be present")
	}
	switch kind := call.GetType(); kind {
	case agent.Call_AttachContainerInput_CONTAINER_ID:
		if call.ContainerId == nil {
			return errors.New("Expecting 'attach_container_input.container_id' to be present")
		}
		if err := ContainerID(call.GetContainerId()); err != nil {
			return fmt.Errorf("'attach_container_input.container_id' is invalid: %w", err)
		}
		return nil
	case agent.Call_AttachContainerInput_PROCESS_IO:
		if call.ProcessIo == nil {
			return errors.New("Expecting 'attach_container_input.process_io' to be present")
		}
		return processIO(call.GetProcessIo())
	default:
		return fmt.Errorf("'attach_container_input.type' is unknown: %s", kind)
	}
}

func processIO(io *agent.ProcessIO) error {
	if io.Type == nil {
		return errors.New("Expecting 'process_io.type' to be present")
	}
	switch kind := io.GetType(); kind {
	case agent.ProcessIO_DATA:
		switch {
		case io.Data == nil:
			return errors.New("Expecting 'process_io.data' to be present")
		case io.GetData().Type == nil:
			return errors.New("Expecting 'process_io.data.type' to be present")
		case io.GetData().GetType() != agent.ProcessIO_Data_STDIN:
			return errors.New("Expecting 'process_io.data.type' to be STDIN")
		case io.GetData().Data == nil:
			return errors.New("Expecting 'process_io.data.data' to be present")
		}
		return nil
	case agent.ProcessIO_CONTROL:
		return processControl(io.GetControl())
	default:
		return fmt.Errorf("'process_io.type' is unknown: %s", kind)
	}
}

func processControl(control *agent.ProcessIO_Control) error {
	if control == nil {
		return errors.New("Expecting 'process_io.control' to be present")
	}
	if control.Type == nil {
		return errors.New("Expecting 'process_io.control.type' to be present")
	}
	switch kind := control.GetType(); kind {
	case agent.ProcessIO_Control_TTY_INFO:
		if control.GetTtyInfo().GetWindowSize() == nil {
			return errors.New("Expecting 'process_io.control.tty_info.window_size' to be present")
		}
		return nil
	case agent.ProcessIO_Control_HEARTBEAT:
		return nil
	default:
		return fmt.Errorf("'process_io.control.type' is unknown: %s", kind)
	}
}

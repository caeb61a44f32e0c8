package validate_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// ofCall is a row: a call as JSON, and what is wrong with it, empty if nothing is.
type ofCall struct{ call, want string }

const uuid = `"AAECAwQFBgcICQoLDA0ODw=="` // 16 bytes

func check[M any, P interface {
	*M
	proto.Message
}](t *testing.T, validate func(P) error, rows []ofCall) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.call, func(t *testing.T) {
			call := P(new(M))
			require.NoError(t, mesosjson.Unmarshal([]byte(row.call), call))
			wants(t, row.want, validate(call))
		})
	}
}

func wants(t *testing.T, want string, err error) {
	t.Helper()
	if want == "" {
		require.NoError(t, err)
		return
	}
	require.EqualError(t, err, want)
}

func TestSchedulerCall(t *testing.T) {
	const missing = "Expecting 'framework_id' to be present"
	check(t, validate.SchedulerCall, []ofCall{
		{`{}`, "Expecting 'type' to be present"},
		{`{"type":"NEWER"}`, "Expecting 'type' to be present"},
		{`{"type":"UNKNOWN"}`, missing},
		{`{"type":"UNKNOWN","framework_id":{"value":"f"}}`, ""},
		{`{"type":"SUBSCRIBE"}`, "Expecting 'subscribe' to be present"},
		{`{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n"}}}`, ""},
		{`{"type":"SUBSCRIBE","framework_id":{"value":"f"},"subscribe":{"framework_info":{"user":"u","name":"n","id":{"value":"f"}}}}`, ""},
		{`{"type":"SUBSCRIBE","framework_id":{"value":"f"},"subscribe":{"framework_info":{"user":"u","name":"n"}}}`, "'framework_id' differs from 'subscribe.framework_info.id'"},
		{`{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n","id":{"value":"f"}}}}`, "'framework_id' differs from 'subscribe.framework_info.id'"},
		{`{"type":"TEARDOWN"}`, missing},
		{`{"type":"TEARDOWN","framework_id":{"value":"f"}}`, ""},
		{`{"type":"REVIVE","framework_id":{"value":"f"}}`, ""},
		{`{"type":"SUPPRESS","framework_id":{"value":"f"}}`, ""},
		{`{"type":"ACCEPT","framework_id":{"value":"f"}}`, "Expecting 'accept' to be present"},
		{`{"type":"ACCEPT","framework_id":{"value":"f"},"accept":{}}`, ""},
		{`{"type":"DECLINE","framework_id":{"value":"f"}}`, "Expecting 'decline' to be present"},
		{`{"type":"DECLINE","framework_id":{"value":"f"},"decline":{"offer_ids":[]}}`, ""},
		{`{"type":"ACCEPT_INVERSE_OFFERS","framework_id":{"value":"f"}}`, "Expecting 'accept_inverse_offers' to be present"},
		{`{"type":"DECLINE_INVERSE_OFFERS","framework_id":{"value":"f"}}`, "Expecting 'decline_inverse_offers' to be present"},
		{`{"type":"KILL","framework_id":{"value":"f"}}`, "Expecting 'kill' to be present"},
		{`{"type":"KILL","framework_id":{"value":"f"},"kill":{"task_id":{"value":"t"}}}`, ""},
		{`{"type":"SHUTDOWN","framework_id":{"value":"f"}}`, "Expecting 'shutdown' to be present"},
		{`{"type":"RECONCILE","framework_id":{"value":"f"}}`, "Expecting 'reconcile' to be present"},
		{`{"type":"RECONCILE","framework_id":{"value":"f"},"reconcile":{}}`, ""},
		{`{"type":"RECONCILE_OPERATIONS","framework_id":{"value":"f"}}`, "Expecting 'reconcile_operations' to be present"},
		{`{"type":"MESSAGE","framework_id":{"value":"f"}}`, "Expecting 'message' to be present"},
		{`{"type":"REQUEST","framework_id":{"value":"f"}}`, "Expecting 'request' to be present"},
		{`{"type":"ACKNOWLEDGE","framework_id":{"value":"f"}}`, "Expecting 'acknowledge' to be present"},
		{`{"type":"ACKNOWLEDGE","framework_id":{"value":"f"},"acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":` + uuid + `}}`, ""},
		{`{"type":"ACKNOWLEDGE","framework_id":{"value":"f"},"acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"AAEC"}}`, "Not a valid UUID: it has 3 bytes instead of 16"},
		{`{"type":"ACKNOWLEDGE_OPERATION_STATUS","framework_id":{"value":"f"}}`, "Expecting 'acknowledge_operation_status' to be present"},
		{`{"type":"ACKNOWLEDGE_OPERATION_STATUS","framework_id":{"value":"f"},"acknowledge_operation_status":{"uuid":"","operation_id":{"value":"o"}}}`, "Not a valid UUID: it has 0 bytes instead of 16"},
		{`{"type":"ACKNOWLEDGE_OPERATION_STATUS","framework_id":{"value":"f"},"acknowledge_operation_status":{"uuid":` + uuid + `,"operation_id":{"value":"o"}}}`, "Expecting 'agent_id' to be present"},
		{`{"type":"UPDATE_FRAMEWORK","framework_id":{"value":"f"}}`, "Expecting 'update_framework' to be present"},
		{`{"type":"UPDATE_FRAMEWORK","framework_id":{"value":"f"},"update_framework":{"framework_info":{"user":"u","name":"n"}}}`, "'framework_id' differs from 'update_framework.framework_info.id'"},
		{`{"type":"UPDATE_FRAMEWORK","framework_id":{"value":"f"},"update_framework":{"framework_info":{"user":"u","name":"n","id":{"value":"f"}}}}`, ""},
	})

	t.Run("what lacks required fields is refused, whoever read it", func(t *testing.T) {
		err := validate.SchedulerCall(&scheduler.Call{Type: scheduler.Call_KILL.Enum(), Kill: &scheduler.Call_Kill{}})
		require.ErrorContains(t, err, "Not initialized: ")
		require.ErrorContains(t, err, "task_id")
	})
}

func TestOperatorCall(t *testing.T) {
	check(t, validate.OperatorCall, []ofCall{
		{`{}`, "Expecting 'type' to be present"},
		{`{"type":"UNKNOWN"}`, ""},
		{`{"type":"GET_HEALTH"}`, ""},
		{`{"type":"GET_STATE"}`, ""},
		{`{"type":"SUBSCRIBE"}`, ""},
		{`{"type":"GET_METRICS"}`, "Expecting 'get_metrics' to be present"},
		{`{"type":"GET_METRICS","get_metrics":{}}`, ""},
		{`{"type":"SET_LOGGING_LEVEL"}`, "Expecting 'set_logging_level' to be present"},
		{`{"type":"LIST_FILES"}`, "Expecting 'list_files' to be present"},
		{`{"type":"READ_FILE"}`, "Expecting 'read_file' to be present"},
		{`{"type":"UPDATE_WEIGHTS"}`, "Expecting 'update_weights' to be present"},
		{`{"type":"UPDATE_WEIGHTS","update_weights":{}}`, ""},
		{`{"type":"RESERVE_RESOURCES"}`, "Expecting 'reserve_resources' to be present"},
		{`{"type":"UNRESERVE_RESOURCES"}`, "Expecting 'unreserve_resources' to be present"},
		{`{"type":"CREATE_VOLUMES"}`, "Expecting 'create_volumes' to be present"},
		{`{"type":"DESTROY_VOLUMES"}`, "Expecting 'destroy_volumes' to be present"},
		{`{"type":"GROW_VOLUME"}`, "Expecting 'grow_volume' to be present"},
		{`{"type":"GROW_VOLUME","grow_volume":{"volume":{"name":"disk","type":"SCALAR"},"addition":{"name":"disk","type":"SCALAR"}}}`, "Expecting 'grow_volume.agent_id' to be present"},
		{`{"type":"SHRINK_VOLUME"}`, "Expecting 'shrink_volume' to be present"},
		{`{"type":"SHRINK_VOLUME","shrink_volume":{"volume":{"name":"disk","type":"SCALAR"},"subtract":{"value":1}}}`, "Expecting 'shrink_volume.agent_id' to be present"},
		{`{"type":"SHRINK_VOLUME","shrink_volume":{"agent_id":{"value":"a"},"volume":{"name":"disk","type":"SCALAR"},"subtract":{"value":1}}}`, ""},
		{`{"type":"UPDATE_MAINTENANCE_SCHEDULE"}`, "Expecting 'update_maintenance_schedule' to be present"},
		{`{"type":"START_MAINTENANCE"}`, "Expecting 'start_maintenance' to be present"},
		{`{"type":"STOP_MAINTENANCE"}`, "Expecting 'stop_maintenance' to be present"},
		{`{"type":"DRAIN_AGENT"}`, "Expecting 'drain_agent' to be present"},
		{`{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"a"},"max_grace_period":{"seconds":-1}}}`, "Expecting 'drain_agent.max_grace_period' to be non-negative"},
		{`{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"a"},"max_grace_period":{"seconds":600}}}`, ""},
		{`{"type":"DEACTIVATE_AGENT"}`, "Expecting 'deactivate_agent' to be present"},
		{`{"type":"REACTIVATE_AGENT"}`, "Expecting 'reactivate_agent' to be present"},
		{`{"type":"UPDATE_QUOTA"}`, "Expecting 'update_quota' to be present"},
		{`{"type":"SET_QUOTA"}`, "Expecting 'set_quota' to be present"},
		{`{"type":"REMOVE_QUOTA"}`, "Expecting 'remove_quota' to be present"},
		{`{"type":"TEARDOWN"}`, "Expecting 'teardown' to be present"},
		{`{"type":"MARK_AGENT_GONE"}`, "Expecting 'mark_agent_gone' to be present"},
	})
	t.Run("what lacks required fields is refused, whoever read it", func(t *testing.T) {
		err := validate.OperatorCall(&master.Call{Type: master.Call_TEARDOWN.Enum(), Teardown: &master.Call_Teardown{}})
		require.ErrorContains(t, err, "Not initialized: ")
	})
}

func TestExecutorCall(t *testing.T) {
	update := func(status string) string {
		return `{"type":"UPDATE","executor_id":{"value":"e"},"framework_id":{"value":"f"},"update":{"status":{"task_id":{"value":"t"},` + status + `}}}`
	}
	check(t, validate.ExecutorCall, []ofCall{
		{`{"executor_id":{"value":"e"},"framework_id":{"value":"f"}}`, "Expecting 'type' to be present"},
		{`{"type":"UNKNOWN","executor_id":{"value":"e"},"framework_id":{"value":"f"}}`, ""},
		{`{"type":"HEARTBEAT","executor_id":{"value":"e"},"framework_id":{"value":"f"}}`, ""},
		{`{"type":"SUBSCRIBE","executor_id":{"value":"e"},"framework_id":{"value":"f"}}`, "Expecting 'subscribe' to be present"},
		{`{"type":"SUBSCRIBE","executor_id":{"value":"e"},"framework_id":{"value":"f"},"subscribe":{}}`, ""},
		{`{"type":"MESSAGE","executor_id":{"value":"e"},"framework_id":{"value":"f"}}`, "Expecting 'message' to be present"},
		{`{"type":"UPDATE","executor_id":{"value":"e"},"framework_id":{"value":"f"}}`, "Expecting 'update' to be present"},
		{update(`"state":"TASK_RUNNING","source":"SOURCE_EXECUTOR"`), "Expecting 'uuid' to be present"},
		{update(`"state":"TASK_RUNNING","source":"SOURCE_EXECUTOR","uuid":"AAEC"`), "Not a valid UUID: it has 3 bytes instead of 16"},
		{update(`"state":"TASK_RUNNING","source":"SOURCE_EXECUTOR","uuid":` + uuid + `,"executor_id":{"value":"x"}`), "ExecutorID in Call: e does not match ExecutorID in TaskStatus: x"},
		{update(`"state":"TASK_RUNNING","uuid":` + uuid), "Received Call from executor e of framework f with invalid source, expecting 'SOURCE_EXECUTOR'"},
		{update(`"state":"TASK_RUNNING","source":"SOURCE_AGENT","uuid":` + uuid), "Received Call from executor e of framework f with invalid source, expecting 'SOURCE_EXECUTOR'"},
		{update(`"state":"TASK_STAGING","source":"SOURCE_EXECUTOR","uuid":` + uuid), "Received TASK_STAGING from executor e of framework f which is not allowed"},
		{update(`"state":"TASK_RUNNING","source":"SOURCE_EXECUTOR","uuid":` + uuid + `,"executor_id":{"value":"e"}`), ""},
		{update(`"state":"TASK_RUNNING","source":"SOURCE_EXECUTOR","uuid":` + uuid + `,"check_status":{}`), "CheckStatusInfo must specify 'type'"},
		{update(`"state":"TASK_RUNNING","source":"SOURCE_EXECUTOR","uuid":` + uuid + `,"check_status":{"type":"UNKNOWN"}`), "'UNKNOWN' is not a valid check's status type"},
		{update(`"state":"TASK_RUNNING","source":"SOURCE_EXECUTOR","uuid":` + uuid + `,"check_status":{"type":"TCP"}`), "Expecting the field of its type to be set for TCP check's status"},
		{update(`"state":"TASK_RUNNING","source":"SOURCE_EXECUTOR","uuid":` + uuid + `,"check_status":{"type":"HTTP","command":{}}`), "Expecting the field of its type to be set for HTTP check's status"},
		{update(`"state":"TASK_RUNNING","source":"SOURCE_EXECUTOR","uuid":` + uuid + `,"check_status":{"type":"COMMAND","command":{}}`), ""},
	})
	t.Run("ids are missed one by one", func(t *testing.T) {
		call := &executor.Call{Type: executor.Call_HEARTBEAT.Enum()}
		require.EqualError(t, validate.ExecutorCall(call), "Expecting 'executor_id' to be present")
		call.ExecutorId = executorID("e")
		require.EqualError(t, validate.ExecutorCall(call), "Expecting 'framework_id' to be present")
		call.FrameworkId = frameworkID("f")
		require.NoError(t, validate.ExecutorCall(call))
		call.Message = &executor.Call_Message{}
		require.ErrorContains(t, validate.ExecutorCall(call), "Not initialized: ")
	})
}

func TestAgentCall(t *testing.T) {
	nested := func(kind, payload, rest string) string {
		return `{"type":"` + kind + `","` + payload + `":{"container_id":{"value":"c","parent":{"value":"p"}}` + rest + `}}`
	}
	input := func(text string) string {
		return `{"type":"ATTACH_CONTAINER_INPUT","attach_container_input":` + text + `}`
	}
	rows := []ofCall{
		{`{}`, "Expecting 'type' to be present"},
		{`{"type":"GET_CONTAINERS"}`, ""},
		{`{"type":"PRUNE_IMAGES"}`, ""},
		{`{"type":"GET_METRICS"}`, "Expecting 'get_metrics' to be present"},
		{`{"type":"SET_LOGGING_LEVEL"}`, "Expecting 'set_logging_level' to be present"},
		{`{"type":"LIST_FILES"}`, "Expecting 'list_files' to be present"},
		{`{"type":"READ_FILE"}`, "Expecting 'read_file' to be present"},
		{`{"type":"ADD_RESOURCE_PROVIDER_CONFIG"}`, "Expecting 'add_resource_provider_config' to be present"},
		{`{"type":"UPDATE_RESOURCE_PROVIDER_CONFIG"}`, "Expecting 'update_resource_provider_config' to be present"},
		{`{"type":"REMOVE_RESOURCE_PROVIDER_CONFIG"}`, "Expecting 'remove_resource_provider_config' to be present"},
		{`{"type":"MARK_RESOURCE_PROVIDER_GONE"}`, "Expecting 'mark_resource_provider_gone' to be present"},

		{nested("LAUNCH_NESTED_CONTAINER", "launch_nested_container", `,"command":{"value":"true"}`), ""},
		{nested("LAUNCH_NESTED_CONTAINER", "launch_nested_container", `,"command":{"environment":{"variables":[{"name":"A"}]}}`),
			"'launch_nested_container.command' is invalid: environment variable 'A' of type 'VALUE' must have a value set"},
		{nested("LAUNCH_NESTED_CONTAINER_SESSION", "launch_nested_container_session", `,"command":{"environment":{"variables":[{"name":"A"}]}}`),
			"'launch_nested_container_session.command' is invalid: environment variable 'A' of type 'VALUE' must have a value set"},
		{nested("LAUNCH_NESTED_CONTAINER_SESSION", "launch_nested_container_session", `,"container":{"type":"DOCKER","docker":{"image":"i"}}`),
			"'launch_nested_container_session.container' is invalid: only ContainerInfo of type MESOS is supported"},
		{nested("LAUNCH_CONTAINER", "launch_container", `,"container":{"type":"MESOS","volumes":[{"mode":"RW","container_path":"x"}]}`),
			"'launch_container.container' is invalid: invalid volume: exactly one of 'host_path', 'image' and 'source' must be set"},
		{nested("LAUNCH_CONTAINER", "launch_container", `,"container":{"type":"MESOS"},"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":0.1}}]`), ""},
		{nested("LAUNCH_CONTAINER", "launch_container", `,"resources":[{"name":"cpus","type":"SCALAR"}]`),
			"'launch_container.resources' is invalid: invalid resources: resource 0, \"cpus\", is invalid: a resource of type SCALAR must have that value and no other"},
		{nested("LAUNCH_CONTAINER", "launch_container", `,"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":2}}],"limits":{"cpus":{"value":1}}`),
			"'launch_container.limits' is invalid: the limit of 'cpus' (1) is less than the request (2)"},
		{`{"type":"LAUNCH_CONTAINER","launch_container":{"container_id":{"value":"c"},"container":{"type":"MESOS","linux_info":{"share_cgroups":true}}}}`,
			"'share_cgroups' must not be true for a container without parent"},
		{`{"type":"LAUNCH_CONTAINER","launch_container":{"container_id":{"value":"c"},"container":{"type":"MESOS","linux_info":{}},"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":2}}]}}`, ""},
		{`{"type":"LAUNCH_CONTAINER","launch_container":{"container_id":{"value":"c"},"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":2},"role":"web"}]}}`,
			"resource 'cpus' of a standalone container must be unreserved, non-revocable and no persistent volume"},
		{`{"type":"LAUNCH_CONTAINER","launch_container":{"container_id":{"value":"c"},"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":2},"revocable":{}}]}}`,
			"resource 'cpus' of a standalone container must be unreserved, non-revocable and no persistent volume"},
		{`{"type":"LAUNCH_CONTAINER","launch_container":{"container_id":{"value":"c","parent":{"value":"p","parent":{"value":"q"}}}}}`, ""},
		{`{"type":"LAUNCH_CONTAINER","launch_container":{"container_id":{"value":"c","parent":{"value":"p","parent":{"value":"q"}}},"limits":{"cpus":{"value":1}}}}`,
			"a container below a nested one must not set 'resources', 'limits' or 'share_cgroups' to false"},
		{`{"type":"LAUNCH_CONTAINER","launch_container":{"container_id":{"value":"c","parent":{"value":"p","parent":{"value":"q"}}},"container":{"type":"MESOS","linux_info":{"share_cgroups":false}}}}`,
			"a container below a nested one must not set 'resources', 'limits' or 'share_cgroups' to false"},

		{`{"type":"ATTACH_CONTAINER_OUTPUT"}`, "Expecting 'attach_container_output' to be present"},
		{`{"type":"ATTACH_CONTAINER_OUTPUT","attach_container_output":{"container_id":{"value":"c"}}}`, ""},
		{`{"type":"ATTACH_CONTAINER_OUTPUT","attach_container_output":{"container_id":{"value":"a/b"}}}`, "'attach_container_output.container_id' is invalid: 'a/b' contains invalid characters"},
		{`{"type":"ATTACH_CONTAINER_INPUT"}`, "Expecting 'attach_container_input' to be present"},
		{input(`{}`), "Expecting 'attach_container_input.type' to be present"},
		{input(`{"type":"UNKNOWN"}`), "'attach_container_input.type' is unknown: UNKNOWN"},
		{input(`{"type":"CONTAINER_ID"}`), "Expecting 'attach_container_input.container_id' to be present"},
		{input(`{"type":"CONTAINER_ID","container_id":{"value":"a.b"}}`), "'attach_container_input.container_id' is invalid: 'ContainerID.value' 'a.b' contains invalid characters"},
		{input(`{"type":"CONTAINER_ID","container_id":{"value":"a"}}`), ""},
		{input(`{"type":"PROCESS_IO"}`), "Expecting 'attach_container_input.process_io' to be present"},
		{input(`{"type":"PROCESS_IO","process_io":{}}`), "Expecting 'process_io.type' to be present"},
		{input(`{"type":"PROCESS_IO","process_io":{"type":"UNKNOWN"}}`), "'process_io.type' is unknown: UNKNOWN"},
		{input(`{"type":"PROCESS_IO","process_io":{"type":"DATA"}}`), "Expecting 'process_io.data' to be present"},
		{input(`{"type":"PROCESS_IO","process_io":{"type":"DATA","data":{"data":"AA=="}}}`), "Expecting 'process_io.data.type' to be present"},
		{input(`{"type":"PROCESS_IO","process_io":{"type":"DATA","data":{"type":"STDOUT","data":"AA=="}}}`), "Expecting 'process_io.data.type' to be STDIN"},
		{input(`{"type":"PROCESS_IO","process_io":{"type":"DATA","data":{"type":"STDIN"}}}`), "Expecting 'process_io.data.data' to be present"},
		{input(`{"type":"PROCESS_IO","process_io":{"type":"DATA","data":{"type":"STDIN","data":""}}}`), ""},
		{input(`{"type":"PROCESS_IO","process_io":{"type":"CONTROL"}}`), "Expecting 'process_io.control' to be present"},
		{input(`{"type":"PROCESS_IO","process_io":{"type":"CONTROL","control":{}}}`), "Expecting 'process_io.control.type' to be present"},
		{input(`{"type":"PROCESS_IO","process_io":{"type":"CONTROL","control":{"type":"UNKNOWN"}}}`), "'process_io.control.type' is unknown: UNKNOWN"},
		{input(`{"type":"PROCESS_IO","process_io":{"type":"CONTROL","control":{"type":"TTY_INFO","tty_info":{}}}}`), "Expecting 'process_io.control.tty_info.window_size' to be present"},
		{input(`{"type":"PROCESS_IO","process_io":{"type":"CONTROL","control":{"type":"TTY_INFO","tty_info":{"window_size":{"rows":1,"columns":2}}}}}`), ""},
		{input(`{"type":"PROCESS_IO","process_io":{"type":"CONTROL","control":{"type":"HEARTBEAT","heartbeat":{"interval":{"nanoseconds":1}}}}}`), ""},
	}
	for kind, payload := range map[string]string{
		"LAUNCH_NESTED_CONTAINER":         "launch_nested_container",
		"WAIT_NESTED_CONTAINER":           "wait_nested_container",
		"KILL_NESTED_CONTAINER":           "kill_nested_container",
		"REMOVE_NESTED_CONTAINER":         "remove_nested_container",
		"LAUNCH_NESTED_CONTAINER_SESSION": "launch_nested_container_session",
	} {
		rows = append(rows,
			ofCall{`{"type":"` + kind + `"}`, "Expecting '" + payload + "' to be present"},
			ofCall{nested(kind, payload, ""), ""},
			ofCall{`{"type":"` + kind + `","` + payload + `":{"container_id":{"value":"c"}}}`, "Expecting '" + payload + ".container_id.parent' to be present"},
			ofCall{`{"type":"` + kind + `","` + payload + `":{"container_id":{"value":"a b"}}}`, "'" + payload + ".container_id' is invalid: 'ContainerID.value' 'a b' contains invalid characters"},
		)
	}
	for kind, payload := range map[string]string{
		"LAUNCH_CONTAINER": "launch_container",
		"WAIT_CONTAINER":   "wait_container",
		"KILL_CONTAINER":   "kill_container",
		"REMOVE_CONTAINER": "remove_container",
	} {
		rows = append(rows,
			ofCall{`{"type":"` + kind + `"}`, "Expecting '" + payload + "' to be present"},
			ofCall{nested(kind, payload, ""), ""},
			ofCall{`{"type":"` + kind + `","` + payload + `":{"container_id":{"value":"c"}}}`, ""},
			ofCall{`{"type":"` + kind + `","` + payload + `":{"container_id":{"value":"..","parent":{"value":"p"}}}}`, "'" + payload + ".container_id' is invalid: '..' is disallowed as an ID"},
		)
	}
	check(t, validate.AgentCall, rows)

	t.Run("what lacks required fields is refused, whoever read it", func(t *testing.T) {
		err := validate.AgentCall(&agent.Call{Type: agent.Call_WAIT_CONTAINER.Enum(), WaitContainer: &agent.Call_WaitContainer{}})
		require.ErrorContains(t, err, "Not initialized: ")
	})
}

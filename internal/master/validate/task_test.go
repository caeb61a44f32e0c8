package validate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/internal/resources"
)

// persistent is a volume reserved for a role.
func persistent(role, id string) string {
	return `{"name":"disk","type":"SCALAR","scalar":{"value":10},"role":"` + role + `","disk":{"persistence":{"id":"` + id + `"},"volume":{"mode":"RW","container_path":"data"}}}`
}

func scalar(name, value string) string {
	return `{"name":"` + name + `","type":"SCALAR","scalar":{"value":` + value + `}}`
}

// context is a framework f of role web on agent a, with 4 cpus, 1000 mem and a volume
// offered, where task old is known and executor running runs.
func context(t *testing.T) validate.TaskContext {
	t.Helper()
	offered, err := resources.Parse("cpus:4;mem:1000;disk:500", "*")
	require.NoError(t, err)
	volume := &mesosv1.Resource{}
	require.NoError(t, mesosjson.Unmarshal([]byte(persistent("web", "v")), volume))
	volumes, err := resources.New([]*mesosv1.Resource{volume})
	require.NoError(t, err)
	return validate.TaskContext{
		Framework:         &mesosv1.FrameworkInfo{Id: frameworkID("f")},
		Agent:             &mesosv1.AgentInfo{Id: &mesosv1.AgentID{Value: proto.String("a")}},
		AgentCapabilities: []*mesosv1.AgentInfo_Capability{{Type: mesosv1.AgentInfo_Capability_TASK_RESOURCE_LIMITS.Enum()}},
		KnownTask:         func(id string) bool { return id == "old" },
		RunningExecutor: func(id string) *mesosv1.ExecutorInfo {
			if id != "running" {
				return nil
			}
			e := &mesosv1.ExecutorInfo{}
			require.NoError(t, mesosjson.Unmarshal([]byte(`{"executor_id":{"value":"running"},"framework_id":{"value":"f"},"type":"CUSTOM","command":{"value":"x"},"resources":[
				{"name":"cpus","type":"SCALAR","scalar":{"value":3},"allocation_info":{"role":"web"}},
				{"name":"mem","type":"SCALAR","scalar":{"value":32},"allocation_info":{"role":"web"}},
				{"name":"disk","type":"SCALAR","scalar":{"value":1},"allocation_info":{"role":"web"}}]}`), e))
			return e
		},
		Offered:        offered.Add(volumes).Allocate("web"),
		AllocationRole: "web",
	}
}

// taskWith is a task t for agent a with 1 cpu, and what else is given; what is given
// twice counts the last time.
func taskWith(rest string) string {
	return `{"name":"n","task_id":{"value":"t"},"agent_id":{"value":"a"},"resources":[` + scalar("cpus", "1") + `]` + rest + `}`
}

func command(rest string) string { return taskWith(`,"command":{"value":"true"}` + rest) }

func executorTask(rest string) string {
	return taskWith(`,"executor":{"executor_id":{"value":"e"},"command":{"value":"x"}` + rest + `}`)
}

func env(variable string) string {
	return taskWith(`,"command":{"value":"true","environment":{"variables":[` + variable + `]}}`)
}

func container(rest string) string { return command(`,"container":{"type":"MESOS",` + rest + `}`) }

func volumeFrom(source string) string {
	return container(`"volumes":[{"mode":"RW","container_path":"x",` + source + `}]`)
}

func linux(info string) string { return container(`"linux_info":` + info) }

func health(check string) string { return command(`,"health_check":` + check) }

func checked(check string) string { return command(`,"check":` + check) }

func uses(messages ...string) string {
	return command(`,"resources":[` + strings.Join(messages, ",") + `]`)
}

func TestTask(t *testing.T) {
	const (
		inHealth    = "Task uses invalid health check: "
		inCheck     = "Task uses invalid check: "
		inCommand   = "Task's 'CommandInfo' is invalid: "
		inContainer = "Task's 'ContainerInfo' is invalid: "
		inVolume    = inContainer + "invalid volume: "
		inResources = "Task uses invalid resources: "
	)
	for _, row := range []struct{ task, want string }{
		{command(""), ""},
		{command(`,"task_id":{"value":"a/b"}`), "Task has an invalid ID: 'a/b' contains invalid characters"},
		{command(`,"task_id":{"value":"old"}`), "Task has duplicate ID: old"},
		{command(`,"agent_id":{"value":"b"}`), "Task uses invalid agent b while agent a is expected"},
		{command(`,"kill_policy":{"grace_period":{"nanoseconds":-1}}`), "Task's 'kill_policy.grace_period' must be non-negative"},
		{command(`,"kill_policy":{"grace_period":{"nanoseconds":1}}`), ""},
		{command(`,"max_completion_time":{"nanoseconds":-1}`), "Task's 'max_completion_time' must be non-negative"},

		{checked(`{}`), inCheck + "CheckInfo must specify 'type'"},
		{checked(`{"type":"UNKNOWN"}`), inCheck + "'UNKNOWN' is not a valid check type"},
		{checked(`{"type":"COMMAND"}`), inCheck + "Expecting 'command' to be set for COMMAND check"},
		{checked(`{"type":"COMMAND","command":{"command":{"value":"true"}}}`), ""},
		{checked(`{"type":"COMMAND","command":{"command":{}}}`), inCheck + "Command check must contain 'shell command'"},
		{checked(`{"type":"COMMAND","command":{"command":{"shell":false}}}`), inCheck + "Command check must contain 'executable command'"},
		{checked(`{"type":"COMMAND","command":{"command":{"value":"x","environment":{"variables":[{"name":"A"}]}}}}`),
			inCheck + "Check's 'CommandInfo' is invalid: environment variable 'A' of type 'VALUE' must have a value set"},
		{checked(`{"type":"HTTP"}`), inCheck + "Expecting 'http' to be set for HTTP check"},
		{checked(`{"type":"HTTP","http":{"port":80,"path":"x"}}`), inCheck + "The path 'x' of HTTP check must start with '/'"},
		{checked(`{"type":"HTTP","http":{"port":65536}}`), inCheck + "port 65536 is out of range"},
		{checked(`{"type":"HTTP","http":{"port":80}}`), ""},
		{checked(`{"type":"TCP"}`), inCheck + "Expecting 'tcp' to be set for TCP check"},
		{checked(`{"type":"TCP","tcp":{"port":65536}}`), inCheck + "port 65536 is out of range"},
		{checked(`{"type":"TCP","tcp":{"port":80},"delay_seconds":-1}`), inCheck + "Expecting 'delay_seconds' to be non-negative"},
		{checked(`{"type":"TCP","tcp":{"port":80},"interval_seconds":-1}`), inCheck + "Expecting 'interval_seconds' to be non-negative"},
		{checked(`{"type":"TCP","tcp":{"port":80},"timeout_seconds":-1}`), inCheck + "Expecting 'timeout_seconds' to be non-negative"},
		{checked(`{"type":"TCP","tcp":{"port":80},"timeout_seconds":"Infinity"}`), inCheck + "'timeout_seconds' is not within the range of durations"},

		{health(`{}`), inHealth + "HealthCheck must specify 'type'"},
		{health(`{"type":"UNKNOWN"}`), inHealth + "'UNKNOWN' is not a valid health check type"},
		{health(`{"command":{"value":"true"}}`), ""},
		{health(`{"http":{"port":80}}`), ""},
		{health(`{"type":"COMMAND"}`), inHealth + "Expecting 'command' to be set for COMMAND health check"},
		{health(`{"type":"COMMAND","command":{}}`), inHealth + "Command check must contain 'shell command'"},
		{health(`{"type":"HTTP"}`), inHealth + "Expecting 'http' to be set for HTTP health check"},
		{health(`{"type":"HTTP","http":{"port":80,"scheme":"ftp"}}`), inHealth + "Unsupported HTTP health check scheme: 'ftp'"},
		{health(`{"type":"HTTP","http":{"port":80,"scheme":"https","path":"x"}}`), inHealth + "The path 'x' of HTTP check must start with '/'"},
		{health(`{"type":"TCP"}`), inHealth + "Expecting 'tcp' to be set for TCP health check"},
		{health(`{"type":"TCP","tcp":{"port":70000}}`), inHealth + "port 70000 is out of range"},
		{health(`{"type":"TCP","tcp":{"port":80},"delay_seconds":-1}`), inHealth + "Expecting 'delay_seconds' to be non-negative"},
		{health(`{"type":"TCP","tcp":{"port":80},"grace_period_seconds":-1}`), inHealth + "Expecting 'grace_period_seconds' to be non-negative"},
		{health(`{"type":"TCP","tcp":{"port":80},"interval_seconds":-1}`), inHealth + "Expecting 'interval_seconds' to be non-negative"},
		{health(`{"type":"TCP","tcp":{"port":80},"timeout_seconds":-1}`), inHealth + "Expecting 'timeout_seconds' to be non-negative"},

		{uses(), "Task uses no resources"},
		{uses(scalar("cpus", "-1")), inResources + `invalid resources: resource 0, "cpus", is invalid: value -1 <= 0, or too small or too large`},
		{uses(scalar("cpus", "0"), scalar("mem", "1")), ""},
		{uses(scalar("gpus", "0.5")), inResources + `invalid resources: resource 0, "gpus", is invalid: the 'gpus' resource must be an unsigned integer, not 0.5`},
		{uses(`{"name":"cpus","type":"SCALAR","scalar":{"value":1},"allocation_info":{"role":"web"}}`), ""},
		{uses(`{"name":"cpus","type":"SCALAR","scalar":{"value":1},"allocation_info":{"role":"db"}}`), inResources + "resource 'cpus' is allocated to role 'db', not to 'web'"},
		{uses(scalar("cpus", "1"), `{"name":"cpus","type":"SCALAR","scalar":{"value":1},"revocable":{}}`),
			"Task mixes revocable and non-revocable resources: cannot use both revocable and non-revocable 'cpus' at the same time"},
		{uses(`{"name":"cpus","type":"SCALAR","scalar":{"value":1},"revocable":{},"role":"web","reservation":{}}`),
			inResources + "invalid ReservationInfo: dynamically reserved resource 'cpus' cannot be created from revocable resources"},
		{uses(`{"name":"cpus","type":"SCALAR","scalar":{"value":1},"revocable":{},"reservations":[{"type":"DYNAMIC","role":"web"}]}`),
			inResources + "invalid ReservationInfo: dynamically reserved resource 'cpus' cannot be created from revocable resources"},
		{uses(persistent("web", "v")), ""},
		{uses(persistent("web", "v"), persistent("web", "v")), "Task uses duplicate persistence ID: persistence ID 'v' is not unique"},
		{uses(persistent("*", "v")), inResources + "invalid DiskInfo: persistent volumes cannot be created from unreserved resources"},
		{uses(persistent("web", "a/b")), inResources + "invalid DiskInfo: persistence ID is invalid: 'a/b' contains invalid characters"},
		{uses(`{"name":"disk","type":"SCALAR","scalar":{"value":1},"role":"web","revocable":{},"disk":{"persistence":{"id":"v"}}}`),
			inResources + "invalid DiskInfo: persistent volumes cannot be created from revocable resources"},
		{uses(`{"name":"disk","type":"SCALAR","scalar":{"value":1},"role":"web","disk":{"persistence":{"id":"v"}}}`),
			inResources + "invalid DiskInfo: Expecting 'volume' to be set for persistent volume"},
		{uses(`{"name":"disk","type":"SCALAR","scalar":{"value":1},"role":"web","disk":{"persistence":{"id":"v"},"volume":{"mode":"RW","container_path":"x","host_path":"/y"}}}`),
			inResources + "invalid DiskInfo: Expecting 'host_path' to be unset for persistent volume"},
		{uses(`{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{"volume":{"mode":"RW","container_path":"x"}}}`),
			inResources + "invalid DiskInfo: a volume without 'persistence' is not supported"},
		{uses(`{"name":"disk","type":"SCALAR","scalar":{"value":1},"disk":{}}`), inResources + "invalid DiskInfo: DiskInfo is set but empty"},
		{uses(strings.TrimSuffix(strings.Repeat(scalar("x", "1")+",", resources.MaxResources+1), ",")), inResources + "invalid resources: 16385 are too many, the limit is 16384"},

		{env(`{"name":"A","value":"1"}`), ""},
		{env(`{"name":"A","type":"VALUE"}`), inCommand + "environment variable 'A' of type 'VALUE' must have a value set"},
		{env(`{"name":"A","value":"1","secret":{}}`), inCommand + "environment variable 'A' of type 'VALUE' must not have a secret set"},
		{env(`{"name":"A","type":"UNKNOWN"}`), inCommand + "environment variable 'A' of type 'UNKNOWN' is not allowed"},
		{env(`{"name":"A","type":"SECRET"}`), inCommand + "environment variable 'A' of type 'SECRET' must have a secret set"},
		{env(`{"name":"A","type":"SECRET","value":"1","secret":{}}`), inCommand + "environment variable 'A' of type 'SECRET' must not have a value set"},
		{env(`{"name":"A","type":"SECRET","secret":{}}`), inCommand + "environment variable 'A' specifies an invalid secret: secret type 'UNKNOWN' is not supported"},
		{env(`{"name":"A","type":"SECRET","secret":{"type":"REFERENCE"}}`), inCommand + "environment variable 'A' specifies an invalid secret: a secret of type REFERENCE must have the 'reference' field set"},
		{env(`{"name":"A","type":"SECRET","secret":{"type":"REFERENCE","reference":{"name":"n"},"value":{"data":"AA=="}}}`), inCommand + "environment variable 'A' specifies an invalid secret: a secret of type REFERENCE must not have the 'value' field set"},
		{env(`{"name":"A","type":"SECRET","secret":{"type":"REFERENCE","reference":{"name":"n"}}}`), ""},
		{env(`{"name":"A","type":"SECRET","secret":{"type":"VALUE"}}`), inCommand + "environment variable 'A' specifies an invalid secret: a secret of type VALUE must have the 'value' field set"},
		{env(`{"name":"A","type":"SECRET","secret":{"type":"VALUE","reference":{"name":"n"},"value":{"data":"AQ=="}}}`), inCommand + "environment variable 'A' specifies an invalid secret: a secret of type VALUE must not have the 'reference' field set"},
		{env(`{"name":"A","type":"SECRET","secret":{"type":"VALUE","value":{"data":"AA=="}}}`), inCommand + "environment variable 'A' specifies a secret containing null bytes, which is not allowed in the environment"},
		{env(`{"name":"A","type":"SECRET","secret":{"type":"VALUE","value":{"data":"AQ=="}}}`), ""},

		{command(`,"container":{"type":"DOCKER"}`), inContainer + "DockerInfo 'docker' is not set for DOCKER typed ContainerInfo"},
		{command(`,"container":{"type":"DOCKER","docker":{"image":"i"}}`), ""},
		{volumeFrom(`"host_path":"/x"`), ""},
		{volumeFrom(`"host_path":"/x","source":{"type":"SECRET"}`), inVolume + "exactly one of 'host_path', 'image' and 'source' must be set"},
		{volumeFrom(`"source":{}`), inVolume + "'source.type' UNKNOWN is not supported"},
		{volumeFrom(`"source":{"type":"DOCKER_VOLUME"}`), inVolume + "'source.docker_volume' is not set for DOCKER_VOLUME volume"},
		{volumeFrom(`"source":{"type":"HOST_PATH"}`), inVolume + "'source.host_path' is not set for HOST_PATH volume"},
		{volumeFrom(`"source":{"type":"SANDBOX_PATH"}`), inVolume + "'source.sandbox_path' is not set for SANDBOX_PATH volume"},
		{volumeFrom(`"source":{"type":"SANDBOX_PATH","sandbox_path":{"type":"PARENT","path":"x"}}`), ""},
		{volumeFrom(`"source":{"type":"SECRET"}`), inVolume + "'source.secret' is not set for SECRET volume"},
		{volumeFrom(`"source":{"type":"SECRET","secret":{}}`), inVolume + "'source.secret' is invalid: secret type 'UNKNOWN' is not supported"},
		{volumeFrom(`"source":{"type":"CSI_VOLUME"}`), inVolume + "'source.csi_volume' is not set for CSI_VOLUME volume"},
		{linux(`{"capability_info":{},"effective_capabilities":{}}`), inContainer + "invalid LinuxInfo: only one of 'capability_info' and 'effective_capabilities' is allowed"},
		{linux(`{"seccomp":{"unconfined":true,"profile_name":"p"}}`), inContainer + "invalid LinuxInfo: 'profile_name' must not be set when 'unconfined' is true"},
		{linux(`{"shm_size":1}`), inContainer + "invalid LinuxInfo: 'shm_size' can be set only when 'ipc_mode' is PRIVATE"},
		{linux(`{"shm_size":1,"ipc_mode":"PRIVATE"}`), ""},
		{container(`"rlimit_info":{"rlimits":[{}]}`), inContainer + "invalid RLimitInfo: the type of a resource limit is unknown"},
		{container(`"rlimit_info":{"rlimits":[{"type":"RLMT_CPU","hard":1}]}`), inContainer + "invalid RLimitInfo: both soft and hard limit must be set, or neither"},
		{container(`"rlimit_info":{"rlimits":[{"type":"RLMT_CPU","hard":1,"soft":2}]}`), inContainer + "invalid RLimitInfo: the soft limit must not be above the hard limit"},
		{container(`"rlimit_info":{"rlimits":[{"type":"RLMT_CPU"},{"type":"RLMT_CPU","hard":2,"soft":1}]}`), ""},

		{command(`,"limits":{"cpus":{"value":1},"mem":{"value":"Infinity"}}`), ""},
		{command(`,"limits":{"disk":{"value":1}}`), "Task uses invalid limits: limits of 'disk' are not supported: only those of 'cpus' and 'mem' are"},
		{command(`,"limits":{"mem":{"value":-1}}`), "Task uses invalid limits: the limit of 'mem' must not be negative or no number"},
		{command(`,"limits":{"cpus":{"value":0.5}}`), "Task uses invalid limits: the limit of 'cpus' (0.5) is less than the request (1)"},
		{linux(`{"share_cgroups":false}`), "Task in a LAUNCH must not set 'share_cgroups' to false"},

		{taskWith(""), "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present"},
		{taskWith(`,"command":{"value":"x"},"executor":{"executor_id":{"value":"e"},"command":{"value":"x"}}`), "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present"},
		{executorTask(""), ""},
		{executorTask(`,"executor_id":{"value":""}`), "Executor has an invalid ID: ID must not be empty"},
		{executorTask(`,"type":"DEFAULT"`), "'ExecutorInfo.command' must not be set for 'DEFAULT' executor"},
		{executorTask(`,"type":"DEFAULT","command":null`), "'ExecutorInfo.type' must be 'CUSTOM'"},
		{executorTask(`,"type":"DEFAULT","command":null,"container":{"type":"DOCKER"}`), "'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor"},
		{executorTask(`,"type":"DEFAULT","command":null,"container":{"type":"MESOS","mesos":{"image":{"type":"DOCKER"}}}`), "'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' executor"},
		{executorTask(`,"type":"CUSTOM","command":null`), "'ExecutorInfo.command' must be set for 'CUSTOM' executor"},
		{executorTask(`,"type":"UNKNOWN"`), "'ExecutorInfo.type' must be 'CUSTOM'"},
		{executorTask(`,"command":null`), "'ExecutorInfo.command' must be set"},
		{executorTask(`,"framework_id":{"value":"f"}`), ""},
		{executorTask(`,"framework_id":{"value":"g"}`), "ExecutorInfo has an invalid FrameworkID (Actual: g vs Expected: f)"},
		{executorTask(`,"shutdown_grace_period":{"nanoseconds":-1}`), "ExecutorInfo's 'shutdown_grace_period' must be non-negative"},
		{executorTask(`,"resources":[` + scalar("cpus", "-1") + `]`), `Executor uses invalid resources: invalid resources: resource 0, "cpus", is invalid: value -1 <= 0, or too small or too large`},
		{executorTask(`,"resources":[` + persistent("web", "v") + `,` + persistent("web", "v") + `]`), "Executor's resources use duplicate persistence ID: persistence ID 'v' is not unique"},
		{executorTask(`,"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"revocable":{}}]`),
			"Task and its executor mix revocable and non-revocable resources: cannot use both revocable and non-revocable 'cpus' at the same time"},
		{executorTask(`,"resources":[{"name":"disk","type":"SCALAR","scalar":{"value":10},"role":"web","shared":{},"disk":{"persistence":{"id":"v"},"volume":{"mode":"RW","container_path":"data"}}}]`),
			"Executor resources should not contain any shared resources"},
		{executorTask(`,"command":{"value":"x","environment":{"variables":[{"name":"A"}]}}`), "Executor's 'CommandInfo' is invalid: environment variable 'A' of type 'VALUE' must have a value set"},
		{executorTask(`,"container":{"type":"DOCKER"}`), "Executor's 'ContainerInfo' is invalid: DockerInfo 'docker' is not set for DOCKER typed ContainerInfo"},
		{executorTask(`,"executor_id":{"value":"running"}`), "ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID 'running'"},

		{uses(scalar("cpus", "4.001")), "Total resources cpus(allocated: web):4.001 required by task and its executor is more than available " +
			"cpus(allocated: web):4; mem(allocated: web):1000; disk(allocated: web):500; disk(allocated: web)(reservations: [(STATIC,web)])[v:data]:10"},
		{uses(scalar("cpus", "4")), ""},
	} {
		t.Run(clip(row.task), func(t *testing.T) {
			task := &mesosv1.TaskInfo{}
			require.NoError(t, mesosjson.Unmarshal([]byte(row.task), task))
			before := proto.CloneOf(task)
			err := validate.Task(task, context(t))
			assert.True(t, proto.Equal(before, task), "the task is not changed")
			wants(t, row.want, err)
			if err != nil {
				var refused *validate.Error
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, mesosv1.TaskStatus_REASON_TASK_INVALID, refused.Reason)
				assert.Equal(t, row.want, refused.Text)
			}
		})
	}
}

func clip(name string) string { return name[:min(len(name), 300)] }

func TestTaskOfARunningExecutor(t *testing.T) {
	running := func(rest string) *mesosv1.TaskInfo {
		task := &mesosv1.TaskInfo{}
		require.NoError(t, mesosjson.Unmarshal([]byte(taskWith(`,"resources":[`+scalar("cpus", "2")+`],"executor":{"executor_id":{"value":"running"},"type":"CUSTOM","command":{"value":"x"},
			"resources":[`+scalar("disk", "1")+`,`+scalar("mem", "32")+`,`+scalar("cpus", "3")+`]`+rest+`}`)), task))
		return task
	}
	t.Run("its resources are not asked for again, and it may be said in another shape", func(t *testing.T) {
		require.NoError(t, validate.Task(running(""), context(t)))
	})
	t.Run("it must be the same", func(t *testing.T) {
		require.ErrorContains(t, validate.Task(running(`,"name":"other"`), context(t)), "ExecutorInfo is not compatible")
	})
	t.Run("its resources are asked for if it does not run", func(t *testing.T) {
		tc := context(t)
		tc.RunningExecutor = func(string) *mesosv1.ExecutorInfo { return nil }
		require.ErrorContains(t, validate.Task(running(""), tc), "Total resources cpus(allocated: web):5")
	})
}

func TestTaskOnAnAgentWithoutLimits(t *testing.T) {
	task := &mesosv1.TaskInfo{}
	require.NoError(t, mesosjson.Unmarshal([]byte(command(`,"limits":{"cpus":{"value":1}}`)), task))
	tc := context(t)
	tc.AgentCapabilities = nil
	require.EqualError(t, validate.Task(task, tc), "Task has resource limits, which agent a does not support")
}

// The first mistake of several is the one that Mesos tells.
func TestOrderOfRules(t *testing.T) {
	task := &mesosv1.TaskInfo{}
	require.NoError(t, mesosjson.Unmarshal([]byte(`{"name":"n","task_id":{"value":"/"},"agent_id":{"value":"b"},"kill_policy":{"grace_period":{"nanoseconds":-1}},
		"max_completion_time":{"nanoseconds":-1},"check":{},"health_check":{},"command":{"environment":{"variables":[{"name":"A"}]}},"container":{"type":"DOCKER"},"limits":{"x":{"value":1}}}`), task))
	for _, step := range []struct {
		want string
		mend func()
	}{
		{"Task has an invalid ID", func() { task.TaskId.Value = proto.String("old") }},
		{"Task has duplicate ID", func() { task.TaskId.Value = proto.String("t") }},
		{"Task uses invalid agent", func() { task.AgentId.Value = proto.String("a") }},
		{"kill_policy", func() { task.KillPolicy = nil }},
		{"max_completion_time", func() { task.MaxCompletionTime = nil }},
		{"invalid check", func() { task.Check = nil }},
		{"invalid health check", func() { task.HealthCheck = nil }},
		{"no resources", func() {
			task.Resources = []*mesosv1.Resource{{Name: proto.String("cpus"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(1)}}}
		}},
		{"'CommandInfo' is invalid", func() { task.Command = nil }},
		{"'ContainerInfo' is invalid", func() { task.Container = nil }},
		{"invalid limits", func() { task.Limits = nil }},
		{"CommandInfo or ExecutorInfo", func() { task.Command = &mesosv1.CommandInfo{Value: proto.String("x")} }},
	} {
		require.ErrorContains(t, validate.Task(task, context(t)), step.want)
		step.mend()
	}
	require.NoError(t, validate.Task(task, context(t)))
}

func TestWithHealthCheckType(t *testing.T) {
	of := func(check string) *mesosv1.TaskInfo {
		task := &mesosv1.TaskInfo{}
		require.NoError(t, mesosjson.Unmarshal([]byte(health(check)), task))
		return task
	}
	t.Run("it is filled in in a copy", func(t *testing.T) {
		task := of(`{"http":{"port":80}}`)
		filled := validate.WithHealthCheckType(task)
		assert.Equal(t, mesosv1.HealthCheck_HTTP, filled.GetHealthCheck().GetType())
		assert.Nil(t, task.HealthCheck.Type)
		assert.Equal(t, mesosv1.HealthCheck_COMMAND, validate.WithHealthCheckType(of(`{"command":{"value":"x"}}`)).GetHealthCheck().GetType())
	})
	t.Run("the task stays where there is nothing to fill in", func(t *testing.T) {
		for _, task := range []*mesosv1.TaskInfo{of(`{}`), of(`{"type":"TCP","http":{"port":80}}`), of(`null`)} {
			assert.Same(t, task, validate.WithHealthCheckType(task))
		}
	})
}

func TestOperation(t *testing.T) {
	for _, row := range []struct{ operation, want string }{
		{`{}`, "Expecting 'type' to be present"},
		{`{"type":"UNKNOWN"}`, "Unknown operation type UNKNOWN"},
		{`{"type":"LAUNCH"}`, "Expecting 'launch' to be present"},
		{`{"type":"LAUNCH","launch":{}}`, ""},
		{`{"type":"LAUNCH","launch":{},"id":{"value":"x"}}`, "Operation of type LAUNCH must not have an 'id'"},
		{`{"type":"LAUNCH_GROUP"}`, "Expecting 'launch_group' to be present"},
		{`{"type":"LAUNCH_GROUP","id":{"value":"x"},"launch_group":{"executor":{"executor_id":{"value":"e"}},"task_group":{}}}`, "Operation of type LAUNCH_GROUP must not have an 'id'"},
		{`{"type":"RESERVE"}`, "Expecting 'reserve' to be present"},
		{`{"type":"RESERVE","reserve":{},"id":{"value":"x"}}`, ""},
		{`{"type":"UNRESERVE"}`, "Expecting 'unreserve' to be present"},
		{`{"type":"CREATE"}`, "Expecting 'create' to be present"},
		{`{"type":"DESTROY"}`, "Expecting 'destroy' to be present"},
		{`{"type":"GROW_VOLUME"}`, "Expecting 'grow_volume' to be present"},
		{`{"type":"SHRINK_VOLUME"}`, "Expecting 'shrink_volume' to be present"},
		{`{"type":"CREATE_DISK"}`, "Expecting 'create_disk' to be present"},
		{`{"type":"DESTROY_DISK"}`, "Expecting 'destroy_disk' to be present"},
	} {
		t.Run(row.operation, func(t *testing.T) {
			op := &mesosv1.Offer_Operation{}
			require.NoError(t, mesosjson.Unmarshal([]byte(row.operation), op))
			wants(t, row.want, validate.Operation(op))
		})
	}
}

func TestErrorIsItsText(t *testing.T) {
	var err error = &validate.Error{Reason: mesosv1.TaskStatus_REASON_TASK_INVALID, Text: "text"}
	require.EqualError(t, err, "text")
	require.True(t, errors.As(err, new(*validate.Error)))
}

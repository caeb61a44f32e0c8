package validate_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

func executorWith(rest string) string {
	return `{"executor_id":{"value":"e"},"type":"DEFAULT","framework_id":{"value":"f"},"resources":[` +
		scalar("cpus", "0.1") + `,` + scalar("mem", "32") + `,` + scalar("disk", "10") + `]` + rest + `}`
}

func executorUses(messages ...string) string {
	return executorWith(`,"resources":[` + strings.Join(messages, ",") + `]`)
}

func TestTaskGroup(t *testing.T) {
	const isInvalid = "Task 't' is invalid: "
	other := func(rest string) string { return command(`,"task_id":{"value":"u"}` + rest) }
	alone := `,"container":{"type":"MESOS","linux_info":{"share_cgroups":false}}`
	for _, row := range []struct {
		what, executor string
		tasks          []string
		want           string
	}{
		{"two tasks", executorWith(""), []string{command(""), other("")}, ""},
		{"no tasks", executorWith(""), nil, "Task group must not be empty"},
		{"a bad task", executorWith(""), []string{command(`,"agent_id":{"value":"b"}`)}, isInvalid + "Task uses invalid agent b while agent a is expected"},
		{"a task twice", executorWith(""), []string{command(""), command("")}, isInvalid + "Task has duplicate ID: t"},
		{"a docker task", executorWith(""), []string{command(`,"container":{"type":"DOCKER","docker":{"image":"i"}}`)}, isInvalid + "Docker ContainerInfo is not supported on the task"},
		{"a health check in its own network", executorWith(""), []string{command(`,"container":{"type":"MESOS","network_infos":[{}]},"health_check":{"tcp":{"port":1},"type":"TCP"}`)},
			isInvalid + "HTTP and TCP health checks are not supported for nested containers with their own network"},
		{"an HTTP health check in its own network", executorWith(""), []string{command(`,"container":{"type":"MESOS","network_infos":[{}]},"health_check":{"http":{"port":1}}`)},
			isInvalid + "HTTP and TCP health checks are not supported for nested containers with their own network"},
		{"its own network", executorWith(""), []string{command(`,"container":{"type":"MESOS","network_infos":[{}]}`)}, ""},
		{"limits with shared cgroups", executorWith(""), []string{command(`,"limits":{"cpus":{"value":1}}`)}, isInvalid + "Resource limits may be set only for tasks with 'share_cgroups' set to false"},
		{"limits", executorWith(""), []string{command(alone + `,"limits":{"cpus":{"value":1}}`)}, ""},
		{"cgroups shared by one", executorWith(""), []string{command(alone), other("")}, "'share_cgroups' must be the same for all tasks of a task group"},
		{"no type", executorWith(`,"type":null`), []string{command("")}, "'ExecutorInfo.type' must be set"},
		{"unknown type", executorWith(`,"type":"UNKNOWN"`), []string{command("")}, "Unknown executor type"},
		{"no framework", executorWith(`,"framework_id":null`), []string{command("")}, "'ExecutorInfo.framework_id' must be set"},
		{"another framework", executorWith(`,"framework_id":{"value":"g"}`), []string{command("")}, "ExecutorInfo has an invalid FrameworkID (Actual: g vs Expected: f)"},
		{"a default executor with command", executorWith(`,"command":{}`), []string{command("")}, "'ExecutorInfo.command' must not be set for 'DEFAULT' executor"},
		{"a custom executor", executorWith(`,"type":"CUSTOM","command":{"value":"x"}`), []string{command("")}, ""},
		{"a docker executor", executorWith(`,"type":"CUSTOM","command":{"value":"x"},"container":{"type":"DOCKER","docker":{"image":"i"}}`), []string{command("")},
			"Docker ContainerInfo is not supported on the executor"},
		{"a task with the same executor", executorWith(""), []string{command(`,"executor":` + executorWith(""))}, ""},
		{"a task with another executor", executorWith(""), []string{command(`,"executor":` + executorWith(`,"name":"x"`))}, "The `ExecutorInfo` of task 't' is different from executor 'e'"},
		{"too few cpus", executorUses(scalar("cpus", "0.009"), scalar("mem", "32"), scalar("disk", "1")), []string{command("")}, "Executor 'e' uses less CPUs (0.009) than the minimum required (0.01)"},
		{"no cpus", executorUses(scalar("mem", "32"), scalar("disk", "1")), []string{command("")}, "Executor 'e' uses less CPUs (0) than the minimum required (0.01)"},
		{"too little memory", executorUses(scalar("cpus", "0.01"), scalar("mem", "31"), scalar("disk", "1")), []string{command("")}, "Executor 'e' uses less memory (31) than the minimum required (32)"},
		{"no disk", executorUses(scalar("cpus", "0.01"), scalar("mem", "32"), scalar("disk", "0")), []string{command("")}, "Executor 'e' uses no disk"},
		{"the least", executorUses(scalar("cpus", "0.01"), scalar("mem", "32"), scalar("disk", "0.001")), []string{command("")}, ""},
		{"a volume in task and executor", executorUses(scalar("cpus", "0.1"), scalar("mem", "32"), scalar("disk", "1"), persistent("web", "v")), []string{uses(persistent("web", "v"))},
			"Task group and executor use duplicate persistence ID: persistence ID 'v' is not unique"},
		{"more than is offered", executorWith(""), []string{uses(scalar("cpus", "2")), other(`,"resources":[` + scalar("cpus", "2") + `]`)},
			"Total resources cpus(allocated: web):4.1; mem(allocated: web):32; disk(allocated: web):10 required by task group and its executor is more than available " +
				"cpus(allocated: web):4; mem(allocated: web):1000; disk(allocated: web):500; disk(allocated: web)(reservations: [(STATIC,web)])[v:data]:10"},
		{"a running executor's resources are not asked for", `{"executor_id":{"value":"running"},"framework_id":{"value":"f"},"type":"CUSTOM","command":{"value":"x"},"resources":[` +
			scalar("cpus", "3") + `,` + scalar("mem", "32") + `,` + scalar("disk", "1") + `]}`, []string{uses(scalar("cpus", "4"))}, ""},
	} {
		t.Run(row.what, func(t *testing.T) {
			executor := &mesosv1.ExecutorInfo{}
			require.NoError(t, mesosjson.Unmarshal([]byte(row.executor), executor))
			group := &mesosv1.TaskGroupInfo{}
			require.NoError(t, mesosjson.Unmarshal([]byte(`{"tasks":[`+strings.Join(row.tasks, ",")+`]}`), group))
			err := validate.TaskGroup(group, executor, context(t))
			wants(t, row.want, err)
			if err != nil {
				var refused *validate.Error
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, mesosv1.TaskStatus_REASON_TASK_GROUP_INVALID, refused.Reason)
			}
		})
	}
}

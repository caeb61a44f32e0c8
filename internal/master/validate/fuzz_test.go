package validate_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// parts reads bytes as what they may be, required fields or not.
func parts[M any, P interface {
	*M
	proto.Message
}](b []byte) P {
	m := P(new(M))
	// What could be read before an error is looked at too.
	_ = proto.UnmarshalOptions{AllowPartial: true}.Unmarshal(b, m)
	return m
}

func seed(f *testing.F, texts []string, empty func() proto.Message) {
	for _, text := range texts {
		m := empty()
		require.NoError(f, mesosjson.Unmarshal([]byte(text), m))
		b, err := proto.Marshal(m)
		require.NoError(f, err)
		f.Add(b)
	}
}

// FuzzCalls looks whether any call, of whichever API it is taken for, ends in a panic.
func FuzzCalls(f *testing.F) {
	seed(f, []string{
		`{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n"}}}`,
		`{"type":"ACKNOWLEDGE","framework_id":{"value":"f"},"acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":` + uuid + `}}`,
	}, func() proto.Message { return &scheduler.Call{} })
	seed(f, []string{
		`{"type":"LAUNCH_CONTAINER","launch_container":{"container_id":{"value":"c","parent":{"value":"p","parent":{"value":"q"}}},"limits":{"cpus":{"value":1}}}}`,
		`{"type":"ATTACH_CONTAINER_INPUT","attach_container_input":{"type":"PROCESS_IO","process_io":{"type":"CONTROL","control":{"type":"TTY_INFO","tty_info":{}}}}}`,
	}, func() proto.Message { return &agent.Call{} })
	seed(f, []string{
		`{"type":"UPDATE","executor_id":{"value":"e"},"framework_id":{"value":"f"},"update":{"status":{"task_id":{"value":"t"},"state":"TASK_RUNNING","source":"SOURCE_EXECUTOR","uuid":` + uuid + `,"check_status":{"type":"TCP"}}}}`,
	}, func() proto.Message { return &executor.Call{} })
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, err := range []error{
			validate.SchedulerCall(parts[scheduler.Call](b)),
			validate.OperatorCall(parts[master.Call](b)),
			validate.AgentCall(parts[agent.Call](b)),
			validate.ExecutorCall(parts[executor.Call](b)),
		} {
			if err != nil {
				require.NotEmpty(t, err.Error())
			}
		}
	})
}

// FuzzTask does the same with tasks, frameworks and agents; what is refused says why.
func FuzzTask(f *testing.F) {
	seed(f, []string{command(""), executorTask(""), env(`{"name":"A","value":"1"}`), volumeFrom(`"host_path":"/x"`), checked(`{"type":"TCP","tcp":{"port":80}}`),
		health(`{"type":"HTTP","http":{"port":80}}`), uses(persistent("web", "v")), linux(`{"shm_size":1,"ipc_mode":"PRIVATE"}`),
	}, func() proto.Message { return &mesosv1.TaskInfo{} })
	f.Fuzz(func(t *testing.T, b []byte) {
		task := parts[mesosv1.TaskInfo](b)
		var refused *validate.Error
		if err := validate.Task(task, context(t)); err != nil {
			require.True(t, errors.As(err, &refused))
			require.NotEmpty(t, refused.Text)
		}
		err := validate.TaskGroup(&mesosv1.TaskGroupInfo{Tasks: []*mesosv1.TaskInfo{task, nil}}, parts[mesosv1.ExecutorInfo](b), context(t))
		require.True(t, errors.As(err, &refused), "a task that is nothing is refused")

		info := parts[mesosv1.FrameworkInfo](b)
		_ = validate.FrameworkInfo(info)
		_ = validate.OfferConstraints(info, parts[scheduler.OfferConstraints](b))
		_ = validate.AgentInfo(parts[mesosv1.AgentInfo](b))
		_ = validate.Operation(parts[mesosv1.Offer_Operation](b))
		_ = validate.WithHealthCheckType(task)
	})
}

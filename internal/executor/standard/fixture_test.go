package standard

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	agentv1 "github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/executor/agenttest"
	"github.com/mesos-modules/mms/internal/recordio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// containers is the agent's operator API: it makes no containers, and says of them what the test wants.
type containers struct {
	t       *testing.T
	calls   chan *agentv1.Call // as they came, but waits
	session func(command *mesosv1.CommandInfo) (output string, status int32)

	mu     sync.Mutex
	refuse map[string]string // command -> why
	ended  map[string]*agentv1.Response_WaitContainer
	change chan struct{} // closed, and made anew, when something has ended
	down   bool
}

func (c *containers) end(id *mesosv1.ContainerID, result *agentv1.Response_WaitContainer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended[id.GetValue()] = result
	close(c.change)
	c.change = make(chan struct{})
}

func (c *containers) exit(id *mesosv1.ContainerID, status int32) {
	c.end(id, &agentv1.Response_WaitContainer{ExitStatus: &status})
}

func (c *containers) forget(id *mesosv1.ContainerID) { c.end(id, nil) }

func (c *containers) goDown(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
	close(c.change)
	c.change = make(chan struct{})
}

func (c *containers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	call := &agentv1.Call{}
	if err == nil {
		err = proto.Unmarshal(text, call)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	down := c.down
	c.mu.Unlock()
	if down {
		http.Error(w, "Agent has not finished recovery", http.StatusServiceUnavailable)
		return
	}
	switch call.GetType() {
	case agentv1.Call_LAUNCH_CONTAINER:
		c.mu.Lock()
		why := c.refuse[call.GetLaunchContainer().GetCommand().GetValue()]
		c.mu.Unlock()
		c.calls <- call
		if why != "" {
			http.Error(w, why, http.StatusBadRequest)
		}
	case agentv1.Call_WAIT_CONTAINER:
		c.wait(w, r, call.GetWaitContainer().GetContainerId())
	case agentv1.Call_LAUNCH_NESTED_CONTAINER_SESSION:
		c.calls <- call
		c.run(w, call.GetLaunchNestedContainerSession())
	default:
		c.calls <- call
	}
}

func (c *containers) wait(w http.ResponseWriter, r *http.Request, id *mesosv1.ContainerID) {
	for {
		c.mu.Lock()
		result, ended := c.ended[id.GetValue()]
		change, down := c.change, c.down
		c.mu.Unlock()
		switch {
		case down:
			panic(http.ErrAbortHandler) // as when the agent dies
		case ended && result == nil:
			http.Error(w, "no such container", http.StatusNotFound)
			return
		case ended:
			answer, err := proto.Marshal(&agentv1.Response{Type: agentv1.Response_WAIT_CONTAINER.Enum(), WaitContainer: result})
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "application/x-protobuf")
			_, _ = w.Write(answer)
			return
		}
		select {
		case <-change:
		case <-r.Context().Done():
			return
		}
	}
}

func (c *containers) run(w http.ResponseWriter, call *agentv1.Call_LaunchNestedContainerSession) {
	output, status := c.session(call.GetCommand())
	w.Header().Set("Content-Type", "application/recordio")
	w.Header().Set("Message-Content-Type", "application/x-protobuf")
	record, err := proto.Marshal(&agentv1.ProcessIO{Type: agentv1.ProcessIO_DATA.Enum(),
		Data: &agentv1.ProcessIO_Data{Type: agentv1.ProcessIO_Data_STDOUT.Enum(), Data: []byte(output)}})
	if err == nil {
		err = recordio.NewWriter(w, 0).WriteRecord(record)
	}
	if err != nil {
		c.t.Logf("session: %v", err)
	}
	c.exit(call.GetContainerId(), status)
}

// call waits for a call of a type; others are passed over.
func (c *containers) call(want agentv1.Call_Type) *agentv1.Call {
	c.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case call := <-c.calls:
			if call.GetType() == want {
				return call
			}
		case <-deadline:
			require.FailNow(c.t, "no call came", want.String())
		}
	}
}

type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// subject is an executor that runs, with its agent.
type subject struct {
	*agenttest.Agent
	*containers
	t           *testing.T
	sandbox     string
	diagnostics *buffer
	ended       chan error
}

func begin(t *testing.T, capabilities []mesosv1.FrameworkInfo_Capability_Type, environ ...string) *subject {
	t.Helper()
	s := &subject{Agent: agenttest.New(t), t: t, sandbox: t.TempDir(), diagnostics: &buffer{}, ended: make(chan error, 1)}
	s.containers = &containers{
		t: t, calls: make(chan *agentv1.Call, 100), refuse: map[string]string{}, ended: map[string]*agentv1.Response_WaitContainer{},
		change: make(chan struct{}),
	}
	s.Capabilities(capabilities...)
	s.API = s.containers
	ctx, cancel := context.WithCancel(t.Context())
	environ = s.Environ(append(environ, "MESOS_SANDBOX="+s.sandbox)...)
	go func() {
		s.ended <- Run(ctx, Options{Environ: environ, Diagnostics: s.diagnostics})
		close(s.ended)
	}()
	t.Cleanup(func() {
		cancel()
		for range s.ended { // until it is closed
		}
	})
	return s
}

func (s *subject) over() error {
	s.t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(20 * time.Second):
		require.FailNow(s.t, "the executor does not end", s.diagnostics.String())
		return nil
	}
}

func (s *subject) launch(tasks ...*mesosv1.TaskInfo) {
	s.t.Helper()
	s.Send(&executor.Event{Type: executor.Event_LAUNCH_GROUP.Enum(), LaunchGroup: &executor.Event_LaunchGroup{TaskGroup: &mesosv1.TaskGroupInfo{Tasks: tasks}}})
}

func (s *subject) kill(task string, grace *mesosv1.KillPolicy) {
	s.t.Helper()
	s.Send(&executor.Event{Type: executor.Event_KILL.Enum(), Kill: &executor.Event_Kill{TaskId: &mesosv1.TaskID{Value: &task}, KillPolicy: grace}})
}

func policy(grace time.Duration) *mesosv1.KillPolicy {
	return &mesosv1.KillPolicy{GracePeriod: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(grace))}}
}

// simple is a task whose command is its id.
func simple(id string) *mesosv1.TaskInfo {
	return &mesosv1.TaskInfo{
		Name: &id, TaskId: &mesosv1.TaskID{Value: &id}, AgentId: &mesosv1.AgentID{Value: proto.String("agent-1")},
		Command: &mesosv1.CommandInfo{Value: &id},
	}
}

// started launches tasks and waits until all run; it returns their containers by task.
func (s *subject) started(tasks ...*mesosv1.TaskInfo) map[string]*mesosv1.ContainerID {
	s.t.Helper()
	s.launch(tasks...)
	found := map[string]*mesosv1.ContainerID{}
	for range 2 * len(tasks) {
		status := s.Update()
		found[status.GetTaskId().GetValue()] = status.GetContainerStatus().GetContainerId()
	}
	require.Len(s.t, found, len(tasks))
	return found
}

const (
	starting = mesosv1.TaskState_TASK_STARTING
	running  = mesosv1.TaskState_TASK_RUNNING
	killing  = mesosv1.TaskState_TASK_KILLING
	finished = mesosv1.TaskState_TASK_FINISHED
	failed   = mesosv1.TaskState_TASK_FAILED
	killed   = mesosv1.TaskState_TASK_KILLED
)

package execute

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	schedulerv1 "github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

const (
	starting = mesosv1.TaskState_TASK_STARTING
	running  = mesosv1.TaskState_TASK_RUNNING
	finished = mesosv1.TaskState_TASK_FINISHED
	failed   = mesosv1.TaskState_TASK_FAILED
	killed   = mesosv1.TaskState_TASK_KILLED
)

const sandbox = "/frameworks/framework-1/executors/hello/runs/latest"

func message(text string) func(*mesosv1.TaskStatus) {
	return func(s *mesosv1.TaskStatus) { s.Message = &text }
}

func TestACommandRunsAndIsShown(t *testing.T) {
	for _, encoding := range []string{"protobuf", "json"} {
		t.Run(encoding, func(t *testing.T) {
			c := newCluster(t)
			p := execute(t, "--master="+c.address(), "--name=hello", "--command=echo hello", "--env={\"A\": \"b\", \"N\": 7}", "--content_type="+encoding)
			accept := c.call(schedulerv1.Call_ACCEPT).GetAccept()
			require.Equal(t, "offer-1", accept.GetOfferIds()[0].GetValue())
			task := accept.GetOperations()[0].GetLaunch().GetTaskInfos()[0]
			assert.Equal(t, "hello", task.GetTaskId().GetValue())
			assert.Equal(t, "agent-1", task.GetAgentId().GetValue())
			assert.Equal(t, "echo hello", task.GetCommand().GetValue())
			assert.Equal(t, "A=b N=7", task.GetCommand().GetEnvironment().GetVariables()[0].GetName()+"="+
				task.GetCommand().GetEnvironment().GetVariables()[0].GetValue()+" "+task.GetCommand().GetEnvironment().GetVariables()[1].GetName()+"="+
				task.GetCommand().GetEnvironment().GetVariables()[1].GetValue())
			c.call(schedulerv1.Call_SUPPRESS)

			c.update("hello", starting, nil)
			ack := c.call(schedulerv1.Call_ACKNOWLEDGE).GetAcknowledge()
			assert.Equal(t, "TASK_STARTING   ", string(ack.GetUuid()))
			assert.Equal(t, "agent-1", ack.GetAgentId().GetValue())
			c.update("hello", running, nil)
			c.call(schedulerv1.Call_ACKNOWLEDGE)
			c.write(sandbox+"/stdout", "hello, this is long\n")
			require.Eventually(t, func() bool { return len(p.stdout.String()) > 0 }, 10*time.Second, time.Millisecond)
			c.write(sandbox+"/stdout", "to the last byte")
			c.write(sandbox+"/stderr", "and its errors\n")
			c.update("hello", finished, message("Command exited with status 0"))
			c.call(schedulerv1.Call_ACKNOWLEDGE)
			c.call(schedulerv1.Call_TEARDOWN)
			p.end(0)
			out := p.stdout.String()
			for _, want := range []string{
				"Subscribed with ID framework-1\n", "Submitted task 'hello' to agent 'agent-1'\n",
				"Received status update TASK_RUNNING for task 'hello'\n  source: SOURCE_EXECUTOR\n",
				"Received status update TASK_FINISHED for task 'hello'\n  message: 'Command exited with status 0'\n  source: SOURCE_EXECUTOR\n",
				"to the last byte",
			} {
				assert.Contains(t, out, want)
			}
			assert.Equal(t, "and its errors\n", p.stderr.String())
		})
	}
}

func TestQuietPrintsTheOutputAlone(t *testing.T) {
	c := newCluster(t)
	c.write(sandbox+"/stdout", "\x00\x01hello, this is long\n")
	p := execute(t, "--master="+c.address(), "--name=hello", "--command=x", "--quiet")
	c.call(schedulerv1.Call_ACCEPT)
	c.update("hello", running, nil)
	c.update("hello", failed, message("Command exited with status 3"))
	p.end(3)
	assert.Equal(t, "\x00\x01hello, this is long\n", p.stdout.String())
	assert.Equal(t, "mesos-execute: task hello: TASK_FAILED: Command exited with status 3\n", p.stderr.String())
}

func TestExitStatus(t *testing.T) {
	for _, c := range []struct {
		state   mesosv1.TaskState
		message string
		want    int
	}{
		{finished, "Command exited with status 0", 0},
		{finished, "", 0},
		{failed, "Command exited with status 3", 3},
		{failed, "Command exited with status 255", 255},
		{failed, "Command exited with status 300", 1},
		{failed, "Command terminated with signal Killed", 137},
		{failed, "Command terminated with signal Segmentation fault (core dumped)", 139},
		{killed, "Command terminated with signal Terminated", 143},
		{killed, "Command exited with status 0", 1},
		{mesosv1.TaskState_TASK_LOST, "Agent removed", 1},
		{mesosv1.TaskState_TASK_UNKNOWN, "", 1},
	} {
		t.Run(c.state.String()+" "+c.message, func(t *testing.T) {
			assert.True(t, terminal(c.state))
			assert.Equal(t, c.want, exitStatus(&mesosv1.TaskStatus{State: c.state.Enum(), Message: &c.message}))
		})
	}
	assert.False(t, terminal(mesosv1.TaskState_TASK_UNREACHABLE), "the agent may come back")
	assert.False(t, terminal((*mesosv1.TaskStatus)(nil).GetState()), "no status is none")
}

func TestSignals(t *testing.T) {
	t.Run("before there is a task the program leaves", func(t *testing.T) {
		c := newCluster(t)
		c.offer = "0.1"
		p := execute(t, "--master="+c.address(), "--name=hello", "--command=x")
		c.call(schedulerv1.Call_DECLINE)
		p.signals <- syscall.SIGINT
		c.call(schedulerv1.Call_TEARDOWN)
		p.end(130)
	})
	t.Run("the first one kills the task", func(t *testing.T) {
		c := newCluster(t)
		p := execute(t, "--master="+c.address(), "--name=hello", "--command=x")
		c.call(schedulerv1.Call_ACCEPT)
		c.update("hello", running, nil)
		c.call(schedulerv1.Call_ACKNOWLEDGE)
		p.signals <- syscall.SIGTERM
		kill := c.call(schedulerv1.Call_KILL).GetKill()
		assert.Equal(t, "hello", kill.GetTaskId().GetValue())
		assert.Equal(t, "agent-1", kill.GetAgentId().GetValue())
		c.update("hello", killed, message("Command terminated with signal Terminated"))
		p.end(143)
	})
	t.Run("the second one leaves", func(t *testing.T) {
		c := newCluster(t)
		p := execute(t, "--master="+c.address(), "--name=hello", "--command=x")
		c.call(schedulerv1.Call_ACCEPT)
		p.signals <- syscall.SIGINT
		c.call(schedulerv1.Call_KILL)
		p.signals <- syscall.SIGINT
		c.call(schedulerv1.Call_TEARDOWN)
		p.end(130)
		assert.Contains(t, p.stderr.String(), "once more leaves at once")
	})
}

func TestKillAfter(t *testing.T) {
	c := newCluster(t)
	p := execute(t, "--master="+c.address(), "--name=hello", "--command=x", "--kill_after=20ms")
	c.call(schedulerv1.Call_ACCEPT)
	c.update("hello", running, nil)
	c.call(schedulerv1.Call_KILL)
	c.update("hello", killed, message("Command terminated with signal Killed"))
	p.end(137)
}

func TestAWholeTask(t *testing.T) {
	c := newCluster(t)
	file := filepath.Join(t.TempDir(), "task.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"name": "n", "task_id": {"value": "hello"},
		"resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.5}}],
		"command": {"value": "./run", "uris": [{"value": "http://x/y"}]}}`), 0o600))
	p := execute(t, "--master="+c.address(), "--task=file://"+file)
	task := c.call(schedulerv1.Call_ACCEPT).GetAccept().GetOperations()[0].GetLaunch().GetTaskInfos()[0]
	assert.Equal(t, "http://x/y", task.GetCommand().GetUris()[0].GetValue())
	assert.InDelta(t, 0.5, task.GetResources()[0].GetScalar().GetValue(), 0)
	c.update("hello", finished, nil)
	p.end(0)
	assert.Contains(t, p.stdout.String(), "Submitted task 'n'")
}

func TestAGroup(t *testing.T) {
	c := newCluster(t)
	p := execute(t, "--master="+c.address(), `--task_group={"tasks": [
		{"name": "a", "task_id": {"value": "a"}, "command": {"value": "x"}, "resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 1}}]},
		{"name": "b", "task_id": {"value": "b"}, "command": {"value": "y"}}]}`)
	group := c.call(schedulerv1.Call_ACCEPT).GetAccept().GetOperations()[0].GetLaunchGroup()
	assert.Equal(t, mesosv1.ExecutorInfo_DEFAULT, group.GetExecutor().GetType())
	assert.Equal(t, "framework-1", group.GetExecutor().GetFrameworkId().GetValue(), "the framework has to set it")
	assert.Len(t, group.GetExecutor().GetResources(), 3)
	require.Len(t, group.GetTaskGroup().GetTasks(), 2)
	c.write("/frameworks/framework-1/executors/default-executor/runs/latest/tasks/a/stdout", "one\ntwo\n")
	c.update("a", running, nil)
	c.update("b", running, nil)
	c.update("a", finished, nil)
	c.update("a", finished, nil) // again, as when an acknowledgement was lost
	c.update("b", failed, message("Command exited with status 9"))
	p.end(9)
	assert.Equal(t, 1, strings.Count(p.stdout.String(), "TASK_FINISHED for task 'a'"))
	assert.Contains(t, p.stdout.String(), "Submitted task group with tasks [ a, b ] to agent 'agent-1'\n")
	assert.Contains(t, p.stdout.String(), "[a] one\n")
	assert.Contains(t, p.stdout.String(), "[a] two\n")
}

func TestTheMasterGoesAway(t *testing.T) {
	c := newCluster(t)
	p := execute(t, "--master="+c.address(), "--name=hello", "--command=x")
	c.call(schedulerv1.Call_ACCEPT)
	c.update("hello", running, nil)
	c.call(schedulerv1.Call_ACKNOWLEDGE)
	c.disconnect()
	reconcile := c.call(schedulerv1.Call_RECONCILE).GetReconcile()
	assert.Equal(t, "hello", reconcile.GetTasks()[0].GetTaskId().GetValue())
	c.mu.Lock()
	var subscribes []*schedulerv1.Call
	for _, call := range c.calls {
		if call.GetType() == schedulerv1.Call_SUBSCRIBE {
			subscribes = append(subscribes, call)
		}
	}
	c.mu.Unlock()
	require.Len(t, subscribes, 2)
	assert.Nil(t, subscribes[0].FrameworkId)
	assert.Equal(t, "framework-1", subscribes[1].GetFrameworkId().GetValue())
	assert.Equal(t, "framework-1", subscribes[1].GetSubscribe().GetFrameworkInfo().GetId().GetValue())
	c.update("hello", finished, nil)
	p.end(0)
}

func TestTheMasterRefuses(t *testing.T) {
	t.Run("with an error event", func(t *testing.T) {
		c := newCluster(t)
		c.offer = "0.1"
		p := execute(t, "--master="+c.address(), "--name=hello", "--command=x")
		c.call(schedulerv1.Call_DECLINE)
		c.send(&schedulerv1.Event{Type: schedulerv1.Event_ERROR.Enum(), Error: &schedulerv1.Event_Error{Message: proto.String("Role 'x' is not there")}})
		p.end(1)
		assert.Contains(t, p.stderr.String(), "the master refuses: Role 'x' is not there")
	})
	t.Run("with a status", func(t *testing.T) {
		c := newCluster(t)
		c.deny = http.StatusNotFound
		p := execute(t, "--master="+c.address(), "--name=hello", "--command=x")
		p.end(1)
		assert.Contains(t, p.stderr.String(), "404 Not Found: told to deny\n  is a Mesos master at this address?")
	})
	t.Run("an offer that is too small is said", func(t *testing.T) {
		c := newCluster(t)
		c.offer = "0.1"
		p := execute(t, "--master="+c.address(), "--name=hello", "--command=x")
		for range manyOffers {
			c.call(schedulerv1.Call_DECLINE)
			c.sendOffer()
		}
		require.Eventually(t, func() bool { return p.stderr.String() != "" }, 10*time.Second, time.Millisecond)
		assert.Equal(t, "mesos-execute: no offer so far covers cpus:1; mem:128; the last one, of agent there, has cpus:0.1; mem:1024; disk:100\n", p.stderr.String())
	})
}

func TestCredentials(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("hush\n"), 0o600))
	t.Run("go to master and agent", func(t *testing.T) {
		c := newCluster(t)
		c.passwords = map[string]string{"ops": "hush"}
		c.write(sandbox+"/stdout", "hello\n")
		p := execute(t, "--master="+c.address(), "--name=hello", "--command=x", "--principal=ops", "--secret=file://"+secret)
		c.call(schedulerv1.Call_ACCEPT)
		c.update("hello", running, nil)
		c.update("hello", finished, nil)
		p.end(0)
		assert.Zero(t, c.denied)
		assert.Contains(t, p.stdout.String(), "hello\n")
		assert.Equal(t, "ops", c.calls[0].GetSubscribe().GetFrameworkInfo().GetPrincipal())
	})
	t.Run("are asked for, and never shown", func(t *testing.T) {
		c := newCluster(t)
		c.passwords = map[string]string{"ops": "other"}
		p := execute(t, "--master="+c.address(), "--name=hello", "--command=x", "--principal=ops", "--secret=file://"+secret)
		p.end(1)
		assert.Contains(t, p.stderr.String(), "give --principal and --secret")
		assert.NotContains(t, p.stderr.String()+p.stdout.String(), "hush")
	})
}

func TestCommandLines(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"a flag nearly right", []string{"--mastr=x", "--master=a:1"}, "did you mean --master?"},
		{"no master", nil, "--master=TEXT is required"},
		{"ZooKeeper", []string{"--master=zk://a:1/mesos"}, "there is no ZooKeeper here"},
		{"no port", []string{"--master=a"}, "want HOST:PORT"},
		{"nothing to run", []string{"--master=a:1"}, "give --name and --command, or --task, or --task_group"},
		{"a task twice", []string{"--master=a:1", "--task={}", "--name=x"}, "--name"},
		{"a task that is none", []string{"--master=a:1", "--task={}"}, "--task: "},
		{"a group without tasks", []string{"--master=a:1", `--task_group={}`}, "it has no task"},
		{"a group with half a task", []string{"--master=a:1", `--task_group={"tasks": {}}`}, "tasks[0].name"},
		{"resources", []string{"--master=a:1", "--name=a", "--command=b", "--resources=cpus:many"}, "--resources: "},
		{"an environment", []string{"--master=a:1", "--name=a", "--command=b", `--env={"A": {}}`}, "--env: A: want a string"},
		{"a capability", []string{"--master=a:1", "--framework_capabilities=MULTI_ROLE"}, "only GPU_RESOURCES can be added"},
		{"volumes", []string{"--master=a:1", "--name=a", "--command=b", `--volumes=[{}]`}, "--volumes: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := execute(t, c.args...)
			p.end(1)
			assert.Contains(t, p.stderr.String(), c.want)
			assert.Empty(t, p.stdout.String())
		})
	}
	t.Run("help and version", func(t *testing.T) {
		p := execute(t, "--help")
		p.end(0)
		assert.Contains(t, p.stdout.String(), "EXIT STATUS")
		p = execute(t, "--version")
		p.end(0)
		assert.Equal(t, "mesos 1.12.0\n", p.stdout.String())
	})
}

func TestAnImage(t *testing.T) {
	for flag, want := range map[string]*mesosv1.Image{
		"--docker_image=alpine:3": {Type: mesosv1.Image_DOCKER.Enum(), Docker: &mesosv1.Image_Docker{Name: proto.String("alpine:3")}},
		"--appc_image=a.org/b":    {Type: mesosv1.Image_APPC.Enum(), Appc: &mesosv1.Image_Appc{Name: proto.String("a.org/b")}},
	} {
		t.Run(flag, func(t *testing.T) {
			c := newCluster(t)
			p := execute(t, "--master="+c.address(), "--name=hello", "--command=x", flag)
			task := c.call(schedulerv1.Call_ACCEPT).GetAccept().GetOperations()[0].GetLaunch().GetTaskInfos()[0]
			assert.Equal(t, mesosv1.ContainerInfo_MESOS, task.GetContainer().GetType())
			assert.True(t, proto.Equal(want, task.GetContainer().GetMesos().GetImage()))
			c.update("hello", finished, nil)
			p.end(0)
		})
	}
}

package executor

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func TestRead(t *testing.T) {
	t.Run("what an agent sets", func(t *testing.T) {
		e, err := Read([]string{
			"MESOS_FRAMEWORK_ID=f", "MESOS_EXECUTOR_ID=e", "MESOS_SLAVE_ID=s", "MESOS_SLAVE_PID=slave(1)@10.0.0.1:5051",
			"MESOS_AGENT_ENDPOINT=10.0.0.2:5051", "MESOS_DIRECTORY=/d", "MESOS_SANDBOX=/s", "MESOS_CHECKPOINT=1",
			"MESOS_RECOVERY_TIMEOUT=10mins", "MESOS_SUBSCRIPTION_BACKOFF_MAX=500ms", "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=1.5secs",
			"MESOS_HTTP_COMMAND_EXECUTOR=1", "MESOS_DOMAIN_SOCKET=/agent.sock", TokenVariable + "=t", "nonsense",
		})
		require.NoError(t, err)
		assert.Equal(t, []string{"f", "e"}, []string{e.FrameworkID.GetValue(), e.ExecutorID.GetValue()})
		e.FrameworkID, e.ExecutorID = nil, nil
		assert.Equal(t, Environment{
			Agent: "http://10.0.0.1:5051/slave(1)", Socket: "/agent.sock", Directory: "/d", Sandbox: "/s", Token: "t", Checkpoint: true,
			Recovery: 10 * time.Minute, Backoff: 500 * time.Millisecond, Grace: 1500 * time.Millisecond,
		}, e)
	})
	t.Run("what it may leave out", func(t *testing.T) {
		e, err := Read([]string{"MESOS_FRAMEWORK_ID=f", "MESOS_EXECUTOR_ID=e", "MESOS_AGENT_ENDPOINT=10.0.0.2:5051", "MESOS_RECOVERY_TIMEOUT=x"})
		require.NoError(t, err, "without a checkpoint nobody waits for an agent")
		assert.Equal(t, "http://10.0.0.2:5051", e.Agent)
		assert.Equal(t, []time.Duration{0, 2 * time.Second, 5 * time.Second}, []time.Duration{e.Recovery, e.Backoff, e.Grace})
	})
	t.Run("everything that is wrong with it, at once", func(t *testing.T) {
		_, err := Read([]string{"MESOS_CHECKPOINT=1", "MESOS_RECOVERY_TIMEOUT=15m", "MESOS_SLAVE_PID=slave(1)"})
		for _, want := range []string{"no MESOS_FRAMEWORK_ID", "no MESOS_EXECUTOR_ID", "MESOS_RECOVERY_TIMEOUT=15m: ", "MESOS_SLAVE_PID=slave(1): want"} {
			require.ErrorContains(t, err, want)
		}
		_, err = Read(nil)
		require.ErrorContains(t, err, "neither MESOS_SLAVE_PID nor MESOS_AGENT_ENDPOINT")
	})
}

func TestClient(t *testing.T) {
	config := Environment{Agent: "http://a:1", Socket: "/s", Token: "secret"}.Client("/api/v1")
	assert.Equal(t, "http://a:1/api/v1", config.Endpoint)
	assert.Equal(t, "/s", config.Socket)
	request := &http.Request{Header: http.Header{}}
	require.NoError(t, config.Authenticate(request))
	assert.Equal(t, "Bearer secret", request.Header.Get("Authorization"))
	assert.Nil(t, Environment{Agent: "http://a:1"}.Client("").Authenticate)
}

func TestVariables(t *testing.T) {
	var v Variables
	v.AddAll([]string{"B=1", "A=2", "B=3", "nonsense", "=x", "C=a=b"})
	v.AddMessage(&mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{
		{Name: new("A"), Value: new("4")}, {Name: new("S"), Type: mesosv1.Environment_Variable_SECRET.Enum()},
	}})
	assert.Equal(t, []string{"B=3", "A=4", "C=a=b"}, v.Environ())
	v.Unset("A")
	v.Unset("nothing")
	assert.Equal(t, []string{"B=3", "C=a=b"}, v.Environ())
	assert.Equal(t, "3", v.Get("B"))
	assert.Empty(t, v.Get("A"))
}

func TestEnding(t *testing.T) {
	for status, want := range map[syscall.WaitStatus]string{
		0:                                   "Command exited with status 0",
		255 << 8:                            "Command exited with status 255",
		syscall.WaitStatus(syscall.SIGKILL): "Command terminated with signal Killed",
		syscall.WaitStatus(syscall.SIGUSR1): "Command terminated with signal User defined signal 1",
		syscall.WaitStatus(syscall.SIGSEGV) | 0x80: "Command terminated with signal Segmentation fault (core dumped)",
		0x137f: "Command has status 0x137f",
	} {
		assert.Equal(t, want, Ending(status))
	}
}

func TestUUIDs(t *testing.T) {
	a, b := NewUUID(), NewUUID()
	assert.NotEqual(t, a, b)
	assert.Len(t, a, 16)
	assert.EqualValues(t, 0x40, a[6]&0xf0)
	assert.EqualValues(t, 0x80, a[8]&0xc0)
}

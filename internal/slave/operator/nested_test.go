package operator_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/v1client"
)

// refused is the status of an answer that is no success.
func refused(t *testing.T, err error) (status int, text string) {
	t.Helper()
	var answer *v1client.StatusError
	require.ErrorAs(t, err, &answer)
	return answer.Code, answer.Text
}

// exit waits for a container's end.
func (r *real) exit(id *mesosv1.ContainerID) syscall.WaitStatus {
	answer, err := r.call(wait(id))
	require.NoError(r.t, err)
	require.Equal(r.t, agent.Response_WAIT_CONTAINER, answer.GetType())
	return syscall.WaitStatus(answer.GetWaitContainer().GetExitStatus())
}

func TestNestedContainers(t *testing.T) {
	r := newReal(t, nil)
	run := func(t *testing.T, id *mesosv1.ContainerID, text string) {
		t.Helper()
		_, err := r.call(launch(id, shell(text), nil))
		require.NoError(t, err)
	}
	output := func(t *testing.T, path ...string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(append([]string{r.sandbox}, path...)...))
		require.NoError(t, err)
		return string(text)
	}

	t.Run("the status of one that ends is told, until it is removed", func(t *testing.T) {
		run(t, nested("true"), "true")
		assert.Equal(t, 0, r.exit(nested("true")).ExitStatus())
		assert.Equal(t, 0, r.exit(nested("true")).ExitStatus(), "again")
		_, err := r.call(remove(nested("true")))
		require.NoError(t, err)
		_, err = r.call(wait(nested("true")))
		status, text := refused(t, err)
		assert.Equal(t, http.StatusNotFound, status)
		assert.Equal(t, "Container 'E.true' cannot be found", text)
		assert.NoDirExists(t, filepath.Join(r.sandbox, "containers", "true"), "its sandbox is deleted")
		_, err = r.call(remove(nested("true")))
		assert.NoError(t, err, "removing is idempotent")
	})

	t.Run("one that fails tells its raw wait status", func(t *testing.T) {
		run(t, nested("fails"), "exit 3")
		answer, err := r.call(&agent.Call{Type: agent.Call_WAIT_NESTED_CONTAINER.Enum(),
			WaitNestedContainer: &agent.Call_WaitNestedContainer{ContainerId: nested("fails")}})
		require.NoError(t, err)
		assert.Equal(t, agent.Response_WAIT_NESTED_CONTAINER, answer.GetType())
		assert.Equal(t, int32(3<<8), answer.GetWaitNestedContainer().GetExitStatus())
	})

	t.Run("its sandbox lies in that of its parent, and is its working directory", func(t *testing.T) {
		run(t, nested("pwd"), "pwd; echo $MESOS_SANDBOX")
		assert.Equal(t, 0, r.exit(nested("pwd")).ExitStatus())
		want := filepath.Join(r.sandbox, "containers", "pwd")
		assert.Equal(t, want+"\n"+want+"\n", output(t, "containers", "pwd", "stdout"))
	})

	t.Run("it does not get the executor's environment", func(t *testing.T) {
		run(t, nested("env"), "env | grep -c ^MESOS_")
		assert.Equal(t, 0, r.exit(nested("env")).ExitStatus())
		assert.Equal(t, "1\n", output(t, "containers", "env", "stdout"), "MESOS_SANDBOX alone")
	})

	t.Run("containers nest further", func(t *testing.T) {
		run(t, nested("outer"), "exec sleep 1000")
		inner := &mesosv1.ContainerID{Value: proto.String("inner"), Parent: nested("outer")}
		run(t, inner, "echo deep")
		assert.Equal(t, 0, r.exit(inner).ExitStatus())
		assert.Equal(t, "deep\n", output(t, "containers", "outer", "containers", "inner", "stdout"))
		_, err := r.call(kill(nested("outer"), nil))
		require.NoError(t, err)
		assert.Equal(t, syscall.SIGKILL, r.exit(nested("outer")).Signal(), "the usual signal")
		_, err = r.call(wait(inner))
		assert.NoError(t, err, "its end is told while the root lives")
	})

	t.Run("a signal can be named", func(t *testing.T) {
		run(t, nested("signal"), "exec sleep 1000")
		_, err := r.call(kill(nested("signal"), proto.Int32(int32(syscall.SIGTERM))))
		require.NoError(t, err)
		assert.Equal(t, syscall.SIGTERM, r.exit(nested("signal")).Signal())
		_, err = r.call(&agent.Call{Type: agent.Call_KILL_NESTED_CONTAINER.Enum(), KillNestedContainer: &agent.Call_KillNestedContainer{ContainerId: nested("signal")}})
		status, text := refused(t, err)
		assert.Equal(t, http.StatusNotFound, status)
		assert.Equal(t, "Container 'E.signal' cannot be found (or is already killed)", text)
	})

	t.Run("the children of a killed command end with it", func(t *testing.T) {
		run(t, nested("children"), "sleep 1000 & sleep 1000; true")
		_, err := r.call(kill(nested("children"), nil))
		require.NoError(t, err)
		assert.Equal(t, syscall.SIGKILL, r.exit(nested("children")).Signal())
	})

	t.Run("one that is there is not launched again", func(t *testing.T) {
		run(t, nested("twice"), "exec sleep 1000")
		status := r.status(launch(nested("twice"), shell("true"), nil))
		assert.Equal(t, http.StatusAccepted, status)
		_, err := r.call(remove(nested("twice")))
		code, text := refused(t, err)
		assert.Equal(t, http.StatusInternalServerError, code)
		assert.Contains(t, text, "is RUNNING")
	})

	t.Run("what cannot be launched is refused with the reason", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			call   *agent.Call
			status int
			text   string
		}{
			{"without a parent", launch(&mesosv1.ContainerID{Value: proto.String("alone")}, shell("true"), nil), http.StatusNotImplemented,
				"Container 'alone' has no parent: this agent launches no standalone containers"},
			{"in nobody", launch(&mesosv1.ContainerID{Value: proto.String("a"), Parent: &mesosv1.ContainerID{Value: proto.String("none")}}, shell("true"), nil),
				http.StatusBadRequest, "Unable to locate the executor that container 'none.a' is to be launched in"},
			{"in a container that is not there", launch(&mesosv1.ContainerID{Value: proto.String("a"), Parent: nested("none")}, shell("true"), nil),
				http.StatusBadRequest, "Failed to launch container: launch container E/none/a: its parent: there is no such container"},
			{"as somebody who is not there", launch(nested("nobody"), &mesosv1.CommandInfo{Value: proto.String("true"), User: proto.String("no-such-user")}, nil),
				http.StatusInternalServerError, "make the sandbox of container 'E.nobody': user: unknown user no-such-user"},
			{"with an id that leads elsewhere", launch(nested("../x"), shell("true"), nil), http.StatusBadRequest, "Failed to validate agent::Call:"},
		} {
			t.Run(c.name, func(t *testing.T) {
				_, err := r.call(c.call)
				status, text := refused(t, err)
				assert.Equal(t, c.status, status)
				assert.True(t, strings.HasPrefix(text, c.text), text)
			})
		}
	})

	t.Run("links that a task has put in its sandbox lead nowhere else", func(t *testing.T) {
		elsewhere := t.TempDir()
		run(t, nested("links"), "ln -s "+elsewhere+" containers; exec sleep 1000")
		require.Eventually(t, func() bool {
			_, err := os.Lstat(filepath.Join(r.sandbox, "containers", "links", "containers"))
			return err == nil
		}, limit, 1e6)
		_, err := r.call(launch(&mesosv1.ContainerID{Value: proto.String("x"), Parent: nested("links")}, shell("true"), nil))
		status, _ := refused(t, err)
		assert.Equal(t, http.StatusInternalServerError, status)
		assert.NoDirExists(t, filepath.Join(elsewhere, "x"))
	})

	t.Run("all of them are listed", func(t *testing.T) {
		answer, err := r.call(&agent.Call{Type: agent.Call_GET_CONTAINERS.Enum(), GetContainers: &agent.Call_GetContainers{ShowNested: proto.Bool(true)}})
		require.NoError(t, err)
		var names []string
		for _, c := range answer.GetGetContainers().GetContainers() {
			names = append(names, c.GetContainerId().GetValue())
			assert.NotZero(t, c.GetContainerStatus().GetExecutorPid())
		}
		assert.Equal(t, []string{"E", "links", "twice"}, names)
	})

	t.Run("one that waits for the executor's container is told its end too", func(t *testing.T) {
		_, err := r.call(remove(executorContainer))
		status, _ := refused(t, err)
		assert.Equal(t, http.StatusBadRequest, status, "only nested ones are removed")
		told := make(chan error, 1)
		go func() {
			answer, err := r.call(wait(executorContainer))
			if err == nil && syscall.WaitStatus(answer.GetWaitContainer().GetExitStatus()).Signal() != syscall.SIGKILL {
				err = errors.New(answer.String())
			}
			told <- err
		}()
		require.Eventually(t, func() bool {
			_, err := r.call(kill(executorContainer, nil))
			return err != nil // until it is gone
		}, limit, 1e6)
		assert.NoError(t, <-told)
		_, err = r.call(wait(nested("twice")))
		status, _ = refused(t, err)
		assert.Equal(t, http.StatusNotFound, status, "what was nested in it is forgotten")
	})
}

package core_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/wire"
)

func TestExecutorCalls(t *testing.T) {
	t.Run("before recovery nobody is answered", func(t *testing.T) {
		w := newWorld(t)
		w.core = core.New(w.cfg)
		w.subscribe("E")
		w.wants("answer 503 Agent has not finished recovery")
	})
	t.Run("a heartbeat is welcome from anybody", func(t *testing.T) {
		w := registered(t)
		w.call("E", &executor.Call{Type: executor.Call_HEARTBEAT.Enum()})
		w.wants("answer 202")
	})
	t.Run("who is unknown is told what is", func(t *testing.T) {
		w := registered(t)
		w.subscribe("E")
		w.wants("answer 400 Framework cannot be found")
		w.from(run(custom("T", "E")))
		w.look()
		w.subscribe("X")
		w.wants("answer 400 Executor cannot be found")
		w.call("E", update("T", "u1", mesosv1.TaskState_TASK_RUNNING))
		w.wants("answer 403 Executor is not subscribed")
	})
	t.Run("a second subscription closes the first", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.look()
		w.subscribe("E", custom("T", "E"))
		w.wants("closestream", "openstream", "write marker of E", "send SUBSCRIBED", "update container to cpus:1.5; mem:96")
	})
	t.Run("a task that the executor never saw is told as lost", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.look()
		w.subscribe("E")
		assert.Contains(t, strings.Join(w.look(), "\n"), "to master: StatusUpdate T LOST AGENT_RESTARTED")
	})
	t.Run("unacknowledged updates are taken, and once", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.call("E", update("T", "u1", mesosv1.TaskState_TASK_STARTING))
		w.look()
		w.call("E", &executor.Call{Type: executor.Call_SUBSCRIBE.Enum(), Subscribe: &executor.Call_Subscribe{
			UnacknowledgedUpdates: []*executor.Call_Update{
				update("T", "u1", mesosv1.TaskState_TASK_STARTING).GetUpdate(), update("T", "u2", mesosv1.TaskState_TASK_RUNNING).GetUpdate(),
			},
		}})
		lines := strings.Join(w.look(), "\n")
		assert.NotContains(t, lines, "write update T STARTING")
		assert.Contains(t, lines, "send ACKNOWLEDGED u1")
		assert.Contains(t, lines, "write update T RUNNING")
		assert.Contains(t, lines, "send ACKNOWLEDGED u2")
	})
	t.Run("an update after the end is acknowledged and dropped", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.call("E", update("T", "u1", mesosv1.TaskState_TASK_FINISHED))
		w.look()
		w.call("E", update("T", "u2", mesosv1.TaskState_TASK_FAILED))
		w.wants("answer 202", "send ACKNOWLEDGED u2")
	})
	t.Run("an update of another agent is left out", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.look()
		c := update("T", "u1", mesosv1.TaskState_TASK_RUNNING)
		c.Update.Status.AgentId = &mesosv1.AgentID{Value: proto.String("B")}
		w.call("E", c)
		w.wants("answer 202")
	})
	t.Run("a heartbeat comes after half an hour, not earlier", func(t *testing.T) {
		w := registered(t)
		w.from(run(custom("T", "E")))
		w.subscribe("E")
		w.do(core.MasterDetected{}) // no pings are expected
		w.look()
		w.pass(30*time.Minute - time.Second)
		w.wants()
		w.pass(time.Second)
		w.wants("send HEARTBEAT")
		w.pass(30 * time.Minute)
		w.wants("send HEARTBEAT")
	})
	t.Run("with tokens, that of another executor is refused", func(t *testing.T) {
		w := registered(t, func(w *world) { w.cfg.AuthenticateHTTPExecutors = true })
		w.from(run(custom("T", "E")))
		claims := only[core.LaunchContainer](w).Claims
		w.look()
		w.subscribe("E")
		w.wants("answer 403 The token is not that of the executor")
		come := func(claims ...*mesosv1.Label) {
			w.do(core.ExecutorCall{Request: 100, Stream: 100, Claims: &mesosv1.Labels{Labels: claims}, Call: &executor.Call{
				FrameworkId: frameworkID, ExecutorId: &mesosv1.ExecutorID{Value: proto.String("E")},
				Type: executor.Call_SUBSCRIBE.Enum(), Subscribe: &executor.Call_Subscribe{},
			}})
		}
		label := func(key, value string) *mesosv1.Label { return &mesosv1.Label{Key: &key, Value: &value} }
		come(claims.Labels[:2]...)
		w.wants("answer 403 The token is not that of the executor")
		come(label("fid", "F"), label("eid", "E"), label("cid", "another"))
		w.wants("answer 403 The token is not that of the executor")
		come(append(slices.Clone(claims.Labels), label("eid", "another"))...)
		w.wants("answer 403 The token is not that of the executor")
		come(append(slices.Clone(claims.Labels), label("exp", "4102444800"))...)
		assert.Contains(t, w.look(), "send SUBSCRIBED")
	})
}

func TestWhatAStatusCarries(t *testing.T) {
	w := registered(t)
	w.from(run(custom("T", "E")))
	w.subscribe("E")
	w.look()
	c := update("T", "u1", mesosv1.TaskState_TASK_RUNNING)
	c.Update.Status.Timestamp = nil
	w.call("E", c)
	u := told[*wire.StatusUpdateMessage](w)[0]
	assert.Equal(t, agentPID.String(), u.GetPid())
	s := u.GetUpdate().GetStatus()
	assert.Equal(t, "A", s.GetAgentId().GetValue())
	assert.Equal(t, "E", s.GetExecutorId().GetValue())
	assert.Equal(t, float64(w.now.Unix()), s.GetTimestamp())
	assert.Equal(t, c.Update.Status.Uuid, s.GetUuid())
	assert.Equal(t, c.Update.Status.Uuid, u.GetUpdate().GetUuid())
	assert.NotEmpty(t, s.GetContainerStatus().GetContainerId().GetValue())
	assert.Equal(t, uint32(42), s.GetContainerStatus().GetExecutorPid())
	assert.Equal(t, "10.0.0.2", s.GetContainerStatus().GetNetworkInfos()[0].GetIpAddresses()[0].GetIpAddress())
	assert.Nil(t, s.GetContainerStatus().GetNetworkInfos()[0].GetIpAddresses()[0].Protocol)
	assert.Nil(t, c.Update.Status.AgentId, "what came in is not changed")

	t.Run("unacknowledged it is sent again after 10 seconds, then 20", func(t *testing.T) {
		w.look()
		w.pass(10 * time.Second)
		w.wants("to master: StatusUpdate T RUNNING")
		w.pass(19 * time.Second)
		w.wants()
		w.pass(time.Second)
		w.wants("to master: StatusUpdate T RUNNING")
	})
}
